// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps: entering them run by run, taking them away, and keeping an address space's
 * trees and the device in step.
 *
 * The memory of a run belongs to its entry in a tree. It is released when the entry is
 * freed, and that only once the device was told to leave it alone.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include "vhost_vdpa.h"

/**
 * struct vhost_vdpa_map - what one update message asked for
 * @pending: entry in the address space's list while set_map() did not tell the device
 * @first: first IOVA
 * @last: last IOVA
 * @refs: runs in the address space's trees, and one while it is being filled
 */
struct vhost_vdpa_map {
	struct list_head pending;
	u64 first;
	u64 last;
	unsigned int refs;
};

/**
 * vhost_vdpa_map_alloc() - begin a map
 * @as: address space with nothing at these IOVAs
 * @first: first IOVA
 * @last: last IOVA
 *
 * Context: Process context, the device's lock held.
 * Return: the map, with a reference for the caller, or NULL.
 */
struct vhost_vdpa_map *vhost_vdpa_map_alloc(struct vhost_vdpa_as *as, u64 first,
					    u64 last)
{
	struct vhost_vdpa_map *map = kmalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	map->first = first;
	map->last = last;
	map->refs = 1;
	list_add_tail(&map->pending, &as->pending);
	as->nr_maps++;
	return map;
}

/**
 * vhost_vdpa_map_put() - drop a reference on a map
 * @as: address space it is in
 * @map: map
 *
 * Context: Process context, the device's lock held.
 */
void vhost_vdpa_map_put(struct vhost_vdpa_as *as, struct vhost_vdpa_map *map)
{
	if (--map->refs)
		return;
	list_del(&map->pending);
	as->nr_maps--;
	kfree(map);
}

/* Free an entry of @tree and release the memory behind it. */
static void vhost_vdpa_free_run(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				struct vhost_iotlb *tree,
				struct vhost_iotlb_map *run)
{
	struct vhost_vdpa_map *map = vhost_vdpa_run_map(v, run);

	vhost_vdpa_run_release(v, run);
	vhost_iotlb_map_free(tree, run);
	vhost_vdpa_map_put(as, map);
	cond_resched();
}

/**
 * vhost_vdpa_enter_run() - enter one run of a map
 * @v: device
 * @as: address space
 * @map: map, new
 * @iova: first IOVA
 * @size: bytes
 * @addr: as for vhost_vdpa_dma_map()
 * @perm: VHOST_MAP_* bits
 * @opaque: for the entry: what vhost_vdpa_run_map() finds @map by
 * @file: what backs a virtual address, else NULL
 *
 * The device can reach it from now on, unless that is up to vhost_vdpa_commit().
 *
 * Context: Process context, v->lock held, mmap lock not held.
 * Return: 0, and the run's memory belongs to the entry; or -errno.
 */
int vhost_vdpa_enter_run(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			 struct vhost_vdpa_map *map, u64 iova, u64 size, u64 addr,
			 u32 perm, void *opaque, struct vdpa_map_file *file)
{
	int err;

	lockdep_assert_held(&v->lock);

	err = vhost_vdpa_dma_map(v, as->id, iova, size, addr, perm, file);
	if (err)
		return err;

	err = vhost_iotlb_add_range_ctx(&as->iotlb, iova, iova + size - 1, addr,
					perm, opaque);
	if (err) {
		vhost_vdpa_dma_unmap(v, as->id, iova, size);
		return err;
	}
	map->refs++;
	return 0;
}

/**
 * vhost_vdpa_map_undo() - take back what was entered of a map
 * @v: device
 * @as: address space
 * @map: map that set_map() did not tell the device
 *
 * What the parent refuses to unmap stays entered: the device may be using it.
 *
 * Context: Process context, v->lock held. The caller has a reference on @map.
 */
void vhost_vdpa_map_undo(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			 struct vhost_vdpa_map *map)
{
	struct vhost_iotlb_map *run, *next;

	lockdep_assert_held(&v->lock);

	for (run = vhost_iotlb_itree_first(&as->iotlb, map->first, map->last);
	     run; run = next) {
		next = vhost_iotlb_itree_next(run, map->first, map->last);
		if (!vhost_vdpa_dma_unmap(v, as->id, run->start, run->size))
			vhost_vdpa_free_run(v, as, &as->iotlb, run);
	}
}

/* Unmapping */

static bool vhost_vdpa_run_pending(const struct vhost_vdpa *v,
				   const struct vhost_iotlb_map *run)
{
	return !list_empty(&vhost_vdpa_run_map(v, run)->pending);
}

/* Unmap runs that overlap [@first, @last], one after the other. */
static int vhost_vdpa_unmap_now(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				u64 first, u64 last)
{
	struct vhost_iotlb_map *run;
	int err;

	while ((run = vhost_iotlb_itree_first(&as->iotlb, first, last))) {
		err = vhost_vdpa_dma_unmap(v, as->id, run->start, run->size);
		if (err)
			return err;
		vhost_vdpa_free_run(v, as, &as->iotlb, run);
	}
	return 0;
}

/* Enter @run into @tree as well; its memory has still one owner, one of the two. */
static int vhost_vdpa_copy_run(struct vhost_iotlb *tree,
			       const struct vhost_iotlb_map *run)
{
	return vhost_iotlb_add_range_ctx(tree, run->start, run->last, run->addr,
					 run->perm, run->opaque);
}

/* Drop from as->retired what vhost_vdpa_retire() copied before it failed at @end. */
static void vhost_vdpa_unretire(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				u64 first, const struct vhost_iotlb_map *end)
{
	struct vhost_iotlb_map *run, *copy;

	for (run = vhost_iotlb_itree_first(&as->iotlb, first, end->last);
	     run != end; run = vhost_iotlb_itree_next(run, first, end->last)) {
		if (vhost_vdpa_run_pending(v, run))
			continue;
		/* known runs do not overlap, so neither do their copies */
		copy = vhost_iotlb_itree_first(&as->retired, run->start,
					       run->last);
		vhost_iotlb_map_free(&as->retired, copy);
	}
}

/*
 * Take runs out of the tree whose memory a device that is told tables may use until it
 * is told the next. All of them or, for want of memory, none.
 */
static int vhost_vdpa_retire(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			     u64 first, u64 last)
{
	struct vhost_iotlb_map *run;
	int err;

	for (run = vhost_iotlb_itree_first(&as->iotlb, first, last); run;
	     run = vhost_iotlb_itree_next(run, first, last)) {
		if (vhost_vdpa_run_pending(v, run))
			continue;
		err = vhost_vdpa_copy_run(&as->retired, run);
		if (err) {
			vhost_vdpa_unretire(v, as, first, run);
			return err;
		}
	}

	while ((run = vhost_iotlb_itree_first(&as->iotlb, first, last))) {
		if (vhost_vdpa_run_pending(v, run))
			vhost_vdpa_free_run(v, as, &as->iotlb, run);
		else
			vhost_iotlb_map_free(&as->iotlb, run);
	}
	return 0;
}

/**
 * vhost_vdpa_unmap() - take away every run that a range touches
 * @v: device
 * @as: address space
 * @first: first IOVA
 * @last: last IOVA
 *
 * A run is taken whole. A parent that is told tables does not know until the next
 * vhost_vdpa_commit(), and memory is kept until then.
 *
 * Context: Process context, v->lock held.
 * Return: 0; -ENOMEM; or the parent's error, and what it did not unmap is still there.
 */
int vhost_vdpa_unmap(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 first,
		     u64 last)
{
	lockdep_assert_held(&v->lock);

	if (vhost_vdpa_by_table(v))
		return vhost_vdpa_retire(v, as, first, last);
	return vhost_vdpa_unmap_now(v, as, first, last);
}

/* Everything in the trees is known to the device, or unknown, as it should be. */
static void vhost_vdpa_settle(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *next;
	struct vhost_iotlb_map *run;

	list_for_each_entry_safe(map, next, &as->pending, pending)
		list_del_init(&map->pending);
	while ((run = vhost_iotlb_itree_first(&as->retired, 0, U64_MAX)))
		vhost_vdpa_free_run(v, as, &as->retired, run);
}

/* Back to the table that the device was told last. */
static void vhost_vdpa_roll_back(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *after;
	struct vhost_iotlb_map *run, *next;

	list_for_each_entry_safe(map, after, &as->pending, pending) {
		map->refs++;
		vhost_vdpa_map_undo(v, as, map);
		vhost_vdpa_map_put(as, map);
	}

	/* a run that cannot be entered for want of memory is kept until it is retired */
	for (run = vhost_iotlb_itree_first(&as->retired, 0, U64_MAX); run;
	     run = next) {
		next = vhost_iotlb_itree_next(run, 0, U64_MAX);
		if (!vhost_vdpa_copy_run(&as->iotlb, run))
			vhost_iotlb_map_free(&as->retired, run);
	}
}

/**
 * vhost_vdpa_commit() - make changes of an address space final
 * @v: device
 * @as: address space
 *
 * Tells a parent that is told tables the whole of it. If that is refused, everything
 * since the last time is taken back.
 *
 * Context: Process context, v->lock held.
 * Return: 0 or the parent's error.
 */
int vhost_vdpa_commit(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	int err;

	lockdep_assert_held(&v->lock);

	if (vhost_vdpa_by_table(v)) {
		err = v->vdpa->config->set_map(v->vdpa, as->id, &as->iotlb);
		if (err) {
			vhost_vdpa_roll_back(v, as);
			return err;
		}
	}
	vhost_vdpa_settle(v, as);
	return 0;
}

/* Free every entry of @tree with its memory. */
static void vhost_vdpa_drop_tree(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				 struct vhost_iotlb *tree)
{
	struct vhost_iotlb_map *run;

	while ((run = vhost_iotlb_itree_first(tree, 0, U64_MAX)))
		vhost_vdpa_free_run(v, as, tree, run);
}

/**
 * vhost_vdpa_as_drop() - empty an address space for good
 * @v: device, reset
 * @as: address space
 *
 * The device is told first, but nothing hinges on what it says: it is at rest.
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_as_drop(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_iotlb_map *run;

	lockdep_assert_held(&v->lock);

	for (run = vhost_iotlb_itree_first(&as->iotlb, 0, U64_MAX); run;
	     run = vhost_iotlb_itree_next(run, 0, U64_MAX))
		vhost_vdpa_dma_unmap(v, as->id, run->start, run->size);
	vhost_vdpa_dma_default(v, as->id);

	vhost_vdpa_drop_tree(v, as, &as->iotlb);
	vhost_vdpa_drop_tree(v, as, &as->retired);
}
