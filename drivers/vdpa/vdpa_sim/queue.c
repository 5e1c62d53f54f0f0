// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues of simulated devices: one work item each, on a workqueue that all
 * devices share, so that an idle queue costs no thread.
 */
#include <linux/cleanup.h>
#include <linux/slab.h>
#include "vdpa_sim.h"

/* bursts before others get the worker */
#define BURSTS_PER_RUN 4

/* may be needed to write memory back: a simulated disk can hold a file system */
static struct workqueue_struct *vdpa_sim_wq;

/*
 * The driver broke a rule of @queue: section 2.1.2. Under the queue's lock, as a reset
 * stops every queue before it clears the status: no breakage of before comes after.
 * Return: the status changed, so that the driver has to be told.
 */
static bool set_needs_reset(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim *sim = queue->sim;
	u8 old;

	lockdep_assert_held(&queue->lock);

	scoped_guard(spinlock, &sim->state_lock) {
		old = sim->status;
		WRITE_ONCE(sim->status, old | VIRTIO_CONFIG_S_NEEDS_RESET);
	}
	return !(old & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/* A ring that is stopped may still remember how it ended: that is over. */
static bool queue_broken(const struct vdpa_sim_queue *queue)
{
	return vdpa_ring_running(queue->ring) && vdpa_ring_broken(queue->ring);
}

/* What one burst left to do outside of locks. */
struct burst_result {
	bool more;
	bool notify;
	bool notify_peer;
	bool needs_reset;
};

static bool queue_passive(const struct vdpa_sim_queue *queue)
{
	const struct vdpa_sim_class *class = queue->sim->class;

	return class->passive && class->passive(queue);
}

static struct burst_result serve_burst(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_queue *peer = queue->peer;
	struct vdpa_sim *sim = queue->sim;
	struct burst_result result = {};
	int done;

	lockdep_assert_held(&queue->lock);

	/* a process that is going takes its memory along: nothing to serve */
	if (vdpa_memory_enter(sim->mem))
		return result;

	vdpa_ring_disable_kick(queue->ring);
	if (!queue_passive(queue)) {
		done = sim->class->serve(queue);
		result.notify = vdpa_ring_flush(queue->ring);
		if (peer && vdpa_ring_running(peer->ring))
			result.notify_peer = vdpa_ring_flush(peer->ring);
		result.more = done == VDPA_SIM_BURST ||
			      (done >= 0 && vdpa_ring_enable_kick(queue->ring));
	}
	if (queue_broken(queue))
		result.more = false;
	if (queue_broken(queue) || (peer && queue_broken(peer)))
		result.needs_reset = set_needs_reset(queue);

	vdpa_memory_exit(sim->mem);
	return result;
}

static struct burst_result serve_locked(struct vdpa_sim_queue *queue)
{
	struct burst_result result = {};

	guard(mutex)(&queue->lock);

	/* a device that stops has stopped the peer perhaps: not for us to drop frames */
	if (!READ_ONCE(queue->sim->running))
		return result;
	if (!vdpa_ring_running(queue->ring) || queue_broken(queue))
		return result;

	if (queue->peer)
		mutex_lock_nested(&queue->peer->lock, SINGLE_DEPTH_NESTING);
	result = serve_burst(queue);
	if (queue->peer)
		mutex_unlock(&queue->peer->lock);
	return result;
}

static void vdpa_sim_queue_work(struct work_struct *work)
{
	struct vdpa_sim_queue *queue =
		container_of(work, struct vdpa_sim_queue, work);
	struct burst_result result;
	int i;

	for (i = 0; i < BURSTS_PER_RUN; i++) {
		result = serve_locked(queue);

		if (result.notify)
			vdpa_sim_notify(&queue->cb_lock, &queue->cb);
		if (result.notify_peer)
			vdpa_sim_notify(&queue->peer->cb_lock, &queue->peer->cb);
		if (result.needs_reset)
			vdpa_sim_config_changed(queue->sim);
		if (!result.more)
			return;
	}
	queue_work(vdpa_sim_wq, &queue->work);
}

/**
 * vdpa_sim_queue_kick() - there may be something to do
 * @queue: queue, in whatever state
 *
 * Context: Any context.
 */
void vdpa_sim_queue_kick(struct vdpa_sim_queue *queue)
{
	queue_work(vdpa_sim_wq, &queue->work);
}

static int start_ring(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim *sim = queue->sim;
	const struct vdpa_sim_class *class = sim->class;
	u32 group = class->group ? class->group(sim, queue->index) : 0;
	struct vdpa_ring_config cfg = {
		.num = queue->num,
		.desc = queue->desc,
		.driver = queue->driver,
		.device = queue->device,
		.asid = sim->group_asid[group],
		.ring_asid = sim->group_asid[group],
		.features = sim->features,
		.avail = queue->avail,
	};

	lockdep_assert_held(&queue->lock);
	return vdpa_ring_start(queue->ring, &cfg);
}

static void stop_ring(struct vdpa_sim_queue *queue)
{
	lockdep_assert_held(&queue->lock);

	queue->avail = vdpa_ring_avail_index(queue->ring);
	vdpa_ring_stop(queue->ring);
}

/**
 * vdpa_sim_queue_update() - make a queue run or not, as its and the device's state say
 * @queue: queue whose ready, or whose device's running, changed
 *
 * On return a queue that shall not run has nothing in flight, and one that shall has
 * been looked at since: a kick that came early is not lost.
 *
 * Context: Process context. Takes and releases the queue's lock.
 */
void vdpa_sim_queue_update(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim *sim = queue->sim;
	bool needs_reset = false;

	scoped_guard(mutex, &queue->lock) {
		bool wanted = queue->ready && sim->running;

		if (wanted == vdpa_ring_running(queue->ring))
			return;
		if (!wanted)
			stop_ring(queue);
		else if (start_ring(queue))
			needs_reset = set_needs_reset(queue);
	}

	if (needs_reset)
		vdpa_sim_config_changed(sim);
	vdpa_sim_queue_kick(queue);
}

/**
 * vdpa_sim_queues_update() - vdpa_sim_queue_update() for all queues
 * @sim: device whose running changed
 *
 * Context: Process context.
 */
void vdpa_sim_queues_update(struct vdpa_sim *sim)
{
	u32 i;

	for (i = 0; i < sim->vdpa.nvqs; i++)
		vdpa_sim_queue_update(&sim->queues[i]);
}

/**
 * vdpa_sim_queue_reset() - forget what the driver set up
 * @queue: queue of a device that does not run
 *
 * Context: Process context. Takes and releases the queue's locks.
 */
void vdpa_sim_queue_reset(struct vdpa_sim_queue *queue)
{
	scoped_guard(mutex, &queue->lock) {
		if (vdpa_ring_running(queue->ring))
			stop_ring(queue);
		queue->ready = false;
		queue->avail = 0;
		queue->num = VDPA_SIM_RING_MAX;
		queue->desc = 0;
		queue->driver = 0;
		queue->device = 0;
	}
	scoped_guard(spinlock_irqsave, &queue->cb_lock)
		queue->cb = (struct vdpa_callback) {};
}

/**
 * vdpa_sim_queue_init() - set a queue up
 * @sim: device, zeroed queues and memory allocated
 * @index: queue index
 *
 * Return: 0 or -ENOMEM.
 */
int vdpa_sim_queue_init(struct vdpa_sim *sim, u16 index)
{
	struct vdpa_sim_queue *queue = &sim->queues[index];

	queue->sim = sim;
	queue->index = index;
	queue->num = VDPA_SIM_RING_MAX;
	mutex_init(&queue->lock);
	spin_lock_init(&queue->cb_lock);
	INIT_WORK(&queue->work, vdpa_sim_queue_work);

	queue->ring = vdpa_ring_alloc(sim->mem, VDPA_SIM_RING_MAX);
	return queue->ring ? 0 : -ENOMEM;
}

/**
 * vdpa_sim_queue_destroy() - undo vdpa_sim_queue_init()
 * @queue: queue that nobody kicks any more
 */
void vdpa_sim_queue_destroy(struct vdpa_sim_queue *queue)
{
	if (!queue->ring)
		return;
	cancel_work_sync(&queue->work);
	vdpa_ring_free(queue->ring);
	mutex_destroy(&queue->lock);
}

int __init vdpa_sim_queue_module_init(void)
{
	vdpa_sim_wq = alloc_workqueue("vdpa_sim", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return vdpa_sim_wq ? 0 : -ENOMEM;
}

void vdpa_sim_queue_module_exit(void)
{
	destroy_workqueue(vdpa_sim_wq);
}
