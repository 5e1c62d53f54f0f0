// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other side of a split ring, shared by the tests.
 */

#include <linux/bits.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "driver.h"

static void memory_free(void *mem)
{
	vdpa_memory_free(mem);
}

static void ring_free(void *ring)
{
	vdpa_ring_free(ring);
}

/* Memory with an empty space for buffers, freed with the test. */
struct vdpa_memory *test_memory(struct kunit *test, unsigned int limit)
{
	struct vdpa_memory *mem = vdpa_memory_alloc(TEST_NAS, limit);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, memory_free, mem));
	vdpa_memory_clear(mem, TEST_RING_AS, true);
	return mem;
}

/* A zeroed buffer of whole pages, hence contiguous and aligned; freed with the test. */
void *test_buf(struct kunit *test, size_t len)
{
	void *buf = kunit_kzalloc(test, PAGE_ALIGN(len), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	return buf;
}

/* Start the ring anew, with both sides at @idx. */
void test_restart(struct kunit *test, struct test_driver *drv, u16 idx)
{
	vdpa_ring_stop(drv->ring);
	drv->cfg.state.avail = idx;
	drv->idx = idx;
	drv->avail->idx = cpu_to_le16(idx);
	drv->used->idx = cpu_to_le16(idx);
	KUNIT_ASSERT_EQ(test, 0, vdpa_ring_start(drv->ring, &drv->cfg));
}

/* A ring of @num entries in @mem, started at 0. */
struct test_driver *test_driver_on(struct kunit *test, struct vdpa_memory *mem,
				   unsigned int num, u64 features)
{
	struct test_driver *drv = kunit_kzalloc(test, sizeof(*drv), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, drv);
	drv->mem = mem;
	drv->ring = vdpa_ring_alloc(mem, 32768);
	KUNIT_ASSERT_NOT_NULL(test, drv->ring);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, ring_free, drv->ring));
	drv->desc = test_buf(test, 16 * num);
	drv->avail = test_buf(test, 6 + 2 * num);
	drv->used = test_buf(test, 6 + 8 * num);
	drv->cfg = (struct vdpa_ring_config) {
		.num = num,
		.desc = virt_to_phys(drv->desc),
		.driver = virt_to_phys(drv->avail),
		.device = virt_to_phys(drv->used),
		.asid = TEST_BUF_AS,
		.ring_asid = TEST_RING_AS,
		.features = features,
	};
	test_restart(test, drv, 0);
	return drv;
}

/* The same in a memory of its own. */
struct test_driver *test_driver(struct kunit *test, unsigned int num,
				u64 features)
{
	return test_driver_on(test, test_memory(test, 0), num, features);
}

void test_desc(struct test_desc *desc, u64 addr, u32 len, u16 flags, u16 next)
{
	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->flags = cpu_to_le16(flags);
	desc->next = cpu_to_le16(next);
}

/* Make the chain at @head available. */
void test_offer(struct test_driver *drv, u16 head)
{
	drv->avail->ring[drv->idx % drv->cfg.num] = cpu_to_le16(head);
	drv->avail->idx = cpu_to_le16(++drv->idx);
}

/* Would a driver kick, having made available what follows @old? */
bool test_driver_kicks(const struct test_driver *drv, u16 old)
{
	const __le16 *event = (void *)&drv->used->ring[drv->cfg.num];

	if (drv->cfg.features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX))
		return vring_need_event(le16_to_cpu(*event), drv->idx, old);
	return !(le16_to_cpu(drv->used->flags) & VRING_USED_F_NO_NOTIFY);
}

/* Have a page of buffers at @iova. Return: where it is. */
void *test_map_page(struct kunit *test, struct test_driver *drv, u64 iova, u32 perm)
{
	u8 *page = test_buf(test, PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, 0,
			vdpa_memory_map(drv->mem, TEST_BUF_AS, iova, PAGE_SIZE,
					virt_to_phys(page), perm));
	return page;
}

/* In a burst, fetch, and with @access read and write all there is. Return: 0 or -errno. */
int test_consume(struct test_driver *drv, bool access)
{
	struct vdpa_chain chain;
	u8 buf[32] = {};
	ssize_t ret;

	ret = vdpa_ring_next(drv->ring, &chain);
	if (ret < 0 || !access)
		return min_t(ssize_t, ret, 0);
	ret = vdpa_chain_pull(&chain, buf, sizeof(buf));
	if (ret >= 0)
		ret = vdpa_chain_push(&chain, buf, sizeof(buf));
	vdpa_ring_complete(drv->ring, &chain);
	return min_t(ssize_t, ret, 0);
}

/* One burst of access_once(). Return: bytes or -errno; -EAGAIN with @fault filled. */
static ssize_t access_burst(struct kunit *test, struct test_driver *drv, void *buf,
			    size_t len, bool write, struct vdpa_fault *fault)
{
	struct vdpa_chain chain;
	ssize_t ret;

	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	ret = vdpa_ring_next(drv->ring, &chain);
	if (ret == 1) {
		ret = write ? vdpa_chain_push(&chain, buf, len) :
			      vdpa_chain_pull(&chain, buf, len);
		if (ret == -EAGAIN)
			vdpa_ring_unget(drv->ring, &chain);
		else
			vdpa_ring_complete(drv->ring, &chain);
	}
	vdpa_ring_flush(drv->ring);
	KUNIT_EXPECT_EQ(test, ret == -EAGAIN, vdpa_ring_fault(drv->ring, fault));
	vdpa_memory_exit(drv->mem);
	return ret;
}

static ssize_t access_once(struct kunit *test, struct test_driver *drv, u64 iova,
			   void *buf, size_t len, bool write)
{
	struct vdpa_fault fault;
	ssize_t ret;

	test_desc(&drv->desc[0], iova, len, write ? F_WRITE : 0, 0);
	test_offer(drv, 0);
	while ((ret = access_burst(test, drv, buf, len, write, &fault)) == -EAGAIN) {
		KUNIT_EXPECT_FALSE(test, vdpa_ring_broken(drv->ring));
		if (!vdpa_fault_resolve(&fault))
			continue;
		vdpa_ring_fail(drv->ring, &fault);
		ret = -EFAULT;
		break;
	}

	KUNIT_EXPECT_EQ(test, ret < 0, vdpa_ring_broken(drv->ring));
	if (ret < 0)
		test_restart(test, drv, 0);
	return ret;
}

/* Have the device read @len bytes at @iova. Return: bytes or -errno. */
ssize_t test_peek(struct kunit *test, struct test_driver *drv, u64 iova,
		  void *buf, size_t len)
{
	return access_once(test, drv, iova, buf, len, false);
}

/* Have the device write @len bytes at @iova. Return: bytes or -errno. */
ssize_t test_poke(struct kunit *test, struct test_driver *drv, u64 iova,
		  const void *buf, size_t len)
{
	return access_once(test, drv, iova, (void *)buf, len, true);
}

MODULE_DESCRIPTION("Tests of the device side of virtqueues");
MODULE_LICENSE("GPL");
