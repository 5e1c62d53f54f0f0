/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the ring library: what its files share.
 *
 *	table.c    what one address space maps
 *	memory.c   the address spaces of a device
 *	burst.c    who may use them when
 *	access.c   from an IOVA to the bytes behind it
 *	area.c     the three parts of a ring
 *	ring.c     life of a ring, dispatch to its format
 *	chain.c    cursors over the buffers of a chain
 *	walk.c     what the formats share in collecting a chain
 *	split.c, packed.c   the formats
 *
 * In these files 'last' is the address of the last byte of a range, so that a
 * range may end at 2^64 - 1. Every ring function that touches memory runs between
 * vdpa_memory_enter() and vdpa_memory_exit() of the ring's memory.
 */
#ifndef _VDPA_RING_PRIVATE_H
#define _VDPA_RING_PRIVATE_H

#include <linux/cacheflush.h>
#include <linux/compiler.h>
#include <linux/instrumented.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/vhost_iotlb.h>
#include <uapi/linux/virtio_ring.h>

#include "vdpa_ring.h"

/* most entries of a ring (section 2.7: queue size is at most 2^15) */
#define VDPA_RING_NUM_MAX 32768

/* how much a copy from user memory to user memory moves at a time */
#define VDPA_RING_BOUNCE 2048

/* room before it for a header that goes ahead */
#define VDPA_RING_HEADROOM 64

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
 *	inside a parent's queue locks; nothing that may wait for a process, hence no
 *	page fault and not the mmap lock of @mm, nests in it. One thread may hold
 *	those of two devices for read, that of the lower address first.
 * @generation: counts changes; a translation is good for the generation that it
 *	was made in. Never 0.
 * @mm: whose addresses new entries carry; NULL if they are physical
 * @mixed: there may be bursts that use another mm too. Set once, by such a burst.
 * @limit: most extents of a table, 0 for no limit
 * @nas: number of tables
 * @tables: the address spaces
 */
struct vdpa_memory {
	struct rw_semaphore lock;
	u64 generation;
	struct mm_struct *mm;
	bool mixed;
	unsigned int limit;
	unsigned int nas;
	struct vdpa_table tables[] __counted_by(nas);
};

/**
 * struct vdpa_hit - a run of a table
 * @start: first IOVA
 * @len: bytes; 0 if nothing is remembered
 * @delta: from an IOVA to the address behind it
 * @perm: VHOST_MAP_*
 * @user: that is a user virtual address, not a physical one
 */
struct vdpa_hit {
	u64 start;
	u64 len;
	u64 delta;
	u32 perm;
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
 * @reach: how to get there in the ring's generation
 * @kernel: where it is, for VDPA_REACH_KERNEL
 * @user: where it is, for VDPA_REACH_USER
 * @iova: its first address
 * @size: bytes
 * @align: what its address is a multiple of, in either space, bytes
 * @perm: what the device does with it, VHOST_MAP_*
 */
struct vdpa_area {
	enum vdpa_reach reach;
	union {
		void *kernel;
		void __user *user;
	};
	u64 iova;
	u32 size;
	u32 align;
	u32 perm;
};

/* a run remembered for each use, so that they do not evict each other */
enum vdpa_hit_slot {
	VDPA_HIT_TABLE,		/* indirect descriptors */
	VDPA_HIT_OUT,		/* buffers the device reads */
	VDPA_HIT_IN,		/* buffers the device writes */
	VDPA_HIT_COUNT
};

/* runs remembered besides, by page */
#define VDPA_RING_SEEN 64

enum vdpa_kicks {
	VDPA_KICKS_UNKNOWN,	/* the ring may say anything */
	VDPA_KICKS_ON,
	VDPA_KICKS_OFF,
};

/**
 * struct vdpa_seg - one buffer of a chain
 * @iova: first address
 * @len: bytes, never 0
 */
struct vdpa_seg {
	u64 iova;
	u32 len;
};

/**
 * struct vdpa_done - a chain that the driver does not know yet is done
 * @id: its identity
 * @descs: descriptors of the ring that it takes
 * @len: bytes written to it
 */
struct vdpa_done {
	u16 id;
	u16 descs;
	u32 len;
};

/**
 * struct vdpa_raw_desc - a descriptor as the driver wrote it
 * @addr: its first half, the same in both formats
 * @rest: its second half
 */
struct vdpa_raw_desc {
	__le64 addr;
	__le64 rest;
};

/**
 * struct vdpa_head - an available entry
 * @raw: the descriptor that it names
 * @head: which that is
 */
struct vdpa_head {
	struct vdpa_raw_desc raw;
	u16 head;
};

/* available entries that are read at a time */
#define VDPA_RING_BATCH 16

/**
 * struct vdpa_ring - one virtqueue, device side
 * @mem: where its memory is
 * @generation: of @mem, that @reach of the areas and @hit belong to; 0 if none
 * @running: started; the fields below are set up
 * @broken: met something malformed; stays until the next start
 * @usable: @running and not @broken
 * @packed: VIRTIO_F_RING_PACKED was negotiated
 * @event_idx: VIRTIO_RING_F_EVENT_IDX was negotiated
 * @indirect: VIRTIO_RING_F_INDIRECT_DESC was negotiated
 * @kicks: what the driver was told about kicks
 * @starts: how often it was started
 * @num: entries
 * @state: next entry to fetch, and next to fill when done chains are flushed; for a
 *	split ring both run freely
 * @avail_seen: split: available index as last read
 * @batch_from: split: index of the entry that @batch begins with
 * @batch_nr: split: how many there are
 * @event_pub: split: available event index as last published
 * @nr_done: how many chains are done and not flushed
 * @done: those chains; room for @num
 * @batch: split: available entries that were read ahead, with their first descriptors
 * @raw: descriptor that was read last by vdpa_area_get_desc_far()
 * @seg_max: entries of @segs
 * @segs: buffers of the chain fetched last
 * @bounce: VDPA_RING_BOUNCE bytes, with VDPA_RING_HEADROOM before them, if entries may be
 *	user addresses, or NULL
 * @bounced: of the chain fetched last, the user address that @bounce has a copy of
 * @bounced_len: how many bytes from there
 * @fault_addr: user address that a burst did without, if @faulted
 * @fault_size: how many bytes from there
 * @faulted: a call returned -EAGAIN
 * @fault_write: @fault_addr was to be written
 * @desc: descriptor area
 * @driver: driver area
 * @device: device area
 * @hit: runs of tables remembered; each permits what its slot is for
 * @seen: VDPA_RING_SEEN runs that were looked up, by their page
 * @num_max: most entries
 * @asid: address space of buffers and indirect tables
 * @ring_asid: address space of the areas
 *
 * No lock: the caller serialises all calls on one ring, with the mutex of its
 * queue for instance. @running and @broken may be read by anyone.
 */
struct vdpa_ring {
	struct vdpa_memory *mem;
	u64 generation;
	bool running;
	bool broken;
	bool usable;
	bool packed;
	bool event_idx;
	bool indirect;
	u8 kicks;
	unsigned int starts;
	u32 num;
	struct vdpa_ring_state state;
	u16 avail_seen;
	u16 batch_from;
	u16 batch_nr;
	u16 event_pub;
	u32 nr_done;
	struct vdpa_done *done;
	struct vdpa_head batch[VDPA_RING_BATCH];
	struct vdpa_raw_desc raw;
	unsigned int seg_max;
	struct vdpa_seg *segs;
	void *bounce;
	u64 bounced;
	u32 bounced_len;
	unsigned long fault_addr;
	u32 fault_size;
	bool faulted;
	bool fault_write;
	struct vdpa_area desc;
	struct vdpa_area driver;
	struct vdpa_area device;
	struct vdpa_hit hit[VDPA_HIT_COUNT];
	struct vdpa_hit *seen;
	unsigned int num_max;
	unsigned int asid;
	unsigned int ring_asid;
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

/* burst.c */

void vdpa_memory_use_mm(struct vdpa_memory *mem);

/* access.c */

/* Can physical addresses simply be dereferenced, whatever pages they are in? */
#define VDPA_LINEAR \
	(!IS_ENABLED(CONFIG_HIGHMEM) && !ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE)

int vdpa_find(struct vdpa_ring *ring, unsigned int asid, u64 iova, u64 len,
	      u32 perm, struct vdpa_hit *hit);
int vdpa_translate_miss(struct vdpa_ring *ring, enum vdpa_hit_slot slot, u64 iova,
			u64 len);
int vdpa_move_user(struct vdpa_ring *ring, void __user *user, void *buf, size_t len,
		   enum vdpa_move move);
void vdpa_move_paged(u64 addr, void *buf, size_t len, enum vdpa_move move);
int vdpa_fault_note(struct vdpa_ring *ring, const void __user *end, size_t left,
		    bool write);
void vdpa_copy_paged(u64 to, u64 from, size_t len);
int vdpa_copy_mixed(struct vdpa_ring *to_ring, const struct vdpa_cursor *to,
		    struct vdpa_ring *from_ring, const struct vdpa_cursor *from,
		    size_t len, bool *to_failed);

/*
 * vdpa_move_user(), for what is done for every frame.
 *
 * The raw copies, because @buf is no object of whose size a request could be wrong: every
 * caller passes one of its own with its own length. To look that up, as hardened
 * usercopy does, takes longer than to copy a frame.
 */
static __always_inline int __vdpa_move_user(struct vdpa_ring *ring, void __user *user,
					    void *buf, size_t len, enum vdpa_move move)
{
	unsigned long left = 0;

	if (unlikely(!access_ok(user, len)))
		return -EFAULT;
	barrier_nospec();
	switch (move) {
	case VDPA_MOVE_READ:
		instrument_copy_from_user_before(buf, user, len);
		left = raw_copy_from_user(buf, user, len);
		instrument_copy_from_user_after(buf, user, len, left);
		break;
	case VDPA_MOVE_WRITE:
		instrument_copy_to_user(user, buf, len);
		left = raw_copy_to_user(user, buf, len);
		break;
	case VDPA_MOVE_ZERO:
		left = clear_user(user, len);
		break;
	}
	if (likely(!left))
		return 0;
	return vdpa_fault_note(ring, user + len, left, move != VDPA_MOVE_READ);
}

/*
 * Have a copy of the beginning of run @from, user memory of the chain that was fetched
 * last, in the ring's buffer. Return: as vdpa_move_user().
 */
static __always_inline int vdpa_bounce(struct vdpa_ring *ring,
				       const struct vdpa_cursor *from)
{
	u32 n = min_t(u32, from->run, VDPA_RING_BOUNCE);
	int err;

	if (unlikely(!ring->bounce))
		return -EFAULT;
	ring->bounced_len = 0;
	err = __vdpa_move_user(ring, u64_to_user_ptr(from->addr),
			       ring->bounce + VDPA_RING_HEADROOM, n, VDPA_MOVE_READ);
	if (unlikely(err))
		return err;
	ring->bounced = from->addr;
	ring->bounced_len = n;
	return 0;
}

/*
 * Move a block that may overlap. Without fast string instructions memmove() is three
 * times as fast as memcpy() where both sides are aligned alike, as pages are; the other
 * way round for a few bytes.
 */
static __always_inline void vdpa_move_linear(void *to, const void *from, size_t len)
{
	if (len < 256)
		memcpy(to, from, len);
	else
		memmove(to, from, len);
}

/**
 * vdpa_move() - move bytes between the device and its driver
 * @ring: the ring on whose behalf
 * @addr: where the driver has them, contiguous
 * @user: @addr is a user address, not a physical one
 * @buf: where the device has them; not used by VDPA_MOVE_ZERO
 * @len: bytes
 * @move: which way
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0; -EAGAIN if user memory is not there; -EFAULT if it cannot be.
 */
static __always_inline int vdpa_move(struct vdpa_ring *ring, u64 addr, bool user,
				     void *buf, size_t len, enum vdpa_move move)
{
	if (user)
		return __vdpa_move_user(ring, u64_to_user_ptr(addr), buf, len, move);
	if (!VDPA_LINEAR)
		vdpa_move_paged(addr, buf, len, move);
	else if (move == VDPA_MOVE_READ)
		vdpa_move_linear(buf, phys_to_virt(addr), len);
	else if (move == VDPA_MOVE_WRITE)
		vdpa_move_linear(phys_to_virt(addr), buf, len);
	else
		memset(phys_to_virt(addr), 0, len);
	return 0;
}

/**
 * vdpa_translate() - find what is behind an address
 * @ring: the ring on whose behalf
 * @slot: what for, which also tells the address space and what must be permitted
 * @iova: the address
 * @len: how many bytes are wanted, at least 1
 * @hit: set to the run that contains it
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: How many of the bytes are contiguous, or -EFAULT if there is nothing;
 * -EACCES if the device may not.
 */
static __always_inline s64 vdpa_translate(struct vdpa_ring *ring,
					  enum vdpa_hit_slot slot, u64 iova,
					  u32 len, const struct vdpa_hit **hit)
{
	struct vdpa_hit *there = &ring->hit[slot];
	u64 off = iova - there->start;
	int err;

	*hit = there;
	if (unlikely(off >= there->len)) {
		err = vdpa_translate_miss(ring, slot, iova, len);
		if (err)
			return err;
		off = iova - there->start;
	}
	return min_t(u64, there->len - off, len);
}

/* Where the ring's buffer has a copy of what is at @from. Return: how much of it. */
static __always_inline u32 vdpa_bounced(const struct vdpa_ring *ring,
					const struct vdpa_cursor *from, void **at)
{
	u64 off = from->addr - ring->bounced;

	if (off >= ring->bounced_len)
		return 0;
	*at = ring->bounce + VDPA_RING_HEADROOM + off;
	return min_t(u32, from->run, ring->bounced_len - off);
}

/* area.c */

void vdpa_area_resolve(struct vdpa_ring *ring, struct vdpa_area *area);
int vdpa_area_put_used(struct vdpa_ring *ring, u32 off, u32 nr,
		       const struct vdpa_done *done);
int vdpa_area_get16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 *val);
int vdpa_area_put16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 val);
int vdpa_area_get_desc_far(struct vdpa_ring *ring, u32 off);
u32 vdpa_area_get_heads(struct vdpa_ring *ring, u32 off, u32 nr, int *err);
int vdpa_area_move(struct vdpa_ring *ring, const struct vdpa_area *area, u32 off,
		   void *buf, size_t len, enum vdpa_move move);

/**
 * struct vdpa_used_elem - an entry of a split ring's device area (section 2.7.8)
 * @id: identity of the chain
 * @len: bytes written to it
 */
struct vdpa_used_elem {
	__le32 id;
	__le32 len;
};

/* Read a 16 bit field of @area at @off, which lies inside it, in one access. */
static inline int vdpa_area_get16(struct vdpa_ring *ring,
				  const struct vdpa_area *area, u32 off, u16 *val)
{
	__le16 raw;
	int err;

	if (area->reach == VDPA_REACH_KERNEL) {
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
	if (area->reach == VDPA_REACH_KERNEL) {
		WRITE_ONCE(*(__le16 *)(area->kernel + off), cpu_to_le16(val));
		return 0;
	}
	return vdpa_area_put16_far(ring, area, off, cpu_to_le16(val));
}

/* Read what is at @user to @raw. Return: 0, -EAGAIN or -EFAULT. */
static __always_inline int vdpa_get_desc_user(struct vdpa_ring *ring,
					      const struct vdpa_raw_desc __user *user,
					      struct vdpa_raw_desc *raw)
{
	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(raw->addr, &user->addr, fault);
	unsafe_get_user(raw->rest, &user->rest, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return vdpa_fault_note(ring, user + 1, sizeof(*user), false);
}

/*
 * Read descriptor @i, each half once. Return: it, or NULL with @err set. It is good until
 * the next call.
 */
static __always_inline const struct vdpa_raw_desc *
vdpa_area_get_desc(struct vdpa_ring *ring, u32 i, int *err)
{
	const struct vdpa_raw_desc *src;

	if (ring->desc.reach == VDPA_REACH_KERNEL) {
		src = ring->desc.kernel + i * sizeof(*src);
		ring->raw.addr = READ_ONCE(src->addr);
		ring->raw.rest = READ_ONCE(src->rest);
		return &ring->raw;
	}
	if (ring->desc.reach == VDPA_REACH_USER)
		*err = vdpa_get_desc_user(ring, ring->desc.user + i * sizeof(*src),
					  &ring->raw);
	else
		*err = vdpa_area_get_desc_far(ring, i * sizeof(*src));
	return *err ? NULL : &ring->raw;
}

/* walk.c */

/* what both formats say of a buffer, at different places of a descriptor */
struct vdpa_desc {
	u64 addr;
	u32 len;
	u16 flags;
};

int vdpa_walk_table_check(const struct vdpa_ring *ring, const struct vdpa_desc *desc);
int vdpa_walk_table_read(struct vdpa_ring *ring, u64 iova, struct vdpa_raw_desc *raw);

/* Begin to collect @chain. */
static __always_inline void vdpa_walk_begin(struct vdpa_ring *ring,
					    struct vdpa_chain *chain)
{
	ring->bounced_len = 0;
	chain->ring = ring;
	chain->descs = 1;
	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->pushed = 0;
	chain->out.left = 0;
	chain->out.run = 0;
	chain->out.off = 0;
	chain->out.pos = 0;
	chain->in.left = 0;
	chain->in.run = 0;
	chain->in.off = 0;
}

/**
 * struct vdpa_walk - buffers that were collected
 * @nr: how many
 * @nr_out: how many the device reads
 * @out: bytes of these
 * @in: bytes of the others
 */
struct vdpa_walk {
	u32 nr;
	u32 nr_out;
	u64 out;
	u64 in;
};

/* Append a buffer. Return: 0, or -EINVAL if it cannot be one of that chain. */
static __always_inline int vdpa_walk_add(struct vdpa_ring *ring, struct vdpa_walk *walk,
					 const struct vdpa_desc *desc)
{
	/* an empty buffer is no buffer, and no driver makes one */
	if (unlikely(!desc->len || desc->addr + (desc->len - 1) < desc->addr ||
		     walk->nr == ring->seg_max))
		return -EINVAL;
	if (desc->flags & VRING_DESC_F_WRITE) {
		walk->in += desc->len;
	} else {
		/* what the device reads comes first (sections 2.7.4.2 and 2.8.7) */
		if (unlikely(walk->nr != walk->nr_out))
			return -EINVAL;
		walk->nr_out++;
		walk->out += desc->len;
	}
	ring->segs[walk->nr++] = (struct vdpa_seg) { .iova = desc->addr, .len = desc->len };
	return 0;
}

/*
 * All buffers are collected. Section 2.7.5.2 allows 2^32 bytes in a chain; the length that
 * goes into the used ring cannot express the last of them. Return: 0 or -EINVAL.
 */
static __always_inline int vdpa_walk_end(struct vdpa_chain *chain,
					 const struct vdpa_walk *walk)
{
	if (unlikely(walk->out + walk->in > U32_MAX))
		return -EINVAL;
	chain->nr_out = walk->nr_out;
	chain->nr_in = walk->nr - walk->nr_out;
	chain->out.left = walk->out;
	chain->in.left = walk->in;
	chain->in.pos = walk->nr_out;
	return 0;
}

/*
 * The most frequent chain of all: one descriptor. What it takes to add that one is that
 * it is not empty and does not wrap. Return: it was added.
 */
static __always_inline bool vdpa_walk_single(struct vdpa_ring *ring,
					     struct vdpa_chain *chain,
					     const struct vdpa_desc *desc)
{
	if (unlikely(desc->flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT)) ||
	    unlikely(!desc->len || desc->addr + (desc->len - 1) < desc->addr))
		return false;
	ring->segs[0] = (struct vdpa_seg) { .iova = desc->addr, .len = desc->len };
	if (desc->flags & VRING_DESC_F_WRITE) {
		chain->nr_in = 1;
		chain->in.left = desc->len;
	} else {
		chain->nr_out = 1;
		chain->out.left = desc->len;
	}
	chain->in.pos = chain->nr_out;
	return true;
}

/* ring.c */

void vdpa_ring_resync(struct vdpa_ring *ring);

/* Run on the memory of @ring, if the burst is one of two processes. */
static __always_inline void vdpa_ring_use_mm(struct vdpa_ring *ring)
{
	if (unlikely(READ_ONCE(ring->mem->mixed)))
		vdpa_memory_use_mm(ring->mem);
}

/* Be where the ring's memory is, with nothing remembered of an earlier generation. */
static __always_inline void vdpa_ring_sync(struct vdpa_ring *ring)
{
	vdpa_ring_use_mm(ring);
	if (unlikely(ring->generation != ring->mem->generation))
		vdpa_ring_resync(ring);
}

/* May @ring be served? */
static inline bool vdpa_ring_usable(const struct vdpa_ring *ring)
{
	return likely(ring->usable);
}

/*
 * Serve @ring no more if @err is an error, other than that of a page which is not there
 * and can be fetched. Return: @err.
 */
static inline int vdpa_ring_break(struct vdpa_ring *ring, int err)
{
	if (unlikely(err < 0 && err != -EAGAIN)) {
		ring->usable = false;
		WRITE_ONCE(ring->broken, true);
	}
	return err;
}

/* split.c */

void vdpa_split_setup(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg);
int vdpa_split_next(struct vdpa_ring *ring, struct vdpa_chain *chain);
int vdpa_split_flush(struct vdpa_ring *ring);
int vdpa_split_enable_kick(struct vdpa_ring *ring);
int vdpa_split_disable_kick(struct vdpa_ring *ring);

/* packed.c */

void vdpa_packed_setup(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg);
int vdpa_packed_next(struct vdpa_ring *ring, struct vdpa_chain *chain);
void vdpa_packed_skip_back(const struct vdpa_ring *ring,
			   struct vdpa_ring_state *state, u32 descs);
int vdpa_packed_flush(struct vdpa_ring *ring);
int vdpa_packed_enable_kick(struct vdpa_ring *ring);
int vdpa_packed_disable_kick(struct vdpa_ring *ring);

#endif /* _VDPA_RING_PRIVATE_H */
