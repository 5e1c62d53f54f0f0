// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces of a software device, and who may use them when.
 *
 * A change of a map takes the lock for write and so waits until every burst that
 * may have translated through the old map is over. Whoever changed it can then
 * free what was behind it.
 */

#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/mm_types.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vhost_iotlb.h>

#include "ring_private.h"

/*
 * What the trees are told, to which 0 would mean that nothing fits. The limit that
 * counts is ours: a cut needs two entries more for a moment.
 */
#define TABLE_LIMIT UINT_MAX

static void memory_free_tables(struct vdpa_memory *mem)
{
	unsigned int i;

	for (i = 0; i < mem->nas; i++) {
		if (mem->tables[i].map)
			vhost_iotlb_free(mem->tables[i].map);
	}
}

/**
 * vdpa_memory_alloc() - create the address spaces of a device
 * @nas: how many address spaces, at least 1
 * @limit: most entries that one of them holds, 0 for no limit
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
	unsigned int i;

	if (!nas)
		return NULL;
	mem = kzalloc(struct_size(mem, tables, nas), GFP_KERNEL_ACCOUNT);
	if (!mem)
		return NULL;
	init_rwsem(&mem->lock);
	mem->generation = 1;
	mem->limit = limit;
	mem->nas = nas;
	for (i = 0; i < nas; i++) {
		mem->tables[i].map = vhost_iotlb_alloc(TABLE_LIMIT, 0);
		if (!mem->tables[i].map)
			goto err_tables;
	}
	return mem;

err_tables:
	memory_free_tables(mem);
	kfree(mem);
	return NULL;
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
	if (!mem)
		return;
	if (mem->mm)
		mmdrop(mem->mm);
	memory_free_tables(mem);
	kfree(mem);
}
EXPORT_SYMBOL_GPL(vdpa_memory_free);

/* Can [@start, @last] lie at @addr, and is @perm one that exists? */
static bool range_valid(const struct vdpa_memory *mem, u64 start, u64 last,
			u64 addr, u32 perm)
{
	u64 end, max = mem->mm ? ULONG_MAX : PHYS_ADDR_MAX;

	if (!perm || (perm & ~VHOST_MAP_RW))
		return false;
	return !check_add_overflow(addr, last - start, &end) && end <= max;
}

/* Enter [@start, @last] into @map, which need not be one of @mem's. */
static int table_add(const struct vdpa_memory *mem, struct vhost_iotlb *map,
		     u64 start, u64 last, u64 addr, u32 perm)
{
	lockdep_assert_held(&mem->lock);
	if (!range_valid(mem, start, last, addr, perm))
		return -EINVAL;
	if (vhost_iotlb_itree_first(map, start, last))
		return -EEXIST;
	if (mem->limit && map->nmaps >= mem->limit)
		return -ENOSPC;
	return vhost_iotlb_add_range_ctx(map, start, last, addr, perm,
					 mem->mm ? (void *)mem : NULL);
}

/* Does @b go on where @a ends, in both spaces? */
static bool entries_touch(const struct vhost_iotlb_map *a, u64 last,
			  const struct vhost_iotlb_map *b)
{
	return last + 1 == b->start && a->perm == b->perm &&
	       a->addr + (last - a->start) + 1 == b->addr;
}

/* Fill the empty @to with @from, one entry for neighbours that touch. */
static int table_copy(const struct vdpa_memory *mem, struct vhost_iotlb *to,
		      struct vhost_iotlb *from)
{
	struct vhost_iotlb_map *first, *next;
	u64 last;
	int err;

	first = vhost_iotlb_itree_first(from, 0, U64_MAX);
	while (first) {
		last = first->last;
		next = vhost_iotlb_itree_next(first, 0, U64_MAX);
		while (next && entries_touch(first, last, next)) {
			last = next->last;
			next = vhost_iotlb_itree_next(next, 0, U64_MAX);
		}
		err = table_add(mem, to, first->start, last, first->addr,
				first->perm);
		if (err)
			return err;
		first = next;
	}
	return 0;
}

/**
 * vdpa_memory_set() - replace an address space
 * @mem: the device's memory
 * @asid: which address space
 * @iotlb: what it shall contain; copied, the caller keeps it
 *
 * The copy is made before the old map goes, which stays in force on failure.
 * The identity, if it applied, no longer does.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 * Return: 0; -EINVAL for an @asid, address or permission that cannot be; -EEXIST
 * if entries overlap; -ENOSPC if there are too many; -ENOMEM; -EBUSY if an mm is
 * bound or unbound meanwhile.
 */
int vdpa_memory_set(struct vdpa_memory *mem, unsigned int asid,
		    struct vhost_iotlb *iotlb)
{
	struct vhost_iotlb *map;
	struct mm_struct *mm;
	int err;

	if (asid >= mem->nas)
		return -EINVAL;
	asid = array_index_nospec(asid, mem->nas);
	map = vhost_iotlb_alloc(TABLE_LIMIT, 0);
	if (!map)
		return -ENOMEM;

	/* bursts go on while the copy is made: only the swap must exclude them */
	down_read(&mem->lock);
	mm = mem->mm;
	err = table_copy(mem, map, iotlb);
	up_read(&mem->lock);
	if (err)
		goto out;

	down_write(&mem->lock);
	if (mem->mm == mm) {
		swap(mem->tables[asid].map, map);
		mem->tables[asid].identity = false;
		mem->generation++;
	} else {
		err = -EBUSY;
	}
	up_write(&mem->lock);
out:
	vhost_iotlb_free(map);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_memory_set);

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
	struct vdpa_table *table;
	u64 last;
	int err;

	if (asid >= mem->nas || !size || check_add_overflow(iova, size - 1, &last))
		return -EINVAL;
	table = &mem->tables[array_index_nospec(asid, mem->nas)];

	guard(rwsem_write)(&mem->lock);
	err = table_add(mem, table->map, iova, last, addr, perm);
	if (err)
		return err;
	table->identity = false;
	mem->generation++;
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_memory_map);

static int entry_copy_part(struct vhost_iotlb *map,
			   const struct vhost_iotlb_map *entry, u64 start,
			   u64 last)
{
	return vhost_iotlb_add_range_ctx(map, start, last,
					 entry->addr + (start - entry->start),
					 entry->perm, entry->opaque);
}

/* Remove the copy of the part of @entry that lies before @start. */
static void entry_drop_head(struct vhost_iotlb *map,
			    const struct vhost_iotlb_map *entry, u64 start)
{
	struct vhost_iotlb_map *head;

	head = vhost_iotlb_itree_first(map, entry->start, start - 1);
	while (head && head->last != start - 1)
		head = vhost_iotlb_itree_next(head, entry->start, start - 1);
	if (head)
		vhost_iotlb_map_free(map, head);
}

/*
 * Remove [@start, @last] from @map. What sticks out of it is entered anew first,
 * hence a failure leaves the map as it was.
 */
static int table_carve(struct vhost_iotlb *map, u64 start, u64 last)
{
	struct vhost_iotlb_map *first, *final, *next;
	int err;

	first = vhost_iotlb_itree_first(map, start, last);
	if (!first)
		return 0;
	for (final = first; ; final = next) {
		next = vhost_iotlb_itree_next(final, start, last);
		if (!next)
			break;
	}
	if (first->start < start) {
		err = entry_copy_part(map, first, first->start, start - 1);
		if (err)
			return err;
	}
	if (final->last > last) {
		err = entry_copy_part(map, final, last + 1, final->last);
		if (err) {
			if (first->start < start)
				entry_drop_head(map, first, start);
			return err;
		}
	}
	vhost_iotlb_del_range(map, start, last);
	return 0;
}

/**
 * vdpa_memory_unmap() - remove a range from an address space
 * @mem: the device's memory
 * @asid: which address space
 * @iova: first address
 * @size: bytes, not 0
 *
 * Removes exactly the range; an entry that reaches beyond is cut. On return
 * nobody uses what was mapped there. The identity has no entries to remove.
 *
 * Context: Process context, not within a burst. Waits for running bursts.
 * Return: 0, also if nothing was mapped; -EINVAL for a range or @asid that cannot
 * be; -ENOMEM, only if an entry has to be cut.
 */
int vdpa_memory_unmap(struct vdpa_memory *mem, unsigned int asid, u64 iova,
		      u64 size)
{
	struct vdpa_table *table;
	u64 last;
	int err;

	if (asid >= mem->nas || !size || check_add_overflow(iova, size - 1, &last))
		return -EINVAL;
	table = &mem->tables[array_index_nospec(asid, mem->nas)];

	guard(rwsem_write)(&mem->lock);
	err = table_carve(table->map, iova, last);
	if (!err)
		mem->generation++;
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
	struct vdpa_table *table;

	if (asid >= mem->nas)
		return;
	table = &mem->tables[array_index_nospec(asid, mem->nas)];

	guard(rwsem_write)(&mem->lock);
	vhost_iotlb_reset(table->map);
	table->identity = identity;
	mem->generation++;
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
	struct vhost_iotlb_map *entry, *next;
	struct vhost_iotlb *map;
	struct mm_struct *mm;
	unsigned int i;

	down_write(&mem->lock);
	mm = mem->mm;
	WRITE_ONCE(mem->mm, NULL);
	for (i = 0; i < mem->nas; i++) {
		map = mem->tables[i].map;
		list_for_each_entry_safe(entry, next, &map->list, link) {
			if (entry->opaque)
				vhost_iotlb_map_free(map, entry);
		}
	}
	mem->generation++;
	up_write(&mem->lock);
	if (mm)
		mmdrop(mm);
}
EXPORT_SYMBOL_GPL(vdpa_memory_unbind_mm);

/**
 * vdpa_memory_enter() - begin a burst
 * @mem: the device's memory
 *
 * Until vdpa_memory_exit() no map changes. If an mm is bound, the caller, a
 * kernel thread or work item, runs on it meanwhile.
 *
 * Context: Kernel thread without an mm of its own. May sleep.
 * Return: 0, or -EFAULT if the bound process has given up its memory; there is
 * nothing to exit from then.
 */
int vdpa_memory_enter(struct vdpa_memory *mem)
{
	down_read(&mem->lock);
	if (!mem->mm)
		return 0;
	if (!mmget_not_zero(mem->mm)) {
		up_read(&mem->lock);
		return -EFAULT;
	}
	kthread_use_mm(mem->mm);
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_memory_enter);

/**
 * vdpa_memory_exit() - end a burst
 * @mem: the device's memory
 *
 * Context: The thread that called vdpa_memory_enter(). May sleep.
 */
void vdpa_memory_exit(struct vdpa_memory *mem)
{
	struct mm_struct *mm = mem->mm;

	if (mm)
		kthread_unuse_mm(mm);
	up_read(&mem->lock);
	/* the last user's exit can take long: not under the lock */
	if (mm)
		mmput(mm);
}
EXPORT_SYMBOL_GPL(vdpa_memory_exit);

/**
 * vdpa_memory_find() - look up an address
 * @mem: the device's memory
 * @asid: which address space, known to exist
 * @iova: the address
 * @hit: filled with the entry that contains it; unchanged on failure
 *
 * Context: Within a burst.
 * Return: 0, or -EFAULT if nothing is mapped there.
 */
int vdpa_memory_find(const struct vdpa_memory *mem, unsigned int asid, u64 iova,
		     struct vdpa_hit *hit)
{
	const struct vdpa_table *table = &mem->tables[asid];
	const struct vhost_iotlb_map *entry;

	lockdep_assert_held(&mem->lock);
	if (table->identity) {
		*hit = (struct vdpa_hit) {
			.last = U64_MAX,
			.perm = VHOST_MAP_RW,
		};
		return 0;
	}
	entry = vhost_iotlb_itree_first(table->map, iova, iova);
	if (!entry)
		return -EFAULT;
	*hit = (struct vdpa_hit) {
		.start = entry->start,
		.last = entry->last,
		.addr = entry->addr,
		.perm = entry->perm,
		.user = entry->opaque,
	};
	return 0;
}
