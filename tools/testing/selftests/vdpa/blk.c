// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"

int blk_prepare(struct blk *blk, const char *device, uint64_t features)
{
	int err = vhost_open(&blk->vhost, device);

	if (err)
		return err;
	err = vhost_negotiate(&blk->vhost, features);
	if (!err)
		err = vring_setup(&blk->queue, &blk->vhost, 0, 64, 0);
	if (err)
		return err;
	blk->header = vhost_alloc(&blk->vhost, sizeof(*blk->header), 16);
	blk->status = vhost_alloc(&blk->vhost, 1, 1);
	blk->data = vhost_alloc(&blk->vhost, BLK_DATA, 4096);
	return 0;
}

int blk_start(struct blk *blk, const char *device, uint64_t features)
{
	return blk_prepare(blk, device, features) ?:
	       vhost_set_status(&blk->vhost, vhost_get_status(&blk->vhost) |
					     VIRTIO_CONFIG_S_DRIVER_OK);
}

void blk_stop(struct blk *blk)
{
	vhost_close(&blk->vhost);
	vring_teardown(&blk->queue);
}

int blk_request(struct blk *blk, uint32_t type, uint64_t sector, uint32_t len, bool to_device)
{
	struct vring_seg segs[VRING_SEGS_MAX] = {
		{ blk->header, sizeof(*blk->header), false },
	};
	unsigned int count = 1;
	uint32_t done, part;

	*blk->header = (struct blk_header) { .type = type, .sector = sector };
	*blk->status = 0xff;
	/* pieces as large as the device's size_max */
	for (done = 0; done < len; done += part) {
		part = len - done < 4096 ? len - done : 4096;
		if (count == VRING_SEGS_MAX - 1)
			return -E2BIG;
		segs[count++] = (struct vring_seg) { blk->data + done, part, !to_device };
	}
	segs[count++] = (struct vring_seg) { blk->status, 1, true };

	if (vring_add(&blk->queue, segs, count) < 0)
		return -ENOSPC;
	vring_kick(&blk->queue);
	if (vring_wait(&blk->queue, NULL, 5000) < 0)
		return -ETIMEDOUT;
	return *blk->status;
}

int blk_write(struct blk *blk, uint64_t sector, uint32_t len)
{
	return blk_request(blk, VIRTIO_BLK_T_OUT, sector, len, true);
}

int blk_read(struct blk *blk, uint64_t sector, uint32_t len)
{
	return blk_request(blk, VIRTIO_BLK_T_IN, sector, len, false);
}

int blk_kick_reads(struct blk *blk, int count, uint32_t len)
{
	struct vring_seg segs[] = {
		{ blk->header, sizeof(*blk->header), false },
		{ blk->data, len, true },
		{ blk->status, 1, true },
	};

	*blk->header = (struct blk_header) { .type = VIRTIO_BLK_T_IN };
	while (count--) {
		if (vring_add(&blk->queue, segs, 3) < 0)
			return -1;
	}
	vring_kick(&blk->queue);
	return 0;
}

int blk_zero(struct blk *blk, uint32_t type, uint64_t sector, uint32_t sectors,
	     uint32_t flags, uint32_t len)
{
	struct virtio_blk_discard_write_zeroes range = {
		.sector = sector, .num_sectors = sectors, .flags = flags,
	};
	uint32_t i;

	for (i = 0; i < len; i += sizeof(range))
		memcpy(blk->data + i, &range, sizeof(range));
	return blk_request(blk, type, 0, len, true);
}

static uint8_t pattern_byte(uint32_t i, int seed)
{
	return i * 31 + i / 512 + seed;
}

void blk_pattern(void *data, uint32_t len, int seed)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		((uint8_t *)data)[i] = pattern_byte(i, seed);
}

bool blk_matches(const void *data, uint32_t len, int seed)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		if (((const uint8_t *)data)[i] != pattern_byte(i, seed))
			return false;
	return true;
}

bool blk_all_zero(const void *data, uint32_t len)
{
	const char *byte = data;

	return !len || (!byte[0] && !memcmp(byte, byte + 1, len - 1));
}
