// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio_vdpa: the kernel's own virtio_blk and virtio_net on simulated devices, as a
 * program sees them.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include "device.h"
#include "nl.h"
#include "kselftest_harness.h"

#define BLK "t-vblk"
#define NET "t-vnet"
#define CHUNK 65536
#define SIZE (0x40000ull * 512)

static bool node_exists(const void *path)
{
	return !access(path, R_OK | W_OK);
}

FIXTURE(disk) {
	char name[64];
	char path[128];
	int fd;
	char *data;
};

FIXTURE_SETUP(disk)
{
	if (device_exists(BLK))
		device_del(BLK);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add(BLK, "vdpasim_blk"));
	ASSERT_EQ(0, device_bind(BLK, "virtio_vdpa"));
	ASSERT_TRUE(device_child(BLK, "virtio*/block/*", self->name, sizeof(self->name)));
	snprintf(self->path, sizeof(self->path), "/dev/%s", self->name);
	ASSERT_TRUE(wait_until(node_exists, self->path, 5));
	self->fd = open(self->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, posix_memalign((void **)&self->data, 4096, CHUNK));
}

FIXTURE_TEARDOWN(disk)
{
	close(self->fd);
	free(self->data);
	EXPECT_EQ(0, device_del(BLK));
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

static void fill(char *data, uint64_t where)
{
	uint64_t *words = (uint64_t *)data;
	unsigned int i;

	for (i = 0; i < CHUNK / 8; i++)
		words[i] = where + i * 0x9e3779b97f4a7c15ull;
}

static bool filled(const char *data, uint64_t where)
{
	const uint64_t *words = (const uint64_t *)data;
	unsigned int i;

	for (i = 0; i < CHUNK / 8; i++)
		if (words[i] != where + i * 0x9e3779b97f4a7c15ull)
			return false;
	return true;
}

static bool zeroes(const char *data)
{
	unsigned int i;

	for (i = 0; i < CHUNK; i++)
		if (data[i])
			return false;
	return true;
}

TEST_F(disk, is_what_configuration_says)
{
	char path[256], serial[32] = "";
	uint64_t size;
	int block, fd;

	EXPECT_EQ(0, ioctl(self->fd, BLKGETSIZE64, &size));
	EXPECT_EQ(SIZE, size);
	EXPECT_EQ(0, ioctl(self->fd, BLKSSZGET, &block));
	EXPECT_EQ(512, block);
	snprintf(path, sizeof(path), "/sys/block/%s/serial", self->name);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, read(fd, serial, sizeof(serial) - 1));
	close(fd);
	EXPECT_EQ(0, strncmp(serial, "vdpa_blk_sim", 12));
}

TEST_F(disk, what_is_written_is_read)
{
	static const uint64_t places[] = { 0, 2 * CHUNK, 1 << 20, SIZE / 2, SIZE - CHUNK };
	unsigned int i;

	for (i = 0; i < 5; i++) {
		fill(self->data, places[i]);
		ASSERT_EQ(CHUNK, pwrite(self->fd, self->data, CHUNK, places[i]));
	}
	ASSERT_EQ(0, fsync(self->fd));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(CHUNK, pread(self->fd, self->data, CHUNK, places[i]));
		EXPECT_TRUE(filled(self->data, places[i]));
	}
	EXPECT_EQ(0, pread(self->fd, self->data, CHUNK, SIZE));
}

TEST_F(disk, discard_and_zero)
{
	uint64_t range[2] = { CHUNK, CHUNK };
	static const unsigned long requests[] = { BLKDISCARD, BLKZEROOUT };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		fill(self->data, CHUNK);
		ASSERT_EQ(CHUNK, pwrite(self->fd, self->data, CHUNK, CHUNK));
		ASSERT_EQ(CHUNK, pwrite(self->fd, self->data, CHUNK, 2 * CHUNK));
		ASSERT_EQ(0, ioctl(self->fd, requests[i], range));
		ASSERT_EQ(CHUNK, pread(self->fd, self->data, CHUNK, CHUNK));
		EXPECT_TRUE(zeroes(self->data));
		ASSERT_EQ(CHUNK, pread(self->fd, self->data, CHUNK, 2 * CHUNK));
		EXPECT_TRUE(filled(self->data, CHUNK));
	}
}

static volatile bool stop;

static void *read_on(void *arg)
{
	int fd = *(int *)arg;
	void *data;

	if (posix_memalign(&data, 4096, CHUNK))
		return NULL;
	while (!stop && pread(fd, data, CHUNK, 0) > 0)
		;
	free(data);
	return NULL;
}

/* The device goes while its callbacks run. */
TEST_F(disk, goes_under_load)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 5; i++) {
		stop = false;
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &self->fd));
		usleep(50000);
		ASSERT_EQ(0, device_unbind(BLK));
		stop = true;
		pthread_join(thread, NULL);
		close(self->fd);
		ASSERT_EQ(0, device_bind(BLK, "virtio_vdpa"));
		ASSERT_TRUE(device_child(BLK, "virtio*/block/*", self->name,
					 sizeof(self->name)));
		snprintf(self->path, sizeof(self->path), "/dev/%s", self->name);
		ASSERT_TRUE(wait_until(node_exists, self->path, 5));
		self->fd = open(self->path, O_RDWR | O_DIRECT | O_CLOEXEC);
		ASSERT_LE(0, self->fd);
	}
	fill(self->data, 7);
	EXPECT_EQ(CHUNK, pwrite(self->fd, self->data, CHUNK, 0));
	EXPECT_EQ(CHUNK, pread(self->fd, self->data, CHUNK, 0));
	EXPECT_TRUE(filled(self->data, 7));
}

/* how many an interface can have; any kind of socket may ask */
static int queue_pairs(const char *name)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq request = { .ifr_data = (void *)&channels };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return err ? -errno : (int)channels.max_combined;
}

TEST(network_interface)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
	char name[64], path[256], text[32] = "";
	struct nl nl;
	int fd;

	if (device_exists(NET))
		device_del(NET);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_TRUE(nl_open(&nl));
	nl_start(&nl, VDPA_CMD_DEV_NEW, false);
	mnl_attr_put_strz(nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME, "vdpasim_net");
	mnl_attr_put_strz(nl.request, VDPA_ATTR_DEV_NAME, NET);
	mnl_attr_put(nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac);
	mnl_attr_put_u16(nl.request, VDPA_ATTR_DEV_NET_CFG_MTU, 1300);
	mnl_attr_put_u16(nl.request, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 2);
	ASSERT_EQ(0, nl_send(&nl, NULL, NULL));
	nl_close(&nl);
	ASSERT_EQ(0, device_bind(NET, "virtio_vdpa"));
	ASSERT_TRUE(device_child(NET, "virtio*/net/*", name, sizeof(name)));

	snprintf(path, sizeof(path), "/sys/class/net/%s/mtu", name);
	EXPECT_EQ(1300, read_number(path));
	snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, read(fd, text, 17));
	close(fd);
	EXPECT_STREQ("52:54:00:01:02:03", text);
	/* both pairs were accepted by the device */
	EXPECT_EQ(2, queue_pairs(name));

	EXPECT_EQ(0, device_del(NET));
	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	EXPECT_EQ(-1, access(path, F_OK));
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

TEST_HARNESS_MAIN
