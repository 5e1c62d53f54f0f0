/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "vdpa": administration of vDPA devices.
 *
 * Described command by command and attribute by attribute in
 * Documentation/netlink/specs/vdpa.yaml. Numbers below 128 are the stock
 * interface; what this implementation adds starts at 128.
 */
#ifndef _UAPI_LINUX_VDPA_H_
#define _UAPI_LINUX_VDPA_H_

#define VDPA_GENL_NAME "vdpa"
#define VDPA_GENL_VERSION 0x1

enum vdpa_command {
	VDPA_CMD_UNSPEC,
	VDPA_CMD_MGMTDEV_NEW,
	VDPA_CMD_MGMTDEV_GET,		/* do, dump */
	VDPA_CMD_DEV_NEW,
	VDPA_CMD_DEV_DEL,
	VDPA_CMD_DEV_GET,		/* do, dump */
	VDPA_CMD_DEV_CONFIG_GET,	/* do, dump */
	VDPA_CMD_DEV_VSTATS_GET,
	VDPA_CMD_DEV_ATTR_SET,

	/* beyond stock */
	VDPA_CMD_MGMTDEV_SET = 128,
	VDPA_CMD_QUEUE_GET,		/* dump */

	/* to the multicast group */
	VDPA_CMD_DEV_CREATED_NTF,
	VDPA_CMD_DEV_DELETED_NTF,
	VDPA_CMD_DEV_BOUND_NTF,
	VDPA_CMD_DEV_UNBOUND_NTF,
	VDPA_CMD_DEV_STATUS_NTF,
	VDPA_CMD_DEV_LINK_NTF,
};

#define VDPA_MCGRP_DEVICES "devices"

enum vdpa_attr {
	VDPA_ATTR_UNSPEC,

	VDPA_ATTR_PAD = VDPA_ATTR_UNSPEC,	/* aligns 64 bit payloads */

	/* a management device is named by its device and, if it has one, bus */
	VDPA_ATTR_MGMTDEV_BUS_NAME,		/* string */
	VDPA_ATTR_MGMTDEV_DEV_NAME,		/* string */
	VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES,	/* u64, bit per virtio ID */

	VDPA_ATTR_DEV_NAME,			/* string */
	VDPA_ATTR_DEV_ID,			/* u32, virtio device ID */
	VDPA_ATTR_DEV_VENDOR_ID,		/* u32 */
	VDPA_ATTR_DEV_MAX_VQS,			/* u32 */
	VDPA_ATTR_DEV_MAX_VQ_SIZE,		/* u16 */
	VDPA_ATTR_DEV_MIN_VQ_SIZE,		/* u16 */

	VDPA_ATTR_DEV_NET_CFG_MACADDR,		/* binary, 6 bytes */
	VDPA_ATTR_DEV_NET_STATUS,		/* u16 */
	VDPA_ATTR_DEV_NET_CFG_MAX_VQP,		/* u16 */
	VDPA_ATTR_DEV_NET_CFG_MTU,		/* u16 */

	VDPA_ATTR_DEV_NEGOTIATED_FEATURES,	/* u64 */
	VDPA_ATTR_DEV_MGMTDEV_MAX_VQS,		/* u32 */
	VDPA_ATTR_DEV_SUPPORTED_FEATURES,	/* u64, of a management device */

	VDPA_ATTR_DEV_QUEUE_INDEX,		/* u32 */
	VDPA_ATTR_DEV_VENDOR_ATTR_NAME,		/* string */
	VDPA_ATTR_DEV_VENDOR_ATTR_VALUE,	/* u64 */

	VDPA_ATTR_DEV_FEATURES,			/* u64, of one device */

	/*
	 * Block: the flags are u8, as are PHY_BLK_EXP and ALIGN_OFFSET; CAPACITY
	 * is u64; NUM_QUEUES and MIN_IO_SIZE are u16; all others u32.
	 */
	VDPA_ATTR_DEV_BLK_CFG_CAPACITY,
	VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX,
	VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE,
	VDPA_ATTR_DEV_BLK_CFG_SEG_MAX,
	VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES,
	VDPA_ATTR_DEV_BLK_CFG_PHY_BLK_EXP,
	VDPA_ATTR_DEV_BLK_CFG_ALIGN_OFFSET,
	VDPA_ATTR_DEV_BLK_CFG_MIN_IO_SIZE,
	VDPA_ATTR_DEV_BLK_CFG_OPT_IO_SIZE,
	VDPA_ATTR_DEV_BLK_CFG_MAX_DISCARD_SEC,
	VDPA_ATTR_DEV_BLK_CFG_MAX_DISCARD_SEG,
	VDPA_ATTR_DEV_BLK_CFG_DISCARD_SEC_ALIGN,
	VDPA_ATTR_DEV_BLK_CFG_MAX_WRITE_ZEROES_SEC,
	VDPA_ATTR_DEV_BLK_CFG_MAX_WRITE_ZEROES_SEG,
	VDPA_ATTR_DEV_BLK_READ_ONLY,
	VDPA_ATTR_DEV_BLK_FLUSH,

	VDPA_ATTR_MAX,				/* one past the last, as in stock */

	/* not in stock, which cannot grow to here */
	VDPA_ATTR_DEV_NET_PEER = 128,		/* string, name of a device to join */
	VDPA_ATTR_DEV_NET_LINK,			/* u8, 0 or 1 */
	VDPA_ATTR_DEV_BLK_BACKING,		/* string, path of a file or block device */

	VDPA_ATTR_DEV_DRIVER,			/* string: virtio, vhost, vfio, none, any */
	VDPA_ATTR_DEV_BOUND_DRIVER,		/* string, name of the bus driver */
	VDPA_ATTR_DEV_STATUS,			/* u8, VIRTIO_CONFIG_S_* */
	VDPA_ATTR_DEV_OWNER_PID,		/* u32 */
	VDPA_ATTR_DEV_PINNED_PAGES,		/* u64 */
	VDPA_ATTR_DEV_MAPS,			/* u64 */

	VDPA_ATTR_DEV_QUEUE_SIZE,		/* u32, entries */
	VDPA_ATTR_DEV_QUEUE_READY,		/* u8, 0 or 1 */
	VDPA_ATTR_DEV_QUEUE_AVAIL_INDEX,	/* u16 */
	VDPA_ATTR_DEV_QUEUE_USED_INDEX,		/* u16 */
	VDPA_ATTR_DEV_QUEUE_KICKS,		/* u64 */
	VDPA_ATTR_DEV_QUEUE_INTERRUPTS,		/* u64 */
	VDPA_ATTR_DEV_QUEUE_GROUP,		/* u32 */
	VDPA_ATTR_DEV_QUEUE_ASID,		/* u32 */
	VDPA_ATTR_DEV_NETNS_FD,			/* u32 */
	VDPA_ATTR_DEV_NETNS_ID,			/* s32 */
};

#endif
