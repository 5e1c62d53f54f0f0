// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that lie to the kernel's virtio drivers, for tests: a network card, a disk and a source
 * of random numbers whose features, configuration and completions are what a random generator
 * says. "vdpa dev add name NAME mgmtdev vdpa_liar_net" (or _blk, _rng); every device lies in its
 * own way, which the module's seed repeats.
 *
 * Some lies are left out, for which Linux's drivers have no answer, here or on any other transport:
 *
 * - virtio_blk waits for each request, and virtio_net for each command, for as long as it takes:
 *   a disk, and a card with a control queue, complete what they were given, once, whatever they
 *   say of it.
 * - A request that has more descriptors than the ring waits too: a disk takes indirect ones.
 * - A disk whose segments are less than a page is a warning, and the size of its blocks is
 *   shifted as far as it says: segments are of 64 KiB at least, and a physical block is 128
 *   logical ones at most.
 * - A device that is said to work before its driver said so, or not to be reset after it was,
 *   makes them warn: no status invents DRIVER_OK, nor lies after reset.
 * - So does a number of queue pairs for which there is no memory: a card has less than 256.
 * - What is said of a frame in chained pages is believed: a card merges buffers.
 * - Of few buffers each is made to have room for the longest frame, whether it has or not, and
 *   the device writes behind it: the ring of a card has 32 entries at least.
 * - To be told to announce itself, with no queue to answer by, is a BUG: no card asks for it.
 *   So are statistics and offloads that can be asked for, without the queue to do it by.
 *
 * Locks: vdpa_device::cf_lock -> liar::lock; liar::cb_lock around callbacks.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/vdpa.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>
#include "../ring/vdpa_ring.h"

#define QUEUES_MAX 8
#define RING_MAX 256
#define CONFIG_MAX 256

/* A driver of Linux's takes no device without these. */
#define FEATURES_ALWAYS (BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))
/* The ring library cannot do without what it is told. */
#define FEATURES_NEVER BIT_ULL(VIRTIO_F_IN_ORDER)

/* What no driver takes from a card without a control queue. */
#define FEATURES_CONTROLLED \
	(BIT_ULL(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT_ULL(VIRTIO_NET_F_MQ) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_RX) | BIT_ULL(VIRTIO_NET_F_CTRL_VLAN) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_RX_EXTRA) | BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR) | \
	 BIT_ULL(VIRTIO_NET_F_RSS) | BIT_ULL(VIRTIO_NET_F_HASH_REPORT) | \
	 BIT_ULL(VIRTIO_NET_F_NOTF_COAL) | BIT_ULL(VIRTIO_NET_F_VQ_NOTF_COAL))

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "what the devices' lies begin with; there are none without");

/* how many devices there were, each of which begins elsewhere */
static atomic_t nr_liars;

/**
 * struct liar_queue - a queue of a device
 * @ring: running while it is ready and the device has DRIVER_OK
 * @config: where it is
 * @ready: what set_vq_ready() said
 * @lost: what it does with its buffers would be seen by others
 * @cb: whom to tell of used buffers; liar::cb_lock
 */
struct liar_queue {
	struct vdpa_ring *ring;
	struct vdpa_ring_config config;
	bool ready;
	bool lost;
	struct vdpa_callback cb;
};

/**
 * struct liar - the device
 * @vdpa: what the bus sees; first, for it is allocated together with this
 * @device_id: class
 * @offered: features
 * @num_max: what it says of the size of its rings
 * @config_size: what it says of its configuration
 * @prompt: completes everything once
 * @mem: translates the driver's addresses
 * @lock: protects what follows but callbacks, and the queues
 * @random: the lies to come
 * @config: configuration
 * @features: in force
 * @status: device status
 * @work: serves queues and interrupts for no reason
 * @cb_lock: protects callbacks, so that none is called any more once it was replaced
 * @config_cb: whom to tell that the configuration changed
 * @queues: all of them
 */
struct liar {
	struct vdpa_device vdpa;
	u32 device_id;
	u64 offered;
	u16 num_max;
	u16 config_size;
	bool prompt;
	struct vdpa_memory *mem;
	struct mutex lock; /* see above */
	struct rnd_state random;
	u8 config[CONFIG_MAX];
	u64 features;
	u8 status;
	struct delayed_work work;
	spinlock_t cb_lock; /* see above */
	struct vdpa_callback config_cb;
	struct liar_queue queues[QUEUES_MAX];
};

static struct liar *to_liar(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct liar, vdpa);
}

/* In one of @n cases. */
static bool one_in(struct liar *liar, u32 n)
{
	return prandom_u32_state(&liar->random) % n == 0;
}

/* Half of it zeroes, a quarter small numbers, so that some of it makes sense. */
static void invent_config(struct liar *liar)
{
	unsigned int i;

	for (i = 0; i < sizeof(liar->config); i++) {
		u32 random = prandom_u32_state(&liar->random);

		liar->config[i] = random & BIT(31) ? 0 : random & BIT(30) ? random & 3 : random;
	}
	if (liar->device_id == VIRTIO_ID_NET) {
		liar->config[offsetof(struct virtio_net_config, status)] &= ~VIRTIO_NET_S_ANNOUNCE;
		liar->config[offsetof(struct virtio_net_config, max_virtqueue_pairs) + 1] = 0;
	}
	if (liar->device_id == VIRTIO_ID_BLOCK) {
		liar->config[offsetof(struct virtio_blk_config, physical_block_exp)] &= 7;
		liar->config[offsetof(struct virtio_blk_config, size_max) + 2] |= 1;
	}
}

/* The data path */

static int fill(struct liar *liar, struct vdpa_chain *chain)
{
	u8 bytes[64];
	ssize_t done;

	while (chain->in.left) {
		prandom_bytes_state(&liar->random, bytes, sizeof(bytes));
		done = vdpa_chain_push(chain, bytes, min(chain->in.left, sizeof(bytes)));
		if (done < 0)
			return done;
	}
	return 0;
}

/* Returns whether the chain is completed; its length may be another by then. */
static bool spoil(struct liar *liar, struct vdpa_chain *chain)
{
	if (one_in(liar, 4))
		chain->pushed = prandom_u32_state(&liar->random);
	if (liar->prompt)
		return true;
	return !one_in(liar, 32);
}

static void serve(struct liar *liar, struct liar_queue *queue)
{
	struct vdpa_chain chain;
	unsigned int left = queue->config.num;

	while (left-- && vdpa_ring_next(queue->ring, &chain) > 0) {
		if (fill(liar, &chain))
			return;
		if (!spoil(liar, &chain))
			continue;
		vdpa_ring_complete(queue->ring, &chain);
		if (!liar->prompt && left && one_in(liar, 64)) {
			/*
			 * Once more, perhaps as another. It is not known any longer which buffers
			 * still are the device's: from here on none is touched.
			 */
			if (one_in(liar, 2))
				chain.id = prandom_u32_state(&liar->random);
			vdpa_ring_complete(queue->ring, &chain);
			queue->lost = true;
			return;
		}
	}
}

static void interrupt(struct liar *liar, const struct vdpa_callback *cb)
{
	scoped_guard(spinlock_irqsave, &liar->cb_lock)
		if (cb->callback)
			cb->callback(cb->private);
}

static void work(struct work_struct *work)
{
	struct liar *liar = container_of(work, struct liar, work.work);
	unsigned long notify = 0;
	unsigned int i;

	scoped_guard(mutex, &liar->lock) {
		if (!(liar->status & VIRTIO_CONFIG_S_DRIVER_OK) || vdpa_memory_enter(liar->mem))
			return;
		for (i = 0; i < liar->vdpa.nvqs; i++) {
			if (!vdpa_ring_running(liar->queues[i].ring))
				continue;
			if (!liar->queues[i].lost)
				serve(liar, &liar->queues[i]);
			if (vdpa_ring_flush(liar->queues[i].ring) > 0 || one_in(liar, 16))
				notify |= BIT(i);
			vdpa_ring_enable_kick(liar->queues[i].ring);
		}
		vdpa_memory_exit(liar->mem);
		if (one_in(liar, 16))
			invent_config(liar);
		if (one_in(liar, 256))
			liar->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	}
	for_each_set_bit(i, &notify, QUEUES_MAX)
		interrupt(liar, &liar->queues[i].cb);
	if (notify & 1)
		interrupt(liar, &liar->config_cb);
	/* what is not kicked for is found anyway */
	schedule_delayed_work(&liar->work, msecs_to_jiffies(5));
}

/* Queues follow what was said of them and of the device. */
static void update(struct liar *liar)
{
	unsigned int i;

	lockdep_assert_held(&liar->lock);

	for (i = 0; i < liar->vdpa.nvqs; i++) {
		struct liar_queue *queue = &liar->queues[i];
		bool run = queue->ready && (liar->status & VIRTIO_CONFIG_S_DRIVER_OK);

		if (vdpa_ring_running(queue->ring) && !run) {
			vdpa_ring_stop(queue->ring);
		} else if (!vdpa_ring_running(queue->ring) && run) {
			queue->config.features = liar->features;
			/* where a packed ring begins (2.8.1); a split one has none */
			queue->config.state.avail_wrap = true;
			queue->config.state.used_wrap = true;
			if (vdpa_ring_start(queue->ring, &queue->config))
				liar->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
		}
	}
	if (liar->status & VIRTIO_CONFIG_S_DRIVER_OK)
		schedule_delayed_work(&liar->work, 0);
}

/* Operations on a queue */

static int liar_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc, u64 driver, u64 device)
{
	struct liar *liar = to_liar(vdpa);

	guard(mutex)(&liar->lock);
	liar->queues[idx].config.desc = desc;
	liar->queues[idx].config.driver = driver;
	liar->queues[idx].config.device = device;
	return 0;
}

static void liar_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	guard(mutex)(&to_liar(vdpa)->lock);
	to_liar(vdpa)->queues[idx].config.num = num;
}

/* Any context: only say that there is work. */
static void liar_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	mod_delayed_work(system_wq, &to_liar(vdpa)->work, 0);
}

static void liar_set_vq_cb(struct vdpa_device *vdpa, u16 idx, struct vdpa_callback *cb)
{
	scoped_guard(spinlock_irqsave, &to_liar(vdpa)->cb_lock)
		to_liar(vdpa)->queues[idx].cb = *cb;
}

static void liar_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	guard(mutex)(&to_liar(vdpa)->lock);
	to_liar(vdpa)->queues[idx].ready = ready;
	update(to_liar(vdpa));
}

static bool liar_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	guard(mutex)(&to_liar(vdpa)->lock);
	return to_liar(vdpa)->queues[idx].ready ^ one_in(to_liar(vdpa), 16);
}

static int liar_set_vq_state(struct vdpa_device *vdpa, u16 idx, const struct vdpa_vq_state *state)
{
	return 0;
}

static int liar_get_vq_state(struct vdpa_device *vdpa, u16 idx, struct vdpa_vq_state *state)
{
	guard(mutex)(&to_liar(vdpa)->lock);
	state->split.avail_index = prandom_u32_state(&to_liar(vdpa)->random);
	return 0;
}

static u32 liar_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

static u16 liar_get_vq_num_max(struct vdpa_device *vdpa)
{
	return to_liar(vdpa)->num_max;
}

/* Operations on the device */

static u64 liar_get_device_features(struct vdpa_device *vdpa)
{
	return to_liar(vdpa)->offered;
}

static int liar_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	to_liar(vdpa)->features = features;
	return 0;
}

static u64 liar_get_driver_features(struct vdpa_device *vdpa)
{
	return to_liar(vdpa)->features;
}

static u32 liar_get_device_id(struct vdpa_device *vdpa)
{
	return to_liar(vdpa)->device_id;
}

static u32 liar_get_vendor_id(struct vdpa_device *vdpa)
{
	return 0;
}

static u8 liar_get_status(struct vdpa_device *vdpa)
{
	struct liar *liar = to_liar(vdpa);

	guard(mutex)(&liar->lock);
	if (liar->status && one_in(liar, 64))
		return (prandom_u32_state(&liar->random) & ~VIRTIO_CONFIG_S_DRIVER_OK) |
		       (liar->status & VIRTIO_CONFIG_S_DRIVER_OK);
	return liar->status;
}

static void liar_set_status(struct vdpa_device *vdpa, u8 status)
{
	guard(mutex)(&to_liar(vdpa)->lock);
	to_liar(vdpa)->status = status;
	update(to_liar(vdpa));
}

static int liar_reset(struct vdpa_device *vdpa)
{
	struct liar *liar = to_liar(vdpa);
	unsigned int i;

	scoped_guard(mutex, &liar->lock) {
		for (i = 0; i < vdpa->nvqs; i++)
			liar->queues[i].ready = liar->queues[i].lost = false;
		liar->status = 0;
		update(liar);
		for (i = 0; i < vdpa->nvqs; i++)
			memset(&liar->queues[i].config, 0, sizeof(liar->queues[i].config));
		liar->features = 0;
	}
	scoped_guard(spinlock_irqsave, &liar->cb_lock)
		for (i = 0; i < vdpa->nvqs; i++)
			liar->queues[i].cb = (struct vdpa_callback) {};
	return 0;
}

static void liar_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb)
{
	scoped_guard(spinlock_irqsave, &to_liar(vdpa)->cb_lock)
		to_liar(vdpa)->config_cb = *cb;
}

static size_t liar_get_config_size(struct vdpa_device *vdpa)
{
	return to_liar(vdpa)->config_size;
}

static void liar_get_config(struct vdpa_device *vdpa, unsigned int offset, void *buf,
			    unsigned int len)
{
	struct liar *liar = to_liar(vdpa);

	guard(mutex)(&liar->lock);
	memset(buf, 0xff, len);
	if (offset < CONFIG_MAX)
		memcpy(buf, liar->config + offset, min(len, CONFIG_MAX - offset));
}

static void liar_set_config(struct vdpa_device *vdpa, unsigned int offset, const void *buf,
			    unsigned int len)
{
}

static u32 liar_get_generation(struct vdpa_device *vdpa)
{
	guard(mutex)(&to_liar(vdpa)->lock);
	/* a driver reads again for as long as it changes */
	return one_in(to_liar(vdpa), 4);
}

static int liar_set_map(struct vdpa_device *vdpa, unsigned int asid, struct vhost_iotlb *iotlb)
{
	return vdpa_memory_set(to_liar(vdpa)->mem, asid, iotlb);
}

static void liar_isolate(struct vdpa_device *vdpa, bool on)
{
	vdpa_memory_clear(to_liar(vdpa)->mem, 0, !on);
}

static void liar_free(struct vdpa_device *vdpa)
{
	struct liar *liar = to_liar(vdpa);
	unsigned int i;

	cancel_delayed_work_sync(&liar->work);
	for (i = 0; i < QUEUES_MAX; i++)
		if (liar->queues[i].ring)
			vdpa_ring_free(liar->queues[i].ring);
	if (liar->mem)
		vdpa_memory_free(liar->mem);
}

static const struct vdpa_config_ops liar_ops = {
	.set_vq_address = liar_set_vq_address,
	.set_vq_num = liar_set_vq_num,
	.kick_vq = liar_kick_vq,
	.set_vq_cb = liar_set_vq_cb,
	.set_vq_ready = liar_set_vq_ready,
	.get_vq_ready = liar_get_vq_ready,
	.set_vq_state = liar_set_vq_state,
	.get_vq_state = liar_get_vq_state,
	.get_vq_align = liar_get_vq_align,
	.get_vq_num_max = liar_get_vq_num_max,
	.get_device_features = liar_get_device_features,
	.set_driver_features = liar_set_driver_features,
	.get_driver_features = liar_get_driver_features,
	.get_device_id = liar_get_device_id,
	.get_vendor_id = liar_get_vendor_id,
	.get_status = liar_get_status,
	.set_status = liar_set_status,
	.reset = liar_reset,
	.set_config_cb = liar_set_config_cb,
	.get_config_size = liar_get_config_size,
	.get_config = liar_get_config,
	.set_config = liar_set_config,
	.get_generation = liar_get_generation,
	.set_map = liar_set_map,
	.isolate = liar_isolate,
	.free = liar_free,
};

/* Management devices, one for each class */

static u64 invent_features(struct liar *liar)
{
	u64 high = prandom_u32_state(&liar->random);

	return high << 32 | prandom_u32_state(&liar->random);
}

/* What it will always say of itself. */
static void invent(struct liar *liar)
{
	prandom_seed_state(&liar->random, seed * 1000003ull + atomic_inc_return(&nr_liars));
	liar->offered = invent_features(liar);
	/* of many features, some want others; a driver takes a device with few more often */
	if (!one_in(liar, 4)) {
		liar->offered &= invent_features(liar);
		liar->offered &= invent_features(liar);
	}
	liar->offered = FEATURES_ALWAYS | (liar->offered & ~FEATURES_NEVER);
	if (liar->device_id == VIRTIO_ID_BLOCK)
		liar->offered |= BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	if (liar->device_id == VIRTIO_ID_NET) {
		liar->offered |= BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);
		if (!(liar->offered & BIT_ULL(VIRTIO_NET_F_CTRL_VQ))) {
			liar->offered &= ~(BIT_ULL(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |
					   BIT_ULL(VIRTIO_NET_F_DEVICE_STATS));
			if (!one_in(liar, 8))
				liar->offered &= ~FEATURES_CONTROLLED;
		}
	}
	liar->prompt = liar->device_id == VIRTIO_ID_BLOCK ||
		       (liar->device_id == VIRTIO_ID_NET &&
			(liar->offered & BIT_ULL(VIRTIO_NET_F_CTRL_VQ)));
	liar->num_max = one_in(liar, 8) ? prandom_u32_state(&liar->random) % (RING_MAX + 1) :
			1 << prandom_u32_state(&liar->random) % 9;
	if (liar->device_id == VIRTIO_ID_NET)
		liar->num_max = max(liar->num_max, 32);
	liar->config_size = one_in(liar, 8) ? prandom_u32_state(&liar->random) % CONFIG_MAX :
			    CONFIG_MAX;
	invent_config(liar);
}

static int liar_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
			const struct vdpa_dev_set_config *config)
{
	struct liar *liar;
	unsigned int i;
	int err = -ENOMEM;

	liar = vdpa_alloc_device(struct liar, vdpa, mgmt->device, &liar_ops, 1, 1, name, false);
	if (IS_ERR(liar))
		return PTR_ERR(liar);

	mutex_init(&liar->lock);
	spin_lock_init(&liar->cb_lock);
	INIT_DELAYED_WORK(&liar->work, work);
	liar->device_id = mgmt->id_table->device;
	liar->vdpa.mdev = mgmt;
	liar->vdpa.dma_dev = &liar->vdpa.dev;
	invent(liar);
	liar->mem = vdpa_memory_alloc(1, 0);
	if (!liar->mem)
		goto err;
	vdpa_memory_clear(liar->mem, 0, true);
	for (i = 0; i < QUEUES_MAX; i++) {
		liar->queues[i].ring = vdpa_ring_alloc(liar->mem, RING_MAX);
		if (!liar->queues[i].ring)
			goto err;
	}
	err = _vdpa_register_device(&liar->vdpa,
				    1 + prandom_u32_state(&liar->random) % QUEUES_MAX);
	if (!err)
		return 0;
err:
	put_device(&liar->vdpa.dev);
	return err;
}

static void liar_dev_del(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa)
{
	_vdpa_unregister_device(vdpa);
}

static const struct vdpa_mgmtdev_ops liar_mgmt_ops = {
	.dev_add = liar_dev_add,
	.dev_del = liar_dev_del,
};

static struct virtio_device_id liar_ids[][2] = {
	{ { VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID }, { 0 } },
	{ { VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID }, { 0 } },
	{ { VIRTIO_ID_RNG, VIRTIO_DEV_ANY_ID }, { 0 } },
};

static const char *const liar_names[] = { "vdpa_liar_net", "vdpa_liar_blk", "vdpa_liar_rng" };

static struct vdpa_mgmt_dev liar_mgmts[ARRAY_SIZE(liar_names)];

static void liar_mgmts_remove(unsigned int nr)
{
	while (nr--) {
		vdpa_mgmtdev_unregister(&liar_mgmts[nr]);
		root_device_unregister(liar_mgmts[nr].device);
	}
}

static int __init liar_init(void)
{
	unsigned int i;
	int err;

	if (!seed)
		return -ENODEV;
	for (i = 0; i < ARRAY_SIZE(liar_names); i++) {
		struct device *root = root_device_register(liar_names[i]);

		err = PTR_ERR_OR_ZERO(root);
		if (err)
			goto err;
		liar_mgmts[i] = (struct vdpa_mgmt_dev) {
			.device = root,
			.ops = &liar_mgmt_ops,
			.id_table = liar_ids[i],
			.max_supported_vqs = QUEUES_MAX,
		};
		err = vdpa_mgmtdev_register(&liar_mgmts[i]);
		if (err) {
			root_device_unregister(root);
			goto err;
		}
	}
	return 0;
err:
	liar_mgmts_remove(i);
	return err;
}
module_init(liar_init);

static void __exit liar_exit(void)
{
	liar_mgmts_remove(ARRAY_SIZE(liar_names));
}
module_exit(liar_exit);

MODULE_DESCRIPTION("vDPA devices that lie, for tests");
MODULE_LICENSE("GPL");
