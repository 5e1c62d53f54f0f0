// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vdpa": what a device is, its configuration and its statistics.
 */
#include <linux/virtio_config.h>
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include "class.h"
#include "netlink_gen.h"
#include "vdpa_private.h"

/* The driver has it, and stays, for we have its lock. */
static int vdpa_nl_put_usage(struct sk_buff *msg, struct vdpa_device *vdev)
{
	struct vdpa_driver *drv = drv_to_vdpa(vdev->dev.driver);
	struct vdpa_usage usage = {};
	int err = 0;

	if (!drv->get_usage || !drv->get_usage(vdev, &usage))
		return 0;
	if ((usage.owner && nla_put_u32(msg, VDPA_ATTR_DEV_OWNER_PID, pid_vnr(usage.owner))) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_PINNED_PAGES, usage.pinned_pages,
			      VDPA_ATTR_PAD) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_MAPS, usage.maps, VDPA_ATTR_PAD))
		err = -EMSGSIZE;
	put_pid(usage.owner);
	return err;
}

static int vdpa_nl_put_status(struct sk_buff *msg, struct vdpa_device *vdev)
{
	u8 status;

	/* a reset may take long */
	if (!down_read_trylock(&vdev->cf_lock))
		return 0;
	status = vdev->config->get_status(vdev);
	up_read(&vdev->cf_lock);
	return nla_put_u8(msg, VDPA_ATTR_DEV_STATUS, status);
}

/*
 * What becomes of the device in the hands of a driver. One that comes or goes takes its time,
 * which is not waited for.
 */
static int vdpa_nl_put_state(struct sk_buff *msg, struct vdpa_device *vdev)
{
	int err = 0;

	/* who has none is not locked for it; it is looked at again under the lock */
	if (!data_race(vdev->dev.driver) || !device_trylock(&vdev->dev))
		return 0;
	if (vdev->dev.driver)
		err = nla_put_string(msg, VDPA_ATTR_DEV_BOUND_DRIVER, vdev->dev.driver->name) ?:
		      vdpa_nl_put_status(msg, vdev) ?:
		      vdpa_nl_put_usage(msg, vdev);
	device_unlock(&vdev->dev);
	return err;
}

static int vdpa_nl_put_kind(struct sk_buff *msg, struct vdpa_device *vdev)
{
	char kind[64];

	if (!vdpa_dev_kind(vdev, kind, sizeof(kind)))
		return 0;
	return nla_put_string(msg, VDPA_ATTR_DEV_DRIVER, kind);
}

/* Where a device is that is not in the namespace of who asks. */
static int vdpa_nl_put_net(struct sk_buff *msg, struct vdpa_device *vdev, struct net *asks)
{
	struct net *net;
	int id;

	/* most are here, and a look costs less than a reference */
	if (net_eq(READ_ONCE(vdev->net), asks))
		return 0;
	net = vdpa_dev_get_net(vdev);
	if (!net)
		return 0;
	id = peernet2id_alloc(asks, net, GFP_KERNEL);
	put_net(net);
	return id < 0 ? 0 : nla_put_s32(msg, VDPA_ATTR_DEV_NETNS_ID, id);
}

/**
 * vdpa_nl_put_dev() - what a device is
 * @msg: message
 * @object: device, pinned
 * @info: request
 *
 * Return: 0 or -EMSGSIZE.
 */
int vdpa_nl_put_dev(struct sk_buff *msg, void *object, const struct genl_info *info)
{
	struct vdpa_device *vdev = object;
	const struct vdpa_config_ops *ops = vdev->config;
	u16 min = ops->get_vq_num_min ? ops->get_vq_num_min(vdev) : 1;

	if (nla_put_string(msg, VDPA_ATTR_DEV_NAME, dev_name(&vdev->dev)) ||
	    (vdev->mdev && vdpa_nl_put_mgmt_handle(msg, vdev->mdev)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_ID, ops->get_device_id(vdev)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_VENDOR_ID, ops->get_vendor_id(vdev)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_MAX_VQS, vdev->nvqs) ||
	    nla_put_u16(msg, VDPA_ATTR_DEV_MAX_VQ_SIZE, ops->get_vq_num_max(vdev)) ||
	    nla_put_u16(msg, VDPA_ATTR_DEV_MIN_VQ_SIZE, min))
		return -EMSGSIZE;
	return vdpa_nl_put_kind(msg, vdev) ?:
	       vdpa_nl_put_net(msg, vdev, genl_info_net(info)) ?:
	       vdpa_nl_put_state(msg, vdev);
}

static bool vdpa_nl_features_ok(struct vdpa_device *vdev)
{
	return vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static int vdpa_nl_put_negotiated(struct sk_buff *msg, struct vdpa_device *vdev)
{
	return nla_put_u64_64bit(msg, VDPA_ATTR_DEV_NEGOTIATED_FEATURES,
				 vdev->config->get_driver_features(vdev),
				 VDPA_ATTR_PAD);
}

static int vdpa_nl_put_config_locked(struct sk_buff *msg,
				     struct vdpa_device *vdev)
{
	u64 features = vdev->config->get_device_features(vdev);
	u32 id = vdev->config->get_device_id(vdev);
	const struct vdpa_class *class = vdpa_class_find(id);
	u64 config[VDPA_CLASS_CONFIG_MAX / sizeof(u64)];

	lockdep_assert_held(&vdev->cf_lock);

	if (nla_put_string(msg, VDPA_ATTR_DEV_NAME, dev_name(&vdev->dev)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_ID, id) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_FEATURES, features,
			      VDPA_ATTR_PAD))
		return -EMSGSIZE;

	if (vdpa_nl_features_ok(vdev) && vdpa_nl_put_negotiated(msg, vdev))
		return -EMSGSIZE;

	if (!class)
		return 0;
	vdpa_class_read(vdev, config, class->config_size);
	return class->put_config(msg, features, config);
}

static int vdpa_nl_put_config(struct sk_buff *msg, void *object, const struct genl_info *info)
{
	struct vdpa_device *vdev = object;
	int err;

	down_read(&vdev->cf_lock);
	err = vdpa_nl_put_config_locked(msg, vdev);
	up_read(&vdev->cf_lock);
	return err;
}

int vdpa_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vdpa_nl_reply(info, info->user_ptr[0], VDPA_CMD_DEV_NEW,
			     vdpa_nl_put_dev);
}

int vdpa_nl_dev_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_device *vdev = info->user_ptr[0];

	if (!vdpa_class_find(vdev->config->get_device_id(vdev))) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
				    "configuration of this device class is not known");
		return -EOPNOTSUPP;
	}
	return vdpa_nl_reply(info, vdev, VDPA_CMD_DEV_CONFIG_GET, vdpa_nl_put_config);
}

/* Devices that are looked up in one go; one that is to leave waits for as many messages. */
#define VDPA_NL_DUMP_PINS 16

/* The management device that a dump is restricted to, with a reference, or NULL. */
static struct vdpa_mgmt *vdpa_nl_dump_filter(struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);

	if (!info->attrs || !info->attrs[VDPA_ATTR_MGMTDEV_DEV_NAME])
		return NULL;
	return vdpa_nl_get_mgmt(info);
}

/*
 * Devices come and go between two messages. One that stays is listed once, for its
 * index stays too; one that comes is listed if its index is still ahead.
 */
static int vdpa_nl_dump_devs(struct sk_buff *msg, struct netlink_callback *cb, u8 cmd,
			     vdpa_nl_fill *fill)
{
	const struct net *net = genl_info_net(genl_info_dump(cb));
	struct vdpa_nl_dump *dump = vdpa_nl_dump(cb);
	struct vdpa_mgmt *only = vdpa_nl_dump_filter(cb);
	struct vdpa_device *vdevs[VDPA_NL_DUMP_PINS];
	unsigned int nr, i;
	int err = 0;

	if (IS_ERR(only))
		return PTR_ERR(only);

	do {
		nr = vdpa_dev_pin_some(dump->index, vdevs, ARRAY_SIZE(vdevs));
		for (i = 0; i < nr; i++) {
			if (!err && (!only || vdevs[i]->mgmt == only) &&
			    vdpa_dev_visible(vdevs[i], net))
				err = vdpa_nl_dump_one(msg, cb, vdevs[i], cmd, fill);
			if (!err)
				dump->index = vdevs[i]->index + 1UL;
			vdpa_dev_unpin(vdevs[i]);
		}
	} while (!err && nr == ARRAY_SIZE(vdevs));
	if (only)
		vdpa_mgmt_put(only);
	return err && !msg->len ? err : msg->len;
}

int vdpa_nl_dev_get_dumpit(struct sk_buff *msg, struct netlink_callback *cb)
{
	return vdpa_nl_dump_devs(msg, cb, VDPA_CMD_DEV_NEW, vdpa_nl_put_dev);
}

int vdpa_nl_dev_config_get_dumpit(struct sk_buff *msg,
				  struct netlink_callback *cb)
{
	return vdpa_nl_dump_devs(msg, cb, VDPA_CMD_DEV_CONFIG_GET,
				 vdpa_nl_put_config);
}

/* Statistics */

static int vdpa_nl_put_vstats_locked(struct sk_buff *msg,
				     struct vdpa_device *vdev,
				     const struct genl_info *info)
{
	u32 index = nla_get_u32(info->attrs[VDPA_ATTR_DEV_QUEUE_INDEX]);
	u32 id = vdev->config->get_device_id(vdev);

	lockdep_assert_held(&vdev->cf_lock);

	if (!vdpa_nl_features_ok(vdev)) {
		GENL_SET_ERR_MSG(info, "the driver has not set FEATURES_OK yet");
		return -EAGAIN;
	}

	if (nla_put_string(msg, VDPA_ATTR_DEV_NAME, dev_name(&vdev->dev)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_ID, id) ||
	    vdpa_nl_put_negotiated(msg, vdev))
		return -EMSGSIZE;
	/* by these a client tells a control queue from the others */
	if (id == VIRTIO_ID_NET &&
	    nla_put_u16(msg, VDPA_ATTR_DEV_NET_CFG_MAX_VQP,
			vdpa_class_net_pairs(vdev)))
		return -EMSGSIZE;
	if (nla_put_u32(msg, VDPA_ATTR_DEV_QUEUE_INDEX, index))
		return -EMSGSIZE;

	return vdev->config->get_vendor_vq_stats(vdev, index, msg, info->extack);
}

static int vdpa_nl_put_vstats(struct sk_buff *msg, void *object, const struct genl_info *info)
{
	struct vdpa_device *vdev = object;
	int err;

	down_read(&vdev->cf_lock);
	err = vdpa_nl_put_vstats_locked(msg, vdev, info);
	up_read(&vdev->cf_lock);
	return err;
}

int vdpa_nl_dev_vstats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *index = info->attrs[VDPA_ATTR_DEV_QUEUE_INDEX];
	struct vdpa_device *vdev = info->user_ptr[0];

	if (!index) {
		GENL_SET_ERR_MSG(info, "a queue index is required");
		return -EINVAL;
	}
	if (!vdev->config->get_vendor_vq_stats) {
		GENL_SET_ERR_MSG(info, "the device keeps no statistics");
		return -EOPNOTSUPP;
	}
	if (nla_get_u32(index) >= vdev->nvqs) {
		NL_SET_ERR_MSG_ATTR(info->extack, index,
				    "queue index is not one of the device's");
		return -EINVAL;
	}
	return vdpa_nl_reply(info, vdev, VDPA_CMD_DEV_VSTATS_GET,
			     vdpa_nl_put_vstats);
}
