// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mapping memory for a device costs: one device, one process, one figure a line.
 *
 *	map_bench NAME...	on vdpasim_net devices bound to vhost_vdpa
 *
 * Prints "FIGURE VALUE UNIT". With a guest clock that counts instructions, a figure
 * repeats to a fraction of a percent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/vhost.h>
#include "bench.h"
#include "device.h"
#include "vhost.h"

#define NAME "bench"
#define PAGE 4096ull
#define IOVA 0x100000000ull
#define SINGLES 1000
#define PER_WRITE 64

static struct vhost vhost;

static void report_part(const char *figure, const char *what, double value,
			const char *unit)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", figure, what);
	report(name, value, unit);
}

static void fill(struct vhost_msg_v2 *msg, uint8_t type, uint64_t iova, uint64_t size,
		 const void *at)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = VHOST_IOTLB_MSG_V2;
	msg->iotlb.type = type;
	msg->iotlb.iova = iova;
	msg->iotlb.size = size;
	msg->iotlb.uaddr = (uintptr_t)at;
	msg->iotlb.perm = VHOST_ACCESS_RW;
}

static void message(uint8_t type, uint64_t iova, uint64_t size, const void *at)
{
	struct vhost_msg_v2 msg;

	fill(&msg, type, iova, size, at);
	if (write(vhost.fd, &msg, sizeof(msg)) != sizeof(msg))
		die("message");
}

static void start(void)
{
	uint64_t backend = 1ull << VHOST_BACKEND_F_IOTLB_MSG_V2 |
			   1ull << VHOST_BACKEND_F_IOTLB_BATCH;

	errno = -device_add(NAME, "vdpasim_net");
	if (errno)
		die("dev add");
	errno = -device_bind(NAME, "vhost_vdpa");
	if (errno)
		die("bind");
	errno = -vhost_open(&vhost, NAME);
	if (errno)
		die("open");
	if (vhost_ioctl(&vhost, VHOST_SET_OWNER, NULL) ||
	    vhost_ioctl(&vhost, VHOST_SET_BACKEND_FEATURES, &backend))
		die("session");
}

static void stop(void)
{
	vhost_close(&vhost);
	if (device_del(NAME))
		die("dev del");
}

/* One map of all of it, in a batch as a machine monitor does, and one unmap. */
static void large(const char *figure, char *memory, uint64_t size)
{
	double t0, t1, t2, t3;

	message(VHOST_IOTLB_BATCH_BEGIN, 0, 0, NULL);
	t0 = now();
	message(VHOST_IOTLB_UPDATE, IOVA, size, memory);
	message(VHOST_IOTLB_BATCH_END, 0, 0, NULL);
	t1 = now();
	message(VHOST_IOTLB_BATCH_BEGIN, 0, 0, NULL);
	t2 = now();
	message(VHOST_IOTLB_INVALIDATE, IOVA, size, NULL);
	message(VHOST_IOTLB_BATCH_END, 0, 0, NULL);
	t3 = now();
	report_part(figure, ".map", size / PAGE / (t1 - t0), "pages/s");
	report_part(figure, ".unmap", size / PAGE / (t3 - t2), "pages/s");
}

static char *anonymous(uint64_t size, int advice)
{
	/* aligned, so that all of it can be huge pages */
	char *memory = mmap(NULL, size + (2u << 20), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	memory = (char *)(((uintptr_t)memory + (2u << 20) - 1) & ~((2ull << 20) - 1));
	if (madvise(memory, size, advice))
		die("madvise");
	return memory;
}

static void small_pages(void)
{
	uint64_t size = 1ull << 30, at;
	char *memory = anonymous(size, MADV_NOHUGEPAGE);

	for (at = 0; at < size; at += PAGE)
		memory[at] = 1;
	large("4k", memory, size);
	munmap(memory, size);
}

static void huge_pages(void)
{
	uint64_t size = 1ull << 30, at;
	char *memory = anonymous(size, MADV_HUGEPAGE);

	for (at = 0; at < size; at += PAGE)
		memory[at] = 1;
	large("thp", memory, size);
	munmap(memory, size);
}

static void hugetlb_pages(void)
{
	uint64_t size = 1ull << 30;
	char *memory;

	if (write_file("/proc/sys/vm/nr_hugepages", "512"))
		die("nr_hugepages");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("hugetlb");
	large("hugetlb", memory, size);
	munmap(memory, size);
	write_file("/proc/sys/vm/nr_hugepages", "0");
}

/* Pages come from the kernel in order; asked for out of order, they are scattered. */
static void scattered(void)
{
	uint64_t size = 64ull << 20, n = size / PAGE, i;
	char *memory = anonymous(size, MADV_NOHUGEPAGE);

	for (i = 0; i < n; i++)
		memory[i * 4099 % n * PAGE] = 1;
	large("scattered", memory, size);
	munmap(memory, size);
}

static char *shared_file(uint64_t size)
{
	int fd = memfd_create("bench", 0);
	char *memory;

	if (fd < 0 || ftruncate(fd, size))
		die("memfd");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	close(fd);
	return memory;
}

/* Pages apart, so that nobody can merge them. */
static uint64_t single_iova(unsigned int i)
{
	return IOVA + i * 2 * PAGE;
}

static void map_singles(unsigned int from, unsigned int to, char *memory)
{
	unsigned int i;

	for (i = from; i < to; i++)
		message(VHOST_IOTLB_UPDATE, single_iova(i), PAGE, memory + i * PAGE);
}

static void unmap_singles(unsigned int from, unsigned int to)
{
	unsigned int i;

	for (i = from; i < to; i++)
		message(VHOST_IOTLB_INVALIDATE, single_iova(i), PAGE, NULL);
}

/* On top of a thousand others. */
static void singles_on_top(void)
{
	char *memory = shared_file(2 * SINGLES * PAGE);
	unsigned int n = 100;
	double t0, t1, t2;

	message(VHOST_IOTLB_BATCH_BEGIN, 0, 0, NULL);
	map_singles(0, SINGLES, memory);
	message(VHOST_IOTLB_BATCH_END, 0, 0, NULL);
	t0 = now();
	map_singles(SINGLES, SINGLES + n, memory);
	t1 = now();
	unmap_singles(SINGLES, SINGLES + n);
	t2 = now();
	report_part("single1000", ".map", n / (t1 - t0), "maps/s");
	report_part("single1000", ".unmap", n / (t2 - t1), "maps/s");
	munmap(memory, 2 * SINGLES * PAGE);
}

static void singles(void)
{
	char *memory = shared_file(SINGLES * PAGE);
	double t0, t1, t2;

	t0 = now();
	map_singles(0, SINGLES, memory);
	t1 = now();
	unmap_singles(0, SINGLES);
	t2 = now();
	report_part("single", ".map", SINGLES / (t1 - t0), "maps/s");
	report_part("single", ".unmap", SINGLES / (t2 - t1), "maps/s");
	munmap(memory, SINGLES * PAGE);
}

static void write_many(struct vhost_msg_v2 *msgs, unsigned int n)
{
	if (write(vhost.fd, msgs, n * sizeof(*msgs)) != (ssize_t)(n * sizeof(*msgs)))
		die("many messages");
}

/* Many messages in a write, where that is taken. */
static void many(void)
{
	static struct vhost_msg_v2 msgs[PER_WRITE];
	char *memory = shared_file(SINGLES * PAGE);
	unsigned int n = SINGLES / PER_WRITE * PER_WRITE, i;
	double t0, t1, map = 0, unmap = 0;

	fill(&msgs[0], VHOST_IOTLB_UPDATE, single_iova(0), PAGE, memory);
	fill(&msgs[1], VHOST_IOTLB_INVALIDATE, single_iova(0), PAGE, NULL);
	if (write(vhost.fd, msgs, 2 * sizeof(*msgs)) != 2 * sizeof(*msgs)) {
		message(VHOST_IOTLB_INVALIDATE, single_iova(0), PAGE, NULL);
		return;
	}

	for (i = 0; i < n; i++) {
		fill(&msgs[i % PER_WRITE], VHOST_IOTLB_UPDATE, single_iova(i), PAGE,
		     memory + i * PAGE);
		if (i % PER_WRITE != PER_WRITE - 1)
			continue;
		t0 = now();
		write_many(msgs, PER_WRITE);
		map += now() - t0;
	}
	for (i = 0; i < n; i++) {
		fill(&msgs[i % PER_WRITE], VHOST_IOTLB_INVALIDATE, single_iova(i), PAGE, NULL);
		if (i % PER_WRITE != PER_WRITE - 1)
			continue;
		t0 = now();
		write_many(msgs, PER_WRITE);
		t1 = now();
		unmap += t1 - t0;
	}
	report_part("many", ".map", n / map, "maps/s");
	report_part("many", ".unmap", n / unmap, "maps/s");
	munmap(memory, SINGLES * PAGE);
}

#define FILES 500

/* Per file: open, owned, every queue of the device with its eventfds and addresses. */
static void memory(void)
{
	static struct vhost v[FILES];
	long available, slab;
	char name[32];
	unsigned int i, q;
	int fd = eventfd(0, 0);

	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		if (device_add(name, "vdpasim_net") || device_bind(name, "vhost_vdpa"))
			die("dev add");
	}
	available = memory_now("MemAvailable");
	slab = memory_now("Slab");
	for (i = 0; i < FILES; i++) {
		char path[256];

		snprintf(name, sizeof(name), "m%u", i);
		if (!vhost_node(name, path, sizeof(path)))
			die("node");
		v[i].fd = open(path, O_RDWR);
		if (v[i].fd < 0 || vhost_ioctl(&v[i], VHOST_SET_OWNER, NULL))
			die("open");
		for (q = 0; q < 3; q++) {
			struct vhost_vring_state state = { .index = q, .num = 256 };
			struct vhost_vring_file file = { .index = q, .fd = fd };
			struct vhost_vring_addr addr = {
				.index = q,
				.desc_user_addr = IOVA,
				.avail_user_addr = IOVA + 4 * PAGE,
				.used_user_addr = IOVA + 8 * PAGE,
			};

			if (vhost_ioctl(&v[i], VHOST_SET_VRING_NUM, &state) ||
			    vhost_ioctl(&v[i], VHOST_SET_VRING_ADDR, &addr) ||
			    vhost_ioctl(&v[i], VHOST_SET_VRING_KICK, &file) ||
			    vhost_ioctl(&v[i], VHOST_SET_VRING_CALL, &file))
				die("vring");
		}
	}
	report_part("memory", ".available", (available - memory_now("MemAvailable")) * 1.0 / FILES,
	       "KiB");
	report_part("memory", ".slab", (memory_now("Slab") - slab) * 1.0 / FILES, "KiB");
	for (i = 0; i < FILES; i++) {
		close(v[i].fd);
		snprintf(name, sizeof(name), "m%u", i);
		device_del(name);
	}
	close(fd);
}

/* While the file is open and a gigabyte is mapped. */
static void delete_open(void)
{
	uint64_t size = 1ull << 30, at;
	char *memory = anonymous(size, MADV_HUGEPAGE);
	double t0, t1;

	for (at = 0; at < size; at += PAGE)
		memory[at] = 1;
	message(VHOST_IOTLB_UPDATE, IOVA, size, memory);
	t0 = now();
	if (device_del(NAME))
		die("dev del");
	t1 = now();
	report_part("delete", ".open", (t1 - t0) * 1e3, "ms");
	munmap(memory, size);
	vhost_close(&vhost);
}

static const struct figure {
	const char *name;
	void (*measure)(void);
	bool no_session;
	bool deletes;
} figures[] = {
	{ "4k", small_pages },
	{ "thp", huge_pages },
	{ "hugetlb", hugetlb_pages },
	{ "scattered", scattered },
	{ "single1000", singles_on_top },
	{ "single", singles },
	{ "many", many },
	{ "memory", memory, .no_session = true },
	{ "delete", delete_open, .deletes = true },
};

int main(int argc, char **argv)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned int i;
	int arg;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	for (arg = 1; arg < argc; arg++) {
		for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
			if (strcmp(argv[arg], figures[i].name))
				continue;
			if (!figures[i].no_session)
				start();
			figures[i].measure();
			if (!figures[i].no_session && !figures[i].deletes)
				stop();
			break;
		}
		if (i == sizeof(figures) / sizeof(figures[0])) {
			fprintf(stderr, "map_bench: no figure named %s\n", argv[arg]);
			return 2;
		}
	}
	return 0;
}
