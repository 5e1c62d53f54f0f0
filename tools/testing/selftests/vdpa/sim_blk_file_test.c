// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks on a file or a block device: what the driver wrote is there, byte for byte, and
 * what goes wrong with the file reaches the driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/loop.h>
#include <linux/vdpa.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "device.h"
#include "net.h"
#include "pages.h"
#include "kselftest_harness.h"

#define NAME "t-file"
#define DIR_NAME "/dev/shm/t-file.d"
#define IMAGE DIR_NAME "/disk.img"
#define SIZE (16u << 20)
#define BIT(n) (1ull << (n))
#define PACKED BIT(VIRTIO_F_RING_PACKED)

FIXTURE(file) {
	struct blk blk;
	char loop[64];
	char why[DEVICE_WHY];
	int fd;
	long pinned;
};

FIXTURE_VARIANT(file) {
	bool loop;
	uint64_t without;
};

/* a file through the page cache; a block device past it */
FIXTURE_VARIANT_ADD(file, buffered) { .without = PACKED };
FIXTURE_VARIANT_ADD(file, direct) { .loop = true, .without = PACKED };
/* a driver that never flushes */
FIXTURE_VARIANT_ADD(file, stable) { .loop = true, .without = BIT(VIRTIO_BLK_F_FLUSH) };
FIXTURE_VARIANT_ADD(file, packed) {
	.loop = true, .without = BIT(VIRTIO_RING_F_INDIRECT_DESC),
};

/* Have the image behind a loop device. Return: 0 or -errno. */
static int attach(char *loop, size_t size, int fd)
{
	int control, dev, number, err = 0;

	system("modprobe -q loop");
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	number = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (number < 0)
		return -ENODEV;
	snprintf(loop, size, "/dev/loop%d", number);
	dev = open(loop, O_RDWR | O_CLOEXEC);
	if (dev < 0 || ioctl(dev, LOOP_SET_FD, fd))
		err = -errno;
	close(dev);
	return err;
}

static void detach(const char *loop)
{
	int dev = open(loop, O_RDWR | O_CLOEXEC);

	ioctl(dev, LOOP_CLR_FD);
	close(dev);
}

FIXTURE_SETUP(file)
{
	struct wish wishes[] = { { VDPA_ATTR_DEV_BLK_BACKING, .text = IMAGE }, {} };

	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	mkdir(DIR_NAME, 0700);
	ASSERT_EQ(0, mount("t-file", DIR_NAME, "tmpfs", 0, "size=32m"));
	self->fd = open(IMAGE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
	if (variant->loop) {
		ASSERT_EQ(0, attach(self->loop, sizeof(self->loop), self->fd));
		wishes[0].text = self->loop;
	}
	ASSERT_EQ(0, device_create(NAME, "vdpasim_blk", wishes, NULL));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, blk_start(&self->blk, NAME, ~variant->without));
}

FIXTURE_TEARDOWN(file)
{
	blk_stop(&self->blk);
	if (device_exists(NAME)) {
		EXPECT_EQ(0, device_del(NAME));
	}
	EXPECT_EQ(self->pinned, pages_pinned());
	if (self->loop[0])
		detach(self->loop);
	close(self->fd);
	umount2(DIR_NAME, MNT_DETACH);
	rmdir(DIR_NAME);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* What the disk has is what the host sees, after a flush or without the need of one. */
TEST_F(file, bytes_are_there)
{
	static const struct { uint64_t sector; uint32_t len; } parts[] = {
		{ 0, 512 }, { 3, 4096 }, { 100, 131072 }, { SIZE / 512 - 256, 131072 },
	};
	char *data = malloc(131072);
	struct blk *blk = &self->blk;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		blk_pattern(blk->data, parts[i].len, i);
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, parts[i].sector, parts[i].len));
	}
	if (blk->vhost.features & BIT(VIRTIO_BLK_F_FLUSH))
		ASSERT_EQ(VIRTIO_BLK_S_OK,
			  blk_request(blk, VIRTIO_BLK_T_FLUSH, 0, 0, true));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(parts[i].len, pread(self->fd, data, parts[i].len,
					      parts[i].sector * 512));
		EXPECT_TRUE(blk_matches(data, parts[i].len, i));
	}
	ASSERT_EQ(131072, pread(self->fd, data, 131072, SIZE / 2));
	EXPECT_TRUE(blk_all_zero(data, 131072));
	free(data);
}

/* The disk has what the host put there. */
TEST_F(file, bytes_come_back)
{
	struct blk *blk = &self->blk;
	char *data = malloc(131072);

	blk_pattern(data, 131072, 77);
	ASSERT_EQ(131072, pwrite(self->fd, data, 131072, 65536));
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 128, 131072));
	EXPECT_TRUE(blk_matches(blk->data, 131072, 77));
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 129, 512));
	EXPECT_EQ(0, memcmp(blk->data, data + 512, 512));
	free(data);
}

/* What is discarded, or zeroed with leave to, takes no memory any more. */
TEST_F(file, given_back)
{
	static const struct { uint32_t type, flags; bool less; } ways[] = {
		{ VIRTIO_BLK_T_DISCARD, 0, true },
		{ VIRTIO_BLK_T_WRITE_ZEROES, 1, true },
		{ VIRTIO_BLK_T_WRITE_ZEROES, 0, false },
	};
	struct blk *blk = &self->blk;
	struct stat before, after;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		blk_pattern(blk->data, 131072, i);
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 0, 131072));
		ASSERT_EQ(0, fstat(self->fd, &before));
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_zero(blk, ways[i].type, 8, 240, ways[i].flags, 16));
		ASSERT_EQ(0, fstat(self->fd, &after));
		EXPECT_EQ(ways[i].less, after.st_blocks < before.st_blocks);
		EXPECT_EQ(SIZE, after.st_size);
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 131072));
		EXPECT_TRUE(blk_matches(blk->data, 4096, i));
		EXPECT_TRUE(blk_all_zero(blk->data + 4096, 240 * 512));
		EXPECT_NE(0, blk->data[248 * 512 + 1]);
	}
}

/* As many as the ring holds, in flight at the same time: more than the device buffers. */
TEST_F(file, many_in_flight)
{
	struct blk *blk = &self->blk;
	struct blk_header *headers = vhost_alloc(&blk->vhost, 64 * sizeof(*headers), 16);
	uint8_t *status = vhost_alloc(&blk->vhost, 64, 1);
	uint8_t *data = vhost_alloc(&blk->vhost, 16 * 131072, 4096);
	unsigned int round, i, n, done;

	for (round = 0; round < 8; round++) {
		bool write = !(round & 1);

		for (i = 0; i < 16 && write; i++)
			blk_pattern(data + i * 131072, 131072, 16 * round + i);
		memset(status, 0xff, 64);
		for (n = 0; n < 64; n++) {
			struct vring_seg segs[] = {
				{ &headers[n], sizeof(*headers), false },
				{ data + n % 16 * 131072, 131072, !write },
				{ &status[n], 1, true },
			};

			headers[n] = (struct blk_header) {
				.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
				.sector = n % 16 * 256,
			};
			if (vring_add(&blk->queue, segs, 3) < 0)
				break;
		}
		EXPECT_LE(21, n);
		vring_kick(&blk->queue);
		for (done = 0; done < n; done++)
			ASSERT_LE(0, vring_wait(&blk->queue, NULL, 20000));
		for (i = 0; i < n; i++)
			EXPECT_EQ(VIRTIO_BLK_S_OK, status[i]);
		for (i = 0; i < 16 && !write; i++)
			EXPECT_TRUE(blk_matches(data + i * 131072, 131072,
						16 * (round - 1) + i));
	}
}

/* Suspended with requests in flight: the ring has no holes, and all are answered later. */
TEST_F(file, suspended_in_flight)
{
	struct blk *blk = &self->blk;
	struct blk_header *headers = vhost_alloc(&blk->vhost, 16 * sizeof(*headers), 16);
	uint8_t *status = vhost_alloc(&blk->vhost, 16, 1);
	uint8_t *data = vhost_alloc(&blk->vhost, 16 * 65536, 4096);
	struct vhost_vring_state state = { .index = 0 };
	int i, done, round;
	uint16_t start;

	for (round = 0; round < 10; round++) {
		start = blk->queue.avail_idx;
		for (i = 0; i < 16; i++) {
			struct vring_seg segs[] = {
				{ &headers[i], sizeof(*headers), false },
				{ data + i * 65536, 65536, false },
				{ &status[i], 1, true },
			};

			blk_pattern(data + i * 65536, 65536, round + i);
			status[i] = 0xff;
			headers[i] = (struct blk_header) {
				.type = VIRTIO_BLK_T_OUT, .sector = i * 128,
			};
			ASSERT_LE(0, vring_add(&blk->queue, segs, 3));
		}
		vring_kick(&blk->queue);
		usleep(round * 300);
		ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_VDPA_SUSPEND, NULL));
		for (done = 0; vring_wait(&blk->queue, NULL, 20) >= 0; done++)
			;
		ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_GET_VRING_BASE, &state));
		if (!blk->queue.packed) {
			EXPECT_EQ(start + done, state.num);
		}
		for (i = 0; i < 16; i++)
			EXPECT_EQ(i < done ? VIRTIO_BLK_S_OK : 0xff, status[i]);
		ASSERT_EQ(0, vhost_ioctl(&blk->vhost, VHOST_VDPA_RESUME, NULL));
		for (; done < 16; done++)
			ASSERT_LE(0, vring_wait(&blk->queue, NULL, 5000));
		for (i = 0; i < 16; i++) {
			EXPECT_EQ(VIRTIO_BLK_S_OK, status[i]);
			ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, i * 128, 65536));
			EXPECT_TRUE(blk_matches(blk->data, 65536, round + i));
		}
	}
}

/* The device goes while requests are in flight. */
TEST_F(file, deleted_in_flight)
{
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, blk_kick_reads(blk, 20, 131072));
	EXPECT_EQ(0, device_del(NAME));
}

/* A request larger than what the device buffers for one is refused. */
TEST_F(file, too_large)
{
	struct blk *blk = &self->blk;
	struct vring_seg segs[] = {
		{ blk->header, sizeof(*blk->header), false },
		{ blk->vhost.memory, (1u << 20) + 512, true },
		{ blk->status, 1, true },
	};

	*blk->header = (struct blk_header) { .type = VIRTIO_BLK_T_IN };
	*blk->status = 0xff;
	ASSERT_LE(0, vring_add(&blk->queue, segs, 3));
	vring_kick(&blk->queue);
	ASSERT_LE(0, vring_wait(&blk->queue, NULL, 5000));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, *blk->status);
	EXPECT_EQ(1, vstat(NAME, 0, "errors"));
}

/* What the file cannot do fails, and the device goes on. */
TEST_F(file, errors)
{
	struct blk *blk = &self->blk;
	int fd;

	if (variant->loop)
		return;
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 0, 4096));
	/* no room any more behind the hole */
	fd = open(DIR_NAME "/fill", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, blk->data, 65536) > 0)
		;
	while (write(fd, blk->data, 512) > 0)
		;
	close(fd);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(blk, 4096, 65536));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 0, 4096));
	ASSERT_EQ(0, unlink(DIR_NAME "/fill"));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 4096, 65536));
	/* and now it is shorter than it was */
	ASSERT_EQ(0, ftruncate(self->fd, SIZE / 2));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(blk, SIZE / 1024, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(blk, SIZE / 1024 - 4, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, SIZE / 1024 - 8, 4096));
	EXPECT_EQ(3, vstat(NAME, 0, "errors"));
	EXPECT_FALSE(vhost_get_status(&blk->vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/* A block device has one user; when its device goes it can have another. */
TEST_F(file, claimed)
{
	const struct wish wishes[] = {
		{ VDPA_ATTR_DEV_BLK_BACKING, .text = self->loop }, {},
	};
	int fd;

	if (!variant->loop)
		return;
	EXPECT_EQ(-EBUSY, device_create("t-file2", "vdpasim_blk", wishes, self->why));
	EXPECT_NE(NULL, strstr(self->why, "cannot be opened"));
	EXPECT_EQ(-1, open(self->loop, O_RDWR | O_EXCL | O_CLOEXEC));
	blk_stop(&self->blk);
	ASSERT_EQ(0, device_del(NAME));
	fd = open(self->loop, O_RDWR | O_EXCL | O_CLOEXEC);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(file, read_only)
{
	const struct wish wishes[] = {
		{ VDPA_ATTR_DEV_BLK_BACKING, .text = variant->loop ? self->loop : IMAGE },
		{ VDPA_ATTR_DEV_BLK_READ_ONLY, 1, 1 }, {},
	};
	struct blk *blk = &self->blk;

	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 0, 4096));
	blk_stop(blk);
	ASSERT_EQ(0, device_del(NAME));
	ASSERT_EQ(0, device_create(NAME, "vdpasim_blk", wishes, NULL));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, blk_start(blk, NAME, ~0ull));
	EXPECT_NE(0, blk->vhost.features & BIT(VIRTIO_BLK_F_RO));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_write(blk, 0, 4096));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_zero(blk, VIRTIO_BLK_T_DISCARD, 0, 8, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_request(blk, VIRTIO_BLK_T_FLUSH, 0, 0, true));
}

TEST_HARNESS_MAIN
