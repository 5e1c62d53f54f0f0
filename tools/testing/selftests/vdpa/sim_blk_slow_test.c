// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk on a block device that takes its time: requests are in flight together, are
 * answered in their order, and hold up nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "device.h"
#include "net.h"
#include "pages.h"
#include "kselftest_harness.h"

#define NAME "t-slow"
#define NULLB "/sys/kernel/config/nullb/t-slow"
#define DISK "/dev/t-slow"
#define DELAY 200	/* of each request, milliseconds */
#define BIT(n) (1ull << (n))
#define MANY 64
#define PART 131072

FIXTURE(slow) {
	struct blk blk;
	struct blk_header *headers;
	uint8_t *status;
	uint8_t *data;		/* 16 parts */
	long pinned;
};

FIXTURE_VARIANT(slow) {
	uint64_t without;
};

FIXTURE_VARIANT_ADD(slow, split) { .without = BIT(VIRTIO_F_RING_PACKED) };
FIXTURE_VARIANT_ADD(slow, packed) { .without = BIT(VIRTIO_RING_F_EVENT_IDX) };

static int make_disk(void)
{
	system("modprobe -q null_blk nr_devices=0");
	mount("none", "/sys/kernel/config", "configfs", 0, NULL);
	if (mkdir(NULLB, 0700))
		return -errno;
	return write_file(NULLB "/size", "64") ?:
	       write_file(NULLB "/memory_backed", "1") ?:
	       write_file(NULLB "/irqmode", "2") ?:
	       write_file(NULLB "/completion_nsec", "200000000") ?:
	       write_file(NULLB "/hw_queue_depth", "128") ?:
	       write_file(NULLB "/power", "1");
}

FIXTURE_SETUP(slow)
{
	const struct wish wishes[] = { { VDPA_ATTR_DEV_BLK_BACKING, .text = DISK }, {} };
	struct blk *blk = &self->blk;

	if (device_exists(NAME))
		device_del(NAME);
	rmdir(NULLB);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, make_disk());
	ASSERT_EQ(0, device_create(NAME, "vdpasim_blk", wishes, NULL));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, blk_start(blk, NAME, ~variant->without));
	self->headers = vhost_alloc(&blk->vhost, MANY * sizeof(*self->headers), 16);
	self->status = vhost_alloc(&blk->vhost, MANY, 1);
	self->data = vhost_alloc(&blk->vhost, 16 * PART, 4096);
}

FIXTURE_TEARDOWN(slow)
{
	blk_stop(&self->blk);
	if (device_exists(NAME)) {
		EXPECT_EQ(0, device_del(NAME));
	}
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(0, rmdir(NULLB));
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Add request number @n, of part n % 16. Return: its head, or -1 if there is no room. */
static int add(struct blk *blk, struct blk_header *header, uint8_t *data, uint8_t *status,
	       int n, uint32_t type)
{
	struct vring_seg segs[] = {
		{ header, sizeof(*header), false },
		{ data, PART, type == VIRTIO_BLK_T_IN },
		{ status, 1, true },
	};

	*header = (struct blk_header) { .type = type, .sector = n % 16 * (PART / 512) };
	*status = 0xff;
	return vring_add(&blk->queue, segs, 3);
}

#define ADD(n, type) add(&self->blk, &self->headers[n], self->data + (n) % 16 * PART,	\
			 &self->status[n], n, type)

TEST_F(slow, together)
{
	long start = now();
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_LE(0, ADD(i, VIRTIO_BLK_T_IN));
	vring_kick(&self->blk.queue);
	for (i = 0; i < 8; i++)
		ASSERT_LE(0, vring_wait(&self->blk.queue, NULL, 10000));
	EXPECT_LE(DELAY, now() - start);
	EXPECT_GT(8 * DELAY, now() - start);
}

/* How many writes the disk is busy with. */
static int writes_in_flight(void)
{
	FILE *file = fopen("/sys/block/t-slow/inflight", "r");
	int reads, writes = -1;

	if (file && fscanf(file, "%d %d", &reads, &writes) != 2)
		writes = -1;
	if (file)
		fclose(file);
	return writes;
}

/* As many as the ring takes, more than the device has memory for at a time: 4 MiB. */
TEST_F(slow, more_than_fit)
{
	int heads[MANY], head, n, i, now, most = 0, pieces;
	uint32_t len;

	for (i = 0; i < 16; i++)
		blk_pattern(self->data + i * PART, PART, i);
	/* one by itself, which the block layer may cut in pieces */
	ASSERT_LE(0, ADD(0, VIRTIO_BLK_T_OUT));
	vring_kick(&self->blk.queue);
	for (pieces = 0; vring_wait(&self->blk.queue, NULL, 1) < 0; ) {
		now = writes_in_flight();
		pieces = now > pieces ? now : pieces;
	}
	ASSERT_LE(1, pieces);
	for (n = 0; n < MANY; n++) {
		heads[n] = ADD(n, VIRTIO_BLK_T_OUT);
		if (heads[n] < 0)
			break;
	}
	ASSERT_EQ(MANY, n);
	vring_kick(&self->blk.queue);
	/* in the order in which they were added */
	for (i = 0; i < n; i++) {
		while ((head = vring_wait(&self->blk.queue, &len, 1)) < 0) {
			now = writes_in_flight();
			most = now > most ? now : most;
		}
		ASSERT_EQ(heads[i], head);
		EXPECT_EQ(1, len);
		EXPECT_EQ(VIRTIO_BLK_S_OK, self->status[i]);
	}
	EXPECT_LT(1, most);
	EXPECT_GE((4 << 20) / PART * pieces, most);
	memset(self->data, 0, 16 * PART);
	for (i = 0; i < 16; i++)
		ASSERT_LE(0, ADD(i, VIRTIO_BLK_T_IN));
	vring_kick(&self->blk.queue);
	for (i = 0; i < 16; i++) {
		ASSERT_LE(0, vring_wait(&self->blk.queue, &len, 10000));
		EXPECT_EQ(PART + 1, len);
	}
	for (i = 0; i < 16; i++)
		EXPECT_TRUE(blk_matches(self->data + i * PART, PART, i));
	EXPECT_EQ(MANY + 1, vstat(NAME, 0, "writes"));
	EXPECT_EQ(16, vstat(NAME, 0, "reads"));
	EXPECT_EQ((MANY + 17) * PART, vstat(NAME, 0, "bytes"));
}

/* Answered at once, a burst of them, and behind one that is slow. */
TEST_F(slow, inquiries)
{
	struct blk *blk = &self->blk;
	int round, i, heads[MANY];

	for (round = 0; round < 2; round++) {
		for (i = 0; i < MANY; i++) {
			struct vring_seg segs[] = {
				{ &self->headers[i], sizeof(*self->headers), false },
				{ self->data + 32 * i, VIRTIO_BLK_ID_BYTES, true },
				{ &self->status[i], 1, true },
			};

			self->status[i] = 0xff;
			self->headers[i] = (struct blk_header) { .type = VIRTIO_BLK_T_GET_ID };
			if (round && !i)
				heads[i] = ADD(0, VIRTIO_BLK_T_IN);
			else
				heads[i] = vring_add(&blk->queue, segs, 3);
			ASSERT_LE(0, heads[i]);
		}
		vring_kick(&blk->queue);
		for (i = 0; i < MANY; i++) {
			ASSERT_EQ(heads[i], vring_wait(&blk->queue, NULL, 10000));
			EXPECT_EQ(VIRTIO_BLK_S_OK, self->status[i]);
			if (!round || i) {
				EXPECT_STREQ("vdpa_blk_sim", (char *)self->data + 32 * i);
			}
		}
	}
}

/* Suspend waits for the disk, tells of nothing any more, and resume does it all again. */
TEST_F(slow, suspended)
{
	struct vhost_vring_state state = { .index = 0 };
	struct blk *blk = &self->blk;
	int i;

	for (i = 0; i < 8; i++) {
		blk_pattern(self->data + i * PART, PART, 40 + i);
		ASSERT_LE(0, ADD(i, VIRTIO_BLK_T_OUT));
	}
	vring_kick(&blk->queue);
	usleep(5000);
	ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_VDPA_SUSPEND, NULL));
	ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_GET_VRING_BASE, &state));
	EXPECT_EQ(blk->queue.packed ? 0x80008000u : 0, state.num);
	EXPECT_EQ(-1, vring_wait(&blk->queue, NULL, 3 * DELAY));
	ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_VDPA_RESUME, NULL));
	for (i = 0; i < 8; i++)
		ASSERT_LE(0, vring_wait(&blk->queue, NULL, 10000));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, i * (PART / 512), PART));
		EXPECT_TRUE(blk_matches(blk->data, PART, 40 + i));
	}
}

/* Memory that is in use by a request goes at once; the request finds it gone. */
TEST_F(slow, unmapped)
{
	struct blk *blk = &self->blk;
	long start;
	int i;

	memset(self->data, 0x55, 4 * PART);
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, ADD(i, VIRTIO_BLK_T_IN));
	vring_kick(&blk->queue);
	usleep(5000);
	start = now();
	ASSERT_EQ(0, vhost_message(&blk->vhost, VHOST_IOTLB_INVALIDATE, VHOST_IOVA,
				   VHOST_MEMORY, 0, 0));
	EXPECT_GT(DELAY / 2, now() - start);
	EXPECT_EQ(self->pinned, pages_pinned());
	usleep(4000 * DELAY);
	for (i = 0; i < 4 * PART; i++)
		ASSERT_EQ(0x55, self->data[i]);
	EXPECT_TRUE(vhost_get_status(&blk->vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/* The driver changes its mind about a request that is in flight: it gets less, or other. */
TEST_F(slow, changed)
{
	struct blk *blk = &self->blk;
	struct vring_desc *desc;
	int head;

	if (blk->queue.packed)
		return;
	memset(self->data, 0x33, PART);
	ASSERT_LE(0, ADD(0, VIRTIO_BLK_T_OUT));
	vring_kick(&blk->queue);
	ASSERT_LE(0, vring_wait(&blk->queue, NULL, 10000));
	memset(self->data, 0x55, 2 * PART);
	head = ADD(0, VIRTIO_BLK_T_IN);
	ASSERT_LE(0, head);
	vring_kick(&blk->queue);
	usleep(5000);
	desc = &blk->queue.tables[head * VRING_SEGS_MAX];
	ASSERT_EQ(PART, desc[1].len);
	desc[1].len = 100;
	ASSERT_EQ(head, vring_wait(&blk->queue, NULL, 10000));
	EXPECT_EQ(VIRTIO_BLK_S_OK, self->status[0]);
	EXPECT_EQ(0x33, self->data[0]);
	EXPECT_EQ(0x33, self->data[99]);
	EXPECT_EQ(0x55, self->data[100]);

	head = ADD(1, VIRTIO_BLK_T_IN);
	ASSERT_LE(0, head);
	vring_kick(&blk->queue);
	usleep(5000);
	/* nothing to be written any more, not even a status */
	desc = &blk->queue.tables[head * VRING_SEGS_MAX];
	desc[1].flags &= ~VRING_DESC_F_WRITE;
	desc[2].flags &= ~VRING_DESC_F_WRITE;
	ASSERT_EQ(head, vring_wait(&blk->queue, NULL, 10000));
	EXPECT_EQ(0xff, self->status[1]);
	EXPECT_EQ(0x55, self->data[PART]);
}

TEST_F(slow, gone_in_flight)
{
	struct blk *blk = &self->blk;
	int i;

	for (i = 0; i < 16; i++)
		ASSERT_LE(0, ADD(i, VIRTIO_BLK_T_OUT));
	vring_kick(&blk->queue);
	usleep(5000);
	EXPECT_EQ(0, vhost_set_status(&blk->vhost, 0));
	blk_stop(blk);
	ASSERT_EQ(0, blk_start(blk, NAME, ~variant->without));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 4096));
	EXPECT_EQ(0, device_del(NAME));
}

/* What the disk cannot read or write is an error, and nothing but that. */
TEST_F(slow, bad_blocks)
{
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, write_file(NULLB "/badblocks", "+80-87"));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(blk, 80, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(blk, 80, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(blk, 0, PART));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 72, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 88, 4096));
	EXPECT_EQ(3, vstat(NAME, 0, "errors"));
	ASSERT_EQ(0, write_file(NULLB "/badblocks", "-80-87"));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 80, 4096));
}

TEST_HARNESS_MAIN
