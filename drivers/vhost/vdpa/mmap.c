// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells: the page that a queue is kicked by, in the address space of the process.
 *
 * Pages appear on their first use and are taken away when the device goes. A mapping is
 * one page of one queue, is not inherited, cannot grow, and is not dumped, so there is no
 * other place that it could have got to.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include "vhost_vdpa.h"

/*
 * Where queue @index is kicked. The parent is asked each time: it may put the doorbell
 * elsewhere, or take it away, with a reset.
 */
static int vhost_vdpa_doorbell_pfn(struct vhost_vdpa *v, unsigned long index,
				   unsigned long *pfn)
{
	const struct vdpa_config_ops *ops;
	struct vdpa_notification_area area;

	lockdep_assert_held(&v->doorbell_lock);

	if (!v->doorbells)
		return -ENODEV;
	if (index >= v->nvqs)
		return -EINVAL;
	ops = v->vdpa->config;
	if (!ops->get_vq_notification)
		return -EOPNOTSUPP;

	area = ops->get_vq_notification(v->vdpa, array_index_nospec(index, v->nvqs));
	/* what else is in its page is not the process's business */
	if (!PAGE_ALIGNED(area.addr) || area.size != PAGE_SIZE)
		return -EOPNOTSUPP;
	*pfn = PHYS_PFN(area.addr);
	return 0;
}

static vm_fault_t vhost_vdpa_doorbell_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vhost_vdpa *v = vma->vm_file->private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned long pfn;

	mutex_lock(&v->doorbell_lock);
	if (!vhost_vdpa_doorbell_pfn(v, vmf->pgoff, &pfn))
		ret = vmf_insert_pfn(vma, vmf->address & PAGE_MASK, pfn);
	mutex_unlock(&v->doorbell_lock);
	return ret;
}

static const struct vm_operations_struct vhost_vdpa_doorbell_ops = {
	.fault = vhost_vdpa_doorbell_fault,
};

/**
 * vhost_vdpa_mmap() - map a doorbell
 * @file: open file
 * @vma: one page, shared, to be written only; its offset is the index of the queue, in
 *	pages
 *
 * Context: Process context, mmap lock held for write. Takes v->doorbell_lock.
 * Return: 0; -EINVAL for any other mapping; -EOPNOTSUPP when the queue has no doorbell
 *	of a page of its own; -ENODEV when the device is gone.
 */
int vhost_vdpa_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vhost_vdpa *v = file->private_data;
	unsigned long pfn;
	int err;

	if (vma_pages(vma) != 1 || !(vma->vm_flags & VM_SHARED) ||
	    vma->vm_flags & (VM_READ | VM_EXEC))
		return -EINVAL;

	mutex_lock(&v->doorbell_lock);
	err = vhost_vdpa_doorbell_pfn(v, vma->vm_pgoff, &pfn);
	mutex_unlock(&v->doorbell_lock);
	if (err)
		return err;

	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY,
		     VM_MAYREAD | VM_MAYEXEC);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &vhost_vdpa_doorbell_ops;
	return 0;
}

/**
 * vhost_vdpa_doorbells_open() - let doorbells of a new session be mapped
 * @v: device
 * @mapping: of the file
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_doorbells_open(struct vhost_vdpa *v, struct address_space *mapping)
{
	lockdep_assert_held(&v->lock);

	mutex_lock(&v->doorbell_lock);
	v->doorbells = mapping;
	mutex_unlock(&v->doorbell_lock);
}

/**
 * vhost_vdpa_doorbells_close() - take all doorbells away
 * @v: device; does not need to have a session
 *
 * Context: Process context, v->lock held. On return nobody reaches one, nor will.
 */
void vhost_vdpa_doorbells_close(struct vhost_vdpa *v)
{
	struct address_space *mapping;

	lockdep_assert_held(&v->lock);

	mutex_lock(&v->doorbell_lock);
	mapping = v->doorbells;
	v->doorbells = NULL;
	mutex_unlock(&v->doorbell_lock);

	if (mapping)
		unmap_mapping_range(mapping, 0, 0, true);
}
