// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps through vhost_vdpa, for each kind of parent: what the parent is told is what the
 * contract says, and when it refuses, at whatever call, the maps, the pages and the
 * parent are what they were.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>
#include <linux/xarray.h>
#include <uapi/linux/vhost_vdpa.h>

#include "vhost_file.h"

#define PAGES 96
#define IOVA_PFN 0x1000ul
#define RANGE_PAGES 0x100000

/**
 * struct map_kind - how a parent is told
 * @desc: name of the parameter
 * @ranges: dma_map and dma_unmap
 * @table: set_map
 * @difference: update_map, with set_map
 */
struct map_kind {
	const char *desc;
	bool ranges;
	bool table;
	bool difference;
};

static const struct map_kind map_kinds[] = {
	{ "ranges", .ranges = true },
	{ "tables", .table = true },
	{ "differences", .table = true, .difference = true },
};

KUNIT_ARRAY_PARAM_DESC(map_kind, map_kinds, desc);

static const struct map_kind table_kinds[] = {
	{ "tables", .table = true },
	{ "differences", .table = true, .difference = true },
};

KUNIT_ARRAY_PARAM_DESC(table_kind, table_kinds, desc);

/**
 * struct map_case - a parent that keeps what it is told
 * @test: the test
 * @mock: the parent
 * @vf: its device, opened and owned
 * @mm: the process
 * @uaddr: PAGES pages of user memory, each somewhere else in memory
 * @pages: physical address by page of IOVA, what the device would reach
 * @calls: calls that could fail
 * @fail_at: which of them does, 0 for none
 */
struct map_case {
	struct kunit *test;
	struct mock *mock;
	struct vhost_file *vf;
	struct mm_struct *mm;
	unsigned long uaddr;
	struct xarray pages;
	unsigned int calls;
	unsigned int fail_at;
};

static struct map_case *vdev_case(struct vdpa_device *vdev)
{
	return to_mock(vdev)->test->priv;
}

static bool fails(struct map_case *c)
{
	return ++c->calls == c->fail_at;
}

/* Pages can be values of an xarray: physical addresses are multiples of their size. */
static void enter(struct map_case *c, u64 iova, u64 size, u64 addr)
{
	u64 off;

	KUNIT_EXPECT_TRUE(c->test, PAGE_ALIGNED(iova | size | addr) && size);
	for (off = 0; off < size; off += PAGE_SIZE) {
		KUNIT_EXPECT_NULL(c->test, xa_load(&c->pages, (iova + off) >> PAGE_SHIFT));
		xa_store(&c->pages, (iova + off) >> PAGE_SHIFT,
			 xa_mk_value((addr + off) >> PAGE_SHIFT), GFP_KERNEL);
	}
}

static void leave(struct map_case *c, u64 iova, u64 size)
{
	u64 off;

	for (off = 0; off < size; off += PAGE_SIZE)
		KUNIT_EXPECT_NOT_NULL(c->test,
				      xa_erase(&c->pages, (iova + off) >> PAGE_SHIFT));
}

static int op_dma_map(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size,
		      u64 pa, u32 perm, void *opaque)
{
	struct map_case *c = vdev_case(vdev);

	if (fails(c))
		return -EIO;
	enter(c, iova, size, pa);
	return 0;
}

static int op_dma_unmap(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size)
{
	struct map_case *c = vdev_case(vdev);

	if (fails(c))
		return -EIO;
	leave(c, iova, size);
	return 0;
}

static int op_set_map(struct vdpa_device *vdev, unsigned int asid, struct vhost_iotlb *iotlb)
{
	struct map_case *c = vdev_case(vdev);
	struct vhost_iotlb_map *map;

	if (fails(c))
		return -EIO;
	xa_destroy(&c->pages);
	for (map = vhost_iotlb_itree_first(iotlb, 0, U64_MAX); map;
	     map = vhost_iotlb_itree_next(map, 0, U64_MAX))
		enter(c, map->start, map->size, map->addr);
	return 0;
}

static int op_update_map(struct vdpa_device *vdev, unsigned int asid,
			 const struct list_head *removed, const struct list_head *added)
{
	struct map_case *c = vdev_case(vdev);
	const struct vdpa_map *map;
	unsigned int i;

	if (fails(c))
		return -EIO;
	list_for_each_entry(map, removed, link)
		for (i = 0; i < map->nr_runs; i++)
			leave(c, map->runs[i].iova, map->runs[i].size);
	list_for_each_entry(map, added, link) {
		KUNIT_EXPECT_EQ(c->test, map->first, map->runs[0].iova);
		for (i = 0; i < map->nr_runs; i++)
			enter(c, map->runs[i].iova, map->runs[i].size, map->runs[i].addr);
	}
	return 0;
}

static int op_reset_map(struct vdpa_device *vdev, unsigned int asid)
{
	xa_destroy(&vdev_case(vdev)->pages);
	return 0;
}

/* All that the cases map lies inside. */
static struct vdpa_iova_range op_get_iova_range(struct vdpa_device *vdev)
{
	return (struct vdpa_iova_range){
		.first = (u64)IOVA_PFN << PAGE_SHIFT,
		.last = ((u64)(IOVA_PFN + RANGE_PAGES) << PAGE_SHIFT) - 1,
	};
}

static int map_init(struct kunit *test)
{
	const struct map_kind *kind = test->param_value;
	struct map_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	u64 features = BIT_ULL(VHOST_BACKEND_F_IOTLB_ERRNO) |
		       BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->test = test;
	xa_init(&c->pages);
	c->mock = mock_new(test);
	c->mock->bound_to = "vhost_vdpa";
	c->mock->ops.dma_map = kind->ranges ? op_dma_map : NULL;
	c->mock->ops.dma_unmap = kind->ranges ? op_dma_unmap : NULL;
	c->mock->ops.set_map = kind->table ? op_set_map : NULL;
	c->mock->ops.update_map = kind->difference ? op_update_map : NULL;
	c->mock->ops.reset_map = kind->difference ? op_reset_map : NULL;
	c->mock->ops.get_iova_range = op_get_iova_range;
	KUNIT_ASSERT_EQ(test, 0, mock_register(c->mock));
	c->vf = vhost_file_open(test, c->mock);
	KUNIT_ASSERT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_SET_OWNER, NULL, 0));
	KUNIT_ASSERT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_SET_BACKEND_FEATURES,
						  &features, sizeof(features)));
	c->uaddr = kunit_vm_mmap(test, NULL, 0, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0, c->uaddr);
	c->mm = current->mm;
	mmgrab(c->mm);
	for (i = 0; i < PAGES; i++)
		KUNIT_ASSERT_EQ(test, 0, put_user(1, (u8 __user *)c->uaddr +
						  i * 37 % PAGES * PAGE_SIZE));
	return 0;
}

static void map_exit(struct kunit *test)
{
	struct map_case *c = test->priv;

	if (!c)
		return;
	c->fail_at = 0;
	if (c->vf)
		vhost_file_close(c->vf);
	if (c->mm) {
		KUNIT_EXPECT_EQ(test, 0, atomic64_read(&c->mm->pinned_vm));
		mmdrop(c->mm);
	}
	KUNIT_EXPECT_TRUE(test, xa_empty(&c->pages));
	xa_destroy(&c->pages);
}

static int message(struct map_case *c, u8 type, unsigned long pfn, unsigned long pages,
		   unsigned long upage)
{
	return vhost_file_message(c->vf, type, (u64)pfn << PAGE_SHIFT,
				  (u64)pages << PAGE_SHIFT,
				  c->uaddr + (upage << PAGE_SHIFT));
}

static int update(struct map_case *c, unsigned long pfn, unsigned long pages,
		  unsigned long upage)
{
	return message(c, VHOST_IOTLB_UPDATE, pfn, pages, upage);
}

static int invalidate(struct map_case *c, unsigned long pfn, unsigned long pages)
{
	return message(c, VHOST_IOTLB_INVALIDATE, pfn, pages, 0);
}

static int batch(struct map_case *c, bool begin)
{
	return message(c, begin ? VHOST_IOTLB_BATCH_BEGIN : VHOST_IOTLB_BATCH_END, 0, 0, 0);
}

/* Physical address of a page of the user's, and whether a device may have pinned it. */
static unsigned long user_pfn(struct map_case *c, unsigned long upage, bool *pinned)
{
	unsigned long pfn;
	struct page *page;

	KUNIT_ASSERT_EQ(c->test, 1, get_user_pages_fast(c->uaddr + (upage << PAGE_SHIFT), 1,
							FOLL_WRITE, &page));
	pfn = page_to_pfn(page);
	*pinned = folio_maybe_dma_pinned(page_folio(page));
	put_page(page);
	return pfn;
}

/* All that can be told apart: what the parent has, and which pages are pinned. */
struct view {
	u64 parent;
	u64 pins;
	u64 counted;
};

static struct view look(struct map_case *c)
{
	struct view view = { .counted = atomic64_read(&c->mm->pinned_vm) };
	unsigned long index;
	unsigned int i;
	void *entry;
	bool pinned;

	xa_for_each(&c->pages, index, entry)
		view.parent += hash_64(index * 31 + hash_64(xa_to_value(entry), 64), 64);
	for (i = 0; i < PAGES; i++) {
		user_pfn(c, i, &pinned);
		view.pins += pinned ? hash_64(i + 1, 64) : 0;
	}
	return view;
}

static void expect_same(struct map_case *c, const struct view *was, const char *what)
{
	struct view is = look(c);

	KUNIT_EXPECT_EQ_MSG(c->test, was->parent, is.parent, "%s: parent, call %u", what,
			    c->fail_at);
	KUNIT_EXPECT_EQ_MSG(c->test, was->pins, is.pins, "%s: pins, call %u", what,
			    c->fail_at);
	KUNIT_EXPECT_EQ_MSG(c->test, was->counted, is.counted, "%s: pinned_vm, call %u",
			    what, c->fail_at);
}

/* Operations that a parent may refuse. Three maps are there: 16, 8 and 1 pages. */

static int op_add(struct map_case *c)
{
	return update(c, IOVA_PFN + 100, 24, 40);
}

static int op_remove(struct map_case *c)
{
	return invalidate(c, IOVA_PFN, 16);
}

static int op_remove_several(struct map_case *c)
{
	return invalidate(c, IOVA_PFN + 9, 60);
}

static int op_batch(struct map_case *c)
{
	int err = batch(c, true);

	err = err ?: update(c, IOVA_PFN + 100, 24, 40);
	err = err ?: invalidate(c, IOVA_PFN, 8);
	err = err ?: invalidate(c, IOVA_PFN + 104, 3);
	err = err ?: update(c, IOVA_PFN + 2, 4, 70);
	return err ?: batch(c, false);
}

static const struct {
	const char *name;
	int (*op)(struct map_case *c);
	bool batch;
} refused_ops[] = {
	{ "add", op_add },
	{ "remove", op_remove },
	{ "remove several", op_remove_several },
	{ "batch", op_batch, .batch = true },
};

static void lay_out(struct map_case *c)
{
	c->fail_at = 0;
	KUNIT_ASSERT_EQ(c->test, 0, update(c, IOVA_PFN, 16, 0));
	KUNIT_ASSERT_EQ(c->test, 0, update(c, IOVA_PFN + 40, 8, 20));
	KUNIT_ASSERT_EQ(c->test, 0, update(c, IOVA_PFN + 60, 1, 30));
}

/* the parent refuses each call in turn */
static void map_refused(struct kunit *test)
{
	const struct map_kind *kind = test->param_value;
	struct map_case *c = test->priv;
	unsigned int i, n;
	struct view was;
	int err;

	for (i = 0; i < ARRAY_SIZE(refused_ops); i++) {
		/* a batch takes effect at each message where ranges are told */
		if (refused_ops[i].batch && kind->ranges)
			continue;
		for (n = 1, err = -EIO; err; n++) {
			lay_out(c);
			was = look(c);
			c->calls = 0;
			c->fail_at = n;
			err = refused_ops[i].op(c);
			if (err) {
				KUNIT_EXPECT_EQ(test, -EIO, err);
				expect_same(c, &was, refused_ops[i].name);
				c->fail_at = 0;
				KUNIT_EXPECT_EQ(test, -EEXIST, update(c, IOVA_PFN + 15, 1, 0));
				KUNIT_EXPECT_EQ(test, 0, refused_ops[i].op(c));
			} else {
				KUNIT_EXPECT_LT(test, c->calls, n);
			}
			c->fail_at = 0;
			KUNIT_EXPECT_EQ(test, 0, invalidate(c, 0, IOVA_PFN * 2));
			KUNIT_EXPECT_TRUE(test, xa_empty(&c->pages));
			KUNIT_EXPECT_EQ(test, 0, atomic64_read(&c->mm->pinned_vm));
			if (n > 200)
				break;
		}
		KUNIT_EXPECT_LE(test, n, 200);
	}
}

/* nothing reaches a parent in a batch, and then one call does */
static void map_batch(struct kunit *test)
{
	const struct map_kind *kind = test->param_value;
	struct map_case *c = test->priv;

	if (kind->ranges) {
		/* each message at once */
		KUNIT_EXPECT_EQ(test, 0, batch(c, true));
		KUNIT_EXPECT_EQ(test, 0, update(c, IOVA_PFN, 4, 0));
		KUNIT_EXPECT_FALSE(test, xa_empty(&c->pages));
		KUNIT_EXPECT_EQ(test, 0, batch(c, false));
		return;
	}
	c->calls = 0;
	KUNIT_EXPECT_EQ(test, 0, batch(c, true));
	KUNIT_EXPECT_EQ(test, 0, update(c, IOVA_PFN, 16, 0));
	KUNIT_EXPECT_EQ(test, 0, update(c, IOVA_PFN + 20, 16, 20));
	KUNIT_EXPECT_EQ(test, 0, invalidate(c, IOVA_PFN, 16));
	KUNIT_EXPECT_EQ(test, 0, c->calls);
	KUNIT_EXPECT_EQ(test, 0, batch(c, false));
	KUNIT_EXPECT_EQ(test, 1, c->calls);
	KUNIT_EXPECT_NULL(test, xa_load(&c->pages, IOVA_PFN));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&c->pages, IOVA_PFN + 20));
	/* memory that the device was told to leave is kept until then, and no longer */
	KUNIT_EXPECT_EQ(test, 16, atomic64_read(&c->mm->pinned_vm));
	KUNIT_EXPECT_EQ(test, 0, batch(c, true));
	KUNIT_EXPECT_EQ(test, 0, invalidate(c, IOVA_PFN + 20, 16));
	KUNIT_EXPECT_EQ(test, 16, atomic64_read(&c->mm->pinned_vm));
	KUNIT_EXPECT_EQ(test, 0, batch(c, false));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&c->mm->pinned_vm));
}

/**
 * struct want - what should be at a page of IOVA
 * @pfn: where it leads, 0 for nowhere
 * @run: number of the run that it is in; whole runs go
 */
struct want {
	unsigned long pfn;
	unsigned int run;
};

#define SPACE 256u

static void want_update(struct map_case *c, struct want *want, unsigned int at,
			unsigned int len, unsigned int upage, unsigned int *run)
{
	unsigned int i;
	bool pinned;

	for (i = 0; i < len; i++) {
		want[at + i].pfn = user_pfn(c, upage + i, &pinned);
		if (!i || want[at + i].pfn != want[at + i - 1].pfn + 1)
			++*run;
		want[at + i].run = *run;
	}
}

static void want_invalidate(struct want *want, unsigned int at, unsigned int len)
{
	unsigned int i, j, run;

	for (i = at; i < at + len; i++) {
		run = want[i].run;
		for (j = 0; run && j < SPACE; j++)
			if (want[j].run == run)
				want[j] = (struct want) {};
	}
}

static void expect_wanted(struct map_case *c, const struct want *want)
{
	unsigned int i;
	void *entry;

	for (i = 0; i < SPACE; i++) {
		entry = xa_load(&c->pages, IOVA_PFN + i);
		KUNIT_ASSERT_EQ(c->test, want[i].pfn, entry ? xa_to_value(entry) : 0);
	}
}

/* thousands of changes at random, against a page by page account of what should be */
static void map_random(struct kunit *test)
{
	const struct map_kind *kind = test->param_value;
	struct map_case *c = test->priv;
	struct want *want = kunit_kcalloc(test, SPACE, sizeof(*want), GFP_KERNEL);
	unsigned int round, i, at, len, upage, run = 0;
	bool in_batch = false, busy;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, want);
	prandom_seed_state(&rnd, 20);
	/* there is nothing to take from before something was given */
	KUNIT_ASSERT_EQ(test, 0, update(c, IOVA_PFN, 1, 0));
	want_update(c, want, 0, 1, 0, &run);
	for (round = 0; round < 2000; round++) {
		at = prandom_u32_state(&rnd) % SPACE;
		len = 1 + prandom_u32_state(&rnd) % min(24u, SPACE - at);
		upage = prandom_u32_state(&rnd) % (PAGES - len);
		if (!kind->ranges && prandom_u32_state(&rnd) % 16 == 0) {
			in_batch = !in_batch;
			KUNIT_ASSERT_EQ(test, 0, batch(c, in_batch));
		}
		if (prandom_u32_state(&rnd) % 2) {
			for (busy = false, i = at; i < at + len; i++)
				busy |= want[i].pfn != 0;
			KUNIT_ASSERT_EQ(test, busy ? -EEXIST : 0,
					update(c, IOVA_PFN + at, len, upage));
			if (!busy)
				want_update(c, want, at, len, upage, &run);
		} else {
			KUNIT_ASSERT_EQ(test, 0, invalidate(c, IOVA_PFN + at, len));
			want_invalidate(want, at, len);
		}
		if (!in_batch)
			expect_wanted(c, want);
	}
	if (in_batch)
		KUNIT_ASSERT_EQ(test, 0, batch(c, false));
	expect_wanted(c, want);
	KUNIT_EXPECT_EQ(test, 0, invalidate(c, 0, IOVA_PFN * 2));
	KUNIT_EXPECT_TRUE(test, xa_empty(&c->pages));
}

/* a device that forgot its maps at a reset is told all of them with the next change */
static int forget(struct vdpa_device *vdev, u32 flags)
{
	if (flags & VDPA_RESET_F_CLEAN_MAP)
		xa_destroy(&vdev_case(vdev)->pages);
	return vdev->config->reset(vdev);
}

static void map_forgotten(struct kunit *test)
{
	struct map_case *c = test->priv;
	u8 status = 0;

	c->mock->ops.compat_reset = forget;
	KUNIT_ASSERT_EQ(test, 0, update(c, IOVA_PFN, 4, 0));
	KUNIT_ASSERT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_VDPA_SET_STATUS, &status, 1));
	KUNIT_EXPECT_TRUE(test, xa_empty(&c->pages));
	/* not when that is refused */
	c->calls = 0;
	c->fail_at = 1;
	KUNIT_EXPECT_EQ(test, -EIO, update(c, IOVA_PFN + 8, 4, 8));
	KUNIT_EXPECT_TRUE(test, xa_empty(&c->pages));
	KUNIT_ASSERT_EQ(test, 0, update(c, IOVA_PFN + 8, 4, 8));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&c->pages, IOVA_PFN));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&c->pages, IOVA_PFN + 8));
	KUNIT_ASSERT_EQ(test, 0, invalidate(c, IOVA_PFN, 4));
	KUNIT_EXPECT_NULL(test, xa_load(&c->pages, IOVA_PFN));
}

/* At, before and past both ends of what the device can address. */
static void map_range_ends(struct kunit *test)
{
	const unsigned long end = IOVA_PFN + RANGE_PAGES;
	struct map_case *c = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL, update(c, IOVA_PFN - 1, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, update(c, IOVA_PFN - 1, 2, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, update(c, end, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, update(c, end - 1, 2, 0));
	KUNIT_EXPECT_TRUE(test, xa_empty(&c->pages));
	KUNIT_EXPECT_EQ(test, 0, update(c, IOVA_PFN, 1, 0));
	KUNIT_EXPECT_EQ(test, 0, update(c, end - 1, 1, 1));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&c->pages, IOVA_PFN));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&c->pages, end - 1));
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE_PARAM(map_refused, map_kind_gen_params),
	KUNIT_CASE_PARAM(map_batch, map_kind_gen_params),
	KUNIT_CASE_PARAM(map_random, map_kind_gen_params),
	KUNIT_CASE_PARAM(map_forgotten, table_kind_gen_params),
	KUNIT_CASE_PARAM(map_range_ends, map_kind_gen_params),
	{}
};

static struct kunit_suite map_suite = {
	.name = "vdpa_vhost_map",
	.init = map_init,
	.exit = map_exit,
	.test_cases = map_cases,
};
kunit_test_suite(map_suite);
