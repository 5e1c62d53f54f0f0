// SPDX-License-Identifier: GPL-2.0-only
/*
 * A complete parent, as small as one can be: a source of random numbers (virtio 1.2 section
 * 5.4), one queue whose buffers are filled. Made of software on the ring library; hardware
 * would be told in the same places what is kept in a structure here.
 *
 * Locks: vdpa_device::cf_lock -> rng::lock; rng::cb_lock around the callback.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/vdpa.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>
#include "../../drivers/vdpa/ring/vdpa_ring.h"

#define RING_MAX 64

/* Section 6: what is needed, and a queue that is reset by itself is not among it. */
#define FEATURES (BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

/**
 * struct rng - the device
 * @vdpa: what the bus sees; first, for it is allocated together with this
 * @mem: translates the driver's addresses
 * @ring: the queue, running while it is ready and the device has DRIVER_OK
 * @lock: protects what follows but the callback
 * @config: where the queue is
 * @ready: what set_vq_ready() said
 * @features: in force
 * @status: device status
 * @work: fills buffers, away from the context of a kick
 * @cb_lock: protects @cb, so that it is not called any more once it was replaced
 * @cb: whom to tell of used buffers
 */
struct rng {
	struct vdpa_device vdpa;
	struct vdpa_memory *mem;
	struct vdpa_ring *ring;
	struct mutex lock; /* see above */
	struct vdpa_ring_config config;
	bool ready;
	u64 features;
	u8 status;
	struct work_struct work;
	spinlock_t cb_lock; /* see above */
	struct vdpa_callback cb;
};

static struct rng *to_rng(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct rng, vdpa);
}

/* The data path */

static int fill(struct vdpa_chain *chain)
{
	u8 bytes[64];
	ssize_t done;

	while (chain->in.left) {
		get_random_bytes(bytes, sizeof(bytes));
		done = vdpa_chain_push(chain, bytes, min(chain->in.left, sizeof(bytes)));
		if (done < 0)
			return done;
	}
	return 0;
}

/* What a driver does wrong breaks the ring, which stops and says so. */
static void fill_all(struct rng *rng)
{
	struct vdpa_chain chain;

	while (vdpa_ring_next(rng->ring, &chain) > 0) {
		if (fill(&chain))
			return;
		vdpa_ring_complete(rng->ring, &chain);
	}
}

static void notify(struct rng *rng)
{
	scoped_guard(spinlock_irqsave, &rng->cb_lock)
		if (rng->cb.callback)
			rng->cb.callback(rng->cb.private);
}

static void work(struct work_struct *work)
{
	struct rng *rng = container_of(work, struct rng, work);
	bool used = false, more = false;

	scoped_guard(mutex, &rng->lock) {
		if (!vdpa_ring_running(rng->ring) || vdpa_memory_enter(rng->mem))
			return;
		fill_all(rng);
		used = vdpa_ring_flush(rng->ring) > 0;
		/* from here on the driver kicks again; what came before it did is seen now */
		more = vdpa_ring_enable_kick(rng->ring) > 0;
		vdpa_memory_exit(rng->mem);
		if (vdpa_ring_broken(rng->ring))
			rng->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	}
	if (used)
		notify(rng);
	if (more)
		schedule_work(&rng->work);
}

/* The queue follows what was said of it and of the device. */
static void update(struct rng *rng)
{
	bool run = rng->ready && (rng->status & VIRTIO_CONFIG_S_DRIVER_OK);

	lockdep_assert_held(&rng->lock);

	if (vdpa_ring_running(rng->ring) && !run) {
		vdpa_ring_get_state(rng->ring, &rng->config.state);
		vdpa_ring_stop(rng->ring);
	} else if (!vdpa_ring_running(rng->ring) && run) {
		rng->config.features = rng->features;
		if (vdpa_ring_start(rng->ring, &rng->config))
			rng->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
		else
			schedule_work(&rng->work);
	}
}

/* Operations on the queue; there is one, so its index is always 0 */

static int rng_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc, u64 driver, u64 device)
{
	struct rng *rng = to_rng(vdpa);

	guard(mutex)(&rng->lock);
	rng->config.desc = desc;
	rng->config.driver = driver;
	rng->config.device = device;
	return 0;
}

static void rng_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	guard(mutex)(&to_rng(vdpa)->lock);
	to_rng(vdpa)->config.num = num;
}

/* Any context, perhaps under the lock that the callback takes: only say that there is work. */
static void rng_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	schedule_work(&to_rng(vdpa)->work);
}

static void rng_set_vq_cb(struct vdpa_device *vdpa, u16 idx, struct vdpa_callback *cb)
{
	scoped_guard(spinlock_irqsave, &to_rng(vdpa)->cb_lock)
		to_rng(vdpa)->cb = *cb;
}

static void rng_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	guard(mutex)(&to_rng(vdpa)->lock);
	to_rng(vdpa)->ready = ready;
	update(to_rng(vdpa));
}

static bool rng_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	return READ_ONCE(to_rng(vdpa)->ready);
}

static int rng_set_vq_state(struct vdpa_device *vdpa, u16 idx, const struct vdpa_vq_state *state)
{
	guard(mutex)(&to_rng(vdpa)->lock);
	to_rng(vdpa)->config.state.avail = state->split.avail_index;
	return 0;
}

static int rng_get_vq_state(struct vdpa_device *vdpa, u16 idx, struct vdpa_vq_state *state)
{
	guard(mutex)(&to_rng(vdpa)->lock);
	state->split.avail_index = to_rng(vdpa)->config.state.avail;
	return 0;
}

static u32 rng_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

static u16 rng_get_vq_num_max(struct vdpa_device *vdpa)
{
	return RING_MAX;
}

/* Operations on the device */

static u64 rng_get_device_features(struct vdpa_device *vdpa)
{
	return FEATURES;
}

static int rng_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	/* it must know that its addresses are translated */
	if (features != FEATURES)
		return -EINVAL;
	to_rng(vdpa)->features = features;
	return 0;
}

static u64 rng_get_driver_features(struct vdpa_device *vdpa)
{
	return to_rng(vdpa)->features;
}

static u32 rng_get_device_id(struct vdpa_device *vdpa)
{
	return VIRTIO_ID_RNG;
}

static u32 rng_get_vendor_id(struct vdpa_device *vdpa)
{
	return 0;
}

static u8 rng_get_status(struct vdpa_device *vdpa)
{
	return READ_ONCE(to_rng(vdpa)->status);
}

static void rng_set_status(struct vdpa_device *vdpa, u8 status)
{
	guard(mutex)(&to_rng(vdpa)->lock);
	to_rng(vdpa)->status = status;
	update(to_rng(vdpa));
}

static int rng_reset(struct vdpa_device *vdpa)
{
	struct rng *rng = to_rng(vdpa);
	struct vdpa_callback none = {};

	scoped_guard(mutex, &rng->lock) {
		rng->ready = false;
		rng->status = 0;
		update(rng);
		memset(&rng->config, 0, sizeof(rng->config));
		rng->features = 0;
	}
	rng_set_vq_cb(vdpa, 0, &none);
	return 0;
}

/* There is no configuration space, so it does not change either. */

static void rng_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb)
{
}

static size_t rng_get_config_size(struct vdpa_device *vdpa)
{
	return 0;
}

static void rng_get_config(struct vdpa_device *vdpa, unsigned int offset, void *buf,
			   unsigned int len)
{
}

static void rng_set_config(struct vdpa_device *vdpa, unsigned int offset, const void *buf,
			   unsigned int len)
{
}

/* Address space: a kernel driver needs no maps, a process reaches nothing without. */

static int rng_set_map(struct vdpa_device *vdpa, unsigned int asid, struct vhost_iotlb *iotlb)
{
	return vdpa_memory_set(to_rng(vdpa)->mem, asid, iotlb);
}

static void rng_isolate(struct vdpa_device *vdpa, bool on)
{
	vdpa_memory_clear(to_rng(vdpa)->mem, 0, !on);
}

static void rng_free(struct vdpa_device *vdpa)
{
	struct rng *rng = to_rng(vdpa);

	cancel_work_sync(&rng->work);
	vdpa_ring_free(rng->ring);
	vdpa_memory_free(rng->mem);
}

static const struct vdpa_config_ops rng_ops = {
	.set_vq_address = rng_set_vq_address,
	.set_vq_num = rng_set_vq_num,
	.kick_vq = rng_kick_vq,
	.set_vq_cb = rng_set_vq_cb,
	.set_vq_ready = rng_set_vq_ready,
	.get_vq_ready = rng_get_vq_ready,
	.set_vq_state = rng_set_vq_state,
	.get_vq_state = rng_get_vq_state,
	.get_vq_align = rng_get_vq_align,
	.get_vq_num_max = rng_get_vq_num_max,
	.get_device_features = rng_get_device_features,
	.set_driver_features = rng_set_driver_features,
	.get_driver_features = rng_get_driver_features,
	.get_device_id = rng_get_device_id,
	.get_vendor_id = rng_get_vendor_id,
	.get_status = rng_get_status,
	.set_status = rng_set_status,
	.reset = rng_reset,
	.set_config_cb = rng_set_config_cb,
	.get_config_size = rng_get_config_size,
	.get_config = rng_get_config,
	.set_config = rng_set_config,
	.set_map = rng_set_map,
	.isolate = rng_isolate,
	.free = rng_free,
};

/* The management device: "vdpa dev add name NAME mgmtdev vdpa_rng" */

static int rng_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
		       const struct vdpa_dev_set_config *config)
{
	struct rng *rng;
	int err = -ENOMEM;

	rng = vdpa_alloc_device(struct rng, vdpa, mgmt->device, &rng_ops, 1, 1, name, false);
	if (IS_ERR(rng))
		return PTR_ERR(rng);

	mutex_init(&rng->lock);
	spin_lock_init(&rng->cb_lock);
	INIT_WORK(&rng->work, work);
	rng->vdpa.mdev = mgmt;
	rng->vdpa.dma_dev = &rng->vdpa.dev;
	rng->mem = vdpa_memory_alloc(1, 0);
	if (rng->mem)
		rng->ring = vdpa_ring_alloc(rng->mem, RING_MAX);
	if (rng->ring) {
		vdpa_memory_clear(rng->mem, 0, true);
		err = _vdpa_register_device(&rng->vdpa, 1);
	}
	if (err)
		put_device(&rng->vdpa.dev);
	return err;
}

static void rng_dev_del(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa)
{
	_vdpa_unregister_device(vdpa);
}

static const struct vdpa_mgmtdev_ops rng_mgmt_ops = {
	.dev_add = rng_dev_add,
	.dev_del = rng_dev_del,
};

static struct virtio_device_id rng_ids[] = {
	{ VIRTIO_ID_RNG, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct vdpa_mgmt_dev rng_mgmt = {
	.ops = &rng_mgmt_ops,
	.id_table = rng_ids,
	.max_supported_vqs = 1,
	.supported_features = FEATURES,
};

static int __init rng_init(void)
{
	struct device *root = root_device_register("vdpa_rng");
	int err;

	if (IS_ERR(root))
		return PTR_ERR(root);
	rng_mgmt.device = root;
	err = vdpa_mgmtdev_register(&rng_mgmt);
	if (err)
		root_device_unregister(root);
	return err;
}
module_init(rng_init);

static void __exit rng_exit(void)
{
	vdpa_mgmtdev_unregister(&rng_mgmt);
	root_device_unregister(rng_mgmt.device);
}
module_exit(rng_exit);

MODULE_DESCRIPTION("sample of a vDPA parent: random numbers");
MODULE_LICENSE("GPL");
