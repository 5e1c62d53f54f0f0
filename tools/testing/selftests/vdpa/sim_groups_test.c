// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of queues and address spaces: a queue's ring may be where its buffers are not,
 * and each is found only where the driver put it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "device.h"
#include "pages.h"
#include "kselftest_harness.h"

#define NAME "t-groups"
#define BIT(n) (1ull << (n))
#define DATA 0
#define RING 1
#define BACKEND (BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) | BIT(VHOST_BACKEND_F_IOTLB_ASID) | \
		 BIT(VHOST_BACKEND_F_DESC_ASID))

FIXTURE(groups) {
	struct blk blk;
	long pinned;
};

FIXTURE_VARIANT(groups) {
	uint64_t features;
};

/* direct descriptors only: indirect tables are where buffers are */
FIXTURE_VARIANT_ADD(groups, split) { .features = BIT(VIRTIO_RING_F_EVENT_IDX) };
FIXTURE_VARIANT_ADD(groups, packed) { .features = BIT(VIRTIO_F_RING_PACKED) };

FIXTURE_SETUP(groups)
{
	uint64_t backend = BACKEND;

	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add(NAME, "vdpasim_blk"));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, blk_prepare(&self->blk, NAME, variant->features));
	ASSERT_EQ(0, vhost_ioctl(&self->blk.vhost, VHOST_SET_BACKEND_FEATURES, &backend));
}

FIXTURE_TEARDOWN(groups)
{
	blk_stop(&self->blk);
	EXPECT_EQ(0, device_del(NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

static int move(struct vhost *vhost, unsigned int group, unsigned int asid)
{
	struct vhost_vring_state state = { .index = group, .num = asid };

	return vhost_ioctl(vhost, VHOST_VDPA_SET_GROUP_ASID, &state);
}

/* The session's memory, in or out of an address space. */
static int message(struct vhost *vhost, unsigned int asid, uint8_t type)
{
	struct vhost_msg_v2 msg;

	memset(&msg, 0, sizeof(msg));
	msg.type = VHOST_IOTLB_MSG_V2;
	msg.asid = asid;
	msg.iotlb.type = type;
	msg.iotlb.iova = VHOST_IOVA;
	msg.iotlb.size = VHOST_MEMORY;
	msg.iotlb.uaddr = (uintptr_t)vhost->memory;
	msg.iotlb.perm = VHOST_ACCESS_RW;
	return write(vhost->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

static int map(struct vhost *vhost, unsigned int asid)
{
	return message(vhost, asid, VHOST_IOTLB_UPDATE);
}

static int unmap(struct vhost *vhost, unsigned int asid)
{
	return message(vhost, asid, VHOST_IOTLB_INVALIDATE);
}

static int go(struct vhost *vhost)
{
	return vhost_set_status(vhost, vhost_get_status(vhost) | VIRTIO_CONFIG_S_DRIVER_OK);
}

static bool needs_reset(const void *data)
{
	return vhost_get_status((struct vhost *)data) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* A request that finds its ring or its buffers gone. */
static bool breaks(struct blk *blk)
{
	struct vring_seg segs[] = {
		{ blk->header, sizeof(*blk->header), false }, { blk->status, 1, true },
	};

	*blk->status = 0xff;
	*blk->header = (struct blk_header) { .type = VIRTIO_BLK_T_FLUSH };
	vring_add(&blk->queue, segs, 2);
	vring_force_kick(&blk->queue);
	return wait_until(needs_reset, &blk->vhost, 3) && *blk->status == 0xff;
}

TEST_F(groups, as_told)
{
	struct vhost_vring_state state = { .index = 0 };
	uint32_t groups, spaces;

	ASSERT_EQ(0, vhost_ioctl(&self->blk.vhost, VHOST_VDPA_GET_GROUP_NUM, &groups));
	ASSERT_EQ(0, vhost_ioctl(&self->blk.vhost, VHOST_VDPA_GET_AS_NUM, &spaces));
	EXPECT_EQ(2, groups);
	EXPECT_EQ(2, spaces);
	ASSERT_EQ(0, vhost_ioctl(&self->blk.vhost, VHOST_VDPA_GET_VRING_GROUP, &state));
	EXPECT_EQ(DATA, state.num);
	ASSERT_EQ(0, vhost_ioctl(&self->blk.vhost, VHOST_VDPA_GET_VRING_DESC_GROUP, &state));
	EXPECT_EQ(RING, state.num);
	EXPECT_EQ(-EINVAL, move(&self->blk.vhost, 2, 0));
	EXPECT_EQ(-EINVAL, move(&self->blk.vhost, RING, 2));
}

/* Until somebody moves it, a ring is where its buffers are. */
TEST_F(groups, follows)
{
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, map(&blk->vhost, 1));
	ASSERT_EQ(0, unmap(&blk->vhost, 0));
	ASSERT_EQ(0, move(&blk->vhost, DATA, 1));
	ASSERT_EQ(0, go(&blk->vhost));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 4096));
	ASSERT_EQ(0, unmap(&blk->vhost, 1));
	EXPECT_TRUE(breaks(blk));
}

/* The ring in one, the buffers in the other. */
TEST_F(groups, ring_gone)
{
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, map(&blk->vhost, 1));
	ASSERT_EQ(0, move(&blk->vhost, RING, 1));
	ASSERT_EQ(0, go(&blk->vhost));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 4096));
	ASSERT_EQ(0, unmap(&blk->vhost, 1));
	EXPECT_TRUE(breaks(blk));
}

TEST_F(groups, buffers_gone)
{
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, map(&blk->vhost, 1));
	ASSERT_EQ(0, move(&blk->vhost, RING, 1));
	ASSERT_EQ(0, go(&blk->vhost));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 4096));
	ASSERT_EQ(0, unmap(&blk->vhost, 0));
	EXPECT_TRUE(breaks(blk));
}

/* The other way round; and a reset brings both back to where they were. */
TEST_F(groups, swapped_and_reset)
{
	struct blk *blk = &self->blk;

	ASSERT_EQ(0, map(&blk->vhost, 1));
	ASSERT_EQ(0, move(&blk->vhost, RING, 0));
	ASSERT_EQ(0, move(&blk->vhost, DATA, 1));
	ASSERT_EQ(0, go(&blk->vhost));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_write(blk, 0, 4096));
	blk_stop(blk);
	ASSERT_EQ(0, blk_start(blk, NAME, variant->features));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_read(blk, 0, 4096));
}

TEST_HARNESS_MAIN
