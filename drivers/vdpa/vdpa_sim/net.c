// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: what the device is, statistics, creation (virtio 1.2 section
 * 5.1).
 */
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include "net.h"

#define NET_FEATURES						\
	(BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_STATUS) | \
	 BIT_ULL(VIRTIO_NET_F_MTU) | BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) | \
	 BIT_ULL(VIRTIO_NET_F_CSUM) | BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) | \
	 BIT_ULL(VIRTIO_NET_F_HOST_TSO4) | BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | \
	 BIT_ULL(VIRTIO_NET_F_HOST_TSO6) | BIT_ULL(VIRTIO_NET_F_GUEST_TSO6) | \
	 BIT_ULL(VIRTIO_NET_F_HOST_ECN) | BIT_ULL(VIRTIO_NET_F_GUEST_ECN) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_VQ) | BIT_ULL(VIRTIO_NET_F_CTRL_RX) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_RX_EXTRA) | BIT_ULL(VIRTIO_NET_F_CTRL_VLAN) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR) | BIT_ULL(VIRTIO_NET_F_GUEST_ANNOUNCE))

#define NET_MTU_DEFAULT 1500

/* groups of queues, each in its own address space if the driver wants */
enum { NET_GROUP_DATA, NET_GROUP_CTRL, NET_GROUP_RING, NET_GROUPS };

static const char *const rx_names[] = {
	"rx packets", "rx bytes", "rx errors", "rx overruns", "rx drops",
};

static const char *const tx_names[] = {
	"tx packets", "tx bytes", "tx errors", "tx drops",
};

static const char *const ctrl_names[] = {
	"cvq requests", "cvq successes", "cvq errors",
};

static int net_serve(struct vdpa_sim_queue *queue, struct vdpa_sim_queue *peer)
{
	if (queue->index == net_ctrl_index(sim_to_net(queue->sim)))
		return vdpa_sim_net_serve_ctrl(queue);
	return vdpa_sim_net_serve_tx(queue, peer);
}

/* Receive queues are filled by their peers; there is nothing behind the control queue. */
static bool net_passive(const struct vdpa_sim_queue *queue)
{
	u16 ctrl = net_ctrl_index(sim_to_net(queue->sim));

	return queue->index > ctrl ||
	       (queue->index < ctrl && queue->index % 2 == 0);
}

static void net_get_config(struct vdpa_sim *sim, void *data)
{
	struct vdpa_sim_net *net = sim_to_net(sim);
	struct virtio_net_config *config = data;
	u16 status = net_link_is_up(net) ? VIRTIO_NET_S_LINK_UP : 0;

	if (READ_ONCE(net->announce) && net_has(net, VIRTIO_NET_F_GUEST_ANNOUNCE))
		status |= VIRTIO_NET_S_ANNOUNCE;
	net_filter_get_mac(&net->filter, config->mac);
	config->status = (__force __virtio16)cpu_to_le16(status);
	config->max_virtqueue_pairs = (__force __virtio16)cpu_to_le16(net->pairs);
	config->mtu = (__force __virtio16)cpu_to_le16(net->mtu);
}

static void net_reset(struct vdpa_sim *sim)
{
	struct vdpa_sim_net *net = sim_to_net(sim);

	net_filter_reset(&net->filter);
	WRITE_ONCE(net->active, 1);
	WRITE_ONCE(net->announce, false);
}

/* A driver that was moved here tells the network where it is (section 5.1.6.5.4). */
static void net_resume(struct vdpa_sim *sim)
{
	WRITE_ONCE(sim_to_net(sim)->announce, true);
	vdpa_sim_config_changed(sim);
}

static void net_free(struct vdpa_sim *sim)
{
	struct vdpa_sim_net *net = sim_to_net(sim);

	net_wire_put(net);
	net_filter_destroy(&net->filter);
}

static u32 net_group(struct vdpa_sim *sim, u16 index)
{
	return index == 2 * sim_to_net(sim)->pairs ? NET_GROUP_CTRL :
						     NET_GROUP_DATA;
}

static const char *const *net_stats(const struct vdpa_sim_queue *queue,
				    unsigned int *count)
{
	if (queue->index == net_ctrl_index(sim_to_net(queue->sim))) {
		*count = ARRAY_SIZE(ctrl_names);
		return ctrl_names;
	}
	*count = queue->index % 2 ? ARRAY_SIZE(tx_names) : ARRAY_SIZE(rx_names);
	return queue->index % 2 ? tx_names : rx_names;
}

static const struct vdpa_sim_class net_class = {
	.id = VIRTIO_ID_NET,
	.config_size = sizeof(struct virtio_net_config),
	.default_ngroups = NET_GROUPS,
	.ring_group = NET_GROUP_RING,
	.default_nas = 2,
	.serve = net_serve,
	.passive = net_passive,
	.peer_get = net_peer_get,
	.peer_put = net_peer_put,
	.reset = net_reset,
	.resume = net_resume,
	.free = net_free,
	.get_config = net_get_config,
	.group = net_group,
	.stat_names = net_stats,
};

/* Management device */

static int join(struct vdpa_sim_net *net, const struct vdpa_dev_set_config *config)
{
	int err = net_wire_join(net, config->net.peer);

	if (err == -ENODEV)
		NL_SET_ERR_MSG(config->extack, "there is no simulated device of the peer's name");
	if (err == -EBUSY)
		NL_SET_ERR_MSG(config->extack, "the peer is joined to another device");
	return err;
}

/* What of @net can go wrong, before it is on the bus. */
static int net_set_up(struct vdpa_sim_net *net, const struct vdpa_dev_set_config *config)
{
	int err = net_wire_create(net);

	if (err)
		return err;
	eth_random_addr(net->filter.mac);
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR))
		ether_addr_copy(net->filter.mac, config->net.mac);
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU))
		net->mtu = config->net.mtu;
	if (config->ext_mask & VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_LINK))
		net->link = config->net.link;
	if (config->ext_mask & VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_PEER))
		return join(net, config);
	return 0;
}

static int net_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
		       const struct vdpa_dev_set_config *config)
{
	bool with_pairs = config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP);
	u16 pairs = with_pairs ? config->net.max_vq_pairs : 1;
	struct vdpa_sim_params params = {
		.mdev = mdev,
		.name = name,
		.nvqs = 2 * pairs + 1,
		.features = NET_FEATURES,
		.config = config,
		.size = sizeof(struct vdpa_sim_net),
	};
	struct vdpa_sim_net *net;
	struct vdpa_sim *sim;
	int err;

	if (pairs > VDPA_SIM_NET_PAIRS_MAX) {
		NL_SET_ERR_MSG_FMT(config->extack, "at most %u queue pairs", VDPA_SIM_NET_PAIRS_MAX);
		return -EINVAL;
	}
	/* multiqueue is there for who asks for it, one way or the other */
	if (with_pairs)
		params.features |= BIT_ULL(VIRTIO_NET_F_MQ);
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES))
		params.features |= config->device_features & BIT_ULL(VIRTIO_NET_F_MQ);

	sim = vdpa_sim_create(&net_class, &params);
	if (IS_ERR(sim))
		return PTR_ERR(sim);

	net = sim_to_net(sim);
	net->pairs = pairs;
	net->active = 1;
	net->mtu = NET_MTU_DEFAULT;
	net->link = true;
	INIT_LIST_HEAD(&net->node);
	net_filter_init(&net->filter);
	err = net_set_up(net, config);
	if (err) {
		put_device(&sim->vdpa.dev);
		return err;
	}
	err = vdpa_sim_register(sim);
	if (err) {
		net_wire_leave(net);
		put_device(&sim->vdpa.dev);
		return err;
	}
	net_wire_offer(net);
	return 0;
}

static void net_dev_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	net_wire_leave(sim_to_net(vdpa_to_sim(vdpa)));
	vdpa_sim_dev_del(mdev, vdpa);
}

static int net_dev_set_attr(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa,
			    const struct vdpa_dev_set_config *config)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);
	struct vdpa_sim_net *net = sim_to_net(sim);

	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR)) {
		net_filter_set_mac(&net->filter, config->net.mac);
		vdpa_sim_config_changed(sim);
	}
	if (config->ext_mask & VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_LINK))
		net_link_set(net, config->net.link);
	return 0;
}

static const struct vdpa_mgmtdev_ops net_mgmt_ops = {
	.dev_add = net_dev_add,
	.dev_del = net_dev_del,
	.dev_set_attr = net_dev_set_attr,
};

static struct virtio_device_id net_ids[] = {
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct vdpa_mgmt_dev net_mgmt = {
	.ops = &net_mgmt_ops,
	.id_table = net_ids,
	.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR) |
			    BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU) |
			    BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP) |
			    BIT_ULL(VDPA_ATTR_DEV_FEATURES),
	.ext_attr_mask = VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_PEER) |
			 VDPA_EXT_BIT(VDPA_ATTR_DEV_NET_LINK),
	.max_supported_vqs = 2 * VDPA_SIM_NET_PAIRS_MAX + 1,
	.supported_features = NET_FEATURES | BIT_ULL(VIRTIO_NET_F_MQ) |
			      VDPA_SIM_FEATURES,
};

/**
 * vdpa_sim_net_mgmt() - the simulator's management device
 *
 * Others may make devices by its operations, called with management devices of their own.
 *
 * Return: it; constant.
 */
const struct vdpa_mgmt_dev *vdpa_sim_net_mgmt(void)
{
	return &net_mgmt;
}
EXPORT_SYMBOL_GPL(vdpa_sim_net_mgmt);

static int __init vdpa_sim_net_init(void)
{
	struct device *root = root_device_register("vdpasim_net");
	int err;

	if (IS_ERR(root))
		return PTR_ERR(root);

	net_mgmt.device = root;
	err = vdpa_mgmtdev_register(&net_mgmt);
	if (err)
		root_device_unregister(root);
	return err;
}

static void __exit vdpa_sim_net_exit(void)
{
	vdpa_mgmtdev_unregister(&net_mgmt);
	root_device_unregister(net_mgmt.device);
}

module_init(vdpa_sim_net_init);
module_exit(vdpa_sim_net_exit);

MODULE_DESCRIPTION("simulated vDPA network devices");
MODULE_LICENSE("GPL");
