// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: a kernel thread for each queue that runs and has work of its own. It exists
 * from the queue's start to its stop, so that an idle device costs none.
 *
 * A worker is let go without waiting for a process: if the queue's owner holds it up in
 * a page fault (userfaultfd), it is left behind, touches nothing of the queue any more,
 * and frees itself when the fault is over.
 */
#include <linux/cleanup.h>
#include <linux/kcov.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>
#include "vdpa_sim.h"

/* who keeps the processor for longer, nanoseconds, has other things to do */
#define GIVE_WAY_MAX NSEC_PER_MSEC
/* for so many bursts a worker does not give way then, at least and at most */
#define GIVE_WAY_SKIP_MIN 16
#define GIVE_WAY_SKIP_MAX 1024

/**
 * struct vdpa_sim_worker - a thread
 * @lock: protects what follows up to @orphan; held while the queue is served, so that
 *	whoever has taken @queue away under it knows that it is not. Outside the queue's.
 * @queue: what it serves; NULL when it was let go
 * @faulting: in a page fault of the owner of the queue's memory
 * @orphan: nobody waits for it: it frees itself
 * @kicked: there may be something to do
 * @skips: for so many bursts it does not give way; its own, as @penalty
 * @penalty: what @skips was last, or 0 if it was worth it
 * @kcov: where coverage goes, for a fuzzer that started the queue
 * @task: the thread
 */
struct vdpa_sim_worker {
	struct mutex lock; /* see above */
	struct vdpa_sim_queue *queue;
	bool faulting;
	bool orphan;
	bool kicked;
	unsigned int skips;
	unsigned int penalty;
	u64 kcov;
	struct task_struct *task;
};

/*
 * Does somebody else want this processor, most likely the driver whose request was served
 * or that has more to add? Not one of those who kept it for long.
 */
static bool worker_polite(struct vdpa_sim_worker *worker)
{
	if (likely(single_task_running()))
		return false;
	if (!worker->skips)
		return true;
	worker->skips--;
	return false;
}

/*
 * Let others run, with kicks off: what the driver adds until it has to wait costs it no
 * kick, us no wakeup, and is served in one burst, with one notification.
 */
static void worker_give_way(struct vdpa_sim_worker *worker)
{
	u64 start = local_clock();

	yield();
	if (local_clock() - start <= GIVE_WAY_MAX)
		worker->penalty = 0;
	else
		worker->penalty = clamp(2 * worker->penalty, GIVE_WAY_SKIP_MIN,
					GIVE_WAY_SKIP_MAX);
	worker->skips = worker->penalty;
}

/*
 * Serve the queue while there is something, with a break for others between bursts.
 * Return: false when the worker is not to go on.
 */
static bool worker_serve(struct vdpa_sim_worker *worker)
{
	struct vdpa_fault fault;
	enum vdpa_sim_served served;
	int err = 0;

	for (;;) {
		scoped_guard(mutex, &worker->lock) {
			worker->faulting = false;
			if (!worker->queue)
				return !worker->orphan;
			served = vdpa_sim_queue_serve(worker->queue, &fault, err,
						      !worker_polite(worker));
			worker->faulting = served == VDPA_SIM_FAULTED;
		}
		err = served == VDPA_SIM_FAULTED ? vdpa_fault_resolve(&fault) : 0;
		if (served == VDPA_SIM_SERVED)
			worker_give_way(worker);
		else
			cond_resched();
		if (served == VDPA_SIM_IDLE)
			return true;
	}
}

static int worker_main(void *data)
{
	struct vdpa_sim_worker *worker = data;
	bool more;

	for (;;) {
		/* pairs with the full barrier of wake_up_process() after @kicked was set */
		set_current_state(TASK_IDLE);
		if (!READ_ONCE(worker->kicked) && !kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
		if (kthread_should_stop())
			return 0;
		/* looked at before what it tells of: kicks from here on are new */
		if (!xchg(&worker->kicked, false))
			continue;
		kcov_remote_start_common(worker->kcov);
		more = worker_serve(worker);
		kcov_remote_stop();
		if (!more)
			break;
	}
	kfree(worker);
	module_put_and_kthread_exit(0);
}

/**
 * vdpa_sim_worker_create() - start a thread
 * @queue: what it serves, after the first kick
 *
 * Context: Process context. May sleep.
 * Return: the worker; ERR_PTR(-ENOMEM), or ERR_PTR(-EINTR) if the caller is being killed.
 */
struct vdpa_sim_worker *vdpa_sim_worker_create(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_worker *worker;
	struct task_struct *task;

	worker = kzalloc(sizeof(*worker), GFP_KERNEL_ACCOUNT);
	if (!worker)
		return ERR_PTR(-ENOMEM);
	mutex_init(&worker->lock);
	worker->queue = queue;
	worker->kcov = kcov_common_handle();
	task = kthread_create(worker_main, worker, "%s-%u",
			      dev_name(&queue->sim->vdpa.dev), queue->index);
	if (IS_ERR(task)) {
		kfree(worker);
		return ERR_CAST(task);
	}
	worker->task = task;
	if (queue->affinity)
		set_cpus_allowed_ptr(task, queue->affinity);
	return worker;
}

/**
 * vdpa_sim_worker_destroy() - let a worker go
 * @worker: worker that nobody kicks any more
 *
 * On return its queue is not served, and not touched by it.
 *
 * Context: Process context, the queue's lock not held. Waits for a burst at most.
 */
void vdpa_sim_worker_destroy(struct vdpa_sim_worker *worker)
{
	bool orphan;

	scoped_guard(mutex, &worker->lock) {
		worker->queue = NULL;
		orphan = worker->faulting;
		worker->orphan = orphan;
		if (orphan)
			__module_get(THIS_MODULE);
	}
	if (orphan)
		return;
	kthread_stop(worker->task);
	mutex_destroy(&worker->lock);
	kfree(worker);
}

/**
 * vdpa_sim_worker_kick() - there may be something to do
 * @worker: worker
 *
 * Context: Any context.
 */
void vdpa_sim_worker_kick(struct vdpa_sim_worker *worker)
{
	/* what was kicked already has not looked yet, and will */
	if (!READ_ONCE(worker->kicked) && !xchg(&worker->kicked, true))
		wake_up_process(worker->task);
}

/**
 * vdpa_sim_worker_set_affinity() - say where a worker runs
 * @worker: worker
 * @mask: processors
 *
 * Context: Process context. May sleep.
 */
void vdpa_sim_worker_set_affinity(struct vdpa_sim_worker *worker,
				  const struct cpumask *mask)
{
	set_cpus_allowed_ptr(worker->task, mask);
}
