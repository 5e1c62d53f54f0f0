// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues of simulated devices: bursts.
 */
#include <linux/cleanup.h>
#include <trace/events/vdpa.h>
#include "vdpa_sim.h"

/**
 * vdpa_sim_set_needs_reset() - the driver broke a rule (section 2.1.2)
 * @queue: queue whose
 *
 * Context: Process context, @queue's lock held, as a reset stops every queue before it
 * clears the status: no breakage of before comes after.
 * Return: the status changed, so that the driver has to be told.
 */
bool vdpa_sim_set_needs_reset(struct vdpa_sim_queue *queue)
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

/* Is there a ring that can be served? One that is stopped may remember how it ended. */
static bool queue_usable(const struct vdpa_sim_queue *queue)
{
	return vdpa_ring_running(queue->ring) && !vdpa_ring_broken(queue->ring);
}

/* Take note of a ring that broke. Return: the driver has to be told. */
static bool queue_check(struct vdpa_sim_queue *queue)
{
	lockdep_assert_held(&queue->lock);

	if (!vdpa_ring_running(queue->ring) || !vdpa_ring_broken(queue->ring) ||
	    queue->reported)
		return false;
	queue->reported = true;
	queue->malformed++;
	return vdpa_sim_set_needs_reset(queue);
}

/* Show the driver what is done. Return: it wants to be called back. */
static bool queue_flush(struct vdpa_sim_queue *queue)
{
	if (vdpa_ring_flush(queue->ring) <= 0)
		return false;
	queue->interrupts++;
	return true;
}

/* of so few chains a burst is not worth what kicks, wakeups and notifications cost */
#define FEW 8

/* What a burst leaves to do outside of the queue's lock. */
struct burst {
	enum vdpa_sim_served served;
	bool notify;
	bool needs_reset;
	bool notify_peer;
	bool peer_needs_reset;
};

static void serve_entered(struct vdpa_sim_queue *queue, struct vdpa_sim_queue *peer,
			  struct burst *burst, struct vdpa_fault *fault, bool ask)
{
	struct vdpa_ring *ring = queue->ring;
	u64 done = queue->chains;
	int err;

	vdpa_ring_disable_kick(ring);
	err = queue->sim->class->serve(queue, peer);
	queue->bursts++;
	done = queue->chains - done;
	burst->notify = queue_flush(queue);
	burst->notify_peer = peer && queue_flush(peer);
	if (!err && !ask && done && done <= FEW)
		burst->served = VDPA_SIM_SERVED;
	else if (!err && vdpa_ring_enable_kick(ring) > 0)
		burst->served = VDPA_SIM_MORE;
	if (vdpa_ring_fault(ring, fault) || (peer && vdpa_ring_fault(peer->ring, fault)))
		burst->served = VDPA_SIM_FAULTED;
	burst->needs_reset |= queue_check(queue);
	burst->peer_needs_reset |= peer && queue_check(peer);
}

/* One burst over the queue and its peer, whose locks are held. */
static void serve_locked(struct vdpa_sim_queue *queue, struct vdpa_sim_queue *peer,
			 struct burst *burst, struct vdpa_fault *fault, bool ask)
{
	struct vdpa_memory *mem = queue->sim->mem;
	struct vdpa_memory *other = peer ? peer->sim->mem : mem;

	lockdep_assert_held(&queue->lock);

	/* a process that is going takes its memory along: if the peer's, nobody is there */
	if (vdpa_memory_enter_two(mem, other)) {
		if (other == mem || vdpa_memory_enter(mem))
			return;
		other = mem;
		peer = NULL;
	}
	serve_entered(queue, peer, burst, fault, ask);
	if (other != mem)
		vdpa_memory_exit(other);
	vdpa_memory_exit(mem);
}

static void notify(struct vdpa_sim_queue *queue)
{
	/* the bus driver is not called then, who would say so */
	if (trace_vdpa_interrupt_enabled() && queue->cb.trigger)
		trace_vdpa_interrupt(&queue->sim->vdpa, queue->index);
	vdpa_sim_notify(&queue->cb_lock, &queue->cb);
}

/* Tell the drivers what happened. The peer has not been put yet. */
static void tell(struct vdpa_sim_queue *queue, struct vdpa_sim_queue *peer,
		 const struct burst *burst)
{
	if (burst->notify)
		notify(queue);
	if (burst->notify_peer)
		notify(peer);
	if (burst->needs_reset)
		vdpa_sim_config_changed(queue->sim);
	if (burst->peer_needs_reset)
		vdpa_sim_config_changed(peer->sim);
}

/**
 * vdpa_sim_queue_serve() - one burst
 * @queue: queue that has a worker
 * @fault: filled for VDPA_SIM_FAULTED; what was filled last, if @resolved is not 0
 * @resolved: what came of the fault: an error fails the ring whose it was
 * @ask: ask for kicks in any case; else not if there was little to serve
 *
 * Context: The queue's worker.
 * Return: what there is to do next.
 */
enum vdpa_sim_served vdpa_sim_queue_serve(struct vdpa_sim_queue *queue,
					  struct vdpa_fault *fault, int resolved,
					  bool ask)
{
	const struct vdpa_sim_class *class = queue->sim->class;
	struct vdpa_sim_queue *peer = NULL;
	struct burst burst = { .served = VDPA_SIM_IDLE };

	mutex_lock(&queue->lock);
	peer = class->peer_get ? class->peer_get(queue) : NULL;
	if (peer)
		mutex_lock_nested(&peer->lock, SINGLE_DEPTH_NESTING);
	if (resolved) {
		vdpa_ring_fail(queue->ring, fault);
		burst.needs_reset = queue_check(queue);
	}
	if (resolved && peer) {
		vdpa_ring_fail(peer->ring, fault);
		burst.peer_needs_reset = queue_check(peer);
	}
	/* a device that stops has stopped the peer perhaps: not for us to drop frames */
	if (READ_ONCE(queue->sim->running) && queue_usable(queue))
		serve_locked(queue, peer, &burst, fault, ask);
	if (peer)
		mutex_unlock(&peer->lock);
	mutex_unlock(&queue->lock);

	tell(queue, peer, &burst);
	if (class->peer_put)
		class->peer_put(queue);
	return burst.served;
}
