/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VDPA_SIM_BLK_STORE_H
#define _VDPA_SIM_BLK_STORE_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include "../ring/vdpa_ring.h"

struct blk_store;
struct blk_leaf;

/**
 * struct blk_hint - where a request's neighbours were found
 * @leaf: part of the disk, or NULL
 * @index: which part; none if @leaf is NULL
 */
struct blk_hint {
	struct blk_leaf *leaf;
	unsigned long index;
};

struct blk_store *blk_store_create(u64 bytes);
struct blk_store *blk_store_get(struct blk_store *store);
void blk_store_put(struct blk_store *store);
u64 blk_store_bytes(const struct blk_store *store);
int blk_store_read(struct blk_store *store, struct blk_hint *hint, u64 pos, u64 len,
		   struct vdpa_chain *chain);
int blk_store_write(struct blk_store *store, struct blk_hint *hint, u64 pos, u64 len,
		    struct vdpa_chain *chain);
void blk_store_zero(struct blk_store *store, u64 pos, u64 len, bool unmap);
u64 blk_store_used(struct blk_store *store);

#endif /* _VDPA_SIM_BLK_STORE_H */
