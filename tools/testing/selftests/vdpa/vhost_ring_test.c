// SPDX-License-Identifier: GPL-2.0-only
/* /dev/vhost-vdpa-N: kicks, calls and resets under traffic. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include "nl.h"
#include "vhost_fixture.h"
#include "vring.h"

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Row 24 of the known defects: a kick that came before its eventfd was given. */
TEST_F(vhost, kick_before_it_is_heard)
{
	struct vhost_vring_file file = { .index = 1 };
	struct vring_queue rx, tx;
	struct vring_seg seg = { .write = false, .len = 12 + 60 };
	uint64_t one = 1;
	int fd;

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	ASSERT_EQ(0, vring_setup(&rx, &self->v, 0, 64, 0));
	ASSERT_EQ(0, vring_setup(&tx, &self->v, 1, 64, 0));
	ASSERT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
						VIRTIO_CONFIG_S_DRIVER_OK));
	/* the device looks at its queues when it begins, and not after that */
	usleep(300000);
	seg.at = vhost_alloc(&self->v, seg.len, 16);
	fd = eventfd(0, 0);
	ASSERT_EQ(8, write(fd, &one, 8));
	ASSERT_LE(0, vring_add(&tx, &seg, 1));
	file.fd = fd;
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_VRING_KICK, &file));
	EXPECT_LE(0, vring_wait(&tx, NULL, 20000));
	close(fd);
	vring_teardown(&rx);
	vring_teardown(&tx);
}

static volatile bool stop;

static void *replace_call(void *arg)
{
	struct vhost *v = arg;
	struct vhost_vring_file file = { .index = 1 };

	while (!stop) {
		file.fd = eventfd(0, EFD_NONBLOCK);
		vhost_ioctl(v, VHOST_SET_VRING_CALL, &file);
		close(file.fd);
	}
	return NULL;
}

/* Row 16 of the known defects: the eventfd is replaced while the device signals it. */
TEST_F(vhost, call_eventfd_replaced_under_traffic)
{
	struct vring_queue tx;
	struct vring_seg seg = { .write = false, .len = 12 + 60 };
	pthread_t thread;
	int i, done = 0;
	long end;

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	ASSERT_EQ(0, vring_setup(&tx, &self->v, 1, 64, 0));
	ASSERT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
						VIRTIO_CONFIG_S_DRIVER_OK));
	seg.at = vhost_alloc(&self->v, seg.len, 16);
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace_call, &self->v));
	for (i = 0; i < 2000; i++) {
		if (vring_add(&tx, &seg, 1) >= 0)
			vring_kick(&tx);
		while (vring_get(&tx, NULL) >= 0)
			done++;
	}
	for (end = milliseconds() + 20000; done < i && milliseconds() < end && tx.n_free < 64;)
		while (vring_get(&tx, NULL) >= 0)
			done++;
	stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(64, tx.n_free);
	EXPECT_LT(0, done);
	vring_teardown(&tx);
}

static void *replace_config_call(void *arg)
{
	struct vhost *v = arg;
	int fd;

	while (!stop) {
		fd = eventfd(0, EFD_NONBLOCK);
		vhost_ioctl(v, VHOST_VDPA_SET_CONFIG_CALL, &fd);
		close(fd);
	}
	return NULL;
}

/* Row 17 of the known defects: the same of the configuration's, while the link changes. */
TEST_F(vhost, config_eventfd_replaced_under_changes)
{
	pthread_t thread;
	struct nl nl;
	int i, fd;
	uint64_t told;

	ASSERT_TRUE(nl_open(&nl));
	ASSERT_EQ(0, vhost_negotiate(&self->v, ~0ull));
	ASSERT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
						VIRTIO_CONFIG_S_DRIVER_OK));
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace_config_call, &self->v));
	for (i = 0; i < 500; i++)
		EXPECT_EQ(0, nl_set_link(&nl, NAME, i % 2));
	stop = true;
	pthread_join(thread, NULL);

	/* and the one that is there in the end is told */
	fd = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_SET_CONFIG_CALL, &fd));
	EXPECT_EQ(0, nl_set_link(&nl, NAME, 0));
	EXPECT_EQ(8, read(fd, &told, sizeof(told)));
	close(fd);
	nl_close(&nl);
}

static void *kick_on(void *arg)
{
	struct vring_queue *queue = arg;
	uint64_t one = 1;

	while (!stop)
		if (write(queue->kick, &one, sizeof(one)) < 0)
			break;
	return NULL;
}

/* Row 23 of the known defects: reset under kicks from another thread. */
TEST_F(vhost, reset_under_kicks)
{
	struct vring_queue tx;
	pthread_t thread;
	int i;

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	for (i = 0; i < 50; i++) {
		self->v.used = 0;
		ASSERT_EQ(0, vring_setup(&tx, &self->v, 1, 64, 0));
		ASSERT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
							VIRTIO_CONFIG_S_DRIVER_OK));
		stop = false;
		ASSERT_EQ(0, pthread_create(&thread, NULL, kick_on, &tx));
		usleep(1000);
		EXPECT_EQ(0, vhost_set_status(&self->v, 0));
		stop = true;
		pthread_join(thread, NULL);
		vring_teardown(&tx);
		EXPECT_EQ(0, vhost_set_status(&self->v, VIRTIO_CONFIG_S_ACKNOWLEDGE |
							VIRTIO_CONFIG_S_DRIVER));
		EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_FEATURES, &self->v.features));
		EXPECT_EQ(0, vhost_set_status(&self->v, VIRTIO_CONFIG_S_ACKNOWLEDGE |
							VIRTIO_CONFIG_S_DRIVER |
							VIRTIO_CONFIG_S_FEATURES_OK));
	}
}

/*
 * Found in stock: queues that run before anything was mapped reach physical memory.
 * Here they reach nothing, and the device asks for a reset.
 */
TEST_F(vhost, rings_never_mapped)
{
	struct vring_queue tx;
	struct vring_seg seg = { .len = 72 };
	int i;

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	ASSERT_EQ(0, vring_setup(&tx, &self->v, 1, 64, 0));
	ASSERT_EQ(0, vhost_message(&self->v, VHOST_IOTLB_INVALIDATE, VHOST_IOVA, VHOST_MEMORY,
				   0, 0));
	ASSERT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
						VIRTIO_CONFIG_S_DRIVER_OK));
	seg.at = self->v.memory;
	vring_add(&tx, &seg, 1);
	vring_kick(&tx);
	for (i = 0; i < 200; i++) {
		if (vhost_get_status(&self->v) & VIRTIO_CONFIG_S_NEEDS_RESET)
			break;
		usleep(10000);
	}
	EXPECT_TRUE(vhost_get_status(&self->v) & VIRTIO_CONFIG_S_NEEDS_RESET);
	EXPECT_EQ(0, vhost_set_status(&self->v, 0));
	EXPECT_EQ(0, vhost_get_status(&self->v));
	vring_teardown(&tx);
}

TEST_HARNESS_MAIN
