// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of an address space in one transaction: maps of many runs, what is removed
 * before what is added, and that a refusal changes nothing.
 */

#include <linux/io.h>
#include <linux/limits.h>
#include <linux/vdpa.h>

#include "driver.h"

#define IOVA 0x100000
#define RUN 16
#define RUNS 8

struct update_case {
	struct test_driver *drv;
	char *buf;
	u64 pa;
	struct list_head removed;
	struct list_head added;
};

static int update_init(struct kunit *test)
{
	struct update_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->drv = test_driver_on(test, test_memory(test, 4), 4, 0);
	c->buf = test_buf(test, PAGE_SIZE);
	c->pa = virt_to_phys(c->buf);
	for (i = 0; i < PAGE_SIZE; i++)
		c->buf[i] = i / 7;
	INIT_LIST_HEAD(&c->removed);
	INIT_LIST_HEAD(&c->added);
	test->priv = c;
	return 0;
}

/* A map of @nr runs of 16 bytes at @iova, which lead backwards through the buffer. */
static struct vdpa_map *scattered(struct kunit *test, u64 iova, unsigned int nr)
{
	struct update_case *c = test->priv;
	struct vdpa_map *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, map);
	map->runs = kunit_kcalloc(test, nr, sizeof(*map->runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, map->runs);
	for (i = 0; i < nr; i++) {
		map->runs[i].iova = iova + i * RUN;
		map->runs[i].size = RUN;
		map->runs[i].addr = c->pa + (nr - 1 - i) * RUN;
	}
	map->first = iova;
	map->last = iova + nr * RUN - 1;
	map->nr_runs = nr;
	map->perm = VHOST_MAP_RW;
	INIT_LIST_HEAD(&map->link);
	return map;
}

static int update(struct kunit *test)
{
	struct update_case *c = test->priv;
	int err;

	err = vdpa_memory_update(c->drv->mem, TEST_BUF_AS, &c->removed, &c->added);
	INIT_LIST_HEAD(&c->removed);
	INIT_LIST_HEAD(&c->added);
	return err;
}

static int add(struct kunit *test, struct vdpa_map *map)
{
	struct update_case *c = test->priv;

	list_add_tail(&map->link, &c->added);
	return update(test);
}

static void expect_at(struct kunit *test, u64 iova, size_t off)
{
	struct update_case *c = test->priv;
	char val;

	KUNIT_EXPECT_EQ(test, 1, test_peek(test, c->drv, iova, &val, 1));
	KUNIT_EXPECT_EQ(test, c->buf[off], val);
}

static void expect_nothing_at(struct kunit *test, u64 iova)
{
	struct update_case *c = test->priv;
	char val;

	KUNIT_EXPECT_EQ(test, -EFAULT, test_peek(test, c->drv, iova, &val, 1));
}

/* byte @n of what scattered() maps with @nr runs */
static size_t behind(unsigned int nr, unsigned int n)
{
	return (nr - 1 - n / RUN) * RUN + n % RUN;
}

/* every byte of every run is found, whatever the number of runs */
static void update_runs(struct kunit *test)
{
	struct update_case *c = test->priv;
	unsigned int nr, n;

	for (nr = 1; nr <= RUNS; nr++) {
		struct vdpa_map *map = scattered(test, IOVA, nr);

		KUNIT_ASSERT_EQ(test, 0, add(test, map));
		for (n = 0; n < nr * RUN; n++)
			expect_at(test, IOVA + n, behind(nr, n));
		expect_nothing_at(test, IOVA - 1);
		expect_nothing_at(test, IOVA + nr * RUN);
		list_add(&map->link, &c->removed);
		KUNIT_ASSERT_EQ(test, 0, update(test));
		expect_nothing_at(test, IOVA);
	}
}

/* the same range can be removed and added at once */
static void update_in_place(struct kunit *test)
{
	struct update_case *c = test->priv;
	struct vdpa_map *old = scattered(test, IOVA, RUNS);
	struct vdpa_map *new = scattered(test, IOVA + RUN, 1);

	KUNIT_ASSERT_EQ(test, 0, add(test, old));
	list_add(&old->link, &c->removed);
	KUNIT_ASSERT_EQ(test, 0, add(test, new));
	expect_nothing_at(test, IOVA);
	expect_at(test, IOVA + RUN, 0);
	expect_nothing_at(test, IOVA + 2 * RUN);
}

/* runs from the middle of what was added in one piece, in two pieces even */
static void update_removes_part(struct kunit *test)
{
	struct update_case *c = test->priv;
	struct vdpa_map *part = scattered(test, IOVA + 2 * RUN, 2);
	struct vdpa_map *more = scattered(test, IOVA + 5 * RUN, 1);
	unsigned int n, run;

	KUNIT_ASSERT_EQ(test, 0, add(test, scattered(test, IOVA, RUNS)));
	list_add(&part->link, &c->removed);
	list_add(&more->link, &c->removed);
	KUNIT_ASSERT_EQ(test, 0, update(test));
	for (n = 0; n < RUNS * RUN; n++) {
		run = n / RUN;
		if (run == 2 || run == 3 || run == 5)
			expect_nothing_at(test, IOVA + n);
		else
			expect_at(test, IOVA + n, behind(RUNS, n));
	}
}

/* a range may be cut inside of a run, too */
static void update_cut_run(struct kunit *test)
{
	struct update_case *c = test->priv;
	unsigned int at, n;

	for (at = 1; at < 3 * RUN; at++) {
		KUNIT_ASSERT_EQ(test, 0, add(test, scattered(test, IOVA, 3)));
		KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->drv->mem, TEST_BUF_AS,
							   IOVA + at, 3 * RUN));
		for (n = 0; n < at; n++)
			expect_at(test, IOVA + n, behind(3, n));
		expect_nothing_at(test, IOVA + at);
		KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->drv->mem, TEST_BUF_AS,
							   IOVA, 3 * RUN));
		KUNIT_ASSERT_EQ(test, 0, add(test, scattered(test, IOVA, 3)));
		KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->drv->mem, TEST_BUF_AS,
							   IOVA, at));
		expect_nothing_at(test, IOVA + at - 1);
		for (n = at; n < 3 * RUN; n++)
			expect_at(test, IOVA + n, behind(3, n));
		KUNIT_ASSERT_EQ(test, 0, vdpa_memory_unmap(c->drv->mem, TEST_BUF_AS,
							   IOVA, 3 * RUN));
	}
}

/* one bad map among good ones: nothing is added, nothing removed */
static void update_refused(struct kunit *test)
{
	struct update_case *c = test->priv;
	struct vdpa_map *old = scattered(test, IOVA, 2), *bad;
	unsigned int kind;

	KUNIT_ASSERT_EQ(test, 0, add(test, old));
	for (kind = 0; kind < 4; kind++) {
		static const int errors[] = { -EINVAL, -EINVAL, -EEXIST, -ENOSPC };
		unsigned int i;

		list_add(&old->link, &c->removed);
		list_add_tail(&scattered(test, IOVA + 0x1000, 1)->link, &c->added);
		bad = scattered(test, IOVA + 0x2000, 2);
		list_add_tail(&bad->link, &c->added);
		switch (kind) {
		case 0:
			bad->perm = 0;
			break;
		case 1:
			bad->runs[1].addr = U64_MAX - RUN + 2;
			break;
		case 2:
			list_add_tail(&scattered(test, bad->last, 1)->link, &c->added);
			break;
		case 3:
			for (i = 3; i < 6; i++)
				list_add_tail(&scattered(test, IOVA + i * 0x1000,
							 1)->link, &c->added);
			break;
		}
		KUNIT_EXPECT_EQ(test, errors[kind], update(test));
		expect_at(test, IOVA, behind(2, 0));
		expect_nothing_at(test, IOVA + 0x1000);
		expect_nothing_at(test, IOVA + 0x2000);
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_memory_update(c->drv->mem, TEST_NAS,
							  &c->removed, &c->added));
}

/* the identity ends with the first update, unless that is refused */
static void update_identity(struct kunit *test)
{
	struct update_case *c = test->priv;
	struct vdpa_map *bad = scattered(test, IOVA, 1);

	vdpa_memory_clear(c->drv->mem, TEST_BUF_AS, true);
	bad->perm = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, add(test, bad));
	expect_at(test, c->pa + 9, 9);
	KUNIT_ASSERT_EQ(test, 0, add(test, scattered(test, IOVA, 1)));
	expect_nothing_at(test, c->pa + 9);
	expect_at(test, IOVA, 0);
}

static struct kunit_case update_cases[] = {
	KUNIT_CASE(update_runs),
	KUNIT_CASE(update_in_place),
	KUNIT_CASE(update_removes_part),
	KUNIT_CASE(update_cut_run),
	KUNIT_CASE(update_refused),
	KUNIT_CASE(update_identity),
	{}
};

static struct kunit_suite update_suite = {
	.name = "vdpa_ring_update",
	.init = update_init,
	.test_cases = update_cases,
};
kunit_test_suite(update_suite);
