// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cursors over the buffers of a chain: one over those the device reads, one over
 * those it writes. Each moves forward only.
 */

#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>

#include "ring_private.h"

/* Move a cursor, @pos and @off, forward by @len bytes of the segment it is in. */
static void cursor_advance(const struct vdpa_chain *chain, u16 *pos, u32 *off,
			   size_t len)
{
	*off += len;
	if (*off == chain->seg[*pos].len) {
		*off = 0;
		(*pos)++;
	}
}

static void out_advance(struct vdpa_chain *chain, size_t len)
{
	chain->out_left -= len;
	cursor_advance(chain, &chain->out_pos, &chain->out_off, len);
}

static void in_advance(struct vdpa_chain *chain, size_t len)
{
	chain->in_left -= len;
	cursor_advance(chain, &chain->in_pos, &chain->in_off, len);
}

static int out_run(struct vdpa_chain *chain, size_t len, struct vdpa_run *run)
{
	const struct vdpa_seg *seg = &chain->seg[chain->out_pos];

	return vdpa_translate(chain->ring, VDPA_HIT_OUT,
			      seg->iova + chain->out_off,
			      min_t(size_t, len, seg->len - chain->out_off),
			      VHOST_MAP_RO, run);
}

static int in_run(struct vdpa_chain *chain, size_t len, struct vdpa_run *run)
{
	const struct vdpa_seg *seg = &chain->seg[chain->in_pos];

	return vdpa_translate(chain->ring, VDPA_HIT_IN,
			      seg->iova + chain->in_off,
			      min_t(size_t, len, seg->len - chain->in_off),
			      VHOST_MAP_WO, run);
}

/* As much of @len as there is @left and as can be reported. */
static size_t clamp_len(size_t len, u32 left)
{
	return min3(len, (size_t)left, (size_t)SSIZE_MAX);
}

/**
 * vdpa_chain_pull() - read from a chain
 * @chain: the chain
 * @buf: filled
 * @len: bytes
 *
 * Context: Within a burst. Serialised with all calls on the chain's ring. May
 * sleep.
 * Return: Bytes read, less than @len if no more are left; -EFAULT or -EACCES if
 * they cannot be reached, which breaks the ring; -EIO if it is broken or stopped.
 */
ssize_t vdpa_chain_pull(struct vdpa_chain *chain, void *buf, size_t len)
{
	struct vdpa_ring *ring = chain->ring;
	struct vdpa_run run;
	size_t done;
	int err;

	if (!vdpa_ring_usable(ring))
		return -EIO;
	vdpa_ring_sync(ring);
	len = clamp_len(len, chain->out_left);
	for (done = 0; done < len; done += run.len) {
		err = out_run(chain, len - done, &run);
		if (!err)
			err = vdpa_run_move(&run, buf + done, VDPA_MOVE_READ);
		if (err)
			return vdpa_ring_break(ring, err);
		out_advance(chain, run.len);
	}
	return done;
}
EXPORT_SYMBOL_GPL(vdpa_chain_pull);

static ssize_t chain_fill(struct vdpa_chain *chain, void *buf, size_t len,
			  enum vdpa_move move)
{
	struct vdpa_ring *ring = chain->ring;
	struct vdpa_run run;
	size_t done;
	int err;

	if (!vdpa_ring_usable(ring))
		return -EIO;
	vdpa_ring_sync(ring);
	len = clamp_len(len, chain->in_left);
	for (done = 0; done < len; done += run.len) {
		err = in_run(chain, len - done, &run);
		if (!err)
			err = vdpa_run_move(&run, buf ? buf + done : NULL, move);
		if (err)
			return vdpa_ring_break(ring, err);
		in_advance(chain, run.len);
		chain->pushed += run.len;
	}
	return done;
}

/**
 * vdpa_chain_push() - write to a chain
 * @chain: the chain
 * @buf: what to write
 * @len: bytes
 *
 * Context: Within a burst. Serialised with all calls on the chain's ring. May
 * sleep.
 * Return: Bytes written, less than @len if there is no more room; -EFAULT or
 * -EACCES if it cannot be reached, which breaks the ring; -EIO if the ring is
 * broken or stopped.
 */
ssize_t vdpa_chain_push(struct vdpa_chain *chain, const void *buf, size_t len)
{
	return chain_fill(chain, (void *)buf, len, VDPA_MOVE_WRITE);
}
EXPORT_SYMBOL_GPL(vdpa_chain_push);

/**
 * vdpa_chain_zero() - write zeroes to a chain
 * @chain: the chain
 * @len: bytes
 *
 * Context: Within a burst. Serialised with all calls on the chain's ring. May
 * sleep.
 * Return: As vdpa_chain_push().
 */
ssize_t vdpa_chain_zero(struct vdpa_chain *chain, size_t len)
{
	return chain_fill(chain, NULL, len, VDPA_MOVE_ZERO);
}
EXPORT_SYMBOL_GPL(vdpa_chain_zero);

/**
 * vdpa_chain_skip_in() - leave room in a chain as it is
 * @chain: the chain
 * @len: bytes
 *
 * They do not count as pushed. For a request that fails before it has data, whose
 * status is the last byte.
 *
 * Context: Serialised with all calls on the chain's ring.
 * Return: Bytes skipped, less than @len if there is no more room.
 */
ssize_t vdpa_chain_skip_in(struct vdpa_chain *chain, size_t len)
{
	size_t done, n;

	len = clamp_len(len, chain->in_left);
	for (done = 0; done < len; done += n) {
		n = min_t(size_t, len - done,
			  chain->seg[chain->in_pos].len - chain->in_off);
		in_advance(chain, n);
	}
	return done;
}
EXPORT_SYMBOL_GPL(vdpa_chain_skip_in);

/* Move what is contiguous on both sides, at most @len bytes. */
static ssize_t copy_some(struct vdpa_chain *to, struct vdpa_chain *from,
			 size_t len)
{
	struct vdpa_run dst, src;
	bool to_failed;
	int err;

	err = out_run(from, len, &src);
	if (err)
		return vdpa_ring_break(from->ring, err);
	err = in_run(to, src.len, &dst);
	if (err)
		return vdpa_ring_break(to->ring, err);
	src.len = dst.len;
	err = vdpa_run_copy(&dst, &src, from->ring->bounce, &to_failed);
	if (err)
		return vdpa_ring_break(to_failed ? to->ring : from->ring, err);
	out_advance(from, src.len);
	in_advance(to, dst.len);
	to->pushed += dst.len;
	return dst.len;
}

/**
 * vdpa_chain_copy() - write to a chain what is read from another
 * @to: where to
 * @from: where from; of a ring of the same memory
 * @len: bytes
 *
 * Context: Within a burst. Serialised with all calls on both rings. May sleep.
 * Return: Bytes moved, less than @len if @from has no more or @to has no more
 * room; -EFAULT or -EACCES if some cannot be reached, which breaks the ring whose
 * they are; -EIO if either ring is broken or stopped; -EINVAL if the two do not
 * share a memory.
 */
ssize_t vdpa_chain_copy(struct vdpa_chain *to, struct vdpa_chain *from,
			size_t len)
{
	size_t done = 0;
	ssize_t n;

	if (WARN_ON_ONCE(to->ring->mem != from->ring->mem))
		return -EINVAL;
	if (!vdpa_ring_usable(to->ring) || !vdpa_ring_usable(from->ring))
		return -EIO;
	vdpa_ring_sync(to->ring);
	vdpa_ring_sync(from->ring);
	len = clamp_len(len, min(to->in_left, from->out_left));
	while (done < len) {
		n = copy_some(to, from, len - done);
		if (n < 0)
			return n;
		done += n;
	}
	return done;
}
EXPORT_SYMBOL_GPL(vdpa_chain_copy);
