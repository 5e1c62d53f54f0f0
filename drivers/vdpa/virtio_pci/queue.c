// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_vdpa: virtqueues (section 4.1.5.1.3).
 */
#include <linux/delay.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include "vp_vdpa.h"

/* A queue that takes longer over its reset takes the device with it. */
#define VP_QUEUE_RESET_MS 1000

/* Bytes of the capability from a queue's doorbell on. */
static resource_size_t vp_queue_doorbell_room(const struct vp_queue *queue)
{
	const struct vp_function *fn = queue->vp->fn;

	return fn->doorbells + fn->doorbells_len - queue->doorbell_pa;
}

/* Section 4.1.5.2: notification data is twice as wide as a queue's index. */
static bool vp_queue_takes_data(const struct vp_queue *queue)
{
	return IS_ALIGNED(queue->doorbell_pa, sizeof(u32)) &&
	       vp_queue_doorbell_room(queue) >= sizeof(u32);
}

static int vp_queue_init(struct vp_vdpa *vp, u16 index, struct netlink_ext_ack *extack)
{
	struct vp_queue *queue = &vp->queues[index];

	queue->vp = vp;
	queue->index = index;
	spin_lock_init(&queue->cb_lock);
	if (!zalloc_cpumask_var(&queue->affinity, GFP_KERNEL))
		return -ENOMEM;

	if (!vp->fn->sizes[index])
		return 0;
	queue->doorbell = vp_modern_map_vq_notify(&vp->fn->pci, index, &queue->doorbell_pa);
	if (!queue->doorbell) {
		NL_SET_ERR_MSG_FMT(extack, "the function has no doorbell for queue %u", index);
		return -EINVAL;
	}
	if (!vp_queue_takes_data(queue))
		vp->offered &= ~BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);
	return 0;
}

/**
 * vp_queues_init() - set up all queues
 * @vp: device that has none
 * @extack: for why it cannot be
 *
 * Context: Process context, @fn->lock held.
 * Return: 0; -ENOMEM, or -EINVAL when a doorbell is out of bounds, and vp_queues_unmap()
 *	and vp_queues_free() are still to be called.
 */
int vp_queues_init(struct vp_vdpa *vp, struct netlink_ext_ack *extack)
{
	u16 i;
	int err;

	lockdep_assert_held(&vp->fn->lock);

	vp->queues = kvcalloc(vp->fn->nvqs, sizeof(*vp->queues), GFP_KERNEL);
	if (!vp->queues)
		return -ENOMEM;
	vp->vdpa.nvqs = vp->fn->nvqs;

	for (i = 0; i < vp->fn->nvqs; i++) {
		err = vp_queue_init(vp, i, extack);
		if (err)
			return err;
	}
	vp_queues_forget(vp);
	return 0;
}

/**
 * vp_queues_unmap() - let go of the doorbells
 * @vp: device that nobody kicks
 *
 * Context: Process context.
 */
void vp_queues_unmap(struct vp_vdpa *vp)
{
	u16 i;

	/* small doorbells are mapped together, by the library and for its lifetime */
	if (!vp->queues || vp->fn->pci.notify_base)
		return;
	for (i = 0; i < vp->fn->nvqs; i++)
		if (vp->queues[i].doorbell)
			pci_iounmap(vp->fn->pci.pci_dev, vp->queues[i].doorbell);
}

/**
 * vp_queues_free() - free what vp_queues_init() allocated
 * @vp: device; its function may be gone
 */
void vp_queues_free(struct vp_vdpa *vp)
{
	u32 i;

	if (!vp->queues)
		return;
	for (i = 0; i < vp->vdpa.nvqs; i++)
		free_cpumask_var(vp->queues[i].affinity);
	kvfree(vp->queues);
}

/**
 * vp_queue_displace() - forget where a queue is, and how large
 * @queue: queue that is not enabled
 *
 * Context: Process context, @fn->lock held.
 */
void vp_queue_displace(struct vp_queue *queue)
{
	lockdep_assert_held(&queue->vp->fn->lock);

	queue->num = queue->vp->fn->sizes[queue->index];
	queue->desc = 0;
	queue->driver = 0;
	queue->device = 0;
}

/**
 * vp_queues_forget() - as after creation
 * @vp: device whose function was reset, and handles no interrupts
 *
 * Context: Process context, @fn->lock held.
 */
void vp_queues_forget(struct vp_vdpa *vp)
{
	u16 i;

	lockdep_assert_held(&vp->fn->lock);

	for (i = 0; i < vp->fn->nvqs; i++) {
		struct vp_queue *queue = &vp->queues[i];

		vp_queue_displace(queue);
		queue->ready = false;
		queue->enabled = false;
		queue->spread = false;
		scoped_guard(spinlock_irqsave, &queue->cb_lock)
			memset(&queue->cb, 0, sizeof(queue->cb));
	}
}

/* Last of all a queue is enabled: from then on the function may use its ring. */
static void vp_queue_enable(struct vp_queue *queue)
{
	struct virtio_pci_modern_device *pci = &queue->vp->fn->pci;

	lockdep_assert_held(&queue->vp->fn->lock);

	vp_modern_set_queue_size(pci, queue->index, queue->num);
	vp_modern_queue_address(pci, queue->index, queue->desc, queue->driver, queue->device);
	vp_modern_set_queue_enable(pci, queue->index, true);
	queue->enabled = true;
}

/**
 * vp_queues_start() - set up all ready queues in the function
 * @vp: device that is about to get DRIVER_OK
 *
 * Context: Process context, @fn->lock held.
 * Return: 0, or -errno when interrupts cannot be had, and nothing was set up.
 */
int vp_queues_start(struct vp_vdpa *vp)
{
	u16 i;
	int err;

	lockdep_assert_held(&vp->fn->lock);

	err = vp_vectors_start(vp);
	if (err)
		return err;
	for (i = 0; i < vp->fn->nvqs; i++)
		if (vp->queues[i].ready)
			vp_queue_enable(&vp->queues[i]);
	return 0;
}

/**
 * vp_queue_set_ready() - start or stop a queue
 * @queue: queue
 * @ready: which
 *
 * A function has no way of stopping a queue other than its reset: without
 * VIRTIO_F_RING_RESET one that was enabled comes to rest when the device is reset.
 *
 * Context: Process context, @fn->lock held.
 * Return: 0; or -errno when it cannot be started, or could not be reset.
 */
int vp_queue_set_ready(struct vp_queue *queue, bool ready)
{
	struct vp_vdpa *vp = queue->vp;
	int err = 0;

	lockdep_assert_held(&vp->fn->lock);

	if (!ready && queue->enabled && (vp->features & BIT_ULL(VIRTIO_F_RING_RESET)))
		err = vp_queue_reset(queue);
	if (ready && !queue->enabled && !vp->lost && !vp->fn->down &&
	    (vp->status & VIRTIO_CONFIG_S_DRIVER_OK)) {
		err = vp_queue_vector_start(queue);
		if (err)
			return err;
		vp_queue_enable(queue);
	}
	queue->ready = ready;
	return err;
}

static int vp_queue_await_reset(struct virtio_pci_modern_common_cfg __iomem *common)
{
	unsigned int ms;
	u16 resetting, enabled;

	for (ms = 0; ms < VP_QUEUE_RESET_MS; ms++) {
		resetting = vp_ioread16(&common->queue_reset);
		enabled = vp_ioread16(&common->cfg.queue_enable);
		if (!resetting && !enabled)
			return 0;
		if (resetting == U16_MAX && enabled == U16_MAX)
			return -ENODEV;
		usleep_range(1000, 2000);
	}
	return -ETIMEDOUT;
}

/**
 * vp_queue_reset() - reset one queue (sections 2.6.1 and 4.1.4.3)
 * @queue: queue that is enabled, of a device that negotiated VIRTIO_F_RING_RESET
 *
 * The function of one that does not come to rest is reset, so that the ring is left alone
 * in any case; its driver is told that the device needs that.
 *
 * Context: Process context, @fn->lock held.
 * Return: 0; -ENODEV when nobody answers; -ETIMEDOUT when it took the device with it.
 */
int vp_queue_reset(struct vp_queue *queue)
{
	struct virtio_pci_modern_common_cfg __iomem *common;
	struct vp_vdpa *vp = queue->vp;
	int err;

	lockdep_assert_held(&vp->fn->lock);

	if (vp->fn->down || vp->lost)
		return 0;
	/* the feature says that the structure goes on behind what is common to all */
	common = (struct virtio_pci_modern_common_cfg __iomem *)vp->fn->pci.common;
	vp_iowrite16(queue->index, &common->cfg.queue_select);
	vp_iowrite16(1, &common->queue_reset);
	err = vp_queue_await_reset(common);
	if (err == -ETIMEDOUT) {
		dev_err(vp_dev(vp->fn), "queue %u does not reset\n", queue->index);
		vp_function_reset(vp->fn);
		vp->lost = true;
		vp_tell_driver(&vp->config_lock, &vp->config_cb);
	}
	queue->enabled = false;
	return err;
}

/**
 * vp_queue_own_page() - is a queue's doorbell alone in its page
 * @queue: queue
 *
 * A process may be given such a page. The capability must have all of it, and space the
 * doorbells by whole pages.
 *
 * Return: true if so.
 */
bool vp_queue_own_page(const struct vp_queue *queue)
{
	u32 spacing = queue->vp->fn->pci.notify_offset_multiplier;

	return queue->doorbell && PAGE_ALIGNED(queue->doorbell_pa) &&
	       spacing && IS_ALIGNED(spacing, PAGE_SIZE) &&
	       vp_queue_doorbell_room(queue) >= PAGE_SIZE;
}
