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

/**
 * vhost_vdpa_map_init() - prepare for maps
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_vdpa_map_init(void)
{
	vhost_vdpa_map_cache = KMEM_CACHE(vhost_vdpa_map, SLAB_ACCOUNT);
	return vhost_vdpa_map_cache ? 0 : -ENOMEM;
}

/**
 * vhost_vdpa_map_exit() - undo vhost_vdpa_map_init()
 */
void vhost_vdpa_map_exit(void)
{
	kmem_cache_destroy(vhost_vdpa_map_cache);
}

/**
 * vhost_vdpa_map_alloc() - begin a map
 * @perm: VHOST_MAP_* bits
 * @files: its runs have files
 *
 * Return: a map without runs, or NULL.
 */
struct vhost_vdpa_map *vhost_vdpa_map_alloc(u32 perm, bool files)
{
	struct vhost_vdpa_map *map;

	map = kmem_cache_alloc(vhost_vdpa_map_cache, GFP_KERNEL);
	if (!map)
		return NULL;

	INIT_LIST_HEAD(&map->shown.link);
	map->shown.perm = perm;
	map->shown.runs = &map->run;
	map->shown.files = files ? &map->file : NULL;
	map->shown.nr_runs = 0;
	map->max_runs = 1;
	map->told = false;
	return map;
}

/**
 * vhost_vdpa_map_free() - free a map whose memory was given back
 * @map: map
 */
void vhost_vdpa_map_free(struct vhost_vdpa_map *map)
{
	if (map->shown.runs != &map->run) {
		kvfree(map->shown.runs);
		kvfree(map->shown.files);
	}
	kmem_cache_free(vhost_vdpa_map_cache, map);
}

/* Make room for @max runs, more than there is. */
static int vhost_vdpa_map_grow(struct vhost_vdpa_map *map, unsigned int max)
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
 * vhost_vdpa_map_add_run() - append a run to a map
 * @map: map that nobody else sees yet
 * @iova: first IOVA, the next after the last run's
 * @size: bytes
 * @addr: physical or virtual address
 * @file: what backs it, if the map has files
 *
 * Return: 0, and the memory belongs to the map; or -ENOMEM.
 */
int vhost_vdpa_map_add_run(struct vhost_vdpa_map *map, u64 iova, u64 size, u64 addr,
			   const struct vdpa_map_file *file)
{
	struct vdpa_map *shown = &map->shown;
	int err;

	if (shown->nr_runs == map->max_runs) {
		err = vhost_vdpa_map_grow(map, max(8, 2 * map->max_runs));
		if (err)
			return err;
	}

	shown->runs[shown->nr_runs] = (struct vdpa_map_run) {
		.iova = iova,
		.size = size,
		.addr = addr,
	};
	if (file)
		shown->files[shown->nr_runs] = *file;
	if (!shown->nr_runs++)
		shown->first = iova;
	shown->last = iova + size - 1;
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

	rest = vhost_vdpa_map_alloc(shown->perm, shown->files);
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
