// SPDX-License-Identifier: GPL-2.0-only
/* What Documentation/ABI/testing/sysfs-bus-vdpa says, attribute by attribute. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "device.h"
#include "kselftest_harness.h"

#define NAME "t-sysfs"
#define BUS "/sys/bus/vdpa/"
#define DEVICE BUS "devices/" NAME "/"
#define VIRTIO BUS "drivers/virtio_vdpa/"
#define VHOST BUS "drivers/vhost_vdpa/"

FIXTURE(sysfs) {
	int unused;
};

FIXTURE_SETUP(sysfs)
{
	if (device_exists(NAME))
		device_del(NAME);
	ASSERT_EQ(0, write_file(BUS "drivers_autoprobe", "0"));
	ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
}

FIXTURE_TEARDOWN(sysfs)
{
	if (device_exists(NAME))
		EXPECT_EQ(0, device_del(NAME));
	write_file(BUS "drivers_autoprobe", "1");
}

static const char *text_of(const char *path)
{
	static char text[8192];
	int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	close(fd);
	return text;
}

static const char *driver(void)
{
	static char path[512];
	ssize_t len = readlink(DEVICE "driver", path, sizeof(path) - 1);

	if (len < 0)
		return "none";
	path[len] = 0;
	return strrchr(path, '/') + 1;
}

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_mode & 0777;
}

TEST_F(sysfs, drivers_autoprobe)
{
	EXPECT_EQ(0644, mode_of(BUS "drivers_autoprobe"));
	EXPECT_STREQ("0", text_of(BUS "drivers_autoprobe"));
	EXPECT_STREQ("none", driver());
	ASSERT_EQ(0, device_del(NAME));
	ASSERT_EQ(0, write_file(BUS "drivers_autoprobe", "1"));
	EXPECT_STREQ("1", text_of(BUS "drivers_autoprobe"));
	ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
	EXPECT_STRNE("none", driver());
}

TEST_F(sysfs, drivers_probe)
{
	EXPECT_EQ(0200, mode_of(BUS "drivers_probe"));
	EXPECT_EQ(-ENODEV, write_file(BUS "drivers_probe", "nobody"));
	ASSERT_EQ(0, write_file(DEVICE "driver_override", "vhost_vdpa"));
	ASSERT_EQ(0, write_file(BUS "drivers_probe", NAME));
	EXPECT_STREQ("vhost_vdpa", driver());
}

TEST_F(sysfs, bind_and_unbind)
{
	EXPECT_EQ(0200, mode_of(VHOST "bind"));
	EXPECT_EQ(0200, mode_of(VHOST "unbind"));
	ASSERT_EQ(0, write_file(VHOST "bind", NAME));
	EXPECT_STREQ("vhost_vdpa", driver());
	/* it is another's now, or nobody's */
	EXPECT_NE(0, write_file(VIRTIO "bind", NAME));
	EXPECT_EQ(-ENODEV, write_file(VIRTIO "unbind", NAME));
	EXPECT_EQ(-ENODEV, write_file(VHOST "bind", "nobody"));
	ASSERT_EQ(0, write_file(VHOST "unbind", NAME));
	EXPECT_STREQ("none", driver());
	EXPECT_EQ(-ENODEV, write_file(VHOST "unbind", NAME));
	ASSERT_EQ(0, write_file(VIRTIO "bind", NAME));
	EXPECT_STREQ("virtio_vdpa", driver());
}

TEST_F(sysfs, driver_override)
{
	EXPECT_EQ(0644, mode_of(DEVICE "driver_override"));
	EXPECT_STREQ("(null)", text_of(DEVICE "driver_override"));
	ASSERT_EQ(0, write_file(DEVICE "driver_override", "virtio_vdpa\n"));
	EXPECT_STREQ("virtio_vdpa", text_of(DEVICE "driver_override"));
	/* it neither binds nor unbinds, and the other one does not get it */
	EXPECT_STREQ("none", driver());
	EXPECT_EQ(-ENODEV, write_file(VHOST "bind", NAME));
	ASSERT_EQ(0, write_file(VIRTIO "bind", NAME));
	ASSERT_EQ(0, write_file(DEVICE "driver_override", "vhost_vdpa"));
	EXPECT_STREQ("virtio_vdpa", driver());
	/* an empty line takes it away */
	ASSERT_EQ(0, write_file(DEVICE "driver_override", "\n"));
	EXPECT_STREQ("(null)", text_of(DEVICE "driver_override"));
}

TEST_F(sysfs, driver_override_too_long)
{
	static char text[8192];

	memset(text, 'x', sizeof(text) - 1);
	ASSERT_EQ(0, write_file(DEVICE "driver_override", "none"));
	EXPECT_EQ(-EINVAL, write_file(DEVICE "driver_override", text));
	EXPECT_STREQ("none", text_of(DEVICE "driver_override"));
}

TEST_F(sysfs, uevent)
{
	char text[512] = "";
	FILE *file;

	EXPECT_STREQ("", text_of(DEVICE "uevent"));
	ASSERT_EQ(0, write_file(DEVICE "driver_override", "vhost_vdpa"));
	ASSERT_EQ(0, write_file(BUS "drivers_probe", NAME));
	file = fopen(DEVICE "uevent", "r");
	ASSERT_NE(NULL, file);
	EXPECT_LT(0, fread(text, 1, sizeof(text) - 1, file));
	fclose(file);
	EXPECT_NE(NULL, strstr(text, "DRIVER=vhost_vdpa\n"));
	EXPECT_NE(NULL, strstr(text, "MODALIAS=vdpa:vhost_vdpa\n"));
}

/* Row 9 of the known defects: it is read, written and matched against at once. */

static atomic_bool stop;

static void *write_override(void *data)
{
	while (!stop)
		write_file(DEVICE "driver_override", data);
	return NULL;
}

static void *read_override(void *data)
{
	int fd;
	char text[4096];

	while (!stop) {
		fd = open(DEVICE "driver_override", O_RDONLY);
		if (read(fd, text, sizeof(text)) < 0)
			perror("read");
		close(fd);
	}
	return NULL;
}

static void *match_override(void *data)
{
	while (!stop) {
		write_file(BUS "drivers_probe", NAME);
		device_unbind(NAME);
	}
	return NULL;
}

TEST_F(sysfs, driver_override_raced)
{
	pthread_t threads[5];
	int i;

	stop = false;
	pthread_create(&threads[0], NULL, write_override, "vhost_vdpa");
	pthread_create(&threads[1], NULL, write_override, "none");
	pthread_create(&threads[2], NULL, write_override, "\n");
	pthread_create(&threads[3], NULL, read_override, NULL);
	pthread_create(&threads[4], NULL, match_override, NULL);
	sleep(3);
	stop = true;
	for (i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, write_file(DEVICE "driver_override", "vhost_vdpa"));
	EXPECT_STREQ("vhost_vdpa", text_of(DEVICE "driver_override"));
}

TEST_HARNESS_MAIN
