// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation, names, look-up and lifetime of devices.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/string.h>

#include "../vdpa_private.h"
#include "mock.h"

struct op {
	const char *name;
	size_t offset;
};

#define OP(op) { #op, offsetof(struct vdpa_config_ops, op) }

static const struct op required_ops[] = {
	OP(set_vq_address), OP(set_vq_num), OP(kick_vq), OP(set_vq_cb),
	OP(set_vq_ready), OP(get_vq_ready), OP(set_vq_state), OP(get_vq_state),
	OP(get_vq_align), OP(get_device_features), OP(set_driver_features),
	OP(get_driver_features), OP(set_config_cb), OP(get_vq_num_max),
	OP(get_device_id), OP(get_vendor_id), OP(get_status), OP(set_status),
	OP(reset), OP(get_config_size), OP(get_config), OP(set_config),
};

static void op_desc(const struct op *op, char *desc)
{
	strscpy(desc, op->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(required_op, required_ops, op_desc);

static void device_required_op(struct kunit *test)
{
	const struct op *op = test->param_value;
	struct mock *mock = mock_new(test);

	*(void **)((void *)&mock->ops + op->offset) = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_register(mock));
	KUNIT_EXPECT_TRUE(test, mock_gone(mock));
}

static void device_required_ops_suffice(struct kunit *test)
{
	struct mock *mock = mock_new(test);

	mock->ops.free = NULL;
	KUNIT_EXPECT_EQ(test, 0, mock_register(mock));
}

static int some_set_map(struct vdpa_device *vdev, unsigned int asid,
			struct vhost_iotlb *iotlb)
{
	return 0;
}

static int some_dma_map(struct vdpa_device *vdev, unsigned int asid, u64 iova,
			u64 size, u64 pa, u32 perm, void *opaque)
{
	return 0;
}

static int some_dma_unmap(struct vdpa_device *vdev, unsigned int asid, u64 iova,
			  u64 size)
{
	return 0;
}

static int some_reset_map(struct vdpa_device *vdev, unsigned int asid)
{
	return 0;
}

static int some_update_map(struct vdpa_device *vdev, unsigned int asid,
			   const struct list_head *removed,
			   const struct list_head *added)
{
	return 0;
}

struct map_case {
	const char *desc;
	bool set_map;
	bool dma_map;
	bool dma_unmap;
	bool reset_map;
	bool update_map;
	bool use_va;
	int err;
};

static const struct map_case map_cases[] = {
	{ "platform IOMMU", .err = 0 },
	{ "set_map", .set_map = true },
	{ "dma_map and dma_unmap", .dma_map = true, .dma_unmap = true },
	{ "dma_map alone", .dma_map = true, .err = -EINVAL },
	{ "dma_unmap alone", .dma_unmap = true, .err = -EINVAL },
	{ "set_map with half a pair", .set_map = true, .dma_map = true,
	  .err = -EINVAL },
	{ "update_map", .set_map = true, .reset_map = true, .update_map = true },
	{ "update_map without set_map", .reset_map = true, .update_map = true,
	  .err = -EINVAL },
	{ "update_map without reset_map", .set_map = true, .update_map = true,
	  .err = -EINVAL },
	{ "platform IOMMU, use_va", .use_va = true, .err = -EINVAL },
	{ "set_map, use_va", .set_map = true, .use_va = true },
	{ "dma_map and dma_unmap, use_va", .dma_map = true, .dma_unmap = true,
	  .use_va = true },
};

KUNIT_ARRAY_PARAM_DESC(map_case, map_cases, desc);

static void device_map_ops(struct kunit *test)
{
	const struct map_case *c = test->param_value;
	struct mock *mock = mock_new(test);
	struct vdpa_device *vdev;

	mock->ops.set_map = c->set_map ? some_set_map : NULL;
	mock->ops.dma_map = c->dma_map ? some_dma_map : NULL;
	mock->ops.dma_unmap = c->dma_unmap ? some_dma_unmap : NULL;
	mock->ops.reset_map = c->reset_map ? some_reset_map : NULL;
	mock->ops.update_map = c->update_map ? some_update_map : NULL;

	vdev = mock_alloc(mock, c->use_va);
	KUNIT_ASSERT_EQ(test, c->err, PTR_ERR_OR_ZERO(vdev));
	if (c->err)
		return;

	KUNIT_EXPECT_EQ(test, c->use_va, vdev->use_va);
	put_device(&vdev->dev);
	KUNIT_EXPECT_TRUE(test, mock_gone(mock));
}

static void device_no_ops(struct kunit *test)
{
	struct vdpa_device *vdev;

	vdev = __vdpa_alloc_device(NULL, NULL, 1, 1, sizeof(*vdev), NULL, false);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(vdev));
}

static void device_default_name(struct kunit *test)
{
	struct mock *mock = mock_new(test);
	char name[16];

	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	snprintf(name, sizeof(name), "vdpa%u", mock->vdev->index);
	KUNIT_EXPECT_STREQ(test, name, dev_name(&mock->vdev->dev));
}

/* a name of @len letters */
static char *long_name(struct kunit *test, size_t len)
{
	char *name = kunit_kzalloc(test, len + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, name);
	memset(name, 'x', len);
	return name;
}

static void device_bad_name(struct kunit *test)
{
	const char *const names[] = {
		"", ".", "..", "a/b", long_name(test, VDPA_NAME_MAX + 1),
	};
	struct mock *mock = mock_new(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		mock->name = names[i];
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, mock_register(mock), "\"%s\"",
				    names[i]);
	}
}

/* Names that look like something else: a path, the default, a format, a file. */
static void device_odd_name(struct kunit *test)
{
	const char *const names[] = {
		"vdpa4000000000", "%s%n", "...", "-", " ", "\n",
		long_name(test, VDPA_NAME_MAX),
	};
	struct mock *mock = mock_new(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		mock->name = names[i];
		KUNIT_ASSERT_EQ_MSG(test, 0, mock_register(mock), "\"%s\"",
				    names[i]);
		KUNIT_EXPECT_STREQ(test, names[i], dev_name(&mock->vdev->dev));
		mock_unregister(mock);
	}
}

static void device_name_taken(struct kunit *test)
{
	struct mock *first = mock_new(test), *second = mock_new(test);
	struct vdpa_device *found;

	first->name = "vdpa_kunit_twin";
	second->name = first->name;
	KUNIT_ASSERT_EQ(test, 0, mock_register(first));
	KUNIT_EXPECT_EQ(test, -EEXIST, mock_register(second));
	KUNIT_EXPECT_TRUE(test, mock_gone(second));

	found = vdpa_dev_pin_by_name(first->name);
	KUNIT_ASSERT_PTR_EQ(test, first->vdev, found);
	vdpa_dev_unpin(found);

	mock_unregister(first);
	KUNIT_EXPECT_EQ(test, 0, mock_register(second));
}

static void device_found_while_registered(struct kunit *test)
{
	struct mock *mock = mock_new(test);
	struct vdpa_device *vdev;

	mock->name = "vdpa_kunit_seek";
	vdev = mock_alloc(mock, false);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vdev));
	KUNIT_EXPECT_NULL(test, vdpa_dev_pin_by_name(mock->name));
	put_device(&vdev->dev);

	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	vdev = vdpa_dev_pin_by_name(mock->name);
	KUNIT_ASSERT_PTR_EQ(test, mock->vdev, vdev);
	get_device(&vdev->dev);
	vdpa_dev_unpin(vdev);

	mock_unregister(mock);
	KUNIT_EXPECT_NULL(test, vdpa_dev_pin_by_name(mock->name));
	put_device(&vdev->dev);
}

/* The walk passes registered devices only, in the order of their indices. */
static void device_walk(struct kunit *test)
{
	struct mock *mocks[3];
	struct vdpa_device *found[4], *idle;
	unsigned long index;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mocks); i++)
		mocks[i] = mock_new(test);
	KUNIT_ASSERT_EQ(test, 0, mock_register(mocks[0]));
	idle = mock_alloc(mocks[1], false);
	KUNIT_ASSERT_FALSE(test, IS_ERR(idle));
	KUNIT_EXPECT_EQ(test, 0, mock_register(mocks[2]));

	index = mocks[0]->vdev->index;
	KUNIT_EXPECT_EQ(test, 2, vdpa_dev_pin_some(index, found, ARRAY_SIZE(found)));
	KUNIT_EXPECT_PTR_EQ(test, mocks[0]->vdev, found[0]);
	KUNIT_EXPECT_PTR_EQ(test, mocks[2]->vdev, found[1]);
	vdpa_dev_unpin(found[0]);
	vdpa_dev_unpin(found[1]);

	/* as many as there is room for, then from there on */
	KUNIT_EXPECT_EQ(test, 1, vdpa_dev_pin_some(index, found, 1));
	KUNIT_EXPECT_PTR_EQ(test, mocks[0]->vdev, found[0]);
	vdpa_dev_unpin(found[0]);
	KUNIT_EXPECT_EQ(test, 1, vdpa_dev_pin_some(index + 1, found, 1));
	KUNIT_EXPECT_PTR_EQ(test, mocks[2]->vdev, found[0]);
	vdpa_dev_unpin(found[0]);
	KUNIT_EXPECT_EQ(test, 0, vdpa_dev_pin_some(mocks[2]->vdev->index + 1UL, found, 4));
	put_device(&idle->dev);
}

/* An index belongs to a device until its memory goes, registered or not. */
static void device_index_kept(struct kunit *test)
{
	struct mock *first = mock_new(test), *second = mock_new(test);
	struct vdpa_device *vdev;

	KUNIT_ASSERT_EQ(test, 0, mock_register(first));
	vdev = first->vdev;
	get_device(&vdev->dev);
	mock_unregister(first);

	KUNIT_EXPECT_EQ(test, 0, mock_register(second));
	KUNIT_EXPECT_NE(test, vdev->index, second->vdev->index);
	put_device(&vdev->dev);
}

static void device_freed_once(struct kunit *test)
{
	struct mock *mock = mock_new(test);
	struct vdpa_device *vdev;

	vdev = mock_alloc(mock, false);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vdev));
	put_device(&vdev->dev);
	KUNIT_EXPECT_STREQ(test, "free ", mock_take_log(mock));

	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	vdev = mock->vdev;
	get_device(&vdev->dev);
	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "", mock_take_log(mock));
	put_device(&vdev->dev);
	KUNIT_EXPECT_STREQ(test, "free ", mock_take_log(mock));
}

static void device_needs_manager(struct kunit *test)
{
	struct vdpa_mgmt_dev unregistered = {};
	struct mock *mock = mock_new(test);
	struct vdpa_device *vdev;

	vdev = mock_alloc(mock, false);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vdev));
	KUNIT_EXPECT_EQ(test, -EINVAL, _vdpa_register_device(vdev, 1));
	vdev->mdev = &unregistered;
	KUNIT_EXPECT_EQ(test, -EINVAL, _vdpa_register_device(vdev, 1));
	put_device(&vdev->dev);
}

struct leaver {
	struct mock *mock;
	struct completion left;
};

static int leave(void *data)
{
	struct leaver *leaver = data;

	mock_unregister(leaver->mock);
	complete(&leaver->left);
	return 0;
}

/* Return: whether look-ups stopped finding the device within a second. */
static bool retracted(const char *name)
{
	struct vdpa_device *vdev;
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		vdev = vdpa_dev_pin_by_name(name);
		if (!vdev)
			return true;
		vdpa_dev_unpin(vdev);
		usleep_range(1000, 2000);
	}
	return false;
}

/* Who has found a device may use it: unregistration waits. */
static void device_pinned_stays(struct kunit *test)
{
	struct leaver leaver = { .mock = mock_new(test) };
	struct vdpa_device *vdev;
	struct task_struct *task;

	init_completion(&leaver.left);
	leaver.mock->name = "vdpa_kunit_pinned";
	KUNIT_ASSERT_EQ(test, 0, mock_register(leaver.mock));
	vdev = vdpa_dev_pin_by_name(leaver.mock->name);
	KUNIT_ASSERT_NOT_NULL(test, vdev);

	task = kthread_run(leave, &leaver, "vdpa_kunit_leave");
	if (IS_ERR(task)) {
		vdpa_dev_unpin(vdev);
		KUNIT_FAIL_AND_ABORT(test, "no thread");
	}
	KUNIT_EXPECT_TRUE(test, retracted(leaver.mock->name));
	KUNIT_EXPECT_EQ(test, 0,
			wait_for_completion_timeout(&leaver.left, HZ / 20));
	KUNIT_EXPECT_TRUE(test, device_is_registered(&vdev->dev));

	vdpa_dev_unpin(vdev);
	wait_for_completion(&leaver.left);
	KUNIT_EXPECT_TRUE(test, mock_gone(leaver.mock));
}

static struct kunit_case device_cases[] = {
	KUNIT_CASE_PARAM(device_required_op, required_op_gen_params),
	KUNIT_CASE(device_required_ops_suffice),
	KUNIT_CASE_PARAM(device_map_ops, map_case_gen_params),
	KUNIT_CASE(device_no_ops),
	KUNIT_CASE(device_default_name),
	KUNIT_CASE(device_bad_name),
	KUNIT_CASE(device_odd_name),
	KUNIT_CASE(device_name_taken),
	KUNIT_CASE(device_found_while_registered),
	KUNIT_CASE(device_walk),
	KUNIT_CASE(device_index_kept),
	KUNIT_CASE(device_freed_once),
	KUNIT_CASE(device_needs_manager),
	KUNIT_CASE(device_pinned_stays),
	{}
};

static struct kunit_suite device_suite = {
	.name = "vdpa_device",
	.test_cases = device_cases,
};

kunit_test_suite(device_suite);
