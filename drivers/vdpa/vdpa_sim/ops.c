// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated devices: the operations that bus drivers call.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/vhost_types.h>
#include <linux/virtio_byteorder.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include "vdpa_sim.h"

static bool batch_mapping = true;
module_param(batch_mapping, bool, 0444);
MODULE_PARM_DESC(batch_mapping, "take maps whole (1, default) or range by range (0)");

static int max_iotlb_entries = 2048;
module_param(max_iotlb_entries, int, 0444);
MODULE_PARM_DESC(max_iotlb_entries,
		 "most maps of an address space, 0 for no limit (default 2048); range by range there is none");

static bool use_va = true;
module_param(use_va, bool, 0444);
MODULE_PARM_DESC(use_va, "reach a process's memory by its addresses (1, default) or by pinned pages (0)");

/* Largest configuration space of a class, in bytes. */
#define CONFIG_MAX 128

/**
 * vdpa_sim_use_va() - do maps carry virtual addresses
 *
 * Return: the module's parameter.
 */
bool vdpa_sim_use_va(void)
{
	return use_va;
}

/**
 * vdpa_sim_max_maps() - most maps of an address space
 *
 * Ranges that come one by one may be pieces of one map, as many as memory is scattered,
 * and it is not for the device to say how much it may be.
 *
 * Return: the module's parameter, or 0 for no limit.
 */
unsigned int vdpa_sim_max_maps(void)
{
	return batch_mapping ? max(max_iotlb_entries, 0) : 0;
}

/* The bus driver gives indices below nvqs; under speculation too. */
static struct vdpa_sim_queue *queue_of(struct vdpa_device *vdpa, u16 idx)
{
	return &vdpa_to_sim(vdpa)->queues[array_index_nospec(idx, vdpa->nvqs)];
}

/* Virtqueues */

static int sim_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc_area,
			      u64 driver_area, u64 device_area)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);

	guard(mutex)(&queue->lock);
	queue->desc = desc_area;
	queue->driver = driver_area;
	queue->device = device_area;
	return 0;
}

static void sim_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);

	guard(mutex)(&queue->lock);
	queue->num = num;
}

static void sim_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	if (idx < vdpa->nvqs)
		vdpa_sim_queue_kick(queue_of(vdpa, idx));
}

static void sim_set_vq_cb(struct vdpa_device *vdpa, u16 idx,
			  struct vdpa_callback *cb)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);

	scoped_guard(spinlock_irqsave, &queue->cb_lock)
		queue->cb = *cb;
}

static void sim_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);

	scoped_guard(mutex, &queue->lock)
		queue->ready = ready;
	vdpa_sim_queue_update(queue);
}

static bool sim_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	return READ_ONCE(queue_of(vdpa, idx)->ready);
}

static bool is_packed(const struct vdpa_sim *sim)
{
	return sim->features & BIT_ULL(VIRTIO_F_RING_PACKED);
}

static int sim_set_vq_state(struct vdpa_device *vdpa, u16 idx,
			    const struct vdpa_vq_state *state)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);
	const struct vdpa_vq_state_packed *packed = &state->packed;

	guard(mutex)(&queue->lock);
	if (is_packed(queue->sim))
		queue->state = (struct vdpa_ring_state) {
			.avail = packed->last_avail_idx,
			.avail_wrap = packed->last_avail_counter,
			.used = packed->last_used_idx,
			.used_wrap = packed->last_used_counter,
		};
	else
		queue->state.avail = state->split.avail_index;
	return 0;
}

static int sim_get_vq_state(struct vdpa_device *vdpa, u16 idx,
			    struct vdpa_vq_state *state)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);
	struct vdpa_ring_state at;

	guard(mutex)(&queue->lock);
	at = queue->state;
	if (vdpa_ring_running(queue->ring))
		vdpa_ring_get_state(queue->ring, &at);
	if (is_packed(queue->sim))
		state->packed = (struct vdpa_vq_state_packed) {
			.last_avail_idx = at.avail,
			.last_avail_counter = at.avail_wrap,
			.last_used_idx = at.used,
			.last_used_counter = at.used_wrap,
		};
	else
		state->split.avail_index = at.avail;
	return 0;
}

static void sim_reset_vq(struct vdpa_device *vdpa, u16 idx)
{
	vdpa_sim_queue_reset(queue_of(vdpa, idx));
}

static void sim_get_vq_info(struct vdpa_device *vdpa, u16 idx, struct vdpa_vq_info *info)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);
	struct vdpa_sim *sim = queue->sim;
	struct vdpa_ring_state at;

	guard(mutex)(&queue->lock);
	at = queue->state;
	if (vdpa_ring_running(queue->ring))
		vdpa_ring_get_state(queue->ring, &at);
	info->has = VDPA_VQ_HAS_POSITION | VDPA_VQ_HAS_COUNTS | VDPA_VQ_HAS_ASID;
	info->num = queue->num;
	info->ready = queue->ready;
	info->avail = at.avail;
	info->used = at.used;
	info->interrupts = queue->interrupts;
	info->asid = READ_ONCE(sim->group_asid[vdpa_sim_group(sim, idx)]);
	scoped_guard(spinlock_irq, &queue->kick_lock)
		info->kicks = queue->kicks;
}

static int sim_set_vq_affinity(struct vdpa_device *vdpa, u16 idx,
			       const struct cpumask *mask)
{
	return vdpa_sim_queue_set_affinity(queue_of(vdpa, idx), mask);
}

static const struct cpumask *sim_get_vq_affinity(struct vdpa_device *vdpa, u16 idx)
{
	return READ_ONCE(queue_of(vdpa, idx)->affinity);
}

static int sim_get_vq_stats(struct vdpa_device *vdpa, u16 idx,
			    struct sk_buff *msg, struct netlink_ext_ack *extack)
{
	struct vdpa_sim_queue *queue = queue_of(vdpa, idx);
	const char *const *names;
	unsigned int i, count;

	guard(mutex)(&queue->lock);
	names = queue->sim->class->stat_names(queue, &count);
	for (i = 0; i < count; i++)
		if (nla_put_string(msg, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, names[i]) ||
		    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE,
				      queue->stats[i], VDPA_ATTR_PAD))
			return -EMSGSIZE;
	return 0;
}

static u16 sim_get_vq_size(struct vdpa_device *vdpa, u16 idx)
{
	return VDPA_SIM_RING_MAX;
}

static u16 sim_get_vq_num_max(struct vdpa_device *vdpa)
{
	return VDPA_SIM_RING_MAX;
}

static u32 sim_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

/* The group of a queue's buffers. */
u32 vdpa_sim_group(struct vdpa_sim *sim, u16 index)
{
	return sim->class->group ? sim->class->group(sim, index) : 0;
}

/* The group of its ring. */
u32 vdpa_sim_ring_group(struct vdpa_sim *sim, u16 index)
{
	return vdpa_sim_group(sim, index) ?: sim->class->ring_group;
}

static u32 sim_get_vq_group(struct vdpa_device *vdpa, u16 idx)
{
	return vdpa_sim_group(vdpa_to_sim(vdpa), idx);
}

static u32 sim_get_vq_desc_group(struct vdpa_device *vdpa, u16 idx)
{
	return vdpa_sim_ring_group(vdpa_to_sim(vdpa), idx);
}

/* Everything is in the first address space. */
void vdpa_sim_default_groups(struct vdpa_sim *sim)
{
	unsigned int i;

	for (i = 0; i < sim->vdpa.ngroups; i++)
		sim->group_asid[i] = 0;
	sim->group_asid[sim->class->ring_group] = VDPA_SIM_FOLLOW;
}

/* Features, status, configuration space */

static u64 sim_get_device_features(struct vdpa_device *vdpa)
{
	return vdpa_to_sim(vdpa)->offered;
}

static u64 sim_get_backend_features(const struct vdpa_device *vdpa)
{
	return BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK);
}

/*
 * Memory is reached through the device's maps: a driver must know that it is. Rings
 * are little endian, also those of a driver that does not know VIRTIO_F_VERSION_1.
 */
static int sim_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	if (!(features & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM)) ||
	    features & ~sim->offered)
		return -EINVAL;
	if (!(features & BIT_ULL(VIRTIO_F_VERSION_1)) &&
	    !virtio_legacy_is_little_endian())
		return -EINVAL;
	sim->features = features;
	return 0;
}

static u64 sim_get_driver_features(struct vdpa_device *vdpa)
{
	return vdpa_to_sim(vdpa)->features;
}

static void sim_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	scoped_guard(spinlock_irqsave, &sim->config_cb_lock)
		sim->config_cb = *cb;
}

static u32 sim_get_device_id(struct vdpa_device *vdpa)
{
	return vdpa_to_sim(vdpa)->class->id;
}

static u32 sim_get_vendor_id(struct vdpa_device *vdpa)
{
	return 0;
}

static u8 sim_get_status(struct vdpa_device *vdpa)
{
	return READ_ONCE(vdpa_to_sim(vdpa)->status);
}

/* Start or stop what depends on DRIVER_OK and on suspension. */
static void sim_run(struct vdpa_sim *sim, bool run)
{
	WRITE_ONCE(sim->running, run);
	vdpa_sim_queues_update(sim);
}

static void sim_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	/* only a reset takes NEEDS_RESET back */
	scoped_guard(spinlock, &sim->state_lock)
		WRITE_ONCE(sim->status,
			   status | (sim->status & VIRTIO_CONFIG_S_NEEDS_RESET));

	sim_run(sim, status & VIRTIO_CONFIG_S_DRIVER_OK && !sim->suspended);
}

static void sim_clear_maps(struct vdpa_sim *sim, unsigned int asid)
{
	vdpa_memory_clear(sim->mem, asid, !sim->isolated);
}

/**
 * vdpa_sim_default_maps() - return every address space to its default
 * @sim: device
 *
 * Context: Process context. Waits for bursts.
 */
void vdpa_sim_default_maps(struct vdpa_sim *sim)
{
	unsigned int asid;

	for (asid = 0; asid < sim->vdpa.nas; asid++)
		sim_clear_maps(sim, asid);
}

static int sim_compat_reset(struct vdpa_device *vdpa, u32 flags)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);
	unsigned int i;

	WRITE_ONCE(sim->running, false);
	for (i = 0; i < vdpa->nvqs; i++)
		vdpa_sim_queue_reset(&sim->queues[i]);

	scoped_guard(spinlock_irqsave, &sim->config_cb_lock)
		sim->config_cb = (struct vdpa_callback) {};
	scoped_guard(spinlock, &sim->state_lock)
		WRITE_ONCE(sim->status, 0);
	vdpa_sim_default_groups(sim);
	sim->features = 0;
	sim->suspended = false;
	if (sim->class->reset)
		sim->class->reset(sim);

	if (flags & VDPA_RESET_F_CLEAN_MAP)
		vdpa_sim_default_maps(sim);
	return 0;
}

static int sim_reset(struct vdpa_device *vdpa)
{
	return sim_compat_reset(vdpa, 0);
}

static int sim_suspend(struct vdpa_device *vdpa)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	sim->suspended = true;
	sim_run(sim, false);
	return 0;
}

static int sim_resume(struct vdpa_device *vdpa)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	bool suspended = sim->suspended;

	sim->suspended = false;
	sim_run(sim, sim_get_status(vdpa) & VIRTIO_CONFIG_S_DRIVER_OK);
	if (suspended && sim->class->resume)
		sim->class->resume(sim);
	return 0;
}

static size_t sim_get_config_size(struct vdpa_device *vdpa)
{
	return vdpa_to_sim(vdpa)->class->config_size;
}

static void sim_get_config(struct vdpa_device *vdpa, unsigned int offset,
			   void *buf, unsigned int len)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);
	u8 config[CONFIG_MAX] __aligned(8) = {};

	sim->class->get_config(sim, config);
	memcpy(buf, config + offset, len);
}

/* No field of either class can be written by a modern driver here. */
static void sim_set_config(struct vdpa_device *vdpa, unsigned int offset,
			   const void *buf, unsigned int len)
{
}

static u32 sim_get_generation(struct vdpa_device *vdpa)
{
	return atomic_read(&vdpa_to_sim(vdpa)->generation);
}

static struct vdpa_iova_range sim_get_iova_range(struct vdpa_device *vdpa)
{
	return (struct vdpa_iova_range) { .first = 0, .last = U64_MAX };
}

/* Address spaces */

static int sim_set_group_asid(struct vdpa_device *vdpa, unsigned int group,
			      unsigned int asid)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	if (group >= vdpa->ngroups || asid >= vdpa->nas)
		return -EINVAL;
	sim->group_asid[array_index_nospec(group, vdpa->ngroups)] = asid;
	return 0;
}

static int sim_set_map(struct vdpa_device *vdpa, unsigned int asid,
		       struct vhost_iotlb *iotlb)
{
	return vdpa_memory_set(vdpa_to_sim(vdpa)->mem, asid, iotlb);
}

static int sim_update_map(struct vdpa_device *vdpa, unsigned int asid,
			  const struct list_head *removed,
			  const struct list_head *added)
{
	return vdpa_memory_update(vdpa_to_sim(vdpa)->mem, asid, removed, added);
}

static int sim_dma_map(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		       u64 size, u64 pa, u32 perm, void *opaque)
{
	return vdpa_memory_map(vdpa_to_sim(vdpa)->mem, asid, iova, size, pa,
			       perm);
}

static int sim_dma_unmap(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
			 u64 size)
{
	return vdpa_memory_unmap(vdpa_to_sim(vdpa)->mem, asid, iova, size);
}

static int sim_reset_map(struct vdpa_device *vdpa, unsigned int asid)
{
	if (asid >= vdpa->nas)
		return -EINVAL;
	sim_clear_maps(vdpa_to_sim(vdpa), asid);
	return 0;
}

static int sim_bind_mm(struct vdpa_device *vdpa, struct mm_struct *mm)
{
	return vdpa_memory_bind_mm(vdpa_to_sim(vdpa)->mem, mm);
}

static void sim_unbind_mm(struct vdpa_device *vdpa)
{
	vdpa_memory_unbind_mm(vdpa_to_sim(vdpa)->mem);
}

static void sim_isolate(struct vdpa_device *vdpa, bool on)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	sim->isolated = on;
	vdpa_sim_default_maps(sim);
}

static void sim_free(struct vdpa_device *vdpa)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);
	u32 i;

	for (i = 0; sim->queues && i < vdpa->nvqs; i++)
		vdpa_sim_queue_destroy(&sim->queues[i]);
	if (sim->class && sim->class->free)
		sim->class->free(sim);
	kfree(sim->queues);
	kfree(sim->group_asid);
	vdpa_memory_free(sim->mem);
}

/* All that the two tables share; they differ in how maps come. */
#define SIM_OPS							\
	.set_vq_address = sim_set_vq_address,			\
	.set_vq_num = sim_set_vq_num,				\
	.kick_vq = sim_kick_vq,					\
	.set_vq_cb = sim_set_vq_cb,				\
	.set_vq_ready = sim_set_vq_ready,			\
	.get_vq_ready = sim_get_vq_ready,			\
	.reset_vq = sim_reset_vq,				\
	.set_vq_state = sim_set_vq_state,			\
	.get_vq_state = sim_get_vq_state,			\
	.get_vendor_vq_stats = sim_get_vq_stats,		\
	.get_vq_size = sim_get_vq_size,				\
	.get_vq_num_max = sim_get_vq_num_max,			\
	.get_vq_align = sim_get_vq_align,			\
	.get_vq_group = sim_get_vq_group,			\
	.get_vq_info = sim_get_vq_info,				\
	.get_vq_desc_group = sim_get_vq_desc_group,		\
	.set_vq_affinity = sim_set_vq_affinity,			\
	.get_vq_affinity = sim_get_vq_affinity,			\
	.get_device_id = sim_get_device_id,			\
	.get_vendor_id = sim_get_vendor_id,			\
	.get_device_features = sim_get_device_features,		\
	.get_backend_features = sim_get_backend_features,	\
	.set_driver_features = sim_set_driver_features,		\
	.get_driver_features = sim_get_driver_features,		\
	.get_status = sim_get_status,				\
	.set_status = sim_set_status,				\
	.reset = sim_reset,					\
	.compat_reset = sim_compat_reset,			\
	.suspend = sim_suspend,					\
	.resume = sim_resume,					\
	.get_config_size = sim_get_config_size,			\
	.get_config = sim_get_config,				\
	.set_config = sim_set_config,				\
	.set_config_cb = sim_set_config_cb,			\
	.get_generation = sim_get_generation,			\
	.get_iova_range = sim_get_iova_range,			\
	.set_group_asid = sim_set_group_asid,			\
	.reset_map = sim_reset_map,				\
	.bind_mm = sim_bind_mm,					\
	.unbind_mm = sim_unbind_mm,				\
	.isolate = sim_isolate,					\
	.free = sim_free

static const struct vdpa_config_ops sim_ops_whole_maps = {
	SIM_OPS,
	.set_map = sim_set_map,
	.update_map = sim_update_map,
};

static const struct vdpa_config_ops sim_ops_ranges = {
	SIM_OPS,
	.dma_map = sim_dma_map,
	.dma_unmap = sim_dma_unmap,
};

/**
 * vdpa_sim_ops() - the operations of every simulated device
 *
 * Return: the table that the module's parameter chose.
 */
const struct vdpa_config_ops *vdpa_sim_ops(void)
{
	return batch_mapping ? &sim_ops_whole_maps : &sim_ops_ranges;
}
