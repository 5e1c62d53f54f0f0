// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of device classes, and what all of them need.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/vdpa.h>
#include <linux/virtio_byteorder.h>
#include "class.h"

static const struct vdpa_class *const vdpa_classes[] = {
	&vdpa_class_net,
	&vdpa_class_blk,
};

/**
 * vdpa_class_find() - look up a device class
 * @id: virtio device ID
 *
 * Return: the class, or NULL when nothing is known of it.
 */
const struct vdpa_class *vdpa_class_find(u32 id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vdpa_classes); i++)
		if (vdpa_classes[i]->id == id)
			return vdpa_classes[i];
	return NULL;
}

/**
 * vdpa_class_read() - read the beginning of configuration space
 * @vdev: device
 * @config: receives @size bytes
 * @size: how much the caller looks at; the part that the device does not have
 *	reads as zeroes
 *
 * Context: Process context, cf_lock held.
 */
void vdpa_class_read(struct vdpa_device *vdev, void *config, size_t size)
{
	size_t own = vdev->config->get_config_size(vdev);

	lockdep_assert_held(&vdev->cf_lock);

	memset(config, 0, size);
	vdev->config->get_config(vdev, 0, config, min(own, size));
}

/**
 * vdpa_config_little_endian() - byte order of configuration space (section 2.5.3)
 * @features: what the device offers
 *
 * Return: true for a modern device; for a legacy one the byte order of this host.
 */
bool vdpa_config_little_endian(u64 features)
{
	return features & BIT_ULL(VIRTIO_F_VERSION_1) ||
	       virtio_legacy_is_little_endian();
}
