// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state half of live migration: a device is suspended under traffic, its state saved,
 * and restored into a second one, which goes on with the same memory and the same rings.
 * No frame is lost, doubled, or out of order.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "pages.h"
#include "vring.h"
#include "kselftest_harness.h"

#define NAMES { "t-from", "t-to" }
#define HDR 12
#define LEN 64
#define NUM 64
#define BUFFER 256

static const char *const names[2] = NAMES;
static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, 7 };

/* Both devices see one memory, by the same IOVAs. */
FIXTURE(migrate) {
	struct vhost v[2];
	struct vring_queue rx, tx;
	uint8_t *frames, *buffers;
	uint8_t *at[NUM];
	uint32_t sent, received;
	unsigned int here;
	long pinned;
};

FIXTURE_VARIANT(migrate) {
	uint64_t features;
};

FIXTURE_VARIANT_ADD(migrate, plain) { .features = 0 };
FIXTURE_VARIANT_ADD(migrate, all) {
	.features = 1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_RING_F_EVENT_IDX
};

static struct vring_seg rx_seg(uint8_t *at)
{
	return (struct vring_seg) { at, BUFFER, true };
}

FIXTURE_SETUP(migrate)
{
	struct vring_seg seg;
	int i;

	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	for (i = 0; i < 2; i++) {
		if (device_exists(names[i]))
			device_del(names[i]);
		ASSERT_EQ(0, device_add_net(names[i], mac, 0));
		ASSERT_EQ(0, device_bind(names[i], "vhost_vdpa"));
		ASSERT_EQ(0, vhost_open(&self->v[i], names[i]));
	}
	ASSERT_EQ(0, vhost_negotiate(&self->v[0], variant->features));
	ASSERT_EQ(0, vring_setup(&self->rx, &self->v[0], 0, NUM, 0xfff0));
	ASSERT_EQ(0, vring_setup(&self->tx, &self->v[0], 1, NUM, 0xfff0));
	self->buffers = vhost_alloc(&self->v[0], NUM * BUFFER, 4096);
	self->frames = vhost_alloc(&self->v[0], NUM * BUFFER, 4096);
	for (i = 0; i < NUM; i++) {
		seg = rx_seg(self->buffers + i * BUFFER);
		self->at[vring_add(&self->rx, &seg, 1)] = seg.at;
	}
	ASSERT_EQ(0, vhost_set_status(&self->v[0], vhost_get_status(&self->v[0]) |
						   VIRTIO_CONFIG_S_DRIVER_OK));
	vring_kick(&self->rx);
}

FIXTURE_TEARDOWN(migrate)
{
	int i;

	vring_teardown(&self->rx);
	vring_teardown(&self->tx);
	for (i = 0; i < 2; i++) {
		vhost_close(&self->v[i]);
		EXPECT_EQ(0, device_del(names[i]));
	}
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* Send a frame that says which one it is. */
static bool send_one(struct vring_queue *tx, uint8_t *frames, uint32_t number)
{
	uint8_t *at = frames + number % NUM * BUFFER;
	struct vring_seg seg = { at, HDR + LEN, false };

	if (!tx->n_free)
		return false;
	memset(at, 0, HDR);
	memcpy(at + HDR, mac, 6);
	memcpy(at + HDR + 16, &number, sizeof(number));
	memset(at + HDR + 20, number & 0xff, LEN - 20);
	if (vring_add(tx, &seg, 1) < 0)
		return false;
	vring_kick(tx);
	return true;
}

#define traffic(n) ({							\
	uint32_t until_ = self->sent + (n), number_, len_;		\
	struct vring_seg seg_;						\
	int head_;							\
	while (self->sent < until_) {					\
		/* never more than there are buffers for */		\
		if (self->sent - self->received < NUM / 2 &&		\
		    send_one(&self->tx, self->frames, self->sent))	\
			self->sent++;					\
		while (vring_get(&self->tx, NULL) >= 0)			\
			;						\
		while ((head_ = vring_get(&self->rx, &len_)) >= 0) {	\
			memcpy(&number_, self->at[head_] + HDR + 16, 4);\
			ASSERT_EQ(self->received, number_);		\
			ASSERT_EQ(HDR + LEN, len_);			\
			ASSERT_EQ(number_ & 0xff, self->at[head_][HDR + LEN - 1]); \
			self->received++;				\
			seg_ = rx_seg(self->at[head_]);			\
			head_ = vring_add(&self->rx, &seg_, 1);		\
			self->at[head_] = seg_.at;			\
			vring_kick(&self->rx);				\
		}							\
	}								\
})

/* What a machine monitor would send to the other side. */
struct saved {
	uint8_t status;
	uint64_t features;
	uint8_t config[sizeof(struct virtio_net_config)];
	uint16_t base[2];
};

static int get_config(struct vhost *v, uint8_t *bytes)
{
	struct {
		struct vhost_vdpa_config head;
		uint8_t bytes[sizeof(struct virtio_net_config)];
	} config = { .head = { .len = sizeof(config.bytes) } };
	int err = vhost_ioctl(v, VHOST_VDPA_GET_CONFIG, &config);

	memcpy(bytes, config.bytes, sizeof(config.bytes));
	return err;
}

static int save(struct vhost *v, struct saved *saved)
{
	struct vhost_vring_state state = {};
	int err = vhost_ioctl(v, VHOST_VDPA_SUSPEND, NULL);
	int i;

	for (i = 0; !err && i < 2; i++) {
		state.index = i;
		err = vhost_ioctl(v, VHOST_GET_VRING_BASE, &state);
		saved->base[i] = state.num;
	}
	saved->status = vhost_get_status(v);
	saved->features = v->features;
	return err ?: get_config(v, saved->config);
}

/* The queue as it is, but on another device. */
static int move_queue(struct vring_queue *queue, struct vhost *v, uint16_t base)
{
	struct vhost_vring_state state = { .index = queue->index, .num = queue->num };
	struct vhost_vring_file file = { .index = queue->index, .fd = queue->kick };
	struct vhost_vring_addr addr = {
		.index = queue->index,
		.desc_user_addr = vhost_iova(queue->vhost, queue->desc),
		.avail_user_addr = vhost_iova(queue->vhost, queue->avail),
		.used_user_addr = vhost_iova(queue->vhost, queue->used),
	};
	int err = vhost_ioctl(v, VHOST_SET_VRING_NUM, &state);

	state.num = base;
	err = err ?: vhost_ioctl(v, VHOST_SET_VRING_BASE, &state);
	err = err ?: vhost_ioctl(v, VHOST_SET_VRING_ADDR, &addr);
	err = err ?: vhost_ioctl(v, VHOST_SET_VRING_KICK, &file);
	file.fd = queue->call;
	err = err ?: vhost_ioctl(v, VHOST_SET_VRING_CALL, &file);
	state.num = 1;
	return err ?: vhost_ioctl(v, VHOST_VDPA_SET_VRING_ENABLE, &state);
}

static int restore(struct vhost *v, struct vhost *memory, const struct saved *saved)
{
	uint64_t features = saved->features;
	uint8_t config[sizeof(saved->config)];
	int err;

	err = vhost_ioctl(v, VHOST_SET_OWNER, NULL);
	err = err ?: vhost_set_status(v, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	err = err ?: vhost_ioctl(v, VHOST_SET_FEATURES, &features);
	err = err ?: vhost_set_status(v, saved->status & ~VIRTIO_CONFIG_S_DRIVER_OK);
	v->features = features;
	err = err ?: vhost_message(v, VHOST_IOTLB_UPDATE, VHOST_IOVA, VHOST_MEMORY,
				   (uintptr_t)memory->memory, VHOST_ACCESS_RW);
	err = err ?: get_config(v, config);
	return err ?: memcmp(config, saved->config, sizeof(config)) ? -EILSEQ : 0;
}

TEST_F_TIMEOUT(migrate, back_and_forth, 120)
{
	struct saved saved;
	struct vhost *to;
	int i;

	for (i = 0; i < 20; i++) {
		/* the device is busy when it is suspended */
		traffic(1000 + 37 * i);
		ASSERT_EQ(0, save(&self->v[self->here], &saved));
		/* still: what is sent now waits for the other device */
		if (send_one(&self->tx, self->frames, self->sent))
			self->sent++;

		close(self->v[self->here].fd);
		self->v[self->here].fd = -1;
		self->here = !self->here;
		to = &self->v[self->here];
		if (to->fd < 0) {
			char path[256];

			ASSERT_TRUE(vhost_node(names[self->here], path, sizeof(path)));
			to->fd = open(path, O_RDWR);
			ASSERT_LE(0, to->fd);
		}
		ASSERT_EQ(0, restore(to, &self->v[0], &saved));
		ASSERT_EQ(0, move_queue(&self->rx, to, saved.base[0]));
		ASSERT_EQ(0, move_queue(&self->tx, to, saved.base[1]));
		ASSERT_EQ(0, vhost_set_status(to, saved.status));
	}
	traffic(1000);
	for (i = 0; self->received < self->sent && i < 1000; i++) {
		usleep(1000);
		traffic(1);
	}
	/* all but the last few, which were sent while the others were waited for */
	EXPECT_LE(self->sent - self->received, NUM);
}

/* Suspended, nothing moves; resumed, it goes on where it was. */
TEST_F(migrate, resume)
{
	struct vhost_vring_state before = { .index = 1 }, after = { .index = 1 };
	struct vhost *v = &self->v[0];
	int i;

	traffic(500);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, vhost_ioctl(v, VHOST_VDPA_SUSPEND, NULL));
		ASSERT_EQ(0, vhost_ioctl(v, VHOST_GET_VRING_BASE, &before));
		if (send_one(&self->tx, self->frames, self->sent))
			self->sent++;
		usleep(2000);
		ASSERT_EQ(0, vhost_ioctl(v, VHOST_GET_VRING_BASE, &after));
		EXPECT_EQ(before.num, after.num);
		ASSERT_EQ(0, vhost_ioctl(v, VHOST_VDPA_RESUME, NULL));
		traffic(200);
	}
}

TEST_HARNESS_MAIN
