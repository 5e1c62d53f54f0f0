// SPDX-License-Identifier: GPL-2.0-only
/*
 * What moving data through a simulated device costs a driver in userspace, over
 * /dev/vhost-vdpa-N, without a virtual machine between.
 *
 *	ring_bench NAME...	one figure a line, "FIGURE VALUE UNIT"
 *
 * The driver does as little as a driver can: its descriptors are written once and made
 * available again and again, so that what is measured is the device. It takes what is
 * offered of EVENT_IDX, and uses direct descriptors, as a stock simulator knows no others.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "bench.h"
#include "device.h"
#include "vring.h"

#define RING 256
#define DEPTH_NET 64
#define NET_HDR 12
#define SECTOR 512
/* what a request of the block simulators may have in one segment */
#define SEGMENT 4096

#define RUN_PACKETS 100000
#define RUN_ONE 20000
#define RUN_REQUESTS 50000
#define RUN_LARGE 3000

static struct vhost vhost;
static char name_of_device[16] = "bench";

/* instructions of a profile are counted between two of these, which do nothing */
static void mark(void)
{
#ifdef __x86_64__
	asm volatile("xchg %bx, %bx");
#endif
}

/* A queue whose descriptors stay as they are. */
struct queue {
	struct vring_queue ring;
	unsigned int interrupts;
};

static void queue_setup(struct queue *queue, unsigned int index)
{
	memset(queue, 0, sizeof(*queue));
	must(vring_setup(&queue->ring, &vhost, index, RING, 0), "queue");
	/* the device's interrupts are waited for */
	queue->ring.call = eventfd(0, EFD_CLOEXEC);
	struct vhost_vring_file file = { .index = index, .fd = queue->ring.call };

	must(vhost_ioctl(&vhost, VHOST_SET_VRING_CALL, &file), "call");
}

/* without EVENT_IDX a flag, with it an index that does not come up */
static void queue_silence(struct queue *queue)
{
	struct vring_avail *avail = queue->ring.avail;

	avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	avail->ring[RING] = queue->ring.used_idx - 1;
}

static void queue_listen(struct queue *queue)
{
	queue->ring.avail->ring[RING] = queue->ring.used_idx;
	/* pairs with the device's barrier between its index and its look at ours */
	atomic_thread_fence(memory_order_seq_cst);
}

static uint16_t queue_filled(const struct queue *queue)
{
	return *(volatile uint16_t *)&queue->ring.used->idx - queue->ring.used_idx;
}

static void queue_add(struct queue *queue, uint16_t head)
{
	queue->ring.avail->ring[queue->ring.avail_idx++ % RING] = head;
}

static void queue_publish(struct queue *queue)
{
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&queue->ring.avail->idx = queue->ring.avail_idx;
	vring_kick(&queue->ring);
}

static uint16_t queue_take(struct queue *queue)
{
	return queue->ring.used->ring[queue->ring.used_idx++ % RING].id;
}

static void queue_wait(struct queue *queue)
{
	uint64_t count;

	while (!queue_filled(queue)) {
		queue_listen(queue);
		if (queue_filled(queue))
			break;
		if (read(queue->ring.call, &count, sizeof(count)) != sizeof(count))
			die("interrupt");
		queue->interrupts += count;
	}
	atomic_thread_fence(memory_order_acquire);
}

static void descriptor(struct queue *queue, uint16_t i, const void *at, uint32_t len,
		       uint16_t flags)
{
	queue->ring.desc[i] = (struct vring_desc) {
		.addr = vhost_iova(&vhost, at),
		.len = len,
		.flags = flags,
		.next = i + 1,
	};
}

static void device_make(const char *mgmtdev)
{
	must(device_add(name_of_device, mgmtdev), "dev add");
	must(device_bind(name_of_device, "vhost_vdpa"), "bind");
}

static void session_start(void)
{
	must(vhost_open(&vhost, name_of_device), "open");
	must(vhost_negotiate(&vhost, 1ull << VIRTIO_RING_F_EVENT_IDX), "negotiate");
}

static void device_go(void)
{
	must(vhost_set_status(&vhost, vhost_get_status(&vhost) | VIRTIO_CONFIG_S_DRIVER_OK),
	     "driver ok");
}

static void device_stop(void)
{
	must(device_del(name_of_device), "dev del");
}

/* Network: what is sent comes back */

static struct queue rx, tx;

static void own_address(uint8_t *mac)
{
	struct {
		struct vhost_vdpa_config config;
		uint8_t mac[6];
	} __attribute__((packed)) get = { .config.len = 6 };

	must(vhost_ioctl(&vhost, VHOST_VDPA_GET_CONFIG, &get), "config");
	memcpy(mac, get.mac, 6);
}

static void net_start(uint32_t size)
{
	unsigned int i;
	char *at;

	device_make("vdpasim_net");
	session_start();
	queue_setup(&rx, 0);
	queue_setup(&tx, 1);
	queue_silence(&tx);
	for (i = 0; i < RING; i++) {
		at = vhost_alloc(&vhost, 2048, 2048);
		descriptor(&rx, i, at, 2048, VRING_DESC_F_WRITE);
		queue_add(&rx, i);
	}
	for (i = 0; i < DEPTH_NET; i++) {
		at = vhost_alloc(&vhost, 2048, 2048);
		memset(at, 0, NET_HDR);
		own_address((uint8_t *)at + NET_HDR);
		descriptor(&tx, i, at, NET_HDR + size, 0);
	}
	device_go();
	queue_publish(&rx);
}

static void net_send(unsigned int *unsent)
{
	if (!*unsent)
		return;
	for (; *unsent; (*unsent)--)
		queue_add(&tx, tx.ring.avail_idx % DEPTH_NET);
	queue_publish(&tx);
}

/* All that came goes back to the device, and as many are to be sent again. */
static unsigned int net_receive(void)
{
	uint16_t n = queue_filled(&rx), done = n;

	for (; n; n--)
		queue_add(&rx, queue_take(&rx));
	if (done)
		queue_publish(&rx);
	return done;
}

/*
 * The transmit queue's descriptors come round after those of the ring, in order, so
 * that one that is used again has long been given back: @depth are received.
 */
static void net_run(unsigned int packets, unsigned int depth)
{
	unsigned int unsent = depth, received = 0, got;

	while (received < packets) {
		net_send(&unsent);
		queue_wait(&rx);
		got = net_receive();
		received += got;
		unsent = got;
		tx.ring.used_idx += queue_filled(&tx);
	}
	queue_silence(&tx);
}

static void net_figure(const char *figure, uint32_t size, unsigned int packets,
		       unsigned int depth)
{
	char name[64];
	double t;

	net_start(size);
	net_run(packets / 10, depth);
	rx.interrupts = 0;
	mark();
	t = now();
	net_run(packets, depth);
	t = now() - t;
	mark();
	snprintf(name, sizeof(name), "net.%s", figure);
	report(name, packets / t, "packets/s");
	snprintf(name, sizeof(name), "net.%s.interrupts", figure);
	report(name, rx.interrupts * 1000.0 / packets, "/1000");
	vhost_close(&vhost);
	device_stop();
}

static void net_64(void)
{
	net_figure("64", 64, RUN_PACKETS, DEPTH_NET);
}

static void net_1500(void)
{
	net_figure("1500", 1500, RUN_PACKETS, DEPTH_NET);
}

static void net_one(void)
{
	net_figure("one", 64, RUN_ONE, 1);
}

/* Several devices at the same time, on a machine with several processors */

#define SCALE_SECONDS 3

/* A process with a device of its own. It writes when it is ready, and then its packets. */
static void scale_child(int number, int start, int result)
{
	unsigned long packets = 0;
	double end;
	char byte = 0;

	snprintf(name_of_device, sizeof(name_of_device), "bench%d", number);
	net_start(64);
	net_run(1000, DEPTH_NET);
	if (write(result, &packets, sizeof(packets)) != sizeof(packets) ||
	    read(start, &byte, 1) != 1)
		die("start");
	for (end = now() + SCALE_SECONDS; now() < end; packets += 1000)
		net_run(1000, DEPTH_NET);
	if (write(result, &packets, sizeof(packets)) != sizeof(packets))
		die("result");
	vhost_close(&vhost);
	device_stop();
	exit(0);
}

/* Return: packets per second of all. */
static double scale_run(int devices)
{
	int start[2], result[2], i;
	unsigned long packets, all = 0;

	if (pipe(start) || pipe(result))
		die("pipe");
	for (i = 0; i < devices; i++)
		if (!fork())
			scale_child(i, start[0], result[1]);
	for (i = 0; i < devices; i++)
		if (read(result[0], &packets, sizeof(packets)) != sizeof(packets))
			die("child");
	if (write(start[1], "start...", devices) != devices)
		die("start");
	for (i = 0; i < devices; i++) {
		if (read(result[0], &packets, sizeof(packets)) != sizeof(packets))
			die("child");
		all += packets;
	}
	while (wait(NULL) > 0)
		;
	close(start[0]);
	close(start[1]);
	close(result[0]);
	close(result[1]);
	return (double)all / SCALE_SECONDS;
}

/* What two and four do, against one. */
static void scale(void)
{
	double one = scale_run(1);

	report("scale.one", one, "packets/s");
	report("scale.two", scale_run(2) / one, "x");
	report("scale.four", scale_run(4) / one, "x");
}

/* Block: requests of a fixed shape */

static struct queue blk;

struct blk_slot {
	struct virtio_blk_outhdr *header;
	uint16_t head;
};

static struct blk_slot slots[64];

static void blk_start(uint32_t type, uint32_t bytes, unsigned int depth)
{
	uint16_t flags = type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0, i = 0;
	unsigned int slot;
	uint32_t done;
	char *data;

	session_start();
	queue_setup(&blk, 0);
	data = vhost_alloc(&vhost, bytes * depth, 4096);
	for (slot = 0; slot < depth; slot++) {
		slots[slot].header = vhost_alloc(&vhost, sizeof(*slots[slot].header), 16);
		slots[slot].header->type = type;
		slots[slot].head = i;
		descriptor(&blk, i++, slots[slot].header, 16, VRING_DESC_F_NEXT);
		for (done = 0; done < bytes; done += SEGMENT)
			descriptor(&blk, i++, data + slot * bytes + done, SEGMENT,
				   flags | VRING_DESC_F_NEXT);
		descriptor(&blk, i++, vhost_alloc(&vhost, 1, 1), 1, VRING_DESC_F_WRITE);
	}
	device_go();
}

static void blk_send(unsigned int slot, uint32_t bytes, uint64_t *sector)
{
	*sector = (*sector + bytes / SECTOR) % (64 << 11);
	slots[slot].header->sector = *sector;
	queue_add(&blk, slots[slot].head);
}

static void blk_run(uint32_t bytes, unsigned int requests, unsigned int depth)
{
	unsigned int per = bytes / SEGMENT + 2, sent = 0, done = 0;
	uint64_t sector = 0;

	for (; sent < depth; sent++)
		blk_send(sent, bytes, &sector);
	queue_publish(&blk);
	while (done < requests) {
		queue_wait(&blk);
		while (queue_filled(&blk)) {
			unsigned int slot = queue_take(&blk) / per;

			done++;
			if (sent++ < requests)
				blk_send(slot, bytes, &sector);
		}
		queue_publish(&blk);
	}
}

static void blk_figure(const char *figure, uint32_t type, uint32_t bytes,
		       unsigned int requests, unsigned int depth)
{
	char name[64];
	double t;

	device_make("vdpasim_blk");
	/* all of what is read was written once */
	blk_start(VIRTIO_BLK_T_OUT, bytes, depth);
	blk_run(bytes, (64u << 20) / bytes, depth);
	vhost_close(&vhost);
	blk_start(type, bytes, depth);
	blk_run(bytes, requests / 10, depth);
	mark();
	t = now();
	blk_run(bytes, requests, depth);
	t = now() - t;
	mark();
	snprintf(name, sizeof(name), "blk.%s", figure);
	if (bytes > SEGMENT)
		report(name, requests / t * bytes / 1e6, "MB/s");
	else
		report(name, requests / t, "IOPS");
	vhost_close(&vhost);
	device_stop();
}

static void blk_read(void)
{
	blk_figure("read", VIRTIO_BLK_T_IN, 4096, RUN_REQUESTS, 32);
}

static void blk_write(void)
{
	blk_figure("write", VIRTIO_BLK_T_OUT, 4096, RUN_REQUESTS, 32);
}

static void blk_one(void)
{
	blk_figure("one", VIRTIO_BLK_T_IN, 4096, RUN_ONE, 1);
}

static void blk_read_large(void)
{
	blk_figure("read128k", VIRTIO_BLK_T_IN, 128 << 10, RUN_LARGE, 4);
}

static void blk_write_large(void)
{
	blk_figure("write128k", VIRTIO_BLK_T_OUT, 128 << 10, RUN_LARGE, 4);
}

/* Memory that a device costs while nobody uses it */

/*
 * A hundred at a time, or as many as there is room for, after a round of them, whose
 * remains are not theirs. Several times, as what else the kernel does with its memory is
 * much against so little.
 */
static void idle(const char *figure, const char *mgmtdev)
{
	enum { ROUNDS = 5, DEVICES = 100 };
	long before, after, room;
	int i, devices, round;
	char name[16];

	/* nobody has them */
	must(write_file("/sys/bus/vdpa/drivers_autoprobe", "0"), "autoprobe");
	room = memory_now("MemFree") / 2;
	for (round = 0; round < ROUNDS; round++) {
		for (devices = 0; devices < DEVICES; devices++) {
			if (memory_now("MemFree") < room)
				break;
			snprintf(name, sizeof(name), "idle%d", devices);
			must(device_add(name, mgmtdev), "dev add");
		}
		after = memory_used();
		for (i = 0; i < devices; i++) {
			snprintf(name, sizeof(name), "idle%d", i);
			must(device_del(name), "dev del");
		}
		before = memory_used();
		if (round)
			report(figure, (double)(after - before) / devices, "KiB");
	}
}

static void idle_net(void)
{
	idle("idle.net", "vdpasim_net");
}

static void idle_blk(void)
{
	idle("idle.blk", "vdpasim_blk");
}

static const struct bench_figure figures[] = {
	{ "net64", net_64 },
	{ "net1500", net_1500 },
	{ "netone", net_one },
	{ "scale", scale },
	{ "blkread", blk_read },
	{ "blkwrite", blk_write },
	{ "blkone", blk_one },
	{ "blkread128k", blk_read_large },
	{ "blkwrite128k", blk_write_large },
	{ "idlenet", idle_net },
	{ "idleblk", idle_blk },
	{},
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, figures);
}
