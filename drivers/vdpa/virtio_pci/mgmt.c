// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_vdpa: the management device: a function becomes one vDPA device at a time.
 */
#include <linux/err.h>
#include <linux/netlink.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <uapi/linux/vdpa.h>
#include "vp_vdpa.h"

/**
 * vp_vdpa_create() - all of a device but its place on the bus
 * @fn: function that has none
 * @name: name of the device
 * @offered: features that it shall offer
 * @extack: for why it cannot be
 *
 * Context: Process context, @fn->lock held.
 * Return: device, for vp_vdpa_destroy(); or ERR_PTR: see vp_queues_init(),
 *	vp_vectors_alloc() and __vdpa_alloc_device().
 */
struct vp_vdpa *vp_vdpa_create(struct vp_function *fn, const char *name, u64 offered,
			       struct netlink_ext_ack *extack)
{
	struct vp_vdpa *vp;
	int err;

	lockdep_assert_held(&fn->lock);

	vp = vdpa_alloc_device(struct vp_vdpa, vdpa, vp_dev(fn), &vp_vdpa_ops, 1, 1, name,
			       false);
	if (IS_ERR(vp))
		return vp;

	vp->fn = fn;
	vp->offered = offered;
	vp->vdpa.mdev = &fn->mgmt;
	vp->vdpa.dma_dev = vp_dev(fn);
	spin_lock_init(&vp->config_lock);

	err = vp_queues_init(vp, extack);
	if (!err)
		err = vp_vectors_alloc(vp, extack);
	if (err) {
		vp_queues_unmap(vp);
		put_device(&vp->vdpa.dev);
		return ERR_PTR(err);
	}
	fn->vp = vp;
	return vp;
}

/**
 * vp_vdpa_destroy() - undo vp_vdpa_create()
 * @vp: device that is on no bus; its memory goes with the last reference, and is not
 *	reached from its function any more
 *
 * Context: Process context, @fn->lock held.
 */
void vp_vdpa_destroy(struct vp_vdpa *vp)
{
	struct vp_function *fn = vp->fn;

	lockdep_assert_held(&fn->lock);

	vp_function_reset(fn);
	vp_vectors_stop(vp);
	vp_vectors_free(vp);
	vp_queues_unmap(vp);
	fn->vp = NULL;
}

/**
 * vp_vdpa_free() - &vdpa_config_ops.free
 * @vdpa: device
 */
void vp_vdpa_free(struct vdpa_device *vdpa)
{
	vp_queues_free(vdpa_to_vp(vdpa));
}

/*
 * Section 6: what a function that is behind an IOMMU offers, its driver has to accept, or
 * its addresses would not be translated.
 */
static int vp_provision(struct vp_function *fn, u64 wanted, struct netlink_ext_ack *extack)
{
	u64 needed = fn->features & (BIT_ULL(VIRTIO_F_VERSION_1) |
				     BIT_ULL(VIRTIO_F_ACCESS_PLATFORM));

	if (wanted & ~fn->features) {
		NL_SET_ERR_MSG_FMT(extack, "the function does not have features %#llx",
				   wanted & ~fn->features);
		return -EINVAL;
	}
	if (needed & ~wanted) {
		NL_SET_ERR_MSG_FMT(extack, "the function does not work without features %#llx",
				   needed & ~wanted);
		return -EINVAL;
	}
	return 0;
}

static int vp_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
		      const struct vdpa_dev_set_config *config)
{
	struct vp_function *fn = container_of(mgmt, struct vp_function, mgmt);
	u64 offered = fn->features;
	struct vp_vdpa *vp;
	int err;

	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES)) {
		err = vp_provision(fn, config->device_features, config->extack);
		if (err)
			return err;
		offered = config->device_features;
	}

	scoped_guard(mutex, &fn->lock) {
		if (fn->vp) {
			NL_SET_ERR_MSG_FMT(config->extack, "the function already is device %s",
					   dev_name(&fn->vp->vdpa.dev));
			return -EBUSY;
		}
		vp = vp_vdpa_create(fn, name, offered, config->extack);
		if (IS_ERR(vp))
			return PTR_ERR(vp);
	}

	/* who binds to it takes the lock */
	err = _vdpa_register_device(&vp->vdpa, fn->nvqs);
	if (err) {
		scoped_guard(mutex, &fn->lock)
			vp_vdpa_destroy(vp);
		put_device(&vp->vdpa.dev);
	}
	return err;
}

static void vp_dev_del(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa)
{
	struct vp_function *fn = container_of(mgmt, struct vp_function, mgmt);

	_vdpa_unregister_device(vdpa);
	/* the caller has a reference */
	scoped_guard(mutex, &fn->lock)
		vp_vdpa_destroy(vdpa_to_vp(vdpa));
}

const struct vdpa_mgmtdev_ops vp_mgmtdev_ops = {
	.dev_add = vp_dev_add,
	.dev_del = vp_dev_del,
};
