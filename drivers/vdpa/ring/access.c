// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an IOVA to the bytes behind it.
 *
 * Physical addresses are reached through the kernel's linear map, or page by page
 * where that does not cover all memory or where data caches need care. Those of
 * the identity come straight from a ring, so that each page is checked before it
 * is touched; those of a map are checked in the same way, which costs little.
 * User virtual addresses are reached as the bound mm, by user copies.
 */

#include <linux/cacheflush.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "ring_private.h"

/* Can physical addresses simply be dereferenced, whatever pages they are in? */
#define LINEAR (!IS_ENABLED(CONFIG_HIGHMEM) && !ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE)

/*
 * Is there memory at @pfn? Reserved pages include the holes that a valid section
 * may have, which are no memory and not in the linear map, but also what firmware
 * and boot set aside: only for these is the resource tree asked.
 */
static bool pfn_reachable(unsigned long pfn)
{
	struct page *page;

	if (!pfn_valid(pfn))
		return false;
	page = pfn_to_page(pfn);
	return !PageReserved(page) || is_zone_device_page(page) ||
	       page_is_ram(pfn);
}

static bool phys_reachable(u64 addr, size_t len)
{
	u64 last = addr + len - 1;
	u64 pfn;

	if (last < addr || last > PHYS_ADDR_MAX)
		return false;
	for (pfn = addr >> PAGE_SHIFT; pfn <= last >> PAGE_SHIFT; pfn++) {
		if (pfn > ULONG_MAX || !pfn_reachable(pfn))
			return false;
	}
	return true;
}

/**
 * vdpa_translate() - find what is behind an address
 * @ring: the ring on whose behalf
 * @slot: what for, which also tells the address space
 * @iova: the address
 * @len: how many bytes are wanted, at least 1
 * @perm: what the device wants to do with them
 * @run: filled with as many of them as are contiguous
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0; -EFAULT if there is nothing; -EACCES if the device may not.
 */
int vdpa_translate(struct vdpa_ring *ring, enum vdpa_hit_slot slot, u64 iova,
		   size_t len, u32 perm, struct vdpa_run *run)
{
	struct vdpa_hit *hit = &ring->hit[slot];
	unsigned int asid;
	u64 rest;
	int err;

	if (unlikely(iova < hit->start || iova > hit->last)) {
		asid = slot == VDPA_HIT_AREA ? ring->ring_asid : ring->asid;
		err = vdpa_memory_find(ring->mem, asid, iova, hit);
		if (err)
			return err;
	}
	if (unlikely((hit->perm & perm) != perm))
		return -EACCES;

	/* bytes after the first, since all of 2^64 do not fit */
	rest = min_t(u64, hit->last - iova, len - 1);
	run->addr = hit->addr + (iova - hit->start);
	run->len = rest + 1;
	run->user = hit->user;
	if (!run->user && unlikely(!phys_reachable(run->addr, run->len)))
		return -EFAULT;
	return 0;
}

/* How many of @len bytes at physical or user address @addr are in its page. */
static size_t in_page(u64 addr, size_t len)
{
	return min_t(size_t, len, PAGE_SIZE - (addr & ~PAGE_MASK));
}

static void page_move(struct page *page, size_t off, void *buf, size_t len,
		      enum vdpa_move move)
{
	switch (move) {
	case VDPA_MOVE_READ:
		memcpy_from_page(buf, page, off, len);
		break;
	case VDPA_MOVE_WRITE:
		memcpy_to_page(page, off, buf, len);
		break;
	case VDPA_MOVE_ZERO:
		memzero_page(page, off, len);
		break;
	}
}

static void linear_move(void *mem, void *buf, size_t len, enum vdpa_move move)
{
	switch (move) {
	case VDPA_MOVE_READ:
		memcpy(buf, mem, len);
		break;
	case VDPA_MOVE_WRITE:
		memcpy(mem, buf, len);
		break;
	case VDPA_MOVE_ZERO:
		memset(mem, 0, len);
		break;
	}
}

static void phys_move(u64 addr, void *buf, size_t len, enum vdpa_move move)
{
	size_t done, n;

	if (LINEAR) {
		linear_move(phys_to_virt(addr), buf, len, move);
		return;
	}
	for (done = 0; done < len; done += n) {
		n = in_page(addr + done, len - done);
		page_move(pfn_to_page(PHYS_PFN(addr + done)),
			  (addr + done) & ~PAGE_MASK,
			  move == VDPA_MOVE_ZERO ? NULL : buf + done, n, move);
	}
}

static int user_move(void __user *user, void *buf, size_t len,
		     enum vdpa_move move)
{
	unsigned long left = len;

	switch (move) {
	case VDPA_MOVE_READ:
		left = copy_from_user(buf, user, len);
		break;
	case VDPA_MOVE_WRITE:
		left = copy_to_user(user, buf, len);
		break;
	case VDPA_MOVE_ZERO:
		left = clear_user(user, len);
		break;
	}
	return left ? -EFAULT : 0;
}

/**
 * vdpa_run_move() - move bytes between the device and a run
 * @run: where the driver has them
 * @buf: where the device has them; not used by VDPA_MOVE_ZERO
 * @move: which way
 *
 * Context: Within a burst.
 * Return: 0, or -EFAULT if user memory cannot be reached.
 */
int vdpa_run_move(const struct vdpa_run *run, void *buf, enum vdpa_move move)
{
	if (run->user)
		return user_move(u64_to_user_ptr(run->addr), buf, run->len, move);
	phys_move(run->addr, buf, run->len, move);
	return 0;
}

static void phys_to_phys(u64 to, u64 from, size_t len)
{
	struct page *page;
	size_t done, n;

	if (LINEAR) {
		/* the driver may have given the same bytes twice */
		memmove(phys_to_virt(to), phys_to_virt(from), len);
		return;
	}
	for (done = 0; done < len; done += n) {
		n = in_page(to + done, in_page(from + done, len - done));
		page = pfn_to_page(PHYS_PFN(to + done));
		memcpy_page(page, (to + done) & ~PAGE_MASK,
			    pfn_to_page(PHYS_PFN(from + done)),
			    (from + done) & ~PAGE_MASK, n);
		flush_dcache_page(page);
	}
}

/*
 * Move @len bytes between @user and physical address @addr. In steps that stay in
 * a page: hardened usercopy refuses those that reach over the end of a folio, and
 * what is contiguous need not be one folio.
 */
static int user_phys(void __user *user, u64 addr, size_t len,
		     enum vdpa_move move)
{
	struct page *page;
	size_t done, n;
	void *kernel;
	int err = 0;

	for (done = 0; done < len && !err; done += n) {
		n = in_page(addr + done, len - done);
		page = pfn_to_page(PHYS_PFN(addr + done));
		kernel = kmap_local_page(page);
		err = user_move(user + done,
				kernel + ((addr + done) & ~PAGE_MASK), n, move);
		kunmap_local(kernel);
		if (move == VDPA_MOVE_READ)
			flush_dcache_page(page);
	}
	return err;
}

/*
 * There is no copy from one user address to another, therefore two through a
 * buffer that stays in the cache.
 */
static int user_to_user(void __user *to, const void __user *from, size_t len,
			void *bounce, bool *to_failed)
{
	size_t done, n;

	if (!bounce)
		return -EFAULT;
	for (done = 0; done < len; done += n) {
		n = min_t(size_t, len - done, VDPA_RING_BOUNCE);
		if (copy_from_user(bounce, from + done, n))
			return -EFAULT;
		if (copy_to_user(to + done, bounce, n)) {
			*to_failed = true;
			return -EFAULT;
		}
	}
	return 0;
}

/**
 * vdpa_run_copy() - move bytes from one run to another
 * @to: where to
 * @from: where from; as long as @to
 * @bounce: VDPA_RING_BOUNCE bytes, needed if both are user addresses
 * @to_failed: set to whether a failure is that of @to
 *
 * Context: Within a burst.
 * Return: 0, or -EFAULT if user memory cannot be reached.
 */
int vdpa_run_copy(const struct vdpa_run *to, const struct vdpa_run *from,
		  void *bounce, bool *to_failed)
{
	*to_failed = to->user && !from->user;
	if (to->user && from->user)
		return user_to_user(u64_to_user_ptr(to->addr),
				    u64_to_user_ptr(from->addr), to->len, bounce,
				    to_failed);
	if (to->user)
		return user_phys(u64_to_user_ptr(to->addr), from->addr, to->len,
				 VDPA_MOVE_WRITE);
	if (from->user)
		return user_phys(u64_to_user_ptr(from->addr), to->addr, to->len,
				 VDPA_MOVE_READ);
	phys_to_phys(to->addr, from->addr, to->len);
	return 0;
}

static int move_all(struct vdpa_ring *ring, enum vdpa_hit_slot slot, u64 iova,
		    void *buf, size_t len, u32 perm, enum vdpa_move move)
{
	struct vdpa_run run;
	size_t done;
	int err;

	for (done = 0; done < len; done += run.len) {
		err = vdpa_translate(ring, slot, iova + done, len - done, perm,
				     &run);
		if (!err)
			err = vdpa_run_move(&run, buf + done, move);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vdpa_read() - read what is at an address
 * @ring: the ring on whose behalf
 * @slot: what for
 * @iova: the address; the range from there does not wrap
 * @buf: filled
 * @len: bytes
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0; -EFAULT if not all of it can be reached; -EACCES if it may not.
 */
int vdpa_read(struct vdpa_ring *ring, enum vdpa_hit_slot slot, u64 iova,
	      void *buf, size_t len)
{
	return move_all(ring, slot, iova, buf, len, VHOST_MAP_RO, VDPA_MOVE_READ);
}

/* Is all of the run in the linear map, whatever the configuration? */
static bool run_is_lowmem(const struct vdpa_run *run)
{
	u64 last = run->addr + run->len - 1;

	return !PageHighMem(pfn_to_page(PHYS_PFN(run->addr))) &&
	       !PageHighMem(pfn_to_page(PHYS_PFN(last)));
}

/**
 * vdpa_area_resolve() - find out how to reach a part of a ring
 * @ring: the ring
 * @area: which part; its @reach is set
 *
 * One entry that covers all of it gives a pointer that is good for this
 * generation. Anything else is left to each access, which also reports what is
 * wrong.
 *
 * Context: Within a burst.
 */
void vdpa_area_resolve(struct vdpa_ring *ring, struct vdpa_area *area)
{
	struct vdpa_run run;

	area->reach = VDPA_REACH_FAR;
	if (vdpa_translate(ring, VDPA_HIT_AREA, area->iova, area->size,
			   area->perm, &run))
		return;
	if (run.len != area->size || !IS_ALIGNED(run.addr, area->align))
		return;
	if (run.user) {
		area->user = u64_to_user_ptr(run.addr);
		area->reach = VDPA_REACH_USER;
	} else if (run_is_lowmem(&run)) {
		area->kernel = phys_to_virt(run.addr);
		area->reach = VDPA_REACH_KERNEL;
	}
}

/* The two bytes of @area at @off, which must be in one piece and aligned. */
static int area_run16(struct vdpa_ring *ring, const struct vdpa_area *area,
		      u32 off, struct vdpa_run *run)
{
	int err;

	if (area->reach == VDPA_REACH_USER) {
		run->addr = (unsigned long)area->user + off;
		run->user = true;
		return 0;
	}
	err = vdpa_translate(ring, VDPA_HIT_AREA, area->iova + off,
			     sizeof(__le16), area->perm, run);
	if (err)
		return err;
	if (run->len != sizeof(__le16) ||
	    !IS_ALIGNED(run->addr, sizeof(__le16)))
		return -EFAULT;
	return 0;
}

/**
 * vdpa_area_get16_far() - read a 16 bit field that has no kernel pointer
 * @ring: the ring
 * @area: which part of it
 * @off: where in there, bytes
 * @val: filled
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0, -EFAULT or -EACCES.
 */
int vdpa_area_get16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 *val)
{
	struct vdpa_run run;
	void *kernel;
	int err;

	err = area_run16(ring, area, off, &run);
	if (err)
		return err;
	if (run.user)
		return get_user(*val, (__le16 __user *)u64_to_user_ptr(run.addr));
	kernel = kmap_local_page(pfn_to_page(PHYS_PFN(run.addr)));
	*val = READ_ONCE(*(__le16 *)(kernel + (run.addr & ~PAGE_MASK)));
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
 * Return: 0, -EFAULT or -EACCES.
 */
int vdpa_area_put16_far(struct vdpa_ring *ring, const struct vdpa_area *area,
			u32 off, __le16 val)
{
	struct vdpa_run run;
	struct page *page;
	void *kernel;
	int err;

	err = area_run16(ring, area, off, &run);
	if (err)
		return err;
	if (run.user)
		return put_user(val, (__le16 __user *)u64_to_user_ptr(run.addr));
	page = pfn_to_page(PHYS_PFN(run.addr));
	kernel = kmap_local_page(page);
	WRITE_ONCE(*(__le16 *)(kernel + (run.addr & ~PAGE_MASK)), val);
	kunmap_local(kernel);
	flush_dcache_page(page);
	return 0;
}

/**
 * vdpa_area_move_far() - read or write what has no kernel pointer
 * @ring: the ring
 * @area: which part of it
 * @off: where in there, bytes
 * @buf: read or filled
 * @len: bytes, all inside @area
 * @move: which way
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: 0, -EFAULT or -EACCES.
 */
int vdpa_area_move_far(struct vdpa_ring *ring, const struct vdpa_area *area,
		       u32 off, void *buf, size_t len, enum vdpa_move move)
{
	if (area->reach == VDPA_REACH_USER)
		return user_move(area->user + off, buf, len, move);
	return move_all(ring, VDPA_HIT_AREA, area->iova + off, buf, len,
			area->perm, move);
}
