// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include "vring.h"

static uint16_t *used_event(struct vring_queue *queue)
{
	return &queue->avail->ring[queue->num];
}

static uint16_t avail_event(struct vring_queue *queue)
{
	return *(volatile uint16_t *)&queue->used->ring[queue->num];
}

static int set_up_rings(struct vring_queue *queue)
{
	unsigned int num = queue->num, i;

	/* a packed ring's other two areas are smaller */
	queue->desc = vhost_alloc(queue->vhost, 16 * num, 4096);
	queue->avail = vhost_alloc(queue->vhost, 6 + 2 * num, 4096);
	queue->used = vhost_alloc(queue->vhost, 6 + 8 * num, 4096);
	if (!queue->desc || !queue->avail || !queue->used)
		return -ENOMEM;
	queue->ring = (void *)queue->desc;
	queue->driver_event = (void *)queue->avail;
	queue->device_event = (void *)queue->used;
	if (queue->indirect) {
		queue->tables = vhost_alloc(queue->vhost, 16 * VRING_SEGS_MAX * num, 4096);
		if (!queue->tables)
			return -ENOMEM;
	}
	for (i = 0; i < num; i++)
		queue->free[i] = num - 1 - i;
	queue->n_free = num;
	queue->n_ids = num;
	return 0;
}

int vring_setup(struct vring_queue *queue, struct vhost *vhost, unsigned int index,
		unsigned int num, uint16_t base)
{
	struct vhost_vring_state state = { .index = index };
	struct vhost_vring_file file = { .index = index };
	struct vhost_vring_addr addr = { .index = index };
	int err;

	memset(queue, 0, sizeof(*queue));
	queue->vhost = vhost;
	queue->index = index;
	queue->num = num;
	queue->indirect = vhost->features & 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	queue->event_idx = vhost->features & 1ull << VIRTIO_RING_F_EVENT_IDX;
	queue->packed = vhost->features & 1ull << VIRTIO_F_RING_PACKED;
	queue->avail_wrap = true;
	queue->used_wrap = true;
	queue->kick = eventfd(0, EFD_CLOEXEC);
	queue->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = set_up_rings(queue);
	if (err)
		return err;

	if (!queue->packed) {
		queue->avail_idx = base;
		queue->kicked_idx = base;
		queue->used_idx = base;
		queue->avail->idx = base;
		queue->used->idx = base;
		*used_event(queue) = base;
	}

	state.num = num;
	err = vhost_ioctl(vhost, VHOST_SET_VRING_NUM, &state);
	/* a packed ring begins at its beginning, with both wrap counters set */
	state.num = queue->packed ? 0x80008000 : base;
	if (!err)
		err = vhost_ioctl(vhost, VHOST_SET_VRING_BASE, &state);
	addr.desc_user_addr = vhost_iova(vhost, queue->desc);
	addr.avail_user_addr = vhost_iova(vhost, queue->avail);
	addr.used_user_addr = vhost_iova(vhost, queue->used);
	if (!err)
		err = vhost_ioctl(vhost, VHOST_SET_VRING_ADDR, &addr);
	file.fd = queue->kick;
	if (!err)
		err = vhost_ioctl(vhost, VHOST_SET_VRING_KICK, &file);
	file.fd = queue->call;
	if (!err)
		err = vhost_ioctl(vhost, VHOST_SET_VRING_CALL, &file);
	state.num = 1;
	if (!err)
		err = vhost_ioctl(vhost, VHOST_VDPA_SET_VRING_ENABLE, &state);
	return err;
}

void vring_teardown(struct vring_queue *queue)
{
	close(queue->kick);
	close(queue->call);
}

static void fill(struct vring_queue *queue, struct vring_desc *desc,
		 const struct vring_seg *seg, bool more, uint16_t next)
{
	desc->addr = vhost_iova(queue->vhost, seg->at);
	desc->len = seg->len;
	desc->flags = (seg->write ? VRING_DESC_F_WRITE : 0) | (more ? VRING_DESC_F_NEXT : 0);
	desc->next = next;
}

static int add_indirect(struct vring_queue *queue, const struct vring_seg *segs,
			unsigned int count)
{
	uint16_t head = queue->free[--queue->n_free];
	struct vring_desc *table = queue->tables + VRING_SEGS_MAX * head;
	unsigned int i;

	for (i = 0; i < count; i++)
		fill(queue, &table[i], &segs[i], i + 1 < count, i + 1);
	queue->desc[head].addr = vhost_iova(queue->vhost, table);
	queue->desc[head].len = 16 * count;
	queue->desc[head].flags = VRING_DESC_F_INDIRECT;
	queue->chain[head] = 1;
	return head;
}

static int add_direct(struct vring_queue *queue, const struct vring_seg *segs,
		      unsigned int count)
{
	unsigned int top = queue->n_free, i;
	uint16_t head = queue->free[top - 1];

	for (i = 0; i < count; i++)
		fill(queue, &queue->desc[queue->free[top - 1 - i]], &segs[i], i + 1 < count,
		     i + 1 < count ? queue->free[top - 2 - i] : 0);
	queue->n_free -= count;
	queue->chain[head] = count;
	return head;
}

void vring_publish(struct vring_queue *queue, uint16_t head)
{
	queue->avail->ring[queue->avail_idx % queue->num] = head;
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&queue->avail->idx = ++queue->avail_idx;
}

int vring_add(struct vring_queue *queue, const struct vring_seg *segs, unsigned int count)
{
	bool indirect = queue->indirect && count > 1;
	int head;

	if (queue->n_free < (indirect ? 1 : count) || count > VRING_SEGS_MAX)
		return -1;
	if (queue->packed)
		return packed_add(queue, segs, count);
	head = indirect ? add_indirect(queue, segs, count) : add_direct(queue, segs, count);
	vring_publish(queue, head);
	return head;
}

void vring_force_kick(struct vring_queue *queue)
{
	uint64_t one = 1;

	queue->kicks++;
	if (write(queue->kick, &one, sizeof(one)) < 0)
		queue->kicks = 0;
}

void vring_kick(struct vring_queue *queue)
{
	uint16_t old = queue->kicked_idx, new = queue->avail_idx;
	bool wanted;

	/* pairs with the device's barrier between arming kicks and its last look */
	atomic_thread_fence(memory_order_seq_cst);
	queue->kicked_idx = new;
	if (queue->packed)
		wanted = packed_wants_kick(queue);
	else if (queue->event_idx)
		wanted = vring_need_event(avail_event(queue), new, old);
	else
		wanted = !(*(volatile uint16_t *)&queue->used->flags & VRING_USED_F_NO_NOTIFY);
	if (wanted)
		vring_force_kick(queue);
}

static void give_back(struct vring_queue *queue, uint16_t head)
{
	unsigned int left = queue->chain[head];

	while (left--) {
		queue->free[queue->n_free++] = head;
		head = queue->desc[head].next;
	}
}

int vring_get(struct vring_queue *queue, uint32_t *len)
{
	struct vring_used_elem *elem;

	if (queue->packed)
		return packed_get(queue, len);
	if (*(volatile uint16_t *)&queue->used->idx == queue->used_idx)
		return -1;
	atomic_thread_fence(memory_order_acquire);
	elem = &queue->used->ring[queue->used_idx++ % queue->num];
	if (len)
		*len = elem->len;
	if (elem->id < queue->num)
		give_back(queue, elem->id);
	return elem->id;
}

int vring_wait(struct vring_queue *queue, uint32_t *len, int milliseconds)
{
	/* of the device only its end is heard */
	struct pollfd pollfds[] = {
		{ .fd = queue->call, .events = POLLIN },
		{ .fd = queue->vhost->fd },
	};
	uint64_t count;
	int head;

	for (;;) {
		head = vring_get(queue, len);
		if (head >= 0)
			return head;
		if (queue->packed)
			packed_listen(queue);
		else
			*used_event(queue) = queue->used_idx;
		/* pairs with the device's barrier between its index and its look here */
		atomic_thread_fence(memory_order_seq_cst);
		head = vring_get(queue, len);
		if (head >= 0)
			return head;
		if (poll(pollfds, 2, milliseconds) <= 0 || !(pollfds[0].revents & POLLIN))
			return -1;
		if (read(queue->call, &count, sizeof(count)) < 0)
			return -1;
	}
}
