// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: what it transmits it receives, if it is addressed to it
 * (virtio 1.2 section 5.1). A frame is copied once, from the driver's transmit buffer
 * to its receive buffer.
 */
#include <linux/cleanup.h>
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/module.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>
#include "net.h"

#define NET_FEATURES						\
	(BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_STATUS) | \
	 BIT_ULL(VIRTIO_NET_F_MTU) | BIT_ULL(VIRTIO_NET_F_CTRL_VQ) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR))

#define NET_PAIRS_MAX 64
#define NET_MTU_DEFAULT 1500

/* groups of queues, each in its own address space if the driver wants */
enum { NET_GROUP_DATA, NET_GROUP_CTRL, NET_GROUPS };

static const char *const rx_names[] = {
	"rx packets", "rx bytes", "rx errors", "rx overruns", "rx drops",
};

static const char *const tx_names[] = {
	"tx packets", "tx bytes", "tx errors", "tx drops",
};

static const char *const ctrl_names[] = {
	"cvq requests", "cvq successes", "cvq errors",
};

/* The control queue comes after all pairs, or after the first without multiqueue. */
static u16 ctrl_index(const struct vdpa_sim_net *net)
{
	return net->sim.features & BIT_ULL(VIRTIO_NET_F_MQ) ? 2 * net->pairs : 2;
}

/* A header ends with a count of buffers unless the driver is a legacy one (section 5.1.6). */
static size_t net_hdr_size(const struct vdpa_sim *sim)
{
	return sim->features & BIT_ULL(VIRTIO_F_VERSION_1) ?
	       sizeof(struct virtio_net_hdr_mrg_rxbuf) :
	       sizeof(struct virtio_net_hdr);
}

/**
 * vdpa_sim_net_set_mac() - change the address
 * @net: device
 * @mac: new address
 *
 * Context: Any but an interrupt.
 */
void vdpa_sim_net_set_mac(struct vdpa_sim_net *net, const u8 *mac)
{
	scoped_guard(spinlock, &net->lock)
		ether_addr_copy(net->mac, mac);
	atomic_inc(&net->sim.generation);
}

/* Is a frame to @dest for this device? */
static bool net_accepts(struct vdpa_sim_net *net, const u8 *dest)
{
	bool own;

	if (is_multicast_ether_addr(dest)) /* and broadcast */
		return true;

	scoped_guard(spinlock, &net->lock)
		own = ether_addr_equal_unaligned(dest, net->mac);
	return own;
}

/*
 * Receive what is left in @tx, behind its first @len bytes, which are in @start. A
 * buffer that is too small stays with the device for a shorter frame.
 * Return: 0, or -errno when a ring broke.
 */
static int net_receive(struct vdpa_sim_queue *rx, struct vdpa_chain *tx,
		       const void *start, size_t len)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = {
		.num_buffers = (__force __virtio16)cpu_to_le16(1),
	};
	size_t hdr_size = net_hdr_size(rx->sim);
	size_t frame = len + tx->out_left;
	struct vdpa_chain chain;
	ssize_t moved;
	int got;

	if (!vdpa_ring_running(rx->ring)) {
		rx->stats[NET_RX_DROPS]++;
		return 0;
	}

	got = vdpa_ring_next(rx->ring, &chain);
	if (got < 0)
		return got;
	if (!got) {
		rx->stats[NET_RX_OVERRUNS]++;
		return 0;
	}
	if (chain.in_left < hdr_size + frame) {
		rx->stats[NET_RX_ERRORS]++;
		vdpa_ring_unget(rx->ring, &chain);
		return 0;
	}

	moved = vdpa_chain_push(&chain, &hdr, hdr_size);
	if (moved >= 0)
		moved = vdpa_chain_push(&chain, start, len);
	if (moved >= 0)
		moved = vdpa_chain_copy(&chain, tx, tx->out_left);
	if (moved < 0)
		return moved;

	vdpa_ring_complete(rx->ring, &chain);
	rx->stats[NET_RX_PACKETS]++;
	rx->stats[NET_RX_BYTES] += frame;
	return 0;
}

/* Handle one chain of a transmit queue. Return: 0, or -errno when a ring broke. */
static int net_transmit(struct vdpa_sim_queue *tx, struct vdpa_chain *chain)
{
	struct vdpa_sim_net *net = sim_to_net(tx->sim);
	u8 start[sizeof(struct virtio_net_hdr_mrg_rxbuf) + ETH_HLEN];
	size_t hdr_size = net_hdr_size(tx->sim);
	const u8 *frame = start + hdr_size;
	ssize_t got;

	got = vdpa_chain_pull(chain, start, hdr_size + ETH_HLEN);
	if (got < 0)
		return got;
	if (got < hdr_size + ETH_HLEN) {
		tx->stats[NET_TX_ERRORS]++;
		return 0;
	}

	tx->stats[NET_TX_PACKETS]++;
	tx->stats[NET_TX_BYTES] += ETH_HLEN + chain->out_left;
	if (!net_accepts(net, frame)) {
		tx->peer->stats[NET_RX_DROPS]++;
		return 0;
	}
	return net_receive(tx->peer, chain, frame, ETH_HLEN);
}

static int net_serve_tx(struct vdpa_sim_queue *tx)
{
	struct vdpa_chain chain;
	int done, got, err;

	for (done = 0; done < VDPA_SIM_BURST; done++) {
		got = vdpa_ring_next(tx->ring, &chain);
		if (got <= 0)
			return got ?: done;
		err = net_transmit(tx, &chain);
		vdpa_ring_complete(tx->ring, &chain);
		if (err)
			return err;
	}
	return done;
}

static int net_serve(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_net *net = sim_to_net(queue->sim);

	lockdep_assert_held(&queue->lock);

	if (queue->index == ctrl_index(net))
		return vdpa_sim_net_serve_ctrl(queue);
	return net_serve_tx(queue);
}

/* Receive queues are filled by their peers; there is nothing behind the control queue. */
static bool net_passive(const struct vdpa_sim_queue *queue)
{
	u16 ctrl = ctrl_index(sim_to_net(queue->sim));

	return queue->index > ctrl ||
	       (queue->index < ctrl && queue->index % 2 == 0);
}

static void net_get_config(struct vdpa_sim *sim, void *data)
{
	struct vdpa_sim_net *net = sim_to_net(sim);
	struct virtio_net_config *config = data;

	scoped_guard(spinlock, &net->lock)
		ether_addr_copy(config->mac, net->mac);
	config->status = (__force __virtio16)cpu_to_le16(VIRTIO_NET_S_LINK_UP);
	config->max_virtqueue_pairs = (__force __virtio16)cpu_to_le16(net->pairs);
	config->mtu = (__force __virtio16)cpu_to_le16(net->mtu);
}

static u32 net_group(struct vdpa_sim *sim, u16 index)
{
	return index == 2 * sim_to_net(sim)->pairs ? NET_GROUP_CTRL :
						     NET_GROUP_DATA;
}

static int net_put_stats(struct vdpa_sim_queue *queue, struct sk_buff *msg)
{
	const char *const *names = queue->index % 2 ? tx_names : rx_names;
	unsigned int i, count;

	count = queue->index % 2 ? ARRAY_SIZE(tx_names) : ARRAY_SIZE(rx_names);
	if (queue->index == ctrl_index(sim_to_net(queue->sim))) {
		names = ctrl_names;
		count = ARRAY_SIZE(ctrl_names);
	}

	for (i = 0; i < count; i++)
		if (nla_put_string(msg, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, names[i]) ||
		    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE,
				      queue->stats[i], VDPA_ATTR_PAD))
			return -EMSGSIZE;
	return 0;
}

static const struct vdpa_sim_class net_class = {
	.id = VIRTIO_ID_NET,
	.config_size = sizeof(struct virtio_net_config),
	.default_ngroups = NET_GROUPS,
	.default_nas = 2,
	.serve = net_serve,
	.passive = net_passive,
	.get_config = net_get_config,
	.group = net_group,
	.put_stats = net_put_stats,
};

/* Management device */

static void net_link_pairs(struct vdpa_sim_net *net)
{
	struct vdpa_sim_queue *queues = net->sim.queues;
	u16 i;

	for (i = 0; i < net->pairs; i++)
		queues[2 * i + 1].peer = &queues[2 * i];
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

	if (pairs > NET_PAIRS_MAX)
		return -EINVAL;
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
	net->mtu = NET_MTU_DEFAULT;
	spin_lock_init(&net->lock);
	eth_random_addr(net->mac);
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR))
		ether_addr_copy(net->mac, config->net.mac);
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU))
		net->mtu = config->net.mtu;
	net_link_pairs(net);

	return vdpa_sim_publish(sim);
}

static int net_dev_set_attr(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa,
			    const struct vdpa_dev_set_config *config)
{
	struct vdpa_sim *sim = vdpa_to_sim(vdpa);

	if (!(config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR)))
		return -EOPNOTSUPP;

	vdpa_sim_net_set_mac(sim_to_net(sim), config->net.mac);
	vdpa_sim_config_changed(sim);
	return 0;
}

static const struct vdpa_mgmtdev_ops net_mgmt_ops = {
	.dev_add = net_dev_add,
	.dev_del = vdpa_sim_dev_del,
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
	.max_supported_vqs = 2 * NET_PAIRS_MAX + 1,
	.supported_features = NET_FEATURES | BIT_ULL(VIRTIO_NET_F_MQ) |
			      VDPA_SIM_FEATURES,
};

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
