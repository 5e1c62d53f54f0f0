// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block simulator under a driver of our own, which can do what no well-behaved one
 * does. Each test runs with and without indirect descriptors and event indices.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "device.h"
#include "pages.h"
#include "kselftest_harness.h"

#define NAME "t-blk"
#define SECTORS 0x40000ull
#define BIT(n) (1ull << (n))
/* section 5.2.6, without a name in the kernel's header */
#define BLK_T_GET_LIFETIME 10

#define PACKED BIT(VIRTIO_F_RING_PACKED)
#define RING_FEATURES (BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX))

FIXTURE(blk) {
	struct blk blk;
	long pinned;
};

/* with the content in memory, or in a file */
FIXTURE_VARIANT(blk) {
	uint64_t without;
	bool file;
};

FIXTURE_VARIANT_ADD(blk, plain) { .without = RING_FEATURES | PACKED };
FIXTURE_VARIANT_ADD(blk, indirect) { .without = BIT(VIRTIO_RING_F_EVENT_IDX) | PACKED };
FIXTURE_VARIANT_ADD(blk, event_idx) { .without = BIT(VIRTIO_RING_F_INDIRECT_DESC) | PACKED };
FIXTURE_VARIANT_ADD(blk, both) { .without = PACKED };
FIXTURE_VARIANT_ADD(blk, packed) { .without = RING_FEATURES };
FIXTURE_VARIANT_ADD(blk, packed_both) { .without = 0 };
FIXTURE_VARIANT_ADD(blk, file) { .without = PACKED, .file = true };
FIXTURE_VARIANT_ADD(blk, file_packed) { .without = RING_FEATURES, .file = true };

#define FILE_NAME "/dev/shm/t-blk.img"

static const struct wish on_file[] = {
	{ VDPA_ATTR_DEV_BLK_BACKING, .text = FILE_NAME },
	{},
};

static void make_file(void)
{
	int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, SECTORS * 512))
		perror(FILE_NAME);
	close(fd);
}

FIXTURE_SETUP(blk)
{
	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	if (variant->file)
		make_file();
	ASSERT_EQ(0, device_create(NAME, "vdpasim_blk", variant->file ? on_file : NULL, NULL));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, blk_start(&self->blk, NAME, ~variant->without));
}

FIXTURE_TEARDOWN(blk)
{
	blk_stop(&self->blk);
	EXPECT_EQ(0, device_del(NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
	unlink(FILE_NAME);
}

TEST_F(blk, what_is_written_is_read)
{
	static const struct { uint64_t sector; uint32_t len; } parts[] = {
		{ 0, 512 }, { 1, 4096 }, { 7, 16384 + 512 }, { 1000, 131072 },
		{ SECTORS - 1, 512 }, { SECTORS - 256, 131072 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		blk_pattern(self->blk.data, parts[i].len, i);
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(&self->blk, parts[i].sector, parts[i].len));
		memset(self->blk.data, 0, parts[i].len);
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, parts[i].sector, parts[i].len));
		EXPECT_TRUE(blk_matches(self->blk.data, parts[i].len, i));
	}
}

TEST_F(blk, never_written_reads_as_zeroes)
{
	uint32_t i;

	memset(self->blk.data, 0xaa, 65536);
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, 5000, 65536));
	for (i = 0; i < 65536; i++)
		ASSERT_EQ(0, self->blk.data[i]);
}

/* Row 28 of the known defects: past the end by part of a sector, and by wrapping. */
TEST_F(blk, ends_of_the_disk)
{
	static const struct { uint64_t sector; uint32_t len; } bad[] = {
		{ SECTORS, 512 }, { SECTORS - 1, 1024 }, { SECTORS - 1, 513 },
		{ SECTORS - 7, 4096 }, { UINT64_MAX, 512 }, { UINT64_MAX / 512, 512 },
		{ UINT64_MAX / 512 + 1, 512 }, { 1ull << 55, 512 }, { 0, 1 }, { 0, 511 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(&self->blk, bad[i].sector, bad[i].len));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(&self->blk, bad[i].sector, bad[i].len));
	}
	/* and the device goes on */
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, SECTORS - 1, 512));
}

TEST_F(blk, other_requests)
{
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_request(&self->blk, VIRTIO_BLK_T_FLUSH, 0, 0, true));
	ASSERT_EQ(VIRTIO_BLK_S_OK,
		  blk_request(&self->blk, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES, false));
	EXPECT_STREQ("vdpa_blk_sim", self->blk.data);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  blk_request(&self->blk, VIRTIO_BLK_T_GET_ID, 0, 19, false));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_request(&self->blk, 99, 0, 0, true));
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_request(&self->blk, BLK_T_GET_LIFETIME, 0, 6, false));
	EXPECT_EQ(0, memcmp(self->blk.data, "\0\0\0\0\0", 6));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  blk_request(&self->blk, BLK_T_GET_LIFETIME, 0, 5, false));
}

static const uint32_t types[] = {
	VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_SECURE_ERASE,
};

/* nothing is ever erased from a file */
static bool negotiated(const struct blk *blk, uint32_t type)
{
	return type != VIRTIO_BLK_T_SECURE_ERASE ||
	       blk->vhost.features & BIT(VIRTIO_BLK_F_SECURE_ERASE);
}

TEST_F(blk, discard_and_write_zeroes)
{
	unsigned int i;
	uint32_t j;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!negotiated(&self->blk, types[i]))
			continue;
		blk_pattern(self->blk.data, 16384, 3);
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(&self->blk, 0, 16384));
		/* from within one page to within another */
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_zero(&self->blk, types[i], 3, 20, 0, 16));
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, 0, 16384));
		for (j = 3 * 512; j < 23 * 512; j++)
			ASSERT_EQ(0, self->blk.data[j]);
		memset(self->blk.data + 3 * 512, 0, 20 * 512);
		EXPECT_TRUE(blk_matches(self->blk.data, 3 * 512, 3));
		EXPECT_NE(0, self->blk.data[23 * 512 + 1]);
	}
}

/* Row 29 of the known defects. */
TEST_F(blk, discard_and_write_zeroes_refused)
{
	unsigned int i;

	blk_pattern(self->blk.data, 4096, 9);
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(&self->blk, 0, 4096));
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!negotiated(&self->blk, types[i]))
			continue;
		struct blk *blk = &self->blk;

		/* no range, part of one, too many */
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, types[i], 0, 1, 0, 0));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, types[i], 0, 1, 0, 15));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, types[i], 0, 1, 0, 33 * 16));
		/* beyond the end, wrapping, larger than allowed */
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, types[i], SECTORS, 1, 0, 16));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, types[i], UINT64_MAX, 2, 0, 16));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, types[i], 0, 0x10000, 0, 16));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, types[i], 0, UINT32_MAX, 0, 16));
		/* flags that do not exist */
		EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_zero(blk, types[i], 0, 1, 2, 16));
		EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_zero(blk, types[i], 0, 1, 1u << 31, 16));
	}
	/* unmap is for write-zeroes alone */
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_zero(&self->blk, VIRTIO_BLK_T_DISCARD, 100, 1, 1, 16));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_zero(&self->blk, VIRTIO_BLK_T_WRITE_ZEROES, 100, 1, 1, 16));

	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, 0, 4096));
	EXPECT_TRUE(blk_matches(self->blk.data, 4096, 9));
}

/* Row 30 of the known defects. The device answers what it can and goes on. */
TEST_F(blk, malformed_requests)
{
	struct blk *blk = &self->blk;
	struct vring_seg split[] = {
		{ blk->header, 3, false },
		{ (char *)blk->header + 3, sizeof(*blk->header) - 3, false },
		{ blk->data, 100, true },
		{ blk->data + 100, 412, true },
		{ blk->status, 1, true },
	};
	struct vring_seg no_status[] = { { blk->header, sizeof(*blk->header), false } };
	struct vring_seg short_header[] = {
		{ blk->header, 15, false }, { blk->status, 1, true },
	};
	struct vring_seg only_status[] = { { blk->status, 1, true } };
	uint32_t len;

	*blk->header = (struct blk_header) { .type = VIRTIO_BLK_T_IN, .sector = 1 };
	*blk->status = 0xff;
	ASSERT_LE(0, vring_add(&blk->queue, split, 5));
	vring_kick(&blk->queue);
	ASSERT_LE(0, vring_wait(&blk->queue, &len, 20000));
	EXPECT_EQ(VIRTIO_BLK_S_OK, *blk->status);
	EXPECT_EQ(513, len);

	ASSERT_LE(0, vring_add(&blk->queue, no_status, 1));
	vring_kick(&blk->queue);
	ASSERT_LE(0, vring_wait(&blk->queue, &len, 20000));
	EXPECT_EQ(0, len);

	*blk->status = 0xff;
	ASSERT_LE(0, vring_add(&blk->queue, short_header, 2));
	vring_kick(&blk->queue);
	ASSERT_LE(0, vring_wait(&blk->queue, &len, 20000));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, *blk->status);

	*blk->status = 0xff;
	ASSERT_LE(0, vring_add(&blk->queue, only_status, 1));
	vring_kick(&blk->queue);
	ASSERT_LE(0, vring_wait(&blk->queue, &len, 20000));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, *blk->status);

	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 512));
	EXPECT_FALSE(vhost_get_status(&blk->vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static bool needs_reset(const void *data)
{
	return vhost_get_status((struct vhost *)data) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Row 35 of the known defects: the ring breaks, the device says so, nothing else does. */
TEST_F(blk, descriptor_loop)
{
	struct vring_queue *queue = &self->blk.queue;

	if (queue->packed) {
		/* a chain that goes on where nothing was made available */
		queue->ring[0].addr = vhost_iova(&self->blk.vhost, self->blk.data);
		queue->ring[0].len = 16;
		queue->ring[0].flags = VRING_DESC_F_NEXT | 1 << VRING_PACKED_DESC_F_AVAIL;
		vring_force_kick(queue);
		EXPECT_TRUE(wait_until(needs_reset, &self->blk.vhost, 3));
		return;
	}
	queue->desc[5].addr = vhost_iova(&self->blk.vhost, self->blk.data);
	queue->desc[5].len = 16;
	queue->desc[5].flags = VRING_DESC_F_NEXT;
	queue->desc[5].next = 5;
	vring_publish(queue, 5);
	vring_kick(queue);
	EXPECT_TRUE(wait_until(needs_reset, &self->blk.vhost, 3));
}

TEST_F(blk, head_out_of_range)
{
	struct vring_queue *queue = &self->blk.queue;

	if (queue->packed) {
		/* it has no heads, but tables, and this one has no whole descriptor */
		queue->ring[0].addr = vhost_iova(&self->blk.vhost, self->blk.data);
		queue->ring[0].len = 15;
		queue->ring[0].flags = VRING_DESC_F_INDIRECT | 1 << VRING_PACKED_DESC_F_AVAIL;
	} else {
		vring_publish(queue, 64);
	}
	vring_force_kick(queue);
	EXPECT_TRUE(wait_until(needs_reset, &self->blk.vhost, 3));
}

TEST_F(blk, buffer_never_mapped)
{
	struct vring_queue *queue = &self->blk.queue;

	const struct vring_seg segs[] = {
		{ queue->vhost->memory - 0x10000, 16, false },
		{ queue->vhost->memory - 0x8000, 1, true },
	};

	ASSERT_LE(0, vring_add(queue, segs, 2));
	vring_kick(queue);
	EXPECT_TRUE(wait_until(needs_reset, &self->blk.vhost, 3));
}

/* Row 34 of the known defects: a used ring that is the available ring too. */
TEST_F(blk, used_ring_over_available_ring)
{
	struct vhost_vring_addr addr = { .index = 0 };
	struct blk *blk = &self->blk;
	int i;

	/* a running device refuses: stop it first */
	ASSERT_EQ(0, vhost_set_status(&blk->vhost, 0));
	ASSERT_EQ(0, vhost_set_status(&blk->vhost, VIRTIO_CONFIG_S_ACKNOWLEDGE |
						   VIRTIO_CONFIG_S_DRIVER));
	ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_SET_FEATURES, &blk->vhost.features));
	ASSERT_EQ(0, vhost_set_status(&blk->vhost, VIRTIO_CONFIG_S_ACKNOWLEDGE |
						   VIRTIO_CONFIG_S_DRIVER |
						   VIRTIO_CONFIG_S_FEATURES_OK));
	vring_teardown(&blk->queue);
	ASSERT_EQ(0, vring_setup(&blk->queue, &blk->vhost, 0, 64, 0));
	addr.desc_user_addr = vhost_iova(&blk->vhost, blk->queue.desc);
	addr.avail_user_addr = vhost_iova(&blk->vhost, blk->queue.avail);
	addr.used_user_addr = addr.avail_user_addr;
	ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_SET_VRING_ADDR, &addr));
	ASSERT_EQ(0, vhost_set_status(&blk->vhost, vhost_get_status(&blk->vhost) |
						   VIRTIO_CONFIG_S_DRIVER_OK));
	for (i = 0; i < 64; i++)
		blk->queue.avail->ring[i] = i;
	blk->queue.avail_idx = 63;
	vring_publish(&blk->queue, 0);
	vring_kick(&blk->queue);
	usleep(300000);
	/* whatever it made of that: it can be reset and taken away */
	EXPECT_EQ(0, vhost_set_status(&blk->vhost, 0));
}

/* Memory goes while requests are in flight. */
TEST_F(blk, unmap_under_traffic)
{
	struct blk *blk = &self->blk;
	int i;

	ASSERT_EQ(0, blk_kick_reads(blk, 20, 131072));
	ASSERT_EQ(0, vhost_message(&blk->vhost, VHOST_IOTLB_INVALIDATE, VHOST_IOVA,
				   VHOST_MEMORY, 0, 0));
	EXPECT_EQ(self->pinned, pages_pinned());
	memset(blk->data, 0x55, 131072);
	usleep(100000);
	for (i = 0; i < 131072; i++)
		ASSERT_EQ(0x55, blk->data[i]);
}

/* Each request alone: a notification that is lost would stop it. Row 36. */
TEST_F_TIMEOUT(blk, many_single_requests, 120)
{
	int i;

	for (i = 0; i < 3000; i++)
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, i, 512));
}

TEST_HARNESS_MAIN
