// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps of virtual addresses: what is mapped in the owner's address space.
 *
 * A parent that works with those is also told the file behind them, and a reference on
 * that is all there is to hold.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include "vhost_vdpa.h"

/**
 * vhost_vdpa_va_put() - let go of the files of a map
 * @map: map that the device does not reach any more
 */
void vhost_vdpa_va_put(const struct vhost_vdpa_map *map)
{
	unsigned int i;

	for (i = 0; i < map->shown.nr_runs; i++)
		fput(map->shown.files[i].file);
}

/* Only what other processes can map too has a file to tell the parent. */
static bool vhost_vdpa_va_shareable(const struct vm_area_struct *vma)
{
	return vma->vm_file && (vma->vm_flags & VM_SHARED) &&
	       !(vma->vm_flags & (VM_IO | VM_PFNMAP));
}

/**
 * struct vhost_vdpa_va - a map in the making
 * @mm: owner
 * @vma: where the last look-up ended, and often where the next is; or NULL
 * @map: the map
 */
struct vhost_vdpa_va {
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	struct vhost_vdpa_map *map;
};

/* Let there be a map, after the last, that does not begin where that ends. */
static int vhost_vdpa_va_new_map(struct vhost_vdpa_va *va)
{
	struct vhost_vdpa_map *last = va->map, *map;

	map = vhost_vdpa_map_alloc(last->shown.perm, true, last->msg);
	if (!map)
		return -ENOMEM;
	map->next = last->next;
	last->next = map;
	va->map = map;
	return 0;
}

/* Enter @size bytes at @addr in va->vma. */
static int vhost_vdpa_va_add(struct vhost_vdpa_va *va, unsigned long addr, u64 iova,
			     u64 size)
{
	const struct vm_area_struct *vma = va->vma;
	struct vdpa_map *shown = &va->map->shown;
	struct vdpa_map_file *file;
	int i;

	if (shown->nr_runs && shown->last + 1 != iova) {
		i = vhost_vdpa_va_new_map(va);
		if (i)
			return i;
		shown = &va->map->shown;
	}
	i = vhost_vdpa_map_add_run(va->map, iova, size, addr);
	if (i < 0)
		return i;
	file = &shown->files[i];
	file->file = get_file(vma->vm_file);
	file->offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	return 0;
}

/*
 * Enter the pieces of [msg->uaddr, + size) that have a file. There may be others, which
 * are skipped, but no holes.
 */
static int vhost_vdpa_va_walk(struct vhost_vdpa_va *va, const struct vhost_iotlb_msg *msg)
{
	u64 iova = msg->iova, left = msg->size, size;
	unsigned long addr = msg->uaddr;
	struct vm_area_struct *vma;
	int err;

	mmap_assert_locked(va->mm);

	for (; left; addr += size, iova += size, left -= size) {
		vma = va->vma;
		if (!vma || addr < vma->vm_start || addr >= vma->vm_end) {
			vma = vma_lookup(va->mm, addr);
			va->vma = vma;
		}
		if (!vma)
			return -EFAULT;
		size = min_t(u64, left, vma->vm_end - addr);
		if (!vhost_vdpa_va_shareable(vma))
			continue;
		if ((msg->perm & VHOST_ACCESS_WO) && !(vma->vm_flags & VM_MAYWRITE))
			return -EACCES;
		err = vhost_vdpa_va_add(va, addr, iova, size);
		if (err)
			return err;
	}
	return 0;
}

/* Let go of what was entered for a message that failed, from @map on. */
static void vhost_vdpa_va_undo(struct vhost_vdpa_map *map)
{
	u8 msg = map->msg;

	for (; map && map->msg == msg; map = map->next) {
		vhost_vdpa_va_put(map);
		map->shown.nr_runs = 0;
	}
}

/**
 * vhost_vdpa_gather_virtual() - enter the virtual addresses of update messages
 * @mm: owner
 * @frames: the messages
 * @strict: refuse a range without anything that can be mapped. Machine monitors of
 *	today pass on their private memory too, ROMs for instance, and count on vhost
 *	to say nothing.
 * @maps: the first of their maps, which receive the runs; where a message has gaps,
 *	maps are added
 *
 * Context: The owner's process context. Takes and releases its mmap lock.
 * Return: as vhost_vdpa_gather(), -EFAULT for a range with a hole, -EACCES for memory
 *	that cannot be written to. Maps of messages that are not counted have no runs.
 */
int vhost_vdpa_gather_virtual(struct mm_struct *mm, const union vhost_vdpa_frame *frames,
			      bool strict, struct vhost_vdpa_map *maps)
{
	struct vhost_vdpa_va va = { .mm = mm };
	struct vhost_vdpa_map *map;
	int err;

	err = mmap_read_lock_killable(mm);
	if (err)
		return err;
	for (map = maps; map; map = va.map->next) {
		va.map = map;
		err = vhost_vdpa_va_walk(&va, vhost_vdpa_frame_msg(&frames[map->msg]));
		if (!err && strict && !map->shown.nr_runs)
			err = -EFAULT;
		if (err)
			break;
	}
	mmap_read_unlock(mm);

	if (!err)
		return va.map->msg + 1;
	vhost_vdpa_va_undo(map);
	return map->msg ?: err;
}
