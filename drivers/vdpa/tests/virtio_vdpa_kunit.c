// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio_vdpa: how a device comes up and goes down, and what its queues look like.
 */
#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/string.h>
#include <uapi/linux/virtio_config.h>

#include "vio.h"

/* what a parent sees when a queue comes, and when it goes */
#define UP(i)	"cb" #i " num" #i " addr" #i " state" #i " start" #i " "
#define DOWN(i)	"stop" #i " nocb" #i " "

#define BEGIN	"reset features "

static void virtio_up_and_down(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_STREQ(test, BEGIN UP(0) UP(1) UP(2) "config ",
			   mock_take_log(mock));
	KUNIT_EXPECT_TRUE(test, mock->status & VIRTIO_CONFIG_S_DRIVER_OK);

	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "reset noconfig " DOWN(0) DOWN(1) DOWN(2) "reset free ",
			   mock_take_log(mock));
	vio_expect_idle(vio);
}

static void virtio_identity(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_EQ(test, 0x7dad, vio->vdev->id.device);
	KUNIT_EXPECT_EQ(test, 0x1234, vio->vdev->id.vendor);
	KUNIT_EXPECT_PTR_EQ(test, vio->mock->vdev->dma_dev,
			    vio->vdev->dev.parent);
	KUNIT_EXPECT_STREQ(test, dev_name(&vio->mock->vdev->dev),
			   virtio_bus_name(vio->vdev));
}

static void virtio_no_identity(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->device_id = 0;
	vio_start(vio);
	KUNIT_EXPECT_NULL(test, vio->mock->vdev->dev.driver);
	KUNIT_EXPECT_STREQ(test, "", mock_take_log(vio->mock));
}

static u32 some_generation(struct vdpa_device *vdev)
{
	return 7;
}

static void virtio_config_space(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct virtio_device *vdev;
	u8 buf[4];

	memcpy(vio->mock->config, "abcdefgh", 8);
	vio_start(vio);
	vdev = vio->vdev;
	KUNIT_ASSERT_NOT_NULL(test, vdev);

	vdev->config->get(vdev, 2, buf, 4);
	KUNIT_EXPECT_MEMEQ(test, "cdef", buf, 4);
	vdev->config->set(vdev, 6, "GH", 2);
	KUNIT_EXPECT_MEMEQ(test, "abcdefGH", vio->mock->config, 8);
	vdev->config->get(vdev, MOCK_CONFIG - 1, buf, 4);
	KUNIT_EXPECT_MEMEQ(test, "\0\0\0\0", buf, 4);

	KUNIT_EXPECT_EQ(test, 0, vdev->config->generation(vdev));
	vio->mock->ops.get_generation = some_generation;
	KUNIT_EXPECT_EQ(test, 7, vdev->config->generation(vdev));
}

/* A device that does not agree is left alone, and as it was when it was new. */
static void virtio_features_refused(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;

	mock->features_err = -EINVAL;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, 0, vio->probes);
	KUNIT_EXPECT_TRUE(test, mock->status & VIRTIO_CONFIG_S_FAILED);
	KUNIT_EXPECT_NOT_NULL(test, mock->vdev->dev.driver);

	device_release_driver(&mock->vdev->dev);
	KUNIT_EXPECT_EQ(test, 0, mock->status);
	KUNIT_EXPECT_FALSE(test, mock->vdev->features_valid);
}

/* The next driver finds the device as if it were the first. */
static void virtio_given_back(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	device_release_driver(&mock->vdev->dev);
	KUNIT_EXPECT_EQ(test, 0, mock->status);
	KUNIT_EXPECT_EQ(test, 0, mock->driver_features);
	KUNIT_EXPECT_FALSE(test, mock->vdev->features_valid);
	vio_expect_idle(vio);

	KUNIT_EXPECT_EQ(test, 1, device_attach(&mock->vdev->dev));
	KUNIT_EXPECT_EQ(test, 2, vio->probes);
	KUNIT_EXPECT_EQ(test, 0, vio->err);
}

/* Who still holds the virtio device may look at it after the vDPA device went. */
static void virtio_outlived(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct virtio_device *vdev;

	vio_start(vio);
	vdev = vio->vdev;
	KUNIT_ASSERT_NOT_NULL(test, vdev);
	get_device(&vdev->dev);
	mock_unregister(vio->mock);
	KUNIT_EXPECT_EQ(test, 0x7dad, vdev->id.device);
	put_device(&vdev->dev);
}

/* A device that cannot answer any more does not keep its driver waiting while it goes. */
static void virtio_removed_broken(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	vio->mock->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	mock_unregister(vio->mock);
	KUNIT_EXPECT_TRUE(test, vio->broken);
}

static void virtio_removed_sound(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	mock_unregister(vio->mock);
	KUNIT_EXPECT_FALSE(test, vio->broken);
}

#ifdef CONFIG_PM_SLEEP
/* Asleep nothing is left in the device; awake it is set up as the first time. */
static void virtio_sleeps(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;
	const struct dev_pm_ops *pm;
	struct device *dev;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	mock_take_log(mock);
	pm = mock->vdev->dev.driver->pm;
	dev = &mock->vdev->dev;

	KUNIT_EXPECT_EQ(test, 0, pm->suspend(dev));
	KUNIT_EXPECT_STREQ(test, "reset noconfig " DOWN(0) DOWN(1) DOWN(2), mock_take_log(mock));
	KUNIT_EXPECT_EQ(test, 0, mock->status);
	vio_expect_idle(vio);

	KUNIT_EXPECT_EQ(test, 0, pm->resume(dev));
	KUNIT_EXPECT_STREQ(test, "reset features " UP(0) UP(1) UP(2) "config ",
			   mock_take_log(mock));
	KUNIT_EXPECT_TRUE(test, mock->status & VIRTIO_CONFIG_S_DRIVER_OK);
}
#endif

/* Queues that the driver has no use for do not count. */
static void virtio_names_with_holes(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->n = 6;
	vio->info[0].name = NULL;
	vio->info[2].name = NULL;
	vio->info[5].name = NULL;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);

	KUNIT_EXPECT_NULL(test, vio->vqs[0]);
	KUNIT_EXPECT_EQ(test, 0, vio->vqs[1]->index);
	KUNIT_EXPECT_STREQ(test, "one", vio->vqs[1]->name);
	KUNIT_EXPECT_NULL(test, vio->vqs[2]);
	KUNIT_EXPECT_EQ(test, 1, vio->vqs[3]->index);
	KUNIT_EXPECT_EQ(test, 2, vio->vqs[4]->index);
	KUNIT_EXPECT_NULL(test, vio->vqs[5]);
}

static void virtio_no_names(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct irq_affinity affinity = {};

	vio->n = 1;
	vio->info[0].name = NULL;
	vio->affinity = &affinity;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, 0, vio->err);
	KUNIT_EXPECT_NULL(test, vio->vqs[0]);
	KUNIT_EXPECT_STREQ(test, "reset features config ",
			   mock_take_log(vio->mock));
}

struct failure {
	const char *desc;
	struct mock_fault fault;
	int err;
	const char *log;
};

static const struct failure failures[] = {
	{ "address refused", { .vq = 1, .address = -EINVAL }, -EINVAL,
	  BEGIN UP(0) "cb1 num1 addr1 " DOWN(1) "noconfig " DOWN(0) },
	{ "state refused", { .vq = 1, .state = -EIO }, -EIO,
	  BEGIN UP(0) "cb1 num1 addr1 state1 " DOWN(1) "noconfig " DOWN(0) },
	{ "runs already", { .vq = 1, .ready = true }, -ENOENT,
	  BEGIN UP(0) "noconfig " DOWN(0) },
	{ "first one runs", { .vq = 0, .ready = true }, -ENOENT,
	  BEGIN "noconfig " },
};

KUNIT_ARRAY_PARAM_DESC(failure, failures, desc);

/* When one queue cannot be had, those before it are given back. */
static void virtio_queue_refused(struct kunit *test)
{
	const struct failure *failure = test->param_value;
	struct vio *vio = test->priv;

	vio->mock->fault = failure->fault;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, 1, vio->probes);
	KUNIT_EXPECT_EQ(test, failure->err, vio->err);
	KUNIT_EXPECT_NULL(test, vio->vdev);
	KUNIT_EXPECT_STREQ(test, failure->log, mock_take_log(vio->mock));
	vio_expect_idle(vio);
}

/* A parent whose rings always start at 0 need not be able to say where. */
static void virtio_queue_without_state(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->fault = (struct mock_fault) { .vq = 1, .state = -EOPNOTSUPP };
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, 0, vio->err);
	KUNIT_EXPECT_TRUE(test, vio->mock->vq[1].ready);
}

static void virtio_too_many_queues(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->n = vio->mock->nvqs + 1;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, -ENOENT, vio->err);
	vio_expect_idle(vio);
}

static u16 size_by_index(struct vdpa_device *vdev, u16 idx)
{
	return 4 << idx;
}

static u16 no_size(struct vdpa_device *vdev, u16 idx)
{
	return idx == 1 ? 0 : 4;
}

static u16 min_16(struct vdpa_device *vdev)
{
	return 16;
}

static void virtio_queue_sizes(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;
	unsigned int i;

	mock->ops.get_vq_size = size_by_index;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 4 << i, mock->vq[i].num);
		KUNIT_EXPECT_EQ(test, 4 << i,
				virtqueue_get_vring_size(vio->vqs[i]));
		KUNIT_EXPECT_EQ(test, 4 << i, vio->vqs[i]->num_max);
	}
}

static void virtio_queue_without_size(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->ops.get_vq_size = no_size;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, -ENOENT, vio->err);
	vio_expect_idle(vio);
}

static void virtio_queue_fixed_size(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->ops.get_vq_num_min = min_16;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, 0, vio->err);
	KUNIT_EXPECT_EQ(test, 16, vio->mock->vq[0].num);
}

static void virtio_queue_align(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock_vq *vq = &vio->mock->vq[0];

	vio->mock->align = PAGE_SIZE;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_EQ(test, 0, vq->desc % PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, vq->device % PAGE_SIZE);
	KUNIT_EXPECT_GT(test, vq->driver, vq->desc);
	KUNIT_EXPECT_GT(test, vq->device, vq->driver);
}

static void virtio_queue_state_split(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->vq[0].state.split.avail_index = 3;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_EQ(test, 0, vio->mock->vq[0].state.split.avail_index);
}

static void virtio_queue_state_packed(struct kunit *test)
{
	const struct vdpa_vq_state_packed start = {
		.last_avail_counter = 1,
		.last_used_counter = 1,
	};
	struct vio *vio = test->priv;

	vio->mock->features |= BIT_ULL(VIRTIO_F_RING_PACKED);
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_MEMEQ(test, &start, &vio->mock->vq[1].state.packed,
			   sizeof(start));
}

/* the second queue's own DMA device, if it has one */
static struct device *own_dma_dev;

static struct device *second_differs(struct vdpa_device *vdev, u16 idx)
{
	return idx == 1 ? own_dma_dev : vdev->dma_dev;
}

static void virtio_queue_dma_dev(struct kunit *test)
{
	struct vio *vio = test->priv;

	own_dma_dev = kunit_device_register(test, "vdpa_kunit_dma");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, own_dma_dev);
	KUNIT_ASSERT_EQ(test, 0,
			dma_coerce_mask_and_coherent(own_dma_dev,
						     DMA_BIT_MASK(64)));
	vio->mock->ops.get_vq_dma_dev = second_differs;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_PTR_EQ(test, vio->mock->vdev->dma_dev,
			    virtqueue_dma_dev(vio->vqs[0]));
	KUNIT_EXPECT_PTR_EQ(test, own_dma_dev, virtqueue_dma_dev(vio->vqs[1]));

	/* the rings were made for that device, so they go before it does */
	mock_unregister(vio->mock);
}

static void virtio_queue_without_dma_dev(struct kunit *test)
{
	struct vio *vio = test->priv;

	own_dma_dev = NULL;
	vio->mock->ops.get_vq_dma_dev = second_differs;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, -EINVAL, vio->err);
	vio_expect_idle(vio);
}

static struct kunit_case virtio_cases[] = {
	KUNIT_CASE(virtio_up_and_down),
	KUNIT_CASE(virtio_identity),
	KUNIT_CASE(virtio_no_identity),
	KUNIT_CASE(virtio_config_space),
	KUNIT_CASE(virtio_features_refused),
	KUNIT_CASE(virtio_given_back),
	KUNIT_CASE(virtio_outlived),
	KUNIT_CASE(virtio_removed_broken),
	KUNIT_CASE(virtio_removed_sound),
#ifdef CONFIG_PM_SLEEP
	KUNIT_CASE(virtio_sleeps),
#endif
	KUNIT_CASE(virtio_names_with_holes),
	KUNIT_CASE(virtio_no_names),
	KUNIT_CASE_PARAM(virtio_queue_refused, failure_gen_params),
	KUNIT_CASE(virtio_queue_without_state),
	KUNIT_CASE(virtio_too_many_queues),
	KUNIT_CASE(virtio_queue_sizes),
	KUNIT_CASE(virtio_queue_without_size),
	KUNIT_CASE(virtio_queue_fixed_size),
	KUNIT_CASE(virtio_queue_align),
	KUNIT_CASE(virtio_queue_state_split),
	KUNIT_CASE(virtio_queue_state_packed),
	KUNIT_CASE(virtio_queue_dma_dev),
	KUNIT_CASE(virtio_queue_without_dma_dev),
	{}
};

static struct kunit_suite virtio_suite = {
	.name = "virtio_vdpa",
	.init = vio_init,
	.test_cases = virtio_cases,
};

kunit_test_suite(virtio_suite);
