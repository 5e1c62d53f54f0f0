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

/* The map in @maps that goes on at @iova, or a new one. */
static struct vhost_vdpa_map *vhost_vdpa_va_map(struct list_head *maps, u64 iova,
						u32 perm)
{
	struct vhost_vdpa_map *map;

	if (!list_empty(maps)) {
		map = list_last_entry(maps, struct vhost_vdpa_map, shown.link);
		if (map->shown.last + 1 == iova)
			return map;
	}
	map = vhost_vdpa_map_alloc(perm, true);
	if (map)
		list_add_tail(&map->shown.link, maps);
	return map;
}

/* Enter the part of @vma that begins at @addr. */
static int vhost_vdpa_va_add(struct list_head *maps, struct vm_area_struct *vma,
			     unsigned long addr, u64 iova, u64 size, u32 perm)
{
	struct vdpa_map_file file = {
		.file = vma->vm_file,
		.offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) +
			  (addr - vma->vm_start),
	};
	struct vhost_vdpa_map *map = vhost_vdpa_va_map(maps, iova, perm);
	int err;

	if (!map)
		return -ENOMEM;
	err = vhost_vdpa_map_add_run(map, iova, size, addr, &file);
	if (!err)
		get_file(vma->vm_file);
	return err;
}

/*
 * Enter the pieces of [msg->uaddr, + size) that have a file. There may be others, but no
 * holes; nor may all of it be without.
 */
static int vhost_vdpa_va_walk(struct mm_struct *mm, struct list_head *maps,
			      const struct vhost_iotlb_msg *msg)
{
	unsigned long addr = msg->uaddr;
	u64 iova = msg->iova, left = msg->size, size;
	struct vm_area_struct *vma;
	int err;

	mmap_assert_locked(mm);

	for (; left; addr += size, iova += size, left -= size) {
		vma = vma_lookup(mm, addr);
		if (!vma)
			return -EFAULT;
		size = min_t(u64, left, vma->vm_end - addr);
		if (!vhost_vdpa_va_shareable(vma))
			continue;
		if ((msg->perm & VHOST_ACCESS_WO) &&
		    !(vma->vm_flags & VM_MAYWRITE))
			return -EACCES;
		err = vhost_vdpa_va_add(maps, vma, addr, iova, size, msg->perm);
		if (err)
			return err;
	}
	return list_empty(maps) ? -EFAULT : 0;
}

/**
 * vhost_vdpa_fill_virtual() - make maps of a range of virtual addresses
 * @v: device
 * @maps: empty list; receives one map, or several when part of the range has no file
 * @msg: update message with valid IOVAs and permissions, and addresses that do not wrap
 *
 * Context: The owner's process context. Takes and releases its mmap lock.
 * Return: 0; -EFAULT for a range with a hole, or without anything that can be mapped;
 *	-EACCES for memory that cannot be written to; -ENOMEM; or -EINTR. On failure
 *	@maps may hold some, for the caller to free.
 */
int vhost_vdpa_fill_virtual(struct vhost_vdpa *v, struct list_head *maps,
			    const struct vhost_iotlb_msg *msg)
{
	int err;

	err = mmap_read_lock_killable(v->mm);
	if (err)
		return err;
	err = vhost_vdpa_va_walk(v->mm, maps, msg);
	mmap_read_unlock(v->mm);
	return err;
}
