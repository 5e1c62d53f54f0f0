// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slices: the auxiliary device of one that is active.
 */
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "slice.h"

/* numbers of auxiliary devices, system wide */
static DEFINE_IDA(vdpa_slice_ids);

static struct vdpa_slice *dev_to_slice(struct device *dev)
{
	return container_of(dev, struct vdpa_slice, adev.dev);
}

static ssize_t sfnum_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", dev_to_slice(dev)->info.sfnum);
}
static DEVICE_ATTR_RO(sfnum);

static struct attribute *vdpa_slice_attrs[] = {
	&dev_attr_sfnum.attr,
	NULL
};
ATTRIBUTE_GROUPS(vdpa_slice);

static void vdpa_slice_release(struct device *dev)
{
	struct vdpa_slice *slice = dev_to_slice(dev);

	ida_free(&vdpa_slice_ids, slice->adev.id);
	kfree(slice);
}

static struct vdpa_slice *vdpa_slice_alloc(struct vdpa_slice_function *fn)
{
	struct vdpa_slice *slice;
	int id, err;

	slice = kzalloc(sizeof(*slice), GFP_KERNEL);
	if (!slice)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&vdpa_slice_ids, GFP_KERNEL);
	if (id < 0) {
		kfree(slice);
		return ERR_PTR(id);
	}

	slice->adev.id = id;
	slice->adev.name = VDPA_SLICE_ADEV;
	slice->adev.dev.parent = fn->dev;
	slice->adev.dev.groups = vdpa_slice_groups;
	slice->adev.dev.release = vdpa_slice_release;
	err = auxiliary_device_init(&slice->adev);
	if (err) {
		ida_free(&vdpa_slice_ids, id);
		kfree(slice);
		return ERR_PTR(err);
	}
	return slice;
}

/**
 * vdpa_slice_create() - put a slice on the auxiliary bus
 * @fn: its function
 * @info: what it shall be
 *
 * Context: Process context, the devlink instance's lock held.
 * Return: the slice, for vdpa_slice_destroy(); or ERR_PTR.
 */
struct vdpa_slice *vdpa_slice_create(struct vdpa_slice_function *fn,
				     const struct vdpa_slice_info *info)
{
	struct vdpa_slice *slice = vdpa_slice_alloc(fn);
	int err;

	if (IS_ERR(slice))
		return slice;
	slice->engine = fn->engine;
	slice->info = *info;

	err = auxiliary_device_add(&slice->adev);
	if (err) {
		auxiliary_device_uninit(&slice->adev);
		return ERR_PTR(err);
	}
	return slice;
}

/**
 * vdpa_slice_destroy() - take a slice off the auxiliary bus
 * @slice: slice; whoever has a reference on the device keeps its memory
 *
 * Context: Process context, the devlink instance's lock held.
 */
void vdpa_slice_destroy(struct vdpa_slice *slice)
{
	auxiliary_device_delete(&slice->adev);
	auxiliary_device_uninit(&slice->adev);
}

/**
 * vdpa_slice_attached() - does a driver have it
 * @slice: slice
 *
 * Return: true if so; it may change at any time.
 */
bool vdpa_slice_attached(struct vdpa_slice *slice)
{
	return device_is_bound(&slice->adev.dev);
}
