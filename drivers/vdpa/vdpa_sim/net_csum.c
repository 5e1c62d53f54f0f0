// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: the checksum of a frame whose sender left it to the device
 * (virtio 1.2 section 5.1.6.2), for a receiver that did not agree to do without.
 */
#include <linux/bitops.h>
#include <net/checksum.h>
#include "net.h"

/* bytes that are read at a time; even, as sums are of 16 bits */
#define CHUNK 256

/**
 * net_csum_compute() - compute a checksum
 * @chain: the frame, at its start; not moved
 * @start: where what it covers begins, bytes
 * @offset: from there to the checksum, bytes. What is there is the pseudo header's.
 * @csum: filled
 *
 * Context: Within a burst.
 * Return: 0; -ERANGE if it lies not in the frame; -EAGAIN and others as
 * vdpa_chain_pull().
 */
int net_csum_compute(const struct vdpa_chain *chain, u16 start, u16 offset, __sum16 *csum)
{
	struct vdpa_chain walk = *chain;
	u8 chunk[CHUNK] __aligned(8);
	__wsum sum = 0;
	ssize_t n;

	if ((u32)start + offset + sizeof(*csum) > chain->out.left)
		return -ERANGE;
	vdpa_chain_skip_out(&walk, start);
	while (walk.out.left) {
		n = vdpa_chain_pull(&walk, chunk, sizeof(chunk));
		if (n < 0)
			return n;
		sum = csum_partial(chunk, n, sum);
	}
	*csum = csum_fold(sum) ?: CSUM_MANGLED_0;
	return 0;
}
