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

static bool split_valid(const struct vdpa_ring_config *cfg)
{
	u32 num = cfg->num;

	return is_power_of_2(num) &&
	       area_valid(cfg->desc, 16 * num, VRING_DESC_ALIGN_SIZE) &&
	       area_valid(cfg->driver, 6 + 2 * num, VRING_AVAIL_ALIGN_SIZE) &&
	       area_valid(cfg->device, 6 + 8 * num, VRING_USED_ALIGN_SIZE);
}

static bool packed_valid(const struct vdpa_ring_config *cfg)
{
	const struct vdpa_ring_state *state = &cfg->state;

	/* what is used was fetched before, less than one round ahead */
	if (state->avail_wrap == state->used_wrap ? state->used > state->avail :
						    state->used < state->avail)
		return false;
	return state->avail < cfg->num && state->used < cfg->num &&
	       area_valid(cfg->desc, 16 * cfg->num, 16) &&
	       area_valid(cfg->driver, 4, 4) && area_valid(cfg->device, 4, 4);
}

static bool config_valid(const struct vdpa_ring *ring,
			 const struct vdpa_ring_config *cfg)
{
	if (!cfg->num || cfg->num > ring->num_max ||
	    cfg->asid >= ring->mem->nas || cfg->ring_asid >= ring->mem->nas)
		return false;
	return cfg->features & BIT_ULL(VIRTIO_F_RING_PACKED) ? packed_valid(cfg) :
							       split_valid(cfg);
}

/* Longest chain to be accepted: an indirect one may exceed the ring's size. */
static unsigned int config_seg_max(const struct vdpa_ring_config *cfg)
{
	if (cfg->features & BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC))
		return VDPA_RING_MAX_SEGS;
	return min_t(u32, cfg->num, VDPA_RING_MAX_SEGS);
}

/* Allocate what a ring needs while it runs. */
static int alloc_buffers(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg)
{
	ring->seg_max = config_seg_max(cfg);
	ring->segs = kvmalloc_array(ring->seg_max, sizeof(*ring->segs),
				    GFP_KERNEL_ACCOUNT);
	ring->done = kvmalloc_array(cfg->num, sizeof(*ring->done), GFP_KERNEL_ACCOUNT);
	ring->seen = kcalloc(VDPA_RING_SEEN, sizeof(*ring->seen), GFP_KERNEL_ACCOUNT);
	if (READ_ONCE(ring->mem->mm))
		ring->bounce = kmalloc(VDPA_RING_HEADROOM + VDPA_RING_BOUNCE,
				       GFP_KERNEL_ACCOUNT);
	if (!ring->segs || !ring->done || !ring->seen ||
	    (READ_ONCE(ring->mem->mm) && !ring->bounce))
		return -ENOMEM;
	return 0;
}

static void free_buffers(struct vdpa_ring *ring)
{
	kvfree(ring->segs);
	kvfree(ring->done);
	kfree(ring->seen);
	kfree(ring->bounce);
	ring->segs = NULL;
	ring->done = NULL;
	ring->seen = NULL;
	ring->bounce = NULL;
}

/**
 * vdpa_ring_start() - begin to serve a queue
 * @ring: a ring that is stopped
 * @cfg: where it is and how it works. Rings are little endian: the caller has
 *	refused drivers that are not.
 *
 * Nothing of the ring is touched yet, so that nothing need be mapped. A process
 * whose memory it shall use has been bound, though.
 *
 * Context: Process context. May sleep. Serialised with all calls on @ring.
 * Return: 0; -EBUSY if it is not stopped; -EINVAL for a size, address, place or address
 * space that cannot be; -ENOMEM.
 */
int vdpa_ring_start(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg)
{
	int err;

	if (ring->running)
		return -EBUSY;
	if (!config_valid(ring, cfg))
		return -EINVAL;
	err = alloc_buffers(ring, cfg);
	if (err) {
		free_buffers(ring);
		return err;
	}

	ring->starts++;
	ring->generation = 0;
	ring->num = cfg->num;
	ring->asid = cfg->asid;
	ring->ring_asid = cfg->ring_asid;
	ring->packed = cfg->features & BIT_ULL(VIRTIO_F_RING_PACKED);
	ring->event_idx = cfg->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	ring->indirect = cfg->features & BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	ring->kicks = VDPA_KICKS_UNKNOWN;
	ring->nr_done = 0;
	ring->faulted = false;
	if (ring->packed)
		vdpa_packed_setup(ring, cfg);
	else
		vdpa_split_setup(ring, cfg);
	ring->usable = true;
	WRITE_ONCE(ring->broken, false);
	WRITE_ONCE(ring->running, true);
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_ring_start);

/* Chains that are done and not flushed are to be fetched anew. */
static void put_back_done(struct vdpa_ring *ring)
{
	u32 i, descs = 0;

	for (i = 0; i < ring->nr_done; i++)
		descs += ring->done[i].descs;
	if (ring->packed)
		vdpa_packed_skip_back(ring, &ring->state, descs);
	else
		ring->state.avail -= ring->nr_done;
	ring->nr_done = 0;
}

/**
 * vdpa_ring_stop() - serve a queue no more
 * @ring: the ring, stopped already or not. Chains fetched from it become invalid.
 *
 * vdpa_ring_get_state() keeps its value. To go on from it later, all chains that were
 * fetched must have been completed or put back. Those that the driver was not told of,
 * as memory was not there, were the last that were fetched: they will be fetched anew.
 *
 * Context: Process context. May sleep. Serialised with all calls on @ring.
 */
void vdpa_ring_stop(struct vdpa_ring *ring)
{
	if (!ring->running)
		return;
	put_back_done(ring);
	ring->usable = false;
	WRITE_ONCE(ring->running, false);
	free_buffers(ring);
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
 * vdpa_ring_fail() - serve a ring no more whose memory could not be had
 * @ring: the ring
 * @fault: what vdpa_fault_resolve() failed for. If that is of another ring, or if the
 *	ring was started anew since, nothing happens.
 *
 * Context: Any. Serialised with all calls on @ring.
 */
void vdpa_ring_fail(struct vdpa_ring *ring, const struct vdpa_fault *fault)
{
	if (ring->running && fault->ring == ring && fault->start == ring->starts)
		vdpa_ring_break(ring, -EFAULT);
}
EXPORT_SYMBOL_GPL(vdpa_ring_fail);

/**
 * vdpa_ring_get_state() - tell where a ring goes on
 * @ring: the ring, running or stopped
 * @state: filled, for &vdpa_ring_config.state
 *
 * Context: Any. Serialised with all calls on @ring.
 */
void vdpa_ring_get_state(const struct vdpa_ring *ring, struct vdpa_ring_state *state)
{
	*state = ring->state;
}
EXPORT_SYMBOL_GPL(vdpa_ring_get_state);

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
	for (i = 0; i < VDPA_HIT_COUNT; i++)
		ring->hit[i].len = 0;
	memset(ring->seen, 0, VDPA_RING_SEEN * sizeof(*ring->seen));
	vdpa_area_resolve(ring, &ring->desc);
	vdpa_area_resolve(ring, &ring->driver);
	vdpa_area_resolve(ring, &ring->device);
	/* what is behind the ring now may say something else */
	ring->kicks = VDPA_KICKS_UNKNOWN;
	ring->generation = ring->mem->generation;
}

/* vdpa_ring_next() of a ring for which something is to be done first, or nothing. */
static noinline int ring_next_slow(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	if (!vdpa_ring_usable(ring))
		return -EIO;
	vdpa_ring_sync(ring);
	return ring->packed ? vdpa_packed_next(ring, chain) :
			      vdpa_split_next(ring, chain);
}

/**
 * vdpa_ring_next() - fetch what the driver made available next
 * @ring: the ring
 * @chain: filled. Its segments last until the next fetch.
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 * Return: 1 if there was something, 0 if not; -EAGAIN if a page is not there; -EINVAL,
 * -EFAULT or -EACCES if it is malformed, which breaks the ring; -EIO if the ring is
 * broken or stopped.
 */
int vdpa_ring_next(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	struct vdpa_memory *mem = ring->mem;

	if (unlikely(!ring->usable || ring->packed || READ_ONCE(mem->mixed) ||
		     ring->generation != mem->generation))
		return ring_next_slow(ring, chain);
	return vdpa_split_next(ring, chain);
}
EXPORT_SYMBOL_GPL(vdpa_ring_next);

/**
 * vdpa_ring_unget() - put back the chain that was fetched last
 * @ring: the ring
 * @chain: the chain, not completed. The next fetch finds it anew, from its start.
 *
 * Context: Serialised with all calls on @ring.
 */
void vdpa_ring_unget(struct vdpa_ring *ring, const struct vdpa_chain *chain)
{
	if (ring->packed)
		vdpa_packed_skip_back(ring, &ring->state, chain->descs);
	else
		ring->state.avail--;
}
EXPORT_SYMBOL_GPL(vdpa_ring_unget);

/**
 * vdpa_ring_mark() - remember a place
 * @ring: the ring
 * @mark: filled; good until the next flush
 *
 * Context: Serialised with all calls on @ring.
 */
void vdpa_ring_mark(const struct vdpa_ring *ring, struct vdpa_ring_place *mark)
{
	mark->state = ring->state;
	mark->nr_done = ring->nr_done;
}
EXPORT_SYMBOL_GPL(vdpa_ring_mark);

/**
 * vdpa_ring_rewind() - put back what was fetched, and completed, since
 * @ring: the ring
 * @mark: what vdpa_ring_mark() remembered
 *
 * The next fetch finds the chains anew, from their start. What was pushed to them the
 * driver does not look at.
 *
 * Context: Serialised with all calls on @ring.
 */
void vdpa_ring_rewind(struct vdpa_ring *ring, const struct vdpa_ring_place *mark)
{
	if (WARN_ON_ONCE(mark->nr_done > ring->nr_done))
		return;
	vdpa_ring_seek(ring, &mark->state);
	ring->nr_done = mark->nr_done;
}
EXPORT_SYMBOL_GPL(vdpa_ring_rewind);

/**
 * vdpa_ring_seek() - fetch from elsewhere next
 * @ring: the ring
 * @state: what vdpa_ring_get_state() said since the last start, before the fetch of a
 *	chain that was not completed yet; or where the ring was before it went there
 *
 * For requests that outlive a burst, and with it all that a chain refers to. Such a
 * chain is fetched a second time to be completed; the driver may have changed it. Chains
 * are completed in the order of their first fetch, and before the ring is stopped it is
 * where the first one is that was not.
 *
 * Context: Serialised with all calls on @ring.
 */
void vdpa_ring_seek(struct vdpa_ring *ring, const struct vdpa_ring_state *state)
{
	ring->state.avail = state->avail;
	ring->state.avail_wrap = state->avail_wrap;
}
EXPORT_SYMBOL_GPL(vdpa_ring_seek);

/**
 * vdpa_ring_complete() - give a chain back to the driver
 * @ring: the ring
 * @chain: the chain. Bytes not pushed keep what the driver has there.
 *
 * The driver sees it at the next vdpa_ring_flush(). A broken ring drops it.
 *
 * Context: Serialised with all calls on @ring.
 */
void vdpa_ring_complete(struct vdpa_ring *ring, const struct vdpa_chain *chain)
{
	if (!vdpa_ring_usable(ring))
		return;
	/* a driver has no more chains outstanding than its ring has entries */
	if (WARN_ON_ONCE(ring->nr_done == ring->num))
		return;
	ring->done[ring->nr_done++] = (struct vdpa_done) {
		.id = chain->id,
		.descs = chain->descs,
		.len = chain->pushed,
	};
}
EXPORT_SYMBOL_GPL(vdpa_ring_complete);

/**
 * vdpa_ring_flush() - let the driver see the chains that were completed
 * @ring: the ring; one that broke shows what was completed before
 *
 * One publication and one look whether the driver wants to be notified, for all of them.
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 * Return: 1 if the driver wants to be notified of them, 0 if not; -EAGAIN if a page is
 * not there, to be tried again in a later burst; another error broke the ring.
 */
int vdpa_ring_flush(struct vdpa_ring *ring)
{
	if (!ring->running || !ring->nr_done)
		return 0;
	vdpa_ring_sync(ring);
	return ring->packed ? vdpa_packed_flush(ring) : vdpa_split_flush(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_flush);

/**
 * vdpa_ring_enable_kick() - ask the driver to kick when it adds something
 * @ring: the ring
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 * Return: 1 if something is there already, for which no kick may come: the
 * caller must go on fetching. 0 if not; -EAGAIN if a page is not there, which means
 * go on too; -EIO if the ring is broken or stopped; another error broke it.
 */
int vdpa_ring_enable_kick(struct vdpa_ring *ring)
{
	if (!vdpa_ring_usable(ring))
		return -EIO;
	vdpa_ring_sync(ring);
	return ring->packed ? vdpa_packed_enable_kick(ring) :
			      vdpa_split_enable_kick(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_enable_kick);

/**
 * vdpa_ring_disable_kick() - tell the driver that it need not kick
 * @ring: the ring
 *
 * A hint: kicks may come nevertheless.
 *
 * Context: Within a burst. Serialised with all calls on @ring. May sleep.
 * Return: 0, or as vdpa_ring_enable_kick().
 */
int vdpa_ring_disable_kick(struct vdpa_ring *ring)
{
	if (!vdpa_ring_usable(ring))
		return -EIO;
	vdpa_ring_sync(ring);
	return ring->packed ? vdpa_packed_disable_kick(ring) :
			      vdpa_split_disable_kick(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_disable_kick);

MODULE_DESCRIPTION("Device side of virtqueues for vDPA devices made of software");
MODULE_LICENSE("GPL");
