// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table: the extents of one address space, in a tree by IOVA.
 *
 * An extent is a range without gaps that was entered in one piece, however many places
 * in memory it leads to: those are in an array, so that a large, scattered map costs
 * one allocation and 16 bytes for each.
 *
 * Extents are made and filled by the caller with no lock held, and are entered and taken
 * out without allocating. Locking is the caller's business: &vdpa_memory.lock.
 */

#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "ring_private.h"

#define to_extent(n) rb_entry((n), struct vdpa_extent, node)

/**
 * vdpa_extent_alloc() - allocate an extent
 * @nr_runs: how many runs it shall have, at least 1
 *
 * Return: an extent for the caller to fill, or NULL.
 */
struct vdpa_extent *vdpa_extent_alloc(unsigned int nr_runs)
{
	struct vdpa_extent *extent;

	/* a size that is constant saves a third of the time */
	if (nr_runs == 1)
		extent = kmalloc(struct_size(extent, runs, 1), GFP_KERNEL_ACCOUNT);
	else
		extent = kvmalloc(struct_size(extent, runs, nr_runs),
				  GFP_KERNEL_ACCOUNT);
	if (extent)
		extent->nr_runs = nr_runs;
	return extent;
}

/**
 * vdpa_extents_free() - free extents
 * @extents: list of extents that are in no table; initialised again
 */
void vdpa_extents_free(struct list_head *extents)
{
	struct vdpa_extent *extent, *next;

	list_for_each_entry_safe(extent, next, extents, link)
		kvfree(extent);
	INIT_LIST_HEAD(extents);
}

/* First extent that ends at or after @iova. What is new is often above all others. */
static struct vdpa_extent *table_first(const struct vdpa_table *table, u64 iova)
{
	struct rb_node *node = table->extents.rb_node;
	struct vdpa_extent *extent, *found = table->highest;

	if (!found || found->last < iova)
		return NULL;
	while (node) {
		extent = to_extent(node);
		if (extent->last < iova) {
			node = node->rb_right;
		} else {
			found = extent;
			node = node->rb_left;
		}
	}
	return found;
}

static struct vdpa_extent *table_next(const struct vdpa_extent *extent)
{
	struct rb_node *next = rb_next(&extent->node);

	return next ? to_extent(next) : NULL;
}

/* Link an extent whose range is free. */
static void table_link(struct vdpa_table *table, struct vdpa_extent *extent)
{
	struct rb_node **link = &table->extents.rb_node, *parent = NULL;

	if (!table->highest || table->highest->last < extent->start) {
		if (table->highest) {
			parent = &table->highest->node;
			link = &parent->rb_right;
		}
		table->highest = extent;
	}
	while (*link) {
		parent = *link;
		link = to_extent(parent)->start < extent->start ? &parent->rb_right :
								  &parent->rb_left;
	}
	rb_link_node(&extent->node, parent, link);
	rb_insert_color(&extent->node, &table->extents);
	table->nr++;
}

/* Index of the run that @iova, which is in @extent, belongs to. */
static unsigned int extent_run(const struct vdpa_extent *extent, u64 iova)
{
	unsigned int from = 0, to = extent->nr_runs, mid;

	while (to - from > 1) {
		mid = from + (to - from) / 2;
		if (extent->runs[mid].iova <= iova)
			from = mid;
		else
			to = mid;
	}
	return from;
}

/* Last IOVA of a run. */
static u64 extent_run_last(const struct vdpa_extent *extent, unsigned int i)
{
	return i + 1 < extent->nr_runs ? extent->runs[i + 1].iova - 1 : extent->last;
}

/**
 * vdpa_table_insert() - enter an extent
 * @table: table
 * @extent: extent, filled
 *
 * Return: 0, or -EEXIST if part of its range is there already.
 */
int vdpa_table_insert(struct vdpa_table *table, struct vdpa_extent *extent)
{
	struct vdpa_extent *there = table_first(table, extent->start);

	if (there && there->start <= extent->last)
		return -EEXIST;
	table_link(table, extent);
	return 0;
}

/**
 * vdpa_table_erase() - take an extent out
 * @table: table
 * @extent: extent in it
 */
void vdpa_table_erase(struct vdpa_table *table, struct vdpa_extent *extent)
{
	struct rb_node *prev;

	if (table->highest == extent) {
		prev = rb_prev(&extent->node);
		table->highest = prev ? to_extent(prev) : NULL;
	}
	rb_erase(&extent->node, &table->extents);
	table->nr--;
}

/* Make two extents of one, the latter from @iova. Return: that, or NULL. */
static struct vdpa_extent *table_cut(struct vdpa_table *table,
				     struct vdpa_extent *extent, u64 iova)
{
	unsigned int i = extent_run(extent, iova), nr = extent->nr_runs - i;
	struct vdpa_extent *rest = vdpa_extent_alloc(nr);

	if (!rest)
		return NULL;
	memcpy(rest->runs, extent->runs + i, nr * sizeof(*rest->runs));
	rest->runs[0].addr += iova - rest->runs[0].iova;
	rest->runs[0].iova = iova;
	rest->start = iova;
	rest->last = extent->last;
	rest->perm = extent->perm;
	rest->user = extent->user;

	extent->nr_runs -= extent->runs[i].iova == iova ? nr : nr - 1;
	extent->last = iova - 1;
	table_link(table, rest);
	return rest;
}

/**
 * vdpa_table_take() - take a range out
 * @table: table
 * @start: first address of the range
 * @last: last address of the range
 * @taken: list to append the extents to; what sticks out of the range is cut off, and
 *	stays
 *
 * Context: May sleep.
 * Return: 0; or -ENOMEM, only if something has to be cut, and the table describes what
 *	it did.
 */
int vdpa_table_take(struct vdpa_table *table, u64 start, u64 last,
		    struct list_head *taken)
{
	struct vdpa_extent *first = table_first(table, start), *extent, *next;

	if (!first || first->start > last)
		return 0;
	if (first->start < start) {
		first = table_cut(table, first, start);
		if (!first)
			return -ENOMEM;
	}
	for (extent = first; extent && extent->start <= last; extent = next) {
		if (extent->last > last && !table_cut(table, extent, last + 1))
			return -ENOMEM;
		next = extent->last < last ? table_next(extent) : NULL;
	}

	for (extent = first; extent && extent->start <= last; extent = next) {
		next = extent->last < last ? table_next(extent) : NULL;
		vdpa_table_erase(table, extent);
		list_add_tail(&extent->link, taken);
	}
	return 0;
}

/**
 * vdpa_table_take_all() - take everything out
 * @table: table
 * @taken: list to append the extents to
 */
void vdpa_table_take_all(struct vdpa_table *table, struct list_head *taken)
{
	struct vdpa_extent *extent, *next;

	rbtree_postorder_for_each_entry_safe(extent, next, &table->extents, node)
		list_add_tail(&extent->link, taken);
	table->extents = RB_ROOT;
	table->highest = NULL;
	table->nr = 0;
}

/**
 * vdpa_table_take_user() - take out what leads to virtual addresses
 * @table: table
 * @taken: list to append the extents to
 */
void vdpa_table_take_user(struct vdpa_table *table, struct list_head *taken)
{
	struct rb_node *first = rb_first(&table->extents);
	struct vdpa_extent *extent, *next;

	for (extent = first ? to_extent(first) : NULL; extent; extent = next) {
		next = table_next(extent);
		if (extent->user) {
			vdpa_table_erase(table, extent);
			list_add_tail(&extent->link, taken);
		}
	}
}

/**
 * vdpa_table_find() - look up an address
 * @table: table
 * @iova: the address
 * @hit: filled with the run that contains it; unchanged on failure. Its length is 0 if it
 *	is all there is.
 *
 * Return: 0, or -EFAULT if nothing is mapped there.
 */
int vdpa_table_find(const struct vdpa_table *table, u64 iova, struct vdpa_hit *hit)
{
	const struct vdpa_extent *extent = table_first(table, iova);
	unsigned int i;

	if (!extent || extent->start > iova)
		return -EFAULT;
	i = extent_run(extent, iova);
	*hit = (struct vdpa_hit) {
		.start = extent->runs[i].iova,
		.len = extent_run_last(extent, i) - extent->runs[i].iova + 1,
		.delta = extent->runs[i].addr - extent->runs[i].iova,
		.perm = extent->perm,
		.user = extent->user,
	};
	return 0;
}

/**
 * vdpa_extent_valid() - can an extent be, where its addresses end at @max
 * @extent: extent, filled
 * @max: largest address
 *
 * Return: true if its permissions and all of its addresses exist.
 */
bool vdpa_extent_valid(const struct vdpa_extent *extent, u64 max)
{
	unsigned int i;
	u64 end;

	if (!extent->perm || (extent->perm & ~VHOST_MAP_RW))
		return false;
	for (i = 0; i < extent->nr_runs; i++) {
		if (check_add_overflow(extent->runs[i].addr,
				       extent_run_last(extent, i) -
				       extent->runs[i].iova, &end) || end > max)
			return false;
	}
	return true;
}
