/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VDPA_SIM_BLK_H
#define _VDPA_SIM_BLK_H

#include <linux/kref.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>
#include "vdpa_sim.h"

#define BLK_SECTOR_SHIFT 9
#define BLK_SECTOR_SIZE BIT(BLK_SECTOR_SHIFT)

/**
 * struct blk_store - a disk's content, pages that were written
 * @bytes: size; constant
 * @ref: one per device
 * @lock: read: pages are accessed and added. write: pages are removed.
 * @pages: struct page by index; one that is absent reads as zeroes
 */
struct blk_store {
	u64 bytes;
	struct kref ref;
	struct rw_semaphore lock; /* see above */
	struct xarray pages;
};

struct blk_store *blk_store_create(u64 bytes);
void blk_store_put(struct blk_store *store);
int blk_store_read(struct blk_store *store, u64 pos, u64 len,
		   struct vdpa_chain *chain);
int blk_store_write(struct blk_store *store, u64 pos, u64 len,
		    struct vdpa_chain *chain);
void blk_store_zero(struct blk_store *store, u64 pos, u64 len, bool unmap);

#endif /* _VDPA_SIM_BLK_H */
