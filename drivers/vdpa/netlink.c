// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vdpa": what the administrator sees and does.
 *
 * Commands, attributes and their types come from the specification in
 * Documentation/netlink/specs/vdpa.yaml (netlink_gen.c). The hooks here find and
 * hold what a command is about; handlers then only act:
 *
 *	pre_dev		info->user_ptr[0]: the device, pinned
 *	pre_mgmt	info->user_ptr[0]: the management device, entered
 *	pre_managed	info->user_ptr[0]: a device with a reference,
 *			info->user_ptr[1]: the management device that made it, entered
 *
 * Handlers run in parallel; there is no lock of the family. A request sees what its network
 * namespace does (namespace.c).
 */
#include <linux/module.h>
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include "netlink_gen.h"
#include "vdpa_private.h"

/**
 * vdpa_nl_dump() - where a dump goes on
 * @cb: dump
 *
 * Return: its place, zero at the beginning.
 */
struct vdpa_nl_dump *vdpa_nl_dump(struct netlink_callback *cb)
{
	NL_ASSERT_DUMP_CTX_FITS(struct vdpa_nl_dump);

	return (struct vdpa_nl_dump *)cb->ctx;
}

/**
 * vdpa_nl_dev_name() - the device that a request names
 * @info: request
 *
 * Return: its name, which can be one; or NULL after a refusal was written.
 */
const char *vdpa_nl_dev_name(const struct genl_info *info)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_NAME];
	const char *name;

	if (!attr) {
		GENL_SET_ERR_MSG(info, "a device name is required");
		return NULL;
	}

	name = nla_data(attr);
	if (!vdpa_name_valid(name)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "device name must not be empty, \".\", \"..\" or hold a slash");
		return NULL;
	}
	return name;
}

/**
 * vdpa_nl_get_mgmt() - the management device that a request names
 * @info: request
 *
 * Return: the management device with a reference; ERR_PTR(-EINVAL) without a name;
 *	ERR_PTR(-ENODEV) when the requester's network namespace sees none of that name.
 */
struct vdpa_mgmt *vdpa_nl_get_mgmt(const struct genl_info *info)
{
	struct nlattr *bus = info->attrs[VDPA_ATTR_MGMTDEV_BUS_NAME];
	struct nlattr *dev = info->attrs[VDPA_ATTR_MGMTDEV_DEV_NAME];
	struct vdpa_mgmt *mgmt;

	if (!dev) {
		GENL_SET_ERR_MSG(info, "a management device name is required");
		return ERR_PTR(-EINVAL);
	}

	mgmt = net_eq(genl_info_net(info), &init_net) ?
	       vdpa_mgmt_get_by_name(bus ? nla_data(bus) : NULL, nla_data(dev)) : NULL;
	if (!mgmt) {
		NL_SET_ERR_MSG_ATTR(info->extack, dev,
				    "no management device of that name and bus");
		return ERR_PTR(-ENODEV);
	}
	return mgmt;
}

static int vdpa_nl_enter_mgmt(struct vdpa_mgmt *mgmt, struct genl_info *info)
{
	int err = vdpa_mgmt_enter(mgmt);

	if (err == -ENODEV)
		GENL_SET_ERR_MSG(info, "the management device is being removed");
	else if (err)
		GENL_SET_ERR_MSG(info, "interrupted while the management device was busy");
	return err;
}

/**
 * vdpa_nl_pin_dev() - the device that a request names
 * @info: request
 *
 * Return: the device, to be given back by vdpa_dev_unpin(); ERR_PTR(-EINVAL) without a name that
 *	can be one; ERR_PTR(-ENODEV) when the requester's network namespace sees no such device.
 */
struct vdpa_device *vdpa_nl_pin_dev(const struct genl_info *info)
{
	const char *name = vdpa_nl_dev_name(info);
	struct vdpa_device *vdev;

	if (!name)
		return ERR_PTR(-EINVAL);

	vdev = vdpa_dev_pin_by_name(name);
	if (vdev && !vdpa_dev_visible(vdev, genl_info_net(info))) {
		vdpa_dev_unpin(vdev);
		vdev = NULL;
	}
	if (!vdev) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
				    "no device of that name");
		return ERR_PTR(-ENODEV);
	}
	return vdev;
}

int vdpa_nl_pre_mgmt(const struct genl_split_ops *ops, struct sk_buff *skb,
		     struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = vdpa_nl_get_mgmt(info);
	int err;

	if (IS_ERR(mgmt))
		return PTR_ERR(mgmt);

	err = vdpa_nl_enter_mgmt(mgmt, info);
	if (err) {
		vdpa_mgmt_put(mgmt);
		return err;
	}
	info->user_ptr[0] = mgmt;
	return 0;
}

void vdpa_nl_post_mgmt(const struct genl_split_ops *ops, struct sk_buff *skb,
		       struct genl_info *info)
{
	vdpa_mgmt_exit(info->user_ptr[0]);
	vdpa_mgmt_put(info->user_ptr[0]);
}

int vdpa_nl_pre_dev(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info)
{
	struct vdpa_device *vdev = vdpa_nl_pin_dev(info);

	info->user_ptr[0] = vdev;
	return PTR_ERR_OR_ZERO(vdev);
}

void vdpa_nl_post_dev(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	vdpa_dev_unpin(info->user_ptr[0]);
}

/* The management device of the device that a request names, with a reference. */
static struct vdpa_mgmt *vdpa_nl_get_mgmt_of_dev(struct genl_info *info)
{
	struct vdpa_device *vdev = vdpa_nl_pin_dev(info);
	struct vdpa_mgmt *mgmt;

	if (IS_ERR(vdev))
		return ERR_CAST(vdev);

	if (vdev->mgmt) {
		mgmt = vdpa_mgmt_get(vdev->mgmt);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
				    "only a device that a management device made can be changed");
		mgmt = ERR_PTR(-EINVAL);
	}
	vdpa_dev_unpin(vdev);
	return mgmt;
}

/*
 * A pin must not be held while the management device's lock is waited for: whoever
 * holds that may be unregistering the device, which waits for pins. So the device is
 * looked up again once the lock is held, under which it cannot go.
 */
int vdpa_nl_pre_managed(const struct genl_split_ops *ops, struct sk_buff *skb,
			struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = vdpa_nl_get_mgmt_of_dev(info);
	struct vdpa_device *vdev;
	int err;

	if (IS_ERR(mgmt))
		return PTR_ERR(mgmt);

	err = vdpa_nl_enter_mgmt(mgmt, info);
	if (err)
		goto err_put;

	vdev = vdpa_nl_pin_dev(info);
	if (IS_ERR(vdev)) {
		err = PTR_ERR(vdev);
		goto err_exit;
	}
	if (vdev->mgmt != mgmt) {
		/* deleted, and its name taken by another's device, meanwhile */
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
				    "the device of that name was replaced");
		vdpa_dev_unpin(vdev);
		err = -ENODEV;
		goto err_exit;
	}

	get_device(&vdev->dev);
	vdpa_dev_unpin(vdev);
	info->user_ptr[0] = vdev;
	info->user_ptr[1] = mgmt;
	return 0;

err_exit:
	vdpa_mgmt_exit(mgmt);
err_put:
	vdpa_mgmt_put(mgmt);
	return err;
}

/* The device goes first: freeing it runs code of the parent, which the lock keeps. */
void vdpa_nl_post_managed(const struct genl_split_ops *ops, struct sk_buff *skb,
			  struct genl_info *info)
{
	struct vdpa_device *vdev = info->user_ptr[0];

	put_device(&vdev->dev);
	vdpa_mgmt_exit(info->user_ptr[1]);
	vdpa_mgmt_put(info->user_ptr[1]);
}

/**
 * vdpa_nl_reply() - reply to a request about one thing
 * @info: request
 * @object: what it is about
 * @cmd: command of the message
 * @fill: puts its attributes
 *
 * Return: 0, -ENOMEM, -EMSGSIZE, or what @fill or sending returned.
 */
int vdpa_nl_reply(struct genl_info *info, void *object, u8 cmd, vdpa_nl_fill *fill)
{
	struct sk_buff *msg;
	void *header;
	int err;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	header = genlmsg_put_reply(msg, info, &vdpa_nl_family, 0, cmd);
	err = header ? fill(msg, object, info) : -EMSGSIZE;
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, header);
	return genlmsg_reply(msg, info);
}

/**
 * vdpa_nl_dump_one() - one message of a dump
 * @msg: where it goes
 * @cb: dump
 * @object: what it is about
 * @cmd: command of the message
 * @fill: puts its attributes
 *
 * Return: 0, -EMSGSIZE when there is no room, or what @fill returned.
 */
int vdpa_nl_dump_one(struct sk_buff *msg, struct netlink_callback *cb, void *object, u8 cmd,
		     vdpa_nl_fill *fill)
{
	void *header;
	int err;

	header = genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			     &vdpa_nl_family, NLM_F_MULTI, cmd);
	if (!header)
		return -EMSGSIZE;

	err = fill(msg, object, genl_info_dump(cb));
	if (err)
		genlmsg_cancel(msg, header);
	else
		genlmsg_end(msg, header);
	return err;
}

/* Management devices */

/**
 * vdpa_nl_put_mgmt_handle() - name a management device
 * @msg: message
 * @mdev: management device
 *
 * Return: 0 or -EMSGSIZE.
 */
int vdpa_nl_put_mgmt_handle(struct sk_buff *msg, const struct vdpa_mgmt_dev *mdev)
{
	const char *bus = vdpa_mgmt_bus_name(mdev);

	if (bus && nla_put_string(msg, VDPA_ATTR_MGMTDEV_BUS_NAME, bus))
		return -EMSGSIZE;
	return nla_put_string(msg, VDPA_ATTR_MGMTDEV_DEV_NAME,
			      dev_name(mdev->device));
}

static int vdpa_nl_put_mgmt(struct sk_buff *msg, void *object, const struct genl_info *info)
{
	const struct vdpa_mgmt_dev *mdev = object;
	const struct vdpa_kind *kind = READ_ONCE(mdev->mgmt->kind);

	if (vdpa_nl_put_mgmt_handle(msg, mdev) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES,
			      vdpa_mgmt_classes(mdev), VDPA_ATTR_PAD) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_MGMTDEV_MAX_VQS,
			mdev->max_supported_vqs) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_SUPPORTED_FEATURES,
			      mdev->supported_features, VDPA_ATTR_PAD) ||
	    (kind && nla_put_string(msg, VDPA_ATTR_DEV_DRIVER, kind->name)))
		return -EMSGSIZE;
	return 0;
}

/* Constant fields only, so other creations and deletions need not be waited for. */
struct vdpa_nl_mgmt_walk {
	const struct vdpa_mgmt *wanted;
	struct genl_info *info;
	struct sk_buff *msg;
	struct netlink_callback *cb;
	bool found;
};

static int vdpa_nl_reply_if_wanted(struct vdpa_mgmt_dev *mdev, void *data)
{
	struct vdpa_nl_mgmt_walk *walk = data;

	if (mdev->mgmt != walk->wanted)
		return 0;
	walk->found = true;
	return vdpa_nl_reply(walk->info, mdev, VDPA_CMD_MGMTDEV_NEW,
			     vdpa_nl_put_mgmt);
}

int vdpa_nl_mgmtdev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = vdpa_nl_get_mgmt(info);
	struct vdpa_nl_mgmt_walk walk = { .wanted = mgmt, .info = info };
	int err;

	if (IS_ERR(mgmt))
		return PTR_ERR(mgmt);

	err = vdpa_mgmt_for_each(vdpa_nl_reply_if_wanted, &walk);
	if (!err && !walk.found) {
		GENL_SET_ERR_MSG(info, "the management device is being removed");
		err = -ENODEV;
	}
	vdpa_mgmt_put(mgmt);
	return err;
}

static int vdpa_nl_dump_mgmt(struct vdpa_mgmt_dev *mdev, void *data)
{
	struct vdpa_nl_mgmt_walk *walk = data;
	struct vdpa_nl_dump *dump = vdpa_nl_dump(walk->cb);
	int err;

	if (mdev->mgmt->serial <= dump->index)
		return 0;

	err = vdpa_nl_dump_one(walk->msg, walk->cb, mdev, VDPA_CMD_MGMTDEV_NEW,
			       vdpa_nl_put_mgmt);
	if (!err)
		dump->index = mdev->mgmt->serial;
	return err;
}

int vdpa_nl_mgmtdev_get_dumpit(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct vdpa_nl_mgmt_walk walk = { .msg = msg, .cb = cb };
	int err;

	if (!net_eq(genl_info_net(genl_info_dump(cb)), &init_net))
		return 0;
	err = vdpa_mgmt_for_each(vdpa_nl_dump_mgmt, &walk);

	/* a full message is sent; the next one goes on behind it */
	return err && !msg->len ? err : msg->len;
}

static const struct genl_multicast_group vdpa_nl_groups[] = {
	{ .name = VDPA_MCGRP_DEVICES },
};

struct genl_family vdpa_nl_family __ro_after_init = {
	.name = VDPA_GENL_NAME,
	.version = VDPA_GENL_VERSION,
	.module = THIS_MODULE,
	.parallel_ops = true,
	.netnsok = true,
	.split_ops = vdpa_nl_ops,
	.n_split_ops = ARRAY_SIZE(vdpa_nl_ops),
	.mcgrps = vdpa_nl_groups,
	.n_mcgrps = ARRAY_SIZE(vdpa_nl_groups),
	.resv_start_op = VDPA_CMD_DEV_VSTATS_GET + 1,
};

int __init vdpa_netlink_init(void)
{
	int err;

	err = genl_register_family(&vdpa_nl_family);
	if (err)
		return err;
	err = vdpa_nl_notify_init();
	if (err)
		genl_unregister_family(&vdpa_nl_family);
	return err;
}

void vdpa_netlink_exit(void)
{
	vdpa_nl_notify_exit();
	genl_unregister_family(&vdpa_nl_family);
}
