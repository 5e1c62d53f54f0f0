// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split ring format (virtio 1.2, section 2.7), device side, little endian.
 *
 * The driver fills descriptors and available entries, then moves the available
 * index; the device fills used entries, then moves the used index. Both sides run
 * on CPUs of this machine, so that SMP barriers order them.
 */

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/nospec.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include "ring_private.h"

/* section 2.7.5 */
struct split_desc {
	__le64 addr;
	__le32 len;
	__le16 flags;
	__le16 next;
};

/* section 2.7.8 */
struct split_used_elem {
	__le32 id;
	__le32 len;
};

static_assert(sizeof(struct split_desc) == 16);
static_assert(sizeof(struct split_used_elem) == 8);

/* sections 2.7.6 and 2.7.8: both rings begin with flags and index */
#define RING_FLAGS	0
#define RING_IDX	2
#define RING_ENTRIES	4

static u32 avail_entry(const struct vdpa_ring *ring, u16 idx)
{
	return RING_ENTRIES + (idx & (ring->num - 1)) * sizeof(__le16);
}

static u32 used_entry(const struct vdpa_ring *ring, u16 idx)
{
	return RING_ENTRIES +
	       (idx & (ring->num - 1)) * sizeof(struct split_used_elem);
}

/* where the driver says when it wants a notification */
static u32 used_event(const struct vdpa_ring *ring)
{
	return RING_ENTRIES + ring->num * sizeof(__le16);
}

/* where the device says when it wants a kick */
static u32 avail_event(const struct vdpa_ring *ring)
{
	return RING_ENTRIES + ring->num * sizeof(struct split_used_elem);
}

/**
 * vdpa_split_setup() - lay out a ring that starts
 * @ring: the ring, its size known
 * @cfg: its configuration, checked
 */
void vdpa_split_setup(struct vdpa_ring *ring,
		      const struct vdpa_ring_config *cfg)
{
	u32 event;

	ring->event_idx = cfg->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	ring->indirect = cfg->features & BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	event = ring->event_idx ? sizeof(__le16) : 0;
	ring->desc = (struct vdpa_area) {
		.iova = cfg->desc,
		.size = ring->num * sizeof(struct split_desc),
		.align = VRING_DESC_ALIGN_SIZE,
		.perm = VHOST_MAP_RO,
	};
	ring->driver = (struct vdpa_area) {
		.iova = cfg->driver,
		.size = used_event(ring) + event,
		.align = VRING_AVAIL_ALIGN_SIZE,
		.perm = VHOST_MAP_RO,
	};
	ring->device = (struct vdpa_area) {
		.iova = cfg->device,
		.size = avail_event(ring) + event,
		.align = VRING_USED_ALIGN_SIZE,
		.perm = VHOST_MAP_WO,
	};
	ring->avail = cfg->avail;
	ring->avail_seen = cfg->avail;
	ring->used = cfg->avail;
	ring->used_pub = cfg->avail;
	ring->kicks = VDPA_KICKS_UNKNOWN;
}

/* Read the available index. Return: 0 or -errno, which broke the ring. */
static int read_avail_idx(struct vdpa_ring *ring)
{
	u16 idx;
	int err;

	err = vdpa_area_get16(ring, &ring->driver, RING_IDX, &idx);
	if (err)
		return vdpa_ring_break(ring, err);
	if ((u16)(idx - ring->avail) > ring->num)
		return vdpa_ring_break(ring, -EINVAL);
	ring->avail_seen = idx;
	/*
	 * Entries and descriptors are read after the index that covers them.
	 * Pairs with the driver's write barrier before it moves the index
	 * (section 2.7.13.3).
	 */
	smp_rmb();
	return 0;
}

/**
 * struct split_walk - following a chain
 * @ring: whose
 * @chain: to fill
 * @table: first address of the indirect table, if @indirect
 * @count: descriptors in the table that the walk is in
 * @budget: descriptors that may still come from it
 * @total: bytes so far
 * @indirect: in an indirect table, not in the descriptor area
 */
struct split_walk {
	struct vdpa_ring *ring;
	struct vdpa_chain *chain;
	u64 table;
	u32 count;
	u32 budget;
	u64 total;
	bool indirect;
};

/* Read descriptor @i of the walk's table, each field once. */
static int read_desc(const struct split_walk *walk, u32 i,
		     struct split_desc *desc)
{
	struct vdpa_ring *ring = walk->ring;
	u32 off = i * sizeof(*desc);
	const struct split_desc *src;

	if (walk->indirect)
		return vdpa_read(ring, VDPA_HIT_TABLE, walk->table + off, desc,
				 sizeof(*desc));
	if (unlikely(ring->desc.reach != VDPA_REACH_KERNEL))
		return vdpa_area_move_far(ring, &ring->desc, off, desc,
					  sizeof(*desc), VDPA_MOVE_READ);
	src = ring->desc.kernel + off;
	desc->addr = READ_ONCE(src->addr);
	desc->len = READ_ONCE(src->len);
	desc->flags = READ_ONCE(src->flags);
	desc->next = READ_ONCE(src->next);
	return 0;
}

/* Go on in the table that @desc refers to (section 2.7.5.3). */
static int enter_table(struct split_walk *walk, const struct split_desc *desc,
		       u16 flags)
{
	u32 len = le32_to_cpu(desc->len);
	u64 addr = le64_to_cpu(desc->addr);

	if (!walk->ring->indirect || walk->indirect ||
	    (flags & VRING_DESC_F_NEXT))
		return -EINVAL;
	if (!len || len % sizeof(*desc) || addr + (len - 1) < addr)
		return -EINVAL;
	walk->indirect = true;
	walk->table = addr;
	walk->count = len / sizeof(*desc);
	walk->budget = min_t(u32, walk->count, VDPA_RING_MAX_SEGS);
	return 0;
}

/* Append the buffer of @desc to the chain. */
static int add_seg(struct split_walk *walk, const struct split_desc *desc,
		   u16 flags)
{
	struct vdpa_chain *chain = walk->chain;
	u32 len = le32_to_cpu(desc->len);
	u64 addr = le64_to_cpu(desc->addr);
	u32 n = chain->nr_out + chain->nr_in;

	/* what the device reads comes first (section 2.7.4.2) */
	if (!(flags & VRING_DESC_F_WRITE) && chain->nr_in)
		return -EINVAL;
	/* nothing forbids an empty buffer, and there is nothing to do for it */
	if (!len)
		return 0;
	if (addr + (len - 1) < addr || n == walk->ring->seg_max)
		return -EINVAL;
	/*
	 * Section 2.7.5.2 allows 2^32 bytes in a chain; the length that goes into
	 * the used ring cannot express the last of them.
	 */
	walk->total += len;
	if (walk->total > U32_MAX)
		return -EINVAL;
	walk->ring->segs[n] = (struct vdpa_seg) { .iova = addr, .len = len };
	if (flags & VRING_DESC_F_WRITE) {
		chain->nr_in++;
		chain->in_left += len;
	} else {
		chain->nr_out++;
		chain->out_left += len;
	}
	return 0;
}

/* Follow the chain from @head. A loop runs out of budget. */
static int walk_chain(struct split_walk *walk, u32 head)
{
	struct split_desc desc;
	u32 i = head;
	u16 flags;
	int err;

	for (;;) {
		if (i >= walk->count || !walk->budget--)
			return -EINVAL;
		err = read_desc(walk, array_index_nospec(i, walk->count), &desc);
		if (err)
			return err;
		flags = le16_to_cpu(desc.flags);
		if (flags & VRING_DESC_F_INDIRECT) {
			err = enter_table(walk, &desc, flags);
			if (err)
				return err;
			i = 0;
			continue;
		}
		err = add_seg(walk, &desc, flags);
		if (err || !(flags & VRING_DESC_F_NEXT))
			return err;
		i = le16_to_cpu(desc.next);
	}
}

static int fetch_chain(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	struct split_walk walk = {
		.ring = ring,
		.chain = chain,
		.count = ring->num,
		.budget = min_t(u32, ring->num, VDPA_RING_MAX_SEGS),
	};
	u16 head;
	int err;

	err = vdpa_area_get16(ring, &ring->driver, avail_entry(ring, ring->avail),
			      &head);
	if (err)
		return err;
	*chain = (struct vdpa_chain) {
		.ring = ring,
		.head = head,
		.seg = ring->segs,
	};
	err = walk_chain(&walk, head);
	chain->in_pos = chain->nr_out;
	return err;
}

/**
 * vdpa_split_next() - fetch a chain
 * @ring: the ring, usable and in sync
 * @chain: filled
 *
 * The index is read when all that it covered is fetched, thus once in a burst.
 *
 * Context: As vdpa_ring_next().
 * Return: As vdpa_ring_next().
 */
int vdpa_split_next(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	int err;

	if (ring->avail == ring->avail_seen) {
		err = read_avail_idx(ring);
		if (err)
			return err;
		if (ring->avail == ring->avail_seen)
			return 0;
	}
	err = fetch_chain(ring, chain);
	if (err)
		return vdpa_ring_break(ring, err);
	ring->avail++;
	return 1;
}

/**
 * vdpa_split_complete() - fill a used entry
 * @ring: the ring, usable and in sync
 * @head: which chain
 * @len: bytes written to it
 *
 * Context: As vdpa_ring_complete().
 */
void vdpa_split_complete(struct vdpa_ring *ring, u16 head, u32 len)
{
	struct vdpa_area *area = &ring->device;
	u32 off = used_entry(ring, ring->used);
	struct split_used_elem elem = {
		.id = cpu_to_le32(head),
		.len = cpu_to_le32(len),
	};
	int err;

	if (likely(area->reach == VDPA_REACH_KERNEL)) {
		*(struct split_used_elem *)(area->kernel + off) = elem;
	} else {
		err = vdpa_area_move_far(ring, area, off, &elem, sizeof(elem),
					 VDPA_MOVE_WRITE);
		if (err) {
			vdpa_ring_break(ring, err);
			return;
		}
	}
	ring->used++;
}

/* Does the driver want to hear of used entries @old up to before @new? */
static int driver_wants_event(struct vdpa_ring *ring, u16 new, u16 old)
{
	u16 val;
	int err;

	if (ring->event_idx) {
		err = vdpa_area_get16(ring, &ring->driver, used_event(ring), &val);
		return err ? err : vring_need_event(val, new, old);
	}
	err = vdpa_area_get16(ring, &ring->driver, RING_FLAGS, &val);
	return err ? err : !(val & VRING_AVAIL_F_NO_INTERRUPT);
}

/**
 * vdpa_split_flush() - publish the used entries that were filled
 * @ring: the ring, started and in sync
 *
 * Context: As vdpa_ring_flush().
 * Return: true if the driver wants a notification (section 2.7.7.2). If that
 * cannot be read any more: true, since the entries are out.
 */
bool vdpa_split_flush(struct vdpa_ring *ring)
{
	u16 old = ring->used_pub, new = ring->used;
	int ret;

	if (old == new)
		return false;
	/*
	 * The driver sees the entries before the index that covers them. Pairs
	 * with its read barrier after it reads the index (section 2.7.14).
	 */
	smp_wmb();
	ret = vdpa_area_put16(ring, &ring->device, RING_IDX, new);
	if (ret) {
		vdpa_ring_break(ring, ret);
		return false;
	}
	ring->used_pub = new;
	/*
	 * Either the driver sees the index or we see that it asked to be told.
	 * Pairs with its full barrier between asking and looking once more.
	 */
	smp_mb();
	ret = driver_wants_event(ring, new, old);
	if (ret < 0)
		vdpa_ring_break(ring, ret);
	return ret;
}

/* Write the used flags unless they say @kicks already. */
static int write_used_flags(struct vdpa_ring *ring, enum vdpa_kicks kicks)
{
	u16 flags = kicks == VDPA_KICKS_OFF ? VRING_USED_F_NO_NOTIFY : 0;
	int err;

	if (ring->kicks == kicks)
		return 0;
	err = vdpa_area_put16(ring, &ring->device, RING_FLAGS, flags);
	if (!err)
		ring->kicks = kicks;
	return err;
}

/**
 * vdpa_split_enable_kick() - ask for a kick and look once more
 * @ring: the ring, usable and in sync
 *
 * With VIRTIO_RING_F_EVENT_IDX the flags stay 0 and the available event is what
 * counts (section 2.7.10).
 *
 * Context: As vdpa_ring_enable_kick().
 * Return: As vdpa_ring_enable_kick().
 */
bool vdpa_split_enable_kick(struct vdpa_ring *ring)
{
	bool fresh = ring->kicks == VDPA_KICKS_UNKNOWN;
	int err;

	err = write_used_flags(ring, VDPA_KICKS_ON);
	if (!err && ring->event_idx && (fresh || ring->event_pub != ring->avail)) {
		err = vdpa_area_put16(ring, &ring->device, avail_event(ring),
				      ring->avail);
		ring->event_pub = ring->avail;
	}
	if (err) {
		vdpa_ring_break(ring, err);
		return false;
	}
	/*
	 * Either the driver sees that we ask or we see what it added. Pairs with
	 * its full barrier between moving the available index and looking whether
	 * to kick (section 2.7.13.4.1).
	 */
	smp_mb();
	return !read_avail_idx(ring) && ring->avail != ring->avail_seen;
}

/**
 * vdpa_split_disable_kick() - tell the driver that it need not kick
 * @ring: the ring, usable and in sync
 *
 * With VIRTIO_RING_F_EVENT_IDX there is nothing to do: the event is behind once
 * the driver went past it.
 *
 * Context: As vdpa_ring_disable_kick().
 */
void vdpa_split_disable_kick(struct vdpa_ring *ring)
{
	int err;

	if (ring->event_idx)
		return;
	err = write_used_flags(ring, VDPA_KICKS_OFF);
	if (err)
		vdpa_ring_break(ring, err);
}
