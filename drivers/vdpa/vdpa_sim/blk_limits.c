// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: what the administrator may choose, and what the driver is told
 * of it (virtio 1.2 section 5.2.4).
 */
#include <linux/log2.h>
#include <linux/netlink.h>
#include <uapi/linux/vdpa.h>
#include "blk.h"

/* unless chosen */
#define BLK_SIZE_MAX 4096
#define BLK_SEG_MAX 32

static bool given(const struct vdpa_dev_set_config *config, unsigned int attr)
{
	return config->mask & BIT_ULL(attr);
}

/* A file's blocks, unless they are too large for a disk. */
static u32 default_block(const struct blk_file *file)
{
	if (!file || file->block < BLK_SECTOR_SIZE || file->block > BLK_BLOCK_MAX)
		return BLK_SECTOR_SIZE;
	return file->block;
}

static void choose(struct blk_limits *limits, const struct vdpa_dev_set_config *config,
		   const struct blk_file *file)
{
	*limits = (struct blk_limits) {
		.size_max = BLK_SIZE_MAX,
		.seg_max = BLK_SEG_MAX,
		.block_size = default_block(file),
		.queues = 1,
		.min_io_size = 1,
		.opt_io_size = 1,
		.read_only = config->blk.read_only,
	};
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX))
		limits->size_max = config->blk.size_max;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_SEG_MAX))
		limits->seg_max = config->blk.seg_max;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE))
		limits->block_size = config->blk.blk_size;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES))
		limits->queues = config->blk.num_queues;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_PHY_BLK_EXP))
		limits->phy_blk_exp = config->blk.phy_blk_exp;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_ALIGN_OFFSET))
		limits->align_offset = config->blk.align_offset;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_MIN_IO_SIZE))
		limits->min_io_size = config->blk.min_io_size;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_OPT_IO_SIZE))
		limits->opt_io_size = config->blk.opt_io_size;
	/* all of a file that is in whole blocks */
	limits->sectors = BLK_SECTORS;
	if (file)
		limits->sectors = (file->bytes & -(u64)limits->block_size) >> BLK_SECTOR_SHIFT;
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_CAPACITY))
		limits->sectors = config->blk.capacity;
}

/* Return: what is wrong, or NULL. */
static const char *check(const struct blk_limits *limits, const struct blk_file *file)
{
	u64 bytes = limits->sectors << BLK_SECTOR_SHIFT;

	if (!limits->sectors || limits->sectors > S64_MAX >> BLK_SECTOR_SHIFT)
		return "the capacity is zero, or more than there can be";
	if (!is_power_of_2(limits->block_size) || limits->block_size < BLK_SECTOR_SIZE ||
	    limits->block_size > BLK_BLOCK_MAX)
		return "the logical block size must be 512, 1024, 2048 or 4096";
	if (bytes & (limits->block_size - 1))
		return "the capacity is not in whole logical blocks";
	if (limits->size_max < limits->block_size)
		return "a segment must have room for a logical block";
	if (!limits->seg_max || limits->seg_max > VDPA_RING_MAX_SEGS - 2)
		return "a request must have 1 to 1022 segments";
	if (!limits->queues || limits->queues > BLK_QUEUES_MAX)
		return "there must be 1 to 64 queues";
	if (limits->phy_blk_exp > 16 || limits->align_offset >= 1u << limits->phy_blk_exp)
		return "the alignment is not within a physical block of at most 65536 logical ones";
	if (!file)
		return NULL;
	if (bytes > file->bytes)
		return "the backing file is smaller than the capacity";
	if ((u64)limits->size_max * limits->seg_max > BLK_FILE_REQUEST_MAX)
		return "a request to a backing file has at most 1 MiB";
	return NULL;
}

/**
 * blk_limits_choose() - what a disk shall be
 * @limits: filled
 * @config: what the administrator wants; the rest is chosen
 * @file: what holds its content, or NULL: memory
 *
 * Return: 0; -EINVAL with a message for what cannot be.
 */
int blk_limits_choose(struct blk_limits *limits, const struct vdpa_dev_set_config *config,
		      const struct blk_file *file)
{
	const char *wrong;

	choose(limits, config, file);
	wrong = check(limits, file);
	if (!wrong)
		return 0;
	NL_SET_ERR_MSG_FMT(config->extack, "%s", wrong);
	return -EINVAL;
}

/**
 * blk_limits_tell() - fill configuration space
 * @limits: what the disk is
 * @config: zeroed
 */
void blk_limits_tell(const struct blk_limits *limits, struct virtio_blk_config *config)
{
	u32 align = limits->block_size >> BLK_SECTOR_SHIFT;

	config->capacity = (__force __virtio64)cpu_to_le64(limits->sectors);
	config->size_max = (__force __virtio32)cpu_to_le32(limits->size_max);
	config->seg_max = (__force __virtio32)cpu_to_le32(limits->seg_max);
	config->blk_size = (__force __virtio32)cpu_to_le32(limits->block_size);
	config->physical_block_exp = limits->phy_blk_exp;
	config->alignment_offset = limits->align_offset;
	config->min_io_size = (__force __virtio16)cpu_to_le16(limits->min_io_size);
	config->opt_io_size = (__force __virtio32)cpu_to_le32(limits->opt_io_size);
	config->num_queues = (__force __virtio16)cpu_to_le16(limits->queues);
	config->max_discard_sectors =
		(__force __virtio32)cpu_to_le32(BLK_RANGE_SECTORS_MAX);
	config->max_discard_seg = (__force __virtio32)cpu_to_le32(BLK_RANGES_MAX);
	config->discard_sector_alignment = (__force __virtio32)cpu_to_le32(align);
	config->max_write_zeroes_sectors =
		(__force __virtio32)cpu_to_le32(BLK_RANGE_SECTORS_MAX);
	config->max_write_zeroes_seg =
		(__force __virtio32)cpu_to_le32(BLK_RANGES_MAX);
	config->write_zeroes_may_unmap = 1;
	config->max_secure_erase_sectors =
		(__force __virtio32)cpu_to_le32(BLK_RANGE_SECTORS_MAX);
	config->max_secure_erase_seg = (__force __virtio32)cpu_to_le32(BLK_RANGES_MAX);
	config->secure_erase_sector_alignment = (__force __virtio32)cpu_to_le32(align);
}
