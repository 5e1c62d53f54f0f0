// SPDX-License-Identifier: GPL-2.0-only
#include <stdatomic.h>
#include "vring.h"

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED (1u << VRING_PACKED_DESC_F_USED)
#define WRAP (1u << VRING_PACKED_EVENT_F_WRAP_CTR)

static void advance(const struct vring_queue *queue, uint16_t *at, bool *wrap,
		    unsigned int by)
{
	unsigned int to = *at + by;

	if (to >= queue->num) {
		to -= queue->num;
		*wrap = !*wrap;
	}
	*at = to;
}

static uint16_t seg_flags(const struct vring_seg *seg, bool more)
{
	return (seg->write ? VRING_DESC_F_WRITE : 0) | (more ? VRING_DESC_F_NEXT : 0);
}

static void put(struct vring_queue *queue, struct vring_packed_desc *desc,
		const struct vring_seg *seg, uint16_t id)
{
	desc->addr = vhost_iova(queue->vhost, seg->at);
	desc->len = seg->len;
	desc->id = id;
}

/* A chain of @count descriptors, or one table; the first one's flags come last. */
int packed_add(struct vring_queue *queue, const struct vring_seg *segs, unsigned int count)
{
	uint16_t id = queue->free[--queue->n_ids], first = queue->avail_idx, flags = 0;
	bool indirect = queue->indirect && count > 1;
	struct vring_packed_desc *table = (void *)(queue->tables + VRING_SEGS_MAX * id);
	struct vring_seg whole = { table, 16 * count, false };
	unsigned int descs = indirect ? 1 : count, i;
	uint16_t at = first, first_flags = 0;
	bool wrap = queue->avail_wrap;

	for (i = 0; indirect && i < count; i++) {
		put(queue, &table[i], &segs[i], 0);
		table[i].flags = seg_flags(&segs[i], false);
	}
	for (i = 0; i < descs; i++) {
		put(queue, &queue->ring[at], indirect ? &whole : &segs[i], id);
		flags = indirect ? VRING_DESC_F_INDIRECT : seg_flags(&segs[i], i + 1 < descs);
		flags |= wrap ? AVAIL : USED;
		if (i)
			queue->ring[at].flags = flags;
		else
			first_flags = flags;
		advance(queue, &at, &wrap, 1);
	}
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&queue->ring[first].flags = first_flags;
	queue->n_free -= descs;
	queue->chain[id] = descs;
	queue->added += descs;
	queue->avail_idx = at;
	queue->avail_wrap = wrap;
	return id;
}

/* Pairs with the device's barrier between arming kicks and its last look: the caller's. */
bool packed_wants_kick(struct vring_queue *queue)
{
	uint16_t flags = queue->device_event->flags, event = queue->device_event->off_wrap;
	uint16_t new = queue->avail_idx, old = new - queue->added;

	queue->added = 0;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	if (!!(event & WRAP) != queue->avail_wrap)
		event = (event & ~WRAP) - queue->num;
	else
		event &= ~WRAP;
	return vring_need_event(event, new, old);
}

int packed_get(struct vring_queue *queue, uint32_t *len)
{
	struct vring_packed_desc *desc = &queue->ring[queue->used_idx];
	uint16_t flags = *(volatile uint16_t *)&desc->flags, id;

	if (!!(flags & AVAIL) != queue->used_wrap || !!(flags & USED) != queue->used_wrap)
		return -1;
	atomic_thread_fence(memory_order_acquire);
	id = desc->id;
	/* section 2.8.6: valid if VRING_DESC_F_WRITE is there, which QEMU leaves out */
	if (len)
		*len = desc->len;
	if (id < queue->num) {
		advance(queue, &queue->used_idx, &queue->used_wrap, queue->chain[id]);
		queue->n_free += queue->chain[id];
		queue->free[queue->n_ids++] = id;
	}
	return id;
}

void packed_listen(struct vring_queue *queue)
{
	queue->driver_event->off_wrap = queue->used_idx | (queue->used_wrap ? WRAP : 0);
	atomic_thread_fence(memory_order_release);
	queue->driver_event->flags = queue->event_idx ? VRING_PACKED_EVENT_FLAG_DESC :
							VRING_PACKED_EVENT_FLAG_ENABLE;
}
