// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's status, features and configuration space (virtio 1.2 sections 2.1,
 * 2.2 and 2.5), as bus drivers reach them: under the configuration lock.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <trace/events/vdpa.h>
#include "vdpa_private.h"

#define VDPA_REQUIRED_OP(op) { offsetof(struct vdpa_config_ops, op), #op }

static const struct {
	size_t offset;
	const char *name;
} vdpa_required_ops[] = {
	VDPA_REQUIRED_OP(set_vq_address),
	VDPA_REQUIRED_OP(set_vq_num),
	VDPA_REQUIRED_OP(kick_vq),
	VDPA_REQUIRED_OP(set_vq_cb),
	VDPA_REQUIRED_OP(set_vq_ready),
	VDPA_REQUIRED_OP(get_vq_ready),
	VDPA_REQUIRED_OP(set_vq_state),
	VDPA_REQUIRED_OP(get_vq_state),
	VDPA_REQUIRED_OP(get_vq_align),
	VDPA_REQUIRED_OP(get_device_features),
	VDPA_REQUIRED_OP(set_driver_features),
	VDPA_REQUIRED_OP(get_driver_features),
	VDPA_REQUIRED_OP(set_config_cb),
	VDPA_REQUIRED_OP(get_vq_num_max),
	VDPA_REQUIRED_OP(get_device_id),
	VDPA_REQUIRED_OP(get_vendor_id),
	VDPA_REQUIRED_OP(get_status),
	VDPA_REQUIRED_OP(set_status),
	VDPA_REQUIRED_OP(reset),
	VDPA_REQUIRED_OP(get_config_size),
	VDPA_REQUIRED_OP(get_config),
	VDPA_REQUIRED_OP(set_config),
};

/**
 * vdpa_ops_check() - does a device have every op that is called unconditionally
 * @vdev: device about to be registered
 *
 * Return: 0, or -EINVAL after a message that names the first missing op.
 */
int vdpa_ops_check(const struct vdpa_device *vdev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vdpa_required_ops); i++) {
		void *const *op = (void *)vdev->config +
				  vdpa_required_ops[i].offset;

		if (!*op) {
			dev_err(&vdev->dev, "parent lacks the required op %s\n",
				vdpa_required_ops[i].name);
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * vdpa_reset() - reset a device (section 2.4)
 * @vdev: device
 * @flags: VDPA_RESET_F_CLEAN_MAP to ask for a reset that returns address spaces to
 *	their default too, 0 for one that need not
 *
 * Context: Process context. Takes and releases cf_lock for write.
 * Return: what the parent's compat_reset (if @flags and it has one) or reset
 *	returned. On failure the device's state is unknown.
 */
int vdpa_reset(struct vdpa_device *vdev, u32 flags)
{
	const struct vdpa_config_ops *ops = vdev->config;
	int err;

	scoped_guard(rwsem_write, &vdev->cf_lock) {
		vdev->features_valid = false;
		if (flags && ops->compat_reset)
			err = ops->compat_reset(vdev, flags);
		else
			err = ops->reset(vdev);
	}
	trace_vdpa_reset(vdev, flags, err);
	if (!err)
		vdpa_nl_notify_status(vdev, 0);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_reset);

/**
 * vdpa_set_features_unlocked() - accept features, lock already held
 * @vdev: device
 * @features: virtio feature bits that the driver accepts
 *
 * The name is stock's: the caller, not this function, does the locking.
 *
 * Context: Process context, cf_lock held for write.
 * Return: 0, or the parent's refusal.
 */
int vdpa_set_features_unlocked(struct vdpa_device *vdev, u64 features)
{
	int err;

	lockdep_assert_held_write(&vdev->cf_lock);

	vdev->features_valid = true;
	err = vdev->config->set_driver_features(vdev, features);
	trace_vdpa_set_features(vdev, features, err);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_set_features_unlocked);

/**
 * vdpa_set_features() - accept features (section 2.2)
 * @vdev: device
 * @features: virtio feature bits that the driver accepts
 *
 * Context: Process context. Takes and releases cf_lock for write.
 * Return: 0, or the parent's refusal.
 */
int vdpa_set_features(struct vdpa_device *vdev, u64 features)
{
	guard(rwsem_write)(&vdev->cf_lock);

	return vdpa_set_features_unlocked(vdev, features);
}
EXPORT_SYMBOL_GPL(vdpa_set_features);

/*
 * A legacy driver reads configuration space before it accepts features, which for
 * a modern device would leave their effect on its layout undefined. Having accepted
 * none is what such a driver means.
 */
static void vdpa_settle_features(struct vdpa_device *vdev)
{
	guard(rwsem_write)(&vdev->cf_lock);

	if (!vdev->features_valid)
		vdpa_set_features_unlocked(vdev, 0);
}

static bool vdpa_config_range_valid(struct vdpa_device *vdev,
				    unsigned int offset, unsigned int len)
{
	unsigned int end;

	return !check_add_overflow(offset, len, &end) &&
	       end <= vdev->config->get_config_size(vdev);
}

/**
 * vdpa_get_config() - read configuration space (section 2.5)
 * @vdev: device
 * @offset: first byte
 * @buf: receives @len bytes, little endian fields
 * @len: bytes to read
 *
 * A range that is not inside the device's configuration space reads as zeroes. A
 * device that was told no features since its reset is told that none were
 * accepted.
 *
 * Context: Process context. Takes and releases cf_lock.
 */
void vdpa_get_config(struct vdpa_device *vdev, unsigned int offset,
		     void *buf, unsigned int len)
{
	if (!vdpa_config_range_valid(vdev, offset, len)) {
		memset(buf, 0, len);
		return;
	}

	down_read(&vdev->cf_lock);
	while (!vdev->features_valid) {
		up_read(&vdev->cf_lock);
		vdpa_settle_features(vdev);
		down_read(&vdev->cf_lock);
	}
	vdev->config->get_config(vdev, offset, buf, len);
	up_read(&vdev->cf_lock);
	trace_vdpa_get_config(vdev, offset, len);
}
EXPORT_SYMBOL_GPL(vdpa_get_config);

/**
 * vdpa_set_status() - set the device status (section 2.1)
 * @vdev: device
 * @status: VIRTIO_CONFIG_S_* bits, never 0: that is vdpa_reset()
 *
 * Context: Process context. Takes and releases cf_lock for write.
 */
void vdpa_set_status(struct vdpa_device *vdev, u8 status)
{
	scoped_guard(rwsem_write, &vdev->cf_lock)
		vdev->config->set_status(vdev, status);
	trace_vdpa_set_status(vdev, status);
	vdpa_nl_notify_status(vdev, status);
}
EXPORT_SYMBOL_GPL(vdpa_set_status);

/**
 * vdpa_set_config() - write configuration space (section 2.5)
 * @vdev: device
 * @offset: first byte
 * @buf: @len bytes, little endian fields
 * @len: bytes to write
 *
 * A range that is not inside the device's configuration space is not written.
 *
 * Context: Process context. Takes and releases cf_lock for write.
 */
void vdpa_set_config(struct vdpa_device *vdev, unsigned int offset,
		     const void *buf, unsigned int len)
{
	if (!vdpa_config_range_valid(vdev, offset, len))
		return;

	scoped_guard(rwsem_write, &vdev->cf_lock)
		vdev->config->set_config(vdev, offset, buf, len);
	trace_vdpa_set_config(vdev, offset, len);
}
EXPORT_SYMBOL_GPL(vdpa_set_config);
