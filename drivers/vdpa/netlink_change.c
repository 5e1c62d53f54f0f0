// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vdpa": creation, deletion, change.
 */
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include "netlink_gen.h"
#include "vdpa_private.h"

/* Is it a management device whose devices a request is about? */
static bool vdpa_nl_about_mgmt(const struct genl_info *info)
{
	return !info->attrs[VDPA_ATTR_DEV_NAME] && info->attrs[VDPA_ATTR_MGMTDEV_DEV_NAME];
}

int vdpa_nl_pre_del(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info)
{
	if (vdpa_nl_about_mgmt(info))
		return vdpa_nl_pre_mgmt(ops, skb, info);
	if (info->attrs[VDPA_ATTR_MGMTDEV_DEV_NAME]) {
		GENL_SET_ERR_MSG(info, "either a device or a management device, not both");
		return -EINVAL;
	}
	return vdpa_nl_pre_managed(ops, skb, info);
}

void vdpa_nl_post_del(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	if (vdpa_nl_about_mgmt(info))
		vdpa_nl_post_mgmt(ops, skb, info);
	else
		vdpa_nl_post_managed(ops, skb, info);
}

int vdpa_nl_dev_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = info->user_ptr[1];

	if (vdpa_nl_about_mgmt(info)) {
		vdpa_mgmt_delete_all(info->user_ptr[0]);
		return 0;
	}
	mgmt->mdev->ops->dev_del(mgmt->mdev, info->user_ptr[0]);
	return 0;
}

/* Has the parent said why it refused? */
static bool has_reason(const struct genl_info *info)
{
	return info->extack && info->extack->_msg;
}

/* The first of "vdpa0", "vdpa1", ... that is free now; it is taken when the device is made. */
static void vdpa_nl_choose_name(char *name, size_t size)
{
	static atomic_t next;
	struct vdpa_device *other;

	do {
		snprintf(name, size, "vdpa%u", atomic_inc_return(&next) - 1U);
		other = vdpa_dev_pin_by_name(name);
		if (other)
			vdpa_dev_unpin(other);
	} while (other);
}

static int vdpa_nl_create(struct genl_info *info, struct vdpa_mgmt *mgmt, const char *name,
			  const struct vdpa_dev_set_config *config)
{
	struct vdpa_device *other = vdpa_dev_pin_by_name(name);
	int err;

	lockdep_assert_held(&mgmt->lock);

	if (other) {
		vdpa_dev_unpin(other);
		err = -EEXIST;
	} else {
		err = mgmt->mdev->ops->dev_add(mgmt->mdev, name, config);
	}

	if (err == -EEXIST && info->attrs[VDPA_ATTR_DEV_NAME])
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
				    "a device of that name exists");
	else if (err && !has_reason(info))
		NL_SET_ERR_MSG_FMT(info->extack,
				   "the management device could not create the device (%d)",
				   err);
	return err;
}

/* What was created stays there while we have the management device's lock. */
static int vdpa_nl_reply_created(struct genl_info *info, const char *name)
{
	struct vdpa_device *vdev = vdpa_dev_pin_by_name(name);
	int err;

	if (!vdev)
		return -ENODEV;
	err = vdpa_nl_reply(info, vdev, VDPA_CMD_DEV_NEW, vdpa_nl_put_dev);
	vdpa_dev_unpin(vdev);
	return err;
}

/* A parent may have reasons of its own to say that something exists. */
#define VDPA_NL_NAME_TRIES 16

/* A name that others were faster to take is not who asks for none's fault. */
static int vdpa_nl_create_named(struct genl_info *info, struct vdpa_mgmt *mgmt,
				const struct vdpa_dev_set_config *config)
{
	char name[sizeof("vdpa4294967295")];
	unsigned int tries = VDPA_NL_NAME_TRIES;
	int err;

	do {
		vdpa_nl_choose_name(name, sizeof(name));
		err = vdpa_nl_create(info, mgmt, name, config);
	} while (err == -EEXIST && --tries);
	return err ?: vdpa_nl_reply_created(info, name);
}

int vdpa_nl_dev_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = info->user_ptr[0];
	struct vdpa_dev_set_config config = {};
	const char *name = NULL;
	struct net *net = NULL;
	int err;

	if (info->attrs[VDPA_ATTR_DEV_NAME]) {
		name = vdpa_nl_dev_name(info);
		if (!name)
			return -EINVAL;
	}
	err = vdpa_nl_parse_config(info, mgmt->mdev, &config) ?:
	      vdpa_nl_parse_kind(info, &mgmt->wanted) ?:
	      vdpa_nl_parse_net(info, &net);
	mgmt->wanted_net = net;
	if (!err && name)
		err = vdpa_nl_create(info, mgmt, name, &config);
	else if (!err)
		err = vdpa_nl_create_named(info, mgmt, &config);
	mgmt->wanted = NULL;
	mgmt->wanted_net = NULL;
	/* the device can be looked up: it goes back if the namespace dies now */
	if (net)
		put_net(net);
	return err;
}

static int vdpa_nl_change(struct genl_info *info, struct vdpa_mgmt *mgmt,
			  const struct vdpa_dev_set_config *config)
{
	struct vdpa_device *vdev = info->user_ptr[0];
	int err;

	if (!config->mask && !config->ext_mask)
		return 0;
	err = mgmt->mdev->ops->dev_set_attr(mgmt->mdev, vdev, config);
	if (err && !has_reason(info))
		NL_SET_ERR_MSG_FMT(info->extack,
				   "the management device could not change the device (%d)",
				   err);
	if (!err && config->ext_mask & VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_LINK))
		vdpa_nl_notify_link(vdev, config->net.link);
	return err;
}

static int vdpa_nl_reassign(struct genl_info *info, const struct vdpa_kind *kind)
{
	int err;

	if (!kind)
		return 0;
	err = vdpa_dev_reassign(info->user_ptr[0], kind);
	if (err < 0)
		NL_SET_ERR_MSG_FMT(info->extack, "the driver did not take the device (%d)", err);
	return min(err, 0);
}

static void vdpa_nl_move(struct vdpa_device *vdev, struct net *to)
{
	struct net *from = vdpa_dev_get_net(vdev);

	vdpa_dev_set_net(vdev, to);
	if (!from)
		return;
	if (!net_eq(from, to))
		vdpa_nl_notify_moved(vdev, from, to);
	put_net(from);
}

/* Who owns a namespace may change what is in it, not who drives it or where it is. */
static int vdpa_nl_check_permission(struct sk_buff *skb, struct genl_info *info)
{
	if (!info->attrs[VDPA_ATTR_DEV_DRIVER] && !info->attrs[VDPA_ATTR_DEV_NETNS_FD])
		return 0;
	if (netlink_capable(skb, CAP_NET_ADMIN))
		return 0;
	GENL_SET_ERR_MSG(info, "driver and network namespace are the host administrator's to choose");
	return -EPERM;
}

int vdpa_nl_dev_attr_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = info->user_ptr[1];
	struct vdpa_dev_set_config config = {};
	const struct vdpa_kind *kind;
	struct net *net;
	int err;

	err = vdpa_nl_check_permission(skb, info) ?:
	      vdpa_nl_parse_change(info, mgmt->mdev, &config) ?:
	      vdpa_nl_parse_kind(info, &kind) ?:
	      vdpa_nl_parse_net(info, &net);
	if (err)
		return err;
	err = vdpa_nl_change(info, mgmt, &config) ?:
	      vdpa_nl_reassign(info, kind);
	if (net) {
		if (!err)
			vdpa_nl_move(info->user_ptr[0], net);
		put_net(net);
	}
	return err;
}

int vdpa_nl_mgmtdev_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = info->user_ptr[0];
	const struct vdpa_kind *kind;
	int err;

	err = vdpa_nl_parse_kind(info, &kind);
	if (err)
		return err;
	if (!kind) {
		GENL_SET_ERR_MSG(info, "nothing to change: a driver is required");
		return -EINVAL;
	}
	WRITE_ONCE(mgmt->kind, kind);
	return 0;
}
