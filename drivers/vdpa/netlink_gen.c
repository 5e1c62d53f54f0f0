// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vdpa.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/vdpa.h>

/* VDPA_CMD_MGMTDEV_GET - do */
static const struct nla_policy vdpa_mgmtdev_get_nl_policy[VDPA_ATTR_MGMTDEV_DEV_NAME + 1] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = { .type = NLA_NUL_STRING, },
};

/* VDPA_CMD_DEV_NEW - do */
static const struct nla_policy vdpa_dev_new_nl_policy[VDPA_ATTR_DEV_NETNS_FD + 1] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
	[VDPA_ATTR_DEV_NET_CFG_MACADDR] = { .type = NLA_BINARY, },
	[VDPA_ATTR_DEV_NET_CFG_MAX_VQP] = { .type = NLA_U16, },
	[VDPA_ATTR_DEV_NET_CFG_MTU] = { .type = NLA_U16, },
	[VDPA_ATTR_DEV_FEATURES] = { .type = NLA_U64, },
	[VDPA_ATTR_DEV_BLK_CFG_CAPACITY] = { .type = NLA_U64, },
	[VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX] = { .type = NLA_U32, },
	[VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE] = { .type = NLA_U32, },
	[VDPA_ATTR_DEV_BLK_CFG_SEG_MAX] = { .type = NLA_U32, },
	[VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES] = { .type = NLA_U16, },
	[VDPA_ATTR_DEV_BLK_CFG_PHY_BLK_EXP] = { .type = NLA_U8, },
	[VDPA_ATTR_DEV_BLK_CFG_ALIGN_OFFSET] = { .type = NLA_U8, },
	[VDPA_ATTR_DEV_BLK_CFG_MIN_IO_SIZE] = { .type = NLA_U16, },
	[VDPA_ATTR_DEV_BLK_CFG_OPT_IO_SIZE] = { .type = NLA_U32, },
	[VDPA_ATTR_DEV_BLK_READ_ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
	[VDPA_ATTR_DEV_NET_PEER] = { .type = NLA_NUL_STRING, .len = 255, },
	[VDPA_ATTR_DEV_NET_LINK] = NLA_POLICY_MAX(NLA_U8, 1),
	[VDPA_ATTR_DEV_BLK_BACKING] = { .type = NLA_NUL_STRING, .len = 4095, },
	[VDPA_ATTR_DEV_DRIVER] = { .type = NLA_NUL_STRING, .len = 15, },
	[VDPA_ATTR_DEV_NETNS_FD] = { .type = NLA_U32, },
};

/* VDPA_CMD_DEV_DEL - do */
static const struct nla_policy vdpa_dev_del_nl_policy[VDPA_ATTR_DEV_NAME + 1] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VDPA_CMD_DEV_GET - do */
static const struct nla_policy vdpa_dev_get_do_nl_policy[VDPA_ATTR_DEV_NAME + 1] = {
	[VDPA_ATTR_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VDPA_CMD_DEV_GET - dump */
static const struct nla_policy vdpa_dev_get_dump_nl_policy[VDPA_ATTR_MGMTDEV_DEV_NAME + 1] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = { .type = NLA_NUL_STRING, },
};

/* VDPA_CMD_DEV_CONFIG_GET - do */
static const struct nla_policy vdpa_dev_config_get_do_nl_policy[VDPA_ATTR_DEV_NAME + 1] = {
	[VDPA_ATTR_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VDPA_CMD_DEV_CONFIG_GET - dump */
static const struct nla_policy vdpa_dev_config_get_dump_nl_policy[VDPA_ATTR_MGMTDEV_DEV_NAME + 1] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = { .type = NLA_NUL_STRING, },
};

/* VDPA_CMD_DEV_VSTATS_GET - do */
static const struct nla_policy vdpa_dev_vstats_get_nl_policy[VDPA_ATTR_DEV_QUEUE_INDEX + 1] = {
	[VDPA_ATTR_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
	[VDPA_ATTR_DEV_QUEUE_INDEX] = { .type = NLA_U32, },
};

/* VDPA_CMD_DEV_ATTR_SET - do */
static const struct nla_policy vdpa_dev_attr_set_nl_policy[VDPA_ATTR_DEV_NETNS_FD + 1] = {
	[VDPA_ATTR_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
	[VDPA_ATTR_DEV_NET_CFG_MACADDR] = { .type = NLA_BINARY, },
	[VDPA_ATTR_DEV_NET_LINK] = NLA_POLICY_MAX(NLA_U8, 1),
	[VDPA_ATTR_DEV_DRIVER] = { .type = NLA_NUL_STRING, .len = 15, },
	[VDPA_ATTR_DEV_NETNS_FD] = { .type = NLA_U32, },
};

/* VDPA_CMD_MGMTDEV_SET - do */
static const struct nla_policy vdpa_mgmtdev_set_nl_policy[VDPA_ATTR_DEV_DRIVER + 1] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = { .type = NLA_NUL_STRING, },
	[VDPA_ATTR_DEV_DRIVER] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* VDPA_CMD_QUEUE_GET - dump */
static const struct nla_policy vdpa_queue_get_nl_policy[VDPA_ATTR_DEV_NAME + 1] = {
	[VDPA_ATTR_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* Ops table for vdpa */
const struct genl_split_ops vdpa_nl_ops[12] = {
	{
		.cmd		= VDPA_CMD_MGMTDEV_GET,
		.doit		= vdpa_nl_mgmtdev_get_doit,
		.policy		= vdpa_mgmtdev_get_nl_policy,
		.maxattr	= VDPA_ATTR_MGMTDEV_DEV_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= VDPA_CMD_MGMTDEV_GET,
		.dumpit	= vdpa_nl_mgmtdev_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VDPA_CMD_DEV_NEW,
		.pre_doit	= vdpa_nl_pre_mgmt,
		.doit		= vdpa_nl_dev_new_doit,
		.post_doit	= vdpa_nl_post_mgmt,
		.policy		= vdpa_dev_new_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_NETNS_FD,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VDPA_CMD_DEV_DEL,
		.pre_doit	= vdpa_nl_pre_del,
		.doit		= vdpa_nl_dev_del_doit,
		.post_doit	= vdpa_nl_post_del,
		.policy		= vdpa_dev_del_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_NAME,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VDPA_CMD_DEV_GET,
		.pre_doit	= vdpa_nl_pre_dev,
		.doit		= vdpa_nl_dev_get_doit,
		.post_doit	= vdpa_nl_post_dev,
		.policy		= vdpa_dev_get_do_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VDPA_CMD_DEV_GET,
		.dumpit		= vdpa_nl_dev_get_dumpit,
		.policy		= vdpa_dev_get_dump_nl_policy,
		.maxattr	= VDPA_ATTR_MGMTDEV_DEV_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VDPA_CMD_DEV_CONFIG_GET,
		.pre_doit	= vdpa_nl_pre_dev,
		.doit		= vdpa_nl_dev_config_get_doit,
		.post_doit	= vdpa_nl_post_dev,
		.policy		= vdpa_dev_config_get_do_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VDPA_CMD_DEV_CONFIG_GET,
		.dumpit		= vdpa_nl_dev_config_get_dumpit,
		.policy		= vdpa_dev_config_get_dump_nl_policy,
		.maxattr	= VDPA_ATTR_MGMTDEV_DEV_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VDPA_CMD_DEV_VSTATS_GET,
		.pre_doit	= vdpa_nl_pre_dev,
		.doit		= vdpa_nl_dev_vstats_get_doit,
		.post_doit	= vdpa_nl_post_dev,
		.policy		= vdpa_dev_vstats_get_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_QUEUE_INDEX,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VDPA_CMD_DEV_ATTR_SET,
		.pre_doit	= vdpa_nl_pre_managed,
		.doit		= vdpa_nl_dev_attr_set_doit,
		.post_doit	= vdpa_nl_post_managed,
		.policy		= vdpa_dev_attr_set_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_NETNS_FD,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VDPA_CMD_MGMTDEV_SET,
		.pre_doit	= vdpa_nl_pre_mgmt,
		.doit		= vdpa_nl_mgmtdev_set_doit,
		.post_doit	= vdpa_nl_post_mgmt,
		.policy		= vdpa_mgmtdev_set_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_DRIVER,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VDPA_CMD_QUEUE_GET,
		.dumpit		= vdpa_nl_queue_get_dumpit,
		.policy		= vdpa_queue_get_nl_policy,
		.maxattr	= VDPA_ATTR_DEV_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
};
