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
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include "ring_private.h"

/* section 2.7.5 */
#define DESC_SIZE	16

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
	       (idx & (ring->num - 1)) * sizeof(struct vdpa_used_elem);
}

/* where the driver says when it wants a notification */
static u32 used_event(const struct vdpa_ring *ring)
{
	return RING_ENTRIES + ring->num * sizeof(__le16);
}

/* where the device says when it wants a kick */
static u32 avail_event(const struct vdpa_ring *ring)
{
	return RING_ENTRIES + ring->num * sizeof(struct vdpa_used_elem);
}

/**
 * vdpa_split_setup() - lay out a ring that starts
 * @ring: the ring, its size and features known
 * @cfg: its configuration, checked
 */
void vdpa_split_setup(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg)
{
	u32 event = ring->event_idx ? sizeof(__le16) : 0;

	ring->desc = (struct vdpa_area) {
		.iova = cfg->desc,
		.size = ring->num * DESC_SIZE,
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
	/* all that was fetched counts as completed */
	ring->state = (struct vdpa_ring_state) {
		.avail = cfg->state.avail,
		.used = cfg->state.avail,
	};
	ring->avail_seen = cfg->state.avail;
	ring->batch_nr = 0;
}

/* Read the available index. Return: 0 or -errno, which broke the ring. */
static int read_avail_idx(struct vdpa_ring *ring)
{
	u16 idx;
	int err;

	err = vdpa_area_get16(ring, &ring->driver, RING_IDX, &idx);
	if (err)
		return vdpa_ring_break(ring, err);
	/* no more can be outstanding than there are entries, and none taken back */
	if ((u16)(idx - ring->state.used) > ring->num ||
	    (u16)(idx - ring->state.used) < (u16)(ring->state.avail - ring->state.used))
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

/* Read the next available entries, as many as are in one piece. */
static noinline int read_batch(struct vdpa_ring *ring)
{
	u16 from = ring->state.avail;
	u32 nr = min_t(u32, (u16)(ring->avail_seen - from),
		       ring->num - (from & (ring->num - 1)));
	int err = 0;

	ring->batch_from = from;
	ring->batch_nr = vdpa_area_get_heads(ring, avail_entry(ring, from), nr, &err);
	return ring->batch_nr ? 0 : err;
}

/* Take apart what was read. Return: the descriptor that follows, if one does. */
static __always_inline u16 parse(const struct vdpa_raw_desc *raw, struct vdpa_desc *desc)
{
	u64 rest = le64_to_cpu(raw->rest);

	desc->addr = le64_to_cpu(raw->addr);
	desc->len = rest;
	desc->flags = rest >> 32;
	return rest >> 48;
}

/**
 * struct split_walk - following a chain
 * @ring: whose
 * @table: first address of the indirect table, if @indirect
 * @count: descriptors in the table that the walk is in
 * @budget: descriptors that may still come from it
 * @indirect: in an indirect table, not in the descriptor area
 */
struct split_walk {
	struct vdpa_ring *ring;
	u64 table;
	u32 count;
	u32 budget;
	bool indirect;
};

/* Read descriptor @i, which the walk's table has. Return: it, or NULL with @err set. */
static const struct vdpa_raw_desc *read_desc(const struct split_walk *walk, u32 i, int *err)
{
	struct vdpa_ring *ring = walk->ring;

	if (!walk->indirect)
		return vdpa_area_get_desc(ring, i, err);
	*err = vdpa_walk_table_read(ring, walk->table + i * DESC_SIZE, &ring->raw);
	return *err ? NULL : &ring->raw;
}

/* Go on in the table that @desc refers to (section 2.7.5.3). */
static int enter_table(struct split_walk *walk, const struct vdpa_desc *desc)
{
	int err = vdpa_walk_table_check(walk->ring, desc);

	if (err || walk->indirect)
		return -EINVAL;
	walk->indirect = true;
	walk->table = desc->addr;
	walk->count = desc->len / DESC_SIZE;
	walk->budget = min_t(u32, walk->count, VDPA_RING_MAX_SEGS);
	return 0;
}

/* Follow a chain from its first descriptor. A loop runs out of budget. */
static int walk_chain(struct vdpa_ring *ring, struct vdpa_chain *chain,
			       const struct vdpa_raw_desc *raw)
{
	struct split_walk walk = {
		.ring = ring,
		.count = ring->num,
		.budget = min_t(u32, ring->num, VDPA_RING_MAX_SEGS) - 1,
	};
	struct vdpa_walk found = {};
	struct vdpa_desc desc;
	u32 next;
	int err;

	for (;;) {
		next = parse(raw, &desc);
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			err = enter_table(&walk, &desc);
			next = 0;
		} else {
			err = vdpa_walk_add(ring, &found, &desc);
			if (!err && !(desc.flags & VRING_DESC_F_NEXT))
				return vdpa_walk_end(chain, &found);
		}
		if (err)
			return err;
		if (next >= walk.count || !walk.budget--)
			return -EINVAL;
		raw = read_desc(&walk, array_index_nospec(next, walk.count), &err);
		if (!raw)
			return err;
	}
}

/* vdpa_split_next() when all that was read ahead is fetched. */
static noinline int next_batch(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	int err;

	if (ring->state.avail == ring->avail_seen) {
		err = read_avail_idx(ring);
		if (err || ring->state.avail == ring->avail_seen)
			return err;
	}
	err = read_batch(ring);
	return err ? vdpa_ring_break(ring, err) : vdpa_split_next(ring, chain);
}

/* vdpa_split_next() of a chain of several descriptors. */
static noinline int next_walk(struct vdpa_ring *ring, struct vdpa_chain *chain,
			      const struct vdpa_raw_desc *raw)
{
	int err = walk_chain(ring, chain, raw);

	if (err)
		return vdpa_ring_break(ring, err);
	ring->state.avail++;
	return 1;
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
	u16 i = ring->state.avail - ring->batch_from;
	const struct vdpa_head *head;
	struct vdpa_desc desc;

	if (unlikely(i >= ring->batch_nr))
		return next_batch(ring, chain);
	head = &ring->batch[i];
	vdpa_walk_begin(ring, chain);
	chain->id = head->head;
	parse(&head->raw, &desc);
	if (unlikely(!vdpa_walk_single(ring, chain, &desc)))
		return next_walk(ring, chain, &head->raw);
	ring->state.avail++;
	return 1;
}

/* Fill used entries. It does no harm to do it again. */
static int write_used(struct vdpa_ring *ring)
{
	u16 at = ring->state.used;
	u32 i, nr;
	int err;

	for (i = 0; i < ring->nr_done; i += nr, at += nr) {
		nr = min(ring->nr_done - i, ring->num - (at & (ring->num - 1)));
		err = vdpa_area_put_used(ring, used_entry(ring, at), nr, &ring->done[i]);
		if (err)
			return err;
	}
	return 0;
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
 * vdpa_split_flush() - publish the chains that are done
 * @ring: the ring, started and in sync, with some that are
 *
 * Context: As vdpa_ring_flush().
 * Return: As vdpa_ring_flush(): 1 if the driver wants a notification (section 2.7.7.2).
 * If that cannot be read any more: 1, since the entries are out.
 */
int vdpa_split_flush(struct vdpa_ring *ring)
{
	u16 old = ring->state.used, new = old + ring->nr_done;
	int ret;

	ret = write_used(ring);
	if (ret)
		return vdpa_ring_break(ring, ret);
	/*
	 * The driver sees the entries before the index that covers them. Pairs
	 * with its read barrier after it reads the index (section 2.7.14).
	 */
	smp_wmb();
	ret = vdpa_area_put16(ring, &ring->device, RING_IDX, new);
	if (ret)
		return vdpa_ring_break(ring, ret);
	ring->state.used = new;
	ring->nr_done = 0;
	/*
	 * Either the driver sees the index or we see that it asked to be told.
	 * Pairs with its full barrier between asking and looking once more.
	 */
	smp_mb();
	ret = driver_wants_event(ring, new, old);
	if (ret < 0)
		vdpa_ring_break(ring, ret);
	return !!ret;
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
int vdpa_split_enable_kick(struct vdpa_ring *ring)
{
	bool fresh = ring->kicks == VDPA_KICKS_UNKNOWN;
	u16 avail = ring->state.avail;
	int err;

	err = write_used_flags(ring, VDPA_KICKS_ON);
	if (!err && ring->event_idx && (fresh || ring->event_pub != avail)) {
		err = vdpa_area_put16(ring, &ring->device, avail_event(ring), avail);
		ring->event_pub = avail;
		if (err)
			ring->kicks = VDPA_KICKS_UNKNOWN;
	}
	if (err)
		return vdpa_ring_break(ring, err);
	/*
	 * Either the driver sees that we ask or we see what it added. Pairs with
	 * its full barrier between moving the available index and looking whether
	 * to kick (section 2.7.13.4.1).
	 */
	smp_mb();
	return read_avail_idx(ring) ?: avail != ring->avail_seen;
}

/**
 * vdpa_split_disable_kick() - tell the driver that it need not kick
 * @ring: the ring, usable and in sync
 *
 * With VIRTIO_RING_F_EVENT_IDX there is nothing to do: the event is behind once
 * the driver went past it.
 *
 * Context: As vdpa_ring_disable_kick().
 * Return: As vdpa_ring_disable_kick().
 */
int vdpa_split_disable_kick(struct vdpa_ring *ring)
{
	if (ring->event_idx)
		return 0;
	return vdpa_ring_break(ring, write_used_flags(ring, VDPA_KICKS_OFF));
}
