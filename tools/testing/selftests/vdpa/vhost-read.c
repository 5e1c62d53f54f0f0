// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-read DEVICE OFFSET LENGTH
 *
 * Read from a block device through /dev/vhost-vdpa-N, with a virtqueue of this
 * process's own, and write what was read to standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_blk.h>
#include "blk.h"

int main(int argc, char **argv)
{
	uint64_t offset, sector;
	uint32_t length, skip;
	struct blk blk;
	int err;

	if (argc != 4) {
		fprintf(stderr, "usage: vhost-read DEVICE OFFSET LENGTH\n");
		return 2;
	}
	offset = strtoull(argv[2], NULL, 0);
	length = strtoul(argv[3], NULL, 0);
	if (!length || length > 65536) {
		fprintf(stderr, "vhost-read: LENGTH must be 1 to 65536\n");
		return 2;
	}

	err = blk_start(&blk, argv[1], ~0ull);
	if (err) {
		fprintf(stderr, "vhost-read: %s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	sector = offset / 512;
	skip = offset % 512;
	err = blk_request(&blk, VIRTIO_BLK_T_IN, sector, (skip + length + 511) & ~511u, false);
	if (err) {
		fprintf(stderr, "vhost-read: the device answers %d\n", err);
		return 1;
	}
	fwrite(blk.data + skip, 1, length, stdout);
	blk_stop(&blk);
	return 0;
}
