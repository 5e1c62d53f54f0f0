/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block device simulator.
 *
 *	blk.c           what the device is, creation
 *	blk_limits.c    what the administrator may choose
 *	blk_request.c   requests of a driver
 *	blk_store.c     a disk in memory
 *	blk_file.c      a disk on a file
 *	blk_flight.c    its requests, which outlive a burst
 */
#ifndef _VDPA_SIM_BLK_H
#define _VDPA_SIM_BLK_H

#include <linux/sizes.h>
#include <uapi/linux/virtio_blk.h>
#include "blk_file.h"
#include "blk_store.h"
#include "vdpa_sim.h"

#define BLK_SECTOR_SHIFT 9
#define BLK_SECTOR_SIZE BIT(BLK_SECTOR_SHIFT)

/* capacity of a disk in memory, unless chosen */
#define BLK_SECTORS 0x40000

/* section 5.2.6 of virtio 1.2; the kernel's header has no names for it yet */
#define VIRTIO_BLK_F_LIFETIME 15
#define VIRTIO_BLK_T_GET_LIFETIME 10

/**
 * struct virtio_blk_lifetime - how worn a disk is
 * @pre_eol_info: reserve, 0: not told
 * @device_lifetime_est_typ_a: wear of one kind of cells, 0: not told
 * @device_lifetime_est_typ_b: wear of the other kind, 0: not told
 */
struct virtio_blk_lifetime {
	__le16 pre_eol_info;
	__le16 device_lifetime_est_typ_a;
	__le16 device_lifetime_est_typ_b;
};

/* of a discard, secure erase or write-zeroes request */
#define BLK_RANGE_SECTORS_MAX 0xffff
#define BLK_RANGES_MAX 32

/* data of one request to a file, bytes */
#define BLK_FILE_REQUEST_MAX SZ_1M

/* the largest logical block, as of the block layer */
#define BLK_BLOCK_MAX 4096
#define BLK_QUEUES_MAX 64

/* not a VIRTIO_BLK_T_* */
#define BLK_T_NONE U32_MAX

struct blk_flight;

/* indices into vdpa_sim_queue::stats */
enum {
	BLK_READS, BLK_WRITES, BLK_OTHERS, BLK_BYTES, BLK_ERRORS,
};

/**
 * struct vdpa_sim_blk - a disk
 * @sim: what is common to all classes
 * @config: configuration space; constant
 * @sectors: capacity; constant
 * @block_mask: bytes of a logical block, less one; constant
 * @read_only: it cannot be written; constant
 * @store: its content, one reference held; constant. NULL if it is in @file.
 * @file: open if there are @flights; constant
 * @flights: requests to @file, by queue; NULL if there is none. Constant
 */
struct vdpa_sim_blk {
	struct vdpa_sim sim;
	struct virtio_blk_config config;
	u64 sectors;
	u32 block_mask;
	bool read_only;
	struct blk_store *store;
	struct blk_file file;
	struct blk_flight *flights;
};

static inline struct vdpa_sim_blk *sim_to_blk(struct vdpa_sim *sim)
{
	return container_of(sim, struct vdpa_sim_blk, sim);
}

/* blk_request.c */

int vdpa_sim_blk_serve(struct vdpa_sim_queue *queue);
bool vdpa_sim_blk_range_valid(const struct vdpa_sim_blk *blk, u64 sector, u64 len);
bool vdpa_sim_blk_negotiated(const struct vdpa_sim_blk *blk, u32 type);
int vdpa_sim_blk_header(struct vdpa_chain *chain, u32 *type, u64 *sector);
int vdpa_sim_blk_ranges(const struct vdpa_sim_blk *blk, struct vdpa_chain *chain, u32 type,
			struct virtio_blk_discard_write_zeroes *ranges,
			unsigned int *count);
int vdpa_sim_blk_inquire(struct vdpa_chain *chain, u32 type, u32 room);
int vdpa_sim_blk_answer(struct vdpa_chain *chain, u8 status);
void vdpa_sim_blk_count(struct vdpa_sim_queue *queue, u32 type, int status, u32 bytes);

/* blk_flight.c */

int vdpa_sim_blk_serve_file(struct vdpa_sim_queue *queue);
void vdpa_sim_blk_stop(struct vdpa_sim_queue *queue);
int vdpa_sim_blk_flights_create(struct vdpa_sim_blk *blk);

/* blk_limits.c */

/**
 * struct blk_limits - what a disk shall be
 * @sectors: capacity
 * @size_max: most bytes of a segment
 * @seg_max: most segments of a request
 * @block_size: logical block, bytes
 * @queues: number of request queues
 * @phy_blk_exp: logical blocks per physical one, as an exponent of two
 * @align_offset: logical blocks before the first aligned one
 * @min_io_size: smallest suggested request, logical blocks
 * @opt_io_size: best request, logical blocks
 * @read_only: it cannot be written
 */
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

int blk_limits_choose(struct blk_limits *limits, const struct vdpa_dev_set_config *config,
		      const struct blk_file *file);
void blk_limits_tell(const struct blk_limits *limits, struct virtio_blk_config *config);

#endif /* _VDPA_SIM_BLK_H */
