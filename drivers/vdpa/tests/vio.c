// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mod_devicetable.h>
#include <uapi/linux/virtio_config.h>

#include "vio.h"

/* the virtio core gives a driver nothing of its own, and one test runs at a time */
static struct vio *vio_current;

static void vio_used(struct virtqueue *vq)
{
	vio_current->used[vq->index]++;
}

static int vio_probe(struct virtio_device *vdev)
{
	struct vio *vio = vio_current;
	int err;

	vio->probes++;
	vio->vdev = vdev;
	err = vio_find_vqs(vio);
	if (err)
		vio->vdev = NULL;
	return err;
}

static void vio_remove(struct virtio_device *vdev)
{
	unsigned int i;

	for (i = 0; i < vio_current->n; i++)
		if (vio_current->vqs[i])
			vio_current->broken |= virtqueue_is_broken(vio_current->vqs[i]);
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
	vio_current->vdev = NULL;
}

#ifdef CONFIG_PM_SLEEP
static int vio_freeze(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
	return 0;
}

static int vio_restore(struct virtio_device *vdev)
{
	return vio_find_vqs(vio_current);
}
#endif

static void vio_config_changed(struct virtio_device *vdev)
{
	vio_current->config_changes++;
}

static const struct virtio_device_id vio_ids[] = {
	{ 0x7dad, VIRTIO_DEV_ANY_ID },
	{}
};

static struct virtio_driver vio_driver = {
	.driver.name = "vdpa_kunit_virtio",
	.id_table = vio_ids,
	.probe = vio_probe,
	.remove = vio_remove,
	.config_changed = vio_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = vio_freeze,
	.restore = vio_restore,
#endif
};

KUNIT_DEFINE_ACTION_WRAPPER(unregister_action, unregister_virtio_driver,
			    struct virtio_driver *);

/**
 * vio_init() - prepare a test
 * @test: test; its priv becomes the struct vio
 *
 * Return: 0.
 */
int vio_init(struct kunit *test)
{
	static const char *const names[MOCK_VQS] = {
		"zero", "one", "two", "three", "four", "five", "six", "seven",
	};
	struct vio *vio = kunit_kzalloc(test, sizeof(*vio), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, vio);
	vio->mock = mock_new(test);
	vio->mock->bound_to = "virtio_vdpa";
	vio->mock->features = BIT_ULL(VIRTIO_F_VERSION_1) |
			      BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	vio->n = vio->mock->nvqs;
	for (i = 0; i < MOCK_VQS; i++) {
		vio->info[i].name = names[i];
		vio->info[i].callback = vio_used;
	}

	vio_current = vio;
	KUNIT_ASSERT_EQ(test, 0, register_virtio_driver(&vio_driver));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, unregister_action,
						  &vio_driver));
	test->priv = vio;
	return 0;
}

/**
 * vio_start() - put the parent's device on the bus, where the driver finds it
 * @vio: driver; sees to its own errors
 */
void vio_start(struct vio *vio)
{
	KUNIT_ASSERT_EQ(vio->mock->test, 0, mock_register(vio->mock));
}

/**
 * vio_find_vqs() - ask for the queues
 * @vio: driver that drives a device and has none
 *
 * Return: 0 or -errno.
 */
int vio_find_vqs(struct vio *vio)
{
	vio->err = virtio_find_vqs(vio->vdev, vio->n, vio->vqs, vio->info,
				   vio->affinity);
	return vio->err;
}

/**
 * vio_expect_idle() - expect that nothing was left with the parent
 * @vio: driver that has no queues
 */
void vio_expect_idle(struct vio *vio)
{
	struct mock *mock = vio->mock;
	unsigned int i;

	KUNIT_EXPECT_NULL(mock->test, mock->config_cb.callback);
	for (i = 0; i < MOCK_VQS; i++) {
		KUNIT_EXPECT_FALSE_MSG(mock->test, mock->vq[i].ready,
				       "queue %u", i);
		KUNIT_EXPECT_NULL_MSG(mock->test, mock->vq[i].cb.callback,
				      "queue %u", i);
	}
}
