// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vhost-vdpa-N: sessions and what ioctls answer. What they refuse, and when, is in
 * vhost_table_test.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vhost_vdpa.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include "vhost_fixture.h"

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
	EXPECT_EQ(3, u32);
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
	/* the control queue's ring is in the group of its buffers, others in one of theirs */
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_VRING_DESC_GROUP, &state));
	EXPECT_EQ(1, state.num);
	state.index = 0;
	EXPECT_EQ(0, vhost_ioctl(&self->v, VHOST_VDPA_GET_VRING_DESC_GROUP, &state));
	EXPECT_EQ(2, state.num);
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
	       BIT(VHOST_BACKEND_F_IOTLB_PERSIST) | BIT(VHOST_BACKEND_F_IOTLB_ERRNO) |
	       BIT(VHOST_BACKEND_F_DESC_ASID);
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
	state.index = 3;
	state.num = 0;
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
	state.index = 0xffffffff;
	EXPECT_GT(0, vhost_ioctl(&self->v, VHOST_VDPA_SET_GROUP_ASID, &state));
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

TEST_HARNESS_MAIN
