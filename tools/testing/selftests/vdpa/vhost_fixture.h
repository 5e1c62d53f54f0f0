/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the harness: a network simulator that is bound and open, and at the bottom of every
 * test the check that nothing stays pinned.
 */
#ifndef VHOST_FIXTURE_H
#define VHOST_FIXTURE_H

#include "device.h"
#include "pages.h"
#include "vhost.h"
#include "kselftest_harness.h"

#define NAME "t-vhost"
#define PAGE 4096ull
#define BIT(n) (1ull << (n))

FIXTURE(vhost) {
	struct vhost v;
	long pinned;
};

FIXTURE_SETUP(vhost)
{
	/* what a test left that an assertion ended */
	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	ASSERT_EQ(0, write_file("/sys/bus/vdpa/drivers_autoprobe", "0"));
	ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, vhost_open(&self->v, NAME));
}

FIXTURE_TEARDOWN(vhost)
{
	vhost_close(&self->v);
	if (device_exists(NAME))
		EXPECT_EQ(0, device_del(NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

#endif
