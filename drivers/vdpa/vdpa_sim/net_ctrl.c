// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: the control queue (virtio 1.2 section 5.1.6.5).
 */
#include <linux/etherdevice.h>
#include <uapi/linux/virtio_net.h>
#include "net.h"

/* Each command takes its data from @chain and returns whether it was obeyed. */

static bool ctrl_set_mac(struct vdpa_sim_net *net, struct vdpa_chain *chain)
{
	u8 mac[ETH_ALEN];

	if (vdpa_chain_pull(chain, mac, sizeof(mac)) != sizeof(mac) ||
	    is_multicast_ether_addr(mac))
		return false;

	vdpa_sim_net_set_mac(net, mac);
	return true;
}

/* Pairs that the driver does not use are left alone anyway; only check the number. */
static bool ctrl_set_pairs(struct vdpa_sim_net *net, struct vdpa_chain *chain)
{
	struct virtio_net_ctrl_mq mq;
	u16 pairs;

	if (vdpa_chain_pull(chain, &mq, sizeof(mq)) != sizeof(mq))
		return false;
	pairs = le16_to_cpu((__force __le16)mq.virtqueue_pairs);
	return pairs >= VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN && pairs <= net->pairs;
}

static const struct {
	u8 class;
	u8 cmd;
	u8 feature;
	bool (*run)(struct vdpa_sim_net *net, struct vdpa_chain *chain);
} ctrl_commands[] = {
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET,
	  VIRTIO_NET_F_CTRL_MAC_ADDR, ctrl_set_mac },
	{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
	  VIRTIO_NET_F_MQ, ctrl_set_pairs },
};

static bool ctrl_run(struct vdpa_sim_net *net, struct vdpa_chain *chain)
{
	struct virtio_net_ctrl_hdr hdr;
	unsigned int i;

	if (vdpa_chain_pull(chain, &hdr, sizeof(hdr)) != sizeof(hdr))
		return false;

	for (i = 0; i < ARRAY_SIZE(ctrl_commands); i++)
		if (ctrl_commands[i].class == hdr.class &&
		    ctrl_commands[i].cmd == hdr.cmd &&
		    net->sim.features & BIT_ULL(ctrl_commands[i].feature))
			return ctrl_commands[i].run(net, chain);
	return false;
}

/**
 * vdpa_sim_net_serve_ctrl() - obey commands
 * @queue: control queue
 *
 * Context: Process context, @queue's lock held, within a burst.
 * Return: number of chains handled, or -errno when the ring broke.
 */
int vdpa_sim_net_serve_ctrl(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_net *net = sim_to_net(queue->sim);
	struct vdpa_chain chain;
	int done, got;
	u8 ack;

	lockdep_assert_held(&queue->lock);

	for (done = 0; done < VDPA_SIM_BURST; done++) {
		got = vdpa_ring_next(queue->ring, &chain);
		if (got <= 0)
			return got ?: done;

		queue->stats[NET_CTRL_REQUESTS]++;
		ack = ctrl_run(net, &chain) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
		if (vdpa_chain_push(&chain, &ack, sizeof(ack)) == sizeof(ack) &&
		    ack == VIRTIO_NET_OK)
			queue->stats[NET_CTRL_SUCCESSES]++;
		else
			queue->stats[NET_CTRL_ERRORS]++;
		vdpa_ring_complete(queue->ring, &chain);
	}
	return done;
}
