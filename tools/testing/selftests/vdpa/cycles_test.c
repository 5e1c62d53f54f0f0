// SPDX-License-Identifier: GPL-2.0-only
/*
 * 200 times: create, bind, use a little, unbind, delete; both classes, both bus
 * drivers. Then the kernel holds what it held before.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "device.h"
#include "pages.h"
#include "vhost.h"
#include "kselftest_harness.h"

#define NAME "t-cycle"
#define CYCLES 200

/* bytes in use in all slab caches, or -1 */
static long slab_bytes(void)
{
	char line[512], name[64];
	long active, size, total = 0;
	FILE *file;

	write_file("/proc/sys/vm/drop_caches", "3");
	usleep(500000);
	file = fopen("/proc/slabinfo", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld %*d %ld", name, &active, &size) == 3)
			total += active * size;
	fclose(file);
	return total;
}

static int cycle(const char *mgmtdev, const char *driver)
{
	struct vhost vhost;
	int err;

	err = device_add(NAME, mgmtdev) ?: device_bind(NAME, driver);
	if (!err && !strcmp(driver, "vhost_vdpa")) {
		err = vhost_open(&vhost, NAME) ?: vhost_negotiate(&vhost, ~0ull);
		vhost_close(&vhost);
	}
	return err ?: device_unbind(NAME) ?: device_del(NAME);
}

FIXTURE(cycles) {
};

FIXTURE_VARIANT(cycles) {
	const char *mgmtdev;
	const char *driver;
};

FIXTURE_VARIANT_ADD(cycles, blk_virtio) { "vdpasim_blk", "virtio_vdpa" };
FIXTURE_VARIANT_ADD(cycles, blk_vhost) { "vdpasim_blk", "vhost_vdpa" };
FIXTURE_VARIANT_ADD(cycles, net_virtio) { "vdpasim_net", "virtio_vdpa" };
FIXTURE_VARIANT_ADD(cycles, net_vhost) { "vdpasim_net", "vhost_vdpa" };

FIXTURE_SETUP(cycles)
{
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
}

FIXTURE_TEARDOWN(cycles)
{
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

TEST_F_TIMEOUT(cycles, nothing_is_left, 280)
{
	long slab, pinned, grown;
	int i;

	/* what is allocated once, by the first device, is no leak */
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, cycle(variant->mgmtdev, variant->driver));
	pinned = pages_pinned();
	slab = slab_bytes();
	ASSERT_LT(0, slab);

	for (i = 0; i < CYCLES; i++)
		ASSERT_EQ(0, cycle(variant->mgmtdev, variant->driver)) {
			TH_LOG("cycle %d", i);
		}

	EXPECT_EQ(pinned, pages_pinned());
	/*
	 * 200 times the smallest allocation that could leak, 64 bytes, is 12.8 kB; the
	 * rest of the machine moves by more than that, so the bound is one structure
	 * of a device, of about 1 kB, each time.
	 */
	grown = slab_bytes() - slab;
	TH_LOG("slab grew by %ld bytes in %d cycles", grown, CYCLES);
	EXPECT_GT(CYCLES * 1024, grown);
}

TEST_HARNESS_MAIN
