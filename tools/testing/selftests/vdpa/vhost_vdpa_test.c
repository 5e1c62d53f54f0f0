// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vhost-vdpa-N: sessions, ioctls, messages, memory that is pinned, and devices
 * that go while a process has them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "pages.h"
#include "vhost.h"
#include "vring.h"
#include "kselftest_harness.h"

#define NAME "t-vhost"
#define PAGE 4096ull
#define BIT(n) (1ull << (n))

/* kB that the kernel charges this process for */
static long vm_pin(void)
{
	char line[256];
	long kb = -1;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmPin: %ld kB", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

static bool by_pinned_pages(void)
{
	char value = 'Y';
	int fd = open("/sys/module/vdpa_sim/parameters/use_va", O_RDONLY);

	if (fd >= 0) {
		if (read(fd, &value, 1) != 1)
			value = 'Y';
		close(fd);
	}
	return value == 'N';
}

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
	/* the bottom of every test: nothing stays pinned */
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

TEST_F(vhost, one_opener)
{
	char path[256];
	int fd;

	ASSERT_TRUE(vhost_node(NAME, path, sizeof(path)));
	fd = open(path, O_RDWR);
	EXPECT_EQ(-1, fd);
	EXPECT_EQ(EBUSY, errno);
	close(self->v.fd);
	self->v.fd = open(path, O_RDWR);
	EXPECT_LE(0, self->v.fd);
}

TEST_F(vhost, numbers)
{
	struct vhost_vdpa_iova_range range;
	struct vhost_vring_state state = { .index = 2 };
	unsigned int number;
	uint16_t num;
	uint32_t u32;

	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_DEVICE_ID, &u32));
	EXPECT_EQ(VIRTIO_ID_NET, u32);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_VRING_NUM, &num));
	EXPECT_EQ(256, num);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_CONFIG_SIZE, &u32));
	EXPECT_EQ(sizeof(struct virtio_net_config), u32);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_VQS_COUNT, &u32));
	EXPECT_EQ(3, u32);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_GROUP_NUM, &u32));
	EXPECT_EQ(2, u32);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_AS_NUM, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_IOVA_RANGE, &range));
	EXPECT_EQ(0, range.first);
	EXPECT_EQ(UINT64_MAX, range.last);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_VRING_GROUP, &state));
	EXPECT_EQ(1, state.num);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_VRING_SIZE, &state));
	EXPECT_EQ(256, state.num);
	EXPECT_EQ(-EOPNOTSUPP, vhost_ioctl(&self->v, VHOST_VDPA_GET_VRING_DESC_GROUP, &state));
}

TEST_F(vhost, status)
{
	EXPECT_EQ(0, vhost_get_status(&self->v));
	EXPECT_EQ(0, vhost_set_status(&self->v, VIRTIO_CONFIG_S_ACKNOWLEDGE |
						VIRTIO_CONFIG_S_DRIVER));
	EXPECT_EQ(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER,
		  vhost_get_status(&self->v));
	/* bits are gained, or all lost */
	EXPECT_EQ(-EINVAL, vhost_set_status(&self->v, VIRTIO_CONFIG_S_ACKNOWLEDGE));
	EXPECT_EQ(0, vhost_set_status(&self->v, 0));
	EXPECT_EQ(0, vhost_get_status(&self->v));
}

TEST_F(vhost, features)
{
	uint64_t features;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_GET_FEATURES, &features));
	EXPECT_TRUE(features & BIT(VIRTIO_F_VERSION_1));
	EXPECT_TRUE(features & BIT(VIRTIO_F_ACCESS_PLATFORM));

	features = 0;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_FEATURES, &features));
	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	features = self->v.features;
	EXPECT_EQ(-EBUSY, vhost_ioctl(&self->v, VHOST_SET_FEATURES, &features));
	EXPECT_EQ(0, vhost_set_status(&self->v, 0));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_FEATURES, &features));
}

TEST_F(vhost, backend_features)
{
	uint64_t offered, want;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_GET_BACKEND_FEATURES, &offered));
	want = BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) | BIT(VHOST_BACKEND_F_IOTLB_BATCH) |
	       BIT(VHOST_BACKEND_F_IOTLB_ASID) | BIT(VHOST_BACKEND_F_SUSPEND) |
	       BIT(VHOST_BACKEND_F_RESUME) | BIT(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK) |
	       BIT(VHOST_BACKEND_F_IOTLB_PERSIST) | BIT(48);
	EXPECT_EQ(want, offered);
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_BACKEND_FEATURES, &offered));
	want = BIT(60);
	EXPECT_EQ(-EOPNOTSUPP, vhost_ioctl(&self->v, VHOST_SET_BACKEND_FEATURES, &want));
	want = BIT(VHOST_BACKEND_F_DESC_ASID);
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_SET_BACKEND_FEATURES, &want));
}

TEST_F(vhost, owner)
{
	struct vhost_vring_state state = { .index = 0, .num = 64 };
	int status;
	pid_t pid;

	EXPECT_EQ(-EPERM, vhost_ioctl(&self->v, VHOST_SET_VRING_NUM, &state));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EBUSY, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_VRING_NUM, &state));

	/* another process with the same file is not its owner */
	pid = fork();
	if (!pid)
		_exit(vhost_ioctl(&self->v, VHOST_SET_VRING_NUM, &state) == -EPERM ? 0 : 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Rows 10 and 44 of the known defects: ranges that wrap, are empty, or end too late. */
TEST_F(vhost, config_ranges)
{
	static const struct { uint32_t off, len; } bad[] = {
		{ 0xffffffff, 1 }, { 0xffffffff, 0xffffffff }, { 1, 0xffffffff },
		{ sizeof(struct virtio_net_config), 1 }, { 0, 4096 }, { 0, 0 },
		{ 0xfffffff0, 0x20 },
	};
	struct {
		struct vhost_vdpa_config head;
		uint8_t bytes[64];
	} config;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&config, 0, sizeof(config));
		config.head.off = bad[i].off;
		config.head.len = bad[i].len;
		EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_VDPA_GET_CONFIG, &config)) {
			TH_LOG("offset %#x length %#x", bad[i].off, bad[i].len);
		}
		EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_VDPA_SET_CONFIG, &config));
	}

	ASSERT_EQ(0, vhost_negotiate(&self->v, ~0ull));
	memset(&config, 0, sizeof(config));
	config.head.off = offsetof(struct virtio_net_config, mtu);
	config.head.len = 2;
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_CONFIG, &config));
	EXPECT_EQ(1500, config.bytes[0] | config.bytes[1] << 8);
}

/*
 * Every vring ioctl: with an index that is none of the device's, then with good and
 * bad arguments in the states where stock tells them apart.
 */
TEST_F(vhost, vring_index)
{
	static const unsigned long cmds[] = {
		VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR, VHOST_SET_VRING_BASE,
		VHOST_GET_VRING_BASE, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
		VHOST_SET_VRING_ERR, VHOST_VDPA_SET_VRING_ENABLE,
		VHOST_VDPA_GET_VRING_GROUP, VHOST_VDPA_GET_VRING_SIZE,
	};
	static const uint32_t bad[] = { 3, 0x8000, 0xffff, 0x10000, 0xffffffff };
	unsigned int i, j;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			struct vhost_vring_addr arg = { .index = bad[j] };

			EXPECT_EQ(-ENOBUFS, vhost_ioctl(&self->v, cmds[i], &arg)) {
				TH_LOG("ioctl %#lx index %#x", cmds[i], bad[j]);
			}
		}
}

TEST_F(vhost, vring_arguments)
{
	static const uint32_t sizes[] = { 0, 3, 257, 512, 0x10000, 0xffffffff };
	struct vhost_vring_addr addr = { .index = 0, .desc_user_addr = PAGE,
					 .avail_user_addr = 2 * PAGE,
					 .used_user_addr = 3 * PAGE };
	struct vhost_vring_state state = { .index = 0 };
	struct vhost_vring_file file = { .index = 0, .fd = 0 };
	unsigned int i;

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		state.num = sizes[i];
		EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_VRING_NUM, &state)) {
			TH_LOG("size %u", sizes[i]);
		}
	}
	state.num = 0x10000;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_VRING_BASE, &state));

	/* alignments of section 2.7 */
	addr.avail_user_addr++;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_VRING_ADDR, &addr));
	addr.avail_user_addr--;
	addr.used_user_addr++;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_VRING_ADDR, &addr));
	addr.used_user_addr--;
	addr.flags = 0x80;
	EXPECT_EQ(-EOPNOTSUPP, vhost_ioctl(&self->v, VHOST_SET_VRING_ADDR, &addr));
	addr.flags = 0;
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_VRING_ADDR, &addr));

	/* not an eventfd, and none at all */
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_SET_VRING_KICK, &file));
	file.fd = self->v.fd;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_VRING_CALL, &file));
	file.fd = 9999;
	EXPECT_EQ(-EBADF, vhost_ioctl(&self->v, VHOST_SET_VRING_KICK, &file));
	file.fd = -1;
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_VRING_KICK, &file));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_VRING_CALL, &file));

	/* what a running device refuses */
	EXPECT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
						VIRTIO_CONFIG_S_DRIVER_OK));
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_VRING_ADDR, &addr));
	state.num = 0;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_SET_VRING_BASE, &state));
	state.index = 0;
	state.num = 1;
	EXPECT_EQ(-EBUSY, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
}

TEST_F(vhost, vring_base)
{
	struct vhost_vring_state state = { .index = 1, .num = 0xfffe };

	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_VRING_BASE, &state));
	state.num = 0;
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_GET_VRING_BASE, &state));
	EXPECT_EQ(0xfffe, state.num);
}

TEST_F(vhost, group_asid)
{
	struct vhost_vring_state state = { .index = 1, .num = 1 };

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
	state.num = 2;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
	state.num = 0xffffffff;
	EXPECT_EQ(-EINVAL, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
	state.index = 2;
	state.num = 0;
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
	state.index = 0xffffffff;
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
}

TEST_F(vhost, unknown_requests)
{
	uint64_t arg[8] = {};

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_GT(0, vhost_ioctl(&self->v, _IO(VHOST_VIRTIO, 0xbf), arg));
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_SET_LOG_BASE, arg));
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_SET_LOG_FD, arg));
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_STATUS, NULL));
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_SET_FEATURES, (void *)1));
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_VDPA_SET_CONFIG_CALL, (void *)1));
}

TEST_F(vhost, suspend)
{
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_SUSPEND, NULL));
	ASSERT_EQ(0, vhost_negotiate(&self->v, 0));
	ASSERT_EQ(0, vhost_set_status(&self->v, vhost_get_status(&self->v) |
						VIRTIO_CONFIG_S_DRIVER_OK));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_SUSPEND, NULL));
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_RESUME, NULL));
}

/* Messages */

static int update(struct vhost *v, uint64_t iova, uint64_t size, void *at)
{
	return vhost_message(v, VHOST_IOTLB_UPDATE, iova, size, (uintptr_t)at, VHOST_ACCESS_RW);
}

static int invalidate(struct vhost *v, uint64_t iova, uint64_t size)
{
	return vhost_message(v, VHOST_IOTLB_INVALIDATE, iova, size, 0, 0);
}

TEST_F(vhost, map_and_unmap)
{
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, update(&self->v, PAGE, 4 * PAGE, self->v.memory));
	if (by_pinned_pages()) {
		EXPECT_EQ(self->pinned + 4, pages_pinned());
		EXPECT_EQ(16, vm_pin());
	} else {
		EXPECT_EQ(self->pinned, pages_pinned());
	}
	/* overlap: refused, and what is there stays */
	EXPECT_EQ(-EFAULT, update(&self->v, 2 * PAGE, PAGE, self->v.memory));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, 4 * PAGE));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_LE(vm_pin(), 0);
	EXPECT_EQ(0, update(&self->v, 2 * PAGE, PAGE, self->v.memory));
}

TEST_F(vhost, messages_without_an_owner)
{
	EXPECT_GT(0, update(&self->v, PAGE, PAGE, self->v.memory));
}

/* Row 11 of the known defects, and fault 5: ranges with an odd end. */
TEST_F(vhost, map_odd_ranges)
{
	static const struct { uint64_t iova, size; } bad[] = {
		{ PAGE, 0 }, { UINT64_MAX, 2 }, { 0 - PAGE, 2 * PAGE }, { 0, UINT64_MAX },
		{ 0, 0 }, { PAGE, UINT64_MAX }, { PAGE, 1ull << 62 },
	};
	unsigned int i;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_GT(0, update(&self->v, bad[i].iova, bad[i].size, self->v.memory)) {
			TH_LOG("%#lx + %#lx", (long)bad[i].iova, (long)bad[i].size);
		}
	}
	EXPECT_EQ(self->pinned, pages_pinned());

	/* a page cannot be mapped at another offset; an address can */
	EXPECT_EQ(by_pinned_pages() ? -EFAULT : 0,
		  update(&self->v, PAGE + 1, PAGE, self->v.memory));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, 2 * PAGE));

	ASSERT_EQ(0, update(&self->v, PAGE, PAGE, self->v.memory));
	/* of size 0: must not wipe the address space */
	invalidate(&self->v, 0, 0);
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, PAGE, self->v.memory));
	/* almost all there is, in one go: returns, and takes the page */
	EXPECT_EQ(0, invalidate(&self->v, 0, UINT64_MAX));
	EXPECT_EQ(0, update(&self->v, PAGE, PAGE, self->v.memory));
}

TEST_F(vhost, map_bad_memory)
{
	void *hole = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	ASSERT_NE(MAP_FAILED, hole);
	ASSERT_EQ(0, munmap((char *)hole + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, 3 * PAGE, hole));
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, PAGE, NULL));
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, PAGE, (void *)0xffff800000000000));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(0, update(&self->v, PAGE, 3 * PAGE, self->v.memory));
}

TEST_F(vhost, messages_malformed)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2 };
	char byte = 0;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-1, write(self->v.fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->v.fd, &msg, sizeof(msg) - 1));
	msg.type = 77;
	EXPECT_EQ(-1, write(self->v.fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	msg.type = VHOST_IOTLB_MSG_V2;
	msg.iotlb.type = 99;
	EXPECT_EQ(-1, write(self->v.fd, &msg, sizeof(msg)));
}

TEST_F(vhost, batch)
{
	uint64_t features = BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) | BIT(VHOST_BACKEND_F_IOTLB_BATCH);
	int i;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_BACKEND_FEATURES, &features));
	EXPECT_EQ(0, vhost_message(&self->v, VHOST_IOTLB_BATCH_BEGIN, 0, 0, 0, 0));
	for (i = 0; i < 64; i++)
		EXPECT_EQ(0, update(&self->v, (1 + 2 * i) * PAGE, PAGE,
				    self->v.memory + i * PAGE));
	EXPECT_EQ(0, vhost_message(&self->v, VHOST_IOTLB_BATCH_END, 0, 0, 0, 0));
	if (by_pinned_pages())
		EXPECT_EQ(self->pinned + 64, pages_pinned());
	EXPECT_EQ(0, invalidate(&self->v, 0, 1000 * PAGE));
	EXPECT_EQ(self->pinned, pages_pinned());
}

TEST_F(vhost, several_messages_in_one_write)
{
	struct vhost_msg_v2 msgs[3] = {};
	int i;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	for (i = 0; i < 3; i++) {
		msgs[i].type = VHOST_IOTLB_MSG_V2;
		msgs[i].iotlb.type = VHOST_IOTLB_UPDATE;
		/* the third overlaps the first */
		msgs[i].iotlb.iova = (1 + i % 2) * PAGE;
		msgs[i].iotlb.size = PAGE;
		msgs[i].iotlb.uaddr = (uintptr_t)self->v.memory;
		msgs[i].iotlb.perm = VHOST_ACCESS_RW;
	}
	EXPECT_EQ(2 * sizeof(msgs[0]), write(self->v.fd, msgs, sizeof(msgs)));
	EXPECT_EQ(-1, write(self->v.fd, &msgs[2], sizeof(msgs[2])));
	EXPECT_EQ(EFAULT, errno);
}

/* Row 14 of the known defects. */
TEST_F(vhost, locked_memory_limit)
{
	struct rlimit limit = { 8 * PAGE, 8 * PAGE };

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	if (!by_pinned_pages()) {
		/* nothing is pinned, so nothing is limited */
		EXPECT_EQ(0, update(&self->v, PAGE, 9 * PAGE, self->v.memory));
		EXPECT_GE(0, vm_pin());
		return;
	}
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, 9 * PAGE, self->v.memory));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(0, update(&self->v, PAGE, 8 * PAGE, self->v.memory));
	EXPECT_EQ(-EFAULT, update(&self->v, 100 * PAGE, PAGE, self->v.memory));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, 8 * PAGE));
	EXPECT_EQ(0, update(&self->v, 100 * PAGE, PAGE, self->v.memory));
	EXPECT_EQ(4, vm_pin());
}

TEST_F(vhost, maps_limit)
{
	int i, err = 0;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	for (i = 0; i < 4096 && !err; i++)
		err = update(&self->v, (1 + 2 * i) * PAGE, PAGE, self->v.memory);
	EXPECT_EQ(-EFAULT, err);
	EXPECT_EQ(2049, i);
	EXPECT_EQ(0, invalidate(&self->v, PAGE, PAGE));
	EXPECT_EQ(0, update(&self->v, PAGE, PAGE, self->v.memory));
}

/* Row 20 of the known defects: whoever has the memory goes, in every way. */
TEST_F(vhost, owner_is_killed)
{
	int status;
	pid_t pid;

	vhost_close(&self->v);
	pid = fork();
	if (!pid) {
		if (vhost_open(&self->v, NAME) || vhost_negotiate(&self->v, 0))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(0, vhost_open(&self->v, NAME));
}

TEST_F(vhost, file_outlives_its_owner)
{
	struct vhost_vring_state state = { .num = 64 };
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(vhost_negotiate(&self->v, 0) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* the owner is gone, its mm with it; we are not the owner */
	EXPECT_EQ(-EPERM, vhost_ioctl(&self->v, VHOST_SET_VRING_NUM, &state));
	EXPECT_LT(0, vhost_get_status(&self->v));
}

/* Revocation */

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
	EXPECT_GT(2000, milliseconds() - start);

	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(-ENODEV, vhost_get_status(&self->v));
	EXPECT_EQ(-ENODEV, vhost_ioctl(&self->v, VHOST_SET_VRING_NUM, &state));
	EXPECT_EQ(-ENODEV, update(&self->v, PAGE, PAGE, self->v.memory));
	EXPECT_EQ(1, poll(&pollfd, 1, 1000));
	EXPECT_TRUE(pollfd.revents & POLLHUP);
	EXPECT_TRUE(pollfd.revents & POLLERR);
	/* the name is free while the old file is still open */
	EXPECT_EQ(0, device_add(NAME, "vdpasim_net"));
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

/* Queues */

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
	seg.at = vhost_alloc(&self->v, seg.len, 16);
	fd = eventfd(0, 0);
	ASSERT_EQ(8, write(fd, &one, 8));
	ASSERT_LE(0, vring_add(&tx, &seg, 1));
	file.fd = fd;
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_VRING_KICK, &file));
	EXPECT_LE(0, vring_wait(&tx, NULL, 3000));
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
	for (end = milliseconds() + 3000; done < i && milliseconds() < end && tx.n_free < 64;)
		while (vring_get(&tx, NULL) >= 0)
			done++;
	stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(64, tx.n_free);
	EXPECT_LT(0, done);
	vring_teardown(&tx);
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
	ASSERT_EQ(0, invalidate(&self->v, VHOST_IOVA, VHOST_MEMORY));
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
