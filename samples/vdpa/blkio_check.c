// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk by libblkio: write a pattern to its beginning, read it back, tell its size.
 *
 *	blkio_check /dev/vhost-vdpa-N
 */
#include <blkio.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PIECE 65536
#define PIECES 16	/* at a time */

/* whatever libblkio refuses, it says why */
static void must(int result, const char *what)
{
	if (result < 0)
		errx(1, "%s: %s", what, blkio_get_error_msg());
}

/* wait for all that was asked for */
static void finish(struct blkioq *queue, int requests)
{
	struct blkio_completion done[PIECES];
	int i;

	must(blkioq_do_io(queue, done, requests, requests, NULL), "input and output");
	for (i = 0; i < requests; i++)
		if (done[i].ret)
			errx(1, "request: %s", strerror(-done[i].ret));
}

int main(int argc, char **argv)
{
	struct blkio_mem_region region;
	struct blkioq *queue;
	uint64_t capacity;
	struct blkio *b;
	uint8_t *memory;
	int i;

	if (argc != 2)
		errx(2, "usage: blkio_check /dev/vhost-vdpa-N");

	must(blkio_create("virtio-blk-vhost-vdpa", &b), "driver");
	must(blkio_set_str(b, "path", argv[1]), "path");
	must(blkio_connect(b), argv[1]);
	must(blkio_get_uint64(b, "capacity", &capacity), "capacity");
	must(blkio_set_int(b, "num-queues", 1), "queues");
	must(blkio_start(b), "start");

	/* what the disk shall reach is mapped for it once */
	must(blkio_alloc_mem_region(b, &region, PIECES * PIECE), "memory");
	must(blkio_map_mem_region(b, &region), "map");
	memory = region.addr;
	queue = blkio_get_queue(b, 0);

	for (i = 0; i < PIECES * PIECE; i++)
		memory[i] = i * 31 + i / 512;
	for (i = 0; i < PIECES; i++)
		blkioq_write(queue, i * PIECE, memory + i * PIECE, PIECE, NULL, 0);
	finish(queue, PIECES);
	blkioq_flush(queue, NULL, 0);
	finish(queue, 1);

	memset(memory, 0, PIECES * PIECE);
	for (i = 0; i < PIECES; i++)
		blkioq_read(queue, i * PIECE, memory + i * PIECE, PIECE, NULL, 0);
	finish(queue, PIECES);
	for (i = 0; i < PIECES * PIECE; i++)
		if (memory[i] != (uint8_t)(i * 31 + i / 512))
			errx(1, "byte %d is %u", i, memory[i]);

	printf("%llu bytes, %d of them written and read\n", (unsigned long long)capacity,
	       PIECES * PIECE);
	blkio_destroy(&b);
	return 0;
}
