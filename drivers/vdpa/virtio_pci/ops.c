// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_vdpa: the operations that bus drivers call.
 */
#include <linux/cleanup.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include "vp_vdpa.h"

/* How often configuration space may change while it is read; then it is taken as it is. */
#define VP_CONFIG_TRIES 16

/* The bus driver gives indices below nvqs; under speculation too. */
static struct vp_queue *vp_queue_of(struct vdpa_device *vdpa, u16 idx)
{
	return &vdpa_to_vp(vdpa)->queues[array_index_nospec(idx, vdpa->nvqs)];
}

static struct mutex *vp_lock(struct vdpa_device *vdpa)
{
	return &vdpa_to_vp(vdpa)->fn->lock;
}

/* Virtqueues */

static int vp_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc_area,
			     u64 driver_area, u64 device_area)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);

	guard(mutex)(vp_lock(vdpa));
	queue->desc = desc_area;
	queue->driver = driver_area;
	queue->device = device_area;
	return 0;
}

static void vp_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	guard(mutex)(vp_lock(vdpa));
	vp_queue_of(vdpa, idx)->num = num;
}

static void vp_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);

	if (likely(queue->doorbell))
		vp_iowrite16(idx, queue->doorbell);
}

/* Its lower half is the queue's index. */
static void vp_kick_vq_with_data(struct vdpa_device *vdpa, u32 data)
{
	struct vp_queue *queue;

	if ((u16)data >= vdpa->nvqs)
		return;
	queue = vp_queue_of(vdpa, (u16)data);
	if (likely(queue->doorbell))
		vp_iowrite32(data, queue->doorbell);
}

static void vp_set_vq_cb(struct vdpa_device *vdpa, u16 idx, struct vdpa_callback *cb)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);

	scoped_guard(spinlock_irqsave, &queue->cb_lock)
		queue->cb = *cb;
}

static void vp_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	int err;

	guard(mutex)(vp_lock(vdpa));
	err = vp_queue_set_ready(vp_queue_of(vdpa, idx), ready);
	if (err)
		dev_err(&vdpa->dev, "queue %u cannot be %s: %d\n", idx,
			ready ? "started" : "stopped", err);
}

static bool vp_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	guard(mutex)(vp_lock(vdpa));
	return vp_queue_of(vdpa, idx)->ready;
}

/* There is no register for where a ring begins: it is where section 2.6 and 2.7 say. */
static int vp_set_vq_state(struct vdpa_device *vdpa, u16 idx,
			   const struct vdpa_vq_state *state)
{
	const struct vdpa_vq_state_packed *packed = &state->packed;
	bool first;

	guard(mutex)(vp_lock(vdpa));
	if (vdpa_to_vp(vdpa)->features & BIT_ULL(VIRTIO_F_RING_PACKED))
		first = packed->last_avail_counter == 1 && packed->last_avail_idx == 0 &&
			packed->last_used_counter == 1 && packed->last_used_idx == 0;
	else
		first = state->split.avail_index == 0;
	return first ? 0 : -EOPNOTSUPP;
}

static int vp_get_vq_state(struct vdpa_device *vdpa, u16 idx, struct vdpa_vq_state *state)
{
	return -EOPNOTSUPP;
}

static void vp_reset_vq(struct vdpa_device *vdpa, u16 idx)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);
	int err;

	guard(mutex)(vp_lock(vdpa));
	err = vp_queue_set_ready(queue, false);
	if (err)
		dev_err(&vdpa->dev, "queue %u did not reset: %d\n", idx, err);
	vp_queue_displace(queue);
}

static struct vdpa_notification_area vp_get_vq_notification(struct vdpa_device *vdpa, u16 idx)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);

	return (struct vdpa_notification_area) {
		.addr = queue->doorbell_pa,
		.size = vp_queue_own_page(queue) ? PAGE_SIZE : 0,
	};
}

static int vp_get_vq_irq(struct vdpa_device *vdpa, u16 idx)
{
	guard(mutex)(vp_lock(vdpa));
	return vp_queue_irq(vp_queue_of(vdpa, idx));
}

static u16 vp_get_vq_size(struct vdpa_device *vdpa, u16 idx)
{
	return vdpa_to_vp(vdpa)->fn->sizes[array_index_nospec(idx, vdpa->nvqs)];
}

static u16 vp_get_vq_num_max(struct vdpa_device *vdpa)
{
	u16 i, most = 0;

	for (i = 0; i < vdpa->nvqs; i++)
		most = max(most, vdpa_to_vp(vdpa)->fn->sizes[i]);
	return most;
}

static u32 vp_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

/* Where the rings stand the function does not say, and kicks may go past us. */
static void vp_get_vq_info(struct vdpa_device *vdpa, u16 idx, struct vdpa_vq_info *info)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);

	guard(mutex)(vp_lock(vdpa));
	info->num = queue->num;
	info->ready = queue->ready;
}

static int vp_set_vq_affinity(struct vdpa_device *vdpa, u16 idx, const struct cpumask *mask)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);

	guard(mutex)(vp_lock(vdpa));
	queue->spread = mask;
	if (mask)
		cpumask_copy(queue->affinity, mask);
	vp_queue_apply_affinity(queue);
	return 0;
}

/* Read without the lock: constant but for the call above, which is the same caller's. */
static const struct cpumask *vp_get_vq_affinity(struct vdpa_device *vdpa, u16 idx)
{
	struct vp_queue *queue = vp_queue_of(vdpa, idx);

	return READ_ONCE(queue->spread) ? queue->affinity : NULL;
}

/* Features and status */

static u64 vp_get_device_features(struct vdpa_device *vdpa)
{
	return vdpa_to_vp(vdpa)->offered;
}

static int vp_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct vp_vdpa *vp = vdpa_to_vp(vdpa);
	u64 platform = vp->offered & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);

	guard(mutex)(vp_lock(vdpa));
	if (features & ~vp->offered)
		return -EINVAL;
	if (vp->fn->down || vp->lost)
		return -EIO;
	/*
	 * Its addresses are the platform's to translate (section 6.1), also where a process
	 * does not say that it knows. The kernel's own drivers always do.
	 */
	vp_modern_set_features(&vp->fn->pci, features | platform);
	vp->features = features;
	return 0;
}

static u64 vp_get_driver_features(struct vdpa_device *vdpa)
{
	guard(mutex)(vp_lock(vdpa));
	return vdpa_to_vp(vdpa)->features;
}

static u8 vp_get_status(struct vdpa_device *vdpa)
{
	struct vp_vdpa *vp = vdpa_to_vp(vdpa);
	u8 status;

	guard(mutex)(vp_lock(vdpa));
	if (vp->lost || vp->fn->down)
		return vp->status ? vp->status | VIRTIO_CONFIG_S_NEEDS_RESET : 0;
	status = vp_function_status(vp->fn);
	if (status == VP_STATUS_GONE)
		return vp->status | VIRTIO_CONFIG_S_NEEDS_RESET;
	return status;
}

/*
 * Section 6: without VIRTIO_F_ACCESS_PLATFORM addresses are physical ones, which a process
 * must not choose.
 */
static bool vp_may_run(const struct vp_vdpa *vp)
{
	return !vp->isolated || (vp->offered & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM));
}

static int vp_start(struct vp_vdpa *vp)
{
	if (!vp_may_run(vp)) {
		dev_err(&vp->vdpa.dev, "has no VIRTIO_F_ACCESS_PLATFORM: unsafe for a process\n");
		return -EPERM;
	}
	return vp_queues_start(vp);
}

static void vp_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct vp_vdpa *vp = vdpa_to_vp(vdpa);
	int err;

	guard(mutex)(vp_lock(vdpa));
	if (vp->fn->down || vp->lost) {
		/* what it would not hear, the driver is not to take for heard */
		vp->lost = true;
		return;
	}

	if (status & ~vp->status & VIRTIO_CONFIG_S_DRIVER_OK) {
		err = vp_start(vp);
		if (err) {
			dev_err(&vdpa->dev, "does not start: %d\n", err);
			status &= ~VIRTIO_CONFIG_S_DRIVER_OK;
			status |= VIRTIO_CONFIG_S_FAILED;
		}
	}
	vp_modern_set_status(&vp->fn->pci, status);
	vp->status = status;
}

static int vp_reset(struct vdpa_device *vdpa)
{
	struct vp_vdpa *vp = vdpa_to_vp(vdpa);
	struct vdpa_callback none = {};
	int err = 0;

	guard(mutex)(vp_lock(vdpa));
	/* one that is in other hands is at rest already */
	if (!vp->fn->down)
		err = vp_function_reset(vp->fn);
	vp_vectors_stop(vp);
	vp_queues_forget(vp);
	scoped_guard(spinlock_irqsave, &vp->config_lock)
		vp->config_cb = none;
	vp->features = 0;
	vp->status = 0;
	vp->lost = false;
	return err;
}

/* Configuration space */

static void vp_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb)
{
	struct vp_vdpa *vp = vdpa_to_vp(vdpa);

	scoped_guard(spinlock_irqsave, &vp->config_lock)
		vp->config_cb = *cb;
}

static size_t vp_get_config_size(struct vdpa_device *vdpa)
{
	return vdpa_to_vp(vdpa)->fn->pci.device_len;
}

/* Section 2.5.1: what changed while it was read is read again. */
static void vp_get_config(struct vdpa_device *vdpa, unsigned int offset, void *buf,
			  unsigned int len)
{
	struct vp_function *fn = vdpa_to_vp(vdpa)->fn;
	unsigned int tries = VP_CONFIG_TRIES;
	u32 generation;

	guard(mutex)(&fn->lock);
	if (fn->down) {
		memset(buf, 0, len);
		return;
	}
	do {
		generation = vp_modern_generation(&fn->pci);
		vp_function_read(fn, offset, buf, len);
	} while (generation != vp_modern_generation(&fn->pci) && --tries);
}

static void vp_set_config(struct vdpa_device *vdpa, unsigned int offset, const void *buf,
			  unsigned int len)
{
	struct vp_function *fn = vdpa_to_vp(vdpa)->fn;

	guard(mutex)(&fn->lock);
	if (!fn->down)
		vp_function_write(fn, offset, buf, len);
}

static u32 vp_get_generation(struct vdpa_device *vdpa)
{
	return vp_modern_generation(&vdpa_to_vp(vdpa)->fn->pci);
}

static u32 vp_get_device_id(struct vdpa_device *vdpa)
{
	return vdpa_to_vp(vdpa)->fn->pci.id.device;
}

static u32 vp_get_vendor_id(struct vdpa_device *vdpa)
{
	return vdpa_to_vp(vdpa)->fn->pci.id.vendor;
}

static void vp_isolate(struct vdpa_device *vdpa, bool on)
{
	guard(mutex)(vp_lock(vdpa));
	vdpa_to_vp(vdpa)->isolated = on;
}

const struct vdpa_config_ops vp_vdpa_ops = {
	.set_vq_address = vp_set_vq_address,
	.set_vq_num = vp_set_vq_num,
	.kick_vq = vp_kick_vq,
	.kick_vq_with_data = vp_kick_vq_with_data,
	.set_vq_cb = vp_set_vq_cb,
	.set_vq_ready = vp_set_vq_ready,
	.get_vq_ready = vp_get_vq_ready,
	.set_vq_state = vp_set_vq_state,
	.get_vq_state = vp_get_vq_state,
	.reset_vq = vp_reset_vq,
	.get_vq_notification = vp_get_vq_notification,
	.get_vq_irq = vp_get_vq_irq,
	.get_vq_info = vp_get_vq_info,
	.get_vq_size = vp_get_vq_size,
	.get_vq_align = vp_get_vq_align,
	.get_vq_num_max = vp_get_vq_num_max,
	.set_vq_affinity = vp_set_vq_affinity,
	.get_vq_affinity = vp_get_vq_affinity,
	.get_device_features = vp_get_device_features,
	.set_driver_features = vp_set_driver_features,
	.get_driver_features = vp_get_driver_features,
	.get_status = vp_get_status,
	.set_status = vp_set_status,
	.reset = vp_reset,
	.set_config_cb = vp_set_config_cb,
	.get_config_size = vp_get_config_size,
	.get_config = vp_get_config,
	.set_config = vp_set_config,
	.get_generation = vp_get_generation,
	.get_device_id = vp_get_device_id,
	.get_vendor_id = vp_get_vendor_id,
	.isolate = vp_isolate,
	.free = vp_vdpa_free,
};
