// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "mock.h"

/**
 * struct mock_dev - the memory of a device
 * @vdev: the device
 * @mock: its parent; outlives it
 */
struct mock_dev {
	struct vdpa_device vdev;
	struct mock *mock;
};

/**
 * to_mock() - find a device's parent
 * @vdev: device made by mock_alloc()
 *
 * Return: the parent.
 */
struct mock *to_mock(struct vdpa_device *vdev)
{
	return container_of(vdev, struct mock_dev, vdev)->mock;
}

/**
 * mock_log() - append to the log
 * @mock: parent
 * @fmt: format of a word; a blank is added
 */
void mock_log(struct mock *mock, const char *fmt, ...)
{
	size_t len = strlen(mock->log);
	va_list args;

	va_start(args, fmt);
	len += vscnprintf(mock->log + len, sizeof(mock->log) - len, fmt, args);
	va_end(args);
	scnprintf(mock->log + len, sizeof(mock->log) - len, " ");
}

/**
 * mock_take_log() - read the log and begin a new one
 * @mock: parent
 *
 * Return: words that were logged since the last call, each followed by a blank;
 *	valid until the next call.
 */
const char *mock_take_log(struct mock *mock)
{
	strscpy(mock->taken, mock->log);
	mock->log[0] = '\0';
	return mock->taken;
}

/**
 * mock_vq() - find a queue
 * @mock: parent
 * @idx: index of the queue; the test fails if there is none
 *
 * Return: the queue.
 */
struct mock_vq *mock_vq(struct mock *mock, u16 idx)
{
	KUNIT_EXPECT_LT(mock->test, (u32)idx, mock->nvqs);
	return &mock->vq[idx % MOCK_VQS];
}

/* a queue that may be set up, because it is not running */
static struct mock_vq *mock_stopped_vq(struct mock *mock, u16 idx)
{
	struct mock_vq *vq = mock_vq(mock, idx);

	KUNIT_EXPECT_FALSE_MSG(mock->test, vq->ready, "queue %u runs", idx);
	return vq;
}

static void mock_notify(const struct vdpa_callback *cb)
{
	if (cb->callback)
		cb->callback(cb->private);
}

static int mock_set_vq_address(struct vdpa_device *vdev, u16 idx, u64 desc,
			       u64 driver, u64 device)
{
	struct mock *mock = to_mock(vdev);
	struct mock_vq *vq = mock_stopped_vq(mock, idx);

	mock_log(mock, "addr%u", idx);
	if (mock->fault.vq == idx && mock->fault.address)
		return mock->fault.address;
	vq->desc = desc;
	vq->driver = driver;
	vq->device = device;
	return 0;
}

static void mock_set_vq_num(struct vdpa_device *vdev, u16 idx, u32 num)
{
	struct mock *mock = to_mock(vdev);

	mock_log(mock, "num%u", idx);
	mock_stopped_vq(mock, idx)->num = num;
}

static void mock_kick_vq(struct vdpa_device *vdev, u16 idx)
{
	mock_vq(to_mock(vdev), idx)->kicks++;
}

static void mock_set_vq_cb(struct vdpa_device *vdev, u16 idx,
			   struct vdpa_callback *cb)
{
	struct mock *mock = to_mock(vdev);
	struct mock_vq *vq = mock_vq(mock, idx);

	mock_log(mock, cb->callback ? "cb%u" : "nocb%u", idx);
	if (mock->late)
		mock_notify(&vq->cb);
	vq->cb = *cb;
}

static void mock_set_vq_ready(struct vdpa_device *vdev, u16 idx, bool ready)
{
	struct mock *mock = to_mock(vdev);
	struct mock_vq *vq = mock_vq(mock, idx);

	mock_log(mock, ready ? "start%u" : "stop%u", idx);
	if (mock->late && !ready)
		mock_notify(&vq->cb);
	vq->ready = ready;
}

static bool mock_get_vq_ready(struct vdpa_device *vdev, u16 idx)
{
	struct mock *mock = to_mock(vdev);

	return mock_vq(mock, idx)->ready ||
	       (mock->fault.ready && mock->fault.vq == idx);
}

static int mock_set_vq_state(struct vdpa_device *vdev, u16 idx,
			     const struct vdpa_vq_state *state)
{
	struct mock *mock = to_mock(vdev);
	struct mock_vq *vq = mock_stopped_vq(mock, idx);

	mock_log(mock, "state%u", idx);
	if (mock->fault.vq == idx && mock->fault.state)
		return mock->fault.state;
	vq->state = *state;
	return 0;
}

static int mock_get_vq_state(struct vdpa_device *vdev, u16 idx,
			     struct vdpa_vq_state *state)
{
	*state = mock_vq(to_mock(vdev), idx)->state;
	return 0;
}

static u32 mock_get_vq_align(struct vdpa_device *vdev)
{
	return to_mock(vdev)->align;
}

static u64 mock_get_device_features(struct vdpa_device *vdev)
{
	return to_mock(vdev)->features;
}

static int mock_set_driver_features(struct vdpa_device *vdev, u64 features)
{
	struct mock *mock = to_mock(vdev);

	lockdep_assert_held_write(&vdev->cf_lock);
	mock_log(mock, "features");
	if (mock->features_err)
		return mock->features_err;
	KUNIT_EXPECT_EQ(mock->test, 0, features & ~mock->features);
	mock->driver_features = features;
	return 0;
}

static u64 mock_get_driver_features(struct vdpa_device *vdev)
{
	return to_mock(vdev)->driver_features;
}

static void mock_set_config_cb(struct vdpa_device *vdev,
			       struct vdpa_callback *cb)
{
	struct mock *mock = to_mock(vdev);

	mock_log(mock, cb->callback ? "config" : "noconfig");
	if (mock->late)
		mock_notify(&mock->config_cb);
	mock->config_cb = *cb;
}

static u16 mock_get_vq_num_max(struct vdpa_device *vdev)
{
	return to_mock(vdev)->num_max;
}

static u32 mock_get_device_id(struct vdpa_device *vdev)
{
	return to_mock(vdev)->device_id;
}

static u32 mock_get_vendor_id(struct vdpa_device *vdev)
{
	return 0x1234;
}

static u8 mock_get_status(struct vdpa_device *vdev)
{
	return to_mock(vdev)->status;
}

static void mock_set_status(struct vdpa_device *vdev, u8 status)
{
	struct mock *mock = to_mock(vdev);

	lockdep_assert_held_write(&vdev->cf_lock);
	KUNIT_EXPECT_NE(mock->test, 0, status);
	mock->status = status;
}

static int mock_reset(struct vdpa_device *vdev)
{
	struct mock *mock = to_mock(vdev);

	lockdep_assert_held_write(&vdev->cf_lock);
	mock_log(mock, "reset");
	if (mock->reset_err)
		return mock->reset_err;
	mock->status = 0;
	mock->driver_features = 0;
	memset(&mock->config_cb, 0, sizeof(mock->config_cb));
	memset(mock->vq, 0, sizeof(mock->vq));
	return 0;
}

static size_t mock_get_config_size(struct vdpa_device *vdev)
{
	return MOCK_CONFIG;
}

static void mock_get_config(struct vdpa_device *vdev, unsigned int offset,
			    void *buf, unsigned int len)
{
	struct mock *mock = to_mock(vdev);

	lockdep_assert_held_read(&vdev->cf_lock);
	mock_log(mock, "get");
	memcpy(buf, mock->config + offset, len);
}

static void mock_set_config(struct vdpa_device *vdev, unsigned int offset,
			    const void *buf, unsigned int len)
{
	struct mock *mock = to_mock(vdev);

	lockdep_assert_held_write(&vdev->cf_lock);
	mock_log(mock, "set");
	memcpy(mock->config + offset, buf, len);
}

static void mock_free(struct vdpa_device *vdev)
{
	struct mock *mock = to_mock(vdev);

	mock_log(mock, "free");
	KUNIT_EXPECT_PTR_EQ(mock->test, vdev, mock->vdev);
	mock->vdev = NULL;
}

static const struct vdpa_config_ops mock_ops = {
	.set_vq_address = mock_set_vq_address,
	.set_vq_num = mock_set_vq_num,
	.kick_vq = mock_kick_vq,
	.set_vq_cb = mock_set_vq_cb,
	.set_vq_ready = mock_set_vq_ready,
	.get_vq_ready = mock_get_vq_ready,
	.set_vq_state = mock_set_vq_state,
	.get_vq_state = mock_get_vq_state,
	.get_vq_align = mock_get_vq_align,
	.get_device_features = mock_get_device_features,
	.set_driver_features = mock_set_driver_features,
	.get_driver_features = mock_get_driver_features,
	.set_config_cb = mock_set_config_cb,
	.get_vq_num_max = mock_get_vq_num_max,
	.get_device_id = mock_get_device_id,
	.get_vendor_id = mock_get_vendor_id,
	.get_status = mock_get_status,
	.set_status = mock_set_status,
	.reset = mock_reset,
	.get_config_size = mock_get_config_size,
	.get_config = mock_get_config,
	.set_config = mock_set_config,
	.free = mock_free,
};

/**
 * mock_new() - make a parent
 * @test: test that it lives for
 *
 * Its device, when there will be one, has three queues and is driven by nobody.
 *
 * Return: the parent.
 */
struct mock *mock_new(struct kunit *test)
{
	struct mock *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->test = test;
	mock->ops = mock_ops;
	mock->bound_to = MOCK_NO_DRIVER;
	mock->nvqs = 3;
	mock->device_id = 0x7dad;
	mock->num_max = 16;
	mock->align = 64;
	return mock;
}

/**
 * mock_alloc() - allocate a parent's device
 * @mock: parent that has none
 * @use_va: maps carry virtual addresses
 *
 * Return: the device with a reference, or ERR_PTR.
 */
struct vdpa_device *mock_alloc(struct mock *mock, bool use_va)
{
	struct mock_dev *dev;

	dev = vdpa_alloc_device(struct mock_dev, vdev, NULL, &mock->ops, 1, 1,
				mock->name, use_va);
	if (IS_ERR(dev))
		return ERR_CAST(dev);

	dev->mock = mock;
	mock->vdev = &dev->vdev;
	dev->vdev.dma_dev = &dev->vdev.dev;
	dev->vdev.mdev = mock->mdev;
	if (mock->bound_to &&
	    device_set_driver_override(&dev->vdev.dev, mock->bound_to))
		KUNIT_FAIL(mock->test, "driver_override");
	return &dev->vdev;
}

static void mock_unregister_action(void *data)
{
	struct mock *mock = data;

	vdpa_unregister_device(mock->vdev);
}

/**
 * mock_register() - put a parent's device on the bus
 * @mock: parent that has no device
 *
 * It is taken off again when the test ends.
 *
 * Return: 0, or why allocation or registration failed; then there is no device.
 */
int mock_register(struct mock *mock)
{
	struct vdpa_device *vdev = mock_alloc(mock, mock->use_va);
	int err;

	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	err = vdpa_register_device(vdev, mock->nvqs);
	if (err) {
		put_device(&vdev->dev);
		return err;
	}
	return kunit_add_action_or_reset(mock->test, mock_unregister_action,
					 mock);
}

/**
 * mock_unregister() - take a parent's device off the bus before the test ends
 * @mock: parent whose device mock_register() put there
 */
void mock_unregister(struct mock *mock)
{
	kunit_release_action(mock->test, mock_unregister_action, mock);
}

/**
 * mock_gone() - was the memory of a parent's device freed
 * @mock: parent
 *
 * Return: true when it has none.
 */
bool mock_gone(const struct mock *mock)
{
	return !mock->vdev;
}
