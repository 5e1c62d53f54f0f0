// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who translates for a device; and the platform's IOMMU, which does when the parent has
 * no way of being told maps.
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
 * vhost_vdpa_by_table() - is the parent told many changes at once
 * @vdpa: device
 *
 * Return: true if batches reach it when they end.
 */
bool vhost_vdpa_by_table(const struct vdpa_device *vdpa)
{
	return vdpa->config->set_map && !vdpa->config->dma_map;
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
