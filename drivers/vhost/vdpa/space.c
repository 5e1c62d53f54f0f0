// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: what maps exist, which of them the device knows, and how changes
 * become final or are taken back.
 *
 * A parent that takes ranges is told of a change before it is made to the tree. For one
 * that is told many changes at once, it is made to the tree first, and noted in the lists
 * of maps added and removed; vhost_vdpa_as_commit() brings the device in step, or all of
 * it back to what it was told last. Taking back needs no memory, so it cannot fail.
 *
 * Memory is given back when a map is freed, and that only once the device was told to
 * leave it alone.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include "vhost_vdpa.h"

/* The tree */

#define to_map(n) rb_entry((n), struct vhost_vdpa_map, node)

/* First map that ends at or after @iova. What is new is often above all others. */
static struct vhost_vdpa_map *vhost_vdpa_as_first(struct vhost_vdpa_as *as, u64 iova)
{
	struct vhost_vdpa_map *found = as->highest, *map;
	struct rb_node *node = as->maps.rb_node;

	if (!found || found->shown.last < iova)
		return NULL;
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

static void vhost_vdpa_as_insert(struct vhost_vdpa_as *as, struct vhost_vdpa_map *map)
{
	struct rb_node **link = &as->maps.rb_node, *parent = NULL;

	if (!as->highest || map->shown.first > as->highest->shown.last) {
		if (as->highest) {
			parent = &as->highest->node;
			link = &parent->rb_right;
		}
		as->highest = map;
	}
	while (*link) {
		parent = *link;
		link = map->shown.first < to_map(parent)->shown.first ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&map->node, parent, link);
	rb_insert_color(&map->node, &as->maps);
	as->nr_maps++;
}

static void vhost_vdpa_as_erase(struct vhost_vdpa_as *as, struct vhost_vdpa_map *map)
{
	struct rb_node *prev;

	if (as->highest == map) {
		prev = rb_prev(&map->node);
		as->highest = prev ? to_map(prev) : NULL;
	}
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
		vhost_vdpa_unpin(v, map);
	vhost_vdpa_map_free(map);
	cond_resched();
}

static void vhost_vdpa_release_list(struct vhost_vdpa *v, struct list_head *maps)
{
	struct vhost_vdpa_map *map, *next;

	list_for_each_entry_safe(map, next, maps, shown.link) {
		list_del_init(&map->shown.link);
		vhost_vdpa_release(v, map);
	}
}

/**
 * vhost_vdpa_gather() - make maps of what update messages name
 * @v: device
 * @frames: messages, all of them updates with valid IOVAs, addresses and permissions
 * @nr: how many, at least 1
 * @strict: refuse what cannot be mapped, rather than skip it
 * @maps: NULL; receives the first of the maps, which are in order, one for each message
 *	or, where its memory has gaps, several, or where there is nothing to be mapped,
 *	none, with its index in their @msg
 *
 * Stops at a message whose memory cannot be had.
 *
 * Context: The owner's process context, v->msg_lock held and v->lock not: this may take
 *	page faults.
 * Return: how many messages there are maps of; or, if that is none, -EINVAL for an
 *	impossible range; -ENOMEM, also past RLIMIT_MEMLOCK; -EFAULT where there is no
 *	memory; -EACCES; -EINTR; or -ENODEV.
 */
int vhost_vdpa_gather(struct vhost_vdpa *v, const union vhost_vdpa_frame *frames,
		      unsigned int nr, bool strict, struct vhost_vdpa_map **maps)
{
	struct vhost_vdpa_map *map;
	int got;

	lockdep_assert_held(&v->msg_lock);

	*maps = vhost_vdpa_maps_alloc(frames, nr, v->use_va);
	if (!*maps)
		return -ENOMEM;
	got = v->use_va ? vhost_vdpa_gather_virtual(v->mm, frames, strict, *maps) :
			  vhost_vdpa_gather_pinned(v, frames, *maps);

	/* those that got nothing, be it for a failure */
	while ((map = *maps)) {
		if (map->shown.nr_runs) {
			maps = &map->next;
			continue;
		}
		*maps = map->next;
		vhost_vdpa_map_free(map);
	}
	return got;
}

/**
 * vhost_vdpa_ungather() - give back maps that were not entered
 * @v: device
 * @maps: the first of them, or NULL
 *
 * Context: Process context. May sleep.
 */
void vhost_vdpa_ungather(struct vhost_vdpa *v, struct vhost_vdpa_map *maps)
{
	struct vhost_vdpa_map *map;

	while ((map = maps)) {
		maps = map->next;
		vhost_vdpa_release(v, map);
	}
}

/* Changes */

/* Tell of all maps before @end, or none, but for what the parent does not take back. */
static int vhost_vdpa_tell_all(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			       struct vhost_vdpa_map *maps, struct vhost_vdpa_map *end)
{
	struct vhost_vdpa_map *map, *undo;
	int err;

	for (map = maps; map != end; map = map->next) {
		err = vhost_vdpa_tell_map(v, as->id, map);
		if (err)
			goto undo;
	}
	return 0;

undo:
	for (undo = maps; undo != map; undo = undo->next)
		undo->told = vhost_vdpa_tell_map_gone(v, as->id, undo);
	return err;
}

/**
 * vhost_vdpa_as_add() - enter the maps of one message
 * @v: device
 * @as: address space with nothing there
 * @maps: gathered maps, of which those of the message leave the list
 * @msg: its index among those that were gathered, which none in @maps is less than
 *
 * Context: Process context, v->lock held.
 * Return: 0; or -errno from a parent that is told at once, and the maps are freed, but
 *	for what it did not take back.
 */
int vhost_vdpa_as_add(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
		      struct vhost_vdpa_map **maps, u8 msg)
{
	bool by_table = v->by_table;
	struct vhost_vdpa_map *map, *next, *end;
	int err = 0;

	lockdep_assert_held(&v->lock);

	map = *maps;
	for (end = map; end && end->msg == msg; end = end->next)
		;
	if (!by_table)
		err = vhost_vdpa_tell_all(v, as, map, end);

	for (; map != end; map = next) {
		next = map->next;
		if (err && !map->told) {
			vhost_vdpa_release(v, map);
			continue;
		}
		vhost_vdpa_as_insert(as, map);
		if (by_table)
			list_add_tail(&map->shown.link, &as->added);
	}
	*maps = end;
	return err;
}

/* Make two maps of one, the latter from the run with index @at. Return: that, or NULL. */
static struct vhost_vdpa_map *vhost_vdpa_as_split(struct vhost_vdpa_as *as,
						  struct vhost_vdpa_map *map,
						  unsigned int at)
{
	struct vhost_vdpa_map *rest = vhost_vdpa_map_split(map, at);

	if (!rest)
		return NULL;
	vhost_vdpa_as_insert(as, rest);
	/* its entries name the files where they were */
	as->table_valid = false;
	if (!rest->told)
		list_add(&rest->shown.link, &map->shown.link);
	return rest;
}

/*
 * Let maps begin and end with the runs that [@first, @last] touches, whole runs. @map is
 * the first that it touches. Return: the first that is left then, or NULL.
 */
static struct vhost_vdpa_map *vhost_vdpa_as_cut(struct vhost_vdpa_as *as,
						struct vhost_vdpa_map *map, u64 first,
						u64 last)
{
	struct vhost_vdpa_map *final;
	unsigned int at;

	if (map->shown.first < first) {
		at = vhost_vdpa_map_find_run(map, first);
		if (at)
			map = vhost_vdpa_as_split(as, map, at);
		if (!map)
			return NULL;
	}
	final = map->shown.last < last ? vhost_vdpa_as_find(as, last, last) : map;
	if (final && final->shown.last > last) {
		at = vhost_vdpa_map_find_run(final, last) + 1;
		if (at < final->shown.nr_runs && !vhost_vdpa_as_split(as, final, at))
			return NULL;
	}
	return map;
}

static struct vhost_vdpa_map *vhost_vdpa_map_next(struct vhost_vdpa_map *map, u64 last)
{
	struct rb_node *next;

	/* not looked for when it is known to be beyond */
	if (map->shown.last >= last)
		return NULL;
	next = rb_next(&map->node);
	return next && to_map(next)->shown.first <= last ? to_map(next) : NULL;
}

/* Tell that @maps and what follows up to @last is gone, all of it or none. */
static int vhost_vdpa_tell_all_gone(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				    struct vhost_vdpa_map *maps, u64 last)
{
	struct vhost_vdpa_map *map, *undo;
	int err;

	for (map = maps; map; map = vhost_vdpa_map_next(map, last)) {
		err = vhost_vdpa_tell_map_gone(v, as->id, map);
		if (err)
			goto undo;
	}
	return 0;

undo:
	/* they stay, whether the parent takes them again or not */
	for (undo = maps; undo != map; undo = vhost_vdpa_map_next(undo, last)) {
		vhost_vdpa_tell_map(v, as->id, undo);
		undo->told = true;
	}
	return err;
}

/**
 * vhost_vdpa_as_remove() - take away every run that a range touches
 * @v: device
 * @as: address space
 * @first: first IOVA
 * @last: last IOVA
 *
 * A parent that is told many changes at once does not know before
 * vhost_vdpa_as_commit(), and the memory is kept until then, but for what it was never
 * told of.
 *
 * Context: Process context, v->lock held.
 * Return: 0; -ENOMEM; or the parent's error. On failure everything is still there.
 */
int vhost_vdpa_as_remove(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 first,
			 u64 last)
{
	bool by_table = v->by_table;
	struct vhost_vdpa_map *map, *next;
	int err;

	lockdep_assert_held(&v->lock);

	map = vhost_vdpa_as_find(as, first, last);
	if (!map)
		return 0;
	map = vhost_vdpa_as_cut(as, map, first, last);
	if (!map)
		return -ENOMEM;
	if (!by_table) {
		err = vhost_vdpa_tell_all_gone(v, as, map, last);
		if (err)
			return err;
	}

	for (; map; map = next) {
		next = vhost_vdpa_map_next(map, last);
		vhost_vdpa_as_erase(as, map);
		if (by_table && map->told) {
			list_add_tail(&map->shown.link, &as->removed);
			continue;
		}
		if (by_table)
			list_del_init(&map->shown.link);
		vhost_vdpa_release(v, map);
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

	list_for_each_entry(map, &as->added, shown.link)
		vhost_vdpa_as_erase(as, map);
	vhost_vdpa_release_list(v, &as->added);

	list_for_each_entry_safe(map, next, &as->removed, shown.link) {
		list_del_init(&map->shown.link);
		vhost_vdpa_as_insert(as, map);
	}
}

/**
 * vhost_vdpa_as_commit() - make changes of an address space final
 * @v: device
 * @as: address space, with no changes noted unless the parent is told many at once
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
	err = vhost_vdpa_tell_changes(v, as);
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

	lockdep_assert_held(&v->lock);

	as = v->as[asid];
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
	v->as[asid] = as;
	return as;
}

/* Empty an address space for good. */
static void vhost_vdpa_as_drop(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_map *map, *next;

	/* nothing hinges on what the device says: it is at rest */
	if (!v->by_table)
		rbtree_postorder_for_each_entry_safe(map, next, &as->maps, node)
			vhost_vdpa_tell_map_gone(v, as->id, map);
	vhost_vdpa_tell_default(v, as);
	vhost_iotlb_reset(&as->table);

	rbtree_postorder_for_each_entry_safe(map, next, &as->maps, node) {
		list_del_init(&map->shown.link);
		vhost_vdpa_release(v, map);
	}
	as->maps = RB_ROOT;
	as->highest = NULL;
	as->nr_maps = 0;
	as->table_valid = false;
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
	unsigned int i;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < v->nas; i++)
		if (v->as[i])
			vhost_vdpa_as_drop(v, v->as[i]);
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
	unsigned int i;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < v->nas; i++)
		if (v->as[i])
			v->as[i]->forgotten = true;
}

/**
 * vhost_vdpa_as_free_all() - free the address spaces
 * @v: device after vhost_vdpa_as_clear_all(), with no message being served
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_as_free_all(struct vhost_vdpa *v)
{
	unsigned int i;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < v->nas; i++) {
		kfree(v->as[i]);
		v->as[i] = NULL;
	}
}
