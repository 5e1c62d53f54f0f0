// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: what can be mapped, what the device then reaches, and that a
 * refusal changes nothing.
 */

#include <linux/io.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include <linux/vhost_iotlb.h>

#include "../ring_private.h"
#include "driver.h"

#define IOVA 0x100000

struct memory_case {
	struct test_driver *drv;
	struct vdpa_memory *mem;
	char *buf;
	u64 pa;
};

/* buffers of four pages and a ring to reach them through */
static int memory_init(struct kunit *test)
{
	struct memory_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->drv = test_driver(test, 4, 0);
	c->mem = c->drv->mem;
	c->buf = test_buf(test, 4 * PAGE_SIZE);
	c->pa = virt_to_phys(c->buf);
	for (i = 0; i < 4 * PAGE_SIZE; i++)
		c->buf[i] = i / 61;
	test->priv = c;
	return 0;
}

static int map(struct memory_case *c, u64 iova, u64 size, size_t off, u32 perm)
{
	return vdpa_memory_map(c->mem, TEST_BUF_AS, iova, size, c->pa + off, perm);
}

static ssize_t peek1(struct kunit *test, u64 iova, char *val)
{
	struct memory_case *c = test->priv;

	return test_peek(test, c->drv, iova, val, 1);
}

/* the device reads at @iova what is at @off of the buffer */
static void expect_at(struct kunit *test, u64 iova, size_t off)
{
	struct memory_case *c = test->priv;
	char val;

	KUNIT_EXPECT_EQ(test, 1, peek1(test, iova, &val));
	KUNIT_EXPECT_EQ(test, c->buf[off], val);
}

static void expect_nothing_at(struct kunit *test, u64 iova)
{
	char val;

	KUNIT_EXPECT_EQ(test, -EFAULT, peek1(test, iova, &val));
}

/* nothing is reachable until something is mapped, and then only that */
static void memory_starts_empty(struct kunit *test)
{
	struct memory_case *c = test->priv;

	expect_nothing_at(test, IOVA);
	expect_nothing_at(test, c->pa);
	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA, 16, 100, VHOST_MAP_RW));
	expect_at(test, IOVA, 100);
	expect_at(test, IOVA + 15, 115);
	expect_nothing_at(test, IOVA - 1);
	expect_nothing_at(test, IOVA + 16);
}

/* the device reads only what is readable and writes only what is writable */
static void memory_permission(struct kunit *test)
{
	struct memory_case *c = test->priv;
	char val = 1;

	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA, 16, 0, VHOST_MAP_RO));
	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA + 16, 16, 16, VHOST_MAP_WO));
	KUNIT_EXPECT_EQ(test, 1, test_peek(test, c->drv, IOVA, &val, 1));
	KUNIT_EXPECT_EQ(test, -EACCES, test_poke(test, c->drv, IOVA, "x", 1));
	KUNIT_EXPECT_EQ(test, -EACCES, test_peek(test, c->drv, IOVA + 16, &val, 1));
	KUNIT_EXPECT_EQ(test, 1, test_poke(test, c->drv, IOVA + 16, "x", 1));
	KUNIT_EXPECT_EQ(test, c->buf[0], 0);
	KUNIT_EXPECT_EQ(test, c->buf[16], 'x');
}

struct refusal {
	const char *desc;
	unsigned int asid;
	u64 iova;
	u64 size;
	u64 addr;
	u32 perm;
};

static const struct refusal refusals[] = {
	{ "size 0", 0, IOVA, 0, 0, VHOST_MAP_RW },
	{ "size 0 at 0", 0, 0, 0, 0, VHOST_MAP_RW },
	{ "wraps by one byte", 0, U64_MAX, 2, 0, VHOST_MAP_RW },
	{ "wraps from the start", 0, 2, U64_MAX, 0, VHOST_MAP_RW },
	{ "address wraps", 0, IOVA, 0x1000, U64_MAX - 0xffe, VHOST_MAP_RW },
	{ "no such address space", TEST_NAS, IOVA, 0x1000, 0, VHOST_MAP_RW },
	{ "far from any address space", UINT_MAX, IOVA, 0x1000, 0, VHOST_MAP_RW },
	{ "no permission", 0, IOVA, 0x1000, 0, 0 },
	{ "unknown permission", 0, IOVA, 0x1000, 0, 7 },
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusals, desc);

/* what cannot be is refused, and does not end the identity either */
static void memory_map_refused(struct kunit *test)
{
	const struct refusal *r = test->param_value;
	struct memory_case *c = test->priv;

	vdpa_memory_clear(c->mem, TEST_BUF_AS, true);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			vdpa_memory_map(c->mem, r->asid, r->iova, r->size,
					r->addr, r->perm));
	expect_at(test, c->pa + 7, 7);
}

/* unmap refuses the same ranges and leaves the map */
static void memory_unmap_refused(struct kunit *test)
{
	struct memory_case *c = test->priv;

	KUNIT_ASSERT_EQ(test, 0, map(c, 0, PAGE_SIZE, 0, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_memory_unmap(c->mem, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_memory_unmap(c->mem, 0, 2, U64_MAX));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			vdpa_memory_unmap(c->mem, TEST_NAS, 0, PAGE_SIZE));
	expect_at(test, 0, 0);
	expect_at(test, PAGE_SIZE - 1, PAGE_SIZE - 1);
}

/* an overlap by one byte, on any side, is refused and the first map stays */
static void memory_overlap(struct kunit *test)
{
	struct memory_case *c = test->priv;

	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA, 0x100, 0, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -EEXIST, map(c, IOVA, 0x100, 8, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -EEXIST, map(c, IOVA + 0xff, 1, 8, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -EEXIST, map(c, IOVA - 8, 9, 8, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -EEXIST, map(c, IOVA - 8, 0x200, 8, VHOST_MAP_RW));
	expect_at(test, IOVA, 0);
	expect_nothing_at(test, IOVA - 1);
	KUNIT_EXPECT_EQ(test, 0, map(c, IOVA + 0x100, 1, 0x300, VHOST_MAP_RW));
	expect_at(test, IOVA + 0x100, 0x300);
}

/* a table holds as many entries as it was made for */
static void memory_limit(struct kunit *test)
{
	struct vdpa_memory *mem = test_memory(test, 2);

	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_map(mem, 0, 0, 1, 0, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_map(mem, 0, 9, 1, 0, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			vdpa_memory_map(mem, 0, 5, 1, 0, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_map(mem, 1, 5, 1, 0, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_unmap(mem, 0, 9, 1));
	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_map(mem, 0, 5, 1, 0, VHOST_MAP_RW));
}

/* one buffer over entries that are apart in memory; a hole in it is an error */
static void memory_span(struct kunit *test)
{
	struct memory_case *c = test->priv;
	char got[64], want[64];

	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA, 10, 500, VHOST_MAP_RW));
	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA + 10, 20, 300, VHOST_MAP_RW));
	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA + 30, 34, 700, VHOST_MAP_RW));
	memcpy(want, c->buf + 500, 10);
	memcpy(want + 10, c->buf + 300, 20);
	memcpy(want + 30, c->buf + 700, 34);
	KUNIT_EXPECT_EQ(test, 64, test_peek(test, c->drv, IOVA, got, 64));
	KUNIT_EXPECT_MEMEQ(test, got, want, 64);

	memset(want, 0xa5, sizeof(want));
	KUNIT_EXPECT_EQ(test, 64, test_poke(test, c->drv, IOVA, want, 64));
	KUNIT_EXPECT_MEMEQ(test, c->buf + 500, want, 10);
	KUNIT_EXPECT_MEMEQ(test, c->buf + 300, want, 20);
	KUNIT_EXPECT_MEMEQ(test, c->buf + 700, want, 34);

	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->mem, 0, IOVA + 10, 20));
	KUNIT_EXPECT_EQ(test, -EFAULT, test_peek(test, c->drv, IOVA, got, 64));
}

/* a translation that a ring remembers ends with the map it came from */
static void memory_generation(struct kunit *test)
{
	struct memory_case *c = test->priv;
	int i;

	for (i = 0; i < 8; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				map(c, IOVA, 0x100, i * 0x100, VHOST_MAP_RW));
		expect_at(test, IOVA + 5, i * 0x100 + 5);
		KUNIT_ASSERT_EQ(test, 0,
				vdpa_memory_unmap(c->mem, 0, IOVA, 0x100));
		expect_nothing_at(test, IOVA + 5);
	}
}

/* unmap removes exactly what it is told to */
static void memory_unmap_cuts(struct kunit *test)
{
	struct memory_case *c = test->priv;

	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA, 0x300, 0, VHOST_MAP_RW));
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->mem, 0, IOVA + 0x100, 0x100));
	expect_at(test, IOVA + 0xff, 0xff);
	expect_nothing_at(test, IOVA + 0x100);
	expect_nothing_at(test, IOVA + 0x1ff);
	expect_at(test, IOVA + 0x200, 0x200);

	/* from inside one entry to inside another */
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->mem, 0, IOVA + 0x80, 0x200));
	expect_at(test, IOVA + 0x7f, 0x7f);
	expect_nothing_at(test, IOVA + 0x80);
	expect_nothing_at(test, IOVA + 0x27f);
	expect_at(test, IOVA + 0x280, 0x280);

	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_unmap(c->mem, 0, IOVA + 0x80, 0x200));
	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_unmap(c->mem, 0, 0, U64_MAX));
	expect_nothing_at(test, IOVA);
	expect_nothing_at(test, IOVA + 0x2ff);
}

/* the defaults of an address space, and what ends them */
static void memory_clear(struct kunit *test)
{
	struct memory_case *c = test->priv;

	vdpa_memory_clear(c->mem, TEST_BUF_AS, true);
	expect_at(test, c->pa + 9, 9);
	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA, 1, 0, VHOST_MAP_RW));
	expect_nothing_at(test, c->pa + 9);
	vdpa_memory_clear(c->mem, TEST_BUF_AS, true);
	vdpa_memory_clear(c->mem, TEST_BUF_AS, false);
	expect_nothing_at(test, c->pa + 9);
	expect_nothing_at(test, IOVA);
	vdpa_memory_clear(c->mem, TEST_NAS, true);
	vdpa_memory_clear(c->mem, UINT_MAX, true);
}

/* an address without memory is an error, also at the ends of the space */
static void memory_identity_unbacked(struct kunit *test)
{
	static const u64 holes[] = {
		1ULL << 40, 1ULL << 47, 1ULL << 52, 1ULL << 63, U64_MAX,
	};
	struct memory_case *c = test->priv;
	size_t i;

	vdpa_memory_clear(c->mem, TEST_BUF_AS, true);
	for (i = 0; i < ARRAY_SIZE(holes); i++)
		expect_nothing_at(test, holes[i]);
}

/* the last byte of the space can be mapped; a buffer does not go on at 0 */
static void memory_end_of_space(struct kunit *test)
{
	struct memory_case *c = test->priv;
	char val[2];

	KUNIT_ASSERT_EQ(test, 0, map(c, U64_MAX - 0xff, 0x100, 0, VHOST_MAP_RW));
	KUNIT_ASSERT_EQ(test, 0, map(c, 0, 0x100, 0x100, VHOST_MAP_RW));
	expect_at(test, U64_MAX, 0xff);
	expect_at(test, 0, 0x100);
	KUNIT_EXPECT_EQ(test, -EINVAL, test_peek(test, c->drv, U64_MAX, val, 2));
	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_unmap(c->mem, 0, U64_MAX, 1));
	expect_nothing_at(test, U64_MAX);
	expect_at(test, U64_MAX - 1, 0xfe);
}

static struct vhost_iotlb *test_iotlb(struct kunit *test)
{
	struct vhost_iotlb *iotlb = kunit_kzalloc(test, sizeof(*iotlb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, iotlb);
	vhost_iotlb_init(iotlb, 64, 0);
	return iotlb;
}

static void iotlb_add(struct kunit *test, struct vhost_iotlb *iotlb, u64 start,
		      u64 last, u64 addr, u32 perm)
{
	KUNIT_ASSERT_EQ(test, 0,
			vhost_iotlb_add_range(iotlb, start, last, addr, perm));
}

/* a set that maps all of 2^64 bytes */
static void memory_set_whole_range(struct kunit *test)
{
	struct memory_case *c = test->priv;
	struct vhost_iotlb *iotlb = test_iotlb(test);

	if (PHYS_ADDR_MAX != U64_MAX)
		kunit_skip(test, "physical addresses are narrower");
	iotlb_add(test, iotlb, 0, U64_MAX, 0, VHOST_MAP_RW);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_set(c->mem, TEST_BUF_AS, iotlb));
	vhost_iotlb_reset(iotlb);
	expect_at(test, c->pa, 0);
	expect_nothing_at(test, U64_MAX);
	KUNIT_EXPECT_EQ(test, -EEXIST, map(c, U64_MAX, 1, 0, VHOST_MAP_RW));
	KUNIT_EXPECT_EQ(test, 0, vdpa_memory_unmap(c->mem, 0, c->pa, 16));
	expect_nothing_at(test, c->pa + 15);
	expect_at(test, c->pa + 16, 16);
}

/* a set replaces everything, the identity included, and keeps nothing of its source */
static void memory_set_replaces(struct kunit *test)
{
	struct memory_case *c = test->priv;
	struct vhost_iotlb *iotlb = test_iotlb(test);

	vdpa_memory_clear(c->mem, TEST_BUF_AS, true);
	iotlb_add(test, iotlb, IOVA, IOVA + 0xff, c->pa, VHOST_MAP_RW);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_set(c->mem, TEST_BUF_AS, iotlb));
	vhost_iotlb_reset(iotlb);
	expect_at(test, IOVA, 0);
	expect_nothing_at(test, c->pa);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_set(c->mem, TEST_BUF_AS, iotlb));
	expect_nothing_at(test, IOVA);
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_memory_set(c->mem, TEST_NAS, iotlb));
}

/* a set that fails half-way leaves the old map in force */
static void memory_set_fails(struct kunit *test)
{
	struct vhost_iotlb *iotlb = test_iotlb(test);
	struct memory_case *c = test->priv;
	struct vdpa_memory *mem = test_memory(test, 2);

	c->drv = test_driver_on(test, mem, 4, 0);
	c->mem = mem;
	KUNIT_ASSERT_EQ(test, 0, map(c, IOVA, 0x100, 0, VHOST_MAP_RW));

	iotlb_add(test, iotlb, 0, 9, c->pa, VHOST_MAP_RW);
	iotlb_add(test, iotlb, 20, 29, c->pa, VHOST_MAP_RW);
	iotlb_add(test, iotlb, 40, 49, c->pa, VHOST_MAP_RW);
	KUNIT_EXPECT_EQ(test, -ENOSPC, vdpa_memory_set(mem, 0, iotlb));
	expect_at(test, IOVA, 0);
	vhost_iotlb_reset(iotlb);

	iotlb_add(test, iotlb, 0, 9, c->pa, VHOST_MAP_RW);
	iotlb_add(test, iotlb, 9, 19, c->pa, VHOST_MAP_RW);
	KUNIT_EXPECT_EQ(test, -EEXIST, vdpa_memory_set(mem, 0, iotlb));
	expect_at(test, IOVA, 0);
	vhost_iotlb_reset(iotlb);

	iotlb_add(test, iotlb, 0, 9, c->pa, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_memory_set(mem, 0, iotlb));
	expect_at(test, IOVA, 0);
	expect_nothing_at(test, 0);
	vhost_iotlb_reset(iotlb);
}

/* neighbours that touch in both spaces need one entry, others do not become one */
static void memory_set_merges(struct kunit *test)
{
	struct vhost_iotlb *iotlb = test_iotlb(test);
	struct memory_case *c = test->priv;
	struct vdpa_memory *mem = test_memory(test, 2);
	char val;
	int i;

	c->drv = test_driver_on(test, mem, 4, 0);
	for (i = 31; i >= 0; i--)
		iotlb_add(test, iotlb, IOVA + i * 16, IOVA + i * 16 + 15,
			  c->pa + i * 16, VHOST_MAP_RW);
	iotlb_add(test, iotlb, IOVA + 512, IOVA + 527, c->pa + 512, VHOST_MAP_WO);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_set(mem, 0, iotlb));
	vhost_iotlb_reset(iotlb);
	for (i = 0; i < 512; i += 15)
		expect_at(test, IOVA + i, i);
	KUNIT_EXPECT_EQ(test, -EACCES, peek1(test, IOVA + 512, &val));
}

/* By pages, as where the kernel has no address for all memory: across their ends, at odd places. */
static void memory_paged(struct kunit *test)
{
	const size_t len = 2 * PAGE_SIZE + 100, from = PAGE_SIZE - 50, to = 7;
	struct memory_case *c = test->priv;
	char *other = test_buf(test, 4 * PAGE_SIZE);
	size_t i;

	memset(other, 0x5a, 4 * PAGE_SIZE);
	vdpa_move_paged(c->pa + from, other + to, len, VDPA_MOVE_READ);
	KUNIT_EXPECT_MEMEQ(test, c->buf + from, other + to, len);
	KUNIT_EXPECT_EQ(test, 0x5a, other[to - 1]);
	KUNIT_EXPECT_EQ(test, 0x5a, other[to + len]);

	vdpa_move_paged(c->pa + from, NULL, len, VDPA_MOVE_ZERO);
	KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(c->buf + from, 0, len));
	KUNIT_EXPECT_EQ(test, (char)((from - 1) / 61), c->buf[from - 1]);
	KUNIT_EXPECT_EQ(test, (char)((from + len) / 61), c->buf[from + len]);

	vdpa_move_paged(c->pa + from, other + to, len, VDPA_MOVE_WRITE);
	for (i = from - 1; i <= from + len; i++)
		KUNIT_EXPECT_EQ(test, (char)(i / 61), c->buf[i]);

	memset(other, 0x5a, 4 * PAGE_SIZE);
	vdpa_copy_paged(virt_to_phys(other) + to, c->pa + from, len);
	KUNIT_EXPECT_MEMEQ(test, c->buf + from, other + to, len);
	KUNIT_EXPECT_EQ(test, 0x5a, other[to - 1]);
	KUNIT_EXPECT_EQ(test, 0x5a, other[to + len]);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(memory_starts_empty),
	KUNIT_CASE(memory_permission),
	KUNIT_CASE_PARAM(memory_map_refused, refusal_gen_params),
	KUNIT_CASE(memory_unmap_refused),
	KUNIT_CASE(memory_overlap),
	KUNIT_CASE(memory_limit),
	KUNIT_CASE(memory_span),
	KUNIT_CASE(memory_generation),
	KUNIT_CASE(memory_unmap_cuts),
	KUNIT_CASE(memory_clear),
	KUNIT_CASE(memory_identity_unbacked),
	KUNIT_CASE(memory_end_of_space),
	KUNIT_CASE(memory_set_whole_range),
	KUNIT_CASE(memory_set_replaces),
	KUNIT_CASE(memory_set_fails),
	KUNIT_CASE(memory_set_merges),
	KUNIT_CASE(memory_paged),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "vdpa_ring_memory",
	.init = memory_init,
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
