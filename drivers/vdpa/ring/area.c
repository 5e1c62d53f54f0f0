// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three parts of a ring. Each is found once for a generation of the map if it is in
 * one piece; otherwise each access finds its own way.
 */

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "ring_private.h"

/* The piece of @area that begins at @off: its address and how much of @len it is. */
static s64 area_piece(struct vdpa_ring *ring, const struct vdpa_area *area, u32 off,
		      u32 len, struct vdpa_hit *hit, u64 *addr)
{
	u64 iova = area->iova + off;
	int err = vdpa_find(ring, ring->ring_asid, iova, len, area->perm, hit);

	if (err)
		return err;
	*addr = iova + hit->delta;
	return min_t(u64, hit->len - (iova - hit->start), len);
}

/* Is all of it in the linear map, whatever the configuration? */
static bool is_lowmem(u64 addr, u32 len)
{
	return !PageHighMem(pfn_to_page(PHYS_PFN(addr))) &&
	       !PageHighMem(pfn_to_page(PHYS_PFN(addr + len - 1)));
}

/**
 * vdpa_area_resolve() - find out how to reach a part of a ring
 * @ring: the ring
 * @area: which part; its @reach is set
 *
 * One run that covers all of it gives a pointer that is good for this
 * generation. Anything else is left to each access, which also reports what is
 * wrong.
 *
 * Context: Within a burst.
 */
void vdpa_area_resolve(struct vdpa_ring *ring, struct vdpa_area *area)
{
	struct vdpa_hit hit;
	u64 addr;

	area->reach = VDPA_REACH_FAR;
	if (area_piece(ring, area, 0, area->size, &hit, &addr) != area->size ||
	    !IS_ALIGNED(addr, area->align))
		return;
	if (hit.user) {
		/* so that no access need look again */
		if (!access_ok(u64_to_user_ptr(addr), area->size))
			return;
		area->user = u64_to_user_ptr(addr);
		area->reach = VDPA_REACH_USER;
	} else if (is_lowmem(addr, area->size)) {
		area->kernel = phys_to_virt(addr);
		area->reach = VDPA_REACH_KERNEL;
	}
}

/**
 * vdpa_area_move() - read or write part of an area
 * @ring: the ring
 * @area: which part of it
 * @off: where in there, bytes
 * @buf: read or filled
 * @len: bytes, all inside @area
 * @move: which way
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0, -EAGAIN, -EFAULT or -EACCES.
 */
int vdpa_area_move(struct vdpa_ring *ring, const struct vdpa_area *area, u32 off,
		   void *buf, size_t len, enum vdpa_move move)
{
	struct vdpa_hit hit;
	size_t done;
	u64 addr;
	s64 n;
	int err;

	if (area->reach == VDPA_REACH_USER)
		return vdpa_move_user(ring, area->user + off, buf, len, move);
	if (area->reach == VDPA_REACH_KERNEL)
		return vdpa_move(ring, virt_to_phys(area->kernel) + off, false, buf, len,
				 move);
	for (done = 0; done < len; done += n) {
		n = area_piece(ring, area, off + done, len - done, &hit, &addr);
		if (n < 0)
			return n;
		err = vdpa_move(ring, addr, hit.user, buf + done, n, move);
		if (err)
			return err;
	}
	return 0;
}

/* The two bytes of @area at @off, which must be in one piece and aligned. */
static int area_piece16(struct vdpa_ring *ring, const struct vdpa_area *area, u32 off,
			struct vdpa_hit *hit, u64 *addr)
{
	s64 n = area_piece(ring, area, off, sizeof(__le16), hit, addr);

	if (n < 0)
		return n;
	if (n != sizeof(__le16) || !IS_ALIGNED(*addr, sizeof(__le16)))
		return -EFAULT;
	return 0;
}

static int get16_user(struct vdpa_ring *ring, const __le16 __user *user, __le16 *val)
{
	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(*val, user, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return vdpa_fault_note(ring, user + 1, sizeof(*user), false);
}

static int put16_user(struct vdpa_ring *ring, __le16 __user *user, __le16 val)
{
	if (!user_write_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_put_user(val, user, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return vdpa_fault_note(ring, user + 1, sizeof(*user), true);
}

/* vdpa_area_put_used() of user memory. */
static int put_used_user(struct vdpa_ring *ring, u32 off, u32 nr,
			 const struct vdpa_done *done)
{
	struct vdpa_used_elem __user *user = ring->device.user + off;
	u64 elem;
	u32 i;

	if (!user_write_access_begin(user, nr * sizeof(*user)))
		return -EFAULT;
	for (i = 0; i < nr; i++, user++, done++) {
		elem = (u64)done->len << 32 | done->id;
		unsafe_put_user(cpu_to_le64(elem), (__le64 __user *)user, fault);
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return vdpa_fault_note(ring, user + 1, sizeof(*user), true);
}

/**
 * vdpa_area_put_used() - fill used entries of a split ring
 * @ring: the ring
 * @off: where in the device area the first one is, bytes
 * @nr: how many, all inside it
 * @done: what to fill them with
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0, -EAGAIN, -EFAULT or -EACCES.
 */
int vdpa_area_put_used(struct vdpa_ring *ring, u32 off, u32 nr,
		       const struct vdpa_done *done)
{
	struct vdpa_area *area = &ring->device;
	struct vdpa_used_elem elem, *to;
	int err = 0;

	if (area->reach == VDPA_REACH_USER)
		return put_used_user(ring, off, nr, done);
	if (area->reach == VDPA_REACH_KERNEL) {
		for (to = area->kernel + off; nr; nr--, to++, done++) {
			to->id = cpu_to_le32(done->id);
			to->len = cpu_to_le32(done->len);
		}
		return 0;
	}
	for (; nr && !err; nr--, off += sizeof(elem), done++) {
		elem.id = cpu_to_le32(done->id);
		elem.len = cpu_to_le32(done->len);
		err = vdpa_area_move(ring, area, off, &elem, sizeof(elem),
				     VDPA_MOVE_WRITE);
	}
	return err;
}

/**
 * vdpa_area_get16_far() - read a 16 bit field that has no kernel pointer
 * @ring: the ring
 * @area: which part of it
 * @off: where in there, bytes
 * @val: filled
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0, -EAGAIN, -EFAULT or -EACCES.
 */
int vdpa_area_get16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 *val)
{
	struct vdpa_hit hit;
	void *kernel;
	u64 addr;
	int err;

	if (area->reach == VDPA_REACH_USER)
		return get16_user(ring, area->user + off, val);
	err = area_piece16(ring, area, off, &hit, &addr);
	if (err)
		return err;
	if (hit.user)
		return get16_user(ring, u64_to_user_ptr(addr), val);
	kernel = kmap_local_page(pfn_to_page(PHYS_PFN(addr)));
	*val = READ_ONCE(*(__le16 *)(kernel + (addr & ~PAGE_MASK)));
	kunmap_local(kernel);
	return 0;
}

/**
 * vdpa_area_put16_far() - write a 16 bit field that has no kernel pointer
 * @ring: the ring
 * @area: which part of it
 * @off: where in there, bytes
 * @val: what to write
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0, -EAGAIN, -EFAULT or -EACCES.
 */
int vdpa_area_put16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 val)
{
	struct vdpa_hit hit;
	struct page *page;
	void *kernel;
	u64 addr;
	int err;

	if (area->reach == VDPA_REACH_USER)
		return put16_user(ring, area->user + off, val);
	err = area_piece16(ring, area, off, &hit, &addr);
	if (err)
		return err;
	if (hit.user)
		return put16_user(ring, u64_to_user_ptr(addr), val);
	page = pfn_to_page(PHYS_PFN(addr));
	kernel = kmap_local_page(page);
	WRITE_ONCE(*(__le16 *)(kernel + (addr & ~PAGE_MASK)), val);
	kunmap_local(kernel);
	flush_dcache_page(page);
	return 0;
}

/**
 * vdpa_area_get_desc_far() - read a descriptor that is in no known place
 * @ring: the ring; its @raw is filled
 * @off: where in the descriptor area, bytes
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0, -EAGAIN, -EFAULT or -EACCES.
 */
int vdpa_area_get_desc_far(struct vdpa_ring *ring, u32 off)
{
	return vdpa_area_move(ring, &ring->desc, off, &ring->raw, sizeof(ring->raw),
			      VDPA_MOVE_READ);
}

/* vdpa_area_get_heads() of areas that both have a kernel pointer. */
static u32 get_heads_kernel(struct vdpa_ring *ring, u32 off, u32 nr, int *err)
{
	const __le16 *heads = ring->driver.kernel + off;
	const struct vdpa_raw_desc *desc;
	struct vdpa_head *to = ring->batch;
	u32 i, head;

	for (i = 0; i < nr; i++, to++) {
		head = le16_to_cpu(READ_ONCE(heads[i]));
		if (head >= ring->num) {
			*err = -EINVAL;
			break;
		}
		desc = ring->desc.kernel;
		desc += array_index_nospec(head, ring->num);
		to->head = head;
		to->raw.addr = READ_ONCE(desc->addr);
		to->raw.rest = READ_ONCE(desc->rest);
	}
	return i;
}

/* vdpa_area_get_heads() of areas that both are user memory. */
static u32 get_heads_user(struct vdpa_ring *ring, u32 off, u32 nr, int *err)
{
	const __le16 __user *heads = ring->driver.user + off;
	const struct vdpa_raw_desc __user *descs = ring->desc.user;
	struct vdpa_head *to = ring->batch;
	u32 i, head = 0, num = ring->num;
	__le16 raw;

	/* both areas were found to be in user space when they were resolved */
	if (!user_read_access_begin(heads, nr * sizeof(*heads))) {
		*err = -EFAULT;
		return 0;
	}
	for (i = 0; i < nr; i++, to++) {
		unsafe_get_user(raw, &heads[i], head_fault);
		head = le16_to_cpu(raw);
		if (head >= num) {
			*err = -EINVAL;
			break;
		}
		head = array_index_nospec(head, num);
		to->head = head;
		unsafe_get_user(to->raw.addr, &descs[head].addr, desc_fault);
		unsafe_get_user(to->raw.rest, &descs[head].rest, desc_fault);
	}
	user_read_access_end();
	return i;
head_fault:
	user_read_access_end();
	*err = vdpa_fault_note(ring, &heads[i + 1], sizeof(raw), false);
	return i;
desc_fault:
	user_read_access_end();
	*err = vdpa_fault_note(ring, &descs[head + 1], sizeof(*descs), false);
	return i;
}

/* vdpa_area_get_heads() of one, wherever the areas are. */
static u32 get_head_far(struct vdpa_ring *ring, u32 off, int *err)
{
	struct vdpa_head *to = ring->batch;
	const struct vdpa_raw_desc *raw;

	*err = vdpa_area_get16(ring, &ring->driver, off, &to->head);
	if (!*err && to->head >= ring->num)
		*err = -EINVAL;
	if (*err)
		return 0;
	raw = vdpa_area_get_desc(ring, array_index_nospec(to->head, ring->num), err);
	if (!raw)
		return 0;
	to->raw = *raw;
	return 1;
}

/**
 * vdpa_area_get_heads() - read available entries and the descriptors that they name
 * @ring: the ring; its @batch is filled
 * @off: where in the driver area the first entry is, bytes
 * @nr: how many entries there are in one piece, at least 1
 * @err: set if there is none
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: how many were read; 0 with @err -EAGAIN, -EFAULT, -EACCES, or -EINVAL if there
 * is no descriptor of that name.
 */
u32 vdpa_area_get_heads(struct vdpa_ring *ring, u32 off, u32 nr, int *err)
{
	nr = min_t(u32, nr, VDPA_RING_BATCH);
	if (ring->driver.reach == VDPA_REACH_KERNEL &&
	    ring->desc.reach == VDPA_REACH_KERNEL)
		return get_heads_kernel(ring, off, nr, err);
	if (ring->driver.reach == VDPA_REACH_USER && ring->desc.reach == VDPA_REACH_USER)
		return get_heads_user(ring, off, nr, err);
	return get_head_far(ring, off, err);
}
