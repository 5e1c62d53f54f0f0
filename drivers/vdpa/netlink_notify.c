// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vdpa": telling who listens to its multicast group what becomes
 * of devices. The driver core says when they come, go, and change drivers.
 */
#include <linux/device/bus.h>
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include "vdpa_private.h"

/* index of the family's only group */
#define VDPA_NL_DEVICES 0

static int vdpa_nl_put_name(struct sk_buff *msg, struct vdpa_device *vdev, const void *data)
{
	return nla_put_string(msg, VDPA_ATTR_DEV_NAME, dev_name(&vdev->dev));
}

static int vdpa_nl_put_created(struct sk_buff *msg, struct vdpa_device *vdev, const void *data)
{
	return vdpa_nl_put_name(msg, vdev, NULL) ?:
	       (vdev->mdev ? vdpa_nl_put_mgmt_handle(msg, vdev->mdev) : 0) ?:
	       nla_put_u32(msg, VDPA_ATTR_DEV_ID, vdev->config->get_device_id(vdev));
}

static int vdpa_nl_put_bound(struct sk_buff *msg, struct vdpa_device *vdev, const void *data)
{
	return vdpa_nl_put_name(msg, vdev, NULL) ?:
	       nla_put_string(msg, VDPA_ATTR_DEV_BOUND_DRIVER, vdev->dev.driver->name);
}

static int vdpa_nl_put_status(struct sk_buff *msg, struct vdpa_device *vdev, const void *data)
{
	return vdpa_nl_put_name(msg, vdev, NULL) ?:
	       nla_put_u8(msg, VDPA_ATTR_DEV_STATUS, *(const u8 *)data);
}

static int vdpa_nl_put_link(struct sk_buff *msg, struct vdpa_device *vdev, const void *data)
{
	return vdpa_nl_put_name(msg, vdev, NULL) ?:
	       nla_put_u8(msg, VDPA_ATTR_DEV_NET_LINK, *(const bool *)data);
}

typedef int vdpa_nl_put(struct sk_buff *msg, struct vdpa_device *vdev, const void *data);

/* Whoever listens misses it when memory is short, as netlink's listeners may. */
static void vdpa_nl_tell(struct net *net, struct vdpa_device *vdev, u8 cmd, vdpa_nl_put *put,
			 const void *data)
{
	struct sk_buff *msg;
	void *header;

	if (!genl_has_listeners(&vdpa_nl_family, net, VDPA_NL_DEVICES))
		return;
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return;
	header = genlmsg_put(msg, 0, 0, &vdpa_nl_family, 0, cmd);
	if (!header || put(msg, vdev, data)) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, header);
	genlmsg_multicast_netns(&vdpa_nl_family, net, msg, 0, VDPA_NL_DEVICES, GFP_KERNEL);
}

/* Tell the device's namespace, and the initial one, which sees all. */
static void vdpa_nl_notify(struct vdpa_device *vdev, u8 cmd, vdpa_nl_put *put, const void *data)
{
	struct net *net = vdpa_dev_get_net(vdev);

	vdpa_nl_tell(&init_net, vdev, cmd, put, data);
	if (!net)
		return;
	if (!net_eq(net, &init_net))
		vdpa_nl_tell(net, vdev, cmd, put, data);
	put_net(net);
}

/**
 * vdpa_nl_notify_moved() - a device was given to another network namespace
 * @vdev: device
 * @from: where it was; told that it is gone
 * @to: where it is; told that it has come
 *
 * The initial namespace saw it before and sees it after.
 *
 * Context: Process context, the lock of the management device held.
 */
void vdpa_nl_notify_moved(struct vdpa_device *vdev, struct net *from, struct net *to)
{
	if (!net_eq(from, &init_net))
		vdpa_nl_tell(from, vdev, VDPA_CMD_DEV_DELETED_NTF, vdpa_nl_put_name, NULL);
	if (!net_eq(to, &init_net))
		vdpa_nl_tell(to, vdev, VDPA_CMD_DEV_CREATED_NTF, vdpa_nl_put_created, NULL);
}

/**
 * vdpa_nl_notify_status() - the device status was set
 * @vdev: device
 * @status: what it was set to, 0 for a reset
 *
 * Context: Process context, cf_lock not held.
 */
void vdpa_nl_notify_status(struct vdpa_device *vdev, u8 status)
{
	vdpa_nl_notify(vdev, VDPA_CMD_DEV_STATUS_NTF, vdpa_nl_put_status, &status);
}

/**
 * vdpa_nl_notify_link() - the administrator changed a link
 * @vdev: device
 * @up: what it is now
 *
 * Context: Process context.
 */
void vdpa_nl_notify_link(struct vdpa_device *vdev, bool up)
{
	vdpa_nl_notify(vdev, VDPA_CMD_DEV_LINK_NTF, vdpa_nl_put_link, &up);
}

static int vdpa_nl_bus_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct vdpa_device *vdev = dev_to_vdpa(data);

	switch (event) {
	case BUS_NOTIFY_ADD_DEVICE:
		vdpa_nl_notify(vdev, VDPA_CMD_DEV_CREATED_NTF, vdpa_nl_put_created, NULL);
		break;
	case BUS_NOTIFY_REMOVED_DEVICE:
		vdpa_nl_notify(vdev, VDPA_CMD_DEV_DELETED_NTF, vdpa_nl_put_name, NULL);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		vdpa_nl_notify(vdev, VDPA_CMD_DEV_BOUND_NTF, vdpa_nl_put_bound, NULL);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		vdpa_nl_notify(vdev, VDPA_CMD_DEV_UNBOUND_NTF, vdpa_nl_put_name, NULL);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block vdpa_nl_bus_block = { .notifier_call = vdpa_nl_bus_event };

int __init vdpa_nl_notify_init(void)
{
	return bus_register_notifier(&vdpa_bus_type, &vdpa_nl_bus_block);
}

void vdpa_nl_notify_exit(void)
{
	bus_unregister_notifier(&vdpa_bus_type, &vdpa_nl_bus_block);
}
