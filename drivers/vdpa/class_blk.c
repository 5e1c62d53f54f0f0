// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block devices (virtio 1.2 section 5.2) as netlink attributes.
 */
#include <linux/build_bug.h>
#include <linux/vdpa.h>
#include <linux/virtio_byteorder.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_ids.h>
#include "class.h"

#define NO_FEATURE VIRTIO_F_VERSION_1 /* stands in fields[] for "always" */

/**
 * struct vdpa_blk_field - one field of configuration space
 * @feature: bit number of the feature that it depends on
 * @attr: VDPA_ATTR_DEV_BLK_CFG_*
 * @offset: in struct virtio_blk_config
 * @size: bytes; also those of the attribute
 */
struct vdpa_blk_field {
	u8 feature;
	u8 attr;
	u8 offset;
	u8 size;
};

#define FIELD(_feature, _attr, _field) {				\
	.feature = _feature,						\
	.attr = VDPA_ATTR_DEV_BLK_CFG_##_attr,				\
	.offset = offsetof(struct virtio_blk_config, _field),		\
	.size = sizeof_field(struct virtio_blk_config, _field),		\
}

static const struct vdpa_blk_field fields[] = {
	FIELD(NO_FEATURE, CAPACITY, capacity),
	FIELD(VIRTIO_BLK_F_SIZE_MAX, SIZE_MAX, size_max),
	FIELD(VIRTIO_BLK_F_SEG_MAX, SEG_MAX, seg_max),
	FIELD(VIRTIO_BLK_F_BLK_SIZE, BLK_SIZE, blk_size),
	FIELD(VIRTIO_BLK_F_TOPOLOGY, PHY_BLK_EXP, physical_block_exp),
	FIELD(VIRTIO_BLK_F_TOPOLOGY, ALIGN_OFFSET, alignment_offset),
	FIELD(VIRTIO_BLK_F_TOPOLOGY, MIN_IO_SIZE, min_io_size),
	FIELD(VIRTIO_BLK_F_TOPOLOGY, OPT_IO_SIZE, opt_io_size),
	FIELD(VIRTIO_BLK_F_MQ, NUM_QUEUES, num_queues),
	FIELD(VIRTIO_BLK_F_DISCARD, MAX_DISCARD_SEC, max_discard_sectors),
	FIELD(VIRTIO_BLK_F_DISCARD, MAX_DISCARD_SEG, max_discard_seg),
	FIELD(VIRTIO_BLK_F_DISCARD, DISCARD_SEC_ALIGN, discard_sector_alignment),
	FIELD(VIRTIO_BLK_F_WRITE_ZEROES, MAX_WRITE_ZEROES_SEC,
	      max_write_zeroes_sectors),
	FIELD(VIRTIO_BLK_F_WRITE_ZEROES, MAX_WRITE_ZEROES_SEG,
	      max_write_zeroes_seg),
};

static_assert(sizeof(struct virtio_blk_config) <= VDPA_CLASS_CONFIG_MAX);

static int vdpa_blk_put_field(struct sk_buff *msg,
			      const struct vdpa_blk_field *field,
			      const void *config, bool little_endian)
{
	const void *at = config + field->offset;

	/* the structure is packed by layout: every field is aligned */
	switch (field->size) {
	case 1:
		return nla_put_u8(msg, field->attr, *(const u8 *)at);
	case 2:
		return nla_put_u16(msg, field->attr,
				   __virtio16_to_cpu(little_endian,
						     *(const __virtio16 *)at));
	case 4:
		return nla_put_u32(msg, field->attr,
				   __virtio32_to_cpu(little_endian,
						     *(const __virtio32 *)at));
	default:
		return nla_put_u64_64bit(msg, field->attr,
					 __virtio64_to_cpu(little_endian,
							   *(const __virtio64 *)at),
					 VDPA_ATTR_PAD);
	}
}

static int vdpa_class_blk_put(struct sk_buff *msg, u64 features,
			      const void *config)
{
	bool little_endian = vdpa_config_little_endian(features);
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].feature != NO_FEATURE &&
		    !(features & BIT_ULL(fields[i].feature)))
			continue;
		err = vdpa_blk_put_field(msg, &fields[i], config, little_endian);
		if (err)
			return err;
	}

	if (nla_put_u8(msg, VDPA_ATTR_DEV_BLK_READ_ONLY,
		       !!(features & BIT_ULL(VIRTIO_BLK_F_RO))) ||
	    nla_put_u8(msg, VDPA_ATTR_DEV_BLK_FLUSH,
		       !!(features & BIT_ULL(VIRTIO_BLK_F_FLUSH))))
		return -EMSGSIZE;
	return 0;
}

const struct vdpa_class vdpa_class_blk = {
	.id = VIRTIO_ID_BLOCK,
	.config_size = sizeof(struct virtio_blk_config),
	.put_config = vdpa_class_blk_put,
};
