// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a netlink request asks a device to be: attributes checked against each other
 * and against what the management device can do, before a parent sees them.
 */
#include <linux/bits.h>
#include <linux/etherdevice.h>
#include <linux/virtio_config.h>
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>
#include "vdpa_private.h"

#define NET_ATTRS (BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR) |	\
		   BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU) |		\
		   BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP))

#define NET_EXT_ATTRS (VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_PEER) |	\
		       VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_LINK))

#define BLK_EXT_ATTRS VDPA_EXT_BIT(VDPA_ATTR_DEV_BLK_BACKING)

/* Feature bits whose meaning depends on the device class (section 2.2). */
#define CLASS_FEATURES (GENMASK_ULL(23, 0) | GENMASK_ULL(63, 50))

/* RFC 791: every network must carry this much */
#define MTU_MIN 68

/* An attribute of network devices, and the feature it makes sense with. */
static const struct {
	u8 attr;
	u8 feature;
	const char *lacks;
} net_needs[] = {
	{ VDPA_ATTR_DEV_NET_CFG_MACADDR, VIRTIO_NET_F_MAC,
	  "MAC address given, but its feature is not among the features" },
	{ VDPA_ATTR_DEV_NET_CFG_MTU, VIRTIO_NET_F_MTU,
	  "MTU given, but its feature is not among the features" },
	{ VDPA_ATTR_DEV_NET_CFG_MAX_VQP, VIRTIO_NET_F_MQ,
	  "number of queue pairs given, but multiqueue is not among the features" },
};

/* An attribute of block devices that is a number, and where it goes. */
static const struct {
	u8 attr;
	u8 size;
	u16 offset;
} blk_numbers[] = {
#define BLK_NUMBER(_attr, _field) {					\
	.attr = VDPA_ATTR_DEV_BLK_##_attr,				\
	.size = sizeof_field(struct vdpa_dev_set_config, blk._field),	\
	.offset = offsetof(struct vdpa_dev_set_config, blk._field),	\
}
	BLK_NUMBER(CFG_CAPACITY, capacity),
	BLK_NUMBER(CFG_SIZE_MAX, size_max),
	BLK_NUMBER(CFG_BLK_SIZE, blk_size),
	BLK_NUMBER(CFG_SEG_MAX, seg_max),
	BLK_NUMBER(CFG_NUM_QUEUES, num_queues),
	BLK_NUMBER(CFG_PHY_BLK_EXP, phy_blk_exp),
	BLK_NUMBER(CFG_ALIGN_OFFSET, align_offset),
	BLK_NUMBER(CFG_MIN_IO_SIZE, min_io_size),
	BLK_NUMBER(CFG_OPT_IO_SIZE, opt_io_size),
	BLK_NUMBER(READ_ONLY, read_only),
#undef BLK_NUMBER
};

static u64 blk_attrs(void)
{
	u64 mask = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blk_numbers); i++)
		mask |= BIT_ULL(blk_numbers[i].attr);
	return mask;
}

static int refuse(struct genl_info *info, int attr, int err, const char *why)
{
	NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
	NL_SET_ERR_MSG_FMT(info->extack, "%s", why);
	return err;
}

static int parse_mac(struct genl_info *info, struct vdpa_dev_set_config *config)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_NET_CFG_MACADDR];

	if (!attr)
		return 0;
	if (nla_len(attr) != ETH_ALEN)
		return refuse(info, VDPA_ATTR_DEV_NET_CFG_MACADDR, -ERANGE,
			      "MAC address must be 6 bytes long");

	memcpy(config->net.mac, nla_data(attr), ETH_ALEN);
	config->mask |= BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR);
	return 0;
}

static int parse_mtu(struct genl_info *info, struct vdpa_dev_set_config *config)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_NET_CFG_MTU];

	if (!attr)
		return 0;
	config->net.mtu = nla_get_u16(attr);
	if (config->net.mtu < MTU_MIN)
		return refuse(info, VDPA_ATTR_DEV_NET_CFG_MTU, -ERANGE,
			      "MTU must be at least 68");

	config->mask |= BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU);
	return 0;
}

static int parse_pairs(struct genl_info *info, struct vdpa_dev_set_config *config)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_NET_CFG_MAX_VQP];

	if (!attr)
		return 0;
	config->net.max_vq_pairs = nla_get_u16(attr);
	if (!config->net.max_vq_pairs)
		return refuse(info, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, -EINVAL,
			      "number of queue pairs must be at least 1");

	config->mask |= BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP);
	return 0;
}

static int parse_link(struct genl_info *info, struct vdpa_dev_set_config *config)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_NET_LINK];

	if (!attr)
		return 0;
	config->net.link = nla_get_u8(attr);
	config->ext_mask |= VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_LINK);
	return 0;
}

/* A string that is not empty, of an attribute of 128 and up; it lasts as long as @info. */
static int parse_string(struct genl_info *info, int attr, const char **string,
			struct vdpa_dev_set_config *config)
{
	if (!info->attrs[attr])
		return 0;
	*string = nla_data(info->attrs[attr]);
	if (!**string)
		return refuse(info, attr, -EINVAL, "the name must not be empty");
	config->ext_mask |= VDPA_EXT_BIT(attr);
	return 0;
}

/* The policy knows how long each of them is. */
static int parse_blk(struct genl_info *info, struct vdpa_dev_set_config *config)
{
	struct nlattr *attr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blk_numbers); i++) {
		attr = info->attrs[blk_numbers[i].attr];
		if (!attr)
			continue;
		nla_memcpy((void *)config + blk_numbers[i].offset, attr,
			   blk_numbers[i].size);
		config->mask |= BIT_ULL(blk_numbers[i].attr);
	}
	return 0;
}

/* Features that were asked for must carry the attributes that were. */
static int parse_features(struct genl_info *info,
			  struct vdpa_dev_set_config *config)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_FEATURES];
	unsigned int i;

	if (!attr)
		return 0;
	config->device_features = nla_get_u64(attr);

	for (i = 0; i < ARRAY_SIZE(net_needs); i++)
		if (config->mask & BIT_ULL(net_needs[i].attr) &&
		    !(config->device_features & BIT_ULL(net_needs[i].feature)))
			return refuse(info, net_needs[i].attr, -EINVAL,
				      net_needs[i].lacks);

	config->mask |= BIT_ULL(VDPA_ATTR_DEV_FEATURES);
	return 0;
}

/* The management device must take every attribute that was given. */
static int check_supported(struct genl_info *info,
			   const struct vdpa_mgmt_dev *mdev,
			   const struct vdpa_dev_set_config *config)
{
	static const char why[] = "the management device does not take this attribute";
	u64 refused = config->mask & ~mdev->config_attr_mask;
	u64 refused_ext = config->ext_mask & ~mdev->ext_attr_mask;

	if (refused)
		return refuse(info, __ffs64(refused), -EOPNOTSUPP, why);
	if (refused_ext)
		return refuse(info, 128 + __ffs64(refused_ext), -EOPNOTSUPP, why);
	return 0;
}

/* The attribute that is first of those in @mask, or else in @ext_mask. */
static int first_attr(u64 mask, u64 ext_mask)
{
	return mask ? __ffs64(mask) : 128 + __ffs64(ext_mask);
}

static int check_class(struct genl_info *info, const struct vdpa_mgmt_dev *mdev,
		       const struct vdpa_dev_set_config *config)
{
	u64 classes = vdpa_mgmt_classes(mdev);
	u64 given = config->mask & NET_ATTRS, ext = config->ext_mask & NET_EXT_ATTRS;

	if ((given || ext) && !(classes & BIT_ULL(VIRTIO_ID_NET)))
		return refuse(info, first_attr(given, ext), -EINVAL,
			      "the management device creates no network devices");
	given = config->mask & blk_attrs();
	ext = config->ext_mask & BLK_EXT_ATTRS;
	if ((given || ext) && !(classes & BIT_ULL(VIRTIO_ID_BLOCK)))
		return refuse(info, first_attr(given, ext), -EINVAL,
			      "the management device creates no block devices");

	/* which class would those bits be of? */
	given = config->mask & (NET_ATTRS | blk_attrs());
	if (config->device_features & CLASS_FEATURES && !given && !config->ext_mask &&
	    hweight64(classes) > 1)
		return refuse(info, VDPA_ATTR_DEV_FEATURES, -EINVAL,
			      "features of a device class are ambiguous: the management device creates several");
	return 0;
}

/**
 * vdpa_nl_parse_config() - what a device to be created shall be
 * @info: request
 * @mdev: management device that shall create it
 * @config: zeroed; receives what was asked for
 *
 * Return: 0; -ERANGE for a MAC address of another length than 6 bytes or too small an
 *	MTU; -EINVAL for a value that contradicts another, does not fit @mdev's classes,
 *	or is no number of queue pairs; -EOPNOTSUPP when @mdev does not take an
 *	attribute. The extended acknowledgment names the attribute and says why.
 */
int vdpa_nl_parse_config(struct genl_info *info,
			 const struct vdpa_mgmt_dev *mdev,
			 struct vdpa_dev_set_config *config)
{
	config->extack = info->extack;
	return parse_mac(info, config) ?:
	       parse_mtu(info, config) ?:
	       parse_pairs(info, config) ?:
	       parse_link(info, config) ?:
	       parse_string(info, VDPA_ATTR_DEV_NET_PEER, &config->net.peer, config) ?:
	       parse_blk(info, config) ?:
	       parse_string(info, VDPA_ATTR_DEV_BLK_BACKING, &config->blk.backing,
			    config) ?:
	       parse_features(info, config) ?:
	       check_supported(info, mdev, config) ?:
	       check_class(info, mdev, config);
}

/**
 * vdpa_nl_parse_change() - what an existing device shall become
 * @info: request
 * @mdev: management device that made it
 * @config: zeroed; receives what was asked for
 *
 * Return: 0; -ERANGE for a MAC address of another length than 6 bytes; -EINVAL when
 *	nothing was asked for, the MAC address cannot be a device's, or @mdev makes no
 *	network devices; -EOPNOTSUPP when @mdev cannot change devices. The extended
 *	acknowledgment names the attribute and says why.
 */
int vdpa_nl_parse_change(struct genl_info *info,
			 const struct vdpa_mgmt_dev *mdev,
			 struct vdpa_dev_set_config *config)
{
	int err = parse_mac(info, config) ?: parse_link(info, config);

	config->extack = info->extack;
	if (err)
		return err;
	if (!config->mask && !config->ext_mask) {
		if (info->attrs[VDPA_ATTR_DEV_DRIVER] || info->attrs[VDPA_ATTR_DEV_NETNS_FD])
			return 0;
		GENL_SET_ERR_MSG(info, "nothing to change: a MAC address, a link state, a driver or a network namespace is required");
		return -EINVAL;
	}
	if (config->mask && !is_valid_ether_addr(config->net.mac))
		return refuse(info, VDPA_ATTR_DEV_NET_CFG_MACADDR, -EINVAL,
			      "MAC address must be neither zero nor a group's");
	if (!mdev->ops->dev_set_attr)
		return refuse(info, first_attr(config->mask, config->ext_mask), -EOPNOTSUPP,
			      "the management device cannot change devices");

	return check_class(info, mdev, config) ?:
	       check_supported(info, mdev, config);
}

/**
 * vdpa_nl_parse_kind() - which bus driver a device shall be for
 * @info: request
 * @kind: receives what was asked for, or NULL
 *
 * Return: 0, or -EINVAL for a word that stands for none, with a reason.
 */
int vdpa_nl_parse_kind(struct genl_info *info, const struct vdpa_kind **kind)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_DRIVER];

	*kind = NULL;
	if (!attr)
		return 0;
	*kind = vdpa_kind_find(nla_data(attr));
	if (!*kind)
		return refuse(info, VDPA_ATTR_DEV_DRIVER, -EINVAL,
			      "the driver must be virtio, vhost, vfio, none or any");
	return 0;
}

/**
 * vdpa_nl_parse_net() - into which network namespace a device shall go
 * @info: request
 * @net: receives the namespace with a reference for put_net(), or NULL when none is asked for
 *
 * Return: 0; -EBADF for a number that is no open file; -EINVAL for a file that is no network
 *	namespace.
 */
int vdpa_nl_parse_net(struct genl_info *info, struct net **net)
{
	struct nlattr *attr = info->attrs[VDPA_ATTR_DEV_NETNS_FD];
	int err;

	*net = NULL;
	if (!attr)
		return 0;
	*net = get_net_ns_by_fd(nla_get_u32(attr));
	if (!IS_ERR(*net))
		return 0;
	err = PTR_ERR(*net);
	*net = NULL;
	return refuse(info, VDPA_ATTR_DEV_NETNS_FD, err,
		      "no open file of a network namespace");
}
