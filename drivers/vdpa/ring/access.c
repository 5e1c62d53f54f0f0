// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an IOVA to the bytes behind it.
 *
 * Physical addresses are reached through the kernel's linear map, or page by page
 * where that does not cover all memory or where data caches need care. What is in a
 * map is memory, as whoever mapped it holds its pages. Addresses of the identity come
 * straight from a ring, so that each page is checked before it is touched. User virtual
 * addresses are reached as the bound mm, by user copies that take no fault.
 */

#include <linux/highmem.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "ring_private.h"

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

/* The run of the identity that contains @iova: as many of @len bytes as are memory. */
static int find_identity(u64 iova, u64 len, struct vdpa_hit *hit)
{
	u64 pfn = iova >> PAGE_SHIFT, last = (iova + (len - 1)) >> PAGE_SHIFT, end;

	for (end = pfn; end <= last; end++)
		if (end << PAGE_SHIFT > PHYS_ADDR_MAX || end > ULONG_MAX ||
		    !pfn_reachable(end))
			break;
	if (end == pfn)
		return -EFAULT;
	*hit = (struct vdpa_hit) {
		.start = pfn << PAGE_SHIFT,
		.len = (end - pfn) << PAGE_SHIFT,
	};
	return 0;
}

/**
 * vdpa_find() - look up an address
 * @ring: the ring on whose behalf
 * @asid: address space
 * @iova: the address
 * @len: how many bytes are wanted, at least 1
 * @perm: what the device wants to do with them
 * @hit: filled with the run that contains @iova; nothing is remembered on failure
 *
 * Context: Within a burst.
 * Return: 0; -EFAULT if there is nothing; -EACCES if the device may not.
 */
int vdpa_find(struct vdpa_ring *ring, unsigned int asid, u64 iova, u64 len,
	      u32 perm, struct vdpa_hit *hit)
{
	const struct vdpa_table *table = &ring->mem->tables[asid];
	u32 allowed = VHOST_MAP_RW;
	int err = 0;

	lockdep_assert_held(&ring->mem->lock);
	*hit = (struct vdpa_hit) {};
	if (!table->identity) {
		err = vdpa_table_find(table, iova, hit);
		allowed = hit->perm;
	}
	/* one map of all there is must be the identity too, and its length has no number */
	if (!err && !hit->len)
		err = hit->user ? -EFAULT : find_identity(iova, len, hit);
	if (!err && (allowed & perm) != perm)
		err = -EACCES;
	hit->perm = allowed;
	if (err)
		hit->len = 0;
	return err;
}

/**
 * vdpa_translate_miss() - vdpa_translate() of what is not the run that was used last
 * @ring: the ring on whose behalf
 * @slot: what for
 * @iova: the address
 * @len: how many bytes are wanted, at least 1
 *
 * A driver uses the same buffers again and again: those that were looked up are looked
 * for first.
 *
 * Context: Within a burst, @ring in sync with its memory.
 * Return: As vdpa_find().
 */
int vdpa_translate_miss(struct vdpa_ring *ring, enum vdpa_hit_slot slot, u64 iova,
			u64 len)
{
	struct vdpa_hit *seen = &ring->seen[(iova >> PAGE_SHIFT) % VDPA_RING_SEEN];
	u32 perm = slot == VDPA_HIT_IN ? VHOST_MAP_WO : VHOST_MAP_RO;
	int err;

	if (iova - seen->start >= seen->len || !(seen->perm & perm)) {
		err = vdpa_find(ring, ring->asid, iova, len, perm, seen);
		if (err) {
			ring->hit[slot].len = 0;
			return err;
		}
	}
	ring->hit[slot] = *seen;
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

/**
 * vdpa_move_paged() - vdpa_move() of physical addresses page by page
 * @addr: physical address
 * @buf: where the device has them; not used by VDPA_MOVE_ZERO
 * @len: bytes
 * @move: which way
 */
void vdpa_move_paged(u64 addr, void *buf, size_t len, enum vdpa_move move)
{
	size_t done, n;

	for (done = 0; done < len; done += n) {
		n = in_page(addr + done, len - done);
		page_move(pfn_to_page(PHYS_PFN(addr + done)),
			  (addr + done) & ~PAGE_MASK,
			  move == VDPA_MOVE_ZERO ? NULL : buf + done, n, move);
	}
}

/**
 * vdpa_fault_note() - remember that user memory was not there
 * @ring: the ring on whose behalf
 * @end: end of the range that was wanted
 * @left: how many of the bytes before it were not reached. A copy may report some more
 *	than it missed, hence more than the first byte will be asked for.
 * @write: they were to be written
 *
 * Return: -EAGAIN.
 */
int vdpa_fault_note(struct vdpa_ring *ring, const void __user *end, size_t left,
		    bool write)
{
	ring->fault_addr = (unsigned long)end - left;
	ring->fault_size = min_t(size_t, left, 128);
	ring->fault_write = write;
	ring->faulted = true;
	return -EAGAIN;
}

/**
 * vdpa_move_user() - vdpa_move() of user addresses
 * @ring: the ring on whose behalf, in sync with its memory
 * @user: where the driver has them
 * @buf: where the device has them; not used by VDPA_MOVE_ZERO
 * @len: bytes
 * @move: which way
 *
 * Context: Within a burst.
 * Return: 0; -EAGAIN if it is not there; -EFAULT if it cannot be.
 */
int vdpa_move_user(struct vdpa_ring *ring, void __user *user, void *buf, size_t len,
		   enum vdpa_move move)
{
	return __vdpa_move_user(ring, user, buf, len, move);
}

/**
 * vdpa_copy_paged() - move bytes between physical addresses page by page
 * @to: where to
 * @from: where from
 * @len: bytes
 */
void vdpa_copy_paged(u64 to, u64 from, size_t len)
{
	struct page *page;
	size_t done, n;

	for (done = 0; done < len; done += n) {
		n = in_page(to + done, in_page(from + done, len - done));
		page = pfn_to_page(PHYS_PFN(to + done));
		memcpy_page(page, (to + done) & ~PAGE_MASK,
			    pfn_to_page(PHYS_PFN(from + done)),
			    (from + done) & ~PAGE_MASK, n);
		flush_dcache_page(page);
	}
}

/* Move @len bytes between @user, of the memory of @ring, and physical @addr. */
static int user_phys(struct vdpa_ring *ring, void __user *user, u64 addr,
		     size_t len, enum vdpa_move move)
{
	struct page *page;
	size_t done, n;
	void *kernel;
	int err = 0;

	if (VDPA_LINEAR)
		return vdpa_move_user(ring, user, phys_to_virt(addr), len, move);
	for (done = 0; done < len && !err; done += n) {
		n = in_page(addr + done, len - done);
		page = pfn_to_page(PHYS_PFN(addr + done));
		kernel = kmap_local_page(page);
		err = vdpa_move_user(ring, user + done,
				     kernel + ((addr + done) & ~PAGE_MASK), n, move);
		kunmap_local(kernel);
		if (move == VDPA_MOVE_READ)
			flush_dcache_page(page);
	}
	return err;
}

/*
 * There is no copy from one user address to another, therefore two through a
 * buffer that stays in the cache. The addresses may be those of two processes.
 */
static int user_to_user(struct vdpa_ring *to_ring, struct vdpa_cursor to,
			struct vdpa_ring *from_ring, struct vdpa_cursor from, size_t len,
			bool *to_failed)
{
	void *bounced;
	size_t n;
	int err;

	for (; len; len -= n) {
		n = vdpa_bounced(from_ring, &from, &bounced);
		if (!n) {
			vdpa_ring_use_mm(from_ring);
			err = vdpa_bounce(from_ring, &from);
			if (err)
				return err;
			continue;
		}
		n = min(n, len);
		vdpa_ring_use_mm(to_ring);
		err = vdpa_move_user(to_ring, u64_to_user_ptr(to.addr), bounced, n,
				     VDPA_MOVE_WRITE);
		if (err) {
			*to_failed = true;
			return err;
		}
		from.addr += n;
		from.run -= n;
		to.addr += n;
	}
	return 0;
}

/**
 * vdpa_copy_mixed() - move bytes from one chain to another, one or both user memory
 * @to_ring: where to
 * @to: a run of @len bytes of it
 * @from_ring: where from
 * @from: a run of @len bytes of it
 * @len: bytes
 * @to_failed: set to whether a failure is that of @to
 *
 * Context: Within a burst.
 * Return: 0; -EAGAIN if user memory is not there; -EFAULT if it cannot be.
 */
int vdpa_copy_mixed(struct vdpa_ring *to_ring, const struct vdpa_cursor *to,
		    struct vdpa_ring *from_ring, const struct vdpa_cursor *from,
		    size_t len, bool *to_failed)
{
	*to_failed = false;
	if (to->user && from->user)
		return user_to_user(to_ring, *to, from_ring, *from, len, to_failed);
	if (to->user) {
		*to_failed = true;
		vdpa_ring_use_mm(to_ring);
		return user_phys(to_ring, u64_to_user_ptr(to->addr), from->addr, len,
				 VDPA_MOVE_WRITE);
	}
	vdpa_ring_use_mm(from_ring);
	return user_phys(from_ring, u64_to_user_ptr(from->addr), to->addr, len,
			 VDPA_MOVE_READ);
}
