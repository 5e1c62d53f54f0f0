// SPDX-License-Identifier: GPL-2.0-only
/*
 * vDPA devices: allocation, registration, look-up and release.
 *
 * A device passes through four states:
 *
 *	allocated	has an index and memory; only its parent knows it
 *	registered	has a unique name, is on the bus, can be pinned
 *	leaving		cannot be pinned any more; pins drain, the bus driver goes
 *	unregistered	lives until its last reference, then ops->free and kfree
 */
#include <linux/cleanup.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <trace/events/vdpa.h>
#include "vdpa_private.h"

/*
 * Protects vdpa_names, look-ups in vdpa_indices, and vdpa_device::live. A leaf:
 * held for a look-up or an insertion, never across a callback.
 */
static DEFINE_MUTEX(vdpa_table_lock);

/* every device that was allocated and not yet freed, by index */
static DEFINE_XARRAY_ALLOC(vdpa_indices);

static u32 vdpa_name_hash(const void *data, u32 len, u32 seed)
{
	const char *name = data;

	return jhash(name, strlen(name), seed);
}

static u32 vdpa_name_obj_hash(const void *data, u32 len, u32 seed)
{
	const struct vdpa_device *vdev = data;

	return vdpa_name_hash(dev_name(&vdev->dev), 0, seed);
}

static int vdpa_name_obj_cmp(struct rhashtable_compare_arg *arg,
			     const void *obj)
{
	const struct vdpa_device *vdev = obj;

	return strcmp(arg->key, dev_name(&vdev->dev));
}

static const struct rhashtable_params vdpa_name_params = {
	.head_offset = offsetof(struct vdpa_device, name_node),
	.hashfn = vdpa_name_hash,
	.obj_hashfn = vdpa_name_obj_hash,
	.obj_cmpfn = vdpa_name_obj_cmp,
	.automatic_shrinking = true,
};

/* every name that is taken, from registration to the end of unregistration */
static struct rhashtable vdpa_names;

/**
 * vdpa_name_valid() - can this be the name of a device
 * @name: NUL-terminated string
 *
 * Names are file names in sysfs.
 *
 * Return: true unless @name is empty, longer than VDPA_NAME_MAX, "." or "..", or
 *	contains a slash.
 */
bool vdpa_name_valid(const char *name)
{
	size_t len = strnlen(name, VDPA_NAME_MAX + 1);

	return len && len <= VDPA_NAME_MAX && strcmp(name, ".") &&
	       strcmp(name, "..") && !strchr(name, '/');
}

static void vdpa_release_dev(struct device *dev)
{
	struct vdpa_device *vdev = dev_to_vdpa(dev);

	if (vdev->config->free)
		vdev->config->free(vdev);

	scoped_guard(mutex, &vdpa_table_lock)
		xa_erase(&vdpa_indices, vdev->index);

	kfree(vdev);
}

/* The address translation ops must agree with each other and with use_va. */
static bool vdpa_map_ops_valid(const struct vdpa_config_ops *ops, bool use_va)
{
	if (!!ops->dma_map != !!ops->dma_unmap)
		return false;
	if (ops->update_map && (!ops->set_map || !ops->reset_map))
		return false;

	return !use_va || ops->dma_map || ops->set_map;
}

/**
 * __vdpa_alloc_device() - allocate a device
 * @parent: device in whose sysfs directory it appears
 * @config: the parent's operations; must outlive the device
 * @ngroups: number of virtqueue groups
 * @nas: number of address spaces
 * @size: bytes to allocate; a struct vdpa_device comes first in them
 * @name: name on the bus, or NULL for "vdpa<index>"
 * @use_va: maps carry virtual addresses
 *
 * The memory is zeroed. Parents use vdpa_alloc_device(). A device that is never
 * registered is given back by put_device(), which calls @config->free.
 *
 * Context: Process context. May sleep.
 * Return: the device, with one reference; ERR_PTR(-EINVAL) when @config is NULL,
 *	has one of dma_map and dma_unmap without the other, or neither set_map nor
 *	dma_map despite @use_va, or when @name cannot be a name; ERR_PTR(-ENOMEM).
 */
struct vdpa_device *__vdpa_alloc_device(struct device *parent,
					const struct vdpa_config_ops *config,
					unsigned int ngroups, unsigned int nas,
					size_t size, const char *name,
					bool use_va)
{
	int err;
	struct vdpa_device *vdev;

	if (!config || !vdpa_map_ops_valid(config, use_va))
		return ERR_PTR(-EINVAL);
	if (name && !vdpa_name_valid(name))
		return ERR_PTR(-EINVAL);

	vdev = kzalloc(size, GFP_KERNEL);
	if (!vdev)
		return ERR_PTR(-ENOMEM);

	err = xa_alloc(&vdpa_indices, &vdev->index, vdev, xa_limit_31b,
		       GFP_KERNEL);
	if (err)
		goto err_free;

	if (name)
		err = dev_set_name(&vdev->dev, "%s", name);
	else
		err = dev_set_name(&vdev->dev, "vdpa%u", vdev->index);
	if (err)
		goto err_index;

	vdev->config = config;
	vdev->ngroups = ngroups;
	vdev->nas = nas;
	vdev->use_va = use_va;
	vdev->net = &init_net;
	init_rwsem(&vdev->cf_lock);
	init_completion(&vdev->idle);

	vdev->dev.bus = &vdpa_bus_type;
	vdev->dev.parent = parent;
	vdev->dev.release = vdpa_release_dev;
	device_initialize(&vdev->dev);

	return vdev;

err_index:
	scoped_guard(mutex, &vdpa_table_lock)
		xa_erase(&vdpa_indices, vdev->index);
err_free:
	kfree(vdev);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(__vdpa_alloc_device);

/* Take the name and let look-ups find the device. */
static int vdpa_dev_publish(struct vdpa_device *vdev)
{
	int err;

	guard(mutex)(&vdpa_table_lock);

	err = rhashtable_lookup_insert_key(&vdpa_names, dev_name(&vdev->dev),
					   &vdev->name_node, vdpa_name_params);
	if (err)
		return err;

	refcount_set(&vdev->users, 1);
	vdev->live = true;
	return 0;
}

/* Let look-ups find the device no more, and wait for those that have. */
static void vdpa_dev_retract(struct vdpa_device *vdev)
{
	scoped_guard(mutex, &vdpa_table_lock)
		vdev->live = false;

	vdpa_dev_unpin(vdev); /* registration's own */
	wait_for_completion(&vdev->idle);
}

static void vdpa_dev_drop_name(struct vdpa_device *vdev)
{
	guard(mutex)(&vdpa_table_lock);
	rhashtable_remove_fast(&vdpa_names, &vdev->name_node, vdpa_name_params);
}

static int vdpa_dev_add(struct vdpa_device *vdev, u32 nvqs)
{
	int err;

	err = vdpa_ops_check(vdev);
	if (err)
		return err;

	vdev->nvqs = nvqs;

	err = vdpa_dev_publish(vdev);
	if (err)
		return err;

	trace_vdpa_dev_add(vdev);
	err = device_add(&vdev->dev);
	if (err) {
		vdpa_dev_retract(vdev);
		vdpa_dev_drop_name(vdev);
	}
	return err;
}

/* The name stays taken until sysfs has forgotten it. */
static void vdpa_dev_del(struct vdpa_device *vdev)
{
	vdpa_dev_retract(vdev);
	device_del(&vdev->dev);
	trace_vdpa_dev_del(vdev);
	vdpa_dev_drop_name(vdev);
	put_device(&vdev->dev);
}

/**
 * _vdpa_register_device() - put a managed device on the bus
 * @vdev: allocated device, &vdpa_device.mdev set
 * @nvqs: number of virtqueues
 *
 * Called by a parent inside &vdpa_mgmtdev_ops.dev_add, when the device is ready to
 * be used: a bus driver may be driving it when this returns.
 *
 * Context: Process context, the management device's lock held.
 * Return: 0; -EINVAL when mdev is not set or not registered, or a required op is
 *	missing; -EEXIST when the name is taken; or what the driver core returned. On
 *	failure the caller still owns its reference and puts the device.
 */
int _vdpa_register_device(struct vdpa_device *vdev, u32 nvqs)
{
	const struct vdpa_kind *kind;
	int err = 0;

	if (!vdev->mdev || !vdev->mdev->mgmt)
		return -EINVAL;

	lockdep_assert_held(&vdev->mdev->mgmt->lock);

	vdev->mgmt = vdev->mdev->mgmt;
	kind = vdev->mgmt->wanted ?: vdev->mgmt->kind;
	if (kind)
		err = vdpa_dev_assign(vdev, kind);
	if (vdev->mgmt->wanted_net)
		vdpa_dev_set_net(vdev, vdev->mgmt->wanted_net);
	return err ?: vdpa_dev_add(vdev, nvqs);
}
EXPORT_SYMBOL_GPL(_vdpa_register_device);

/**
 * vdpa_register_device() - put a device on the bus that no management device made
 * @vdev: allocated device
 * @nvqs: number of virtqueues
 *
 * Such a device cannot be deleted by the administrator.
 *
 * Context: Process context, no lock of the core held.
 * Return: 0; -EINVAL when a required op is missing; -EEXIST when the name is
 *	taken; or what the driver core returned. On failure the caller still owns its
 *	reference and puts the device.
 */
int vdpa_register_device(struct vdpa_device *vdev, u32 nvqs)
{
	return vdpa_dev_add(vdev, nvqs);
}
EXPORT_SYMBOL_GPL(vdpa_register_device);

/**
 * _vdpa_unregister_device() - take a managed device off the bus
 * @vdev: registered device
 *
 * Called by a parent inside &vdpa_mgmtdev_ops.dev_del. On return no bus driver and
 * no netlink request uses the device; the registration's reference is dropped.
 * Never waits for userspace.
 *
 * Context: Process context, the management device's lock held.
 */
void _vdpa_unregister_device(struct vdpa_device *vdev)
{
	lockdep_assert_held(&vdev->mgmt->lock);
	vdpa_dev_del(vdev);
}
EXPORT_SYMBOL_GPL(_vdpa_unregister_device);

/**
 * vdpa_unregister_device() - undo vdpa_register_device()
 * @vdev: registered device
 *
 * Context: Process context, no lock of the core held. Otherwise as
 *	_vdpa_unregister_device().
 */
void vdpa_unregister_device(struct vdpa_device *vdev)
{
	vdpa_dev_del(vdev);
}
EXPORT_SYMBOL_GPL(vdpa_unregister_device);

static bool vdpa_dev_try_pin(struct vdpa_device *vdev)
{
	lockdep_assert_held(&vdpa_table_lock);

	/* while live, the registration's own count keeps this above zero */
	if (vdev->live)
		refcount_inc(&vdev->users);
	return vdev->live;
}

/**
 * vdpa_dev_pin_by_name() - find a registered device by its name
 * @name: NUL-terminated name
 *
 * Context: Process context. May sleep.
 * Return: the device, to be given back by vdpa_dev_unpin(), or NULL.
 */
struct vdpa_device *vdpa_dev_pin_by_name(const char *name)
{
	struct vdpa_device *vdev;

	guard(mutex)(&vdpa_table_lock);

	vdev = rhashtable_lookup_fast(&vdpa_names, name, vdpa_name_params);
	return vdev && vdpa_dev_try_pin(vdev) ? vdev : NULL;
}

/**
 * vdpa_dev_pin_some() - walk the registered devices
 * @index: where to start
 * @vdevs: receives devices in the order of their indices, each to be given back by
 *	vdpa_dev_unpin()
 * @max: how many at most
 *
 * Context: Process context. May sleep.
 * Return: how many there were; with fewer than @max there are no more.
 */
unsigned int vdpa_dev_pin_some(unsigned long index, struct vdpa_device **vdevs,
			       unsigned int max)
{
	struct vdpa_device *vdev;
	unsigned int nr = 0;

	guard(mutex)(&vdpa_table_lock);

	xa_for_each_start(&vdpa_indices, index, vdev, index) {
		if (vdpa_dev_try_pin(vdev))
			vdevs[nr++] = vdev;
		if (nr == max)
			break;
	}
	return nr;
}

/**
 * vdpa_dev_get_of_mgmt() - find a device that a management device made
 * @mgmt: management device
 *
 * Context: Process context, @mgmt->lock held, so the device stays registered.
 * Return: any such device with a reference for put_device(), or NULL.
 */
struct vdpa_device *vdpa_dev_get_of_mgmt(const struct vdpa_mgmt *mgmt)
{
	struct vdpa_device *vdev;
	unsigned long index;

	lockdep_assert_held(&mgmt->lock);
	guard(mutex)(&vdpa_table_lock);

	xa_for_each(&vdpa_indices, index, vdev) {
		if (vdev->live && vdev->mgmt == mgmt) {
			get_device(&vdev->dev);
			return vdev;
		}
	}
	return NULL;
}

/**
 * vdpa_dev_unpin() - end the use of a device that a look-up returned
 * @vdev: pinned device; not to be touched any more
 *
 * Context: Any context.
 */
void vdpa_dev_unpin(struct vdpa_device *vdev)
{
	if (refcount_dec_and_test(&vdev->users))
		complete(&vdev->idle);
}

/**
 * vdpa_dev_replace_net() - move all devices of a network namespace
 * @from: namespace
 * @to: where they go
 *
 * Devices that are being unregistered, too, as their end is still told of.
 *
 * Context: Process context. May sleep.
 */
void vdpa_dev_replace_net(struct net *from, struct net *to)
{
	struct vdpa_device *vdev;
	unsigned long index;

	guard(mutex)(&vdpa_table_lock);

	/* one that is given to another meanwhile stays there */
	xa_for_each(&vdpa_indices, index, vdev)
		cmpxchg(&vdev->net, from, to);
}

int __init vdpa_device_init(void)
{
	return rhashtable_init(&vdpa_names, &vdpa_name_params);
}

void vdpa_device_exit(void)
{
	rhashtable_destroy(&vdpa_names);
	xa_destroy(&vdpa_indices);
}
