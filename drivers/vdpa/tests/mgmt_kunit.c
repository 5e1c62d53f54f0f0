// SPDX-License-Identifier: GPL-2.0-only
/*
 * Management devices: registration, names, what happens to their devices when they
 * go, and that they do not wait for each other.
 */
#include <kunit/device.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mod_devicetable.h>
#include <uapi/linux/virtio_ids.h>

#include "../vdpa_private.h"
#include "mock.h"

#define PATIENCE	(10 * HZ)

/**
 * struct manager - a management device that makes mocks
 * @mdev: what is registered
 * @mock: device that dev_add makes next
 * @entered: if not NULL, completed by dev_add when it begins
 * @go: if not NULL, what dev_add waits for then
 * @deleted: times dev_del was called
 */
struct manager {
	struct vdpa_mgmt_dev mdev;
	struct mock *mock;
	struct completion *entered;
	struct completion *go;
	unsigned int deleted;
};

static int manager_add(struct vdpa_mgmt_dev *mdev, const char *name,
		       const struct vdpa_dev_set_config *config)
{
	struct manager *manager = container_of(mdev, struct manager, mdev);
	struct mock *mock = manager->mock;
	struct vdpa_device *vdev;
	int err;

	if (manager->entered)
		complete(manager->entered);
	if (manager->go && !wait_for_completion_timeout(manager->go, PATIENCE))
		return -ETIMEDOUT;

	mock->name = name;
	mock->mdev = mdev;
	vdev = mock_alloc(mock, false);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	err = _vdpa_register_device(vdev, mock->nvqs);
	if (err)
		put_device(&vdev->dev);
	return err;
}

static void manager_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdev)
{
	container_of(mdev, struct manager, mdev)->deleted++;
	_vdpa_unregister_device(vdev);
}

static const struct vdpa_mgmtdev_ops manager_ops = {
	.dev_add = manager_add,
	.dev_del = manager_del,
};

static struct virtio_device_id manager_ids[] = {
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ 63, VIRTIO_DEV_ANY_ID },
	{ 64, VIRTIO_DEV_ANY_ID },
	{}
};

KUNIT_DEFINE_ACTION_WRAPPER(unregister_action, vdpa_mgmtdev_unregister,
			    struct vdpa_mgmt_dev *);
KUNIT_DEFINE_ACTION_WRAPPER(unregister_root_action, root_device_unregister,
			    struct device *);

static struct manager *manager_new(struct kunit *test, const char *name)
{
	struct manager *manager;

	manager = kunit_kzalloc(test, sizeof(*manager), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, manager);
	manager->mock = mock_new(test);
	manager->mdev.ops = &manager_ops;
	manager->mdev.id_table = manager_ids;
	manager->mdev.device = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, manager->mdev.device);
	return manager;
}

static struct manager *manager_registered(struct kunit *test, const char *name)
{
	struct manager *manager = manager_new(test, name);

	KUNIT_ASSERT_EQ(test, 0, vdpa_mgmtdev_register(&manager->mdev));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, unregister_action,
						  &manager->mdev));
	return manager;
}

static void manager_unregister(struct kunit *test, struct manager *manager)
{
	kunit_release_action(test, unregister_action, &manager->mdev);
}

/* what the netlink family does for a request */
static int manager_create(struct manager *manager, const char *name)
{
	const struct vdpa_dev_set_config config = {};
	struct vdpa_mgmt *mgmt = manager->mdev.mgmt;
	int err;

	err = vdpa_mgmt_enter(mgmt);
	if (err)
		return err;
	err = manager->mdev.ops->dev_add(&manager->mdev, name, &config);
	vdpa_mgmt_exit(mgmt);
	return err;
}

static void mgmt_incomplete(struct kunit *test)
{
	struct manager *manager = manager_new(test, "vdpa_kunit");
	const struct vdpa_mgmt_dev good = manager->mdev;
	struct vdpa_mgmtdev_ops ops = manager_ops;
	struct vdpa_mgmt_dev *mdev = &manager->mdev;

	mdev->device = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_mgmtdev_register(mdev));
	*mdev = good;
	mdev->id_table = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_mgmtdev_register(mdev));
	*mdev = good;
	mdev->ops = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_mgmtdev_register(mdev));

	mdev->ops = &ops;
	ops.dev_add = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_mgmtdev_register(mdev));
	ops = manager_ops;
	ops.dev_del = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, vdpa_mgmtdev_register(mdev));

	KUNIT_EXPECT_NULL(test, mdev->mgmt);
	KUNIT_EXPECT_NULL(test, vdpa_mgmt_get_by_name("kunit",
						      dev_name(good.device)));
}

static void mgmt_by_name(struct kunit *test)
{
	struct manager *manager = manager_registered(test, "vdpa_kunit");
	const char *name = dev_name(manager->mdev.device);
	struct vdpa_mgmt *mgmt;

	mgmt = vdpa_mgmt_get_by_name("kunit", name);
	KUNIT_ASSERT_PTR_EQ(test, manager->mdev.mgmt, mgmt);
	KUNIT_EXPECT_NULL(test, vdpa_mgmt_get_by_name(NULL, name));
	KUNIT_EXPECT_NULL(test, vdpa_mgmt_get_by_name("pci", name));
	KUNIT_EXPECT_NULL(test, vdpa_mgmt_get_by_name("kunit", name + 1));
	KUNIT_EXPECT_NULL(test, vdpa_mgmt_get_by_name("kunit", ""));

	/* who has found it may come too late */
	manager_unregister(test, manager);
	KUNIT_EXPECT_NULL(test, vdpa_mgmt_get_by_name("kunit", name));
	KUNIT_EXPECT_EQ(test, -ENODEV, vdpa_mgmt_enter(mgmt));
	vdpa_mgmt_put(mgmt);
}

static void mgmt_without_bus(struct kunit *test)
{
	struct device *root = root_device_register("vdpa_kunit_root");
	struct manager *manager;
	struct vdpa_mgmt *mgmt;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, root);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, unregister_root_action,
						  root));
	manager = manager_new(test, "vdpa_kunit");
	manager->mdev.device = root;
	KUNIT_ASSERT_EQ(test, 0, vdpa_mgmtdev_register(&manager->mdev));

	mgmt = vdpa_mgmt_get_by_name(NULL, "vdpa_kunit_root");
	KUNIT_EXPECT_PTR_EQ(test, manager->mdev.mgmt, mgmt);
	if (mgmt)
		vdpa_mgmt_put(mgmt);
	KUNIT_EXPECT_NULL(test, vdpa_mgmt_get_by_name("", "vdpa_kunit_root"));
	KUNIT_EXPECT_NULL(test,
			  vdpa_mgmt_get_by_name("kunit", "vdpa_kunit_root"));
	vdpa_mgmtdev_unregister(&manager->mdev);
}

static void mgmt_name_taken(struct kunit *test)
{
	struct manager *first = manager_registered(test, "vdpa_kunit");
	struct manager *second = manager_new(test, "vdpa_kunit_2");

	second->mdev.device = first->mdev.device;
	KUNIT_EXPECT_EQ(test, -EEXIST, vdpa_mgmtdev_register(&second->mdev));
	KUNIT_EXPECT_NULL(test, second->mdev.mgmt);

	manager_unregister(test, first);
	KUNIT_EXPECT_EQ(test, 0, vdpa_mgmtdev_register(&second->mdev));
	vdpa_mgmtdev_unregister(&second->mdev);
}

static void mgmt_classes(struct kunit *test)
{
	struct manager *manager = manager_new(test, "vdpa_kunit");

	KUNIT_EXPECT_EQ(test,
			BIT_ULL(VIRTIO_ID_NET) | BIT_ULL(VIRTIO_ID_BLOCK) |
			BIT_ULL(63),
			vdpa_mgmt_classes(&manager->mdev));
}

/**
 * struct walk - what a walk has seen
 * @seen: management devices of these tests, in order
 * @count: how many
 * @stop: end the walk after this many
 */
struct walk {
	struct vdpa_mgmt_dev *seen[4];
	unsigned int count;
	unsigned int stop;
};

static int walk_step(struct vdpa_mgmt_dev *mdev, void *data)
{
	struct walk *walk = data;

	if (mdev->ops != &manager_ops || walk->count == ARRAY_SIZE(walk->seen))
		return 0;
	walk->seen[walk->count++] = mdev;
	return walk->count == walk->stop ? -ECANCELED : 0;
}

static void mgmt_walk(struct kunit *test)
{
	struct manager *first = manager_registered(test, "vdpa_kunit_1");
	struct manager *second = manager_registered(test, "vdpa_kunit_0");
	struct walk walk = {};

	KUNIT_EXPECT_EQ(test, 0, vdpa_mgmt_for_each(walk_step, &walk));
	KUNIT_EXPECT_EQ(test, 2, walk.count);
	KUNIT_EXPECT_PTR_EQ(test, &first->mdev, walk.seen[0]);
	KUNIT_EXPECT_PTR_EQ(test, &second->mdev, walk.seen[1]);

	walk = (struct walk) { .stop = 1 };
	KUNIT_EXPECT_EQ(test, -ECANCELED, vdpa_mgmt_for_each(walk_step, &walk));
	KUNIT_EXPECT_EQ(test, 1, walk.count);
}

/* What a management device made goes with it, and nothing else does. */
static void mgmt_takes_devices_along(struct kunit *test)
{
	struct manager *first = manager_registered(test, "vdpa_kunit_1");
	struct manager *second = manager_registered(test, "vdpa_kunit_2");
	struct mock *one = first->mock, *two = mock_new(test);
	struct mock *alone = mock_new(test);

	KUNIT_ASSERT_EQ(test, 0, manager_create(first, "vdpa_kunit_a"));
	first->mock = two;
	KUNIT_ASSERT_EQ(test, 0, manager_create(first, "vdpa_kunit_b"));
	KUNIT_ASSERT_EQ(test, 0, manager_create(second, "vdpa_kunit_c"));
	KUNIT_ASSERT_EQ(test, 0, mock_register(alone));

	manager_unregister(test, first);
	KUNIT_EXPECT_EQ(test, 2, first->deleted);
	KUNIT_EXPECT_NULL(test, first->mdev.mgmt);
	KUNIT_EXPECT_TRUE(test, mock_gone(one));
	KUNIT_EXPECT_TRUE(test, mock_gone(two));
	KUNIT_EXPECT_FALSE(test, mock_gone(second->mock));
	KUNIT_EXPECT_FALSE(test, mock_gone(alone));
	KUNIT_EXPECT_EQ(test, 0, second->deleted);
}

static void mgmt_device_name_taken(struct kunit *test)
{
	struct manager *first = manager_registered(test, "vdpa_kunit_1");
	struct manager *second = manager_registered(test, "vdpa_kunit_2");

	KUNIT_ASSERT_EQ(test, 0, manager_create(first, "vdpa_kunit_twin"));
	KUNIT_EXPECT_EQ(test, -EEXIST, manager_create(second, "vdpa_kunit_twin"));
	KUNIT_EXPECT_TRUE(test, mock_gone(second->mock));
	manager_unregister(test, second);
	KUNIT_EXPECT_EQ(test, 0, second->deleted);
}

/**
 * struct creation - a creation in a thread of its own
 * @manager: who creates
 * @err: what came of it, valid after @done
 * @entered: dev_add has begun
 * @go: dev_add may go on
 * @done: the thread has nothing more to do
 */
struct creation {
	struct manager *manager;
	int err;
	struct completion entered;
	struct completion go;
	struct completion done;
};

static int create_thread(void *data)
{
	struct creation *creation = data;

	creation->err = manager_create(creation->manager, "vdpa_kunit_slow");
	complete(&creation->done);
	return 0;
}

/* Start a creation by @manager, and let it wait inside dev_add. */
static void creation_start(struct kunit *test, struct creation *creation,
			   struct manager *manager)
{
	struct task_struct *task;

	creation->manager = manager;
	init_completion(&creation->entered);
	init_completion(&creation->go);
	init_completion(&creation->done);
	manager->entered = &creation->entered;
	manager->go = &creation->go;

	task = kthread_run(create_thread, creation, "vdpa_kunit_create");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&creation->entered);
}

/* While one management device is busy, everything that is not its own goes on. */
static void mgmt_parallel(struct kunit *test)
{
	struct manager *slow = manager_registered(test, "vdpa_kunit_slow");
	struct manager *fast = manager_registered(test, "vdpa_kunit_fast");
	struct manager *late = manager_new(test, "vdpa_kunit_late");
	struct creation creation;
	struct walk walk = {};

	creation_start(test, &creation, slow);

	KUNIT_EXPECT_EQ(test, 0, manager_create(fast, "vdpa_kunit_quick"));
	KUNIT_EXPECT_EQ(test, 0, vdpa_mgmtdev_register(&late->mdev));
	KUNIT_EXPECT_EQ(test, 0, vdpa_mgmt_for_each(walk_step, &walk));
	KUNIT_EXPECT_EQ(test, 3, walk.count);
	vdpa_mgmtdev_unregister(&late->mdev);
	manager_unregister(test, fast);
	KUNIT_EXPECT_TRUE(test, mock_gone(fast->mock));

	KUNIT_EXPECT_FALSE(test, completion_done(&creation.done));
	complete(&creation.go);
	wait_for_completion(&creation.done);
	KUNIT_EXPECT_EQ(test, 0, creation.err);
}

struct parting {
	struct manager *manager;
	struct completion begun;
	struct completion done;
};

static int part_thread(void *data)
{
	struct parting *parting = data;

	complete(&parting->begun);
	vdpa_mgmtdev_unregister(&parting->manager->mdev);
	complete(&parting->done);
	return 0;
}

/* A management device that goes waits for what it is creating, and deletes it. */
static void mgmt_leaves_while_creating(struct kunit *test)
{
	struct manager *manager = manager_new(test, "vdpa_kunit");
	struct parting parting = { .manager = manager };
	struct creation creation;
	struct task_struct *task;

	init_completion(&parting.begun);
	init_completion(&parting.done);
	KUNIT_ASSERT_EQ(test, 0, vdpa_mgmtdev_register(&manager->mdev));
	creation_start(test, &creation, manager);

	task = kthread_run(part_thread, &parting, "vdpa_kunit_part");
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	if (!IS_ERR(task)) {
		wait_for_completion(&parting.begun);
		KUNIT_EXPECT_EQ(test, 0,
				wait_for_completion_timeout(&parting.done,
							    HZ / 20));
	}

	complete(&creation.go);
	wait_for_completion(&creation.done);
	KUNIT_EXPECT_EQ(test, 0, creation.err);
	if (IS_ERR(task))
		vdpa_mgmtdev_unregister(&manager->mdev);
	else
		wait_for_completion(&parting.done);
	KUNIT_EXPECT_EQ(test, 1, manager->deleted);
	KUNIT_EXPECT_TRUE(test, mock_gone(manager->mock));
}

static struct kunit_case mgmt_cases[] = {
	KUNIT_CASE(mgmt_incomplete),
	KUNIT_CASE(mgmt_by_name),
	KUNIT_CASE(mgmt_without_bus),
	KUNIT_CASE(mgmt_name_taken),
	KUNIT_CASE(mgmt_classes),
	KUNIT_CASE(mgmt_walk),
	KUNIT_CASE(mgmt_takes_devices_along),
	KUNIT_CASE(mgmt_device_name_taken),
	KUNIT_CASE(mgmt_parallel),
	KUNIT_CASE(mgmt_leaves_while_creating),
	{}
};

static struct kunit_suite mgmt_suite = {
	.name = "vdpa_mgmt",
	.test_cases = mgmt_cases,
};

kunit_test_suite(mgmt_suite);
