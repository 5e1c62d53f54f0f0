// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <linux/vhost_vdpa.h>
#include <linux/virtio_config.h>
#include "device.h"
#include "fuzz_calls.h"
#include "vring.h"

#define PAGE 4096ull
#define BIT(n) (1ull << (n))
/* where rings of a session are, each in pages of its own of the session's memory */
#define RING(queue) (0x10000ull + (queue) * 0x8000ull)
#define AVAIL 0x4000ull
#define USED 0x6000ull

/* Netlink */

struct fuzz_attr {
	uint16_t type;
	uint8_t size;		/* of a number, or 0 */
	uint8_t string;
};

#include "fuzz_spec.h"

static const char *const words[] = {
	"f0", "f1", "f2", "vdpasim_net", "vdpasim_blk", "virtio", "vhost", "none", "any", "vdpa0", "",
	".", "a/b", "/dev/null", "/proc/self/exe", "platform",
};

#define COUNT(array) (sizeof(array) / sizeof(array[0]))

/* @spoil: 0 a well-formed attribute; else one that is too short, too long, or of another kind */
static void put_attr(struct nlmsghdr *msg, uint64_t which, uint64_t value)
{
	const struct fuzz_attr *attr = &fuzz_attrs[which % COUNT(fuzz_attrs)];
	unsigned int spoil = which >> 8 & 15;
	char bytes[300];

	memset(bytes, value, sizeof(bytes));
	if (spoil == 15)
		mnl_attr_put(msg, attr->type, value % sizeof(bytes), bytes);
	else if (attr->string)
		mnl_attr_put_strz(msg, attr->type, words[value % COUNT(words)]);
	else if (attr->size)
		mnl_attr_put(msg, attr->type, attr->size, &value);
	else
		mnl_attr_put(msg, attr->type, 6, &value);
}

static void request(struct fuzz *fuzz, const uint64_t *args, const char *mgmtdev)
{
	nl_start(&fuzz->nl, fuzz_commands[args[0] % COUNT(fuzz_commands)], args[1] & 1);
	if (mgmtdev) {
		mnl_attr_put_strz(fuzz->nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdev);
		mnl_attr_put_strz(fuzz->nl.request, VDPA_ATTR_DEV_NAME, words[args[1] / 2 % 3]);
	}
	put_attr(fuzz->nl.request, args[2], args[3]);
	put_attr(fuzz->nl.request, args[4], args[5]);
	nl_send(&fuzz->nl, NULL, NULL);
}

static void netlink_any(struct fuzz *fuzz, const uint64_t *args)
{
	request(fuzz, args, NULL);
}

/* deep ones need a device that can be made */
static void netlink_create(struct fuzz *fuzz, const uint64_t *args)
{
	uint64_t create[FUZZ_ARGS];
	unsigned int i;

	memcpy(create, args, sizeof(create));
	for (i = 0; i < COUNT(fuzz_commands); i++)
		if (fuzz_commands[i] == VDPA_CMD_DEV_NEW)
			create[0] = i;
	create[1] &= ~1ull;
	request(fuzz, create, args[0] & 1 ? "vdpasim_net" : "vdpasim_blk");
}

static void netlink_named(struct fuzz *fuzz, const uint64_t *args)
{
	nl_start(&fuzz->nl, fuzz_commands[args[0] % COUNT(fuzz_commands)], args[1] & 1);
	mnl_attr_put_strz(fuzz->nl.request, VDPA_ATTR_DEV_NAME, words[args[1] / 2 % 3]);
	put_attr(fuzz->nl.request, args[2], args[3]);
	nl_send(&fuzz->nl, NULL, NULL);
}

static void netlink_raw(struct fuzz *fuzz, const uint64_t *args)
{
	nl_start(&fuzz->nl, args[0], args[1] & 1);
	mnl_attr_put(fuzz->nl.request, args[2] & 0x3fff, args[3] % 64, &args[4]);
	/* a header that claims more, or less, than there is */
	fuzz->nl.request->nlmsg_len += (int)(args[5] % 9) - 4;
	nl_send(&fuzz->nl, NULL, NULL);
}

/* /dev/vhost-vdpa-N */

static const unsigned long requests[] = {
	VHOST_SET_OWNER, VHOST_RESET_OWNER, VHOST_SET_MEM_TABLE, VHOST_GET_FEATURES,
	VHOST_SET_FEATURES, VHOST_GET_BACKEND_FEATURES, VHOST_SET_BACKEND_FEATURES,
	VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR, VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE,
	VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR, VHOST_SET_LOG_BASE,
	VHOST_SET_LOG_FD, VHOST_SET_VRING_ENDIAN, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
	VHOST_VDPA_GET_DEVICE_ID, VHOST_VDPA_GET_STATUS, VHOST_VDPA_SET_STATUS,
	VHOST_VDPA_SET_VRING_ENABLE, VHOST_VDPA_GET_VRING_NUM, VHOST_VDPA_SET_CONFIG_CALL,
	VHOST_VDPA_GET_IOVA_RANGE, VHOST_VDPA_GET_CONFIG_SIZE, VHOST_VDPA_GET_AS_NUM,
	VHOST_VDPA_GET_VRING_GROUP, VHOST_VDPA_SET_GROUP_ASID, VHOST_VDPA_SUSPEND,
	VHOST_VDPA_RESUME, VHOST_VDPA_GET_VRING_DESC_GROUP, VHOST_VDPA_GET_VQS_COUNT,
	VHOST_VDPA_GET_GROUP_NUM, VHOST_VDPA_GET_VRING_SIZE,
};

static void vhost_request(struct fuzz *fuzz, const uint64_t *args)
{
	uint64_t arg[8] = { args[1], args[2], args[3], args[4], args[5], args[1], args[2], args[3] };

	ioctl(fuzz->vhost.fd, requests[args[0] % COUNT(requests)], args[5] == 0xbad ? NULL : arg);
}

/* those whose argument begins with the index of a queue, or of a group */
static void vhost_queue(struct fuzz *fuzz, const uint64_t *args)
{
	uint32_t arg[16] = { args[1] % 4, args[2], args[3], args[3] >> 32, args[4], args[4] >> 32,
			     args[5], args[5] >> 32 };

	ioctl(fuzz->vhost.fd, requests[args[0] % COUNT(requests)], arg);
}

static void vhost_event(struct fuzz *fuzz, const uint64_t *args)
{
	static const unsigned long cmds[] = {
		VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR,
	};
	struct vhost_vring_file file = { args[1] % 4, args[2] % 5 < FUZZ_EVENTS ?
					 fuzz->events[args[2] % 5] : -1 };

	if (args[0] % 4 < 3)
		ioctl(fuzz->vhost.fd, cmds[args[0] % 4], &file);
	else
		ioctl(fuzz->vhost.fd, VHOST_VDPA_SET_CONFIG_CALL, &file.fd);
}

static void vhost_status(struct fuzz *fuzz, const uint64_t *args)
{
	static const uint8_t steps[] = { 0, 1, 3, 11, 15 };
	uint8_t status = args[0] & 8 ? args[1] : steps[args[0] % 5];

	ioctl(fuzz->vhost.fd, VHOST_VDPA_SET_STATUS, &status);
}

static void vhost_config(struct fuzz *fuzz, const uint64_t *args)
{
	struct {
		struct vhost_vdpa_config head;
		char bytes[4096];
	} config = { .head = { .off = args[1], .len = args[0] & 2 ? args[2] : args[2] % 256 } };

	ioctl(fuzz->vhost.fd, args[0] & 1 ? VHOST_VDPA_SET_CONFIG : VHOST_VDPA_GET_CONFIG, &config);
}

static void fill_message(struct fuzz *fuzz, struct vhost_msg_v2 *msg, const uint64_t *args)
{
	uint64_t page = args[1] % 1024;

	memset(msg, 0, sizeof(*msg));
	msg->type = args[0] >> 8 & 15 ? VHOST_IOTLB_MSG_V2 : args[0] >> 16;
	msg->asid = args[5] % 3;
	msg->iotlb.type = 1 + args[0] % 7;
	msg->iotlb.perm = args[4];
	if (args[0] >> 12 & 1) {
		/* as it comes */
		msg->iotlb.iova = args[1];
		msg->iotlb.size = args[2];
		msg->iotlb.uaddr = args[3];
	} else {
		msg->iotlb.iova = 0x40000000 + page * PAGE;
		msg->iotlb.size = (1 + args[2] % 64) * PAGE;
		msg->iotlb.uaddr = (uintptr_t)fuzz->vhost.memory + args[3] % 960 * PAGE;
	}
}

static void vhost_one_message(struct fuzz *fuzz, const uint64_t *args)
{
	struct vhost_msg_v2 msg;

	fill_message(fuzz, &msg, args);
	if (write(fuzz->vhost.fd, &msg, args[5] >> 8 & 15 ? sizeof(msg) : args[5] % sizeof(msg)) < 0)
		return;
}

static void vhost_messages(struct fuzz *fuzz, const uint64_t *args)
{
	struct vhost_msg_v2 msgs[40];
	uint64_t each[FUZZ_ARGS];
	unsigned int i, nr = args[5] % COUNT(msgs);

	memcpy(each, args, sizeof(each));
	for (i = 0; i < nr; i++) {
		each[0] = args[0] * (i + 1) % 0xff | (args[0] & 0xf00) | 0x100;
		each[1] = args[1] + i * args[2];
		fill_message(fuzz, &msgs[i], each);
	}
	if (write(fuzz->vhost.fd, msgs, nr * sizeof(msgs[0])) < 0)
		return;
}

static void vhost_map_doorbell(struct fuzz *fuzz, const uint64_t *args)
{
	static const int prots[] = { PROT_WRITE, PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE };
	size_t size = (1 + args[2] % 3) * PAGE;
	void *at = mmap(NULL, size, prots[args[0] % 4], args[0] & 4 ? MAP_PRIVATE : MAP_SHARED,
			fuzz->vhost.fd, (args[1] % 0x100000) * PAGE);

	if (at != MAP_FAILED)
		munmap(at, size);
}

static void vhost_other_calls(struct fuzz *fuzz, const uint64_t *args)
{
	struct pollfd poller = { .fd = fuzz->vhost.fd, .events = args[1] };
	uint64_t one = 1;
	char bytes[64];
	int fd;

	switch (args[0] % 5) {
	case 0:
		poll(&poller, 1, 0);
		break;
	case 1:
		if (read(fuzz->vhost.fd, bytes, args[1] % 64) < 0)
			break;
		break;
	case 2:
		if (write(fuzz->events[args[1] % FUZZ_EVENTS], &one, 8) < 0)
			break;
		break;
	case 3:
		fd = dup(fuzz->vhost.fd);
		close(fd);
		break;
	default:
		if (write(fuzz->vhost.fd, args, args[1] % 48) < 0)
			break;
	}
}

/* Rings of a device that runs, whose driver is not sane */

static uint8_t *ring_at(struct fuzz *fuzz, uint64_t queue, uint64_t offset)
{
	return (uint8_t *)fuzz->vhost.memory + RING(queue % 3) + offset % 0x8000;
}

static void ring_start(struct fuzz *fuzz, const uint64_t *args)
{
	static const uint16_t sizes[] = { 1, 2, 4, 16, 64, 256 };
	uint64_t features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |
			    (args[0] & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0) |
			    (args[0] & 2 ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
			    (args[0] & 4 ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
			    (args[0] & 8 ? BIT(VIRTIO_F_IN_ORDER) : 0) | (args[0] & 16 ? BIT(17) : 0);
	uint32_t num = sizes[args[1] % COUNT(sizes)];
	unsigned int i;

	vhost_set_status(&fuzz->vhost, 0);
	vhost_set_status(&fuzz->vhost, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	ioctl(fuzz->vhost.fd, VHOST_SET_FEATURES, &features);
	vhost_set_status(&fuzz->vhost, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				       VIRTIO_CONFIG_S_FEATURES_OK);
	vhost_message(&fuzz->vhost, VHOST_IOTLB_UPDATE, VHOST_IOVA, VHOST_MEMORY,
		      (uintptr_t)fuzz->vhost.memory, VHOST_ACCESS_RW);
	memset(fuzz->vhost.memory, 0, RING(3));
	for (i = 0; i < 3; i++) {
		struct vhost_vring_state state = { i, num };
		struct vhost_vring_file kick = { i, fuzz->events[i] };
		struct vhost_vring_addr addr = {
			.index = i,
			.desc_user_addr = VHOST_IOVA + RING(i),
			.avail_user_addr = VHOST_IOVA + RING(i) + AVAIL,
			.used_user_addr = VHOST_IOVA + RING(i) + USED,
		};
		struct vhost_vring_state enable = { i, 1 };

		ioctl(fuzz->vhost.fd, VHOST_SET_VRING_NUM, &state);
		ioctl(fuzz->vhost.fd, VHOST_SET_VRING_ADDR, &addr);
		ioctl(fuzz->vhost.fd, VHOST_SET_VRING_KICK, &kick);
		ioctl(fuzz->vhost.fd, VHOST_VDPA_SET_VRING_ENABLE, &enable);
	}
	vhost_set_status(&fuzz->vhost, 15);
}

static void ring_descriptor(struct fuzz *fuzz, const uint64_t *args)
{
	struct vring_desc *desc = (void *)ring_at(fuzz, args[0], args[1] % 256 * 16);

	desc->addr = args[0] & 0x100 ? args[2] : VHOST_IOVA + args[2] % VHOST_MEMORY;
	desc->len = args[0] & 0x200 ? args[3] : args[3] % 5000;
	desc->flags = args[4] % 8;
	desc->next = args[5] % 300;
}

static void ring_packed(struct fuzz *fuzz, const uint64_t *args)
{
	struct vring_packed_desc *desc = (void *)ring_at(fuzz, args[0], args[1] % 256 * 16);

	desc->addr = args[0] & 0x100 ? args[2] : VHOST_IOVA + args[2] % VHOST_MEMORY;
	desc->len = args[0] & 0x200 ? args[3] : args[3] % 5000;
	desc->id = args[5];
	desc->flags = (args[4] % 8) | (args[4] >> 8 & 1) << 7 | (args[4] >> 9 & 1) << 15;
}

static void ring_publish(struct fuzz *fuzz, const uint64_t *args)
{
	uint16_t *avail = (void *)ring_at(fuzz, args[0], AVAIL);

	avail[0] = args[1] & 1;
	avail[2 + args[2] % 256] = args[3] % 300;
	avail[1] += args[4] % 4;
	if (args[1] & 0x100)
		avail[1] = args[5];
}

static void ring_write(struct fuzz *fuzz, const uint64_t *args)
{
	memcpy(ring_at(fuzz, args[0], args[1] % 0x7ff8), &args[2], 8);
}

static void ring_kick(struct fuzz *fuzz, const uint64_t *args)
{
	uint64_t one = 1;

	if (write(fuzz->events[args[0] % 3], &one, 8) < 0)
		return;
	if (args[1] & 1)
		usleep(args[2] % 2000);
}

static void ring_unmap(struct fuzz *fuzz, const uint64_t *args)
{
	uint64_t page = args[0] % (VHOST_MEMORY / PAGE);

	vhost_message(&fuzz->vhost, args[2] & 1 ? VHOST_IOTLB_UPDATE : VHOST_IOTLB_INVALIDATE,
		      VHOST_IOVA + page * PAGE, (1 + args[1] % 64) * PAGE,
		      (uintptr_t)fuzz->vhost.memory + page * PAGE, 1 + args[2] % 3);
}

static void ring_stop(struct fuzz *fuzz, const uint64_t *args)
{
	struct vhost_vring_state state = { args[0] % 3, args[1] & 1 };

	if (args[1] & 2)
		ioctl(fuzz->vhost.fd, VHOST_VDPA_SET_VRING_ENABLE, &state);
	else
		ioctl(fuzz->vhost.fd, args[1] & 1 ? VHOST_VDPA_SUSPEND : VHOST_VDPA_RESUME);
}

const struct fuzz_call fuzz_calls[] = {
	{ "netlink_any", FUZZ_NETLINK, 6, netlink_any },
	{ "netlink_create", FUZZ_NETLINK, 6, netlink_create },
	{ "netlink_named", FUZZ_NETLINK, 4, netlink_named },
	{ "netlink_raw", FUZZ_NETLINK, 6, netlink_raw },
	{ "vhost_request", FUZZ_VHOST, 6, vhost_request },
	{ "vhost_queue", FUZZ_VHOST | FUZZ_RING, 6, vhost_queue },
	{ "vhost_event", FUZZ_VHOST, 3, vhost_event },
	{ "vhost_status", FUZZ_VHOST | FUZZ_RING, 2, vhost_status },
	{ "vhost_config", FUZZ_VHOST, 3, vhost_config },
	{ "vhost_one_message", FUZZ_VHOST, 6, vhost_one_message },
	{ "vhost_messages", FUZZ_VHOST, 6, vhost_messages },
	{ "vhost_map_doorbell", FUZZ_VHOST, 3, vhost_map_doorbell },
	{ "vhost_other_calls", FUZZ_VHOST, 2, vhost_other_calls },
	{ "ring_start", FUZZ_RING, 2, ring_start },
	{ "ring_descriptor", FUZZ_RING, 6, ring_descriptor },
	{ "ring_packed", FUZZ_RING, 6, ring_packed },
	{ "ring_publish", FUZZ_RING, 6, ring_publish },
	{ "ring_write", FUZZ_RING, 3, ring_write },
	{ "ring_kick", FUZZ_RING, 3, ring_kick },
	{ "ring_unmap", FUZZ_RING, 3, ring_unmap },
	{ "ring_stop", FUZZ_RING, 2, ring_stop },
};

const unsigned int fuzz_nr_calls = COUNT(fuzz_calls);

const struct fuzz_call *fuzz_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < fuzz_nr_calls; i++)
		if (!strcmp(fuzz_calls[i].name, name))
			return &fuzz_calls[i];
	return NULL;
}

bool fuzz_begin(struct fuzz *fuzz)
{
	unsigned int i;

	memset(fuzz, 0, sizeof(*fuzz));
	fuzz->vhost.fd = -1;
	for (i = 0; i < FUZZ_EVENTS; i++)
		fuzz->events[i] = eventfd(0, EFD_NONBLOCK);
	return nl_open(&fuzz->nl);
}

static void delete_all(struct fuzz *fuzz)
{
	static const char *const mgmtdevs[] = { "vdpasim_net", "vdpasim_blk" };
	unsigned int i;

	for (i = 0; i < 2; i++)
		nl_about(&fuzz->nl, VDPA_CMD_DEV_DEL, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdevs[i]);
}

void fuzz_reset(struct fuzz *fuzz, unsigned int target)
{
	static const struct wish vhost[] = { { VDPA_ATTR_DEV_DRIVER, .text = "vhost" }, {} };

	vhost_close(&fuzz->vhost);
	delete_all(fuzz);
	if (target == FUZZ_NETLINK)
		return;
	if (device_create("f0", "vdpasim_net", vhost, NULL) || vhost_open(&fuzz->vhost, "f0"))
		return;
	if (target == FUZZ_RING)
		vhost_negotiate(&fuzz->vhost, 0);
}

void fuzz_end(struct fuzz *fuzz)
{
	unsigned int i;

	vhost_close(&fuzz->vhost);
	delete_all(fuzz);
	nl_close(&fuzz->nl);
	for (i = 0; i < FUZZ_EVENTS; i++)
		close(fuzz->events[i]);
}
