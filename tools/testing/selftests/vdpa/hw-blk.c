// SPDX-License-Identifier: GPL-2.0-only
/* A disk of the PCI bus, as a vDPA device of this process. See hw.h. */
#include <string.h>
#include <unistd.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "device.h"
#include "hw.h"
#include "pages.h"
#include "kselftest_harness.h"

#define BIT(n) (1ull << (n))
#define RING (BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX))
#define PACKED BIT(VIRTIO_F_RING_PACKED)

FIXTURE(blk) {
	struct blk blk;
	long pinned;
};

FIXTURE_VARIANT(blk) {
	uint64_t without;
};

FIXTURE_VARIANT_ADD(blk, split) { .without = PACKED | BIT(VIRTIO_BLK_F_MQ) };
FIXTURE_VARIANT_ADD(blk, packed) { .without = RING | BIT(VIRTIO_BLK_F_MQ) };

FIXTURE_SETUP(blk)
{
	if (device_exists(HW_NAME))
		device_del(HW_NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add(HW_NAME, hw_mgmt("HW_BLK")));
	ASSERT_EQ(0, device_bind(HW_NAME, "vhost_vdpa"));
	ASSERT_EQ(0, blk_start(&self->blk, HW_NAME, ~variant->without));
}

FIXTURE_TEARDOWN(blk)
{
	blk_stop(&self->blk);
	if (device_exists(HW_NAME))
		EXPECT_EQ(0, device_del(HW_NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* From 8 MiB on, 64 KiB each; who started the machine compares them from outside. */
#define PATTERN_SECTOR 16384
#define PATTERN_PARTS 32

TEST_F(blk, what_is_seen_from_outside)
{
	int i;

	for (i = 0; i < PATTERN_PARTS; i++) {
		blk_pattern(self->blk.data, 65536, i);
		ASSERT_EQ(VIRTIO_BLK_S_OK,
			  blk_write(&self->blk, PATTERN_SECTOR + 128 * i, 65536));
	}
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_request(&self->blk, VIRTIO_BLK_T_FLUSH, 0, 0, true));
	for (i = 0; i < PATTERN_PARTS; i++) {
		memset(self->blk.data, 0, 65536);
		ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, PATTERN_SECTOR + 128 * i, 65536));
		ASSERT_TRUE(blk_matches(self->blk.data, 65536, i));
	}
}

TEST_F(blk, ends_of_the_disk)
{
	struct {
		struct vhost_vdpa_config head;
		uint64_t capacity;
	} config = { .head.len = 8 };

	ASSERT_EQ(0, vhost_ioctl(&self->blk.vhost, VHOST_VDPA_GET_CONFIG, &config));
	ASSERT_EQ(VIRTIO_BLK_S_OK, blk_read(&self->blk, config.capacity - 1, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, blk_read(&self->blk, config.capacity, 512));
}

/* A disk that shall write where nothing is mapped writes nothing, nowhere. */
TEST_F(blk, outside_of_the_map_faults)
{
	struct vring_seg segs[3] = {
		{ self->blk.header, sizeof(*self->blk.header), false },
		{ self->blk.vhost.memory + (HW_ELSEWHERE - VHOST_IOVA), 512, true },
		{ self->blk.status, 1, true },
	};
	int log = hw_log_open();

	*self->blk.header = (struct blk_header) { .type = VIRTIO_BLK_T_IN };
	ASSERT_LE(0, vring_add(&self->blk.queue, segs, 3));
	vring_kick(&self->blk.queue);
	EXPECT_TRUE(hw_log_has_fault(log, HW_ELSEWHERE));
	close(log);
}

TEST_HARNESS_MAIN
