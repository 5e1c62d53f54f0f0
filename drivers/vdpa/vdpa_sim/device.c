// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated devices: creation and release.
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <uapi/linux/vdpa.h>
#include "vdpa_sim.h"

/* Features that the administrator asked for must be offered, and usable. */
static int choose_features(const struct vdpa_sim_params *params, u64 *features)
{
	u64 offered = params->features | VDPA_SIM_FEATURES;

	*features = offered;
	if (!(params->config->mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES)))
		return 0;

	*features = params->config->device_features;
	if (*features & ~offered ||
	    !(*features & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM)) ||
	    !(*features & BIT_ULL(VIRTIO_F_VERSION_1))) {
		NL_SET_ERR_MSG(params->config->extack,
			       "features that are not offered, or without VERSION_1 and ACCESS_PLATFORM");
		return -EINVAL;
	}
	return 0;
}

static int allocate_parts(struct vdpa_sim *sim, u32 nvqs)
{
	unsigned int i;
	int err;

	sim->mem = vdpa_memory_alloc(sim->vdpa.nas, vdpa_sim_max_maps());
	sim->group_asid = kcalloc(sim->vdpa.ngroups, sizeof(*sim->group_asid),
				  GFP_KERNEL_ACCOUNT);
	sim->queues = kcalloc(nvqs, sizeof(*sim->queues), GFP_KERNEL_ACCOUNT);
	if (!sim->mem || !sim->group_asid || !sim->queues)
		return -ENOMEM;

	for (i = 0; i < nvqs; i++) {
		err = vdpa_sim_queue_init(sim, i);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vdpa_sim_create() - allocate a simulated device
 * @class: its class
 * @params: what it shall be
 *
 * The caller sets its class's part up and registers the device, or gives it back by
 * put_device().
 *
 * Context: Process context, in &vdpa_mgmtdev_ops.dev_add.
 * Return: the device, ERR_PTR(-EINVAL) for features that it cannot offer, or
 *	ERR_PTR(-ENOMEM).
 */
struct vdpa_sim *vdpa_sim_create(const struct vdpa_sim_class *class,
				 const struct vdpa_sim_params *params)
{
	struct vdpa_device *vdpa;
	struct vdpa_sim *sim;
	u64 features;
	int err;

	err = choose_features(params, &features);
	if (err)
		return ERR_PTR(err);

	vdpa = __vdpa_alloc_device(params->mdev->device, vdpa_sim_ops(),
				   class->default_ngroups, class->default_nas,
				   params->size, params->name, vdpa_sim_use_va());
	if (IS_ERR(vdpa))
		return ERR_CAST(vdpa);

	sim = vdpa_to_sim(vdpa);
	sim->class = class;
	sim->offered = features;
	sim->vdpa.mdev = params->mdev;
	/* addresses are those of this host: translation is the simulator's own */
	sim->vdpa.dma_dev = &sim->vdpa.dev;
	sim->vdpa.nvqs = params->nvqs;
	spin_lock_init(&sim->state_lock);
	spin_lock_init(&sim->config_cb_lock);

	err = allocate_parts(sim, params->nvqs);
	if (err) {
		put_device(&sim->vdpa.dev);
		return ERR_PTR(err);
	}
	vdpa_sim_default_groups(sim);
	vdpa_sim_default_maps(sim);
	return sim;
}
EXPORT_SYMBOL_GPL(vdpa_sim_create);

/**
 * vdpa_sim_register() - put a device on the bus
 * @sim: device, all set up
 *
 * Context: Process context, in &vdpa_mgmtdev_ops.dev_add.
 * Return: 0, or what _vdpa_register_device() returned; the caller still has the device.
 */
int vdpa_sim_register(struct vdpa_sim *sim)
{
	int err = _vdpa_register_device(&sim->vdpa, sim->vdpa.nvqs);

	if (!err)
		vdpa_sim_debugfs_add(sim);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_sim_register);

/**
 * vdpa_sim_dev_del() - &vdpa_mgmtdev_ops.dev_del of every class
 * @mdev: management device
 * @vdpa: device that it made
 */
void vdpa_sim_dev_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	vdpa_sim_debugfs_remove(vdpa_to_sim(vdpa));
	_vdpa_unregister_device(vdpa);
}
EXPORT_SYMBOL_GPL(vdpa_sim_dev_del);

static int __init vdpa_sim_init(void)
{
	vdpa_sim_debugfs_init();
	return 0;
}

static void __exit vdpa_sim_exit(void)
{
	vdpa_sim_debugfs_exit();
}

module_init(vdpa_sim_init);
module_exit(vdpa_sim_exit);

MODULE_DESCRIPTION("simulated vDPA devices, what is common to them");
MODULE_LICENSE("GPL");
