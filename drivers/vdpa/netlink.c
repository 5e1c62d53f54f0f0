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
 * Handlers run in parallel; there is no lock of the family.
 */
#include <linux/module.h>
#include <linux/virtio_config.h>
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include "class.h"
#include "netlink_gen.h"
#include "vdpa_private.h"

static struct genl_family vdpa_nl_family;

/*
 * Where a dump goes on: at the device of this index, or behind the management device
 * of this serial. Neither moves when others come or go.
 */
struct vdpa_nl_dump {
	unsigned long index;
};

static struct vdpa_nl_dump *vdpa_nl_dump(struct netlink_callback *cb)
{
	NL_ASSERT_DUMP_CTX_FITS(struct vdpa_nl_dump);

	return (struct vdpa_nl_dump *)cb->ctx;
}

/* The device name of a request, or NULL after a refusal was written. */
static const char *vdpa_nl_dev_name(struct genl_info *info)
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

static struct vdpa_mgmt *vdpa_nl_get_mgmt(struct genl_info *info)
{
	struct nlattr *bus = info->attrs[VDPA_ATTR_MGMTDEV_BUS_NAME];
	struct nlattr *dev = info->attrs[VDPA_ATTR_MGMTDEV_DEV_NAME];
	struct vdpa_mgmt *mgmt;

	if (!dev) {
		GENL_SET_ERR_MSG(info, "a management device name is required");
		return ERR_PTR(-EINVAL);
	}

	mgmt = vdpa_mgmt_get_by_name(bus ? nla_data(bus) : NULL, nla_data(dev));
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

static struct vdpa_device *vdpa_nl_pin_dev(struct genl_info *info)
{
	const char *name = vdpa_nl_dev_name(info);
	struct vdpa_device *vdev;

	if (!name)
		return ERR_PTR(-EINVAL);

	vdev = vdpa_dev_pin_by_name(name);
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

/* Reply to a request about one device: a message filled by @fill. */
static int vdpa_nl_reply(struct genl_info *info, void *object, u8 cmd,
			 int (*fill)(struct sk_buff *msg, void *object,
				     struct genl_info *info))
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

/* One message of a dump. */
static int vdpa_nl_dump_one(struct sk_buff *msg, struct netlink_callback *cb,
			    void *object, u8 cmd,
			    int (*fill)(struct sk_buff *msg, void *object,
					struct genl_info *info))
{
	void *header;
	int err;

	header = genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			     &vdpa_nl_family, NLM_F_MULTI, cmd);
	if (!header)
		return -EMSGSIZE;

	err = fill(msg, object, NULL);
	if (err)
		genlmsg_cancel(msg, header);
	else
		genlmsg_end(msg, header);
	return err;
}

/* Management devices */

static int vdpa_nl_put_mgmt_handle(struct sk_buff *msg,
				   const struct vdpa_mgmt_dev *mdev)
{
	const char *bus = vdpa_mgmt_bus_name(mdev);

	if (bus && nla_put_string(msg, VDPA_ATTR_MGMTDEV_BUS_NAME, bus))
		return -EMSGSIZE;
	return nla_put_string(msg, VDPA_ATTR_MGMTDEV_DEV_NAME,
			      dev_name(mdev->device));
}

static int vdpa_nl_put_mgmt(struct sk_buff *msg, void *object,
			    struct genl_info *info)
{
	const struct vdpa_mgmt_dev *mdev = object;

	if (vdpa_nl_put_mgmt_handle(msg, mdev) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES,
			      vdpa_mgmt_classes(mdev), VDPA_ATTR_PAD) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_MGMTDEV_MAX_VQS,
			mdev->max_supported_vqs) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_SUPPORTED_FEATURES,
			      mdev->supported_features, VDPA_ATTR_PAD))
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
	int err = vdpa_mgmt_for_each(vdpa_nl_dump_mgmt, &walk);

	/* a full message is sent; the next one goes on behind it */
	return err && !msg->len ? err : msg->len;
}

/* Devices */

static int vdpa_nl_put_dev(struct sk_buff *msg, void *object,
			   struct genl_info *info)
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
	return 0;
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

static int vdpa_nl_put_config(struct sk_buff *msg, void *object,
			      struct genl_info *info)
{
	struct vdpa_device *vdev = object;
	int err;

	if (info && !vdpa_class_find(vdev->config->get_device_id(vdev))) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
				    "configuration of this device class is not known");
		return -EOPNOTSUPP;
	}

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
	return vdpa_nl_reply(info, info->user_ptr[0], VDPA_CMD_DEV_CONFIG_GET,
			     vdpa_nl_put_config);
}

/*
 * Devices come and go between two messages. One that stays is listed once, for its
 * index stays too; one that comes is listed if its index is still ahead.
 */
static int vdpa_nl_dump_devs(struct sk_buff *msg, struct netlink_callback *cb,
			     u8 cmd,
			     int (*fill)(struct sk_buff *msg, void *object,
					 struct genl_info *info))
{
	struct vdpa_nl_dump *dump = vdpa_nl_dump(cb);
	struct vdpa_device *vdev;
	int err = 0;

	while (!err && (vdev = vdpa_dev_pin_next(&dump->index))) {
		err = vdpa_nl_dump_one(msg, cb, vdev, cmd, fill);
		if (!err)
			dump->index++;
		vdpa_dev_unpin(vdev);
	}
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
				     struct genl_info *info)
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

static int vdpa_nl_put_vstats(struct sk_buff *msg, void *object,
			      struct genl_info *info)
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

/* Creation, deletion, change */

int vdpa_nl_dev_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = info->user_ptr[1];

	mgmt->mdev->ops->dev_del(mgmt->mdev, info->user_ptr[0]);
	return 0;
}

/* Has the parent said why it refused? */
static bool has_reason(const struct genl_info *info)
{
	return info->extack && info->extack->_msg;
}

int vdpa_nl_dev_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = info->user_ptr[0];
	struct vdpa_dev_set_config config = {};
	const char *name = vdpa_nl_dev_name(info);
	struct vdpa_device *other;
	int err;

	if (!name)
		return -EINVAL;
	err = vdpa_nl_parse_config(info, mgmt->mdev, &config);
	if (err)
		return err;

	other = vdpa_dev_pin_by_name(name);
	if (other) {
		vdpa_dev_unpin(other);
		err = -EEXIST;
	} else {
		err = mgmt->mdev->ops->dev_add(mgmt->mdev, name, &config);
	}

	if (err == -EEXIST)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
				    "a device of that name exists");
	else if (err && !has_reason(info))
		NL_SET_ERR_MSG_FMT(info->extack,
				   "the management device could not create the device (%d)",
				   err);
	return err;
}

int vdpa_nl_dev_attr_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt *mgmt = info->user_ptr[1];
	struct vdpa_dev_set_config config = {};
	int err;

	err = vdpa_nl_parse_change(info, mgmt->mdev, &config);
	if (err)
		return err;

	err = mgmt->mdev->ops->dev_set_attr(mgmt->mdev, info->user_ptr[0],
					    &config);
	if (err && !has_reason(info))
		NL_SET_ERR_MSG_FMT(info->extack,
				   "the management device could not change the device (%d)",
				   err);
	return err;
}

static struct genl_family vdpa_nl_family __ro_after_init = {
	.name = VDPA_GENL_NAME,
	.version = VDPA_GENL_VERSION,
	.module = THIS_MODULE,
	.parallel_ops = true,
	.split_ops = vdpa_nl_ops,
	.n_split_ops = ARRAY_SIZE(vdpa_nl_ops),
	.resv_start_op = VDPA_CMD_DEV_VSTATS_GET + 1,
};

int __init vdpa_netlink_init(void)
{
	return genl_register_family(&vdpa_nl_family);
}

void vdpa_netlink_exit(void)
{
	genl_unregister_family(&vdpa_nl_family);
}
