/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to a block device over a virtqueue (virtio 1.2 section 5.2.6). */
#ifndef BLK_H
#define BLK_H

#include "vring.h"

struct blk {
	struct vhost vhost;
	struct vring_queue queue;
	struct blk_header {
		uint32_t type;
		uint32_t priority;
		uint64_t sector;
	} *header;
	uint8_t *status;
	char *data;
};

#define BLK_DATA (1u << 20)

int blk_start(struct blk *blk, const char *device, uint64_t features);
void blk_stop(struct blk *blk);
/* One request with @len bytes of blk->data. Return: its status, or -errno. */
int blk_request(struct blk *blk, uint32_t type, uint64_t sector, uint32_t len, bool to_device);

#endif
