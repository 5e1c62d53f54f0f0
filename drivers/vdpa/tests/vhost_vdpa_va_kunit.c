// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps of virtual addresses through vhost_vdpa: what parents are told of the files that
 * back them, memory without one, and refusals in the middle.
 */
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>
#include <linux/vhost.h>

#include "vhost_file.h"

#define IOVA 0x100000ull
#define TOLD 8

/**
 * struct told - a range that a parent was told
 * @iova: first IOVA
 * @size: bytes
 * @addr: virtual address
 * @file: what backs it
 * @offset: where in that
 */
struct told {
	u64 iova;
	u64 size;
	u64 addr;
	struct file *file;
	u64 offset;
};

/**
 * struct va_case - a parent that notes what it is told
 * @mock: the parent
 * @vf: its device
 * @file: two files of two pages
 * @uaddr: five pages: the first file, private memory, the second file
 * @told: ranges it knows, in the order of telling
 * @nr_told: how many
 * @calls: to dma_map and dma_unmap
 * @fail_from: from which on they fail, 0 for never
 */
struct va_case {
	struct mock *mock;
	struct vhost_file *vf;
	struct file *file[2];
	unsigned long uaddr;
	struct told told[TOLD];
	unsigned int nr_told;
	unsigned int calls;
	unsigned int fail_from;
};

static struct va_case *vdev_case(struct vdpa_device *vdev)
{
	return to_mock(vdev)->test->priv;
}

static int tell(struct va_case *c, u64 iova, u64 size, u64 addr, void *opaque)
{
	const struct vdpa_map_file *file = opaque;

	if (c->nr_told == TOLD)
		return -ENOSPC;
	c->told[c->nr_told++] = (struct told) {
		.iova = iova,
		.size = size,
		.addr = addr,
		.file = file->file,
		.offset = file->offset,
	};
	return 0;
}

static int op_dma_map(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size,
		      u64 va, u32 perm, void *opaque)
{
	struct va_case *c = vdev_case(vdev);

	if (c->fail_from && ++c->calls >= c->fail_from)
		return -EIO;
	return tell(c, iova, size, va, opaque);
}

static int op_dma_unmap(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size)
{
	struct va_case *c = vdev_case(vdev);
	unsigned int i;

	if (c->fail_from && ++c->calls >= c->fail_from)
		return -EIO;
	for (i = 0; i < c->nr_told; i++)
		if (c->told[i].iova == iova && c->told[i].size == size)
			c->told[i] = c->told[--c->nr_told];
	return 0;
}

static int op_set_map(struct vdpa_device *vdev, unsigned int asid, struct vhost_iotlb *iotlb)
{
	struct va_case *c = vdev_case(vdev);
	struct vhost_iotlb_map *map;

	c->nr_told = 0;
	for (map = vhost_iotlb_itree_first(iotlb, 0, U64_MAX); map;
	     map = vhost_iotlb_itree_next(map, 0, U64_MAX))
		tell(c, map->start, map->size, map->addr, map->opaque);
	return 0;
}

static void put_file(void *file)
{
	fput(file);
}

/* Map @pages of @file, or private memory, at page @at of what is there already. */
static void lay(struct kunit *test, struct file *file, unsigned int at, unsigned int pages)
{
	struct va_case *c = test->priv;
	unsigned long got;

	got = vm_mmap(file, c->uaddr + at * PAGE_SIZE, pages * PAGE_SIZE,
		      PROT_READ | PROT_WRITE,
		      MAP_FIXED | (file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS), 0);
	KUNIT_ASSERT_EQ(test, c->uaddr + at * PAGE_SIZE, got);
}

static int va_init(struct kunit *test)
{
	struct va_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->mock = mock_new(test);
	c->mock->bound_to = "vhost_vdpa";
	c->mock->use_va = true;
	c->uaddr = kunit_vm_mmap(test, NULL, 0, 5 * PAGE_SIZE, PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0, c->uaddr);
	for (i = 0; i < 2; i++) {
		c->file[i] = shmem_file_setup("vdpa", 2 * PAGE_SIZE, 0);
		KUNIT_ASSERT_FALSE(test, IS_ERR(c->file[i]));
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, put_file, c->file[i]));
	}
	lay(test, c->file[0], 0, 2);
	lay(test, c->file[1], 3, 2);
	return 0;
}

static void start(struct kunit *test, bool ranges)
{
	struct va_case *c = test->priv;

	c->mock->ops.dma_map = ranges ? op_dma_map : NULL;
	c->mock->ops.dma_unmap = ranges ? op_dma_unmap : NULL;
	c->mock->ops.set_map = ranges ? NULL : op_set_map;
	KUNIT_ASSERT_EQ(test, 0, mock_register(c->mock));
	c->vf = vhost_file_open(test, c->mock);
	KUNIT_ASSERT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_SET_OWNER, NULL, 0));
}

static int update(struct va_case *c, unsigned int page, unsigned int pages)
{
	return vhost_file_message(c->vf, VHOST_IOTLB_UPDATE, IOVA + page * PAGE_SIZE,
				  pages * PAGE_SIZE, c->uaddr + page * PAGE_SIZE);
}

static int invalidate(struct va_case *c, unsigned int page, unsigned int pages)
{
	return vhost_file_message(c->vf, VHOST_IOTLB_INVALIDATE, IOVA + page * PAGE_SIZE,
				  pages * PAGE_SIZE, 0);
}

static void expect_told(struct kunit *test, unsigned int i, unsigned int page,
			unsigned int pages, struct file *file, unsigned int offset)
{
	struct va_case *c = test->priv;

	KUNIT_EXPECT_EQ(test, IOVA + page * PAGE_SIZE, c->told[i].iova);
	KUNIT_EXPECT_EQ(test, pages * PAGE_SIZE, c->told[i].size);
	KUNIT_EXPECT_EQ(test, c->uaddr + page * PAGE_SIZE, c->told[i].addr);
	KUNIT_EXPECT_PTR_EQ(test, file, c->told[i].file);
	KUNIT_EXPECT_EQ(test, offset * PAGE_SIZE, c->told[i].offset);
}

/* what has a file is told with it, from inside of it too; what has none is skipped */
static void va_pieces(struct kunit *test)
{
	struct va_case *c = test->priv;

	start(test, true);
	KUNIT_ASSERT_EQ(test, 0, update(c, 1, 4));
	KUNIT_ASSERT_EQ(test, 2, c->nr_told);
	expect_told(test, 0, 1, 1, c->file[0], 1);
	expect_told(test, 1, 3, 2, c->file[1], 0);
	/* nothing is mapped in between, so something can be */
	lay(test, c->file[0], 2, 1);
	KUNIT_EXPECT_EQ(test, 0, update(c, 2, 1));
	KUNIT_EXPECT_EQ(test, 0, invalidate(c, 0, 5));
	KUNIT_EXPECT_EQ(test, 0, c->nr_told);
}

/* a file lives as long as the device may need it */
static void va_holds_files(struct kunit *test)
{
	struct va_case *c = test->priv;
	long before = file_count(c->file[0]);

	start(test, true);
	KUNIT_ASSERT_EQ(test, 0, update(c, 0, 2));
	KUNIT_EXPECT_EQ(test, before + 1, file_count(c->file[0]));
	KUNIT_EXPECT_EQ(test, -EFAULT, update(c, 0, 2));
	KUNIT_EXPECT_EQ(test, before + 1, file_count(c->file[0]));
	KUNIT_EXPECT_EQ(test, 0, invalidate(c, 0, 2));
	KUNIT_EXPECT_EQ(test, before, file_count(c->file[0]));
}

/* the parent takes the first piece, refuses the second, and does not take back the first */
static void va_stuck(struct kunit *test)
{
	struct va_case *c = test->priv;
	long before = file_count(c->file[0]);

	start(test, true);
	c->fail_from = 2;
	KUNIT_EXPECT_EQ(test, -EFAULT, update(c, 0, 5));
	/* it may be using it: so it is still known here, and its file held */
	KUNIT_EXPECT_EQ(test, 1, c->nr_told);
	KUNIT_EXPECT_EQ(test, before + 1, file_count(c->file[0]));
	c->fail_from = 0;
	KUNIT_EXPECT_EQ(test, -EFAULT, update(c, 0, 1));
	KUNIT_EXPECT_EQ(test, 0, invalidate(c, 0, 5));
	KUNIT_EXPECT_EQ(test, 0, c->nr_told);
	KUNIT_EXPECT_EQ(test, before, file_count(c->file[0]));
}

/* a table names the files of what is left when a map was taken away in pieces */
static void va_table_after_split(struct kunit *test)
{
	struct va_case *c = test->priv;

	lay(test, c->file[1], 2, 2);
	lay(test, c->file[0], 4, 1);
	start(test, false);
	KUNIT_ASSERT_EQ(test, 0, update(c, 0, 5));
	KUNIT_ASSERT_EQ(test, 3, c->nr_told);
	KUNIT_ASSERT_EQ(test, 0, invalidate(c, 0, 1));
	KUNIT_ASSERT_EQ(test, 2, c->nr_told);
	KUNIT_ASSERT_EQ(test, 0, update(c, 0, 1));
	KUNIT_ASSERT_EQ(test, 3, c->nr_told);
	expect_told(test, 0, 0, 1, c->file[0], 0);
	expect_told(test, 1, 2, 2, c->file[1], 0);
	expect_told(test, 2, 4, 1, c->file[0], 0);
}

static struct kunit_case va_cases[] = {
	KUNIT_CASE(va_pieces),
	KUNIT_CASE(va_holds_files),
	KUNIT_CASE(va_stuck),
	KUNIT_CASE(va_table_after_split),
	{}
};

static struct kunit_suite va_suite = {
	.name = "vdpa_vhost_va",
	.init = va_init,
	.test_cases = va_cases,
};
kunit_test_suite(va_suite);
