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

/* Up to DRIVER_OK, which is the caller's. */
int blk_prepare(struct blk *blk, const char *device, uint64_t features);
int blk_start(struct blk *blk, const char *device, uint64_t features);
void blk_stop(struct blk *blk);
/* One request with @len bytes of blk->data. Return: its status, or -errno. */
int blk_request(struct blk *blk, uint32_t type, uint64_t sector, uint32_t len, bool to_device);
int blk_write(struct blk *blk, uint64_t sector, uint32_t len);
int blk_read(struct blk *blk, uint64_t sector, uint32_t len);
/* @count requests, not waited for; all read the same into the same place. Return: 0, or -1. */
int blk_kick_reads(struct blk *blk, int count, uint32_t len);
/* A discard, erase or write of zeroes; @len bytes of ranges, all the same. */
int blk_zero(struct blk *blk, uint32_t type, uint64_t sector, uint32_t sectors,
	     uint32_t flags, uint32_t len);
/* Data that differs from sector to sector and from seed to seed. */
void blk_pattern(void *data, uint32_t len, int seed);
bool blk_matches(const void *data, uint32_t len, int seed);
bool blk_all_zero(const void *data, uint32_t len);

#endif
