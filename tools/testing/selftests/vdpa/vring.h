/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's side of a split virtqueue over vhost-vdpa (virtio 1.2 section 2.7). */
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
/* a descriptor and an entry written as they are, however wrong */
void vring_publish(struct vring_queue *queue, uint16_t head);
void vring_kick(struct vring_queue *queue);
/* Return: head and its length, or -1 when nothing came within the time. */
int vring_wait(struct vring_queue *queue, uint32_t *len, int milliseconds);
int vring_get(struct vring_queue *queue, uint32_t *len);

#endif
