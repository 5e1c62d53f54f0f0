// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cursors: bytes arrive in order and in full whatever the cut of the segments,
 * and nothing beside them is touched.
 */

#include <linux/bits.h>
#include <linux/io.h>
#include <linux/limits.h>

#include "driver.h"

#define NUM	256
#define SEGS	200

struct chain_case {
	struct test_driver *drv;
	u8 *mem;
	u8 *dev;
	u64 pa;
	size_t total;
};

static int chain_init(struct kunit *test)
{
	struct chain_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->drv = test_driver(test, NUM, BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC));
	vdpa_memory_clear(c->drv->mem, TEST_BUF_AS, true);
	c->mem = test_buf(test, 2 * PAGE_SIZE);
	c->dev = test_buf(test, 2 * PAGE_SIZE);
	c->pa = virt_to_phys(c->mem);
	test->priv = c;
	return 0;
}

/* segment @i: 1 to 7 bytes, each 16 bytes after the one before */
static u32 seg_len(int i)
{
	return 1 + i * 5 % 7;
}

static u8 *seg_at(struct chain_case *c, int i)
{
	return c->mem + 16 * i;
}

/* fill @desc with a chain of @n such segments; its length goes to @c->total */
static void chain_build(struct chain_case *c, struct test_desc *desc, int n,
			u16 flags)
{
	int i;

	c->total = 0;
	for (i = 0; i < n; i++) {
		test_desc(&desc[i], c->pa + 16 * i, seg_len(i),
			  flags | (i < n - 1 ? F_NEXT : 0), i + 1);
		c->total += seg_len(i);
	}
}

static void chain_fetch(struct kunit *test, struct test_driver *drv,
			struct vdpa_chain *chain)
{
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(drv->ring, chain));
}

/* complete the chain; the driver sees @len */
static void chain_finish(struct kunit *test, struct test_driver *drv,
			 struct vdpa_chain *chain, u32 len)
{
	u16 pos = le16_to_cpu(drv->used->idx) % drv->cfg.num;

	vdpa_ring_complete(drv->ring, chain);
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(drv->ring));
	vdpa_memory_exit(drv->mem);
	KUNIT_EXPECT_EQ(test, drv->idx, le16_to_cpu(drv->used->idx));
	KUNIT_EXPECT_EQ(test, chain->id, le32_to_cpu(drv->used->ring[pos].id));
	KUNIT_EXPECT_EQ(test, len, le32_to_cpu(drv->used->ring[pos].len));
}

/* what the driver's segments hold, one after the other */
static void gather(struct chain_case *c, u8 *to)
{
	size_t off = 0;
	int i;

	for (i = 0; off < c->total; i++) {
		memcpy(to + off, seg_at(c, i), seg_len(i));
		off += seg_len(i);
	}
}

static void fill(u8 *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = i * 7 + i / 256 + 1;
}

/* pull all of the chain in steps of @step and compare */
static void expect_pulled(struct kunit *test, struct vdpa_chain *chain,
			  size_t step)
{
	struct chain_case *c = test->priv;
	u8 *want = c->dev + PAGE_SIZE;
	size_t off = 0;
	ssize_t n;

	gather(c, want);
	memset(c->dev, 0, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, c->total, chain->out.left);
	while ((n = vdpa_chain_pull(chain, c->dev + off, step)) > 0)
		off += n;
	KUNIT_EXPECT_EQ(test, 0, n);
	KUNIT_EXPECT_EQ(test, c->total, off);
	KUNIT_EXPECT_EQ(test, 0, chain->out.left);
	KUNIT_EXPECT_MEMEQ(test, c->dev, want, c->total);
}

/* many small segments, read in steps of every size up to two segments and at once */
static void chain_pull_steps(struct kunit *test)
{
	struct chain_case *c = test->priv;
	struct vdpa_chain chain;
	size_t step;

	chain_build(c, c->drv->desc, SEGS, 0);
	fill(c->mem, 16 * SEGS);
	for (step = 1; step < 17; step++) {
		test_offer(c->drv, 0);
		chain_fetch(test, c->drv, &chain);
		KUNIT_EXPECT_EQ(test, SEGS, chain.nr_out);
		KUNIT_EXPECT_EQ(test, 0, chain.nr_in);
		expect_pulled(test, &chain, step < 16 ? step : PAGE_SIZE);
		chain_finish(test, c->drv, &chain, 0);
	}
}

/* a table elsewhere is the same as descriptors in the ring */
static void chain_pull_indirect(struct kunit *test)
{
	struct chain_case *c = test->priv;
	struct test_desc *table = test_buf(test, 16 * SEGS);
	struct vdpa_chain chain;

	chain_build(c, table, SEGS, 0);
	fill(c->mem, 16 * SEGS);
	/* the write flag means nothing on a table (section 2.7.5.3.2) */
	test_desc(&c->drv->desc[9], virt_to_phys(table), 16 * SEGS,
		  F_INDIRECT | F_WRITE, 0);
	test_offer(c->drv, 9);
	chain_fetch(test, c->drv, &chain);
	KUNIT_EXPECT_EQ(test, SEGS, chain.nr_out);
	expect_pulled(test, &chain, 33);
	chain_finish(test, c->drv, &chain, 0);
}

/* descriptors in the ring, then a table (section 2.7.5.3.2) */
static void chain_direct_then_indirect(struct kunit *test)
{
	struct chain_case *c = test->priv;
	struct test_desc *table = test_buf(test, 16 * 3);
	struct vdpa_chain chain;
	char got[6];

	memcpy(c->mem, "abcdef", 6);
	test_desc(&c->drv->desc[3], c->pa, 2, F_NEXT, 200);
	test_desc(&c->drv->desc[200], virt_to_phys(table), 48, F_INDIRECT, 0);
	test_desc(&table[0], c->pa + 2, 3, F_NEXT, 2);
	test_desc(&table[2], c->pa + 5, 1, F_NEXT, 1);
	test_desc(&table[1], c->pa + 64, 8, F_WRITE, 0);
	test_offer(c->drv, 3);
	chain_fetch(test, c->drv, &chain);
	KUNIT_EXPECT_EQ(test, 3, chain.nr_out);
	KUNIT_EXPECT_EQ(test, 1, chain.nr_in);
	KUNIT_EXPECT_EQ(test, 6, vdpa_chain_pull(&chain, got, 99));
	KUNIT_EXPECT_MEMEQ(test, got, "abcdef", 6);
	KUNIT_EXPECT_EQ(test, 5, vdpa_chain_push(&chain, "12345", 5));
	KUNIT_EXPECT_MEMEQ(test, c->mem + 64, "12345\0\0", 8);
	chain_finish(test, c->drv, &chain, 5);
}

/* many small segments, written in steps; gaps and the rest stay as they were */
static void chain_push_steps(struct kunit *test)
{
	struct chain_case *c = test->priv;
	u8 *got = c->dev + PAGE_SIZE;
	struct vdpa_chain chain;
	size_t step, off, i;
	ssize_t n;

	chain_build(c, c->drv->desc, SEGS, F_WRITE);
	fill(c->dev, c->total);
	for (step = 1; step < 16; step++) {
		memset(c->mem, 0xee, 16 * SEGS);
		test_offer(c->drv, 0);
		chain_fetch(test, c->drv, &chain);
		KUNIT_EXPECT_EQ(test, c->total, chain.in.left);
		/* all but the last 10 bytes */
		for (off = 0; off < c->total - 10; off += n) {
			n = vdpa_chain_push(&chain, c->dev + off,
					    min(step, c->total - 10 - off));
			KUNIT_ASSERT_GT(test, n, 0);
		}
		chain_finish(test, c->drv, &chain, c->total - 10);
		gather(c, got);
		KUNIT_EXPECT_MEMEQ(test, got, c->dev, c->total - 10);
		for (i = 0; i < 10; i++)
			KUNIT_EXPECT_EQ(test, 0xee, got[c->total - 10 + i]);
		for (i = 0; i < SEGS; i++)
			KUNIT_EXPECT_EQ(test, 0xee, seg_at(c, i)[seg_len(i)]);
	}
}

/* push stops where the room ends */
static void chain_push_short(struct kunit *test)
{
	struct chain_case *c = test->priv;
	struct vdpa_chain chain;

	test_desc(&c->drv->desc[0], c->pa, 3, F_WRITE, 0);
	test_offer(c->drv, 0);
	chain_fetch(test, c->drv, &chain);
	KUNIT_EXPECT_EQ(test, 0, vdpa_chain_pull(&chain, c->dev, 1));
	KUNIT_EXPECT_EQ(test, 0, vdpa_chain_push(&chain, "abcdef", 0));
	KUNIT_EXPECT_EQ(test, 3, vdpa_chain_push(&chain, "abcdef", 6));
	KUNIT_EXPECT_EQ(test, 0, vdpa_chain_push(&chain, "abcdef", 6));
	KUNIT_EXPECT_EQ(test, 0, vdpa_chain_zero(&chain, 1));
	KUNIT_EXPECT_EQ(test, 0, vdpa_chain_skip_in(&chain, 1));
	KUNIT_EXPECT_MEMEQ(test, c->mem, "abc\0", 4);
	chain_finish(test, c->drv, &chain, 3);
}

/* zeroes count as pushed, what is skipped does not */
static void chain_zero_and_skip(struct kunit *test)
{
	struct chain_case *c = test->priv;
	u8 *got = c->dev + PAGE_SIZE;
	struct vdpa_chain chain;
	size_t i;

	chain_build(c, c->drv->desc, SEGS, F_WRITE);
	memset(c->mem, 0xee, 16 * SEGS);
	test_offer(c->drv, 0);
	chain_fetch(test, c->drv, &chain);
	KUNIT_EXPECT_EQ(test, 50, vdpa_chain_zero(&chain, 50));
	KUNIT_EXPECT_EQ(test, c->total - 51, vdpa_chain_skip_in(&chain, c->total - 51));
	KUNIT_EXPECT_EQ(test, 1, chain.in.left);
	KUNIT_EXPECT_EQ(test, 1, vdpa_chain_push(&chain, "\x55", 2));
	chain_finish(test, c->drv, &chain, 51);
	gather(c, got);
	for (i = 0; i < c->total - 1; i++)
		KUNIT_EXPECT_EQ(test, i < 50 ? 0 : 0xee, got[i]);
	KUNIT_EXPECT_EQ(test, 0x55, got[i]);
}

/* from one ring to another, cut differently on each side */
static void chain_copy(struct kunit *test)
{
	struct chain_case *c = test->priv;
	struct test_driver *rx = test_driver_on(test, c->drv->mem, 8, 0);
	u8 *dst = test_buf(test, PAGE_SIZE);
	u64 pa = virt_to_phys(dst);
	struct vdpa_chain to, from;
	u8 *want = c->dev;

	chain_build(c, c->drv->desc, SEGS, 0);
	fill(c->mem, 16 * SEGS);
	gather(c, want);
	test_offer(c->drv, 0);
	test_desc(&rx->desc[0], pa + 1, 12, F_WRITE | F_NEXT, 1);
	test_desc(&rx->desc[1], pa + 13, 500, F_WRITE | F_NEXT, 2);
	test_desc(&rx->desc[2], pa + 513, 1000, F_WRITE, 0);
	test_offer(rx, 0);

	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(rx->mem));
	KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(c->drv->ring, &from));
	KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(rx->ring, &to));
	KUNIT_EXPECT_EQ(test, 12, vdpa_chain_push(&to, "ABCDEFGHIJKL", 12));
	KUNIT_EXPECT_EQ(test, 3, vdpa_chain_copy(&to, &from, 3));
	KUNIT_EXPECT_EQ(test, c->total - 3, vdpa_chain_copy(&to, &from, SIZE_MAX));
	KUNIT_EXPECT_EQ(test, 0, vdpa_chain_copy(&to, &from, 1));
	KUNIT_EXPECT_MEMEQ(test, dst, "\0ABCDEFGHIJKL", 13);
	KUNIT_EXPECT_MEMEQ(test, dst + 13, want, c->total);
	KUNIT_EXPECT_EQ(test, 0, dst[13 + c->total]);
	vdpa_ring_complete(rx->ring, &to);
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(rx->ring));
	chain_finish(test, c->drv, &from, 0);
	KUNIT_EXPECT_EQ(test, 12 + c->total, le32_to_cpu(rx->used->ring[0].len));
}

/* what fails to be reached breaks the ring it belongs to, and that one only */
static void chain_copy_blames(struct kunit *test)
{
	struct chain_case *c = test->priv;
	struct test_driver *rx = test_driver_on(test, c->drv->mem, 8, 0);
	struct vdpa_chain to, from;
	int i;

	for (i = 0; i < 2; i++) {
		test_desc(&c->drv->desc[0], i ? c->pa : 1ULL << 60, 8, 0, 0);
		test_desc(&rx->desc[0], i ? 1ULL << 60 : c->pa, 8, F_WRITE, 0);
		test_offer(c->drv, 0);
		test_offer(rx, 0);
		KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(rx->mem));
		KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(c->drv->ring, &from));
		KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(rx->ring, &to));
		KUNIT_EXPECT_EQ(test, -EFAULT, vdpa_chain_copy(&to, &from, 8));
		KUNIT_EXPECT_EQ(test, -EIO, vdpa_chain_copy(&to, &from, 8));
		KUNIT_EXPECT_EQ(test, i == 0, vdpa_ring_broken(c->drv->ring));
		KUNIT_EXPECT_EQ(test, i == 1, vdpa_ring_broken(rx->ring));
		vdpa_memory_exit(rx->mem);
		test_restart(test, c->drv, 0);
		test_restart(test, rx, 0);
	}
}

/* the longest chain, through a table longer than the ring, and one more */
static void chain_longest(struct kunit *test)
{
	struct chain_case *c = test->priv;
	unsigned int max = VDPA_RING_MAX_SEGS;
	struct test_desc *table = test_buf(test, 16 * (max + 1));
	struct vdpa_chain chain;
	unsigned int i;

	for (i = 0; i <= max; i++)
		test_desc(&table[i], c->pa, 4, F_NEXT, i + 1);
	table[max - 1].flags = 0;
	test_desc(&c->drv->desc[0], virt_to_phys(table), 16 * (max + 1),
		  F_INDIRECT, 0);
	test_offer(c->drv, 0);
	chain_fetch(test, c->drv, &chain);
	KUNIT_EXPECT_EQ(test, max, chain.nr_out);
	KUNIT_EXPECT_EQ(test, 4 * max, chain.out.left);
	chain_finish(test, c->drv, &chain, 0);

	table[max - 1].flags = cpu_to_le16(F_NEXT);
	table[max].flags = 0;
	test_offer(c->drv, 0);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(c->drv->mem));
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_ring_next(c->drv->ring, &chain));
	vdpa_memory_exit(c->drv->mem);
}

static struct kunit_case chain_cases[] = {
	KUNIT_CASE(chain_pull_steps),
	KUNIT_CASE(chain_pull_indirect),
	KUNIT_CASE(chain_direct_then_indirect),
	KUNIT_CASE(chain_push_steps),
	KUNIT_CASE(chain_push_short),
	KUNIT_CASE(chain_zero_and_skip),
	KUNIT_CASE(chain_copy),
	KUNIT_CASE(chain_copy_blames),
	KUNIT_CASE(chain_longest),
	{}
};

static struct kunit_suite chain_suite = {
	.name = "vdpa_ring_chain",
	.init = chain_init,
	.test_cases = chain_cases,
};

kunit_test_suite(chain_suite);
