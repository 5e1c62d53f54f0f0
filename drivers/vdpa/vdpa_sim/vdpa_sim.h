/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Simulated vDPA devices: what is common to all classes.
 *
 *	device.c   creation and release
 *	ops.c      vdpa_config_ops: status, features, maps
 *	queue.c    virtqueues: setting up, starting, stopping
 *	serve.c    virtqueues: bursts
 *	worker.c   the threads that serve them
 *	notify.c   calling the bus driver back
 *	debugfs.c  a look at the queues
 *	net*.c, blk*.c   the classes
 *
 * Locks, outer to inner:
 *
 *	vdpa_device::cf_lock -> vdpa_sim_worker::lock -> vdpa_sim_queue::lock
 *		-> what keeps the peer there -> the peer's vdpa_sim_queue::lock
 *		-> the memories' locks (a burst) -> vdpa_sim::state_lock
 *	vdpa_sim_queue::kick_lock: a leaf around waking a worker
 *	vdpa_sim_queue::cb_lock, vdpa_sim::config_cb_lock: leaves around a callback
 */
#ifndef _VDPA_SIM_H
#define _VDPA_SIM_H

#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vdpa.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>
#include "../ring/vdpa_ring.h"

/* entries of the largest ring */
#define VDPA_SIM_RING_MAX 256

/* chains of one burst: maps cannot change, and other users of a peer wait, for so long */
#define VDPA_SIM_BURST 64

/* what every class offers; a driver must accept VIRTIO_F_ACCESS_PLATFORM */
#define VDPA_SIM_FEATURES						\
	(BIT_ULL(VIRTIO_F_ANY_LAYOUT) | BIT_ULL(VIRTIO_F_VERSION_1) |	\
	 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |				\
	 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |				\
	 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | BIT_ULL(VIRTIO_F_RING_PACKED) | \
	 BIT_ULL(VIRTIO_F_IN_ORDER) | BIT_ULL(VIRTIO_F_RING_RESET))

struct dentry;
struct vdpa_sim;

/* nobody chose an address space for it */
#define VDPA_SIM_FOLLOW UINT_MAX

struct vdpa_sim_worker;

/**
 * struct vdpa_sim_queue - one virtqueue
 * @sim: device
 * @index: queue index
 * @lock: protects the fields from @ready to @stats and @ring's use. Held by the
 *	worker for a burst. Nests inside the lock of another queue whose buffers are
 *	moved to this one's.
 * @ready: what set_vq_ready() said
 * @reported: the driver was told that the ring broke
 * @state: where to start, or where it was stopped
 * @num: entries
 * @desc: IOVA of the descriptor area
 * @driver: IOVA of the driver area
 * @device: IOVA of the device area
 * @ring: running while the queue is ready and the device runs
 * @affinity: where its worker runs, or NULL: anywhere
 * @bursts: how many there were
 * @chains: how many were handled
 * @interrupts: how often the driver was called back
 * @malformed: how often the ring broke
 * @stats: counters of the class
 * @kick_lock: protects @worker and @kicks. Taken with interrupts off.
 * @worker: serves it; NULL while it does not run, or has no work of its own
 * @kicks: how often the driver kicked
 * @cb_lock: protects @cb; held around the callback, so that it is not called any
 *	more once it was replaced. Taken with interrupts off.
 * @cb: used buffer notification
 */
struct vdpa_sim_queue {
	struct vdpa_sim *sim;
	u16 index;
	struct mutex lock; /* see above */
	bool ready;
	bool reported;
	struct vdpa_ring_state state;
	u32 num;
	u64 desc;
	u64 driver;
	u64 device;
	struct vdpa_ring *ring;
	struct cpumask *affinity;
	u64 bursts;
	u64 chains;
	u64 interrupts;
	u64 malformed;
	u64 stats[5];
	spinlock_t kick_lock; /* see above */
	struct vdpa_sim_worker *worker;
	u64 kicks;
	spinlock_t cb_lock; /* see above */
	struct vdpa_callback cb;
};

/**
 * struct vdpa_sim_class - what makes a device a network or block device
 * @id: virtio device ID
 * @config_size: bytes of configuration space
 * @default_ngroups: number of virtqueue groups
 * @default_nas: number of address spaces
 * @ring_group: group of the rings of those queues whose buffers are in group 0. Of others
 *	rings and buffers are in one group.
 */
struct vdpa_sim_class {
	u32 id;
	size_t config_size;
	unsigned int default_ngroups;
	unsigned int default_nas;
	unsigned int ring_group;

	/**
	 * @serve: handle up to VDPA_SIM_BURST chains of @queue, whose lock and
	 * peer's are held, within a burst, and count them. Return: 0; -EAGAIN with the
	 * chain at hand put back; -EBUSY if there may be more, for which the class will
	 * wake the queue; another error when a ring broke.
	 */
	int (*serve)(struct vdpa_sim_queue *queue, struct vdpa_sim_queue *peer);
	/**
	 * @passive: (optional) is @queue one that has no work of its own, such
	 * as a peer? Its kicks are ignored. Absent: no queue is.
	 */
	bool (*passive)(const struct vdpa_sim_queue *queue);
	/**
	 * @peer_get: (optional) the queue whose buffers are filled while @queue, whose
	 * lock is held, is served, perhaps another device's; NULL if there is none.
	 * It stays until @peer_put, which follows in any case.
	 */
	struct vdpa_sim_queue *(*peer_get)(struct vdpa_sim_queue *queue);
	/** @peer_put: (with @peer_get) */
	void (*peer_put)(struct vdpa_sim_queue *queue);
	/** @get_config: fill all of configuration space. Any process context. */
	void (*get_config)(struct vdpa_sim *sim, void *config);
	/** @group: (optional) group of a queue. Absent: 0. */
	u32 (*group)(struct vdpa_sim *sim, u16 index);
	/** @stat_names: Return: what the first @count of &vdpa_sim_queue.stats are. */
	const char *const *(*stat_names)(const struct vdpa_sim_queue *queue,
					 unsigned int *count);
	/**
	 * @stop: (optional) @queue, whose lock is held, is not served any more: wait for
	 * what it has begun, and put back what was not completed. Its ring still runs.
	 */
	void (*stop)(struct vdpa_sim_queue *queue);
	/** @reset: (optional) forget what the driver told the class. No queue runs. */
	void (*reset)(struct vdpa_sim *sim);
	/** @resume: (optional) the device goes on after it was suspended. */
	void (*resume)(struct vdpa_sim *sim);
	/** @free: (optional) release what the class added. */
	void (*free)(struct vdpa_sim *sim);
};

/**
 * struct vdpa_sim - a simulated device; a class embeds it as first member
 * @vdpa: what the bus sees
 * @class: constant
 * @offered: virtio features; constant
 * @mem: address spaces
 * @queues: &vdpa_device.nvqs of them
 * @group_asid: address space of each group; VDPA_SIM_FOLLOW for rings that are where their
 *	buffers are. Changed while no queue runs.
 * @features: in force. Written under cf_lock.
 * @running: DRIVER_OK and not suspended. Changed under the bus driver's lock;
 *	queues look at it under their own, and are told when it changes.
 * @suspended: as @running
 * @isolated: as @running: an address space's default is empty, not the identity
 * @generation: of configuration space
 * @state_lock: protects @status, which a broken ring changes too
 * @status: device status
 * @config_cb_lock: as &vdpa_sim_queue.cb_lock, for @config_cb
 * @config_cb: configuration change notification
 * @debugfs: its file there while it is on the bus
 */
struct vdpa_sim {
	struct vdpa_device vdpa;
	const struct vdpa_sim_class *class;
	u64 offered;
	struct vdpa_memory *mem;
	struct vdpa_sim_queue *queues;
	unsigned int *group_asid;
	u64 features;
	bool running;
	bool suspended;
	bool isolated;
	atomic_t generation;
	spinlock_t state_lock; /* see above */
	u8 status;
	spinlock_t config_cb_lock; /* see above */
	struct vdpa_callback config_cb;
	struct dentry *debugfs;
};

static inline struct vdpa_sim *vdpa_to_sim(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct vdpa_sim, vdpa);
}

/* device.c */

/**
 * struct vdpa_sim_params - what a class asks for
 * @mdev: management device
 * @name: name of the device
 * @nvqs: number of virtqueues
 * @features: virtio features of the class
 * @config: the administrator's wishes
 * @size: bytes of the class's structure
 */
struct vdpa_sim_params {
	struct vdpa_mgmt_dev *mdev;
	const char *name;
	u32 nvqs;
	u64 features;
	const struct vdpa_dev_set_config *config;
	size_t size;
};

struct vdpa_sim *vdpa_sim_create(const struct vdpa_sim_class *class,
				 const struct vdpa_sim_params *params);
int vdpa_sim_register(struct vdpa_sim *sim);
void vdpa_sim_dev_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa);

/* ops.c */

const struct vdpa_config_ops *vdpa_sim_ops(void);
bool vdpa_sim_use_va(void);
unsigned int vdpa_sim_max_maps(void);
void vdpa_sim_default_maps(struct vdpa_sim *sim);
void vdpa_sim_default_groups(struct vdpa_sim *sim);
u32 vdpa_sim_group(struct vdpa_sim *sim, u16 index);
u32 vdpa_sim_ring_group(struct vdpa_sim *sim, u16 index);

/* queue.c */

int vdpa_sim_queue_init(struct vdpa_sim *sim, u16 index);
void vdpa_sim_queue_destroy(struct vdpa_sim_queue *queue);
void vdpa_sim_queue_update(struct vdpa_sim_queue *queue);
void vdpa_sim_queues_update(struct vdpa_sim *sim);
void vdpa_sim_queue_reset(struct vdpa_sim_queue *queue);
void vdpa_sim_queue_kick(struct vdpa_sim_queue *queue);
void vdpa_sim_queue_wake(struct vdpa_sim_queue *queue);
int vdpa_sim_queue_set_affinity(struct vdpa_sim_queue *queue,
				const struct cpumask *mask);

/* serve.c */

enum vdpa_sim_served {
	VDPA_SIM_IDLE,		/* nothing to do until the next kick */
	VDPA_SIM_MORE,		/* there is more */
	VDPA_SIM_SERVED,	/* there may be more, for which no kick was asked */
	VDPA_SIM_FAULTED,	/* there is, once a page is there */
};

enum vdpa_sim_served vdpa_sim_queue_serve(struct vdpa_sim_queue *queue,
					  struct vdpa_fault *fault, int resolved,
					  bool ask);
bool vdpa_sim_set_needs_reset(struct vdpa_sim_queue *queue);

/*
 * &vdpa_sim_class.serve of a queue whose chains are handled one by one: @handle returns 0,
 * -EAGAIN, or another error when the ring broke. Inlined, as is @handle.
 */
static __always_inline int
vdpa_sim_serve_each(struct vdpa_sim_queue *queue,
		    int (*handle)(struct vdpa_sim_queue *queue,
				  struct vdpa_chain *chain, void *data), void *data)
{
	struct vdpa_chain chain;
	int i, err;

	lockdep_assert_held(&queue->lock);

	for (i = 0; i < VDPA_SIM_BURST; i++) {
		err = vdpa_ring_next(queue->ring, &chain);
		if (err <= 0)
			return err;
		err = handle(queue, &chain, data);
		if (err == -EAGAIN)
			vdpa_ring_unget(queue->ring, &chain);
		if (unlikely(err))
			return err;
		vdpa_ring_complete(queue->ring, &chain);
		queue->chains++;
	}
	return 0;
}

/* worker.c */

struct vdpa_sim_worker *vdpa_sim_worker_create(struct vdpa_sim_queue *queue);
void vdpa_sim_worker_destroy(struct vdpa_sim_worker *worker);
void vdpa_sim_worker_kick(struct vdpa_sim_worker *worker);
void vdpa_sim_worker_set_affinity(struct vdpa_sim_worker *worker,
				  const struct cpumask *mask);

/* notify.c */

void vdpa_sim_notify(spinlock_t *lock, const struct vdpa_callback *cb);
void vdpa_sim_config_changed(struct vdpa_sim *sim);

/* debugfs.c */

void vdpa_sim_debugfs_add(struct vdpa_sim *sim);
void vdpa_sim_debugfs_remove(struct vdpa_sim *sim);
void vdpa_sim_debugfs_init(void);
void vdpa_sim_debugfs_exit(void);

#endif /* _VDPA_SIM_H */
