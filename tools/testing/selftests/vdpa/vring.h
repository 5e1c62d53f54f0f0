/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's side of a virtqueue over vhost-vdpa: split (virtio 1.2 section 2.7), or
 * packed (2.8) if that was negotiated.
 */
#ifndef VRING_H
#define VRING_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/virtio_ring.h>
#include "vhost.h"

#define VRING_SEGS_MAX 40

struct vring_queue {
	struct vhost *vhost;
	unsigned int index;
	unsigned int num;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_desc *tables;	/* an indirect table for each head */
	uint16_t free[256];
	unsigned int n_free;
	uint16_t chain[256];		/* descriptors that a head took */
	uint16_t avail_idx;
	uint16_t kicked_idx;
	uint16_t used_idx;
	int kick;
	int call;
	unsigned int kicks;
	bool indirect;
	bool event_idx;
	bool packed;
	/* packed: the places are avail_idx, kicked_idx and used_idx, below num */
	struct vring_packed_desc *ring;
	volatile struct vring_packed_desc_event *driver_event;
	volatile struct vring_packed_desc_event *device_event;
	bool avail_wrap;
	bool used_wrap;
	unsigned int n_ids;		/* of @free; @n_free counts descriptors */
	unsigned int added;		/* descriptors since the last kick */
};

struct vring_seg {
	void *at;
	uint32_t len;
	bool write;
};

/* rings in the session's memory, eventfds, addresses, enabled */
int vring_setup(struct vring_queue *queue, struct vhost *vhost, unsigned int index,
		unsigned int num, uint16_t base);
void vring_teardown(struct vring_queue *queue);
/* Return: head, or -1 when there is no room. */
int vring_add(struct vring_queue *queue, const struct vring_seg *segs, unsigned int count);
/* split: an entry written as it is, however wrong */
void vring_publish(struct vring_queue *queue, uint16_t head);
void vring_kick(struct vring_queue *queue);
/* whether the device asked for it or not */
void vring_force_kick(struct vring_queue *queue);
/* Return: head and its length, or -1 when nothing came within the time. */
int vring_wait(struct vring_queue *queue, uint32_t *len, int milliseconds);
int vring_get(struct vring_queue *queue, uint32_t *len);

/* vring_packed.c, for vring.c */
int packed_add(struct vring_queue *queue, const struct vring_seg *segs, unsigned int count);
bool packed_wants_kick(struct vring_queue *queue);
int packed_get(struct vring_queue *queue, uint32_t *len);
void packed_listen(struct vring_queue *queue);

#endif
