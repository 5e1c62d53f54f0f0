// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_vdpa: interrupts.
 *
 * With MSI-X the first vector tells of configuration changes and the others are dealt out
 * to the queues; when there are fewer than queues, some share. A function without MSI-X
 * raises its pin, and its ISR register tells why (section 4.1.4.5). Vectors are reserved
 * when the device is created; handlers are there while it runs, for queues that are ready.
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <trace/events/vdpa.h>
#include "vp_vdpa.h"

/**
 * vp_tell_driver() - call back
 * @lock: protects @cb
 * @cb: whom to call; the callback may be NULL
 *
 * Context: Any.
 */
void vp_tell_driver(spinlock_t *lock, const struct vdpa_callback *cb)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	if (cb->trigger)
		eventfd_signal(cb->trigger);
	else if (cb->callback)
		cb->callback(cb->private);
	spin_unlock_irqrestore(lock, flags);
}

static void vp_queue_notify(struct vp_queue *queue)
{
	/* the bus driver is not called then, who would say so */
	if (trace_vdpa_interrupt_enabled() && queue->cb.trigger)
		trace_vdpa_interrupt(&queue->vp->vdpa, queue->index);
	vp_tell_driver(&queue->cb_lock, &queue->cb);
}

/* The vector of a queue; 0 is not one. */
static unsigned int vp_vector_of(const struct vp_queue *queue)
{
	return 1 + queue->index % (queue->vp->nr_used - 1);
}

static irqreturn_t vp_queues_irq(int irq, void *data)
{
	struct vp_vector *vector = data;
	struct vp_vdpa *vp = vector->vp;
	unsigned int i;

	for (i = vector->index - 1; i < vp->fn->nvqs; i += vp->nr_used - 1)
		vp_queue_notify(&vp->queues[i]);
	return IRQ_HANDLED;
}

static irqreturn_t vp_config_irq(int irq, void *data)
{
	struct vp_vector *vector = data;
	struct vp_vdpa *vp = vector->vp;

	vp_tell_driver(&vp->config_lock, &vp->config_cb);
	return IRQ_HANDLED;
}

static irqreturn_t vp_pin_irq(int irq, void *data)
{
	struct vp_vector *vector = data;
	struct vp_vdpa *vp = vector->vp;
	unsigned int i;
	u8 isr;

	/* reading it takes the interrupt back; a function that is gone raises none */
	isr = ioread8(vp->fn->pci.isr);
	if (!isr || isr == VP_STATUS_GONE)
		return IRQ_NONE;

	if (isr & VIRTIO_PCI_ISR_CONFIG)
		vp_config_irq(irq, data);
	for (i = 0; i < vp->fn->nvqs; i++)
		vp_queue_notify(&vp->queues[i]);
	return IRQ_HANDLED;
}

/**
 * vp_vectors_alloc() - reserve interrupts
 * @vp: device
 * @extack: for why there are none
 *
 * Context: Process context.
 * Return: 0, -ENOMEM, or -ENOSPC when there are neither two MSI-X vectors nor a pin.
 */
int vp_vectors_alloc(struct vp_vdpa *vp, struct netlink_ext_ack *extack)
{
	struct pci_dev *pdev = vp->fn->pci.pci_dev;
	unsigned int i;
	int nr;

	nr = pci_alloc_irq_vectors(pdev, 2, vp->fn->nvqs + 1, PCI_IRQ_MSIX);
	vp->msix = nr > 0;
	if (!vp->msix)
		nr = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_INTX);
	if (nr < 0) {
		NL_SET_ERR_MSG(extack, "the function has no interrupts left");
		return -ENOSPC;
	}

	vp->vectors = kcalloc(nr, sizeof(*vp->vectors), GFP_KERNEL);
	if (!vp->vectors) {
		pci_free_irq_vectors(pdev);
		return -ENOMEM;
	}
	vp->nr_vectors = nr;
	vp->nr_used = nr;
	for (i = 0; i < nr; i++) {
		vp->vectors[i].vp = vp;
		vp->vectors[i].index = i;
	}
	if (vp->msix && nr <= vp->fn->nvqs)
		dev_info(vp_dev(vp->fn), "%u virtqueues share %u vectors\n", vp->fn->nvqs,
			 nr - 1);
	return 0;
}

/**
 * vp_vectors_free() - undo vp_vectors_alloc()
 * @vp: device whose vectors are stopped
 */
void vp_vectors_free(struct vp_vdpa *vp)
{
	pci_free_irq_vectors(vp->fn->pci.pci_dev);
	kfree(vp->vectors);
	vp->vectors = NULL;
}

static int vp_vector_request(struct vp_vector *vector, irq_handler_t handler)
{
	struct vp_function *fn = vector->vp->fn;
	int err;

	lockdep_assert_held(&fn->lock);

	if (vector->requested)
		return 0;
	err = pci_request_irq(fn->pci.pci_dev, vector->index, handler, NULL, vector,
			      "vp-vdpa[%s]-%u", pci_name(fn->pci.pci_dev), vector->index);
	vector->requested = !err;
	return err;
}

/**
 * vp_queue_vector_start() - have a queue's interrupts handled
 * @queue: queue that is not enabled
 *
 * Context: Process context, @fn->lock held, in DRIVER_OK or on the way there.
 * Return: 0; -EBUSY when the function does not take the vector; or what requesting the
 *	interrupt returned.
 */
int vp_queue_vector_start(struct vp_queue *queue)
{
	struct vp_vdpa *vp = queue->vp;
	unsigned int vector;
	int err;

	lockdep_assert_held(&vp->fn->lock);

	if (!vp->msix)
		return 0;
	vector = vp_vector_of(queue);
	err = vp_vector_request(&vp->vectors[vector], vp_queues_irq);
	if (err)
		return err;
	if (vp_modern_queue_vector(&vp->fn->pci, queue->index, vector) != vector)
		return -EBUSY;
	vp_queue_apply_affinity(queue);
	return 0;
}

static int vp_vectors_try(struct vp_vdpa *vp)
{
	unsigned int i;
	int err;

	err = vp_vector_request(&vp->vectors[0], vp->msix ? vp_config_irq : vp_pin_irq);
	if (!err && vp->msix && vp_modern_config_vector(&vp->fn->pci, 0) != 0)
		err = -EBUSY;
	for (i = 0; i < vp->fn->nvqs && !err; i++)
		if (vp->queues[i].ready)
			err = vp_queue_vector_start(&vp->queues[i]);
	return err;
}

/**
 * vp_vectors_start() - have the interrupts of all ready queues handled
 * @vp: device of which no queue is enabled
 *
 * When the machine or the function does not give as many as there are, all queues share
 * one.
 *
 * Context: Process context, @fn->lock held.
 * Return: 0; or -errno, and no interrupt is handled.
 */
int vp_vectors_start(struct vp_vdpa *vp)
{
	int err;

	lockdep_assert_held(&vp->fn->lock);

	vp->nr_used = vp->nr_vectors;
	err = vp_vectors_try(vp);
	if (err && vp->nr_used > 2) {
		dev_info(vp_dev(vp->fn), "vectors cannot be had (%d), queues share one\n", err);
		vp_vectors_stop(vp);
		vp->nr_used = 2;
		err = vp_vectors_try(vp);
	}
	if (err)
		vp_vectors_stop(vp);
	return err;
}

/**
 * vp_vectors_stop() - on return no handler runs, nor will
 * @vp: device
 *
 * Context: Process context, @fn->lock held.
 */
void vp_vectors_stop(struct vp_vdpa *vp)
{
	struct vp_function *fn = vp->fn;
	unsigned int i;

	lockdep_assert_held(&fn->lock);

	for (i = 0; i < vp->nr_vectors; i++) {
		if (!vp->vectors[i].requested)
			continue;
		irq_set_affinity_hint(pci_irq_vector(fn->pci.pci_dev, i), NULL);
		pci_free_irq(fn->pci.pci_dev, i, &vp->vectors[i]);
		vp->vectors[i].requested = false;
	}
}

/* Does no other queue use its vector? */
static bool vp_queue_has_vector(const struct vp_queue *queue)
{
	struct vp_vdpa *vp = queue->vp;

	return vp->msix && vp->nr_used > vp->fn->nvqs &&
	       vp->vectors[vp_vector_of(queue)].requested;
}

/**
 * vp_queue_irq() - interrupt of a queue
 * @queue: queue
 *
 * Context: Process context, @fn->lock held.
 * Return: Linux interrupt number, or -EOPNOTSUPP when it has none of its own.
 */
int vp_queue_irq(const struct vp_queue *queue)
{
	lockdep_assert_held(&queue->vp->fn->lock);

	if (!vp_queue_has_vector(queue))
		return -EOPNOTSUPP;
	return pci_irq_vector(queue->vp->fn->pci.pci_dev, vp_vector_of(queue));
}

/**
 * vp_queue_apply_affinity() - have a queue's interrupt go where it shall
 * @queue: queue; one that shares its interrupt, or has no wish, is left alone
 *
 * Context: Process context, @fn->lock held.
 */
void vp_queue_apply_affinity(struct vp_queue *queue)
{
	int irq = vp_queue_irq(queue);

	if (irq >= 0 && queue->spread)
		irq_set_affinity_and_hint(irq, queue->affinity);
}
