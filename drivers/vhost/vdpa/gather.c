// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that maps are made of: gathering it, and giving it back.
 *
 * It is pinned pages, counted in the owner's pinned_vm against RLIMIT_MEMLOCK. Where the
 * device works with the owner's virtual addresses it is what is mapped there, and a
 * reference on the file behind that is all there is to hold.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "vhost_vdpa.h"

/*
 * Pages pinned in one go. Looking them up keeps interrupts off, and their pointers take
 * four pages; more does not make it faster.
 */
#define VHOST_VDPA_PIN_MAX 2048
/* as many need no allocation */
#define VHOST_VDPA_PIN_FEW 16

/**
 * struct vhost_vdpa_va - the memory of a run of virtual addresses
 * @file: what backs it, for the parent; a reference is held
 * @map: what it is part of
 * @link: entry in a list while the map is being gathered
 * @iova: first IOVA
 * @size: bytes
 * @addr: virtual address
 */
struct vhost_vdpa_va {
	struct vdpa_map_file file;
	struct vhost_vdpa_map *map;
	struct list_head link;
	u64 iova;
	u64 size;
	u64 addr;
};

/*
 * A tree entry's opaque pointer is the map itself; for virtual addresses, where the
 * parent expects one, the struct vdpa_map_file of a struct vhost_vdpa_va.
 */
static struct vhost_vdpa_va *vhost_vdpa_run_va(const struct vhost_iotlb_map *run)
{
	return container_of(run->opaque, struct vhost_vdpa_va, file);
}

/**
 * vhost_vdpa_run_map() - find what map a run is part of
 * @v: device
 * @run: entry of a tree
 *
 * Return: the map.
 */
struct vhost_vdpa_map *vhost_vdpa_run_map(const struct vhost_vdpa *v,
					  const struct vhost_iotlb_map *run)
{
	return v->use_va ? vhost_vdpa_run_va(run)->map : run->opaque;
}

static void vhost_vdpa_va_free(struct vhost_vdpa_va *va)
{
	fput(va->file.file);
	kfree(va);
}

static int vhost_vdpa_charge(struct mm_struct *mm, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(pages, &mm->pinned_vm) <= limit)
		return 0;
	atomic64_sub(pages, &mm->pinned_vm);
	return -ENOMEM;
}

static void vhost_vdpa_uncharge(struct mm_struct *mm, unsigned long pages)
{
	atomic64_sub(pages, &mm->pinned_vm);
}

/* Pages that [addr, addr + size) lies in, which a run or a whole map is pinned as. */
static unsigned long vhost_vdpa_span(u64 addr, u64 size)
{
	return DIV_ROUND_UP_ULL(offset_in_page(addr) + size, PAGE_SIZE);
}

static void vhost_vdpa_unpin(unsigned long pfn, unsigned long pages, bool dirty)
{
	unpin_user_page_range_dirty_lock(pfn_to_page(pfn), pages, dirty);
}

/**
 * vhost_vdpa_run_release() - give back the memory of a run
 * @v: device
 * @run: entry of a tree, about to be freed; the device does not reach it any more
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_run_release(struct vhost_vdpa *v, const struct vhost_iotlb_map *run)
{
	unsigned long pages;

	lockdep_assert_held(&v->lock);

	if (v->use_va) {
		vhost_vdpa_va_free(vhost_vdpa_run_va(run));
		return;
	}
	pages = vhost_vdpa_span(run->addr, run->size);
	vhost_vdpa_unpin(PHYS_PFN(run->addr), pages, run->perm & VHOST_MAP_WO);
	vhost_vdpa_uncharge(v->mm, pages);
}

/* Physical memory */

/**
 * struct vhost_vdpa_pin - a map of pinned pages in the making
 * @v: device
 * @as: address space
 * @map: the map
 * @perm: VHOST_MAP_* bits
 * @iova: where the run at hand begins
 * @left: bytes from there to the end of the map
 * @offset: of the run's first byte in its first page
 * @pfn: the run's first page
 * @pages: pages in the run, 0 if none is at hand
 * @charged: pages charged that no entry owns yet, those of the run included
 */
struct vhost_vdpa_pin {
	struct vhost_vdpa *v;
	struct vhost_vdpa_as *as;
	struct vhost_vdpa_map *map;
	u32 perm;
	u64 iova;
	u64 left;
	unsigned long offset;
	unsigned long pfn;
	unsigned long pages;
	unsigned long charged;
};

/* Enter the run at hand. */
static int vhost_vdpa_pin_flush(struct vhost_vdpa_pin *pin)
{
	u64 size = ((u64)pin->pages << PAGE_SHIFT) - pin->offset;
	u64 addr = ((u64)pin->pfn << PAGE_SHIFT) + pin->offset;
	int err;

	if (!pin->pages)
		return 0;
	size = min(size, pin->left);
	err = vhost_vdpa_enter_run(pin->v, pin->as, pin->map, pin->iova, size,
				   addr, pin->perm, pin->map, NULL);
	if (err)
		return err;

	pin->iova += size;
	pin->left -= size;
	pin->charged -= pin->pages;
	pin->offset = 0;
	pin->pages = 0;
	return 0;
}

/* Add pinned pages to the run at hand, entering it where they do not continue it. */
static int vhost_vdpa_pin_take(struct vhost_vdpa_pin *pin, struct page **pages,
			       unsigned long nr, unsigned long *taken)
{
	unsigned long pfn;
	int err;

	for (*taken = 0; *taken < nr; ++*taken) {
		pfn = page_to_pfn(pages[*taken]);
		if (!pin->pages || pfn != pin->pfn + pin->pages) {
			err = vhost_vdpa_pin_flush(pin);
			if (err)
				return err;
			pin->pfn = pfn;
		}
		pin->pages++;
	}
	return 0;
}

/* Pin up to @nr pages at @addr and take them. Return: how many, or -errno. */
static long vhost_vdpa_pin_some(struct vhost_vdpa_pin *pin, unsigned long addr,
				struct page **pages, unsigned long nr)
{
	unsigned int flags = FOLL_LONGTERM;
	unsigned long taken = 0;
	long got;
	int err;

	if (pin->perm & VHOST_MAP_WO)
		flags |= FOLL_WRITE;
	got = pin_user_pages_fast(addr, nr, flags, pages);
	if (got <= 0)
		return got ?: -EFAULT;

	err = vhost_vdpa_enter(pin->v);
	if (!err) {
		err = vhost_vdpa_pin_take(pin, pages, got, &taken);
		vhost_vdpa_leave(pin->v);
	}
	if (!err)
		return got;

	unpin_user_pages(pages + taken, got - taken);
	return err;
}

static int vhost_vdpa_pin_all(struct vhost_vdpa_pin *pin, unsigned long addr,
			      unsigned long nr)
{
	struct page *few[VHOST_VDPA_PIN_FEW], **pages = few;
	unsigned long max = ARRAY_SIZE(few);
	long got;
	int err = 0;

	if (nr > max) {
		max = min(nr, VHOST_VDPA_PIN_MAX);
		pages = kvmalloc_array(max, sizeof(*pages), GFP_KERNEL_ACCOUNT);
		if (!pages)
			return -ENOMEM;
	}

	while (nr) {
		got = vhost_vdpa_pin_some(pin, addr, pages, min(nr, max));
		if (got < 0) {
			err = got;
			break;
		}
		nr -= got;
		addr += got << PAGE_SHIFT;
		cond_resched();
	}

	if (pages != few)
		kvfree(pages);
	return err;
}

/* Runs that were entered stay when this fails; the caller undoes the map. */
static int vhost_vdpa_fill_pinned(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				  struct vhost_vdpa_map *map,
				  const struct vhost_iotlb_msg *msg)
{
	unsigned long nr = vhost_vdpa_span(msg->uaddr, msg->size);
	struct vhost_vdpa_pin pin = {
		.v = v,
		.as = as,
		.map = map,
		.perm = msg->perm,
		.iova = msg->iova,
		.left = msg->size,
		.offset = offset_in_page(msg->iova),
		.charged = nr,
	};
	int err;

	/* a page has one place in the IOVA space */
	if (offset_in_page(msg->iova) != offset_in_page(msg->uaddr))
		return -EINVAL;
	err = vhost_vdpa_charge(v->mm, nr);
	if (err)
		return err;

	err = vhost_vdpa_pin_all(&pin, msg->uaddr & PAGE_MASK, nr);
	if (!err)
		err = vhost_vdpa_enter(v);
	if (!err) {
		err = vhost_vdpa_pin_flush(&pin);
		vhost_vdpa_leave(v);
	}

	if (pin.pages)
		vhost_vdpa_unpin(pin.pfn, pin.pages, false);
	vhost_vdpa_uncharge(v->mm, pin.charged);
	return err;
}

/* Virtual addresses */

/* Only what other processes can map too has a file to tell the parent. */
static bool vhost_vdpa_vma_shareable(const struct vm_area_struct *vma)
{
	return vma->vm_file && (vma->vm_flags & VM_SHARED) &&
	       !(vma->vm_flags & (VM_IO | VM_PFNMAP));
}

/* Note the part of @vma that begins at @addr. */
static int vhost_vdpa_va_add(struct list_head *list, struct vhost_vdpa_map *map,
			     struct vm_area_struct *vma, unsigned long addr,
			     u64 iova, u64 size)
{
	struct vhost_vdpa_va *va = kmalloc(sizeof(*va), GFP_KERNEL_ACCOUNT);

	if (!va)
		return -ENOMEM;
	va->file.file = get_file(vma->vm_file);
	va->file.offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) +
			  (addr - vma->vm_start);
	va->map = map;
	va->iova = iova;
	va->size = size;
	va->addr = addr;
	list_add_tail(&va->link, list);
	return 0;
}

/*
 * List the pieces of [msg->uaddr, + size) that have a file. There may be others, but no
 * holes; nor may all of it be without.
 */
static int vhost_vdpa_va_walk(struct mm_struct *mm, struct list_head *list,
			      struct vhost_vdpa_map *map,
			      const struct vhost_iotlb_msg *msg)
{
	unsigned long addr = msg->uaddr;
	u64 iova = msg->iova, left = msg->size, size;
	struct vm_area_struct *vma;
	int err;

	mmap_assert_locked(mm);

	for (; left; addr += size, iova += size, left -= size) {
		vma = vma_lookup(mm, addr);
		if (!vma)
			return -EFAULT;
		size = min_t(u64, left, vma->vm_end - addr);
		if (!vhost_vdpa_vma_shareable(vma))
			continue;
		if ((msg->perm & VHOST_ACCESS_WO) &&
		    !(vma->vm_flags & VM_MAYWRITE))
			return -EACCES;
		err = vhost_vdpa_va_add(list, map, vma, addr, iova, size);
		if (err)
			return err;
	}
	return list_empty(list) ? -EFAULT : 0;
}

static int vhost_vdpa_fill_virtual(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				   struct vhost_vdpa_map *map,
				   const struct vhost_iotlb_msg *msg)
{
	struct vhost_vdpa_va *va, *next;
	LIST_HEAD(list);
	int err;

	err = mmap_read_lock_killable(v->mm);
	if (err)
		return err;
	err = vhost_vdpa_va_walk(v->mm, &list, map, msg);
	mmap_read_unlock(v->mm);

	if (!err)
		err = vhost_vdpa_enter(v);
	if (err)
		goto out;

	list_for_each_entry_safe(va, next, &list, link) {
		err = vhost_vdpa_enter_run(v, as, map, va->iova, va->size,
					   va->addr, msg->perm, &va->file,
					   &va->file);
		if (err)
			break;
		list_del(&va->link);
	}
	vhost_vdpa_leave(v);
out:
	list_for_each_entry_safe(va, next, &list, link)
		vhost_vdpa_va_free(va);
	return err;
}

/**
 * vhost_vdpa_map_fill() - gather a map's memory and enter it
 * @v: device
 * @as: address space
 * @map: map, new
 * @msg: update message with valid IOVAs and permissions
 *
 * A failure may leave runs entered, for vhost_vdpa_map_undo().
 *
 * Context: The owner's process context, v->msg_lock held. Takes and releases the
 * owner's mmap lock and v->lock, never both.
 * Return: 0; -EINVAL for an impossible range; -ENOMEM, also past RLIMIT_MEMLOCK;
 *	-EFAULT where there is no memory; -EACCES; -EINTR; -ENODEV; or the parent's
 *	error.
 */
int vhost_vdpa_map_fill(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			struct vhost_vdpa_map *map,
			const struct vhost_iotlb_msg *msg)
{
	u64 end;

	lockdep_assert_held(&v->msg_lock);

	if (check_add_overflow(msg->uaddr, msg->size, &end) || end > ULONG_MAX)
		return -EINVAL;
	if (v->use_va)
		return vhost_vdpa_fill_virtual(v, as, map, msg);
	return vhost_vdpa_fill_pinned(v, as, map, msg);
}
