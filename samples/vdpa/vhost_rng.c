// SPDX-License-Identifier: GPL-2.0-only
/*
 * A complete user of /dev/vhost-vdpa-N: a driver, in a process, of a source of random numbers
 * (virtio 1.2 section 5.4), such as the one that vdpa_rng.c makes.
 *
 *	vhost_rng /dev/vhost-vdpa-N BYTES >numbers
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#define ENTRIES 8
#define PAGE 4096u
#define IOVA 0x100000ull	/* where the device finds our memory; any number would do */

/* What we share with the device: the three areas of a split virtqueue (section 2.7), a buffer. */
struct shared {
	struct vring_desc desc[ENTRIES] __attribute__((aligned(PAGE)));
	struct {
		uint16_t flags, idx, ring[ENTRIES];
	} avail __attribute__((aligned(PAGE)));
	struct {
		uint16_t flags, idx;
		struct vring_used_elem ring[ENTRIES];
	} used __attribute__((aligned(PAGE)));
	uint8_t buffer[PAGE] __attribute__((aligned(PAGE)));
};

static int fd;
static struct shared *shared;

static void call(unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg) < 0)
		err(1, "%s", what);
}

static uint64_t iova(const void *at)
{
	return IOVA + ((const char *)at - (const char *)shared);
}

static void set_status(uint8_t bit)
{
	static uint8_t status;
	uint8_t seen;

	status |= bit;
	call(VHOST_VDPA_SET_STATUS, &status, "set status");
	call(VHOST_VDPA_GET_STATUS, &seen, "get status");
	if (seen != status)
		errx(1, "the device does not accept status %#x", bit);
}

/* Section 3.1.1, up to where the device has accepted our features. */
static void negotiate(void)
{
	uint64_t backend = 1ull << VHOST_BACKEND_F_IOTLB_MSG_V2;
	uint64_t wanted = 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_ACCESS_PLATFORM;
	uint64_t offered;
	uint32_t id;

	call(VHOST_SET_OWNER, NULL, "set owner");
	call(VHOST_SET_BACKEND_FEATURES, &backend, "set backend features");
	call(VHOST_VDPA_GET_DEVICE_ID, &id, "get device id");
	if (id != VIRTIO_ID_RNG)
		errx(1, "device %u is no source of random numbers", id);

	set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE);
	set_status(VIRTIO_CONFIG_S_DRIVER);
	call(VHOST_GET_FEATURES, &offered, "get features");
	if (wanted & ~offered)
		errx(1, "the device lacks features %#llx",
		     (unsigned long long)(wanted & ~offered));
	call(VHOST_SET_FEATURES, &wanted, "set features");
	set_status(VIRTIO_CONFIG_S_FEATURES_OK);
}

/* The device reaches what it is told of, and nothing else of this process. */
static void map_memory(void)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = {
			.type = VHOST_IOTLB_UPDATE,
			.iova = IOVA,
			.size = sizeof(*shared),
			.perm = VHOST_ACCESS_RW,
		},
	};

	/* shared, so that devices which use our addresses reach it too */
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	msg.iotlb.uaddr = (uintptr_t)shared;
	if (write(fd, &msg, sizeof(msg)) != sizeof(msg))
		err(1, "map");
}

static void set_up_queue(int kick, int used)
{
	struct vhost_vring_state num = { .num = ENTRIES }, base = {}, enable = { .num = 1 };
	struct vhost_vring_file kick_file = { .fd = kick }, call_file = { .fd = used };
	struct vhost_vring_addr addr = {
		.desc_user_addr = iova(shared->desc),
		.avail_user_addr = iova(&shared->avail),
		.used_user_addr = iova(&shared->used),
	};

	call(VHOST_SET_VRING_NUM, &num, "set queue size");
	call(VHOST_SET_VRING_BASE, &base, "set queue position");
	call(VHOST_SET_VRING_ADDR, &addr, "set queue address");
	call(VHOST_SET_VRING_KICK, &kick_file, "set kick");
	call(VHOST_SET_VRING_CALL, &call_file, "set call");
	call(VHOST_VDPA_SET_VRING_ENABLE, &enable, "enable queue");
}

/* One buffer is made available and waited for. Return: how much of it was filled. */
static uint32_t fill(int kick, int used, uint32_t bytes)
{
	struct pollfd poll_fd = { .fd = used, .events = POLLIN };
	uint16_t next = shared->avail.idx;
	uint64_t one = 1;

	shared->desc[0] = (struct vring_desc) {
		.addr = iova(shared->buffer), .len = bytes, .flags = VRING_DESC_F_WRITE,
	};
	shared->avail.ring[next % ENTRIES] = 0;
	/* pairs with the device's look at the index: what it leads to is there before it */
	__atomic_store_n(&shared->avail.idx, next + 1, __ATOMIC_RELEASE);
	if (write(kick, &one, sizeof(one)) != sizeof(one))
		err(1, "kick");

	while (__atomic_load_n(&shared->used.idx, __ATOMIC_ACQUIRE) == next) {
		if (poll(&poll_fd, 1, 5000) != 1)
			errx(1, "no answer");
		if (read(used, &one, sizeof(one)) != sizeof(one))
			err(1, "call");
	}
	return shared->used.ring[next % ENTRIES].len;
}

int main(int argc, char **argv)
{
	int kick = eventfd(0, EFD_CLOEXEC), used = eventfd(0, EFD_CLOEXEC);
	uint32_t left, got;

	if (argc != 3)
		errx(2, "usage: vhost_rng DEVICE BYTES");
	left = strtoul(argv[2], NULL, 0);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", argv[1]);

	negotiate();
	map_memory();
	set_up_queue(kick, used);
	set_status(VIRTIO_CONFIG_S_DRIVER_OK);
	for (; left; left -= got) {
		got = fill(kick, used, left < PAGE ? left : PAGE);
		if (!got || got > left)
			errx(1, "%u bytes were filled", got);
		fwrite(shared->buffer, 1, got, stdout);
	}
	/* closing resets the device and takes its maps away */
	return 0;
}
