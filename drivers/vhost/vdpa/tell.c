// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling the device of maps. Who translates for it decides how.
 *
 * A parent that takes differences (update_map) or whole tables (set_map) is told all the
 * changes that were noted in an address space at once. One that takes ranges (dma_map),
 * and the platform's IOMMU, are told of each map, run by run, and what went before a
 * refusal is undone.
 */
#include <linux/iommu.h>
#include "vhost_vdpa.h"

/* Range by range */

static int vhost_vdpa_iommu_map(struct vhost_vdpa *v, const struct vdpa_map_run *run,
				u32 perm)
{
	int prot = IOMMU_CACHE;

	/* the IOMMU API counts in unsigned long */
	if (run->iova + run->size - 1 > ULONG_MAX || run->size > SIZE_MAX)
		return -ERANGE;
	if (perm & VHOST_MAP_RO)
		prot |= IOMMU_READ;
	if (perm & VHOST_MAP_WO)
		prot |= IOMMU_WRITE;

	return iommu_map(v->domain, run->iova, run->addr, run->size, prot,
			 GFP_KERNEL_ACCOUNT);
}

static int vhost_vdpa_tell_run(struct vhost_vdpa *v, unsigned int asid,
			       const struct vdpa_map *map, unsigned int i)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	const struct vdpa_map_run *run = &map->runs[i];

	if (!ops->dma_map)
		return vhost_vdpa_iommu_map(v, run, map->perm);
	return ops->dma_map(v->vdpa, asid, run->iova, run->size, run->addr,
			    map->perm, map->files ? &map->files[i] : NULL);
}

static int vhost_vdpa_tell_run_gone(struct vhost_vdpa *v, unsigned int asid,
				    const struct vdpa_map_run *run)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;

	if (ops->dma_unmap)
		return ops->dma_unmap(v->vdpa, asid, run->iova, run->size);
	return iommu_unmap(v->domain, run->iova, run->size) == run->size ? 0 : -EIO;
}

/**
 * vhost_vdpa_tell_map() - tell of all runs of a map, range by range
 * @v: device
 * @asid: address space
 * @map: map that the device does not know
 *
 * Context: Process context, v->lock held, mmap lock not held.
 * Return: 0, and the map is marked as told; or -errno. It is marked nevertheless when
 *	the parent did not take back what it had been told: the memory must be kept.
 */
int vhost_vdpa_tell_map(struct vhost_vdpa *v, unsigned int asid,
			struct vhost_vdpa_map *map)
{
	unsigned int i;
	int err;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < map->shown.nr_runs; i++) {
		err = vhost_vdpa_tell_run(v, asid, &map->shown, i);
		if (err)
			goto undo;
		if (i % 64 == 63)
			cond_resched();
	}
	map->told = true;
	return 0;

undo:
	map->told = false;
	while (i--)
		if (vhost_vdpa_tell_run_gone(v, asid, &map->shown.runs[i]))
			map->told = true;
	return err;
}

/**
 * vhost_vdpa_tell_map_gone() - tell that all runs of a map are gone, range by range
 * @v: device
 * @asid: address space
 * @map: map that the device knows
 *
 * What cannot be told again after a refusal is memory that the device may not reach but
 * that is kept: better than the reverse.
 *
 * Context: Process context, v->lock held, mmap lock not held.
 * Return: 0, or -errno and the device may still use the memory.
 */
int vhost_vdpa_tell_map_gone(struct vhost_vdpa *v, unsigned int asid,
			     struct vhost_vdpa_map *map)
{
	unsigned int i;
	int err;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < map->shown.nr_runs; i++) {
		err = vhost_vdpa_tell_run_gone(v, asid, &map->shown.runs[i]);
		if (err)
			goto undo;
		if (i % 64 == 63)
			cond_resched();
	}
	return 0;

undo:
	while (i--)
		vhost_vdpa_tell_run(v, asid, &map->shown, i);
	return err;
}

/* By differences */

/* A device that has forgotten its maps is told of all of them. */
static int vhost_vdpa_tell_again(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *next;
	LIST_HEAD(none);
	LIST_HEAD(all);
	int err;

	rbtree_postorder_for_each_entry_safe(map, next, &as->maps, node)
		list_move_tail(&map->shown.link, &all);
	err = v->vdpa->config->update_map(v->vdpa, as->id, &none, &all);
	as->forgotten = err;

	list_for_each_entry_safe(map, next, &all, shown.link) {
		if (map->told)
			list_del_init(&map->shown.link);
		else
			list_move_tail(&map->shown.link, &as->added);
	}
	return err;
}

static int vhost_vdpa_tell_difference(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	if (as->forgotten)
		return vhost_vdpa_tell_again(v, as);
	return v->vdpa->config->update_map(v->vdpa, as->id, &as->removed, &as->added);
}

/* By tables */

static int vhost_vdpa_table_add(struct vhost_vdpa_as *as, const struct vdpa_map *map)
{
	unsigned int i;
	int err;

	for (i = 0; i < map->nr_runs; i++) {
		const struct vdpa_map_run *run = &map->runs[i];

		err = vhost_iotlb_add_range_ctx(&as->table, run->iova,
						run->iova + run->size - 1, run->addr,
						map->perm,
						map->files ? &map->files[i] : NULL);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int vhost_vdpa_table_rebuild(struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *next;
	int err;

	vhost_iotlb_reset(&as->table);
	rbtree_postorder_for_each_entry_safe(map, next, &as->maps, node) {
		err = vhost_vdpa_table_add(as, &map->shown);
		if (err)
			return err;
	}
	return 0;
}

static int vhost_vdpa_table_change(struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map;
	int err;

	list_for_each_entry(map, &as->removed, shown.link)
		vhost_iotlb_del_range(&as->table, map->shown.first, map->shown.last);
	list_for_each_entry(map, &as->added, shown.link) {
		err = vhost_vdpa_table_add(as, &map->shown);
		if (err)
			return err;
	}
	return 0;
}

/* A table that was not accepted, or not finished, is made anew the next time. */
static int vhost_vdpa_tell_table(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	int err;

	err = as->table_valid ? vhost_vdpa_table_change(as) :
				vhost_vdpa_table_rebuild(as);
	if (!err)
		err = v->vdpa->config->set_map(v->vdpa, as->id, &as->table);
	as->table_valid = !err;
	return err;
}

/**
 * vhost_vdpa_tell_changes() - tell what was added to an address space and removed
 * @v: device whose parent is told many changes at once
 * @as: address space
 *
 * Context: Process context, v->lock held, mmap lock not held.
 * Return: 0; or -errno, and what the device knows is what it knew.
 */
int vhost_vdpa_tell_changes(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	lockdep_assert_held(&v->lock);

	if (v->vdpa->config->update_map)
		return vhost_vdpa_tell_difference(v, as);
	return vhost_vdpa_tell_table(v, as);
}

/**
 * vhost_vdpa_tell_default() - return an address space to what it was before its use
 * @v: device, reset
 * @as: address space; the device was told that its maps are gone, or will be by this
 *
 * Context: Process context, v->lock held. On return memory may be given back.
 */
void vhost_vdpa_tell_default(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	struct vhost_iotlb empty;
	int err = 0;

	lockdep_assert_held(&v->lock);

	vhost_iotlb_init(&empty, UINT_MAX, 0);
	if (ops->reset_map)
		err = ops->reset_map(v->vdpa, as->id);
	else if (v->by_table)
		err = ops->set_map(v->vdpa, as->id, &empty);
	if (err)
		dev_warn(&v->dev, "address space %u was not emptied: %d\n", as->id,
			 err);
}
