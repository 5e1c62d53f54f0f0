// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who translates for the device: the parent, told range by range (dma_map) or by
 * whole tables (set_map), or the platform's IOMMU when the parent offers neither.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include "vhost_vdpa.h"

/**
 * vhost_vdpa_by_platform() - does the platform IOMMU translate for a device
 * @vdpa: device
 *
 * Return: true if the parent has no way of being told mappings.
 */
bool vhost_vdpa_by_platform(const struct vdpa_device *vdpa)
{
	return !vdpa->config->set_map && !vdpa->config->dma_map;
}

/**
 * vhost_vdpa_by_table() - is the parent told whole tables
 * @v: device
 *
 * Context: v->lock held, device present.
 * Return: true if a change takes effect by set_map() only.
 */
bool vhost_vdpa_by_table(const struct vhost_vdpa *v)
{
	return v->vdpa->config->set_map && !v->vdpa->config->dma_map;
}

/**
 * vhost_vdpa_domain_alloc() - put the device into an IOMMU domain of its own
 * @v: device
 *
 * Does nothing when the parent translates. The domain must keep the CPU's caches
 * coherent: userspace has no means of doing that.
 *
 * Context: Process context, v->lock held.
 * Return: 0; -EINVAL without a DMA device; -EOPNOTSUPP without a coherent IOMMU; or
 *	the IOMMU's error.
 */
int vhost_vdpa_domain_alloc(struct vhost_vdpa *v)
{
	struct device *dma_dev = vdpa_get_dma_dev(v->vdpa);
	struct iommu_domain *domain;
	int err;

	lockdep_assert_held(&v->lock);

	if (!vhost_vdpa_by_platform(v->vdpa))
		return 0;
	if (!dma_dev)
		return -EINVAL;
	if (!device_iommu_capable(dma_dev, IOMMU_CAP_CACHE_COHERENCY)) {
		dev_warn_once(&v->dev, "no cache coherent IOMMU\n");
		return -EOPNOTSUPP;
	}

	domain = iommu_paging_domain_alloc(dma_dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	err = iommu_attach_device(domain, dma_dev);
	if (err) {
		iommu_domain_free(domain);
		return err;
	}

	v->domain = domain;
	return 0;
}

/**
 * vhost_vdpa_domain_free() - undo vhost_vdpa_domain_alloc()
 * @v: device whose address spaces are empty
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_domain_free(struct vhost_vdpa *v)
{
	lockdep_assert_held(&v->lock);

	if (!v->domain)
		return;
	iommu_detach_device(v->domain, vdpa_get_dma_dev(v->vdpa));
	iommu_domain_free(v->domain);
	v->domain = NULL;
}

/**
 * vhost_vdpa_latch_range() - find out what IOVAs the device can address
 * @v: device, in its IOMMU domain if it has one
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_latch_range(struct vhost_vdpa *v)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	struct vdpa_iova_range range = { .first = 0, .last = U64_MAX };

	lockdep_assert_held(&v->lock);

	if (ops->get_iova_range) {
		range = ops->get_iova_range(v->vdpa);
	} else if (v->domain && v->domain->geometry.force_aperture) {
		range.first = v->domain->geometry.aperture_start;
		range.last = v->domain->geometry.aperture_end;
	}
	v->range.first = range.first;
	v->range.last = range.last;
}

static int vhost_vdpa_iommu_map(struct vhost_vdpa *v, u64 iova, u64 size,
				u64 addr, u32 perm)
{
	int prot = IOMMU_CACHE;

	/* the IOMMU API counts in unsigned long */
	if (iova + size - 1 > ULONG_MAX || size > SIZE_MAX)
		return -ERANGE;
	if (perm & VHOST_MAP_RO)
		prot |= IOMMU_READ;
	if (perm & VHOST_MAP_WO)
		prot |= IOMMU_WRITE;

	return iommu_map(v->domain, iova, addr, size, prot, GFP_KERNEL_ACCOUNT);
}

/**
 * vhost_vdpa_dma_map() - let the device reach one run
 * @v: device
 * @asid: address space
 * @iova: first IOVA
 * @size: bytes
 * @addr: physical address, or the owner's virtual one if v->use_va
 * @perm: VHOST_MAP_* bits
 * @file: what backs a virtual address, else NULL
 *
 * A parent that is told tables learns of it by the next vhost_vdpa_commit().
 *
 * Context: Process context, v->lock held, mmap lock not held.
 * Return: 0, or -errno and nothing is mapped.
 */
int vhost_vdpa_dma_map(struct vhost_vdpa *v, unsigned int asid, u64 iova, u64 size,
		       u64 addr, u32 perm, struct vdpa_map_file *file)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;

	lockdep_assert_held(&v->lock);

	if (ops->dma_map)
		return ops->dma_map(v->vdpa, asid, iova, size, addr, perm, file);
	if (ops->set_map)
		return 0;
	return vhost_vdpa_iommu_map(v, iova, size, addr, perm);
}

/**
 * vhost_vdpa_dma_unmap() - undo vhost_vdpa_dma_map() of a run
 * @v: device
 * @asid: address space
 * @iova: first IOVA
 * @size: bytes
 *
 * Context: Process context, v->lock held.
 * Return: 0, or -errno and the device may still reach the memory.
 */
int vhost_vdpa_dma_unmap(struct vhost_vdpa *v, unsigned int asid, u64 iova,
			 u64 size)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;

	lockdep_assert_held(&v->lock);

	if (ops->dma_map)
		return ops->dma_unmap(v->vdpa, asid, iova, size);
	if (ops->set_map)
		return 0;
	return iommu_unmap(v->domain, iova, size) == size ? 0 : -EIO;
}

/**
 * vhost_vdpa_dma_default() - return an address space to what it was before its use
 * @v: device, reset
 * @asid: address space; every run was unmapped, and its memory is still there
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_dma_default(struct vhost_vdpa *v, unsigned int asid)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	struct vhost_iotlb empty;
	int err = 0;

	lockdep_assert_held(&v->lock);

	vhost_iotlb_init(&empty, UINT_MAX, 0);
	if (ops->reset_map)
		err = ops->reset_map(v->vdpa, asid);
	else if (vhost_vdpa_by_table(v))
		err = ops->set_map(v->vdpa, asid, &empty);
	if (err)
		dev_warn(&v->dev, "address space %u was not emptied: %d\n", asid,
			 err);
}
