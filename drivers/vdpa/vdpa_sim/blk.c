// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: what the device is, creation (virtio 1.2 section 5.2).
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include "blk.h"

static bool shared_backend;
module_param(shared_backend, bool, 0444);
MODULE_PARM_DESC(shared_backend, "all devices are the same disk (default 0)");

/* what every disk has */
#define BLK_FEATURES							\
	(BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | \
	 BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | BIT_ULL(VIRTIO_BLK_F_FLUSH) |	\
	 BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | BIT_ULL(VIRTIO_BLK_F_MQ) |	\
	 BIT_ULL(VIRTIO_BLK_F_DISCARD) | BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) | \
	 BIT_ULL(VIRTIO_BLK_F_LIFETIME) | BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE))

#define BLK_SECTORS 0x40000
#define BLK_SIZE_MAX 4096
#define BLK_SEG_MAX 32
#define BLK_QUEUES_MAX 64
/* the largest logical block, as of the block layer */
#define BLK_BLOCK_MAX 4096

/* the store of every device when they share one; constant while devices exist */
static struct blk_store *shared_store;

static const char *const blk_stat_names[] = {
	"reads", "writes", "other requests", "bytes", "errors",
};

static int blk_put_stats(struct vdpa_sim_queue *queue, struct sk_buff *msg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blk_stat_names); i++)
		if (nla_put_string(msg, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, blk_stat_names[i]) ||
		    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE,
				      queue->stats[i], VDPA_ATTR_PAD))
			return -EMSGSIZE;
	return 0;
}

static void blk_get_config(struct vdpa_sim *sim, void *data)
{
	memcpy(data, &sim_to_blk(sim)->config, sizeof(struct virtio_blk_config));
}

static void blk_free(struct vdpa_sim *sim)
{
	blk_store_put(sim_to_blk(sim)->store);
}

static const struct vdpa_sim_class blk_class = {
	.id = VIRTIO_ID_BLOCK,
	.config_size = sizeof(struct virtio_blk_config),
	.default_ngroups = 1,
	.default_nas = 1,
	.serve = vdpa_sim_blk_serve,
	.get_config = blk_get_config,
	.put_stats = blk_put_stats,
	.free = blk_free,
};

/* Creation */

/* The device's attributes, those that were not given at their defaults. */
struct blk_limits {
	u64 sectors;
	u32 size_max;
	u32 seg_max;
	u32 block_size;
	u16 queues;
	u8 phy_blk_exp;
	u8 align_offset;
	u16 min_io_size;
	u32 opt_io_size;
	bool read_only;
};

static bool given(const struct vdpa_dev_set_config *config, unsigned int attr)
{
	return config->mask & BIT_ULL(attr);
}

static void choose_limits(struct blk_limits *limits,
			  const struct vdpa_dev_set_config *config)
{
	*limits = (struct blk_limits) {
		.sectors = BLK_SECTORS,
		.size_max = BLK_SIZE_MAX,
		.seg_max = BLK_SEG_MAX,
		.block_size = BLK_SECTOR_SIZE,
		.queues = 1,
		.min_io_size = 1,
		.opt_io_size = 1,
		.read_only = config->blk.read_only,
	};
	if (given(config, VDPA_ATTR_DEV_BLK_CFG_CAPACITY))
		limits->sectors = config->blk.capacity;
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
}

static bool limits_valid(const struct blk_limits *limits)
{
	u64 blocks_per_physical = 1ull << min(limits->phy_blk_exp, (u8)32);

	return limits->sectors && limits->sectors <= S64_MAX >> BLK_SECTOR_SHIFT &&
	       is_power_of_2(limits->block_size) &&
	       limits->block_size >= BLK_SECTOR_SIZE &&
	       limits->block_size <= BLK_BLOCK_MAX &&
	       !((limits->sectors << BLK_SECTOR_SHIFT) & (limits->block_size - 1)) &&
	       limits->size_max >= limits->block_size &&
	       limits->seg_max && limits->seg_max <= VDPA_RING_MAX_SEGS - 2 &&
	       limits->queues && limits->queues <= BLK_QUEUES_MAX &&
	       limits->phy_blk_exp <= 16 && limits->align_offset < blocks_per_physical;
}

static void fill_config(struct virtio_blk_config *config, const struct blk_limits *limits)
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

/* A store for a new device: its own, or the one of all, which has its size. */
static struct blk_store *store_for_device(struct blk_limits *limits,
					  const struct vdpa_dev_set_config *config)
{
	if (!shared_store)
		return blk_store_create(limits->sectors << BLK_SECTOR_SHIFT) ?:
		       ERR_PTR(-ENOMEM);
	if (limits->sectors << BLK_SECTOR_SHIFT != blk_store_bytes(shared_store))
		return ERR_PTR(-EINVAL);
	return blk_store_get(shared_store);
}

static int blk_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
		       const struct vdpa_dev_set_config *config)
{
	struct vdpa_sim_params params = {
		.mdev = mdev,
		.name = name,
		.features = BLK_FEATURES,
		.config = config,
		.size = sizeof(struct vdpa_sim_blk),
	};
	struct blk_limits limits;
	struct vdpa_sim_blk *blk;
	struct blk_store *store;
	struct vdpa_sim *sim;

	choose_limits(&limits, config);
	if (!limits_valid(&limits))
		return -EINVAL;
	if (limits.read_only)
		params.features |= BIT_ULL(VIRTIO_BLK_F_RO);
	params.nvqs = limits.queues;
	sim = vdpa_sim_create(&blk_class, &params);
	if (IS_ERR(sim))
		return PTR_ERR(sim);

	blk = sim_to_blk(sim);
	store = store_for_device(&limits, config);
	if (IS_ERR(store)) {
		put_device(&sim->vdpa.dev);
		return PTR_ERR(store);
	}
	blk->store = store;
	blk->sectors = limits.sectors;
	blk->block_mask = limits.block_size - 1;
	blk->read_only = sim->offered & BIT_ULL(VIRTIO_BLK_F_RO);
	fill_config(&blk->config, &limits);
	return vdpa_sim_publish(sim);
}

static const struct vdpa_mgmtdev_ops blk_mgmt_ops = {
	.dev_add = blk_dev_add,
	.dev_del = vdpa_sim_dev_del,
};

static struct virtio_device_id blk_ids[] = {
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct vdpa_mgmt_dev blk_mgmt = {
	.ops = &blk_mgmt_ops,
	.id_table = blk_ids,
	.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_CAPACITY) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_SEG_MAX) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_PHY_BLK_EXP) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_ALIGN_OFFSET) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_MIN_IO_SIZE) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_OPT_IO_SIZE) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_READ_ONLY),
	.max_supported_vqs = BLK_QUEUES_MAX,
	.supported_features = BLK_FEATURES | BIT_ULL(VIRTIO_BLK_F_RO) | VDPA_SIM_FEATURES,
};

/* What devices need is there before they can be created. */
static int __init vdpa_sim_blk_init(void)
{
	int err = -ENOMEM;

	if (shared_backend) {
		shared_store =
			blk_store_create((u64)BLK_SECTORS << BLK_SECTOR_SHIFT);
		if (!shared_store)
			return err;
	}

	blk_mgmt.device = root_device_register("vdpasim_blk");
	if (IS_ERR(blk_mgmt.device)) {
		err = PTR_ERR(blk_mgmt.device);
		goto err_store;
	}

	err = vdpa_mgmtdev_register(&blk_mgmt);
	if (err)
		goto err_device;
	return 0;

err_device:
	root_device_unregister(blk_mgmt.device);
err_store:
	blk_store_put(shared_store);
	return err;
}

static void __exit vdpa_sim_blk_exit(void)
{
	vdpa_mgmtdev_unregister(&blk_mgmt);
	root_device_unregister(blk_mgmt.device);
	blk_store_put(shared_store);
	/* pages that were given back are freed by code of this module */
	rcu_barrier();
}

module_init(vdpa_sim_blk_init);
module_exit(vdpa_sim_blk_exit);

MODULE_DESCRIPTION("simulated vDPA block devices");
MODULE_LICENSE("GPL");
