// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_vdpa: a virtio function: what it claims to be, its configuration space, and getting
 * it to rest, however it behaves.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "vp_vdpa.h"

/* A function that takes longer over its reset is not given DMA any more. */
#define VP_RESET_MS 5000

/*
 * Features that concern the function as such, not the device that it is: they would tempt
 * the driver to use what the bus does not carry.
 */
#define VP_NOT_CARRIED						\
	(BIT_ULL(VIRTIO_F_SR_IOV) | BIT_ULL(VIRTIO_F_ADMIN_VQ) |	\
	 BIT_ULL(VIRTIO_F_NOTIF_CONFIG_DATA))

/* Section 4.1.5.1.3: as many queues as it says, each of a size that a ring can have. */
static int vp_function_inspect_queues(struct vp_function *fn)
{
	u16 i;

	fn->nvqs = vp_modern_get_num_queues(&fn->pci);
	if (!fn->nvqs || fn->nvqs == U16_MAX) {
		dev_err(vp_dev(fn), "claims to have %u virtqueues\n", fn->nvqs);
		return -EINVAL;
	}

	fn->sizes = kvcalloc(fn->nvqs, sizeof(*fn->sizes), GFP_KERNEL);
	if (!fn->sizes)
		return -ENOMEM;

	for (i = 0; i < fn->nvqs; i++) {
		fn->sizes[i] = vp_modern_get_queue_size(&fn->pci, i);
		if (fn->sizes[i] > VP_RING_MAX) {
			dev_err(vp_dev(fn), "claims that queue %u has %u entries\n", i,
				fn->sizes[i]);
			kvfree(fn->sizes);
			return -EINVAL;
		}
		cond_resched();
	}
	return 0;
}

/* What there are no registers for is not offered, whatever the function says. */
static u64 vp_function_carried(struct vp_function *fn, u64 features)
{
	features &= ~VP_NOT_CARRIED;
	if (fn->pci.common_len < offsetofend(struct virtio_pci_modern_common_cfg, queue_reset))
		features &= ~BIT_ULL(VIRTIO_F_RING_RESET);
	return features;
}

/*
 * Section 4.1.4.4: where doorbells are. The library keeps this only where it is little, and
 * checks it against the BAR, queue by queue.
 */
static int vp_function_inspect_doorbells(struct vp_function *fn)
{
	struct pci_dev *pdev = fn->pci.pci_dev;
	int cap = fn->pci.notify_map_cap;
	u32 offset, length;
	u8 bar;

	if (fn->pci.notify_base) {
		fn->doorbells = fn->pci.notify_pa;
		fn->doorbells_len = fn->pci.notify_len;
		return 0;
	}

	pci_read_config_byte(pdev, cap + offsetof(struct virtio_pci_cap, bar), &bar);
	pci_read_config_dword(pdev, cap + offsetof(struct virtio_pci_cap, offset), &offset);
	pci_read_config_dword(pdev, cap + offsetof(struct virtio_pci_cap, length), &length);
	if (bar >= PCI_STD_NUM_BARS ||
	    (u64)offset + length > pci_resource_len(pdev, bar)) {
		dev_err(vp_dev(fn), "claims doorbells outside of its memory\n");
		return -EINVAL;
	}
	fn->doorbells = pci_resource_start(pdev, bar) + offset;
	fn->doorbells_len = length;
	return 0;
}

/**
 * vp_function_inspect() - bring a function to rest and find out what it is
 * @fn: function whose registers were found
 *
 * Context: Process context, @fn->lock held.
 * Return: 0, and @fn->sizes was allocated; -ENODEV when nobody answers; -ETIMEDOUT when it
 *	does not reset; -EINVAL when what it says cannot be; or -ENOMEM.
 */
int vp_function_inspect(struct vp_function *fn)
{
	u64 features;
	int err;

	lockdep_assert_held(&fn->lock);

	err = vp_function_reset(fn);
	if (err)
		return err;

	features = vp_modern_get_features(&fn->pci);
	if (!(features & BIT_ULL(VIRTIO_F_VERSION_1)) || features == U64_MAX) {
		dev_err(vp_dev(fn), "claims features %#llx\n", features);
		return -EINVAL;
	}
	fn->features = vp_function_carried(fn, features);

	err = vp_function_inspect_doorbells(fn);
	if (err)
		return err;
	return vp_function_inspect_queues(fn);
}

/**
 * vp_function_status() - read the device status register
 * @fn: function
 *
 * Context: Process context.
 * Return: status, or VP_STATUS_GONE when nobody answers.
 */
u8 vp_function_status(const struct vp_function *fn)
{
	if (pci_dev_is_disconnected(fn->pci.pci_dev))
		return VP_STATUS_GONE;
	return vp_ioread8(&fn->pci.common->device_status);
}

static int vp_function_await_reset(struct vp_function *fn)
{
	ktime_t end = ktime_add_ms(ktime_get(), VP_RESET_MS);
	unsigned int us = 10;
	u8 status;

	for (;;) {
		status = vp_function_status(fn);
		if (!status)
			return 0;
		if (status == VP_STATUS_GONE)
			return -ENODEV;
		if (ktime_after(ktime_get(), end))
			return -ETIMEDOUT;
		usleep_range(us, 2 * us);
		us = min(2 * us, 10000U);
	}
}

/**
 * vp_function_reset() - reset the device (section 2.4), and see that it did
 * @fn: function
 *
 * One that does not come to rest may go on using memory that is given to others, so it is
 * not allowed DMA until it does.
 *
 * Context: Process context, @fn->lock held. Takes up to VP_RESET_MS.
 * Return: 0, -ENODEV when nobody answers, or -ETIMEDOUT.
 */
int vp_function_reset(struct vp_function *fn)
{
	struct pci_dev *pdev = fn->pci.pci_dev;
	int err;

	lockdep_assert_held(&fn->lock);

	if (vp_function_status(fn) == VP_STATUS_GONE)
		return -ENODEV;
	vp_modern_set_status(&fn->pci, 0);
	err = vp_function_await_reset(fn);

	if (err == -ETIMEDOUT) {
		dev_err(vp_dev(fn), "does not reset, may not do DMA any more\n");
		pci_clear_master(pdev);
		fn->stuck = true;
	} else if (!err && fn->stuck) {
		pci_set_master(pdev);
		fn->stuck = false;
	}
	return err;
}

/**
 * vp_function_quiesce() - bring a function to rest that others are about to take
 * @fn: function
 *
 * Interrupts keep their handlers, who may have been promised to others.
 *
 * Context: Process context. Takes @fn->lock.
 */
void vp_function_quiesce(struct vp_function *fn)
{
	guard(mutex)(&fn->lock);
	vp_function_reset(fn);
	fn->down = true;
	if (fn->vp && fn->vp->status)
		fn->vp->lost = true;
}

/**
 * vp_function_revive() - undo vp_function_quiesce()
 * @fn: function, which knows nothing of before
 *
 * Nothing tells a function where in its rings it was, so the driver has to start over; it
 * is told by NEEDS_RESET (section 2.1.1).
 *
 * Context: Process context. Takes @fn->lock.
 */
void vp_function_revive(struct vp_function *fn)
{
	guard(mutex)(&fn->lock);
	fn->down = false;
	if (vp_function_reset(fn))
		dev_warn(vp_dev(fn), "did not come back\n");
	if (fn->vp && fn->vp->lost)
		vp_tell_driver(&fn->vp->config_lock, &fn->vp->config_cb);
}

/*
 * Section 4.1.3.1 wants each field accessed in its own width. A driver asks for fields, so
 * what has the size of one and is aligned like one is taken for one; others are arrays.
 */
static unsigned int vp_width(unsigned int offset, unsigned int len)
{
	if (len == 8)
		len = 4;
	return (len == 2 || len == 4) && IS_ALIGNED(offset, len) ? len : 1;
}

/**
 * vp_function_read() - read configuration space
 * @fn: function
 * @offset: where, in bytes
 * @buf: for what is there, little endian
 * @len: bytes, inside of it
 *
 * Context: Process context.
 */
void vp_function_read(struct vp_function *fn, unsigned int offset, void *buf, unsigned int len)
{
	unsigned int width = vp_width(offset, len), i;
	void __iomem *at = fn->pci.device + offset;

	for (i = 0; i < len; i += width) {
		if (width == 4)
			put_unaligned_le32(ioread32(at + i), buf + i);
		else if (width == 2)
			put_unaligned_le16(ioread16(at + i), buf + i);
		else
			*(u8 *)(buf + i) = ioread8(at + i);
	}
}

/**
 * vp_function_write() - write configuration space
 * @fn: function
 * @offset: where, in bytes
 * @buf: what, little endian
 * @len: bytes, inside of it
 *
 * Context: Process context.
 */
void vp_function_write(struct vp_function *fn, unsigned int offset, const void *buf,
		       unsigned int len)
{
	unsigned int width = vp_width(offset, len), i;
	void __iomem *at = fn->pci.device + offset;

	for (i = 0; i < len; i += width) {
		if (width == 4)
			iowrite32(get_unaligned_le32(buf + i), at + i);
		else if (width == 2)
			iowrite16(get_unaligned_le16(buf + i), at + i);
		else
			iowrite8(*(u8 *)(buf + i), at + i);
	}
}
