// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifications from the device: used buffers and configuration changes become
 * signals of eventfds.
 *
 * An eventfd is let go of in three steps: it leaves the structure, so that our callback
 * does not find it; the parent is told the new one, so that it does not signal the old
 * by itself; only then the reference is dropped.
 *
 * While the device runs, a queue with an eventfd and an interrupt of its own offers the
 * interrupt to whoever consumes the eventfd, so that it can go there directly.
 */
#include <linux/eventfd.h>
#include <linux/irqbypass.h>
#include <linux/slab.h>
#include <trace/events/vdpa.h>
#include "vhost_vdpa.h"

/* @lock keeps *@ctx from being replaced, and so freed, while it is signalled. */
static irqreturn_t vhost_vdpa_signal(spinlock_t *lock, struct eventfd_ctx **ctx)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	if (*ctx)
		eventfd_signal(*ctx);
	spin_unlock_irqrestore(lock, flags);

	return IRQ_HANDLED;
}

static irqreturn_t vhost_vdpa_vq_cb(void *data)
{
	struct vhost_vdpa_vq *vq = data;

	trace_vdpa_interrupt(vq->v->vdpa, vq->index);
	return vhost_vdpa_signal(&vq->call_lock, &vq->call);
}

static irqreturn_t vhost_vdpa_config_cb(void *data)
{
	struct vhost_vdpa *v = data;

	return vhost_vdpa_signal(&v->config_lock, &v->config_ctx);
}

/* Interrupt bypass */

static void vhost_vdpa_bypass_stop(struct vhost_vdpa_vq *vq)
{
	lockdep_assert_held(&vq->v->lock);

	if (!vq->bypass)
		return;
	irq_bypass_unregister_producer(vq->bypass);
	kfree(vq->bypass);
	vq->bypass = NULL;
}

/* Without a bypass signals go through the eventfd: slower, so it may fail. */
static void vhost_vdpa_bypass_start(struct vhost_vdpa_vq *vq)
{
	struct vdpa_device *vdpa = vq->v->vdpa;
	struct irq_bypass_producer *bypass;
	int irq;

	lockdep_assert_held(&vq->v->lock);

	if (vq->bypass || !vq->call || !vdpa->config->get_vq_irq)
		return;
	irq = vdpa->config->get_vq_irq(vdpa, vq->index);
	if (irq < 0)
		return;

	bypass = kzalloc(sizeof(*bypass), GFP_KERNEL_ACCOUNT);
	if (!bypass)
		return;
	bypass->token = vq->call;
	bypass->irq = irq;
	if (irq_bypass_register_producer(bypass)) {
		kfree(bypass);
		return;
	}
	vq->bypass = bypass;
}

/**
 * vhost_vdpa_irqs_start() - offer interrupts for bypass, the device has DRIVER_OK
 * @v: device
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_irqs_start(struct vhost_vdpa *v)
{
	u32 i;

	for (i = 0; i < v->nvqs; i++)
		vhost_vdpa_bypass_start(&v->vqs[i]);
}

/**
 * vhost_vdpa_irqs_stop() - take interrupts back, the device will be reset
 * @v: device
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_irqs_stop(struct vhost_vdpa *v)
{
	u32 i;

	for (i = 0; i < v->nvqs; i++)
		vhost_vdpa_bypass_stop(&v->vqs[i]);
}

/* Eventfds */

/* Takes over the reference on @ctx, which may be NULL. */
static void vhost_vdpa_replace_call(struct vhost_vdpa_vq *vq,
				    struct eventfd_ctx *ctx)
{
	struct vdpa_device *vdpa = vq->v->vdpa;
	struct vdpa_callback cb = {
		.callback = ctx ? vhost_vdpa_vq_cb : NULL,
		.private = vq,
		.trigger = ctx,
	};

	lockdep_assert_held(&vq->v->lock);

	vhost_vdpa_bypass_stop(vq);

	spin_lock_irq(&vq->call_lock);
	swap(vq->call, ctx);
	spin_unlock_irq(&vq->call_lock);

	vdpa->config->set_vq_cb(vdpa, vq->index, &cb);
	if (ctx)
		eventfd_ctx_put(ctx);
}

/* As vhost_vdpa_replace_call(). */
static void vhost_vdpa_replace_config_call(struct vhost_vdpa *v,
					   struct eventfd_ctx *ctx)
{
	struct vdpa_callback cb = {
		.callback = ctx ? vhost_vdpa_config_cb : NULL,
		.private = v,
	};

	lockdep_assert_held(&v->lock);

	spin_lock_irq(&v->config_lock);
	swap(v->config_ctx, ctx);
	spin_unlock_irq(&v->config_lock);

	v->vdpa->config->set_config_cb(v->vdpa, &cb);
	if (ctx)
		eventfd_ctx_put(ctx);
}

/**
 * vhost_vdpa_irqs_detach() - let go of every eventfd that the device signals
 * @v: device
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_irqs_detach(struct vhost_vdpa *v)
{
	u32 i;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < v->nvqs; i++)
		if (v->vqs[i].call)
			vhost_vdpa_replace_call(&v->vqs[i], NULL);
	if (v->config_ctx)
		vhost_vdpa_replace_config_call(v, NULL);
}

static struct eventfd_ctx *vhost_vdpa_eventfd_get(int fd)
{
	return fd == VHOST_FILE_UNBIND ? NULL : eventfd_ctx_fdget(fd);
}

/**
 * vhost_vdpa_set_vring_call() - VHOST_SET_VRING_CALL
 * @v: device
 * @arg: queue and eventfd, or VHOST_FILE_UNBIND for none
 *
 * Context: Process context, v->lock held.
 * Return: 0, -EBADF, or -EINVAL for a file that is no eventfd.
 */
long vhost_vdpa_set_vring_call(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	struct eventfd_ctx *ctx = vhost_vdpa_eventfd_get(arg->file.fd);

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	vhost_vdpa_replace_call(&v->vqs[arg->file.index], ctx);
	if (vhost_vdpa_driver_ok(v))
		vhost_vdpa_bypass_start(&v->vqs[arg->file.index]);
	return 0;
}

/**
 * vhost_vdpa_set_vring_err() - VHOST_SET_VRING_ERR
 * @v: device
 * @arg: queue and eventfd, or VHOST_FILE_UNBIND for none
 *
 * A vDPA device reports errors by its status, so there is never anything to signal and
 * nothing to keep the eventfd for.
 *
 * Context: Process context, v->lock held.
 * Return: 0, -EBADF, or -EINVAL for a file that is no eventfd.
 */
long vhost_vdpa_set_vring_err(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	struct eventfd_ctx *ctx = vhost_vdpa_eventfd_get(arg->file.fd);

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

/**
 * vhost_vdpa_set_config_call() - VHOST_VDPA_SET_CONFIG_CALL
 * @v: device
 * @arg: eventfd, or VHOST_FILE_UNBIND for none
 *
 * Context: Process context, v->lock held.
 * Return: 0, -EBADF, or -EINVAL for a file that is no eventfd.
 */
long vhost_vdpa_set_config_call(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	struct eventfd_ctx *ctx = vhost_vdpa_eventfd_get(arg->fd);

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	vhost_vdpa_replace_config_call(v, ctx);
	return 0;
}
