// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: requests of a driver (virtio 1.2 section 5.2.6).
 */
#include <linux/cleanup.h>
#include "blk.h"

static const char blk_id[VIRTIO_BLK_ID_BYTES] = "vdpa_blk_sim";

/**
 * vdpa_sim_blk_range_valid() - tell if a range can be accessed
 * @blk: disk
 * @sector: its beginning
 * @len: bytes
 *
 * Return: it is on the disk, in whole logical blocks.
 */
bool vdpa_sim_blk_range_valid(const struct vdpa_sim_blk *blk, u64 sector, u64 len)
{
	u64 mask = blk->block_mask;

	return !(len & mask) && !((sector << BLK_SECTOR_SHIFT) & mask) &&
	       sector <= blk->sectors &&
	       len >> BLK_SECTOR_SHIFT <= blk->sectors - sector;
}

/*
 * Requests. Each returns the status that the driver sees, or -errno when the ring
 * broke or a page is absent. The writable part of the chain but for its last byte is
 * @room long.
 */

static int blk_read(struct vdpa_sim_blk *blk, struct blk_hint *hint,
		    struct vdpa_chain *chain, u64 sector, u32 room)
{
	if (!vdpa_sim_blk_range_valid(blk, sector, room))
		return VIRTIO_BLK_S_IOERR;
	return blk_store_read(blk->store, hint, sector << BLK_SECTOR_SHIFT, room, chain);
}

static int blk_write(struct vdpa_sim_blk *blk, struct blk_hint *hint,
		     struct vdpa_chain *chain, u64 sector)
{
	u32 len = chain->out.left;
	int err;

	if (blk->read_only || !vdpa_sim_blk_range_valid(blk, sector, len))
		return VIRTIO_BLK_S_IOERR;
	err = blk_store_write(blk->store, hint, sector << BLK_SECTOR_SHIFT, len, chain);
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

/* Memory does not wear out (section 5.2.6.2). */
static int blk_get_lifetime(struct vdpa_chain *chain, u32 room)
{
	const struct virtio_blk_lifetime life = {};
	ssize_t moved;

	if (room < sizeof(life))
		return VIRTIO_BLK_S_IOERR;
	moved = vdpa_chain_push(chain, &life, sizeof(life));
	return moved < 0 ? moved : VIRTIO_BLK_S_OK;
}

/* Section 5.2.6.2: which flags a range may have depends on the request. */
static int range_check(const struct vdpa_sim_blk *blk, u32 type,
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
	    !vdpa_sim_blk_range_valid(blk, le64_to_cpu(range->sector),
				      (u64)sectors << BLK_SECTOR_SHIFT))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/*
 * Section 5.2.6.2: a discard may deallocate, a write of zeroes only if it says so. What
 * was discarded reads as zeroes here, and what was erased is gone.
 */
static void range_zero(struct blk_store *store, u32 type,
		       const struct virtio_blk_discard_write_zeroes *range)
{
	bool unmap = type != VIRTIO_BLK_T_WRITE_ZEROES || range->flags;

	blk_store_zero(store, le64_to_cpu(range->sector) << BLK_SECTOR_SHIFT,
		       (u64)le32_to_cpu(range->num_sectors) << BLK_SECTOR_SHIFT,
		       unmap);
}

/**
 * vdpa_sim_blk_ranges() - read what a discard, erase or write of zeroes is about
 * @blk: disk
 * @chain: request, its header read
 * @type: which of them
 * @ranges: BLK_RANGES_MAX of them, filled
 * @count: how many there are
 *
 * Context: Within a burst.
 * Return: status for the driver, with all looked at; -errno when the ring broke or a page
 *	is absent.
 */
int vdpa_sim_blk_ranges(const struct vdpa_sim_blk *blk, struct vdpa_chain *chain, u32 type,
			struct virtio_blk_discard_write_zeroes *ranges,
			unsigned int *count)
{
	u32 len = chain->out.left;
	unsigned int i;
	ssize_t moved;
	int status;

	*count = len / sizeof(ranges[0]);
	if (blk->read_only || !*count || *count > BLK_RANGES_MAX ||
	    len % sizeof(ranges[0]))
		return VIRTIO_BLK_S_IOERR;
	moved = vdpa_chain_pull(chain, ranges, len);
	if (moved < 0)
		return moved;
	for (i = 0; i < *count; i++) {
		status = range_check(blk, type, &ranges[i]);
		if (status != VIRTIO_BLK_S_OK)
			return status;
	}
	return VIRTIO_BLK_S_OK;
}

static int blk_zero(struct vdpa_sim_blk *blk, struct vdpa_chain *chain, u32 type)
{
	struct virtio_blk_discard_write_zeroes ranges[BLK_RANGES_MAX];
	unsigned int i, count;
	int status = vdpa_sim_blk_ranges(blk, chain, type, ranges, &count);

	if (status != VIRTIO_BLK_S_OK)
		return status;
	for (i = 0; i < count; i++)
		range_zero(blk->store, type, &ranges[i]);
	return VIRTIO_BLK_S_OK;
}

/* What a request takes besides reading and writing, and the feature that it needs. */
static const struct {
	u32 type;
	u8 feature;
} blk_needs[] = {
	{ VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_F_FLUSH },
	{ VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_F_DISCARD },
	{ VIRTIO_BLK_T_SECURE_ERASE, VIRTIO_BLK_F_SECURE_ERASE },
	{ VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_F_WRITE_ZEROES },
	{ VIRTIO_BLK_T_GET_LIFETIME, VIRTIO_BLK_F_LIFETIME },
};

/**
 * vdpa_sim_blk_negotiated() - tell if the driver may ask for something
 * @blk: disk
 * @type: VIRTIO_BLK_T_*
 *
 * Return: it needs no feature, or one that was negotiated.
 */
bool vdpa_sim_blk_negotiated(const struct vdpa_sim_blk *blk, u32 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blk_needs); i++)
		if (blk_needs[i].type == type)
			return blk->sim.features & BIT_ULL(blk_needs[i].feature);
	return true;
}

/**
 * vdpa_sim_blk_inquire() - answer what is about the device, not about its data
 * @chain: request
 * @type: VIRTIO_BLK_T_*, negotiated
 * @room: writable bytes but for the status
 *
 * Context: Within a burst.
 * Return: status for the driver; -errno when the ring broke or a page is absent.
 */
int vdpa_sim_blk_inquire(struct vdpa_chain *chain, u32 type, u32 room)
{
	switch (type) {
	case VIRTIO_BLK_T_GET_ID:
		return blk_get_id(chain, room);
	case VIRTIO_BLK_T_GET_LIFETIME:
		return blk_get_lifetime(chain, room);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* A request that is neither read nor write. */
static noinline int blk_other(struct vdpa_sim_blk *blk, struct vdpa_chain *chain,
			      u32 type, u32 room)
{
	if (!vdpa_sim_blk_negotiated(blk, type))
		return VIRTIO_BLK_S_UNSUPP;

	switch (type) {
	case VIRTIO_BLK_T_FLUSH:
		/* a write is in the store when it completes */
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_SECURE_ERASE:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return blk_zero(blk, chain, type);
	default:
		return vdpa_sim_blk_inquire(chain, type, room);
	}
}

/**
 * vdpa_sim_blk_header() - read the header of a request
 * @chain: request
 * @type: filled with VIRTIO_BLK_T_*
 * @sector: filled
 *
 * Context: Within a burst.
 * Return: status for the driver; -errno when the ring broke or a page is absent.
 */
int vdpa_sim_blk_header(struct vdpa_chain *chain, u32 *type, u64 *sector)
{
	struct virtio_blk_outhdr hdr;
	ssize_t got = vdpa_chain_pull(chain, &hdr, sizeof(hdr));

	if (unlikely(got < (ssize_t)sizeof(hdr)))
		return got < 0 ? got : VIRTIO_BLK_S_IOERR;
	*type = le32_to_cpu((__force __le32)hdr.type);
	*sector = le64_to_cpu((__force __le64)hdr.sector);
	return VIRTIO_BLK_S_OK;
}

/**
 * vdpa_sim_blk_count() - count a request that is done
 * @queue: request queue
 * @type: VIRTIO_BLK_T_*
 * @status: VIRTIO_BLK_S_*
 * @bytes: of data
 *
 * Context: @queue's lock held.
 */
void vdpa_sim_blk_count(struct vdpa_sim_queue *queue, u32 type, int status, u32 bytes)
{
	queue->stats[type == VIRTIO_BLK_T_IN ? BLK_READS :
		     type == VIRTIO_BLK_T_OUT ? BLK_WRITES : BLK_OTHERS]++;
	if (likely(status == VIRTIO_BLK_S_OK))
		queue->stats[BLK_BYTES] += bytes;
	else
		queue->stats[BLK_ERRORS]++;
}

static int blk_request(struct vdpa_sim_queue *queue, struct blk_hint *hint,
		       struct vdpa_chain *chain, u32 room)
{
	struct vdpa_sim_blk *blk = sim_to_blk(queue->sim);
	u32 data = room;
	u64 sector;
	u32 type;
	int ret;

	ret = vdpa_sim_blk_header(chain, &type, &sector);
	if (unlikely(ret != VIRTIO_BLK_S_OK))
		return ret;
	data += chain->out.left;
	switch (type) {
	case VIRTIO_BLK_T_IN:
		ret = blk_read(blk, hint, chain, sector, room);
		break;
	case VIRTIO_BLK_T_OUT:
		ret = blk_write(blk, hint, chain, sector);
		break;
	default:
		ret = blk_other(blk, chain, type, room);
	}
	if (likely(ret >= 0))
		vdpa_sim_blk_count(queue, type, ret, data);
	return ret;
}

/**
 * vdpa_sim_blk_answer() - write the status of a request
 * @chain: request, with room for it
 * @status: VIRTIO_BLK_S_*
 *
 * The status is the last byte of the writable part.
 *
 * Context: Within a burst.
 * Return: 0; -errno when the ring broke or a page is absent.
 */
int vdpa_sim_blk_answer(struct vdpa_chain *chain, u8 status)
{
	ssize_t moved;

	if (chain->in.left > 1)
		vdpa_chain_skip_in(chain, chain->in.left - 1);
	moved = vdpa_chain_push(chain, &status, sizeof(status));
	return moved < 0 ? moved : 0;
}

/* One chain. One without room for a status cannot be answered and is only given back. */
static int blk_handle(struct vdpa_sim_queue *queue, struct vdpa_chain *chain, void *hint)
{
	int result;

	if (unlikely(!chain->in.left))
		return 0;

	result = blk_request(queue, hint, chain, chain->in.left - 1);
	if (unlikely(result < 0))
		return result;
	return vdpa_sim_blk_answer(chain, result);
}

/**
 * vdpa_sim_blk_serve() - &vdpa_sim_class.serve of a disk in memory
 * @queue: request queue
 *
 * Context: Process context, @queue's lock held, within a burst.
 * Return: as &vdpa_sim_class.serve.
 */
int vdpa_sim_blk_serve(struct vdpa_sim_queue *queue)
{
	struct blk_hint hint = {};

	return vdpa_sim_serve_each(queue, blk_handle, &hint);
}
