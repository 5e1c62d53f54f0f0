/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio driver that asks virtio_vdpa for the queues it is told to ask for, on top
 * of a mock parent.
 */
#ifndef _VDPA_TESTS_VIO_H
#define _VDPA_TESTS_VIO_H

#include <linux/interrupt.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "mock.h"

/**
 * struct vio - a virtio driver and its one device
 * @mock: parent of the device, still without one
 * @vdev: the device, while the driver drives it
 * @n: length of @info and @vqs; to begin with one for each queue of the parent
 * @info: what to ask for; to begin with every queue has a name and a callback
 * @affinity: how to spread the queues, or NULL
 * @vqs: what came
 * @err: what find_vqs returned last
 * @probes: times the driver was offered a device
 * @used: callbacks of each queue
 * @broken: a queue was broken when the driver was removed
 * @config_changes: configuration changes that were heard of
 */
struct vio {
	struct mock *mock;
	struct virtio_device *vdev;
	unsigned int n;
	struct virtqueue_info info[MOCK_VQS];
	struct irq_affinity *affinity;
	struct virtqueue *vqs[MOCK_VQS];
	int err;
	unsigned int probes;
	unsigned int used[MOCK_VQS];
	bool broken;
	unsigned int config_changes;
};

int vio_init(struct kunit *test);
void vio_start(struct vio *vio);
int vio_find_vqs(struct vio *vio);
void vio_expect_idle(struct vio *vio);

#endif /* _VDPA_TESTS_VIO_H */
