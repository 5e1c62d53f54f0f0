// SPDX-License-Identifier: GPL-2.0-only
/* What an administrator may say of a disk when it is made, and what a driver sees of it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "device.h"
#include "nl.h"
#include "kselftest_harness.h"

#define NAME "t-made"
#define FILE_NAME "/dev/shm/t-made.img"
#define BIT(n) (1ull << (n))
#define CFG(name, field, number) { VDPA_ATTR_DEV_BLK_CFG_##name, sizeof(field), number }

static const struct virtio_blk_config *size_of;

FIXTURE(made) {
	struct blk blk;
	char why[DEVICE_WHY];
};

FIXTURE_SETUP(made)
{
	if (device_exists(NAME))
		device_del(NAME);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	self->blk.vhost.fd = -1;
}

FIXTURE_TEARDOWN(made)
{
	blk_stop(&self->blk);
	if (device_exists(NAME)) {
		EXPECT_EQ(0, device_del(NAME));
	}
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
	unlink(FILE_NAME);
}

/* Make the device and take it, with all that it offers. Return: 0 or -errno. */
static int take(struct blk *blk, const struct wish *wishes, uint64_t features)
{
	return device_create(NAME, "vdpasim_blk", wishes, NULL) ?:
	       device_bind(NAME, "vhost_vdpa") ?:
	       blk_start(blk, NAME, features);
}

static int config(struct blk *blk, struct virtio_blk_config *config)
{
	char buffer[sizeof(struct vhost_vdpa_config) + sizeof(*config)];
	struct vhost_vdpa_config *head = (void *)buffer;
	int err;

	head->off = 0;
	head->len = sizeof(*config);
	err = vhost_ioctl(&blk->vhost, VHOST_VDPA_GET_CONFIG, head);
	memcpy(config, head->buf, sizeof(*config));
	return err;
}

static void make_file(off_t size)
{
	int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, size))
		perror(FILE_NAME);
	close(fd);
}

TEST_F(made, by_default)
{
	struct virtio_blk_config now;

	ASSERT_EQ(0, take(&self->blk, NULL, ~0ull));
	ASSERT_EQ(0, config(&self->blk, &now));
	EXPECT_EQ(0x40000, now.capacity);
	EXPECT_EQ(4096, now.size_max);
	EXPECT_EQ(32, now.seg_max);
	EXPECT_EQ(512, now.blk_size);
	EXPECT_EQ(1, now.num_queues);
	EXPECT_EQ(0, now.physical_block_exp);
	EXPECT_EQ(0, now.alignment_offset);
	EXPECT_EQ(1, now.min_io_size);
	EXPECT_EQ(1, now.opt_io_size);
	EXPECT_EQ(0, self->blk.vhost.features & BIT(VIRTIO_BLK_F_RO));
}

static volatile bool reading;

static void *read_by_netlink(void *arg)
{
	long failed = 0;
	struct nl nl;

	if (!nl_open(&nl))
		return (void *)1;
	while (reading)
		failed |= nl_about(&nl, VDPA_CMD_DEV_CONFIG_GET, VDPA_ATTR_DEV_NAME, NAME);
	nl_close(&nl);
	return (void *)failed;
}

/* Fault 13: who reads the configuration while another does sees all of it. */
TEST_F_TIMEOUT(made, read_by_two, 60)
{
	struct virtio_blk_config first, now;
	pthread_t thread;
	void *failed;
	int i;

	ASSERT_EQ(0, take(&self->blk, NULL, ~0ull));
	ASSERT_EQ(0, config(&self->blk, &first));
	reading = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_by_netlink, NULL));
	for (i = 0; i < 5000; i++) {
		ASSERT_EQ(0, config(&self->blk, &now));
		ASSERT_EQ(0, memcmp(&first, &now, sizeof(now)));
	}
	reading = false;
	pthread_join(thread, &failed);
	EXPECT_EQ(NULL, failed);
}

TEST_F(made, as_it_was_wanted)
{
	static const struct wish wishes[] = {
		CFG(CAPACITY, size_of->capacity, 100000 * 8),
		CFG(SIZE_MAX, size_of->size_max, 65536),
		CFG(SEG_MAX, size_of->seg_max, 100),
		CFG(BLK_SIZE, size_of->blk_size, 4096),
		CFG(NUM_QUEUES, size_of->num_queues, 5),
		CFG(PHY_BLK_EXP, size_of->physical_block_exp, 4),
		CFG(ALIGN_OFFSET, size_of->alignment_offset, 15),
		CFG(MIN_IO_SIZE, size_of->min_io_size, 16),
		CFG(OPT_IO_SIZE, size_of->opt_io_size, 256),
		{},
	};
	struct virtio_blk_config now;
	uint32_t queues;

	ASSERT_EQ(0, take(&self->blk, wishes, ~0ull));
	ASSERT_EQ(0, config(&self->blk, &now));
	EXPECT_EQ(800000, now.capacity);
	EXPECT_EQ(65536, now.size_max);
	EXPECT_EQ(100, now.seg_max);
	EXPECT_EQ(4096, now.blk_size);
	EXPECT_EQ(5, now.num_queues);
	EXPECT_EQ(4, now.physical_block_exp);
	EXPECT_EQ(15, now.alignment_offset);
	EXPECT_EQ(16, now.min_io_size);
	EXPECT_EQ(256, now.opt_io_size);
	EXPECT_EQ(8, now.discard_sector_alignment);
	ASSERT_EQ(0, vhost_ioctl(&self->blk.vhost, VHOST_VDPA_GET_VQS_COUNT, &queues));
	EXPECT_EQ(5, queues);

	/* whole logical blocks, to the last of them */
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(&self->blk, 800000 - 8, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(&self->blk, 800000, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(&self->blk, 4, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(&self->blk, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  blk_zero(&self->blk, VIRTIO_BLK_T_DISCARD, 0, 4, 0, 16));
}

TEST_F(made, far_larger_than_memory)
{
	static const struct wish wishes[] = {
		CFG(CAPACITY, size_of->capacity, 1ull << 53), {},
	};
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, take(blk, wishes, ~0ull));
	blk_pattern(blk->data, 4096, 1);
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, (1ull << 53) - 8, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 1ull << 40, 4096));
	memset(blk->data, 0, 4096);
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, (1ull << 53) - 8, 4096));
	EXPECT_TRUE(blk_matches(blk->data, 4096, 1));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 1ull << 52, 4096));
	EXPECT_TRUE(blk_all_zero(blk->data, 4096));
}

TEST_F(made, read_only)
{
	static const struct wish wishes[] = { { VDPA_ATTR_DEV_BLK_READ_ONLY, 1, 1 }, {} };
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, take(blk, wishes, ~0ull));
	EXPECT_NE(0, blk->vhost.features & BIT(VIRTIO_BLK_F_RO));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(blk, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, VIRTIO_BLK_T_DISCARD, 0, 1, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_request(blk, VIRTIO_BLK_T_FLUSH, 0, 0, true));
}

/* Nor if the driver is not told. */
TEST_F(made, read_only_unsaid)
{
	static const struct wish wishes[] = {
		{ VDPA_ATTR_DEV_BLK_READ_ONLY, 1, 1 },
		{ VDPA_ATTR_DEV_FEATURES, 8,
		  BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) },
		{},
	};
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, take(blk, wishes, ~0ull));
	EXPECT_EQ(0, blk->vhost.features & BIT(VIRTIO_BLK_F_RO));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(blk, 0, 512));
}

/* What a driver did not agree to it does not get. */
TEST_F(made, nothing_negotiated)
{
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, take(blk, NULL, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_request(blk, VIRTIO_BLK_T_FLUSH, 0, 0, true));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_zero(blk, VIRTIO_BLK_T_DISCARD, 0, 1, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_zero(blk, VIRTIO_BLK_T_SECURE_ERASE, 0, 1, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_zero(blk, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, blk_request(blk, 10, 0, 6, false));
	EXPECT_EQ(VIRTIO_BLK_S_OK,
		  blk_request(blk, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES, false));
}

struct refusal {
	struct wish wish;
	struct wish more;
	const char *why;
};

static const struct refusal refusals[] = {
	{ CFG(CAPACITY, size_of->capacity, 0), {}, "the capacity is zero" },
	{ CFG(CAPACITY, size_of->capacity, 1ull << 54), {}, "more than there can be" },
	{ CFG(CAPACITY, size_of->capacity, UINT64_MAX), {}, "more than there can be" },
	{ CFG(CAPACITY, size_of->capacity, 9), CFG(BLK_SIZE, size_of->blk_size, 4096),
	  "whole logical blocks" },
	{ CFG(BLK_SIZE, size_of->blk_size, 0), {}, "logical block size" },
	{ CFG(BLK_SIZE, size_of->blk_size, 256), {}, "logical block size" },
	{ CFG(BLK_SIZE, size_of->blk_size, 1536), {}, "logical block size" },
	{ CFG(BLK_SIZE, size_of->blk_size, 8192), {}, "logical block size" },
	{ CFG(SIZE_MAX, size_of->size_max, 511), {}, "room for a logical block" },
	{ CFG(SEG_MAX, size_of->seg_max, 0), {}, "1 to 1022 segments" },
	{ CFG(SEG_MAX, size_of->seg_max, 1023), {}, "1 to 1022 segments" },
	{ CFG(NUM_QUEUES, size_of->num_queues, 0), {}, "1 to 64 queues" },
	{ CFG(NUM_QUEUES, size_of->num_queues, 65), {}, "1 to 64 queues" },
	{ CFG(PHY_BLK_EXP, size_of->physical_block_exp, 17), {}, "alignment" },
	{ CFG(PHY_BLK_EXP, size_of->physical_block_exp, 255), {}, "alignment" },
	{ CFG(PHY_BLK_EXP, size_of->physical_block_exp, 3),
	  CFG(ALIGN_OFFSET, size_of->alignment_offset, 8), "alignment" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = "/nonexistent" }, {}, "cannot be opened" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = "" }, {}, "" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = "/dev/shm" }, {}, "cannot be opened" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = "/dev/shm" },
	  { VDPA_ATTR_DEV_BLK_READ_ONLY, 1, 1 }, "neither a file nor a block device" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = "/dev/null" }, {},
	  "neither a file nor a block device" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = FILE_NAME },
	  CFG(CAPACITY, size_of->capacity, 8), "smaller than the capacity" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = FILE_NAME },
	  CFG(SIZE_MAX, size_of->size_max, 65536), "at most 1 MiB" },
	{ { VDPA_ATTR_DEV_BLK_BACKING, .text = FILE_NAME },
	  CFG(BLK_SIZE, size_of->blk_size, 4096), "the capacity is zero" },
};

TEST_F(made, refused)
{
	unsigned int i;

	make_file(7 * 512 + 100);
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *bad = &refusals[i];
		const struct wish wishes[] = { bad->wish, bad->more, {} };

		EXPECT_GT(0, device_create(NAME, "vdpasim_blk", wishes, self->why)) {
			TH_LOG("number %u, \"%s\", was made", i, bad->why);
		}
		EXPECT_NE(NULL, strstr(self->why, bad->why)) {
			TH_LOG("number %u: \"%s\" is not \"%s\"", i, self->why, bad->why);
		}
		ASSERT_FALSE(device_exists(NAME));
	}
}

/* A file's odd end is left out; what is given may be less than it has. */
TEST_F(made, as_large_as_its_file)
{
	static const struct wish all[] = {
		{ VDPA_ATTR_DEV_BLK_BACKING, .text = FILE_NAME }, {},
	};
	static const struct wish less[] = {
		{ VDPA_ATTR_DEV_BLK_BACKING, .text = FILE_NAME },
		CFG(CAPACITY, size_of->capacity, 3), {},
	};
	struct virtio_blk_config now;

	make_file(7 * 512 + 100);
	ASSERT_EQ(0, take(&self->blk, all, ~0ull));
	ASSERT_EQ(0, config(&self->blk, &now));
	EXPECT_EQ(7, now.capacity);
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(&self->blk, 6, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(&self->blk, 7, 512));
	blk_stop(&self->blk);
	ASSERT_EQ(0, device_del(NAME));

	ASSERT_EQ(0, take(&self->blk, less, ~0ull));
	ASSERT_EQ(0, config(&self->blk, &now));
	EXPECT_EQ(3, now.capacity);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(&self->blk, 3, 512));
}

TEST_HARNESS_MAIN
