// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cursors over the buffers of a chain: one over those the device reads, one over
 * those it writes. Each moves forward only. A cursor remembers where its buffer is, so
 * that what is in one piece is translated once, however many calls it takes.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>

#include "ring_private.h"

/* Find the next bytes that are in one piece. There are some. Return: 0 or -errno. */
static __always_inline int cursor_find(const struct vdpa_chain *chain,
				       struct vdpa_cursor *cur, enum vdpa_hit_slot slot)
{
	struct vdpa_ring *ring = chain->ring;
	const struct vdpa_seg *seg = &ring->segs[cur->pos];
	const struct vdpa_hit *hit;
	u64 iova;
	s64 n;

	if (cur->off && cur->off == seg->len) {
		seg++;
		cur->pos++;
		cur->off = 0;
	}
	iova = seg->iova + cur->off;
	n = vdpa_translate(ring, slot, iova, seg->len - cur->off, &hit);
	if (unlikely(n < 0))
		return vdpa_ring_break(ring, n);
	cur->addr = iova + hit->delta;
	cur->user = hit->user;
	cur->run = n;
	cur->off += n;
	return 0;
}

/* @cur goes on by @n bytes, which it has found. */
static __always_inline void cursor_advance(struct vdpa_cursor *cur, u32 n)
{
	cur->addr += n;
	cur->run -= n;
	cur->left -= n;
}

/*
 * Be ready to use a chain, which was fetched in this burst: the ring is in sync. Return:
 * 0 or -EIO.
 */
static __always_inline int chain_ready(const struct vdpa_chain *chain)
{
	if (!vdpa_ring_usable(chain->ring))
		return -EIO;
	vdpa_ring_use_mm(chain->ring);
	return 0;
}

/* Move @len bytes, which are there, at @cur. Return: 0 or -errno. */
static __always_inline int cursor_move(const struct vdpa_chain *chain,
				       struct vdpa_cursor *cur,
				       enum vdpa_hit_slot slot, void *buf, size_t len,
				       enum vdpa_move move)
{
	struct vdpa_ring *ring = chain->ring;
	u32 n;
	int err;

	while (len) {
		if (!cur->run) {
			err = cursor_find(chain, cur, slot);
			if (unlikely(err))
				return err;
		}
		n = min_t(size_t, cur->run, len);
		err = vdpa_move(ring, cur->addr, cur->user, buf, n, move);
		if (unlikely(err))
			return vdpa_ring_break(ring, err);
		cursor_advance(cur, n);
		if (likely(n == len))
			return 0;
		len -= n;
		buf += n;
	}
	return 0;
}

/* As much of @len as there is @left and as can be reported. */
static __always_inline size_t clamp_len(size_t len, u32 left)
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
 * Return: Bytes read, less than @len if no more are left; -EAGAIN if a page is not
 * there; -EFAULT or -EACCES if they cannot be reached, which breaks the ring; -EIO if
 * it is broken or stopped.
 */
ssize_t vdpa_chain_pull(struct vdpa_chain *chain, void *buf, size_t len)
{
	int err = chain_ready(chain);

	if (err)
		return err;
	len = clamp_len(len, chain->out.left);
	return cursor_move(chain, &chain->out, VDPA_HIT_OUT, buf, len,
			   VDPA_MOVE_READ) ?: len;
}
EXPORT_SYMBOL_GPL(vdpa_chain_pull);

/**
 * vdpa_chain_look() - look at what comes next in a chain, without reading it
 * @chain: the chain
 * @len: bytes, a header's worth: at most 256
 *
 * The driver may change it meanwhile, as it can what is read later: what is decided by
 * it is copied first.
 *
 * Context: As vdpa_chain_pull().
 * Return: As many bytes as that, good until the next call on the chain's ring; NULL if
 * so many are not left, or not in one piece: they can only be read; ERR_PTR() of
 * -EAGAIN and others as vdpa_chain_pull().
 */
const void *vdpa_chain_look(struct vdpa_chain *chain, size_t len)
{
	struct vdpa_cursor *cur = &chain->out;
	struct vdpa_ring *ring = chain->ring;
	void *bounced;
	int err = chain_ready(chain);

	if (err)
		return ERR_PTR(err);
	if (unlikely(cur->left < len))
		return NULL;
	if (!cur->run) {
		err = cursor_find(chain, cur, VDPA_HIT_OUT);
		if (err)
			return ERR_PTR(err);
	}
	if (unlikely(cur->run < len))
		return NULL;
	if (!cur->user)
		return VDPA_LINEAR ? phys_to_virt(cur->addr) : NULL;
	if (unlikely(vdpa_bounced(ring, cur, &bounced) >= len))
		return bounced;
	err = vdpa_bounce(ring, cur);
	if (unlikely(err))
		return ERR_PTR(vdpa_ring_break(ring, err));
	return ring->bounce + VDPA_RING_HEADROOM;
}
EXPORT_SYMBOL_GPL(vdpa_chain_look);

/**
 * vdpa_chain_push() - write to a chain
 * @chain: the chain
 * @buf: what to write
 * @len: bytes
 *
 * Context: Within a burst. Serialised with all calls on the chain's ring. May
 * sleep.
 * Return: Bytes written, less than @len if there is no more room; -EAGAIN if a page is
 * not there; -EFAULT or -EACCES if it cannot be reached, which breaks the ring; -EIO if
 * the ring is broken or stopped.
 */
ssize_t vdpa_chain_push(struct vdpa_chain *chain, const void *buf, size_t len)
{
	int err = chain_ready(chain);

	if (err)
		return err;
	len = clamp_len(len, chain->in.left);
	err = cursor_move(chain, &chain->in, VDPA_HIT_IN, (void *)buf, len,
			  VDPA_MOVE_WRITE);
	if (err)
		return err;
	chain->pushed += len;
	return len;
}
EXPORT_SYMBOL_GPL(vdpa_chain_push);

/**
 * vdpa_chain_zero() - write zeroes to a chain
 * @chain: the chain
 * @len: bytes
 *
 * Context: As vdpa_chain_push().
 * Return: As vdpa_chain_push().
 */
ssize_t vdpa_chain_zero(struct vdpa_chain *chain, size_t len)
{
	int err = chain_ready(chain);

	if (err)
		return err;
	len = clamp_len(len, chain->in.left);
	err = cursor_move(chain, &chain->in, VDPA_HIT_IN, NULL, len, VDPA_MOVE_ZERO);
	if (err)
		return err;
	chain->pushed += len;
	return len;
}
EXPORT_SYMBOL_GPL(vdpa_chain_zero);

/* Go on by @len bytes, which are there, without looking where they are. */
static void cursor_skip(const struct vdpa_chain *chain, struct vdpa_cursor *cur,
			size_t len)
{
	u32 n;

	for (; len; len -= n) {
		if (!cur->run) {
			if (cur->off == chain->ring->segs[cur->pos].len) {
				cur->pos++;
				cur->off = 0;
			}
			n = min_t(size_t, chain->ring->segs[cur->pos].len - cur->off, len);
			cur->off += n;
			cur->left -= n;
		} else {
			n = min_t(size_t, cur->run, len);
			cursor_advance(cur, n);
		}
	}
}

/* vdpa_chain_skip_out() of bytes that were not found yet. */
ssize_t __vdpa_chain_skip_out(struct vdpa_chain *chain, size_t len)
{
	len = clamp_len(len, chain->out.left);
	cursor_skip(chain, &chain->out, len);
	return len;
}
EXPORT_SYMBOL_GPL(__vdpa_chain_skip_out);

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
	len = clamp_len(len, chain->in.left);
	cursor_skip(chain, &chain->in, len);
	return len;
}
EXPORT_SYMBOL_GPL(vdpa_chain_skip_in);

/* Find what is contiguous on both sides. Return: how much of @len, or -errno. */
static __always_inline ssize_t copy_find(struct vdpa_chain *to, struct vdpa_chain *from,
					 size_t len)
{
	int err;

	if (!from->out.run) {
		err = cursor_find(from, &from->out, VDPA_HIT_OUT);
		if (err)
			return err;
	}
	if (!to->in.run) {
		err = cursor_find(to, &to->in, VDPA_HIT_IN);
		if (err)
			return err;
	}
	return min3((size_t)from->out.run, (size_t)to->in.run, len);
}

/* Move what is contiguous on both sides, at most @len bytes. Return: how many. */
static ssize_t copy_some(struct vdpa_chain *to, struct vdpa_chain *from, size_t len)
{
	ssize_t n = copy_find(to, from, len);
	bool to_failed;
	int err;

	if (n < 0)
		return n;
	if (to->in.user || from->out.user) {
		err = vdpa_copy_mixed(to->ring, &to->in, from->ring, &from->out, n,
				      &to_failed);
		if (unlikely(err))
			return vdpa_ring_break(to_failed ? to->ring : from->ring, err);
	} else if (VDPA_LINEAR) {
		/* the driver may have given the same bytes twice */
		memmove(phys_to_virt(to->in.addr), phys_to_virt(from->out.addr), n);
	} else {
		vdpa_copy_paged(to->in.addr, from->out.addr, n);
	}
	cursor_advance(&from->out, n);
	cursor_advance(&to->in, n);
	return n;
}

/**
 * vdpa_chain_copy() - write to a chain what is read from another
 * @to: where to
 * @from: where from; of any ring, also of another device if the burst is one of both
 * @len: bytes
 *
 * Context: Within a burst. Serialised with all calls on both rings. May sleep.
 * Return: Bytes moved, less than @len if @from has no more or @to has no more
 * room; -EAGAIN if a page is not there; -EFAULT or -EACCES if some cannot be reached,
 * which breaks the ring whose they are; -EIO if either ring is broken or stopped.
 */
ssize_t vdpa_chain_copy(struct vdpa_chain *to, struct vdpa_chain *from,
			size_t len)
{
	size_t done;
	ssize_t n;

	if (chain_ready(to) || chain_ready(from))
		return -EIO;
	len = clamp_len(len, min(to->in.left, from->out.left));
	for (done = 0; done < len; done += n) {
		n = copy_some(to, from, len - done);
		if (n < 0)
			return n;
	}
	to->pushed += len;
	return len;
}
EXPORT_SYMBOL_GPL(vdpa_chain_copy);

/*
 * Write @hdr, and all @len bytes that follow it, at once: both sides are in one piece,
 * and @from is in the bounce buffer if it is user memory. Return: done; or not, and then
 * nothing is; or -errno.
 */
static __always_inline int copy_behind_at_once(struct vdpa_chain *to, const void *hdr,
					       size_t hdr_len, struct vdpa_chain *from,
					       size_t len)
{
	struct vdpa_cursor *in = &to->in, *out = &from->out;
	void *at;
	int err;

	if (!in->run) {
		err = cursor_find(to, in, VDPA_HIT_IN);
		if (err)
			return err;
	}
	if (in->run < hdr_len + len || out->run < len)
		return false;
	if (!in->user && !out->user && VDPA_LINEAR) {
		at = phys_to_virt(in->addr);
		memcpy(at, hdr, hdr_len);
		memmove(at + hdr_len, phys_to_virt(out->addr), len);
	} else if (in->user && out->user && hdr_len <= VDPA_RING_HEADROOM &&
		   vdpa_bounced(from->ring, out, &at) >= len) {
		/* what was before it in the buffer has been read, or is headroom */
		at -= hdr_len;
		memcpy(at, hdr, hdr_len);
		err = __vdpa_move_user(to->ring, u64_to_user_ptr(in->addr), at,
				       hdr_len + len, VDPA_MOVE_WRITE);
		if (unlikely(err))
			return vdpa_ring_break(to->ring, err);
	} else {
		return false;
	}
	cursor_advance(in, hdr_len + len);
	cursor_advance(out, len);
	return true;
}

/**
 * vdpa_chain_copy_behind() - write a header, and then what is read from another chain
 * @to: where to; has room for both
 * @hdr: header
 * @hdr_len: bytes of it
 * @from: where from, as vdpa_chain_copy()
 * @len: bytes; @from has so many
 *
 * In one go if both chains are in one piece, as they are for nearly every frame.
 *
 * Context: As vdpa_chain_copy().
 * Return: As vdpa_chain_copy(): bytes moved from @from.
 */
ssize_t vdpa_chain_copy_behind(struct vdpa_chain *to, const void *hdr, size_t hdr_len,
			       struct vdpa_chain *from, size_t len)
{
	ssize_t ret;

	if (chain_ready(from) || chain_ready(to))
		return -EIO;
	if (likely(to->in.left >= hdr_len + len && from->out.left >= len)) {
		ret = copy_behind_at_once(to, hdr, hdr_len, from, len);
		if (ret < 0)
			return ret;
		if (likely(ret)) {
			to->pushed += hdr_len + len;
			return len;
		}
	}
	ret = vdpa_chain_push(to, hdr, hdr_len);
	return ret < 0 ? ret : vdpa_chain_copy(to, from, len);
}
EXPORT_SYMBOL_GPL(vdpa_chain_copy_behind);
