// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces of a software device.
 *
 * A change of a map takes the lock for write and so waits until every burst that
 * may have translated through the old map is over. Whoever changed it can then
 * free what was behind it.
 */

#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/mm_types.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <linux/vhost_iotlb.h>

#include "ring_private.h"

/**
 * vdpa_memory_alloc() - create the address spaces of a device
 * @nas: how many address spaces, at least 1
 * @limit: most extents that one of them holds, 0 for no limit: maps, as the bus
 *	driver gives them, and pieces that are left of those
 *
 * All of them are empty: nothing can be reached until something is mapped or
 * vdpa_memory_clear() says that the identity applies.
 *
 * Context: Process context. May sleep.
 * Return: The memory, to be freed with vdpa_memory_free(), or NULL.
 */
struct vdpa_memory *vdpa_memory_alloc(unsigned int nas, unsigned int limit)
{
	struct vdpa_memory *mem;

	if (!nas)
		return NULL;
	mem = kzalloc(struct_size(mem, tables, nas), GFP_KERNEL_ACCOUNT);
	if (!mem)
		return NULL;
	init_rwsem(&mem->lock);
	mem->generation = 1;
	mem->limit = limit;
	mem->nas = nas;
	return mem;
}
EXPORT_SYMBOL_GPL(vdpa_memory_alloc);

/**
 * vdpa_memory_free() - free the address spaces of a device
 * @mem: memory that no ring uses any more, or NULL
 *
 * Context: Process context. May sleep.
 */
void vdpa_memory_free(struct vdpa_memory *mem)
{
	LIST_HEAD(taken);
	unsigned int i;

	if (!mem)
		return;
	if (mem->mm)
		mmdrop(mem->mm);
	for (i = 0; i < mem->nas; i++)
		vdpa_table_take_all(&mem->tables[i], &taken);
	vdpa_extents_free(&taken);
	kfree(mem);
}
EXPORT_SYMBOL_GPL(vdpa_memory_free);

/* Changes */

/* An extent of one run. */
static struct vdpa_extent *extent_of(u64 start, u64 last, u64 addr, u32 perm)
{
	struct vdpa_extent *extent = vdpa_extent_alloc(1);

	if (!extent)
		return NULL;
	extent->start = start;
	extent->last = last;
	extent->perm = perm;
	extent->runs[0].iova = start;
	extent->runs[0].addr = addr;
	return extent;
}

/* One of @map, with all its runs, on list @extents. */
static int extent_add_map(struct list_head *extents, const struct vdpa_map *map)
{
	struct vdpa_extent *extent = vdpa_extent_alloc(map->nr_runs);
	unsigned int i;

	if (!extent)
		return -ENOMEM;
	extent->start = map->first;
	extent->last = map->last;
	extent->perm = map->perm;
	for (i = 0; i < map->nr_runs; i++) {
		extent->runs[i].iova = map->runs[i].iova;
		extent->runs[i].addr = map->runs[i].addr;
	}
	list_add_tail(&extent->link, extents);
	return 0;
}

/* Does @b go on where @a ends, in both spaces? */
static bool entries_touch(const struct vhost_iotlb_map *a, u64 last,
			  const struct vhost_iotlb_map *b)
{
	return last + 1 == b->start && a->perm == b->perm &&
	       a->addr + (last - a->start) + 1 == b->addr;
}

/* Extents of all entries of @iotlb, one for neighbours that touch. */
static int extent_add_iotlb(struct list_head *extents, struct vhost_iotlb *iotlb)
{
	struct vhost_iotlb_map *first, *next;
	struct vdpa_extent *extent;
	u64 last;

	first = vhost_iotlb_itree_first(iotlb, 0, U64_MAX);
	while (first) {
		last = first->last;
		next = vhost_iotlb_itree_next(first, 0, U64_MAX);
		while (next && entries_touch(first, last, next)) {
			last = next->last;
			next = vhost_iotlb_itree_next(next, 0, U64_MAX);
		}
		extent = extent_of(first->start, last, first->addr, first->perm);
		if (!extent)
			return -ENOMEM;
		list_add_tail(&extent->link, extents);
		first = next;
	}
	return 0;
}

/* Enter one extent. What is not user memory is physical. */
static int memory_enter_extent(struct vdpa_memory *mem, struct vdpa_table *table,
			       struct vdpa_extent *extent)
{
	lockdep_assert_held_write(&mem->lock);

	extent->user = mem->mm;
	if (!vdpa_extent_valid(extent, mem->mm ? ULONG_MAX : PHYS_ADDR_MAX))
		return -EINVAL;
	if (mem->limit && table->nr >= mem->limit)
		return -ENOSPC;
	return vdpa_table_insert(table, extent);
}

/* Enter all of @extents into @table, or none. */
static int memory_enter_extents(struct vdpa_memory *mem, struct vdpa_table *table,
				struct list_head *extents)
{
	struct vdpa_extent *extent;
	int err;

	list_for_each_entry(extent, extents, link) {
		err = memory_enter_extent(mem, table, extent);
		if (err)
			goto undo;
	}
	INIT_LIST_HEAD(extents);
	return 0;

undo:
	list_for_each_entry_continue_reverse(extent, extents, link)
		vdpa_table_erase(table, extent);
	return err;
}

/* Enter what was taken out again. Nothing is in its place. */
static void memory_put_back(struct vdpa_table *table, struct list_head *taken)
{
	struct vdpa_extent *extent;

	list_for_each_entry(extent, taken, link)
		vdpa_table_insert(table, extent);
	INIT_LIST_HEAD(taken);
}

/*
 * Put @added in the place of @taken, which were just taken out of @table: all of them or
 * none. Either way both lists hold what is not in the table afterwards.
 */
static int memory_replace(struct vdpa_memory *mem, struct vdpa_table *table,
			  struct list_head *taken, struct list_head *added)
{
	int err;

	err = memory_enter_extents(mem, table, added);
	if (err) {
		memory_put_back(table, taken);
		return err;
	}
	table->identity = false;
	mem->generation++;
	return 0;
}

static struct vdpa_table *memory_table(struct vdpa_memory *mem, unsigned int asid)
{
	if (asid >= mem->nas)
		return NULL;
	return &mem->tables[array_index_nospec(asid, mem->nas)];
}

/**
 * vdpa_memory_set() - replace an address space
 * @mem: the device's memory
 * @asid: which address space
 * @iotlb: what it shall contain; copied, the caller keeps it
 *
 * The identity, if it applied, no longer does.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 * Return: 0; -EINVAL for an @asid, address or permission that cannot be; -EEXIST
 * if entries overlap; -ENOSPC if there are too many; -ENOMEM. On failure the old map
 * stays in force.
 */
int vdpa_memory_set(struct vdpa_memory *mem, unsigned int asid,
		    struct vhost_iotlb *iotlb)
{
	struct vdpa_table *table = memory_table(mem, asid);
	LIST_HEAD(taken);
	LIST_HEAD(added);
	int err;

	if (!table)
		return -EINVAL;
	err = extent_add_iotlb(&added, iotlb);
	if (!err) {
		down_write(&mem->lock);
		vdpa_table_take_all(table, &taken);
		err = memory_replace(mem, table, &taken, &added);
		up_write(&mem->lock);
	}
	vdpa_extents_free(&taken);
	vdpa_extents_free(&added);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_memory_set);

/**
 * vdpa_memory_update() - change an address space in one transaction
 * @mem: the device's memory
 * @asid: which address space
 * @removed: list of struct vdpa_map, whose ranges are removed first
 * @added: list of struct vdpa_map to be added; copied, the caller keeps them
 *
 * As &vdpa_config_ops.update_map. The identity, if it applied, no longer does.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 * Return: 0; -EINVAL for an @asid, address or permission that cannot be; -EEXIST if
 * what is added overlaps; -ENOSPC if there is too much; -ENOMEM. On failure everything
 * is as it was.
 */
int vdpa_memory_update(struct vdpa_memory *mem, unsigned int asid,
		       const struct list_head *removed,
		       const struct list_head *added)
{
	struct vdpa_table *table = memory_table(mem, asid);
	const struct vdpa_map *map;
	LIST_HEAD(extents);
	LIST_HEAD(taken);
	int err = 0;

	if (!table)
		return -EINVAL;
	list_for_each_entry(map, added, link) {
		err = extent_add_map(&extents, map);
		if (err)
			goto out;
	}

	down_write(&mem->lock);
	list_for_each_entry(map, removed, link) {
		err = vdpa_table_take(table, map->first, map->last, &taken);
		if (err)
			break;
	}
	if (err)
		memory_put_back(table, &taken);
	else
		err = memory_replace(mem, table, &taken, &extents);
	up_write(&mem->lock);
out:
	vdpa_extents_free(&taken);
	vdpa_extents_free(&extents);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_memory_update);

/**
 * vdpa_memory_map() - add a range to an address space
 * @mem: the device's memory
 * @asid: which address space
 * @iova: first address
 * @size: bytes, not 0
 * @addr: what is there: a user virtual address while an mm is bound, a physical
 *	address otherwise
 * @perm: what the device may do, VHOST_MAP_*
 *
 * The identity, if it applied, no longer does.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 * Return: 0; -EINVAL for a range, address, permission or @asid that cannot be;
 * -EEXIST if part of the range is mapped; -ENOSPC if the map is full; -ENOMEM.
 */
int vdpa_memory_map(struct vdpa_memory *mem, unsigned int asid, u64 iova,
		    u64 size, u64 addr, u32 perm)
{
	struct vdpa_table *table = memory_table(mem, asid);
	struct vdpa_extent *extent;
	u64 last;
	int err;

	if (!table || !size || check_add_overflow(iova, size - 1, &last))
		return -EINVAL;
	extent = extent_of(iova, last, addr, perm);
	if (!extent)
		return -ENOMEM;

	down_write(&mem->lock);
	err = memory_enter_extent(mem, table, extent);
	if (!err) {
		table->identity = false;
		mem->generation++;
	}
	up_write(&mem->lock);

	if (err)
		kvfree(extent);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_memory_map);

/**
 * vdpa_memory_unmap() - remove a range from an address space
 * @mem: the device's memory
 * @asid: which address space
 * @iova: first address
 * @size: bytes, not 0
 *
 * Removes exactly the range; an extent that reaches beyond is cut. On return
 * nobody uses what was mapped there. The identity has nothing to remove.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 * Return: 0, also if nothing was mapped; -EINVAL for a range or @asid that cannot
 * be; -ENOMEM, only if an extent has to be cut, and then nothing is removed.
 */
int vdpa_memory_unmap(struct vdpa_memory *mem, unsigned int asid, u64 iova,
		      u64 size)
{
	struct vdpa_table *table = memory_table(mem, asid);
	LIST_HEAD(taken);
	u64 last;
	int err;

	if (!table || !size || check_add_overflow(iova, size - 1, &last))
		return -EINVAL;

	down_write(&mem->lock);
	err = vdpa_table_take(table, iova, last, &taken);
	mem->generation++;
	up_write(&mem->lock);

	vdpa_extents_free(&taken);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_memory_unmap);

/**
 * vdpa_memory_clear() - return an address space to a default
 * @mem: the device's memory
 * @asid: which address space; none if there is no such one
 * @identity: the default is that each IOVA is a physical address, to be read and
 *	written; otherwise it is that nothing can be reached
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 */
void vdpa_memory_clear(struct vdpa_memory *mem, unsigned int asid, bool identity)
{
	struct vdpa_table *table = memory_table(mem, asid);
	LIST_HEAD(taken);

	if (!table)
		return;

	down_write(&mem->lock);
	vdpa_table_take_all(table, &taken);
	table->identity = identity;
	mem->generation++;
	up_write(&mem->lock);

	vdpa_extents_free(&taken);
}
EXPORT_SYMBOL_GPL(vdpa_memory_clear);

/**
 * vdpa_memory_bind_mm() - take addresses from now on as those of a process
 * @mem: the device's memory
 * @mm: whose; a reference on the struct is taken, none on its users
 *
 * Entries that exist keep their kind, and so does the identity.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 * Return: 0, or -EBUSY if an mm is bound.
 */
int vdpa_memory_bind_mm(struct vdpa_memory *mem, struct mm_struct *mm)
{
	guard(rwsem_write)(&mem->lock);
	if (mem->mm)
		return -EBUSY;
	mmgrab(mm);
	WRITE_ONCE(mem->mm, mm);
	mem->generation++;
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_memory_bind_mm);

/**
 * vdpa_memory_unbind_mm() - let go of the process's memory
 * @mem: the device's memory
 *
 * Entries that carry its addresses are dropped: without it they mean nothing. On
 * return nobody uses the mm.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 */
void vdpa_memory_unbind_mm(struct vdpa_memory *mem)
{
	struct mm_struct *mm;
	LIST_HEAD(taken);
	unsigned int i;

	down_write(&mem->lock);
	mm = mem->mm;
	WRITE_ONCE(mem->mm, NULL);
	for (i = 0; i < mem->nas; i++)
		vdpa_table_take_user(&mem->tables[i], &taken);
	mem->generation++;
	up_write(&mem->lock);

	vdpa_extents_free(&taken);
	if (mm)
		mmdrop(mm);
}
EXPORT_SYMBOL_GPL(vdpa_memory_unbind_mm);
