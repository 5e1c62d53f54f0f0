// SPDX-License-Identifier: GPL-2.0-only
/* Tracepoints: each is there, fires when it should, and says what happened. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include "device.h"
#include "net.h"
#include "kselftest_harness.h"

#define NAME "t-trace"
#define KICKED " vdpa_kick: " NAME ": queue=1"
#define TRACING "/sys/kernel/tracing/"
#define BIT(n) (1ull << (n))

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

FIXTURE(trace) {
	char text[1 << 20];
};

static void enable(const char *value)
{
	write_file(TRACING "events/vdpa/enable", value);
}

/* Opening it so makes it empty. */
static void forget(void)
{
	close(open(TRACING "trace", O_WRONLY | O_TRUNC));
}

FIXTURE_SETUP(trace)
{
	if (device_exists(NAME))
		device_del(NAME);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	forget();
	enable("1");
}

FIXTURE_TEARDOWN(trace)
{
	enable("0");
	if (device_exists(NAME))
		device_del(NAME);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

static void read_trace(char *text, size_t size)
{
	FILE *file = fopen(TRACING "trace", "r");
	size_t len = file ? fread(text, 1, size - 1, file) : 0;

	text[len] = 0;
	if (file)
		fclose(file);
}

/* The last line of an event, from the device's name on; or an empty one. */
static const char *last(const char *text, const char *event)
{
	static char line[512];
	char what[64];
	const char *at, *found = NULL;

	snprintf(what, sizeof(what), " %s: %s: ", event, NAME);
	for (at = text; (at = strstr(at, what)); at++)
		found = at + strlen(what);
	snprintf(line, sizeof(line), "%.*s", found ? (int)strcspn(found, "\n") : 0,
		 found ?: "");
	return line;
}

TEST_F(trace, a_process)
{
	struct net net;
	uint64_t ns;
	int err, i;

	ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, net_start(&net, NAME, BIT(VIRTIO_F_VERSION_1) | BIT(17)));
	/* a device that is looking at its queue when a frame is added needs no kick */
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, net_transmit(&net, broadcast, 60));
		read_trace(self->text, sizeof(self->text));
		if (strstr(self->text, KICKED))
			break;
		usleep(20000);
	}
	ASSERT_EQ(0, vhost_message(&net.vhost, VHOST_IOTLB_INVALIDATE, VHOST_IOVA, VHOST_MEMORY,
				   0, 0));
	read_trace(self->text, sizeof(self->text));
	EXPECT_STREQ("vqs=3", last(self->text, "vdpa_dev_add"));
	EXPECT_STREQ("features=0x300020000 err=0", last(self->text, "vdpa_set_features"));
	EXPECT_STREQ("status=0xf", last(self->text, "vdpa_set_status"));
	EXPECT_STREQ("queue=2 ready=1", last(self->text, "vdpa_vq_ready"));
	EXPECT_EQ(0, strncmp("queue=2 desc=0x1", last(self->text, "vdpa_vq_address"), 16));
	/* the receiver may have got its frame, and its buffer back, by now: that kicks queue 0 */
	EXPECT_NE(NULL, strstr(self->text, KICKED));
	EXPECT_NE(0, strlen(last(self->text, "vdpa_interrupt")));
	ASSERT_EQ(2, sscanf(last(self->text, "vdpa_map"),
			    "asid=0 iova=0x10000000 size=0x400000 ns=%lu err=%d", &ns, &err));
	EXPECT_LT(0, ns);
	EXPECT_EQ(0, err);
	ASSERT_EQ(2, sscanf(last(self->text, "vdpa_unmap"),
			    "asid=0 iova=0x10000000 size=0x400000 ns=%lu err=%d", &ns, &err));
	EXPECT_EQ(0, err);

	net_stop(&net);
	ASSERT_EQ(0, device_del(NAME));
	read_trace(self->text, sizeof(self->text));
	EXPECT_EQ(0, strncmp("flags=0x1 err=0", last(self->text, "vdpa_reset"), 15));
	EXPECT_STREQ("vqs=3", last(self->text, "vdpa_dev_del"));
}

TEST_F(trace, refusals_and_batches)
{
	uint64_t backend = BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) | BIT(VHOST_BACKEND_F_IOTLB_BATCH);
	struct vhost v;
	int err;

	ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, vhost_open(&v, NAME));
	ASSERT_EQ(0, vhost_ioctl(&v, VHOST_SET_OWNER, NULL));
	ASSERT_EQ(0, vhost_ioctl(&v, VHOST_SET_BACKEND_FEATURES, &backend));
	ASSERT_EQ(0, vhost_message(&v, VHOST_IOTLB_BATCH_BEGIN, 0, 0, 0, 0));
	ASSERT_EQ(0, vhost_message(&v, VHOST_IOTLB_UPDATE, 0x1000, 0x1000, (uintptr_t)v.memory,
				   VHOST_ACCESS_RW));
	EXPECT_NE(0, vhost_message(&v, VHOST_IOTLB_UPDATE, 0x1000, 0x1000, (uintptr_t)v.memory,
				   VHOST_ACCESS_RW));
	ASSERT_EQ(0, vhost_message(&v, VHOST_IOTLB_BATCH_END, 0, 0, 0, 0));
	read_trace(self->text, sizeof(self->text));
	ASSERT_EQ(1, sscanf(last(self->text, "vdpa_map"),
			    "asid=0 iova=0x1000 size=0x1000 ns=%*u err=%d", &err));
	EXPECT_GT(0, err);
	ASSERT_EQ(1, sscanf(last(self->text, "vdpa_batch"), "asid=0 ns=%*u err=%d", &err));
	EXPECT_EQ(0, err);
	vhost_close(&v);
}

TEST_F(trace, the_kernels_drivers)
{
	char child[64];

	ASSERT_EQ(0, device_add(NAME, "vdpasim_blk"));
	ASSERT_EQ(0, device_bind(NAME, "virtio_vdpa"));
	ASSERT_TRUE(device_child(NAME, "virtio*/block", child, sizeof(child)));
	read_trace(self->text, sizeof(self->text));
	EXPECT_STREQ("status=0xf", last(self->text, "vdpa_set_status"));
	EXPECT_STREQ("queue=0 ready=1", last(self->text, "vdpa_vq_ready"));
	EXPECT_STREQ("queue=0", last(self->text, "vdpa_kick"));
	EXPECT_STREQ("queue=0", last(self->text, "vdpa_interrupt"));
	EXPECT_EQ(0, strncmp("offset=", last(self->text, "vdpa_get_config"), 7));
	EXPECT_EQ(0, strncmp("queue=0 desc=0x", last(self->text, "vdpa_vq_address"), 15));
	ASSERT_EQ(0, device_unbind(NAME));
	read_trace(self->text, sizeof(self->text));
	EXPECT_STREQ("queue=0 ready=0", last(self->text, "vdpa_vq_ready"));
}

/* Off, nothing is seen. */
TEST_F(trace, off)
{
	enable("0");
	forget();
	ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
	ASSERT_EQ(0, device_del(NAME));
	read_trace(self->text, sizeof(self->text));
	EXPECT_EQ(NULL, strstr(self->text, "vdpa_"));
}

TEST_HARNESS_MAIN
