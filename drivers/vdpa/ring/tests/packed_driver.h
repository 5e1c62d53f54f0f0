/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side of a packed ring. The areas are those of struct test_driver: its
 * descriptors have identity and flags where split ones have flags and next.
 */
#ifndef _VDPA_RING_TESTS_PACKED_DRIVER_H
#define _VDPA_RING_TESTS_PACKED_DRIVER_H

#include <linux/bits.h>
#include <linux/io.h>
#include <uapi/linux/virtio_config.h>

#include "driver.h"

#define PACKED		BIT_ULL(VIRTIO_F_RING_PACKED)
#define AVAIL		BIT(VRING_PACKED_DESC_F_AVAIL)
#define USED		BIT(VRING_PACKED_DESC_F_USED)

/* what makes a descriptor available, or used, in round @wrap */
#define AVAIL_IN(wrap)	((wrap) ? AVAIL : USED)
#define USED_IN(wrap)	((wrap) ? AVAIL | USED : 0)

static inline void packed_desc(struct test_desc *desc, u64 addr, u32 len, u16 id,
			       u16 flags)
{
	test_desc(desc, addr, len, id, flags);
}

/* Start the ring anew with both sides at descriptor @at of round @wrap. */
static inline void packed_restart(struct kunit *test, struct test_driver *drv, u16 at,
				  bool wrap)
{
	drv->cfg.state = (struct vdpa_ring_state) {
		.avail = at,
		.used = at,
		.avail_wrap = wrap,
		.used_wrap = wrap,
	};
	vdpa_ring_stop(drv->ring);
	KUNIT_ASSERT_EQ(test, 0, vdpa_ring_start(drv->ring, &drv->cfg));
}

static inline struct test_driver *packed_driver(struct kunit *test, unsigned int num,
						u64 features)
{
	struct test_driver *drv = test_driver(test, num, PACKED | features);

	packed_restart(test, drv, 0, true);
	return drv;
}

#endif /* _VDPA_RING_TESTS_PACKED_DRIVER_H */
