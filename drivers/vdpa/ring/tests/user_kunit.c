// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings and buffers in the memory of a process, reached as the device reaches
 * them: by a worker thread that borrows the mm.
 */

#include <linux/bits.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/vhost_iotlb.h>

#include "driver.h"

#define IOVA	0x100000
#define LEN	(4 * PAGE_SIZE)
#define OLD	10
#define NEW	12
#define REST	2048	/* where the second piece of a cut buffer is */

/**
 * struct user_case - a process and a device that serves it
 * @test: for expectations in the worker
 * @drv: ring in kernel memory
 * @rx: another, which @drv is copied to
 * @uaddr: LEN bytes of the process, mapped to IOVA
 * @worker: the device's thread
 * @work: what it is to do
 * @buf: what @work reads or writes
 * @ret: what came of it
 * @faults: pages that were not there
 * @behind: copies exchange a header of OLD bytes for one of NEW bytes
 */
struct user_case {
	struct kunit *test;
	struct test_driver *drv;
	struct test_driver *rx;
	unsigned long uaddr;
	struct kthread_worker *worker;
	struct kthread_work work;
	char buf[64];
	ssize_t ret;
	unsigned int faults;
	bool behind;
};

static void worker_destroy(void *worker)
{
	kthread_destroy_worker(worker);
}

static int user_init(struct kunit *test)
{
	struct user_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->test = test;
	c->uaddr = kunit_vm_mmap(test, NULL, 0, LEN, PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0, c->uaddr);
	KUNIT_ASSERT_LT(test, c->uaddr, TASK_SIZE);
	c->drv = test_driver(test, 8, 0);
	c->worker = kthread_create_worker(0, "vdpa_ring_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(c->worker));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, worker_destroy, c->worker));
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_bind_mm(c->drv->mem, current->mm));
	KUNIT_ASSERT_EQ(test, 0,
			vdpa_memory_map(c->drv->mem, TEST_BUF_AS, IOVA, LEN,
					c->uaddr, VHOST_MAP_RW));
	test_restart(test, c->drv, 0);
	return 0;
}

/* Have the device's thread do @fn. Return: what it leaves in @ret. */
static ssize_t by_device(struct user_case *c, kthread_work_func_t fn)
{
	kthread_init_work(&c->work, fn);
	kthread_queue_work(c->worker, &c->work);
	kthread_flush_work(&c->work);
	return c->ret;
}

static void enter_fn(struct kthread_work *work)
{
	struct user_case *c = container_of(work, struct user_case, work);

	c->ret = vdpa_memory_enter(c->drv->mem);
	if (!c->ret)
		vdpa_memory_exit(c->drv->mem);
}

static void peek_fn(struct kthread_work *work)
{
	struct user_case *c = container_of(work, struct user_case, work);

	c->ret = test_peek(c->test, c->drv, IOVA + PAGE_SIZE - 8, c->buf, 16);
}

static void poke_fn(struct kthread_work *work)
{
	struct user_case *c = container_of(work, struct user_case, work);

	c->ret = test_poke(c->test, c->drv, IOVA + PAGE_SIZE - 8, c->buf, 16);
}

/* the device reads and writes what the process sees, by its addresses */
static void user_buffers(struct kunit *test)
{
	struct user_case *c = test->priv;
	char got[16];

	KUNIT_ASSERT_EQ(test, 0,
			copy_to_user((void __user *)(c->uaddr + PAGE_SIZE - 8),
				     "0123456789abcdef", 16));
	KUNIT_EXPECT_EQ(test, 16, by_device(c, peek_fn));
	KUNIT_EXPECT_MEMEQ(test, c->buf, "0123456789abcdef", 16);
	memcpy(c->buf, "fedcba9876543210", 16);
	KUNIT_EXPECT_EQ(test, 16, by_device(c, poke_fn));
	KUNIT_ASSERT_EQ(test, 0,
			copy_from_user(got, (void __user *)(c->uaddr + PAGE_SIZE - 8),
				       16));
	KUNIT_EXPECT_MEMEQ(test, got, "fedcba9876543210", 16);
}

/* an address that the process does not have is an error like any other */
static void user_hole(struct kunit *test)
{
	struct user_case *c = test->priv;

	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->drv->mem, 0, IOVA, LEN));
	KUNIT_ASSERT_EQ(test, 0,
			vdpa_memory_map(c->drv->mem, TEST_BUF_AS, IOVA, LEN,
					TASK_SIZE - 2 * LEN + PAGE_SIZE,
					VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -EFAULT, by_device(c, peek_fn));
	KUNIT_EXPECT_EQ(test, -EFAULT, by_device(c, poke_fn));

	/* nor is one of the kernel, for which there is no permission */
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->drv->mem, 0, IOVA, LEN));
	KUNIT_ASSERT_EQ(test, 0,
			vdpa_memory_map(c->drv->mem, TEST_BUF_AS, IOVA, LEN,
					(unsigned long)c->drv, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -EFAULT, by_device(c, peek_fn));
}

/* once unbound the process's addresses mean nothing, whatever is bound next */
static void user_unbind(struct kunit *test)
{
	struct user_case *c = test->priv;

	KUNIT_EXPECT_EQ(test, -EBUSY,
			vdpa_memory_bind_mm(c->drv->mem, current->mm));
	vdpa_memory_unbind_mm(c->drv->mem);
	KUNIT_EXPECT_EQ(test, -EFAULT, by_device(c, peek_fn));
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_bind_mm(c->drv->mem, current->mm));
	KUNIT_EXPECT_EQ(test, -EFAULT, by_device(c, peek_fn));
	KUNIT_EXPECT_EQ(test, 0, by_device(c, enter_fn));
	vdpa_memory_unbind_mm(c->drv->mem);
	vdpa_memory_unbind_mm(c->drv->mem);
	KUNIT_EXPECT_EQ(test, 0, by_device(c, enter_fn));
}

/* Have a page fetched that a burst did without. Return: there was one. */
static bool fetched(struct user_case *c, bool faulted, struct vdpa_fault *fault)
{
	if (!faulted)
		return false;
	c->faults++;
	if (!vdpa_fault_resolve(fault))
		return true;
	vdpa_ring_fail(c->drv->ring, fault);
	if (c->rx)
		vdpa_ring_fail(c->rx->ring, fault);
	c->ret = -EFAULT;
	return false;
}

static bool serve_burst(struct user_case *c, bool *more, bool *notify)
{
	struct vdpa_chain chain;
	struct vdpa_fault fault;
	bool faulted;

	KUNIT_ASSERT_EQ(c->test, 0, vdpa_memory_enter(c->drv->mem));
	*more |= vdpa_ring_enable_kick(c->drv->ring) > 0;
	while (vdpa_ring_next(c->drv->ring, &chain) == 1) {
		if (vdpa_chain_zero(&chain, 2) < 0 ||
		    vdpa_chain_push(&chain, "ok", 2) < 0) {
			vdpa_ring_unget(c->drv->ring, &chain);
			break;
		}
		vdpa_ring_complete(c->drv->ring, &chain);
	}
	*notify |= vdpa_ring_flush(c->drv->ring) > 0;
	vdpa_ring_disable_kick(c->drv->ring);
	faulted = vdpa_ring_fault(c->drv->ring, &fault);
	vdpa_memory_exit(c->drv->mem);
	return fetched(c, faulted, &fault);
}

static void serve_fn(struct kthread_work *work)
{
	struct user_case *c = container_of(work, struct user_case, work);
	bool more = false, notify = false;

	while (serve_burst(c, &more, &notify))
		;
	c->ret = more + 2 * notify;
}

/*
 * The ring itself in user memory. Its driver is this test, which writes through a
 * copy: areas at one page each, the buffer in the fourth.
 */
static void user_ring(struct kunit *test)
{
	struct user_case *c = test->priv;
	struct test_driver *drv = c->drv;
	void __user *desc = (void __user *)c->uaddr;
	void __user *used = desc + 2 * PAGE_SIZE;
	struct test_used_ring *copy;
	char got[5] = {};

	drv->cfg.ring_asid = TEST_BUF_AS;
	drv->cfg.desc = IOVA;
	drv->cfg.driver = IOVA + PAGE_SIZE;
	drv->cfg.device = IOVA + 2 * PAGE_SIZE;
	test_restart(test, drv, 0);
	test_desc(&drv->desc[3], IOVA + 3 * PAGE_SIZE, 4, F_WRITE, 0);
	test_offer(drv, 3);
	KUNIT_ASSERT_EQ(test, 0, copy_to_user(desc, drv->desc, 128));
	KUNIT_ASSERT_EQ(test, 0, copy_to_user(desc + PAGE_SIZE, drv->avail, 22));

	KUNIT_EXPECT_EQ(test, 3, by_device(c, serve_fn));
	/* the device area and the buffer had never been touched */
	KUNIT_EXPECT_EQ(test, 2, c->faults);
	KUNIT_EXPECT_FALSE(test, vdpa_ring_broken(drv->ring));
	copy = test_buf(test, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(copy, used, 70));
	KUNIT_EXPECT_EQ(test, 1, le16_to_cpu(copy->idx));
	KUNIT_EXPECT_EQ(test, VRING_USED_F_NO_NOTIFY, le16_to_cpu(copy->flags));
	KUNIT_EXPECT_EQ(test, 3, le32_to_cpu(copy->ring[0].id));
	KUNIT_EXPECT_EQ(test, 4, le32_to_cpu(copy->ring[0].len));
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(got, desc + 3 * PAGE_SIZE, 4));
	KUNIT_EXPECT_MEMEQ(test, got, "\0\0ok", 4);
}

/* Copy all there is, but not its header if it is to get another. */
static ssize_t copy_all(struct user_case *c, struct vdpa_chain *to,
			struct vdpa_chain *from)
{
	const char *hdr;
	char buf[OLD];
	ssize_t ret;

	if (!c->behind)
		return vdpa_chain_copy(to, from, from->out.left);
	hdr = vdpa_chain_look(from, OLD);
	if (IS_ERR(hdr))
		return PTR_ERR(hdr);
	if (hdr) {
		KUNIT_EXPECT_MEMEQ(c->test, hdr, "old header", OLD);
		vdpa_chain_skip_out(from, OLD);
	} else {
		ret = vdpa_chain_pull(from, buf, OLD);
		if (ret < 0)
			return ret;
		KUNIT_EXPECT_MEMEQ(c->test, buf, "old header", OLD);
	}
	ret = vdpa_chain_copy_behind(to, "a new header", NEW, from, from->out.left);
	if (ret < 0)
		return ret;
	KUNIT_EXPECT_EQ(c->test, 0, from->out.left);
	return vdpa_chain_push(to, "!", 1) < 0 ? -EAGAIN : ret;
}

static bool copy_burst(struct user_case *c)
{
	struct vdpa_chain to, from;
	struct vdpa_fault fault;
	bool faulted;

	KUNIT_ASSERT_EQ(c->test, 0, vdpa_memory_enter(c->drv->mem));
	KUNIT_EXPECT_EQ(c->test, 1, vdpa_ring_next(c->drv->ring, &from));
	KUNIT_EXPECT_EQ(c->test, 1, vdpa_ring_next(c->rx->ring, &to));
	c->ret = copy_all(c, &to, &from);
	if (c->ret == -EAGAIN) {
		vdpa_ring_unget(c->drv->ring, &from);
		vdpa_ring_unget(c->rx->ring, &to);
	} else {
		vdpa_ring_complete(c->drv->ring, &from);
		vdpa_ring_complete(c->rx->ring, &to);
	}
	vdpa_ring_flush(c->drv->ring);
	vdpa_ring_flush(c->rx->ring);
	faulted = vdpa_ring_fault(c->drv->ring, &fault) ||
		  vdpa_ring_fault(c->rx->ring, &fault);
	vdpa_memory_exit(c->drv->mem);
	return fetched(c, faulted, &fault);
}

static void copy_fn(struct kthread_work *work)
{
	struct user_case *c = container_of(work, struct user_case, work);

	while (copy_burst(c))
		;
}

/*
 * All four ways between user and kernel memory, more than a page. TEST_RING_AS
 * lends the buffers that are kernel memory.
 */
static void user_copy(struct kunit *test)
{
	struct user_case *c = test->priv;
	void __user *ubuf = (void __user *)c->uaddr;
	size_t i, len = PAGE_SIZE + 777;
	u8 *src = test_buf(test, 2 * PAGE_SIZE);
	u8 *dst = test_buf(test, 2 * PAGE_SIZE);
	bool from_user, to_user;
	int way;

	c->rx = test_driver_on(test, c->drv->mem, 8, 0);
	for (way = 0; way < 4; way++) {
		from_user = way & 1;
		to_user = way & 2;
		for (i = 0; i < len; i++)
			src[i] = i * 11 + i / 256 + way;
		memset(dst, 0, 2 * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, copy_to_user(ubuf, src, len));

		c->drv->cfg.asid = from_user ? TEST_BUF_AS : TEST_RING_AS;
		c->rx->cfg.asid = to_user ? TEST_BUF_AS : TEST_RING_AS;
		test_restart(test, c->drv, 0);
		test_restart(test, c->rx, 0);
		test_desc(&c->drv->desc[0], from_user ? IOVA : virt_to_phys(src),
			  len, 0, 0);
		test_desc(&c->rx->desc[0],
			  to_user ? IOVA + 2 * PAGE_SIZE : virt_to_phys(dst),
			  2 * PAGE_SIZE, F_WRITE, 0);
		test_offer(c->drv, 0);
		test_offer(c->rx, 0);

		KUNIT_EXPECT_EQ(test, len, by_device(c, copy_fn));
		KUNIT_EXPECT_EQ(test, len, le32_to_cpu(c->rx->used->ring[0].len));
		if (to_user)
			KUNIT_ASSERT_EQ(test, 0,
					copy_from_user(dst, ubuf + 2 * PAGE_SIZE,
						       len));
		KUNIT_EXPECT_MEMEQ(test, dst, src, len);
		KUNIT_EXPECT_EQ(test, 0, dst[len]);
	}
}

/*
 * A header exchanged on the way, all four ways, with either side in one piece or cut
 * within the header or behind it.
 */
static void user_copy_behind(struct kunit *test)
{
	static const u32 cuts[] = { 0, 1, 9, 10, 11, 12, 13, 600 };
	struct user_case *c = test->priv;
	void __user *ubuf = (void __user *)c->uaddr;
	u32 len = 1500, cut, i, way;
	u8 *want = test_buf(test, PAGE_SIZE);
	u8 *src = test_buf(test, PAGE_SIZE);
	u8 *dst = test_buf(test, PAGE_SIZE);
	bool from_user, to_user;
	u64 from, to;

	c->behind = true;
	c->rx = test_driver_on(test, c->drv->mem, 8, 0);
	for (way = 0; way < 16 * ARRAY_SIZE(cuts); way++) {
		from_user = way & 1;
		to_user = way & 2;
		cut = cuts[way / 16];
		memcpy(want, "old header", OLD);
		for (i = OLD; i < len; i++)
			want[i] = i * 11 + i / 256 + way;
		memcpy(src, want, len);
		memset(dst, 0, PAGE_SIZE);
		c->drv->cfg.asid = from_user ? TEST_BUF_AS : TEST_RING_AS;
		c->rx->cfg.asid = to_user ? TEST_BUF_AS : TEST_RING_AS;
		test_restart(test, c->drv, 0);
		test_restart(test, c->rx, 0);
		from = from_user ? IOVA : virt_to_phys(src);
		to = to_user ? IOVA + 2 * PAGE_SIZE : virt_to_phys(dst);
		if (cut && way & 4) {
			test_desc(&c->drv->desc[0], from, cut, F_NEXT, 1);
			test_desc(&c->drv->desc[1], from + REST, len - cut, 0, 0);
			memcpy(src + REST, want + cut, len - cut);
			memset(src + cut, 0xee, len - cut);
		} else {
			test_desc(&c->drv->desc[0], from, len, 0, 0);
		}
		if (cut && way & 8) {
			test_desc(&c->rx->desc[0], to, cut, F_WRITE | F_NEXT, 1);
			test_desc(&c->rx->desc[1], to + REST, 2000, F_WRITE, 0);
		} else {
			test_desc(&c->rx->desc[0], to, 2000, F_WRITE, 0);
		}
		KUNIT_ASSERT_EQ(test, 0, copy_to_user(ubuf, src, PAGE_SIZE));
		KUNIT_ASSERT_EQ(test, 0, copy_to_user(ubuf + 2 * PAGE_SIZE, dst, PAGE_SIZE));
		test_offer(c->drv, 0);
		test_offer(c->rx, 0);

		KUNIT_EXPECT_EQ(test, len - OLD, by_device(c, copy_fn));
		KUNIT_EXPECT_EQ(test, len - OLD + NEW + 1,
				le32_to_cpu(c->rx->used->ring[0].len));
		if (to_user)
			KUNIT_ASSERT_EQ(test, 0,
					copy_from_user(dst, ubuf + 2 * PAGE_SIZE, PAGE_SIZE));
		if (cut && way & 8) {
			KUNIT_EXPECT_EQ(test, 0, dst[cut]);
			memmove(dst + cut, dst + REST, PAGE_SIZE - REST);
		}
		KUNIT_EXPECT_MEMEQ(test, dst, "a new header", NEW);
		KUNIT_EXPECT_MEMEQ(test, dst + NEW, want + OLD, len - OLD);
		KUNIT_EXPECT_EQ(test, '!', dst[NEW + len - OLD]);
		KUNIT_EXPECT_EQ(test, 0, dst[NEW + len - OLD + 1]);
	}
}

/* the ring whose user memory is gone breaks, whatever the other side is */
static void user_copy_blames(struct kunit *test)
{
	struct user_case *c = test->priv;
	u64 gone = IOVA + 2 * LEN, pa = virt_to_phys(test_buf(test, PAGE_SIZE));
	bool from_user, to_gone;
	int way;

	KUNIT_ASSERT_EQ(test, 0,
			vdpa_memory_map(c->drv->mem, TEST_BUF_AS, gone, PAGE_SIZE,
					TASK_SIZE - 4 * PAGE_SIZE, VHOST_MAP_RW));
	c->rx = test_driver_on(test, c->drv->mem, 8, 0);
	for (way = 0; way < 4; way++) {
		to_gone = way & 1;
		from_user = !to_gone || (way & 2);
		c->drv->cfg.asid = from_user ? TEST_BUF_AS : TEST_RING_AS;
		c->rx->cfg.asid = to_gone || (way & 2) ? TEST_BUF_AS : TEST_RING_AS;
		test_restart(test, c->drv, 0);
		test_restart(test, c->rx, 0);
		test_desc(&c->drv->desc[0],
			  !to_gone ? gone : from_user ? IOVA : pa, 64, 0, 0);
		test_desc(&c->rx->desc[0], to_gone ? gone : (way & 2) ? IOVA : pa,
			  64, F_WRITE, 0);
		test_offer(c->drv, 0);
		test_offer(c->rx, 0);
		KUNIT_EXPECT_EQ(test, -EFAULT, by_device(c, copy_fn));
		KUNIT_EXPECT_EQ(test, !to_gone, vdpa_ring_broken(c->drv->ring));
		KUNIT_EXPECT_EQ(test, to_gone, vdpa_ring_broken(c->rx->ring));
	}
}

static struct kunit_case user_cases[] = {
	KUNIT_CASE(user_buffers),
	KUNIT_CASE(user_hole),
	KUNIT_CASE(user_unbind),
	KUNIT_CASE(user_ring),
	KUNIT_CASE(user_copy),
	KUNIT_CASE(user_copy_behind),
	KUNIT_CASE(user_copy_blames),
	{}
};

static struct kunit_suite user_suite = {
	.name = "vdpa_ring_user",
	.init = user_init,
	.test_cases = user_cases,
};

kunit_test_suite(user_suite);
