/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vp_vdpa: a virtio function of the PCI bus, physical or virtual, as a vDPA parent.
 *
 *	main.c      the PCI driver: probe, removal, sleep, resets from outside
 *	function.c  what the function claims to be, and getting it to rest
 *	mgmt.c      the management device: creation and deletion
 *	ops.c       vdpa_config_ops: features, status, configuration space
 *	queue.c     virtqueues
 *	vector.c    interrupts
 *
 * Registers are written late: what a bus driver says of a queue is kept until DRIVER_OK,
 * when vectors and queues are set up in one go and what the function refuses is known.
 * The function is not believed: whatever it is asked, it is waited for a bounded time, and
 * an answer of all ones means that it is gone.
 *
 * Locks, outer to inner:
 *
 *	vdpa_device::cf_lock -> vp_function::lock -> vp_queue::cb_lock
 */
#ifndef _VP_VDPA_H
#define _VP_VDPA_H

#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci_modern.h>

struct netlink_ext_ack;
struct vp_vdpa;

/* what a status register reads as when nobody answers; no device has all of these bits */
#define VP_STATUS_GONE 0xff

/* largest ring that a 16 bit index can have, section 2.6 */
#define VP_RING_MAX 32768

/**
 * struct vp_function - a virtio function
 * @pci: the registers, as the kernel's library finds them
 * @mgmt: management device
 * @ids: what it can create: one virtio device ID
 * @features: what it offers of what the bus can carry; constant
 * @nvqs: number of virtqueues; constant
 * @sizes: largest size of each, 0 for one that is not there; constant
 * @doorbells: physical address of the capability that has the queues' doorbells; constant
 * @doorbells_len: its bytes; constant
 * @lock: protects what follows, all of &struct vp_vdpa and &struct vp_queue that is not said
 *	to be protected otherwise, and registers that depend on a selector
 * @vp: the vDPA device that was created, or NULL
 * @down: in somebody else's hands (asleep, being reset) or gone: not to be touched
 * @stuck: did not reset when it was told, and may not do DMA until it does
 */
struct vp_function {
	struct virtio_pci_modern_device pci;
	struct vdpa_mgmt_dev mgmt;
	struct virtio_device_id ids[2];
	u64 features;
	u16 nvqs;
	u16 *sizes;
	resource_size_t doorbells;
	resource_size_t doorbells_len;
	struct mutex lock; /* see above */
	struct vp_vdpa *vp;
	bool down;
	bool stuck;
};

/**
 * struct vp_queue - a virtqueue
 * @vp: device
 * @index: queue index
 * @doorbell: register that kicks it; NULL when the queue is not there
 * @doorbell_pa: its physical address
 * @num: entries
 * @desc: IOVA of the descriptor area
 * @driver: IOVA of the driver area
 * @device: IOVA of the device area
 * @ready: what set_vq_ready() said
 * @enabled: the function was told so; only a reset takes that back
 * @affinity: where its interrupt shall go, if it has one of its own
 * @spread: @affinity is valid
 * @cb_lock: protects @cb; held around the callback, so that it is not called any more
 *	once it was replaced. Taken in interrupts.
 * @cb: used buffer notification
 */
struct vp_queue {
	struct vp_vdpa *vp;
	u16 index;
	void __iomem *doorbell;
	resource_size_t doorbell_pa;
	u16 num;
	u64 desc;
	u64 driver;
	u64 device;
	bool ready;
	bool enabled;
	cpumask_var_t affinity;
	bool spread;
	spinlock_t cb_lock; /* see above */
	struct vdpa_callback cb;
};

/**
 * struct vp_vector - an interrupt of the function
 * @vp: device
 * @index: of the vector
 * @requested: it has a handler
 */
struct vp_vector {
	struct vp_vdpa *vp;
	unsigned int index;
	bool requested;
};

/**
 * struct vp_vdpa - a vDPA device
 * @vdpa: what the bus sees
 * @fn: the function behind it. Not to be reached after unregistration.
 * @offered: features that the administrator left; constant
 * @features: what the driver chose
 * @status: as last written, without what the function did to it
 * @lost: the function forgot what it was told, and the driver has to start over
 * @isolated: the driver's memory is not the kernel's
 * @queues: one for each of the function's
 * @vectors: @nr_vectors interrupts: MSI-X, the first for configuration changes; or the
 *	one that the function's pin raises
 * @nr_vectors: constant
 * @nr_used: how many of them are used; fewer after the function refused some
 * @msix: kind of @vectors; constant
 * @config_lock: as &vp_queue.cb_lock, for @config_cb
 * @config_cb: configuration change notification
 */
struct vp_vdpa {
	struct vdpa_device vdpa;
	struct vp_function *fn;
	u64 offered;
	u64 features;
	u8 status;
	bool lost;
	bool isolated;
	struct vp_queue *queues;
	struct vp_vector *vectors;
	unsigned int nr_vectors;
	unsigned int nr_used;
	bool msix;
	spinlock_t config_lock; /* see above */
	struct vdpa_callback config_cb;
};

static inline struct vp_vdpa *vdpa_to_vp(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct vp_vdpa, vdpa);
}

static inline struct device *vp_dev(const struct vp_function *fn)
{
	return &fn->pci.pci_dev->dev;
}

/* function.c */

int vp_function_inspect(struct vp_function *fn);
int vp_function_reset(struct vp_function *fn);
u8 vp_function_status(const struct vp_function *fn);
void vp_function_quiesce(struct vp_function *fn);
void vp_function_revive(struct vp_function *fn);
void vp_function_read(struct vp_function *fn, unsigned int offset, void *buf, unsigned int len);
void vp_function_write(struct vp_function *fn, unsigned int offset, const void *buf,
		       unsigned int len);

/* main.c */

int vp_function_probe(struct pci_dev *pdev);
void vp_function_remove(struct pci_dev *pdev);

/* mgmt.c */

extern const struct vdpa_mgmtdev_ops vp_mgmtdev_ops;
struct vp_vdpa *vp_vdpa_create(struct vp_function *fn, const char *name, u64 offered,
			       struct netlink_ext_ack *extack);
void vp_vdpa_destroy(struct vp_vdpa *vp);
void vp_vdpa_free(struct vdpa_device *vdpa);

/* ops.c */

extern const struct vdpa_config_ops vp_vdpa_ops;

/* queue.c */

int vp_queues_init(struct vp_vdpa *vp, struct netlink_ext_ack *extack);
void vp_queues_unmap(struct vp_vdpa *vp);
void vp_queues_free(struct vp_vdpa *vp);
void vp_queue_displace(struct vp_queue *queue);
void vp_queues_forget(struct vp_vdpa *vp);
int vp_queues_start(struct vp_vdpa *vp);
int vp_queue_set_ready(struct vp_queue *queue, bool ready);
int vp_queue_reset(struct vp_queue *queue);
bool vp_queue_own_page(const struct vp_queue *queue);

/* vector.c */

int vp_vectors_alloc(struct vp_vdpa *vp, struct netlink_ext_ack *extack);
void vp_vectors_free(struct vp_vdpa *vp);
int vp_vectors_start(struct vp_vdpa *vp);
void vp_vectors_stop(struct vp_vdpa *vp);
int vp_queue_vector_start(struct vp_queue *queue);
int vp_queue_irq(const struct vp_queue *queue);
void vp_queue_apply_affinity(struct vp_queue *queue);
void vp_tell_driver(spinlock_t *lock, const struct vdpa_callback *cb);

#endif /* _VP_VDPA_H */
