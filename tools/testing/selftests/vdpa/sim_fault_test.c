// SPDX-License-Identifier: GPL-2.0-only
/*
 * An owner that answers its own page faults (userfaultfd), or does not. It holds up its
 * own requests and nothing else. Where pages are pinned the device does not fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <linux/vdpa.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "device.h"
#include "pages.h"
#include "kselftest_harness.h"

#define NAME "t-fault"

FIXTURE(fault) {
	struct blk blk;
	int uffd;
	bool va;
	long pinned;
};

FIXTURE_SETUP(fault)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MISSING_SHMEM };
	char use_va[4] = "";
	int fd = open("/sys/module/vdpa_sim/parameters/use_va", O_RDONLY);

	ASSERT_LT(0, read(fd, use_va, 3));
	close(fd);
	self->va = use_va[0] == 'Y';
	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add(NAME, "vdpasim_blk"));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, blk_start(&self->blk, NAME, ~0ull));
	self->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	ASSERT_LE(0, self->uffd);
	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_API, &api));
}

FIXTURE_TEARDOWN(fault)
{
	/* whoever waits for a page goes on when the descriptor goes */
	close(self->uffd);
	blk_stop(&self->blk);
	if (device_exists(NAME)) {
		EXPECT_EQ(0, device_del(NAME));
	}
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* Have nothing at the second page of the data, and faults there come to us. */
static int hide(int uffd, struct blk *blk)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)blk->data + 4096, 4096 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (madvise(blk->data + 4096, 4096, MADV_REMOVE) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

/* Ask for three pages. Return: the request's head. */
static int ask(struct blk *blk)
{
	struct vring_seg segs[] = {
		{ blk->header, sizeof(*blk->header), false },
		{ blk->data, 3 * 4096, true },
		{ blk->status, 1, true },
	};
	int head;

	*blk->header = (struct blk_header) { .type = VIRTIO_BLK_T_IN };
	*blk->status = 0xff;
	head = vring_add(&blk->queue, segs, 3);
	vring_kick(&blk->queue);
	return head;
}

/* Return: the device waits for the page. */
static bool waits(int uffd)
{
	struct pollfd pfd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&pfd, 1, 20000) == 1 && read(uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

TEST_F(fault, answered)
{
	struct blk *blk = &self->blk;
	struct uffdio_zeropage zero = { .range = { (uintptr_t)blk->data + 4096, 4096 } };

	blk_pattern(blk->data, 3 * 4096, 5);
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 0, 3 * 4096));
	memset(blk->data, 0, 3 * 4096);
	ASSERT_EQ(0, hide(self->uffd, blk));
	ASSERT_LE(0, ask(blk));
	if (!self->va) {
		EXPECT_LE(0, vring_wait(&blk->queue, NULL, 20000));
		return;
	}
	ASSERT_TRUE(waits(self->uffd));
	EXPECT_EQ(-1, vring_wait(&blk->queue, NULL, 300));
	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_ZEROPAGE, &zero));
	ASSERT_LE(0, vring_wait(&blk->queue, NULL, 20000));
	EXPECT_EQ(VIRTIO_BLK_S_OK, *blk->status);
	EXPECT_TRUE(blk_matches(blk->data, 3 * 4096, 5));
}

/* While it is not: maps change, the device is suspended, reset, and taken away. */
TEST_F(fault, not_answered)
{
	struct vhost *vhost = &self->blk.vhost;
	long start;

	if (!self->va)
		return;
	ASSERT_EQ(0, hide(self->uffd, &self->blk));
	ASSERT_LE(0, ask(&self->blk));
	ASSERT_TRUE(waits(self->uffd));
	start = now();
	EXPECT_EQ(0, vhost_message(vhost, VHOST_IOTLB_INVALIDATE, VHOST_IOVA + 0x300000,
				   4096, 0, 0));
	EXPECT_EQ(0, vhost_ioctl(vhost, VHOST_VDPA_SUSPEND, NULL));
	EXPECT_EQ(0, vhost_ioctl(vhost, VHOST_VDPA_RESUME, NULL));
	EXPECT_EQ(0, vhost_set_status(vhost, 0));
	EXPECT_EQ(0, device_del(NAME));
	EXPECT_GT(10000, now() - start);
	EXPECT_EQ(0xff, *self->blk.status);
}

/* Several times over, each time leaving someone behind. */
TEST_F(fault, left_behind)
{
	int i;

	if (!self->va)
		return;
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, hide(self->uffd, &self->blk));
		ASSERT_LE(0, ask(&self->blk));
		ASSERT_TRUE(waits(self->uffd));
		blk_stop(&self->blk);
		ASSERT_EQ(0, blk_start(&self->blk, NAME, ~0ull));
	}
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, 0, 4096));
}

TEST_HARNESS_MAIN
