// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: a disk in memory (virtio 1.2 section 5.2).
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_ids.h>
#include "blk.h"

static bool shared_backend;
module_param(shared_backend, bool, 0444);
MODULE_PARM_DESC(shared_backend, "all devices are the same disk (default 0)");

#define BLK_FEATURES							\
	(BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | \
	 BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | BIT_ULL(VIRTIO_BLK_F_FLUSH) |	\
	 BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | BIT_ULL(VIRTIO_BLK_F_MQ) |	\
	 BIT_ULL(VIRTIO_BLK_F_DISCARD) | BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES))

#define BLK_SECTORS 0x40000
#define BLK_SIZE_MAX 4096
#define BLK_SEG_MAX 32
#define BLK_QUEUES 1
/* of a discard or write-zeroes request */
#define BLK_RANGE_SECTORS_MAX 0xffff
#define BLK_RANGES_MAX 32

static const char blk_id[VIRTIO_BLK_ID_BYTES] = "vdpa_blk_sim";

/**
 * struct vdpa_sim_blk - a disk in memory
 * @sim: what is common to all classes
 * @store: its content, one reference held; constant
 */
struct vdpa_sim_blk {
	struct vdpa_sim sim;
	struct blk_store *store;
};

/* the store of every device when they share one; constant while devices exist */
static struct blk_store *shared_store;

static struct vdpa_sim_blk *sim_to_blk(struct vdpa_sim *sim)
{
	return container_of(sim, struct vdpa_sim_blk, sim);
}

/* Is [@sector, @sector + @len bytes) on the disk, in whole sectors? */
static bool range_valid(const struct blk_store *store, u64 sector, u64 len)
{
	u64 sectors = store->bytes >> BLK_SECTOR_SHIFT;

	return !(len & (BLK_SECTOR_SIZE - 1)) && sector <= sectors &&
	       len >> BLK_SECTOR_SHIFT <= sectors - sector;
}

/*
 * Requests. Each returns the status that the driver sees, or -errno when the ring
 * broke. The writable part of the chain but for its last byte is @room long.
 */

static int blk_read(struct vdpa_sim_blk *blk, struct vdpa_chain *chain,
		    u64 sector, u32 room)
{
	if (!range_valid(blk->store, sector, room))
		return VIRTIO_BLK_S_IOERR;
	return blk_store_read(blk->store, sector << BLK_SECTOR_SHIFT, room,
			      chain);
}

static int blk_write(struct vdpa_sim_blk *blk, struct vdpa_chain *chain,
		     u64 sector)
{
	u32 len = chain->out_left;
	int err;

	if (!range_valid(blk->store, sector, len))
		return VIRTIO_BLK_S_IOERR;
	err = blk_store_write(blk->store, sector << BLK_SECTOR_SHIFT, len,
			      chain);
	return err == -ENOMEM ? VIRTIO_BLK_S_IOERR : err;
}

static int blk_get_id(struct vdpa_chain *chain, u32 room)
{
	ssize_t moved;

	if (room < sizeof(blk_id))
		return VIRTIO_BLK_S_IOERR;
	moved = vdpa_chain_push(chain, blk_id, sizeof(blk_id));
	return moved < 0 ? moved : VIRTIO_BLK_S_OK;
}

/* Section 5.2.6.2: which flags a range may have depends on the request. */
static int range_check(const struct blk_store *store, u32 type,
		       const struct virtio_blk_discard_write_zeroes *range)
{
	u32 sectors = le32_to_cpu(range->num_sectors);
	u32 flags = le32_to_cpu(range->flags);
	u32 allowed = 0;

	if (type == VIRTIO_BLK_T_WRITE_ZEROES)
		allowed = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	if (flags & ~allowed)
		return VIRTIO_BLK_S_UNSUPP;
	if (sectors > BLK_RANGE_SECTORS_MAX ||
	    !range_valid(store, le64_to_cpu(range->sector),
			 (u64)sectors << BLK_SECTOR_SHIFT))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/*
 * Section 5.2.6.2: a discard may deallocate, a write of zeroes only if it says so. What
 * was discarded reads as zeroes here.
 */
static void range_zero(struct blk_store *store, u32 type,
		       const struct virtio_blk_discard_write_zeroes *range)
{
	bool unmap = type == VIRTIO_BLK_T_DISCARD || range->flags;

	blk_store_zero(store, le64_to_cpu(range->sector) << BLK_SECTOR_SHIFT,
		       (u64)le32_to_cpu(range->num_sectors) << BLK_SECTOR_SHIFT,
		       unmap);
}

static int blk_zero(struct vdpa_sim_blk *blk, struct vdpa_chain *chain, u32 type)
{
	struct virtio_blk_discard_write_zeroes ranges[BLK_RANGES_MAX];
	u32 len = chain->out_left;
	unsigned int i, count = len / sizeof(ranges[0]);
	ssize_t moved;
	int status;

	if (!count || count > BLK_RANGES_MAX || len % sizeof(ranges[0]))
		return VIRTIO_BLK_S_IOERR;
	moved = vdpa_chain_pull(chain, ranges, len);
	if (moved < 0)
		return moved;

	/* all are looked at before the first is obeyed */
	for (i = 0; i < count; i++) {
		status = range_check(blk->store, type, &ranges[i]);
		if (status != VIRTIO_BLK_S_OK)
			return status;
	}
	for (i = 0; i < count; i++)
		range_zero(blk->store, type, &ranges[i]);
	return VIRTIO_BLK_S_OK;
}

static int blk_request(struct vdpa_sim_blk *blk, struct vdpa_chain *chain,
		       u32 room)
{
	struct virtio_blk_outhdr hdr;
	u64 features = blk->sim.features;
	ssize_t got;
	u32 type;

	got = vdpa_chain_pull(chain, &hdr, sizeof(hdr));
	if (got < 0)
		return got;
	if (got < sizeof(hdr))
		return VIRTIO_BLK_S_IOERR;

	type = le32_to_cpu((__force __le32)hdr.type);
	switch (type) {
	case VIRTIO_BLK_T_IN:
		return blk_read(blk, chain,
				le64_to_cpu((__force __le64)hdr.sector), room);
	case VIRTIO_BLK_T_OUT:
		return blk_write(blk, chain,
				 le64_to_cpu((__force __le64)hdr.sector));
	case VIRTIO_BLK_T_FLUSH:
		/* a write is in the store when it completes */
		return features & BIT_ULL(VIRTIO_BLK_F_FLUSH) ?
		       VIRTIO_BLK_S_OK : VIRTIO_BLK_S_UNSUPP;
	case VIRTIO_BLK_T_GET_ID:
		return blk_get_id(chain, room);
	case VIRTIO_BLK_T_DISCARD:
		return features & BIT_ULL(VIRTIO_BLK_F_DISCARD) ?
		       blk_zero(blk, chain, type) : VIRTIO_BLK_S_UNSUPP;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return features & BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) ?
		       blk_zero(blk, chain, type) : VIRTIO_BLK_S_UNSUPP;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/*
 * One chain: the request, and its status in the last byte of the writable part. One
 * without that byte cannot be answered and is only given back.
 */
static int blk_handle(struct vdpa_sim_blk *blk, struct vdpa_chain *chain)
{
	ssize_t moved;
	int result;
	u8 status;

	if (!chain->in_left)
		return 0;

	result = blk_request(blk, chain, chain->in_left - 1);
	if (result < 0)
		return result;

	status = result;
	moved = vdpa_chain_skip_in(chain, chain->in_left - 1);
	if (moved >= 0)
		moved = vdpa_chain_push(chain, &status, sizeof(status));
	return min_t(ssize_t, moved, 0);
}

static int blk_serve(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_blk *blk = sim_to_blk(queue->sim);
	struct vdpa_chain chain;
	int done, got, err;

	lockdep_assert_held(&queue->lock);

	for (done = 0; done < VDPA_SIM_BURST; done++) {
		got = vdpa_ring_next(queue->ring, &chain);
		if (got <= 0)
			return got ?: done;
		err = blk_handle(blk, &chain);
		if (err)
			return err;
		vdpa_ring_complete(queue->ring, &chain);
	}
	return done;
}

static void blk_get_config(struct vdpa_sim *sim, void *data)
{
	struct virtio_blk_config *config = data;
	u64 sectors = sim_to_blk(sim)->store->bytes >> BLK_SECTOR_SHIFT;

	config->capacity = (__force __virtio64)cpu_to_le64(sectors);
	config->size_max = (__force __virtio32)cpu_to_le32(BLK_SIZE_MAX);
	config->seg_max = (__force __virtio32)cpu_to_le32(BLK_SEG_MAX);
	config->blk_size = (__force __virtio32)cpu_to_le32(BLK_SECTOR_SIZE);
	config->min_io_size = (__force __virtio16)cpu_to_le16(1);
	config->opt_io_size = (__force __virtio32)cpu_to_le32(1);
	config->num_queues = (__force __virtio16)cpu_to_le16(BLK_QUEUES);
	config->max_discard_sectors =
		(__force __virtio32)cpu_to_le32(BLK_RANGE_SECTORS_MAX);
	config->max_discard_seg = (__force __virtio32)cpu_to_le32(BLK_RANGES_MAX);
	config->discard_sector_alignment = (__force __virtio32)cpu_to_le32(1);
	config->max_write_zeroes_sectors =
		(__force __virtio32)cpu_to_le32(BLK_RANGE_SECTORS_MAX);
	config->max_write_zeroes_seg =
		(__force __virtio32)cpu_to_le32(BLK_RANGES_MAX);
	config->write_zeroes_may_unmap = 1;
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
	.serve = blk_serve,
	.get_config = blk_get_config,
	.free = blk_free,
};

/* Management device */

static struct blk_store *blk_store_for_device(void)
{
	if (!shared_store)
		return blk_store_create((u64)BLK_SECTORS << BLK_SECTOR_SHIFT);
	kref_get(&shared_store->ref);
	return shared_store;
}

static int blk_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
		       const struct vdpa_dev_set_config *config)
{
	struct vdpa_sim_params params = {
		.mdev = mdev,
		.name = name,
		.nvqs = BLK_QUEUES,
		.features = BLK_FEATURES,
		.config = config,
		.size = sizeof(struct vdpa_sim_blk),
	};
	struct vdpa_sim *sim;

	sim = vdpa_sim_create(&blk_class, &params);
	if (IS_ERR(sim))
		return PTR_ERR(sim);

	sim_to_blk(sim)->store = blk_store_for_device();
	if (!sim_to_blk(sim)->store) {
		put_device(&sim->vdpa.dev);
		return -ENOMEM;
	}
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
	.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES),
	.max_supported_vqs = BLK_QUEUES,
	.supported_features = BLK_FEATURES | VDPA_SIM_FEATURES,
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
}

module_init(vdpa_sim_blk_init);
module_exit(vdpa_sim_blk_exit);

MODULE_DESCRIPTION("simulated vDPA block devices");
MODULE_LICENSE("GPL");
