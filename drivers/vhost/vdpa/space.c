// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: what maps exist, which of them the device knows, and how changes
 * become final or are taken back.
 *
 * A change is made to the tree first, and noted in the lists of maps added and removed;
 * vhost_vdpa_as_commit() brings the device in step, or all of it back to what it was
 * told last. Taking back needs no memory, so it cannot fail. Memory is given back when a
 * map is freed, and that only once the device was told to leave it alone.
 */
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "vhost_vdpa.h"

/* The tree */

#define to_map(n) rb_entry((n), struct vhost_vdpa_map, node)

/* First map that ends at or after @iova. */
static struct vhost_vdpa_map *vhost_vdpa_as_first(struct vhost_vdpa_as *as, u64 iova)
{
	struct vhost_vdpa_map *found = NULL, *map;
	struct rb_node *node = as->maps.rb_node;

	while (node) {
		map = to_map(node);
		if (map->shown.last >= iova) {
			found = map;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* First map that touches [@first, @last]. */
static struct vhost_vdpa_map *vhost_vdpa_as_find(struct vhost_vdpa_as *as, u64 first,
						 u64 last)
{
	struct vhost_vdpa_map *map = vhost_vdpa_as_first(as, first);

	return map && map->shown.first <= last ? map : NULL;
}

static bool vhost_vdpa_map_before(struct rb_node *node, const struct rb_node *other)
{
	return to_map(node)->shown.first < to_map(other)->shown.first;
}

static void vhost_vdpa_as_insert(struct vhost_vdpa_as *as, struct vhost_vdpa_map *map)
{
	rb_add(&map->node, &as->maps, vhost_vdpa_map_before);
	as->nr_maps++;
}

static void vhost_vdpa_as_erase(struct vhost_vdpa_as *as, struct vhost_vdpa_map *map)
{
	rb_erase(&map->node, &as->maps);
	as->nr_maps--;
}

/**
 * vhost_vdpa_as_busy() - is any of a range mapped
 * @as: address space
 * @first: first IOVA
 * @last: last IOVA
 *
 * Context: Process context, v->lock held.
 * Return: true if it is.
 */
bool vhost_vdpa_as_busy(struct vhost_vdpa_as *as, u64 first, u64 last)
{
	return vhost_vdpa_as_find(as, first, last);
}

/* Memory */

static void vhost_vdpa_release(struct vhost_vdpa *v, struct vhost_vdpa_map *map)
{
	if (v->use_va)
		vhost_vdpa_va_put(map);
	else
		vhost_vdpa_unpin(v->mm, map);
	vhost_vdpa_map_free(map);
	cond_resched();
}

static void vhost_vdpa_release_list(struct vhost_vdpa *v, struct list_head *maps)
{
	struct vhost_vdpa_map *map, *next;

	list_for_each_entry_safe(map, next, maps, shown.link)
		vhost_vdpa_release(v, map);
	INIT_LIST_HEAD(maps);
}

/**
 * vhost_vdpa_gather() - make maps of what an update message names
 * @v: device
 * @maps: empty list; receives one map, or several where memory has gaps
 * @msg: update message with valid IOVAs and permissions
 *
 * Context: The owner's process context, v->msg_lock held and v->lock not: this may take
 *	page faults.
 * Return: 0; -EINVAL for an impossible range; -ENOMEM, also past RLIMIT_MEMLOCK;
 *	-EFAULT where there is no memory; -EACCES; -EINTR; or -ENODEV. On failure @maps
 *	is empty.
 */
int vhost_vdpa_gather(struct vhost_vdpa *v, struct list_head *maps,
		      const struct vhost_iotlb_msg *msg)
{
	struct vhost_vdpa_map *map;
	u64 end;
	int err;

	lockdep_assert_held(&v->msg_lock);

	if (check_add_overflow(msg->uaddr, msg->size, &end) || end > ULONG_MAX)
		return -EINVAL;
	if (v->use_va) {
		err = vhost_vdpa_fill_virtual(v, maps, msg);
		if (err)
			vhost_vdpa_release_list(v, maps);
		return err;
	}

	map = vhost_vdpa_map_alloc(msg->perm, false);
	if (!map)
		return -ENOMEM;
	err = vhost_vdpa_fill_pinned(v, map, msg);
	if (err)
		vhost_vdpa_map_free(map);
	else
		list_add(&map->shown.link, maps);
	return err;
}

/**
 * vhost_vdpa_ungather() - give back maps that were not entered
 * @v: device
 * @maps: their list
 *
 * Context: Process context. May sleep.
 */
void vhost_vdpa_ungather(struct vhost_vdpa *v, struct list_head *maps)
{
	vhost_vdpa_release_list(v, maps);
}

/* Changes */

/**
 * vhost_vdpa_as_add() - enter maps
 * @v: device
 * @as: address space with nothing there
 * @maps: list of maps, empty on return
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_as_add(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
		       struct list_head *maps)
{
	struct vhost_vdpa_map *map;

	lockdep_assert_held(&v->lock);

	list_for_each_entry(map, maps, shown.link)
		vhost_vdpa_as_insert(as, map);
	list_splice_tail_init(maps, &as->added);
}

/* Make the run with index @at the first of a map, and see that the rest follows it. */
static int vhost_vdpa_as_split(struct vhost_vdpa_as *as, struct vhost_vdpa_map *map,
			       unsigned int at)
{
	struct vhost_vdpa_map *rest;

	if (!at || at == map->shown.nr_runs)
		return 0;
	rest = vhost_vdpa_map_split(map, at);
	if (!rest)
		return -ENOMEM;
	vhost_vdpa_as_insert(as, rest);
	/* its entries name the files where they were */
	as->table_valid = false;
	if (!rest->told)
		list_add(&rest->shown.link, &map->shown.link);
	return 0;
}

/* Let maps begin and end with the runs that [@first, @last] touches, whole runs. */
static int vhost_vdpa_as_cut(struct vhost_vdpa_as *as, u64 first, u64 last)
{
	struct vhost_vdpa_map *map;
	unsigned int at;
	int err;

	map = vhost_vdpa_as_find(as, first, last);
	if (map && map->shown.first < first) {
		at = vhost_vdpa_map_find_run(map, first);
		err = vhost_vdpa_as_split(as, map, at);
		if (err)
			return err;
	}
	map = vhost_vdpa_as_find(as, last, last);
	if (map && map->shown.last > last) {
		at = vhost_vdpa_map_find_run(map, last);
		return vhost_vdpa_as_split(as, map, at + 1);
	}
	return 0;
}

/**
 * vhost_vdpa_as_remove() - take away every run that a range touches
 * @v: device
 * @as: address space
 * @first: first IOVA
 * @last: last IOVA
 *
 * The device does not know before vhost_vdpa_as_commit(), and the memory is kept until
 * then, but for what it was never told of.
 *
 * Context: Process context, v->lock held.
 * Return: 0, or -ENOMEM and everything is still there.
 */
int vhost_vdpa_as_remove(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 first,
			 u64 last)
{
	struct vhost_vdpa_map *map;
	struct rb_node *next;
	int err;

	lockdep_assert_held(&v->lock);

	err = vhost_vdpa_as_cut(as, first, last);
	if (err)
		return err;

	for (map = vhost_vdpa_as_find(as, first, last);
	     map && map->shown.first <= last; map = next ? to_map(next) : NULL) {
		next = rb_next(&map->node);
		vhost_vdpa_as_erase(as, map);
		if (map->told) {
			list_add_tail(&map->shown.link, &as->removed);
		} else {
			list_del(&map->shown.link);
			vhost_vdpa_release(v, map);
		}
	}
	return 0;
}

static void vhost_vdpa_as_settle(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *next;

	list_for_each_entry_safe(map, next, &as->added, shown.link) {
		list_del_init(&map->shown.link);
		map->told = true;
	}
	vhost_vdpa_release_list(v, &as->removed);
}

static void vhost_vdpa_as_roll_back(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *next;

	list_for_each_entry_safe(map, next, &as->added, shown.link) {
		list_del_init(&map->shown.link);
		/* the parent refused to let go of it: it may be used, so it stays */
		if (map->told)
			continue;
		vhost_vdpa_as_erase(as, map);
		vhost_vdpa_release(v, map);
	}
	list_for_each_entry_safe(map, next, &as->removed, shown.link) {
		list_del_init(&map->shown.link);
		vhost_vdpa_as_insert(as, map);
	}
}

/**
 * vhost_vdpa_as_commit() - make changes of an address space final
 * @v: device
 * @as: address space
 *
 * If the parent refuses them, everything since the last time is taken back.
 *
 * Context: Process context, v->lock held.
 * Return: 0, the parent's error, or -ENOMEM.
 */
int vhost_vdpa_as_commit(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	int err;

	lockdep_assert_held(&v->lock);

	if (list_empty(&as->added) && list_empty(&as->removed))
		return 0;
	err = vhost_vdpa_tell(v, as);
	if (err)
		vhost_vdpa_as_roll_back(v, as);
	else
		vhost_vdpa_as_settle(v, as);
	return err;
}

/* Life */

/**
 * vhost_vdpa_as_get() - find an address space
 * @v: device
 * @asid: its number, less than the device's
 * @create: make it if it is not there
 *
 * Context: Process context, v->lock held.
 * Return: the address space; ERR_PTR(-EINVAL) if it is not there; ERR_PTR(-ENOMEM).
 */
struct vhost_vdpa_as *vhost_vdpa_as_get(struct vhost_vdpa *v, u32 asid, bool create)
{
	struct vhost_vdpa_as *as;
	int err;

	lockdep_assert_held(&v->lock);

	as = xa_load(&v->as, asid);
	if (as)
		return as;
	if (!create)
		return ERR_PTR(-EINVAL);

	as = kzalloc(sizeof(*as), GFP_KERNEL_ACCOUNT);
	if (!as)
		return ERR_PTR(-ENOMEM);
	as->id = asid;
	as->maps = RB_ROOT;
	INIT_LIST_HEAD(&as->added);
	INIT_LIST_HEAD(&as->removed);
	/* what it holds is bounded by the maps that exist */
	vhost_iotlb_init(&as->table, UINT_MAX, 0);

	err = xa_err(xa_store(&v->as, asid, as, GFP_KERNEL_ACCOUNT));
	if (err) {
		kfree(as);
		return ERR_PTR(err);
	}
	return as;
}

/* Empty an address space for good. */
static void vhost_vdpa_as_drop(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *next;

	/* nothing hinges on what the device says: it is at rest */
	rbtree_postorder_for_each_entry_safe(map, next, &as->maps, node)
		vhost_vdpa_tell_gone(v, as, map);
	vhost_vdpa_tell_default(v, as);
	vhost_iotlb_reset(&as->table);

	rbtree_postorder_for_each_entry_safe(map, next, &as->maps, node)
		vhost_vdpa_release(v, map);
	as->maps = RB_ROOT;
	as->nr_maps = 0;
	as->table_valid = false;
	INIT_LIST_HEAD(&as->added);
	vhost_vdpa_release_list(v, &as->removed);
}

/**
 * vhost_vdpa_as_clear_all() - take everything from the device
 * @v: device, reset
 *
 * The empty address spaces stay, a message that is being served may look at its own.
 *
 * Context: Process context, v->lock held. On return nothing is pinned but what such a
 * message pinned and did not enter yet; it will not, and unpin it.
 */
void vhost_vdpa_as_clear_all(struct vhost_vdpa *v)
{
	struct vhost_vdpa_as *as;
	unsigned long asid;

	lockdep_assert_held(&v->lock);

	xa_for_each(&v->as, asid, as)
		vhost_vdpa_as_drop(v, as);
}

/**
 * vhost_vdpa_as_forgotten_all() - note that a reset made the device forget all maps
 * @v: device
 *
 * They stay known here. A parent that takes whole tables or differences is told all of
 * them with the next change.
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_as_forgotten_all(struct vhost_vdpa *v)
{
	struct vhost_vdpa_as *as;
	unsigned long asid;

	lockdep_assert_held(&v->lock);

	xa_for_each(&v->as, asid, as)
		as->forgotten = true;
}

/**
 * vhost_vdpa_as_free_all() - free the address spaces
 * @v: device after vhost_vdpa_as_clear_all(), with no message being served
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_as_free_all(struct vhost_vdpa *v)
{
	struct vhost_vdpa_as *as;
	unsigned long asid;

	lockdep_assert_held(&v->lock);

	xa_for_each(&v->as, asid, as) {
		xa_erase(&v->as, asid);
		kfree(as);
	}
}
