// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slices: the function that is carved, as a devlink instance.
 */
#include <linux/err.h>
#include <linux/module.h>
#include "slice.h"

/* devlink resources */
enum { VDPA_SLICE_RESOURCE_SLICES = 1, VDPA_SLICE_RESOURCE_PAIRS };

static const struct devlink_ops vdpa_slice_devlink_ops = {
	.port_new = vdpa_slice_port_new,
};

static u64 vdpa_slice_occ_slices(void *fn)
{
	return ((struct vdpa_slice_function *)fn)->nr_slices;
}

static u64 vdpa_slice_occ_pairs(void *fn)
{
	return ((struct vdpa_slice_function *)fn)->nr_pairs;
}

/* A limit that is seen, and how much of it is used. */
static int vdpa_slice_resource(struct devlink *devlink, const char *name, u64 id,
			       unsigned int size, devlink_resource_occ_get_t *occ)
{
	struct devlink_resource_size_params params;
	int err;

	devlink_resource_size_params_init(&params, size, size, 1, DEVLINK_RESOURCE_UNIT_ENTRY);
	err = devl_resource_register(devlink, name, size, id, DEVLINK_RESOURCE_ID_PARENT_TOP,
				     &params);
	if (!err)
		devl_resource_occ_get_register(devlink, id, occ, devlink_priv(devlink));
	return err;
}

static int vdpa_slice_resources(struct devlink *devlink)
{
	struct vdpa_slice_function *fn = devlink_priv(devlink);

	return vdpa_slice_resource(devlink, "slices", VDPA_SLICE_RESOURCE_SLICES,
				   fn->limits.slices, vdpa_slice_occ_slices) ?:
	       vdpa_slice_resource(devlink, "queue_pairs", VDPA_SLICE_RESOURCE_PAIRS,
				   fn->limits.pairs, vdpa_slice_occ_pairs);
}

/**
 * vdpa_slice_function_add() - let a function be carved
 * @dev: its device, which gives the devlink instance its name
 * @engine: what makes vDPA devices of slices; stays until removal
 * @limits: what the function has to give
 *
 * From here on the administrator can add ports to the devlink instance.
 *
 * Context: Process context, in @dev's probe.
 * Return: the function, for vdpa_slice_function_remove(); or ERR_PTR(-ENOMEM).
 */
struct vdpa_slice_function *vdpa_slice_function_add(struct device *dev,
						    const struct vdpa_slice_engine *engine,
						    const struct vdpa_slice_limits *limits)
{
	struct vdpa_slice_function *fn;
	struct devlink *devlink;
	int err;

	devlink = devlink_alloc(&vdpa_slice_devlink_ops, sizeof(*fn), dev);
	if (!devlink)
		return ERR_PTR(-ENOMEM);

	fn = devlink_priv(devlink);
	fn->dev = dev;
	fn->engine = engine;
	fn->limits = *limits;
	INIT_LIST_HEAD(&fn->ports);

	devl_lock(devlink);
	err = vdpa_slice_resources(devlink);
	if (!err)
		err = devl_register(devlink);
	if (err)
		devl_resources_unregister(devlink);
	devl_unlock(devlink);
	if (err) {
		devlink_free(devlink);
		return ERR_PTR(err);
	}
	return fn;
}
EXPORT_SYMBOL_GPL(vdpa_slice_function_add);

/**
 * vdpa_slice_function_remove() - take a function away with all its slices
 * @fn: function
 *
 * vDPA devices that were made of them are deleted, whoever uses them. On return the engine is
 * not called any more.
 *
 * Context: Process context, in the device's removal.
 */
void vdpa_slice_function_remove(struct vdpa_slice_function *fn)
{
	struct devlink *devlink = priv_to_devlink(fn);
	struct vdpa_slice_port *port, *next;

	devl_lock(devlink);
	/* from here on nobody adds or changes ports */
	devl_unregister(devlink);
	list_for_each_entry_safe(port, next, &fn->ports, node)
		vdpa_slice_port_destroy(port);
	devl_resources_unregister(devlink);
	devl_unlock(devlink);
	devlink_free(devlink);
}
EXPORT_SYMBOL_GPL(vdpa_slice_function_remove);

static int __init vdpa_slice_init(void)
{
	return auxiliary_driver_register(&vdpa_slice_driver);
}
module_init(vdpa_slice_init);

static void __exit vdpa_slice_exit(void)
{
	auxiliary_driver_unregister(&vdpa_slice_driver);
}
module_exit(vdpa_slice_exit);

MODULE_DESCRIPTION("slices of functions as vDPA devices");
MODULE_LICENSE("GPL");
