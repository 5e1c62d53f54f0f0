/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block device simulator.
 *
 *	blk.c           what the device is, creation
 *	blk_request.c   requests of a driver
 *	blk_store.c     a disk in memory
 */
#ifndef _VDPA_SIM_BLK_H
#define _VDPA_SIM_BLK_H

#include <uapi/linux/virtio_blk.h>
#include "blk_store.h"
#include "vdpa_sim.h"

#define BLK_SECTOR_SHIFT 9
#define BLK_SECTOR_SIZE BIT(BLK_SECTOR_SHIFT)

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
 * @store: its content, one reference held; constant
 */
struct vdpa_sim_blk {
	struct vdpa_sim sim;
	struct virtio_blk_config config;
	u64 sectors;
	u32 block_mask;
	bool read_only;
	struct blk_store *store;
};

static inline struct vdpa_sim_blk *sim_to_blk(struct vdpa_sim *sim)
{
	return container_of(sim, struct vdpa_sim_blk, sim);
}

/* blk_request.c */

int vdpa_sim_blk_serve(struct vdpa_sim_queue *queue, struct vdpa_sim_queue *peer);

#endif /* _VDPA_SIM_BLK_H */
