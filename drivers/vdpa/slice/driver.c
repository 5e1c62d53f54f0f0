// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slices: the auxiliary driver. Each slice becomes a management device, of which the engine
 * makes one vDPA device at a time.
 */
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/netlink.h>
#include <uapi/linux/vdpa.h>
#include "slice.h"

static struct vdpa_slice *mgmt_to_slice(struct vdpa_mgmt_dev *mgmt)
{
	return container_of(mgmt, struct vdpa_slice, mgmt);
}

/**
 * vdpa_slice_of() - which slice a management device stands for
 * @mgmt: management device that an engine's op was called with
 *
 * Return: what the slice was made to be; constant.
 */
const struct vdpa_slice_info *vdpa_slice_of(const struct vdpa_mgmt_dev *mgmt)
{
	return &container_of_const(mgmt, struct vdpa_slice, mgmt)->info;
}
EXPORT_SYMBOL_GPL(vdpa_slice_of);

static int vdpa_slice_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
			      const struct vdpa_dev_set_config *config)
{
	struct vdpa_slice *slice = mgmt_to_slice(mgmt);
	struct vdpa_dev_set_config own = *config;
	int err;

	if (slice->made) {
		NL_SET_ERR_MSG(config->extack, "the slice already is a device");
		return -EBUSY;
	}
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP) &&
	    config->net.max_vq_pairs > slice->info.pairs) {
		NL_SET_ERR_MSG_FMT(config->extack, "the slice has %u queue pairs",
				   slice->info.pairs);
		return -EINVAL;
	}
	/* unless the device shall have another address than the slice */
	if (!(config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR)) &&
	    mgmt->config_attr_mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR) &&
	    is_valid_ether_addr(slice->info.hw_addr)) {
		own.mask |= BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR);
		ether_addr_copy(own.net.mac, slice->info.hw_addr);
	}

	err = slice->engine->ops->dev_add(mgmt, name, &own);
	slice->made = !err;
	return err;
}

static void vdpa_slice_dev_del(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa)
{
	struct vdpa_slice *slice = mgmt_to_slice(mgmt);

	slice->engine->ops->dev_del(mgmt, vdpa);
	slice->made = false;
}

static int vdpa_slice_dev_set_attr(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa,
				   const struct vdpa_dev_set_config *config)
{
	const struct vdpa_slice_engine *engine = mgmt_to_slice(mgmt)->engine;

	if (!engine->ops->dev_set_attr)
		return -EOPNOTSUPP;
	return engine->ops->dev_set_attr(mgmt, vdpa, config);
}

static const struct vdpa_mgmtdev_ops vdpa_slice_mgmt_ops = {
	.dev_add = vdpa_slice_dev_add,
	.dev_del = vdpa_slice_dev_del,
	.dev_set_attr = vdpa_slice_dev_set_attr,
};

static int vdpa_slice_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct vdpa_slice *slice = container_of(adev, struct vdpa_slice, adev);
	const struct vdpa_slice_engine *engine = slice->engine;

	slice->made = false;
	slice->mgmt = (struct vdpa_mgmt_dev) {
		.device = &adev->dev,
		.ops = &vdpa_slice_mgmt_ops,
		.id_table = engine->id_table,
		.supported_features = engine->supported_features,
		.config_attr_mask = engine->config_attr_mask,
		.ext_attr_mask = engine->ext_attr_mask,
		/* pairs, and a control queue */
		.max_supported_vqs = 2 * slice->info.pairs + 1,
	};
	return vdpa_mgmtdev_register(&slice->mgmt);
}

static void vdpa_slice_remove(struct auxiliary_device *adev)
{
	vdpa_mgmtdev_unregister(&container_of(adev, struct vdpa_slice, adev)->mgmt);
}

static const struct auxiliary_device_id vdpa_slice_id_table[] = {
	{ .name = "vdpa_slice." VDPA_SLICE_ADEV },
	{}
};
MODULE_DEVICE_TABLE(auxiliary, vdpa_slice_id_table);

struct auxiliary_driver vdpa_slice_driver = {
	.name = VDPA_SLICE_ADEV,
	.probe = vdpa_slice_probe,
	.remove = vdpa_slice_remove,
	.id_table = vdpa_slice_id_table,
};
