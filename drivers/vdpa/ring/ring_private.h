/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the ring library: what its files share.
 *
 *	table.c    what one address space maps
 *	memory.c   the address spaces of a device, and who may use them when
 *	access.c   from an IOVA to the bytes behind it
 *	ring.c     life of a ring, dispatch to its format
 *	chain.c    cursors over the buffers of a chain
 *	split.c    the split format
 *
 * In these files 'last' is the address of the last byte of a range, so that a
 * range may end at 2^64 - 1. Every ring function that touches memory runs between
 * vdpa_memory_enter() and vdpa_memory_exit() of the ring's memory.
 */
#ifndef _VDPA_RING_PRIVATE_H
#define _VDPA_RING_PRIVATE_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/vhost_iotlb.h>

#include "vdpa_ring.h"

/* most entries of a ring (section 2.7: queue size is at most 2^15) */
#define VDPA_RING_NUM_MAX 32768

/* how much a copy from user memory to user memory moves at a time */
#define VDPA_RING_BOUNCE 2048

/**
 * struct vdpa_extent - a range of IOVAs that was mapped in one piece
 * @node: in the tree of its table
 * @link: in a list while it is in no table
 * @start: first IOVA
 * @last: last IOVA
 * @perm: VHOST_MAP_*
 * @user: it leads to user virtual addresses of the mm that was bound, not to
 *	physical ones
 * @nr_runs: entries of @runs
 * @runs: where it leads, in the order of IOVAs; each goes on to the next, or to @last
 */
struct vdpa_extent {
	struct rb_node node;
	struct list_head link;
	u64 start;
	u64 last;
	u32 perm;
	bool user;
	unsigned int nr_runs;
	struct {
		u64 iova;
		u64 addr;
	} runs[] __counted_by(nr_runs);
};

/**
 * struct vdpa_table - one address space
 * @extents: what is mapped
 * @highest: the last of @extents, or NULL
 * @nr: how many extents that is
 * @identity: @extents is empty and each IOVA is the physical address of that value
 */
struct vdpa_table {
	struct rb_root extents;
	struct vdpa_extent *highest;
	unsigned int nr;
	bool identity;
};

/**
 * struct vdpa_memory - a device's view of memory
 * @lock: held for read during a burst, for write while a map or @mm changes;
 *	protects everything below but @limit and @nas, which are constant. Nests
 *	inside a parent's queue locks and outside the mmap lock of @mm. Its
 *	holders may sleep.
 * @generation: counts changes; a translation is good for the generation that it
 *	was made in. Never 0.
 * @mm: whose addresses new entries carry; NULL if they are physical
 * @limit: most extents of a table, 0 for no limit
 * @nas: number of tables
 * @tables: the address spaces
 */
struct vdpa_memory {
	struct rw_semaphore lock;
	u64 generation;
	struct mm_struct *mm;
	unsigned int limit;
	unsigned int nas;
	struct vdpa_table tables[] __counted_by(nas);
};

/**
 * struct vdpa_hit - a run of a table remembered
 * @start: first IOVA
 * @last: last IOVA; less than @start if nothing is remembered
 * @addr: address behind @start
 * @perm: VHOST_MAP_*
 * @user: @addr is a user virtual address, not a physical one
 */
struct vdpa_hit {
	u64 start;
	u64 last;
	u64 addr;
	u32 perm;
	bool user;
};

/**
 * struct vdpa_run - bytes that are contiguous behind an IOVA
 * @addr: physical or user virtual address
 * @len: bytes, not 0
 * @user: @addr is a user virtual address
 */
struct vdpa_run {
	u64 addr;
	size_t len;
	bool user;
};

enum vdpa_move {
	VDPA_MOVE_READ,
	VDPA_MOVE_WRITE,
	VDPA_MOVE_ZERO,
};

enum vdpa_reach {
	VDPA_REACH_FAR,		/* translated at each access */
	VDPA_REACH_KERNEL,	/* through @kernel */
	VDPA_REACH_USER,	/* through @user */
};

/**
 * struct vdpa_area - one of the three parts of a ring
 * @iova: its first address
 * @size: bytes
 * @align: what its address is a multiple of, in either space, bytes
 * @perm: what the device does with it, VHOST_MAP_*
 * @reach: how to get there in the ring's generation
 * @kernel: where it is, for VDPA_REACH_KERNEL
 * @user: where it is, for VDPA_REACH_USER
 */
struct vdpa_area {
	u64 iova;
	u32 size;
	u32 align;
	u32 perm;
	enum vdpa_reach reach;
	union {
		void *kernel;
		void __user *user;
	};
};

/* a remembered entry for each use, so that they do not evict each other */
enum vdpa_hit_slot {
	VDPA_HIT_AREA,		/* the parts of the ring */
	VDPA_HIT_TABLE,		/* indirect descriptors */
	VDPA_HIT_OUT,		/* buffers the device reads */
	VDPA_HIT_IN,		/* buffers the device writes */
	VDPA_HIT_COUNT
};

enum vdpa_kicks {
	VDPA_KICKS_UNKNOWN,	/* the used ring may say anything */
	VDPA_KICKS_ON,
	VDPA_KICKS_OFF,
};

/**
 * struct vdpa_ring - one virtqueue, device side
 * @mem: where its memory is
 * @generation: of @mem, that @reach of the areas and @hit belong to; 0 if none
 * @num_max: most entries
 * @num: entries
 * @asid: address space of buffers and indirect tables
 * @ring_asid: address space of the areas
 * @desc: descriptor area
 * @driver: driver area (available ring)
 * @device: device area (used ring)
 * @avail: next available entry to fetch
 * @avail_seen: available index as last read
 * @used: next used entry to fill
 * @used_pub: used index as last published
 * @event_pub: available event index as last published
 * @kicks: what the driver was told about kicks
 * @running: started; the fields above and below are set up
 * @broken: met something malformed; stays until the next start
 * @event_idx: VIRTIO_RING_F_EVENT_IDX was negotiated
 * @indirect: VIRTIO_RING_F_INDIRECT_DESC was negotiated
 * @seg_max: entries of @segs
 * @segs: buffers of the chain fetched last
 * @bounce: VDPA_RING_BOUNCE bytes if entries may be user addresses, or NULL
 * @hit: runs of tables remembered
 *
 * No lock: the caller serialises all calls on one ring, with the mutex of its
 * queue for instance. @running and @broken may be read by anyone.
 */
struct vdpa_ring {
	struct vdpa_memory *mem;
	u64 generation;
	unsigned int num_max;
	unsigned int num;
	unsigned int asid;
	unsigned int ring_asid;
	struct vdpa_area desc;
	struct vdpa_area driver;
	struct vdpa_area device;
	u16 avail;
	u16 avail_seen;
	u16 used;
	u16 used_pub;
	u16 event_pub;
	u8 kicks;
	bool running;
	bool broken;
	bool event_idx;
	bool indirect;
	unsigned int seg_max;
	struct vdpa_seg *segs;
	void *bounce;
	struct vdpa_hit hit[VDPA_HIT_COUNT];
};

/* table.c */

struct vdpa_extent *vdpa_extent_alloc(unsigned int nr_runs);
void vdpa_extents_free(struct list_head *extents);
bool vdpa_extent_valid(const struct vdpa_extent *extent, u64 max);
int vdpa_table_insert(struct vdpa_table *table, struct vdpa_extent *extent);
void vdpa_table_erase(struct vdpa_table *table, struct vdpa_extent *extent);
int vdpa_table_take(struct vdpa_table *table, u64 start, u64 last,
		    struct list_head *taken);
void vdpa_table_take_all(struct vdpa_table *table, struct list_head *taken);
void vdpa_table_take_user(struct vdpa_table *table, struct list_head *taken);
int vdpa_table_find(const struct vdpa_table *table, u64 iova, struct vdpa_hit *hit);

/* memory.c */

int vdpa_memory_find(const struct vdpa_memory *mem, unsigned int asid, u64 iova,
		     struct vdpa_hit *hit);

/* access.c */

int vdpa_translate(struct vdpa_ring *ring, enum vdpa_hit_slot slot, u64 iova,
		   size_t len, u32 perm, struct vdpa_run *run);
int vdpa_run_move(const struct vdpa_run *run, void *buf, enum vdpa_move move);
int vdpa_run_copy(const struct vdpa_run *to, const struct vdpa_run *from,
		  void *bounce, bool *to_failed);
int vdpa_read(struct vdpa_ring *ring, enum vdpa_hit_slot slot, u64 iova,
	      void *buf, size_t len);
void vdpa_area_resolve(struct vdpa_ring *ring, struct vdpa_area *area);
int vdpa_area_get16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 *val);
int vdpa_area_put16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 val);
int vdpa_area_move_far(struct vdpa_ring *ring, const struct vdpa_area *area,
		       u32 off, void *buf, size_t len, enum vdpa_move move);

/* Read a 16 bit field of @area at @off, which lies inside it, in one access. */
static inline int vdpa_area_get16(struct vdpa_ring *ring,
				  const struct vdpa_area *area, u32 off, u16 *val)
{
	__le16 raw;
	int err;

	if (likely(area->reach == VDPA_REACH_KERNEL)) {
		raw = READ_ONCE(*(__le16 *)(area->kernel + off));
	} else {
		err = vdpa_area_get16_far(ring, area, off, &raw);
		if (err)
			return err;
	}
	*val = le16_to_cpu(raw);
	return 0;
}

/* Write a 16 bit field of @area at @off, which lies inside it, in one access. */
static inline int vdpa_area_put16(struct vdpa_ring *ring,
				  const struct vdpa_area *area, u32 off, u16 val)
{
	if (likely(area->reach == VDPA_REACH_KERNEL)) {
		WRITE_ONCE(*(__le16 *)(area->kernel + off), cpu_to_le16(val));
		return 0;
	}
	return vdpa_area_put16_far(ring, area, off, cpu_to_le16(val));
}

/* ring.c */

void vdpa_ring_resync(struct vdpa_ring *ring);

/* Forget what belongs to an earlier generation of the memory. */
static inline void vdpa_ring_sync(struct vdpa_ring *ring)
{
	if (unlikely(ring->generation != ring->mem->generation))
		vdpa_ring_resync(ring);
}

/* May @ring be served? */
static inline bool vdpa_ring_usable(const struct vdpa_ring *ring)
{
	return likely(ring->running && !ring->broken);
}

/* Serve @ring no more, because of @err. Return: @err. */
static inline int vdpa_ring_break(struct vdpa_ring *ring, int err)
{
	WRITE_ONCE(ring->broken, true);
	return err;
}

/* split.c */

void vdpa_split_setup(struct vdpa_ring *ring,
		      const struct vdpa_ring_config *cfg);
int vdpa_split_next(struct vdpa_ring *ring, struct vdpa_chain *chain);
void vdpa_split_complete(struct vdpa_ring *ring, u16 head, u32 len);
bool vdpa_split_flush(struct vdpa_ring *ring);
bool vdpa_split_enable_kick(struct vdpa_ring *ring);
void vdpa_split_disable_kick(struct vdpa_ring *ring);

#endif /* _VDPA_RING_PRIVATE_H */
