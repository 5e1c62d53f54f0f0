// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packed ring format (virtio 1.2, section 2.8), device side, little endian.
 *
 * There is one ring. The driver fills descriptors and turns their flags over last; the
 * device fills descriptors in the same places, in the order in which it is done, and
 * turns their flags over last. Which way is which changes each time round: the wrap
 * counters. Both sides run on CPUs of this machine, so that SMP barriers order them.
 */

#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include "ring_private.h"

/* section 2.8.13: address, length, identity, flags */
#define DESC_SIZE	16
#define DESC_LEN	8
#define DESC_ID		12
#define DESC_FLAGS	14

#define F_AVAIL		BIT(VRING_PACKED_DESC_F_AVAIL)
#define F_USED		BIT(VRING_PACKED_DESC_F_USED)

/* section 2.8.14: either side's event suppression */
#define EVENT_DESC	0
#define EVENT_FLAGS	2
#define EVENT_SIZE	4
#define EVENT_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

/**
 * vdpa_packed_setup() - lay out a ring that starts
 * @ring: the ring, its size and features known
 * @cfg: its configuration, checked
 */
void vdpa_packed_setup(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg)
{
	ring->desc = (struct vdpa_area) {
		.iova = cfg->desc,
		.size = ring->num * DESC_SIZE,
		.align = DESC_SIZE,
		.perm = VHOST_MAP_RW,
	};
	ring->driver = (struct vdpa_area) {
		.iova = cfg->driver,
		.size = EVENT_SIZE,
		.align = EVENT_SIZE,
		.perm = VHOST_MAP_RO,
	};
	ring->device = (struct vdpa_area) {
		.iova = cfg->device,
		.size = EVENT_SIZE,
		.align = EVENT_SIZE,
		.perm = VHOST_MAP_WO,
	};
	ring->state = cfg->state;
}

/* Has the driver made the descriptor with these flags available, this time round? */
static bool is_avail(u16 flags, bool wrap)
{
	return !!(flags & F_AVAIL) == wrap && !!(flags & F_USED) != wrap;
}

static u16 used_flags(bool wrap)
{
	return wrap ? F_AVAIL | F_USED : 0;
}

/* Go on by @descs descriptors, at most as many as the ring has. */
static void advance(const struct vdpa_ring *ring, u16 *at, bool *wrap, u32 descs)
{
	u32 to = *at + descs;

	if (to >= ring->num) {
		to -= ring->num;
		*wrap = !*wrap;
	}
	*at = to;
}

/**
 * vdpa_packed_skip_back() - go back in what was fetched
 * @ring: the ring
 * @state: changed
 * @descs: how many descriptors, at most as many as the ring has
 */
void vdpa_packed_skip_back(const struct vdpa_ring *ring,
			   struct vdpa_ring_state *state, u32 descs)
{
	u32 at = state->avail;

	if (at < descs) {
		at += ring->num;
		state->avail_wrap = !state->avail_wrap;
	}
	state->avail = at - descs;
}

/* Take apart what was read. Return: the identity. */
static __always_inline u16 parse(const struct vdpa_raw_desc *raw, struct vdpa_desc *desc)
{
	u64 rest = le64_to_cpu(raw->rest);

	desc->addr = le64_to_cpu(raw->addr);
	desc->len = rest;
	desc->flags = rest >> 48;
	return rest >> 32;
}

/* All buffers of an indirect table, in its order (section 2.8.7). */
static int walk_table(struct vdpa_ring *ring, struct vdpa_chain *chain,
		      const struct vdpa_desc *table)
{
	struct vdpa_walk found = {};
	struct vdpa_desc desc;
	u32 i;
	int err;

	err = vdpa_walk_table_check(ring, table);
	for (i = 0; !err && i < table->len / DESC_SIZE; i++) {
		err = vdpa_walk_table_read(ring, table->addr + i * DESC_SIZE,
					   &ring->raw);
		if (err)
			return err;
		parse(&ring->raw, &desc);
		/* of its flags only this one counts, and a table has no table */
		if (desc.flags & VRING_DESC_F_INDIRECT)
			return -EINVAL;
		err = vdpa_walk_add(ring, &found, &desc);
	}
	return err ?: vdpa_walk_end(chain, &found);
}

/* Descriptors that the driver can have made available and that were not fetched. */
static u32 room(const struct vdpa_ring *ring)
{
	const struct vdpa_ring_state *state = &ring->state;
	u32 fetched = state->avail - state->used;

	return state->avail_wrap == state->used_wrap ? ring->num - fetched : -fetched;
}

/* The rest of a chain in the ring itself, of which @desc is the first. */
static int walk_ring(struct vdpa_ring *ring, struct vdpa_chain *chain,
		     struct vdpa_desc *desc)
{
	u32 descs_max = room(ring);
	u16 at = ring->state.avail;
	bool wrap = ring->state.avail_wrap;
	const struct vdpa_raw_desc *raw;
	struct vdpa_walk found = {};
	int err;

	for (;;) {
		err = vdpa_walk_add(ring, &found, desc);
		if (err)
			return err;
		if (!(desc->flags & VRING_DESC_F_NEXT))
			return vdpa_walk_end(chain, &found);
		if (chain->descs == descs_max)
			return -EINVAL;
		chain->descs++;
		advance(ring, &at, &wrap, 1);
		raw = vdpa_area_get_desc(ring, at, &err);
		if (!raw)
			return err;
		chain->id = parse(raw, desc);
		if (!is_avail(desc->flags, wrap) || desc->flags & VRING_DESC_F_INDIRECT)
			return -EINVAL;
	}
}

static int fetch_chain(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	const struct vdpa_raw_desc *raw;
	struct vdpa_desc desc;
	int err;

	/* one that it was not given back cannot be available again */
	if (!room(ring))
		return -EINVAL;
	raw = vdpa_area_get_desc(ring, ring->state.avail, &err);
	if (!raw)
		return err;
	vdpa_walk_begin(ring, chain);
	chain->id = parse(raw, &desc);
	if (likely(vdpa_walk_single(ring, chain, &desc)))
		return 0;
	if (desc.flags & VRING_DESC_F_INDIRECT)
		err = walk_table(ring, chain, &desc);
	else
		err = walk_ring(ring, chain, &desc);
	return err;
}

/* Is there something to fetch? Return: 1, 0 or -errno. */
static int look(struct vdpa_ring *ring)
{
	u16 flags;
	int err;

	err = vdpa_area_get16(ring, &ring->desc,
			      ring->state.avail * DESC_SIZE + DESC_FLAGS, &flags);
	if (err)
		return err;
	return is_avail(flags, ring->state.avail_wrap);
}

/**
 * vdpa_packed_next() - fetch a chain
 * @ring: the ring, usable and in sync
 * @chain: filled
 *
 * Context: As vdpa_ring_next().
 * Return: As vdpa_ring_next().
 */
int vdpa_packed_next(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	int ret;

	ret = look(ring);
	if (ret <= 0)
		return vdpa_ring_break(ring, ret);
	/*
	 * The rest of the descriptor, and those that follow in its chain, are read
	 * after the flags that cover them. Pairs with the driver's write barrier
	 * before it writes these (section 2.8.21.1).
	 */
	smp_rmb();
	ret = fetch_chain(ring, chain);
	if (ret)
		return vdpa_ring_break(ring, ret);
	advance(ring, &ring->state.avail, &ring->state.avail_wrap, chain->descs);
	return 1;
}

/* Fill what a used descriptor has but its flags. */
static int write_used(struct vdpa_ring *ring, u16 at, const struct vdpa_done *done)
{
	struct {
		__le32 len;
		__le16 id;
	} __packed used = {
		.len = cpu_to_le32(done->len),
		.id = cpu_to_le16(done->id),
	};

	if (ring->desc.reach == VDPA_REACH_KERNEL) {
		memcpy(ring->desc.kernel + at * DESC_SIZE + DESC_LEN, &used, sizeof(used));
		return 0;
	}
	return vdpa_area_move(ring, &ring->desc, at * DESC_SIZE + DESC_LEN, &used,
			      sizeof(used), VDPA_MOVE_WRITE);
}

static int write_used_flags(struct vdpa_ring *ring, u16 at, bool wrap, u32 len)
{
	u16 flags = used_flags(wrap) | (len ? VRING_DESC_F_WRITE : 0);

	return vdpa_area_put16(ring, &ring->desc, at * DESC_SIZE + DESC_FLAGS, flags);
}

/*
 * Fill the used descriptors of all that is done, those that follow the first with their
 * flags: the driver looks at them in order. It does no harm to do it again.
 * @at and @wrap are left behind the last, @descs is how many that went past.
 */
static int write_all_used(struct vdpa_ring *ring, u16 *at, bool *wrap, u32 *descs)
{
	const struct vdpa_done *done = ring->done;
	u32 i;
	int err;

	*descs = 0;
	for (i = 0; i < ring->nr_done; i++, done++) {
		err = write_used(ring, *at, done);
		if (!err && i)
			err = write_used_flags(ring, *at, *wrap, done->len);
		if (err)
			return err;
		advance(ring, at, wrap, done->descs);
		*descs += done->descs;
	}
	return 0;
}

/*
 * Does the driver want to hear of the @descs used descriptors before @ring's place?
 * Section 2.8.10.
 */
static int driver_wants_event(struct vdpa_ring *ring, u32 descs)
{
	u16 flags, event, new = ring->state.used;
	int err;

	err = vdpa_area_get16(ring, &ring->driver, EVENT_FLAGS, &flags);
	if (err || flags != VRING_PACKED_EVENT_FLAG_DESC || !ring->event_idx)
		return err ?: flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	/* the place counts only if it was written before the flags (section 2.8.14) */
	smp_rmb();
	err = vdpa_area_get16(ring, &ring->driver, EVENT_DESC, &event);
	if (err)
		return err;
	if (!!(event & EVENT_WRAP) != ring->state.used_wrap)
		event = (event & ~EVENT_WRAP) - ring->num;
	else
		event &= ~EVENT_WRAP;
	return vring_need_event(event, new, new - descs);
}

/**
 * vdpa_packed_flush() - publish the chains that are done
 * @ring: the ring, started and in sync, with some that are
 *
 * Context: As vdpa_ring_flush().
 * Return: As vdpa_ring_flush(). If what the driver wants cannot be read any more: 1,
 * since the descriptors are out.
 */
int vdpa_packed_flush(struct vdpa_ring *ring)
{
	u16 at = ring->state.used;
	bool wrap = ring->state.used_wrap;
	u32 descs;
	int ret;

	ret = write_all_used(ring, &at, &wrap, &descs);
	if (ret)
		return vdpa_ring_break(ring, ret);
	/*
	 * The driver sees the descriptors before the flags that tell of the first.
	 * Pairs with its read barrier after it reads them (section 2.8.22).
	 */
	smp_wmb();
	ret = write_used_flags(ring, ring->state.used, ring->state.used_wrap,
			       ring->done[0].len);
	if (ret)
		return vdpa_ring_break(ring, ret);
	ring->state.used = at;
	ring->state.used_wrap = wrap;
	ring->nr_done = 0;
	/*
	 * Either the driver sees the descriptor or we see that it asked to be told.
	 * Pairs with its full barrier between asking and looking once more.
	 */
	smp_mb();
	ret = driver_wants_event(ring, descs);
	if (ret < 0)
		vdpa_ring_break(ring, ret);
	return !!ret;
}

/* Write the device's event flags unless they say @kicks already. */
static int write_event_flags(struct vdpa_ring *ring, enum vdpa_kicks kicks)
{
	u16 flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	int err;

	if (ring->kicks == kicks)
		return 0;
	if (kicks == VDPA_KICKS_ON)
		flags = ring->event_idx ? VRING_PACKED_EVENT_FLAG_DESC :
					  VRING_PACKED_EVENT_FLAG_ENABLE;
	err = vdpa_area_put16(ring, &ring->device, EVENT_FLAGS, flags);
	if (!err)
		ring->kicks = kicks;
	return err;
}

/**
 * vdpa_packed_enable_kick() - ask for a kick and look once more
 * @ring: the ring, usable and in sync
 *
 * With VIRTIO_RING_F_EVENT_IDX the flags stay, and the place is what counts.
 *
 * Context: As vdpa_ring_enable_kick().
 * Return: As vdpa_ring_enable_kick().
 */
int vdpa_packed_enable_kick(struct vdpa_ring *ring)
{
	u16 event = ring->state.avail | (ring->state.avail_wrap ? EVENT_WRAP : 0);
	int err = 0;

	if (ring->event_idx &&
	    (ring->kicks != VDPA_KICKS_ON || ring->event_pub != event)) {
		err = vdpa_area_put16(ring, &ring->device, EVENT_DESC, event);
		if (!err)
			ring->event_pub = event;
		/* the place before the flags that make it count (section 2.8.14) */
		smp_wmb();
	}
	if (!err)
		err = write_event_flags(ring, VDPA_KICKS_ON);
	if (err)
		return vdpa_ring_break(ring, err);
	/*
	 * Either the driver sees that we ask or we see what it added. Pairs with
	 * its full barrier between flags and looking whether to kick (section
	 * 2.8.21.3.1).
	 */
	smp_mb();
	return vdpa_ring_break(ring, look(ring));
}

/**
 * vdpa_packed_disable_kick() - tell the driver that it need not kick
 * @ring: the ring, usable and in sync
 *
 * With VIRTIO_RING_F_EVENT_IDX there is nothing to do: the place is behind once the
 * driver went past it.
 *
 * Context: As vdpa_ring_disable_kick().
 * Return: As vdpa_ring_disable_kick().
 */
int vdpa_packed_disable_kick(struct vdpa_ring *ring)
{
	if (ring->event_idx)
		return 0;
	return vdpa_ring_break(ring, write_event_flags(ring, VDPA_KICKS_OFF));
}
