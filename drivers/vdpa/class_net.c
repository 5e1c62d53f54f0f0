// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network devices (virtio 1.2 section 5.1) as netlink attributes.
 */
#include <linux/build_bug.h>
#include <linux/vdpa.h>
#include <linux/virtio_byteorder.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>
#include "class.h"

#define MULTIQUEUE (BIT_ULL(VIRTIO_NET_F_MQ) | BIT_ULL(VIRTIO_NET_F_RSS))

struct vdpa_net_field {
	u64 needs;
	u16 attr;
	__virtio16 value;
};

static int vdpa_class_net_put(struct sk_buff *msg, u64 features,
			      const void *data)
{
	const struct virtio_net_config *config = data;
	const struct vdpa_net_field fields[] = {
		{ BIT_ULL(VIRTIO_NET_F_STATUS), VDPA_ATTR_DEV_NET_STATUS,
		  config->status },
		{ BIT_ULL(VIRTIO_NET_F_MTU), VDPA_ATTR_DEV_NET_CFG_MTU,
		  config->mtu },
		{ MULTIQUEUE, VDPA_ATTR_DEV_NET_CFG_MAX_VQP,
		  config->max_virtqueue_pairs },
	};
	bool little_endian = vdpa_config_little_endian(features);
	unsigned int i;

	if (features & BIT_ULL(VIRTIO_NET_F_MAC) &&
	    nla_put(msg, VDPA_ATTR_DEV_NET_CFG_MACADDR, sizeof(config->mac),
		    config->mac))
		return -EMSGSIZE;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		u16 value = __virtio16_to_cpu(little_endian, fields[i].value);

		if (features & fields[i].needs &&
		    nla_put_u16(msg, fields[i].attr, value))
			return -EMSGSIZE;
	}
	return 0;
}

const struct vdpa_class vdpa_class_net = {
	.id = VIRTIO_ID_NET,
	.config_size = sizeof(struct virtio_net_config),
	.put_config = vdpa_class_net_put,
};

static_assert(sizeof(struct virtio_net_config) <= VDPA_CLASS_CONFIG_MAX);

/**
 * vdpa_class_net_pairs() - number of queue pairs of a network device
 * @vdev: network device
 *
 * Context: Process context, cf_lock held.
 * Return: what its configuration space says, 1 when it has no several queues.
 */
u16 vdpa_class_net_pairs(struct vdpa_device *vdev)
{
	u64 features = vdev->config->get_device_features(vdev);
	struct virtio_net_config config;

	if (!(features & MULTIQUEUE))
		return 1;

	vdpa_class_read(vdev, &config, sizeof(config));
	return __virtio16_to_cpu(vdpa_config_little_endian(features),
				 config.max_virtqueue_pairs);
}
