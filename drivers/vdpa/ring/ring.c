// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a ring: made once, started and stopped with its queue, and what is
 * the same for every ring format.
 */

#include <linux/bits.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "ring_private.h"

/**
 * vdpa_ring_alloc() - create a ring that is stopped
 * @mem: the device's memory, which outlives the ring
 * @num_max: most entries that it can be started with, 1..32768
 *
 * Context: Process context. May sleep.
 * Return: The ring, to be freed with vdpa_ring_free(), or NULL.
 */
struct vdpa_ring *vdpa_ring_alloc(struct vdpa_memory *mem, unsigned int num_max)
{
	struct vdpa_ring *ring;

	if (!num_max || num_max > VDPA_RING_NUM_MAX)
		return NULL;
	ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	if (!ring)
		return NULL;
	ring->mem = mem;
	ring->num_max = num_max;
	return ring;
}
EXPORT_SYMBOL_GPL(vdpa_ring_alloc);

/**
 * vdpa_ring_free() - free a ring, stopping it if need be
 * @ring: the ring, or NULL
 *
 * Context: Process context. May sleep.
 */
void vdpa_ring_free(struct vdpa_ring *ring)
{
	if (!ring)
		return;
	vdpa_ring_stop(ring);
	kfree(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_free);

/* Does an area of @size bytes at @iova end in the address space, well aligned? */
static bool area_valid(u64 iova, u32 size, u32 align)
{
	u64 last;

	return IS_ALIGNED(iova, align) &&
	       !check_add_overflow(iova, (u64)size - 1, &last);
}

static int config_check(const struct vdpa_ring *ring,
			const struct vdpa_ring_config *cfg)
{
	u32 num = cfg->num;

	if (cfg->features & BIT_ULL(VIRTIO_F_RING_PACKED))
		return -EOPNOTSUPP;
	if (!is_power_of_2(num) || num > ring->num_max)
		return -EINVAL;
	if (cfg->asid >= ring->mem->nas || cfg->ring_asid >= ring->mem->nas)
		return -EINVAL;
	/* the split ring is the largest in all its parts (section 2.7) */
	if (!area_valid(cfg->desc, 16 * num, VRING_DESC_ALIGN_SIZE) ||
	    !area_valid(cfg->driver, 6 + 2 * num, VRING_AVAIL_ALIGN_SIZE) ||
	    !area_valid(cfg->device, 6 + 8 * num, VRING_USED_ALIGN_SIZE))
		return -EINVAL;
	return 0;
}

/* Longest chain to be accepted: an indirect one may exceed the ring's size. */
static unsigned int config_seg_max(const struct vdpa_ring_config *cfg)
{
	if (cfg->features & BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC))
		return VDPA_RING_MAX_SEGS;
	return min_t(u32, cfg->num, VDPA_RING_MAX_SEGS);
}

/**
 * vdpa_ring_start() - begin to serve a queue
 * @ring: a ring that is stopped
 * @cfg: where it is and how it works. Rings are little endian: the caller has
 *	refused drivers that are not. All that was fetched before
 *	@cfg->avail counts as completed.
 *
 * Nothing of the ring is touched yet, so that nothing need be mapped. A process
 * whose memory it shall use has been bound, though.
 *
 * Context: Process context. May sleep. Serialised with all calls on @ring.
 * Return: 0; -EBUSY if it is not stopped; -EINVAL for a size, address or address
 * space that cannot be; -EOPNOTSUPP for a ring format; -ENOMEM.
 */
int vdpa_ring_start(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg)
{
	unsigned int seg_max = config_seg_max(cfg);
	struct vdpa_seg *segs;
	void *bounce = NULL;
	int err;

	if (ring->running)
		return -EBUSY;
	err = config_check(ring, cfg);
	if (err)
		return err;
	segs = kvmalloc_array(seg_max, sizeof(*segs), GFP_KERNEL_ACCOUNT);
	if (!segs)
		return -ENOMEM;
	if (READ_ONCE(ring->mem->mm)) {
		bounce = kmalloc(VDPA_RING_BOUNCE, GFP_KERNEL_ACCOUNT);
		if (!bounce) {
			kvfree(segs);
			return -ENOMEM;
		}
	}

	ring->generation = 0;
	ring->num = cfg->num;
	ring->asid = cfg->asid;
	ring->ring_asid = cfg->ring_asid;
	ring->seg_max = seg_max;
	ring->segs = segs;
	ring->bounce = bounce;
	vdpa_split_setup(ring, cfg);
	WRITE_ONCE(ring->broken, false);
	WRITE_ONCE(ring->running, true);
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_ring_start);

/**
 * vdpa_ring_stop() - serve a queue no more
 * @ring: the ring, stopped already or not. Chains fetched from it become invalid.
 *
 * vdpa_ring_avail_index() keeps its value.
 *
 * Context: Process context. May sleep. Serialised with all calls on @ring.
 */
void vdpa_ring_stop(struct vdpa_ring *ring)
{
	WRITE_ONCE(ring->running, false);
	kvfree(ring->segs);
	kfree(ring->bounce);
	ring->segs = NULL;
	ring->bounce = NULL;
}
EXPORT_SYMBOL_GPL(vdpa_ring_stop);

/**
 * vdpa_ring_running() - tell if a ring is started
 * @ring: the ring
 *
 * Context: Any.
 * Return: true from a successful start until the stop, even if it broke.
 */
bool vdpa_ring_running(const struct vdpa_ring *ring)
{
	return READ_ONCE(ring->running);
}
EXPORT_SYMBOL_GPL(vdpa_ring_running);

/**
 * vdpa_ring_broken() - tell if a ring turned out malformed
 * @ring: the ring
 *
 * Context: Any.
 * Return: true from then until it is started anew.
 */
bool vdpa_ring_broken(const struct vdpa_ring *ring)
{
	return READ_ONCE(ring->broken);
}
EXPORT_SYMBOL_GPL(vdpa_ring_broken);

/**
 * vdpa_ring_avail_index() - tell where a ring goes on
 * @ring: the ring, running or stopped
 *
 * Context: Any. Serialised with all calls on @ring.
 * Return: Index of the next available entry to fetch, free running. To resume
 * from it, all chains that were fetched must have been completed or put back.
 */
u16 vdpa_ring_avail_index(const struct vdpa_ring *ring)
{
	return ring->avail;
}
EXPORT_SYMBOL_GPL(vdpa_ring_avail_index);

/**
 * vdpa_ring_resync() - drop translations of an earlier generation
 * @ring: the ring
 *
 * Context: Within a burst. Serialised with all calls on @ring.
 */
void vdpa_ring_resync(struct vdpa_ring *ring)
{
	unsigned int i;

	lockdep_assert_held(&ring->mem->lock);
	for (i = 0; i < VDPA_HIT_COUNT; i++) {
		ring->hit[i].start = U64_MAX;
		ring->hit[i].last = 0;
	}
	vdpa_area_resolve(ring, &ring->desc);
	vdpa_area_resolve(ring, &ring->driver);
	vdpa_area_resolve(ring, &ring->device);
	/* what is behind the used ring now may say something else */
	ring->kicks = VDPA_KICKS_UNKNOWN;
	ring->generation = ring->mem->generation;
}

/**
 * vdpa_ring_next() - fetch what the driver made available next
 * @ring: the ring
 * @chain: filled. Its segments last until the next fetch.
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 * Return: 1 if there was something, 0 if not; -EINVAL, -EFAULT or -EACCES if it
 * is malformed, which breaks the ring; -EIO if the ring is broken or stopped.
 */
int vdpa_ring_next(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	if (!vdpa_ring_usable(ring))
		return -EIO;
	vdpa_ring_sync(ring);
	return vdpa_split_next(ring, chain);
}
EXPORT_SYMBOL_GPL(vdpa_ring_next);

/**
 * vdpa_ring_unget() - put back the chain fetched last
 * @ring: the ring
 * @chain: the chain, not completed. The next fetch finds it anew, from its start.
 *
 * Context: Serialised with all calls on @ring.
 */
void vdpa_ring_unget(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	if (WARN_ON_ONCE(chain->ring != ring))
		return;
	ring->avail--;
	chain->ring = NULL;
}
EXPORT_SYMBOL_GPL(vdpa_ring_unget);

/**
 * vdpa_ring_complete() - give a chain back to the driver
 * @ring: the ring
 * @chain: the chain. Bytes not pushed keep what the driver has there.
 *
 * The driver sees it at the next vdpa_ring_flush(), which must come before as
 * many chains are completed as the ring has entries. A broken ring drops it.
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 */
void vdpa_ring_complete(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	if (!vdpa_ring_usable(ring))
		return;
	vdpa_ring_sync(ring);
	vdpa_split_complete(ring, chain->head, chain->pushed);
}
EXPORT_SYMBOL_GPL(vdpa_ring_complete);

/**
 * vdpa_ring_flush() - let the driver see the chains that were completed
 * @ring: the ring; one that broke shows what was completed before
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 * Return: true if the driver wants to be notified of them.
 */
bool vdpa_ring_flush(struct vdpa_ring *ring)
{
	if (!ring->running)
		return false;
	vdpa_ring_sync(ring);
	return vdpa_split_flush(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_flush);

/**
 * vdpa_ring_enable_kick() - ask the driver to kick when it adds something
 * @ring: the ring
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 * Return: true if something is there already, for which no kick may come: the
 * caller must go on fetching. false if not, or if the ring is broken or stopped.
 */
bool vdpa_ring_enable_kick(struct vdpa_ring *ring)
{
	if (!vdpa_ring_usable(ring))
		return false;
	vdpa_ring_sync(ring);
	return vdpa_split_enable_kick(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_enable_kick);

/**
 * vdpa_ring_disable_kick() - tell the driver that it need not kick
 * @ring: the ring
 *
 * A hint: kicks may come nevertheless.
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 */
void vdpa_ring_disable_kick(struct vdpa_ring *ring)
{
	if (!vdpa_ring_usable(ring))
		return;
	vdpa_ring_sync(ring);
	vdpa_split_disable_kick(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_disable_kick);

MODULE_DESCRIPTION("Device side of virtqueues for vDPA devices made of software");
MODULE_LICENSE("GPL");
