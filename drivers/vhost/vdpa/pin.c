// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps of pinned pages: finding the runs, and giving the pages back.
 *
 * Pages are counted in the owner's pinned_vm against RLIMIT_MEMLOCK, for each map that
 * they are in.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
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
#define VHOST_VDPA_PIN_FEW 8

static void vhost_vdpa_uncharge(struct vhost_vdpa *v, unsigned long pages)
{
	atomic64_sub(pages, &v->mm->pinned_vm);
	atomic64_sub(pages, &v->pinned);
}

static int vhost_vdpa_charge(struct vhost_vdpa *v, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	atomic64_add(pages, &v->pinned);
	if (atomic64_add_return(pages, &v->mm->pinned_vm) <= limit)
		return 0;
	vhost_vdpa_uncharge(v, pages);
	return -ENOMEM;
}

/* Pages that [addr, addr + size) lies in, which a run or a whole map is pinned as. */
static unsigned long vhost_vdpa_span(u64 addr, u64 size)
{
	return DIV_ROUND_UP_ULL(offset_in_page(addr) + size, PAGE_SIZE);
}

/* The device may have written to a folio, and no page table tells. */
static void vhost_vdpa_mark_dirty(struct folio *folio)
{
	if (folio_test_dirty(folio))
		return;
	if (folio_test_anon(folio)) {
		/* nobody has to be told, and it is not truncated while it is pinned */
		folio_set_dirty(folio);
		return;
	}
	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

/* Unpin pages that are side by side, folio by folio. */
static void vhost_vdpa_unpin_pages(unsigned long pfn, unsigned long pages, bool dirty)
{
	unsigned long nr;

	for (; pages; pages -= nr, pfn += nr) {
		struct page *page = pfn_to_page(pfn);
		struct folio *folio = page_folio(page);

		nr = folio_nr_pages(folio) - folio_page_idx(folio, page);
		nr = min(nr, pages);
		if (dirty)
			vhost_vdpa_mark_dirty(folio);
		unpin_user_folio(folio, nr);
	}
}

static unsigned long vhost_vdpa_unpin_runs(const struct vdpa_map *map, bool dirty)
{
	unsigned long pages, all = 0;
	unsigned int i;

	for (i = 0; i < map->nr_runs; i++) {
		const struct vdpa_map_run *run = &map->runs[i];

		pages = vhost_vdpa_span(run->addr, run->size);
		vhost_vdpa_unpin_pages(PHYS_PFN(run->addr), pages, dirty);
		all += pages;
		if (pages + i % 64 > 64)
			cond_resched();
	}
	return all;
}

/**
 * vhost_vdpa_unpin() - give back the pages of a map
 * @v: device
 * @map: map that the device does not reach any more
 *
 * Context: Process context. May sleep.
 */
void vhost_vdpa_unpin(struct vhost_vdpa *v, const struct vhost_vdpa_map *map)
{
	bool dirty = map->shown.perm & VHOST_MAP_WO;

	vhost_vdpa_uncharge(v, vhost_vdpa_unpin_runs(&map->shown, dirty));
}

/**
 * struct vhost_vdpa_pin - a map of pinned pages in the making
 * @map: the map
 * @iova: where the run at hand begins
 * @left: bytes from there to the end of the map
 * @offset: of the run's first byte in its first page
 * @pfn: the run's first page
 * @pages: pages in the run, 0 if none is at hand
 */
struct vhost_vdpa_pin {
	struct vhost_vdpa_map *map;
	u64 iova;
	u64 left;
	unsigned long offset;
	unsigned long pfn;
	unsigned long pages;
};

/* Enter the run at hand into the map. */
static int vhost_vdpa_pin_flush(struct vhost_vdpa_pin *pin)
{
	u64 size = ((u64)pin->pages << PAGE_SHIFT) - pin->offset;
	u64 addr = ((u64)pin->pfn << PAGE_SHIFT) + pin->offset;
	int err;

	if (!pin->pages)
		return 0;
	size = min(size, pin->left);
	err = vhost_vdpa_map_add_run(pin->map, pin->iova, size, addr);
	if (err < 0)
		return err;

	pin->iova += size;
	pin->left -= size;
	pin->offset = 0;
	pin->pages = 0;
	return 0;
}

/*
 * Add pinned pages to the run at hand, entering it where they do not continue it.
 * Return: how many were taken, all of them unless memory ran out.
 */
static unsigned long vhost_vdpa_pin_take(struct vhost_vdpa_pin *pin,
					 struct page **pages, unsigned long nr)
{
	unsigned long from, to, pfn;

	for (from = 0; from < nr; from = to) {
		pfn = page_to_pfn(pages[from]);
		for (to = from + 1; to < nr; to++)
			if (page_to_pfn(pages[to]) - pfn != to - from)
				break;

		if (pfn != pin->pfn + pin->pages) {
			if (vhost_vdpa_pin_flush(pin))
				break;
			pin->pfn = pfn;
		}
		pin->pages += to - from;
	}
	return from;
}

/* Pin up to @nr pages at @addr and take them. Return: how many, or -errno. */
static long vhost_vdpa_pin_some(struct vhost_vdpa_pin *pin, unsigned long addr,
				struct page **pages, unsigned long nr)
{
	unsigned int flags = FOLL_LONGTERM;
	unsigned long taken;
	long got;

	if (pin->map->shown.perm & VHOST_MAP_WO)
		flags |= FOLL_WRITE;
	got = pin_user_pages_fast(addr, nr, flags, pages);
	if (got <= 0)
		return got ?: -EFAULT;

	taken = vhost_vdpa_pin_take(pin, pages, got);
	if (taken == got)
		return got;
	unpin_user_pages(pages + taken, got - taken);
	return -ENOMEM;
}

static int vhost_vdpa_pin_all(struct vhost_vdpa *v, struct vhost_vdpa_pin *pin,
			      unsigned long addr, unsigned long nr)
{
	struct page *few[VHOST_VDPA_PIN_FEW], **pages = few;
	unsigned long max = ARRAY_SIZE(few);
	long got = 0;

	if (nr > max) {
		max = min(nr, VHOST_VDPA_PIN_MAX);
		pages = kvmalloc_array(max, sizeof(*pages), GFP_KERNEL_ACCOUNT);
		if (!pages)
			return -ENOMEM;
	}

	for (; nr && got >= 0; nr -= got, addr += got << PAGE_SHIFT) {
		/* a device that is gone needs no more of them */
		if (READ_ONCE(v->vdpa))
			got = vhost_vdpa_pin_some(pin, addr, pages, min(nr, max));
		else
			got = -ENODEV;
		if (got < 0)
			break;
		cond_resched();
	}

	if (pages != few)
		kvfree(pages);
	if (got < 0)
		return got;
	return vhost_vdpa_pin_flush(pin);
}

/* Pin the pages of a map. On failure nothing is pinned. */
static int vhost_vdpa_pin_map(struct vhost_vdpa *v, struct vhost_vdpa_map *map,
			      const struct vhost_iotlb_msg *msg)
{
	unsigned long nr = vhost_vdpa_span(msg->uaddr, msg->size);
	struct vhost_vdpa_pin pin = {
		.map = map,
		.iova = msg->iova,
		.left = msg->size,
		.offset = offset_in_page(msg->iova),
	};
	int err;

	/* a page has one place in the IOVA space */
	if (offset_in_page(msg->iova) != offset_in_page(msg->uaddr))
		return -EINVAL;
	err = vhost_vdpa_charge(v, nr);
	if (err)
		return err;

	err = vhost_vdpa_pin_all(v, &pin, msg->uaddr & PAGE_MASK, nr);
	if (!err)
		return 0;

	vhost_vdpa_unpin_runs(&map->shown, false);
	map->shown.nr_runs = 0;
	if (pin.pages)
		vhost_vdpa_unpin_pages(pin.pfn, pin.pages, false);
	vhost_vdpa_uncharge(v, nr);
	return err;
}

/**
 * vhost_vdpa_gather_pinned() - pin the memory of update messages
 * @v: device
 * @frames: the messages
 * @maps: the first of their maps, which receive the runs
 *
 * Context: The owner's process context, no lock held that a page fault could need.
 * Return: as vhost_vdpa_gather(), -EINVAL when IOVA and address differ in their place
 *	in a page. Maps of messages that are not counted have no runs.
 */
int vhost_vdpa_gather_pinned(struct vhost_vdpa *v, const union vhost_vdpa_frame *frames,
			     struct vhost_vdpa_map *maps)
{
	struct vhost_vdpa_map *map;
	int err;

	for (map = maps; map; map = map->next) {
		err = vhost_vdpa_pin_map(v, map, vhost_vdpa_frame_msg(&frames[map->msg]));
		if (err)
			return map->msg ?: err;
		maps = map;
	}
	return maps->msg + 1;
}
