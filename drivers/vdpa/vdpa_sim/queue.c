// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues of simulated devices: setting up, starting and stopping.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/slab.h>
#include "vdpa_sim.h"

/* of a queue that never ran; a packed ring begins with both wrap counters set */
static const struct vdpa_ring_state initial_state = {
	.avail_wrap = true,
	.used_wrap = true,
};

static bool queue_passive(const struct vdpa_sim_queue *queue)
{
	const struct vdpa_sim_class *class = queue->sim->class;

	return class->passive && class->passive(queue);
}

/* Wake the worker, if there is one. */
static void wake_worker(struct vdpa_sim_queue *queue)
{
	lockdep_assert_held(&queue->kick_lock);
	if (queue->worker)
		vdpa_sim_worker_kick(queue->worker);
}

/**
 * vdpa_sim_queue_kick() - the driver says that there may be something to do
 * @queue: queue, in whatever state
 *
 * Context: Any context.
 */
void vdpa_sim_queue_kick(struct vdpa_sim_queue *queue)
{
	scoped_guard(spinlock_irqsave, &queue->kick_lock) {
		queue->kicks++;
		wake_worker(queue);
	}
}

/**
 * vdpa_sim_queue_wake() - there is something to do that the driver does not know of
 * @queue: queue, in whatever state
 *
 * Context: Any context.
 */
void vdpa_sim_queue_wake(struct vdpa_sim_queue *queue)
{
	scoped_guard(spinlock_irqsave, &queue->kick_lock)
		wake_worker(queue);
}
EXPORT_SYMBOL_GPL(vdpa_sim_queue_wake);

/* Start the ring and whoever serves it. Return: 0 or -errno. */
static int start_ring(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim *sim = queue->sim;
	unsigned int asid = sim->group_asid[vdpa_sim_group(sim, queue->index)];
	unsigned int ring_asid = sim->group_asid[vdpa_sim_ring_group(sim, queue->index)];
	struct vdpa_ring_config cfg = {
		.num = queue->num,
		.desc = queue->desc,
		.driver = queue->driver,
		.device = queue->device,
		.asid = asid,
		.ring_asid = ring_asid == VDPA_SIM_FOLLOW ? asid : ring_asid,
		.features = sim->features,
		.state = queue->state,
	};

	struct vdpa_sim_worker *worker = NULL;
	int err;

	lockdep_assert_held(&queue->lock);

	err = vdpa_ring_start(queue->ring, &cfg);
	if (err)
		return err;
	if (!queue_passive(queue)) {
		worker = vdpa_sim_worker_create(queue);
		if (IS_ERR(worker)) {
			vdpa_ring_stop(queue->ring);
			return PTR_ERR(worker);
		}
	}
	queue->reported = false;
	scoped_guard(spinlock_irqsave, &queue->kick_lock) {
		queue->worker = worker;
		/* for kicks that came early */
		wake_worker(queue);
	}
	return 0;
}

/* Return: the worker, to be destroyed when the queue's lock is released, or NULL. */
static struct vdpa_sim_worker *stop_ring(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_worker *worker;

	lockdep_assert_held(&queue->lock);

	scoped_guard(spinlock_irqsave, &queue->kick_lock) {
		worker = queue->worker;
		queue->worker = NULL;
	}
	if (queue->sim->class->stop)
		queue->sim->class->stop(queue);
	vdpa_ring_stop(queue->ring);
	vdpa_ring_get_state(queue->ring, &queue->state);
	return worker;
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
	struct vdpa_sim_worker *stopped = NULL;
	bool needs_reset = false;

	scoped_guard(mutex, &queue->lock) {
		bool wanted = queue->ready && sim->running;

		if (wanted == vdpa_ring_running(queue->ring))
			return;
		if (!wanted)
			stopped = stop_ring(queue);
		else if (start_ring(queue))
			needs_reset = vdpa_sim_set_needs_reset(queue);
	}

	if (stopped)
		vdpa_sim_worker_destroy(stopped);
	if (needs_reset)
		vdpa_sim_config_changed(sim);
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
 * @queue: queue, in whatever state
 *
 * Context: Process context. Takes and releases the queue's locks.
 */
void vdpa_sim_queue_reset(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_worker *stopped = NULL;

	scoped_guard(mutex, &queue->lock) {
		if (vdpa_ring_running(queue->ring))
			stopped = stop_ring(queue);
		queue->ready = false;
		queue->state = initial_state;
		queue->num = VDPA_SIM_RING_MAX;
		queue->desc = 0;
		queue->driver = 0;
		queue->device = 0;
	}
	if (stopped)
		vdpa_sim_worker_destroy(stopped);
	scoped_guard(spinlock_irqsave, &queue->cb_lock)
		queue->cb = (struct vdpa_callback) {};
}

/**
 * vdpa_sim_queue_set_affinity() - say where a queue is served
 * @queue: queue
 * @mask: processors, or NULL for any
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int vdpa_sim_queue_set_affinity(struct vdpa_sim_queue *queue,
				const struct cpumask *mask)
{
	struct cpumask *copy;

	guard(mutex)(&queue->lock);
	/* only a queue that was given one keeps one, however many processors there may be */
	if (mask && !queue->affinity) {
		copy = kzalloc(cpumask_size(), GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
		WRITE_ONCE(queue->affinity, copy);
	}
	if (queue->affinity)
		cpumask_copy(queue->affinity, mask ?: cpu_possible_mask);
	if (queue->worker && queue->affinity)
		vdpa_sim_worker_set_affinity(queue->worker, queue->affinity);
	return 0;
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
	spin_lock_init(&queue->kick_lock);
	spin_lock_init(&queue->cb_lock);
	queue->state = initial_state;

	queue->ring = vdpa_ring_alloc(sim->mem, VDPA_SIM_RING_MAX);
	return queue->ring ? 0 : -ENOMEM;
}

/**
 * vdpa_sim_queue_destroy() - undo vdpa_sim_queue_init()
 * @queue: queue that was reset, and that nobody kicks any more
 */
void vdpa_sim_queue_destroy(struct vdpa_sim_queue *queue)
{
	if (!queue->ring)
		return;
	vdpa_ring_free(queue->ring);
	kfree(queue->affinity);
	mutex_destroy(&queue->lock);
}
