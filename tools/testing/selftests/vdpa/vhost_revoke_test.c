// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vhost-vdpa-N: devices that go while a process has them, and in the middle of
 * anything that it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include "vhost_fixture.h"
#include "vring.h"

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TEST_F(vhost, device_goes_while_open)
{
	struct pollfd pollfd = { .fd = self->v.fd, .events = POLLIN };
	struct vhost_vring_state state = {};
	long start;

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	start = milliseconds();
	ASSERT_EQ(0, device_del(NAME));
	EXPECT_GT(10000, milliseconds() - start);

	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(-ENODEV, vhost_get_status(&self->v));
	EXPECT_EQ(-ENODEV, vhost_ioctl(&self->v, VHOST_SET_VRING_NUM, &state));
	EXPECT_EQ(-ENODEV, vhost_message(&self->v, VHOST_IOTLB_UPDATE, PAGE, PAGE,
					 (uintptr_t)self->v.memory, VHOST_ACCESS_RW));
	EXPECT_EQ(1, poll(&pollfd, 1, 1000));
	EXPECT_TRUE(pollfd.revents & POLLHUP);
	EXPECT_TRUE(pollfd.revents & POLLERR);
	/* the name is free while the old file is still open */
	EXPECT_EQ(0, device_add(NAME, "vdpasim_net"));
}

static void *wait_for_the_end(void *arg)
{
	struct pollfd pollfd = { .fd = *(int *)arg, .events = POLLIN };

	return (void *)(long)(poll(&pollfd, 1, 20000) == 1 && pollfd.revents & POLLHUP);
}

/* Who waits already is told at once, and not when it looks again. */
TEST_F_TIMEOUT(vhost, device_goes_while_polled, 60)
{
	long start = milliseconds();
	pthread_t thread;
	void *told;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_the_end, &self->v.fd));
	usleep(500000);
	EXPECT_EQ(0, device_del(NAME));
	pthread_join(thread, &told);
	EXPECT_NE(NULL, told);
	EXPECT_GT(15000, milliseconds() - start);
}

TEST_F(vhost, unbind_while_open)
{
	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	EXPECT_EQ(0, device_unbind(NAME));
	EXPECT_EQ(-ENODEV, vhost_get_status(&self->v));
	EXPECT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	EXPECT_EQ(-ENODEV, vhost_get_status(&self->v));
	vhost_close(&self->v);
	EXPECT_EQ(0, vhost_open(&self->v, NAME));
	EXPECT_EQ(0, vhost_get_status(&self->v));
}

/* Races: threads do something over and over until the device is gone under them. */

struct racer {
	struct vhost *v;
	int (*act)(struct vhost *v);
	long acts;
	int last;
};

static void *race(void *arg)
{
	struct racer *racer = arg;

	do {
		racer->last = racer->act(racer->v);
		racer->acts++;
	} while (racer->last != -ENODEV);
	return NULL;
}

static int act_status(struct vhost *v)
{
	int err = vhost_set_status(v, 0);

	return err ?: vhost_set_status(v, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
}

static int act_vring(struct vhost *v)
{
	struct vhost_vring_state state = { .index = 1, .num = 64 };
	struct vhost_vring_file file = { .index = 1, .fd = -1 };
	int err = vhost_ioctl(v, VHOST_SET_VRING_NUM, &state);

	if (err != -ENODEV)
		err = vhost_ioctl(v, VHOST_GET_VRING_BASE, &state);
	if (err == -ENODEV)
		return err;
	file.fd = eventfd(0, 0);
	err = vhost_ioctl(v, VHOST_SET_VRING_KICK, &file);
	if (err != -ENODEV)
		err = vhost_ioctl(v, VHOST_SET_VRING_CALL, &file);
	close(file.fd);
	return err;
}

static int act_config(struct vhost *v)
{
	struct {
		struct vhost_vdpa_config head;
		char bytes[8];
	} config = { .head = { .off = 0, .len = 8 } };

	return vhost_ioctl(v, VHOST_VDPA_GET_CONFIG, &config);
}

static int act_map(struct vhost *v)
{
	int err = vhost_message(v, VHOST_IOTLB_UPDATE, 1ull << 40, VHOST_MEMORY,
				(uintptr_t)v->memory, VHOST_ACCESS_RW);

	if (err == -ENODEV)
		return err;
	return vhost_message(v, VHOST_IOTLB_INVALIDATE, 1ull << 40, VHOST_MEMORY, 0, 0);
}

/* It cannot be opened twice, so this stops at ENOENT as well as at ENODEV. */
static int act_open(struct vhost *v)
{
	char path[256];
	int fd;

	if (!vhost_node(NAME, path, sizeof(path)))
		return -ENODEV;
	fd = open(path, O_RDWR);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno != EBUSY ? -ENODEV : 0;
}

static int act_poll(struct vhost *v)
{
	struct pollfd pollfd = { .fd = v->fd, .events = POLLIN };

	return poll(&pollfd, 1, 1) == 1 && pollfd.revents & POLLHUP ? -ENODEV : 0;
}

FIXTURE(races) {
	struct vhost v;
	struct vring_queue tx;
	long pinned;
};

FIXTURE_VARIANT(races) {
	int (*act)(struct vhost *v);
	bool unbind;
};

FIXTURE_VARIANT_ADD(races, status) { .act = act_status };
FIXTURE_VARIANT_ADD(races, vring) { .act = act_vring };
FIXTURE_VARIANT_ADD(races, config) { .act = act_config };
FIXTURE_VARIANT_ADD(races, map) { .act = act_map };
FIXTURE_VARIANT_ADD(races, map_unbind) { .act = act_map, .unbind = true };
FIXTURE_VARIANT_ADD(races, open) { .act = act_open };
FIXTURE_VARIANT_ADD(races, poll) { .act = act_poll };

FIXTURE_SETUP(races)
{
	if (device_exists(NAME))
		device_del(NAME);
	self->v.fd = -1;
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
}

FIXTURE_TEARDOWN(races)
{
	if (device_exists(NAME))
		EXPECT_EQ(0, device_del(NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* Removal ends in bounded time, whatever goes on, and everything that went on ends too. */
TEST_F_TIMEOUT(races, removal, 120)
{
	struct racer racers[2];
	pthread_t threads[2];
	int i, t;
	long start;

	for (i = 0; i < 15; i++) {
		ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
		ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
		ASSERT_EQ(0, vhost_open(&self->v, NAME));
		ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
		for (t = 0; t < 2; t++) {
			racers[t] = (struct racer) { .v = &self->v, .act = variant->act };
			ASSERT_EQ(0, pthread_create(&threads[t], NULL, race, &racers[t]));
		}
		usleep(500 + i * 700);
		start = milliseconds();
		EXPECT_EQ(0, variant->unbind ? device_unbind(NAME) : device_del(NAME));
		EXPECT_GT(10000, milliseconds() - start);
		for (t = 0; t < 2; t++) {
			pthread_join(threads[t], NULL);
			EXPECT_LT(0, racers[t].acts);
		}
		/* the memory is free before the file is closed */
		EXPECT_EQ(self->pinned, pages_pinned());
		vhost_close(&self->v);
		if (variant->unbind)
			EXPECT_EQ(0, device_del(NAME));
	}
}

static volatile bool kicking;

static void *kick(void *arg)
{
	uint64_t one = 1;

	while (kicking)
		if (write(*(int *)arg, &one, sizeof(one)) < 0)
			break;
	return NULL;
}

/* Kicks go on after the device is gone: their eventfd is the process's. */
TEST_F(vhost, removal_under_kicks)
{
	struct vring_queue tx;
	pthread_t thread;

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	ASSERT_EQ(0, vring_setup(&tx, &self->v, 1, 64, 0));
	ASSERT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
						VIRTIO_CONFIG_S_DRIVER_OK));
	kicking = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, kick, &tx.kick));
	usleep(5000);
	EXPECT_EQ(0, device_del(NAME));
	usleep(5000);
	kicking = false;
	pthread_join(thread, NULL);
	vring_teardown(&tx);
}

/* The file is closed at the moment at which the device goes. */
static void *close_it(void *arg)
{
	struct vhost *v = arg;

	usleep(rand() % 300);
	close(v->fd);
	v->fd = -1;
	return NULL;
}

TEST_F_TIMEOUT(vhost, removal_under_release, 60)
{
	pthread_t thread;
	int i;

	vhost_close(&self->v);
	ASSERT_EQ(0, device_del(NAME));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
		ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
		ASSERT_EQ(0, vhost_open(&self->v, NAME));
		ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
		ASSERT_EQ(0, pthread_create(&thread, NULL, close_it, &self->v));
		usleep(rand() % 300);
		EXPECT_EQ(0, device_del(NAME));
		pthread_join(thread, NULL);
		vhost_close(&self->v);
	}
}

TEST_HARNESS_MAIN
