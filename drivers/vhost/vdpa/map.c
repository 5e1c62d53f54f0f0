// SPDX-License-Identifier: GPL-2.0-only
/*
 * One map: the runs that it consists of.
 *
 * Most maps are one run, so room for one comes with the structure; an array is
 * allocated, and doubled, for those that need more.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "vhost_vdpa.h"

static struct kmem_cache *vhost_vdpa_map_cache;

/* What an unused map keeps, so that it need not be set, nor all of it be cleared, again. */
static void vhost_vdpa_map_ctor(void *p)
{
	struct vhost_vdpa_map *map = p;

	INIT_LIST_HEAD(&map->shown.link);
}

/**
 * vhost_vdpa_map_init() - prepare for maps
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_vdpa_map_init(void)
{
	vhost_vdpa_map_cache = kmem_cache_create("vhost_vdpa_map",
						 sizeof(struct vhost_vdpa_map), 0,
						 SLAB_ACCOUNT, vhost_vdpa_map_ctor);
	return vhost_vdpa_map_cache ? 0 : -ENOMEM;
}

/**
 * vhost_vdpa_map_exit() - undo vhost_vdpa_map_init()
 */
void vhost_vdpa_map_exit(void)
{
	kmem_cache_destroy(vhost_vdpa_map_cache);
}

static void vhost_vdpa_map_setup(struct vhost_vdpa_map *map, u32 perm, bool files, u8 msg)
{
	map->next = NULL;
	map->shown.perm = perm;
	map->shown.runs = &map->run;
	map->shown.files = files ? &map->file : NULL;
	map->shown.nr_runs = 0;
	map->max_runs = 1;
	map->told = false;
	map->msg = msg;
}

/**
 * vhost_vdpa_map_alloc() - begin a map
 * @perm: VHOST_MAP_* bits
 * @files: its runs have files
 * @msg: index of the message that it is made for
 *
 * Return: a map without runs, or NULL.
 */
struct vhost_vdpa_map *vhost_vdpa_map_alloc(u32 perm, bool files, u8 msg)
{
	struct vhost_vdpa_map *map = kmem_cache_alloc(vhost_vdpa_map_cache, GFP_KERNEL);

	if (map)
		vhost_vdpa_map_setup(map, perm, files, msg);
	return map;
}

/**
 * vhost_vdpa_maps_alloc() - begin a map for each of several update messages
 * @frames: the messages
 * @nr: how many, up to VHOST_VDPA_CHUNK
 * @files: the runs have files
 *
 * Return: the first of as many maps, without runs, linked by their @next; or NULL.
 */
struct vhost_vdpa_map *vhost_vdpa_maps_alloc(const union vhost_vdpa_frame *frames,
					     unsigned int nr, bool files)
{
	struct vhost_vdpa_map *map = NULL;
	void *maps[VHOST_VDPA_CHUNK] __uninitialized;
	unsigned int i;

	if (nr == 1)
		return vhost_vdpa_map_alloc(vhost_vdpa_frame_msg(frames)->perm, files, 0);
	if (!kmem_cache_alloc_bulk(vhost_vdpa_map_cache, GFP_KERNEL, nr, maps))
		return NULL;

	for (i = nr; i--; map = maps[i]) {
		vhost_vdpa_map_setup(maps[i], vhost_vdpa_frame_msg(&frames[i])->perm,
				     files, i);
		((struct vhost_vdpa_map *)maps[i])->next = map;
	}
	return map;
}

/**
 * vhost_vdpa_map_free() - free a map whose memory was given back
 * @map: map, in no list
 */
void vhost_vdpa_map_free(struct vhost_vdpa_map *map)
{
	if (map->shown.runs != &map->run) {
		kvfree(map->shown.runs);
		kvfree(map->shown.files);
	}
	kmem_cache_free(vhost_vdpa_map_cache, map);
}

/**
 * vhost_vdpa_map_grow() - make room for runs
 * @map: map
 * @max: how many, more than there is room for
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_vdpa_map_grow(struct vhost_vdpa_map *map, unsigned int max)
{
	struct vdpa_map *shown = &map->shown;
	struct vdpa_map_file *files = NULL;
	struct vdpa_map_run *runs;

	runs = kvmalloc_array(max, sizeof(*runs), GFP_KERNEL_ACCOUNT);
	if (!runs)
		return -ENOMEM;
	if (shown->files) {
		files = kvmalloc_array(max, sizeof(*files), GFP_KERNEL_ACCOUNT);
		if (!files) {
			kvfree(runs);
			return -ENOMEM;
		}
		memcpy(files, shown->files, shown->nr_runs * sizeof(*files));
	}
	memcpy(runs, shown->runs, shown->nr_runs * sizeof(*runs));

	if (shown->runs != &map->run) {
		kvfree(shown->runs);
		kvfree(shown->files);
	}
	shown->runs = runs;
	shown->files = files;
	map->max_runs = max;
	return 0;
}

/**
 * vhost_vdpa_map_find_run() - find the run that an IOVA lies in
 * @map: map that contains @iova
 * @iova: the IOVA
 *
 * Return: its index.
 */
unsigned int vhost_vdpa_map_find_run(const struct vhost_vdpa_map *map, u64 iova)
{
	unsigned int low = 0, high = map->shown.nr_runs - 1, mid;

	while (low < high) {
		mid = low + (high - low + 1) / 2;
		if (map->shown.runs[mid].iova <= iova)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/**
 * vhost_vdpa_map_split() - make two maps of one
 * @map: map; keeps the runs before @at
 * @at: index of the first run of the other, not 0
 *
 * Return: the other, in no list or tree; or NULL when out of memory.
 */
struct vhost_vdpa_map *vhost_vdpa_map_split(struct vhost_vdpa_map *map,
					    unsigned int at)
{
	struct vdpa_map *shown = &map->shown;
	unsigned int nr = shown->nr_runs - at;
	struct vhost_vdpa_map *rest;

	rest = vhost_vdpa_map_alloc(shown->perm, shown->files, map->msg);
	if (!rest)
		return NULL;
	if (nr > 1 && vhost_vdpa_map_grow(rest, nr)) {
		vhost_vdpa_map_free(rest);
		return NULL;
	}

	memcpy(rest->shown.runs, shown->runs + at, nr * sizeof(*shown->runs));
	if (shown->files)
		memcpy(rest->shown.files, shown->files + at,
		       nr * sizeof(*shown->files));
	rest->shown.nr_runs = nr;
	rest->shown.first = shown->runs[at].iova;
	rest->shown.last = shown->last;
	rest->told = map->told;

	shown->nr_runs = at;
	shown->last = rest->shown.first - 1;
	return rest;
}
