// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collecting the buffers of a chain: what is the same for both formats and not done for
 * every buffer.
 */

#include "ring_private.h"

/**
 * vdpa_walk_table_check() - can a descriptor refer to an indirect table
 * @ring: whose
 * @desc: one of the ring itself
 *
 * Return: 0 or -EINVAL (sections 2.7.5.3.1 and 2.8.19).
 */
int vdpa_walk_table_check(const struct vdpa_ring *ring, const struct vdpa_desc *desc)
{
	if (!ring->indirect || (desc->flags & VRING_DESC_F_NEXT) || !desc->len ||
	    desc->len % 16 || desc->addr + (desc->len - 1) < desc->addr)
		return -EINVAL;
	return 0;
}

/**
 * vdpa_walk_table_read() - read a descriptor of an indirect table
 * @ring: whose
 * @iova: where it is; the range from there does not wrap
 * @raw: filled
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0; -EAGAIN; -EFAULT if not all of it can be reached; -EACCES if it may not.
 */
int vdpa_walk_table_read(struct vdpa_ring *ring, u64 iova, struct vdpa_raw_desc *raw)
{
	const struct vdpa_hit *hit;
	u32 left = sizeof(*raw);
	void *to = raw;
	s64 n;
	int err;

	for (; left; left -= n, iova += n, to += n) {
		n = vdpa_translate(ring, VDPA_HIT_TABLE, iova, left, &hit);
		if (n < 0)
			return n;
		err = vdpa_move(ring, iova + hit->delta, hit->user, to, n,
				VDPA_MOVE_READ);
		if (err)
			return err;
	}
	return 0;
}
