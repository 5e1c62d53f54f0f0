/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side of a split ring: just enough of a driver to say anything to the
 * device, right or wrong.
 *
 * Buffers are in address space TEST_BUF_AS, which starts empty. The ring is in
 * TEST_RING_AS, where addresses are physical.
 */
#ifndef _VDPA_RING_TESTS_DRIVER_H
#define _VDPA_RING_TESTS_DRIVER_H

#include <kunit/test.h>
#include <linux/types.h>
#include <uapi/linux/virtio_ring.h>

#include "../vdpa_ring.h"

#define TEST_BUF_AS	0
#define TEST_RING_AS	1
#define TEST_NAS	2

#define F_NEXT		VRING_DESC_F_NEXT
#define F_WRITE		VRING_DESC_F_WRITE
#define F_INDIRECT	VRING_DESC_F_INDIRECT

struct test_desc {
	__le64 addr;
	__le32 len;
	__le16 flags;
	__le16 next;
};

struct test_used {
	__le32 id;
	__le32 len;
};

/**
 * struct test_avail - driver area
 * @flags: VRING_AVAIL_F_*
 * @idx: entries made available, free running
 * @ring: entries, then the used event
 */
struct test_avail {
	__le16 flags;
	__le16 idx;
	__le16 ring[];
};

/**
 * struct test_used_ring - device area
 * @flags: VRING_USED_F_*
 * @idx: entries used, free running
 * @ring: entries, then the available event
 */
struct test_used_ring {
	__le16 flags;
	__le16 idx;
	struct test_used ring[];
};

/**
 * struct test_driver - a ring and its driver
 * @mem: memory of the device
 * @ring: device side
 * @cfg: how @ring was started
 * @desc: descriptor area
 * @avail: driver area
 * @used: device area
 * @idx: entries made available, free running
 */
struct test_driver {
	struct vdpa_memory *mem;
	struct vdpa_ring *ring;
	struct vdpa_ring_config cfg;
	struct test_desc *desc;
	struct test_avail *avail;
	struct test_used_ring *used;
	u16 idx;
};

struct vdpa_memory *test_memory(struct kunit *test, unsigned int limit);
struct test_driver *test_driver_on(struct kunit *test, struct vdpa_memory *mem,
				   unsigned int num, u64 features);
struct test_driver *test_driver(struct kunit *test, unsigned int num,
				u64 features);
void test_restart(struct kunit *test, struct test_driver *drv, u16 idx);

void test_desc(struct test_desc *desc, u64 addr, u32 len, u16 flags, u16 next);
void test_offer(struct test_driver *drv, u16 head);
bool test_driver_kicks(const struct test_driver *drv, u16 old);
void *test_buf(struct kunit *test, size_t len);
void *test_map_page(struct kunit *test, struct test_driver *drv, u64 iova, u32 perm);
int test_consume(struct test_driver *drv, bool access);

ssize_t test_peek(struct kunit *test, struct test_driver *drv, u64 iova,
		  void *buf, size_t len);
ssize_t test_poke(struct kunit *test, struct test_driver *drv, u64 iova,
		  const void *buf, size_t len);

#endif /* _VDPA_RING_TESTS_DRIVER_H */
