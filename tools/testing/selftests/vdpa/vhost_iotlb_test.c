// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vhost-vdpa-N: messages, what they map, and that memory is counted and given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vhost_vdpa.h>
#include "vhost_fixture.h"

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
	if (pages_by_pinning()) {
		EXPECT_EQ(self->pinned + 4, pages_pinned());
		EXPECT_EQ(16, pages_vm_pin());
	} else {
		EXPECT_EQ(self->pinned, pages_pinned());
	}
	/* overlap: refused, and what is there stays */
	EXPECT_EQ(-EFAULT, update(&self->v, 2 * PAGE, PAGE, self->v.memory));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, 4 * PAGE));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_LE(pages_vm_pin(), 0);
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
	EXPECT_EQ(pages_by_pinning() ? -EFAULT : 0,
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
	if (pages_by_pinning())
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
	if (!pages_by_pinning()) {
		/* nothing is pinned, so nothing is limited */
		EXPECT_EQ(0, update(&self->v, PAGE, 9 * PAGE, self->v.memory));
		EXPECT_GE(0, pages_vm_pin());
		return;
	}
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, 9 * PAGE, self->v.memory));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(0, update(&self->v, PAGE, 8 * PAGE, self->v.memory));
	EXPECT_EQ(-EFAULT, update(&self->v, 100 * PAGE, PAGE, self->v.memory));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, 8 * PAGE));
	EXPECT_EQ(0, update(&self->v, 100 * PAGE, PAGE, self->v.memory));
	EXPECT_EQ(4, pages_vm_pin());
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

/* Precise errors, for who asks for them */

static int acknowledge(struct vhost *v, uint64_t features)
{
	features |= BIT(VHOST_BACKEND_F_IOTLB_MSG_V2);
	return vhost_ioctl(v, VHOST_SET_BACKEND_FEATURES, &features);
}

/* A page of a file that nobody may write to any more, mapped shared. */
static char *sealed_page(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	char *at;

	if (fd < 0 || ftruncate(fd, PAGE) || fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE))
		return NULL;
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

TEST_F(vhost, precise_errors)
{
	struct rlimit limit = { 8 * PAGE, 8 * PAGE };
	char *read_only;
	int status;
	pid_t pid;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	ASSERT_EQ(0, acknowledge(&self->v, BIT(VHOST_BACKEND_F_IOTLB_ERRNO)));
	EXPECT_EQ(0, update(&self->v, PAGE, PAGE, self->v.memory));
	EXPECT_EQ(-EEXIST, update(&self->v, PAGE, PAGE, self->v.memory));
	EXPECT_EQ(-EEXIST, update(&self->v, 0, 4 * PAGE, self->v.memory));
	EXPECT_EQ(-EINVAL, update(&self->v, 0 - PAGE, 2 * PAGE, self->v.memory));
	EXPECT_EQ(-EINVAL, vhost_message(&self->v, VHOST_IOTLB_UPDATE, 8 * PAGE, PAGE,
					 (uintptr_t)self->v.memory, 0));
	EXPECT_EQ(-EINVAL, vhost_message(&self->v, VHOST_IOTLB_UPDATE, 8 * PAGE, PAGE,
					 (uintptr_t)self->v.memory, 7));
	EXPECT_EQ(-EINVAL, vhost_message(&self->v, 99, 0, 0, 0, 0));
	EXPECT_EQ(-EFAULT, update(&self->v, 8 * PAGE, PAGE, NULL));
	/* fault 7: a page can only be where all of it is */
	EXPECT_EQ(pages_by_pinning() ? -EINVAL : 0,
		  update(&self->v, 32 * PAGE, PAGE, (char *)self->v.memory + 512));

	read_only = sealed_page();
	ASSERT_NE(NULL, read_only);
	EXPECT_EQ(pages_by_pinning() ? -EFAULT : -EACCES,
		  update(&self->v, 8 * PAGE, PAGE, read_only));

	pid = fork();
	if (!pid)
		_exit(-update(&self->v, 8 * PAGE, PAGE, self->v.memory));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	EXPECT_EQ(pages_by_pinning() ? -ENOMEM : 0,
		  update(&self->v, 8 * PAGE, 9 * PAGE, self->v.memory));
}

TEST_F(vhost, precise_limit)
{
	int i, err = 0;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	ASSERT_EQ(0, acknowledge(&self->v, BIT(VHOST_BACKEND_F_IOTLB_ERRNO)));
	for (i = 0; i < 4096 && !err; i++)
		err = update(&self->v, (1 + 2 * i) * PAGE, PAGE, self->v.memory);
	EXPECT_EQ(-ENOSPC, err);
	EXPECT_EQ(2049, i);
}

/* Row 6 of stock's faults: memory that only the process itself has. */
TEST_F(vhost, private_memory)
{
	char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, private);
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	/* where addresses are used it is skipped, as ever; what is skipped is free */
	EXPECT_EQ(0, update(&self->v, PAGE, 2 * PAGE, private));
	EXPECT_EQ(pages_by_pinning() ? -EFAULT : 0, update(&self->v, PAGE, PAGE, self->v.memory));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, 2 * PAGE));

	ASSERT_EQ(0, acknowledge(&self->v, BIT(VHOST_BACKEND_F_IOTLB_ERRNO)));
	EXPECT_EQ(pages_by_pinning() ? 0 : -EFAULT, update(&self->v, PAGE, 2 * PAGE, private));
}

/* More than are copied at once, a refused one in the middle of the second lot. */
TEST_F(vhost, many_messages_in_one_write)
{
	enum { N = 100, BAD = 50 };
	static struct vhost_msg_v2 msgs[N];
	int i;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < N; i++) {
		msgs[i].type = VHOST_IOTLB_MSG_V2;
		msgs[i].iotlb.type = VHOST_IOTLB_UPDATE;
		msgs[i].iotlb.iova = (i + 1) * 2 * PAGE;
		msgs[i].iotlb.size = PAGE;
		msgs[i].iotlb.uaddr = (uintptr_t)self->v.memory + i * PAGE;
		msgs[i].iotlb.perm = VHOST_ACCESS_RW;
	}
	msgs[BAD].iotlb.iova = 2 * PAGE;
	EXPECT_EQ(BAD * sizeof(msgs[0]), write(self->v.fd, msgs, sizeof(msgs)));
	if (pages_by_pinning())
		EXPECT_EQ(self->pinned + BAD, pages_pinned());
	/* what came before it is there, what came after it is not */
	EXPECT_EQ(-EFAULT, update(&self->v, BAD * 2 * PAGE, PAGE, self->v.memory));
	EXPECT_EQ(0, update(&self->v, (BAD + 2) * 2 * PAGE, PAGE, self->v.memory));

	/* updates and invalidations in turns: each finds what the one before left */
	EXPECT_EQ(0, invalidate(&self->v, 0, 1ull << 40));
	EXPECT_EQ(self->pinned, pages_pinned());
	for (i = 0; i < N; i++) {
		msgs[i].iotlb.type = i % 2 ? VHOST_IOTLB_INVALIDATE : VHOST_IOTLB_UPDATE;
		msgs[i].iotlb.iova = PAGE;
	}
	EXPECT_EQ(sizeof(msgs), write(self->v.fd, msgs, sizeof(msgs)));
	EXPECT_EQ(self->pinned, pages_pinned());

	/* a bad frame behind good ones does not undo them */
	msgs[2].type = 77;
	EXPECT_EQ(2 * sizeof(msgs[0]), write(self->v.fd, msgs, 4 * sizeof(msgs[0])));
	/* the padding of the last may be missing */
	EXPECT_EQ(sizeof(msgs[0]) + 40, write(self->v.fd, msgs, sizeof(msgs[0]) + 40));
}

/* Address spaces */

static int message_to(struct vhost *v, uint32_t asid, uint8_t type, uint64_t iova, void *at)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.asid = asid,
		.iotlb = {
			.type = type,
			.iova = iova,
			.size = PAGE,
			.uaddr = (uintptr_t)at,
			.perm = VHOST_ACCESS_RW,
		},
	};

	return write(v->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

TEST_F(vhost, address_spaces)
{
	char *at = self->v.memory;

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	/* not acknowledged: the number means nothing */
	EXPECT_EQ(0, message_to(&self->v, 7, VHOST_IOTLB_UPDATE, PAGE, at));
	EXPECT_EQ(-EFAULT, message_to(&self->v, 0, VHOST_IOTLB_UPDATE, PAGE, at));

	ASSERT_EQ(0, acknowledge(&self->v, BIT(VHOST_BACKEND_F_IOTLB_ASID) |
					   BIT(VHOST_BACKEND_F_IOTLB_BATCH)));
	EXPECT_EQ(-EFAULT, message_to(&self->v, 2, VHOST_IOTLB_UPDATE, PAGE, at));
	EXPECT_EQ(-EFAULT, message_to(&self->v, ~0u, VHOST_IOTLB_UPDATE, PAGE, at));
	/* one that nothing was mapped in cannot be taken from */
	EXPECT_EQ(-EFAULT, message_to(&self->v, 1, VHOST_IOTLB_INVALIDATE, PAGE, NULL));
	EXPECT_EQ(0, message_to(&self->v, 1, VHOST_IOTLB_UPDATE, PAGE, at));
	EXPECT_EQ(0, message_to(&self->v, 1, VHOST_IOTLB_INVALIDATE, PAGE, NULL));
	EXPECT_EQ(-EFAULT, message_to(&self->v, 0, VHOST_IOTLB_UPDATE, PAGE, at));

	/* a batch is of one address space */
	EXPECT_EQ(0, message_to(&self->v, 0, VHOST_IOTLB_BATCH_BEGIN, 0, NULL));
	EXPECT_EQ(-EFAULT, message_to(&self->v, 1, VHOST_IOTLB_UPDATE, PAGE, at));
	EXPECT_EQ(0, message_to(&self->v, 0, VHOST_IOTLB_INVALIDATE, PAGE, NULL));
	EXPECT_EQ(0, message_to(&self->v, 0, VHOST_IOTLB_UPDATE, PAGE, at));
	EXPECT_EQ(0, message_to(&self->v, 0, VHOST_IOTLB_INVALIDATE, PAGE, NULL));
	EXPECT_EQ(0, message_to(&self->v, 0, VHOST_IOTLB_BATCH_END, 0, NULL));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(0, message_to(&self->v, 1, VHOST_IOTLB_UPDATE, PAGE, at));
	/* an end without a beginning is none */
	EXPECT_EQ(0, message_to(&self->v, 0, VHOST_IOTLB_BATCH_END, 0, NULL));
}

TEST_F(vhost, old_messages)
{
	struct vhost_msg msg = {
		.type = VHOST_IOTLB_MSG,
		.iotlb = {
			.type = VHOST_IOTLB_UPDATE,
			.iova = PAGE,
			.size = PAGE,
			.uaddr = (uintptr_t)self->v.memory,
			.perm = VHOST_ACCESS_RW,
		},
	};

	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(sizeof(msg), write(self->v.fd, &msg, sizeof(msg)));
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, PAGE, self->v.memory));
	msg.iotlb.type = VHOST_IOTLB_INVALIDATE;
	EXPECT_EQ(sizeof(msg), write(self->v.fd, &msg, sizeof(msg)));
	EXPECT_EQ(0, update(&self->v, PAGE, PAGE, self->v.memory));
}

/* Memory that is scattered, large, or taken away in pieces */

/* How many more pages are pinned when @n are mapped. */
static long pins(long n)
{
	return pages_by_pinning() ? n : 0;
}

static char *memory(size_t size, int advice)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char *at = mmap(NULL, size + (2 << 20), PROT_READ | PROT_WRITE,
			(pages_by_pinning() ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED || setrlimit(RLIMIT_MEMLOCK, &unlimited))
		return NULL;
	at = (char *)(((uintptr_t)at + (2 << 20) - 1) & ~((2ull << 20) - 1));
	return madvise(at, size, advice) ? NULL : at;
}

/* Row 24 of stock's faults: how many runs a map takes is the host's luck. */
TEST_F(vhost, scattered_memory)
{
	size_t size = 64 << 20, n = size / PAGE, i;
	char *at = memory(size, MADV_NOHUGEPAGE);

	ASSERT_NE(NULL, at);
	for (i = 0; i < n; i++)
		at[i * 4099 % n * PAGE] = 1;
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, update(&self->v, 1ull << 32, size, at));
	EXPECT_EQ(self->pinned + pins(n), pages_pinned());
	EXPECT_EQ(pins(size / 1024), pages_vm_pin());

	/* whole runs go with whatever touches them, and what goes can be mapped again */
	for (i = 1; i < n; i += n / 64) {
		EXPECT_EQ(0, invalidate(&self->v, (1ull << 32) + i * PAGE + 5, 1));
		if (pages_by_pinning()) {
			/* its neighbours are runs of their own, and stay */
			EXPECT_EQ(-EFAULT, update(&self->v, (1ull << 32) + (i - 1) * PAGE, PAGE, at));
			EXPECT_EQ(-EFAULT, update(&self->v, (1ull << 32) + (i + 1) * PAGE, PAGE, at));
		}
		EXPECT_EQ(0, update(&self->v, (1ull << 32) + i * PAGE, PAGE, at + i * PAGE));
	}
	EXPECT_EQ(0, invalidate(&self->v, (1ull << 32) + size / 4, size / 2));
	EXPECT_GE(self->pinned + pins(n / 2), pages_pinned());
	EXPECT_LE(self->pinned + pins(n / 2 - 1024), pages_pinned());
	EXPECT_EQ(0, update(&self->v, (1ull << 32) + size / 4 + 1024 * PAGE,
			    size / 2 - 2048 * PAGE, at));
	EXPECT_EQ(0, invalidate(&self->v, 0, UINT64_MAX));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(0, pages_vm_pin());
}

TEST_F(vhost, huge_pages)
{
	size_t size = 32 << 20, i;
	char *at = memory(size, MADV_HUGEPAGE);

	ASSERT_NE(NULL, at);
	for (i = 0; i < size; i += PAGE)
		at[i] = 1;
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	/* from inside of one huge page to inside of another */
	EXPECT_EQ(0, update(&self->v, 3 * PAGE, size - 8 * PAGE, at + 3 * PAGE));
	EXPECT_EQ(self->pinned + pins(size / PAGE - 8), pages_pinned());
	EXPECT_EQ(0, invalidate(&self->v, 3 * PAGE, size - 8 * PAGE));
	EXPECT_EQ(self->pinned, pages_pinned());
}

/* The device may not write where the process may not, whatever the page is. */
TEST_F(vhost, read_only)
{
	char *at = sealed_page();

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EFAULT, update(&self->v, PAGE, PAGE, at));
	EXPECT_EQ(-EFAULT, vhost_message(&self->v, VHOST_IOTLB_UPDATE, PAGE, PAGE,
					 (uintptr_t)at, VHOST_ACCESS_WO));
	EXPECT_EQ(0, vhost_message(&self->v, VHOST_IOTLB_UPDATE, PAGE, PAGE,
				   (uintptr_t)at, VHOST_ACCESS_RO));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, PAGE));
	EXPECT_EQ(self->pinned, pages_pinned());
}

/* The process may unmap what the device has. */
TEST_F(vhost, memory_goes_first)
{
	char *at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);

	ASSERT_NE(MAP_FAILED, at);
	ASSERT_EQ(0, vhost_ioctl(&self->v, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, update(&self->v, PAGE, 16 * PAGE, at));
	EXPECT_EQ(0, munmap(at, 16 * PAGE));
	EXPECT_EQ(0, invalidate(&self->v, PAGE, 16 * PAGE));
	EXPECT_EQ(self->pinned, pages_pinned());
}

TEST_HARNESS_MAIN
