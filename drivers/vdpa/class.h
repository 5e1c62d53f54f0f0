/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device classes: what the netlink family can say about a device's configuration
 * space. A new class is a file with its writer and a row in class.c.
 */
#ifndef _VDPA_CLASS_H
#define _VDPA_CLASS_H

#include <linux/types.h>

struct sk_buff;
struct vdpa_device;

/**
 * struct vdpa_class - one virtio device class
 * @id: virtio device ID (section 5)
 * @config_size: bytes of configuration space that @put_config looks at
 * @put_config: append the class's attributes to a message, those that depend on a
 *	feature when @features has it. @config is @config_size bytes; what the
 *	device does not have reads as zeroes. Return: 0 or -EMSGSIZE.
 */
struct vdpa_class {
	u32 id;
	size_t config_size;
	int (*put_config)(struct sk_buff *msg, u64 features, const void *config);
};

/* the largest @config_size */
#define VDPA_CLASS_CONFIG_MAX 128

extern const struct vdpa_class vdpa_class_net;
extern const struct vdpa_class vdpa_class_blk;

const struct vdpa_class *vdpa_class_find(u32 id);
void vdpa_class_read(struct vdpa_device *vdev, void *config, size_t size);
u16 vdpa_class_net_pairs(struct vdpa_device *vdev);
bool vdpa_config_little_endian(u64 features);

#endif /* _VDPA_CLASS_H */
