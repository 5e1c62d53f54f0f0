// SPDX-License-Identifier: GPL-2.0-only
/* The network simulator's queues: several pairs, legacy drivers, broken rings. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "vring.h"
#include "kselftest_harness.h"

#define NAME "t-queues"
#define PAIRS 2
#define CTRL (2 * PAIRS)
#define RING 16
#define BUFFER 2048
#define BIT(n) (1ull << (n))
#define PLAIN (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) | \
	       BIT(VIRTIO_NET_F_CTRL_VQ))

static const uint8_t own[6] = { 0x52, 0x54, 0, 0, 0, 1 };

FIXTURE(queues) {
	struct vhost vhost;
	struct vring_queue queue[CTRL + 1];
	size_t clean;
	uint8_t *rx[PAIRS], *frame;
};

FIXTURE_SETUP(queues)
{
	uint64_t backend = BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) | BIT(VHOST_BACKEND_F_IOTLB_PERSIST);
	int i;

	if (device_exists(NAME))
		device_del(NAME);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add_net(NAME, own, PAIRS));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, vhost_open(&self->vhost, NAME));
	ASSERT_EQ(0, vhost_negotiate(&self->vhost, 0));
	/* memory stays mapped over a reset */
	ASSERT_EQ(0, vhost_ioctl(&self->vhost, VHOST_SET_BACKEND_FEATURES, &backend));
	self->frame = vhost_alloc(&self->vhost, BUFFER, 4096);
	for (i = 0; i < PAIRS; i++)
		self->rx[i] = vhost_alloc(&self->vhost, BUFFER, 4096);
	self->clean = self->vhost.used;
	for (i = 0; i <= CTRL; i++)
		self->queue[i] = (struct vring_queue) { .kick = -1, .call = -1 };
}

FIXTURE_TEARDOWN(queues)
{
	int i;

	vhost_close(&self->vhost);
	for (i = 0; i <= CTRL; i++)
		vring_teardown(&self->queue[i]);
	EXPECT_EQ(0, device_del(NAME));
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* Reset, and come up to FEATURES_OK with just these. */
static int restart(struct vhost *vhost, size_t clean, uint64_t features)
{
	uint8_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
	int err;

	vhost->used = clean;
	vhost->features = features;
	err = vhost_set_status(vhost, 0);
	if (!err)
		err = vhost_set_status(vhost, status);
	if (!err)
		err = vhost_ioctl(vhost, VHOST_SET_FEATURES, &features);
	if (!err)
		err = vhost_set_status(vhost, status | VIRTIO_CONFIG_S_FEATURES_OK);
	return err;
}

static int set_up(struct vhost *vhost, struct vring_queue *queue, unsigned int index)
{
	if (queue->vhost)
		vring_teardown(queue);
	return vring_setup(queue, vhost, index, RING, 0);
}

static int go(struct vhost *vhost)
{
	return vhost_set_status(vhost, vhost_get_status(vhost) | VIRTIO_CONFIG_S_DRIVER_OK);
}

static int post(struct vring_queue *rx, uint8_t *buffer)
{
	struct vring_seg seg = { buffer, BUFFER, true };

	if (vring_add(rx, &seg, 1) < 0)
		return -ENOSPC;
	vring_kick(rx);
	return 0;
}

static int transmit(struct vring_queue *tx, uint8_t *frame, uint32_t hdr, uint8_t mark)
{
	struct vring_seg seg = { frame, hdr + 60, false };

	memset(frame, 0, hdr + 60);
	memcpy(frame + hdr, own, 6);
	frame[hdr + 59] = mark;
	if (vring_add(tx, &seg, 1) < 0)
		return -ENOSPC;
	vring_kick(tx);
	return vring_wait(tx, NULL, 20000) < 0 ? -ETIMEDOUT : 0;
}

/* Jiffies of all processors that were not idle. */
static long busy(void)
{
	long user = 0, nice = 0, sys = 0;
	FILE *file = fopen("/proc/stat", "r");

	if (!file || fscanf(file, "cpu %ld %ld %ld", &user, &nice, &sys) != 3)
		sys = -1;
	if (file)
		fclose(file);
	return user + nice + sys;
}

/* Each pair loops back to itself, and a device with buffers to fill does not spin. */
TEST_F(queues, several_pairs)
{
	uint64_t mq = PLAIN | BIT(VIRTIO_NET_F_MQ);
	struct vring_queue *queue = self->queue;
	uint16_t pairs = PAIRS;
	struct vring_seg segs[3];
	uint32_t len;
	long before;
	int i;

	ASSERT_EQ(0, restart(&self->vhost, self->clean, mq));
	for (i = 0; i <= CTRL; i++)
		ASSERT_EQ(0, set_up(&self->vhost, &queue[i], i));
	ASSERT_EQ(0, go(&self->vhost));
	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, post(&queue[2 * i], self->rx[i]));

	usleep(200000);
	before = busy();
	usleep(1000000);
	EXPECT_GT(50, busy() - before);

	/* until the driver says how many pairs it uses, it is one: section 5.1.6.5.5 */
	ASSERT_EQ(0, transmit(&queue[3], self->frame, 12, 0x3f));
	ASSERT_LE(0, vring_wait(&queue[0], &len, 20000));
	EXPECT_EQ(0x3f, self->rx[0][12 + 59]);
	ASSERT_EQ(0, post(&queue[0], self->rx[0]));

	self->frame[0] = VIRTIO_NET_CTRL_MQ;
	self->frame[1] = VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET;
	memcpy(self->frame + 16, &pairs, 2);
	self->frame[32] = 0xff;
	segs[0] = (struct vring_seg) { self->frame, 2, false };
	segs[1] = (struct vring_seg) { self->frame + 16, 2, false };
	segs[2] = (struct vring_seg) { self->frame + 32, 1, true };
	ASSERT_LE(0, vring_add(&queue[CTRL], segs, 3));
	vring_kick(&queue[CTRL]);
	ASSERT_LE(0, vring_wait(&queue[CTRL], NULL, 20000));
	EXPECT_EQ(VIRTIO_NET_OK, self->frame[32]);

	for (i = PAIRS - 1; i >= 0; i--) {
		ASSERT_EQ(0, transmit(&queue[2 * i + 1], self->frame, 12, 0x40 + i));
		ASSERT_LE(0, vring_wait(&queue[2 * i], &len, 20000));
		EXPECT_EQ(72, len);
		EXPECT_EQ(0x40 + i, self->rx[i][12 + 59]);
	}
}

/* Section 5.1.6.1: a legacy driver's header does not count buffers. */
TEST_F(queues, legacy_header)
{
	struct vring_queue *queue = self->queue;
	uint32_t len;

	ASSERT_EQ(0, restart(&self->vhost, self->clean, BIT(VIRTIO_F_ACCESS_PLATFORM)));
	ASSERT_EQ(0, set_up(&self->vhost, &queue[0], 0));
	ASSERT_EQ(0, set_up(&self->vhost, &queue[1], 1));
	ASSERT_EQ(0, go(&self->vhost));
	ASSERT_EQ(0, post(&queue[0], self->rx[0]));
	ASSERT_EQ(0, transmit(&queue[1], self->frame, 10, 7));
	ASSERT_LE(0, vring_wait(&queue[0], &len, 20000));
	EXPECT_EQ(70, len);
	EXPECT_EQ(0, memcmp(own, self->rx[0] + 10, 6));
	EXPECT_EQ(7, self->rx[0][10 + 59]);
}

/* Stop a queue while the device runs, and set another ring up in its place. */
static int replace(struct vhost *vhost, struct vring_queue *queue, unsigned int num)
{
	struct vhost_vring_state off = { .index = queue->index };
	unsigned int index = queue->index;
	int err;

	err = vhost_ioctl(vhost, VHOST_VDPA_SET_VRING_ENABLE, &off);
	if (err)
		return err;
	vring_teardown(queue);
	return vring_setup(queue, vhost, index, num, 0);
}

/* Section 2.6.1: a queue starts over while its neighbour goes on. */
TEST_F(queues, one_is_reset)
{
	uint64_t features[] = { PLAIN | BIT(VIRTIO_F_RING_RESET),
				PLAIN | BIT(VIRTIO_F_RING_RESET) | BIT(VIRTIO_F_RING_PACKED) };
	struct vring_queue *queue = self->queue;
	int i, round;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, restart(&self->vhost, self->clean, features[i]));
		ASSERT_EQ(0, set_up(&self->vhost, &queue[0], 0));
		ASSERT_EQ(0, set_up(&self->vhost, &queue[1], 1));
		ASSERT_EQ(0, go(&self->vhost));
		for (round = 0; round < 4; round++) {
			ASSERT_EQ(0, post(&queue[0], self->rx[0]));
			ASSERT_EQ(0, transmit(&queue[1], self->frame, 12, round));
			ASSERT_LE(0, vring_wait(&queue[0], NULL, 20000));
			EXPECT_EQ(round, self->rx[0][12 + 59]);
			ASSERT_EQ(0, replace(&self->vhost, &queue[round & 1], 2 * RING));
		}
	}
	ASSERT_EQ(0, restart(&self->vhost, self->clean, PLAIN));
	ASSERT_EQ(0, set_up(&self->vhost, &queue[1], 1));
	ASSERT_EQ(0, go(&self->vhost));
	EXPECT_EQ(-EBUSY, replace(&self->vhost, &queue[1], 2 * RING));
}

/* Does debugfs say so of a queue? */
static bool seen(unsigned int index, const char *condition, unsigned int malformed)
{
	FILE *file = fopen("/sys/kernel/debug/vdpa_sim/" NAME, "r");
	unsigned int number, count;
	bool found = false;
	char line[256], is[16];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%u %15s %*s %*s %*s %*s %*s %*s %*s %u", &number, is,
			   &count) == 3 && number == index)
			found = !strcmp(is, condition) && count == malformed;
	if (file)
		fclose(file);
	return found;
}

/* What a receive ring did before a reset is not held against its pair after it. */
TEST_F(queues, broken_peer_before_reset)
{
	struct vring_queue *queue = self->queue;

	ASSERT_EQ(0, restart(&self->vhost, self->clean, PLAIN));
	ASSERT_EQ(0, set_up(&self->vhost, &queue[0], 0));
	ASSERT_EQ(0, set_up(&self->vhost, &queue[1], 1));
	ASSERT_EQ(0, go(&self->vhost));
	vring_publish(&queue[0], 0xffff);
	ASSERT_EQ(0, transmit(&queue[1], self->frame, 12, 0));
	usleep(100000);
	EXPECT_TRUE(vhost_get_status(&self->vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* which ring it was can be seen, and how often */
	EXPECT_TRUE(seen(0, "broken", 1));
	EXPECT_TRUE(seen(1, "running", 0));
	EXPECT_TRUE(seen(2, "off", 0));

	ASSERT_EQ(0, restart(&self->vhost, self->clean, PLAIN));
	ASSERT_EQ(0, set_up(&self->vhost, &queue[1], 1));
	ASSERT_EQ(0, go(&self->vhost));
	ASSERT_EQ(0, transmit(&queue[1], self->frame, 12, 0));
	usleep(100000);
	EXPECT_FALSE(vhost_get_status(&self->vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

TEST_HARNESS_MAIN
