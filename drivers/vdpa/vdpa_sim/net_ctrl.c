// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: the control queue (virtio 1.2 section 5.1.6.5).
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <uapi/linux/virtio_net.h>
#include "net.h"

/*
 * Each command takes its data from @chain. Return: 0 if it was obeyed, -EAGAIN if that
 * is to be tried again, any other errno if not.
 */

/* All of @buf. Return: 0 or -errno. */
static int ctrl_pull(struct vdpa_chain *chain, void *buf, size_t len)
{
	ssize_t got = vdpa_chain_pull(chain, buf, len);

	if (got < 0)
		return got;
	return got == len ? 0 : -EINVAL;
}

static int ctrl_rx(struct vdpa_sim_net *net, struct vdpa_chain *chain, u8 cmd)
{
	u8 on;
	int err = ctrl_pull(chain, &on, sizeof(on));

	if (err)
		return err;
	if (on > 1)
		return -EINVAL;
	net_filter_set_mode(&net->filter, cmd, on);
	return 0;
}

static int ctrl_set_mac(struct vdpa_sim_net *net, struct vdpa_chain *chain, u8 cmd)
{
	u8 mac[ETH_ALEN];
	int err = ctrl_pull(chain, mac, sizeof(mac));

	if (err)
		return err;
	if (is_multicast_ether_addr(mac))
		return -EINVAL;
	net_filter_set_mac(&net->filter, mac);
	atomic_inc(&net->sim.generation);
	return 0;
}

/* One of the two lists of a table: what fits of it is appended to @table. */
static int ctrl_pull_macs(struct vdpa_chain *chain, u8 (*table)[ETH_ALEN], u16 *nr,
			  bool *all)
{
	__le32 entries;
	u32 count;
	int err = ctrl_pull(chain, &entries, sizeof(entries));

	if (err)
		return err;
	count = le32_to_cpu(entries);
	if (count > chain->out.left / ETH_ALEN)
		return -EINVAL;
	*all = count > NET_FILTER_MAX;
	*nr = *all ? 0 : count;
	if (*all)
		return vdpa_chain_skip_out(chain, (size_t)count * ETH_ALEN) < 0 ? -EINVAL : 0;
	return count ? ctrl_pull(chain, table, count * ETH_ALEN) : 0;
}

static int ctrl_set_table(struct vdpa_sim_net *net, struct vdpa_chain *chain, u8 cmd)
{
	u8 (*table)[ETH_ALEN];
	bool all_uni, all_multi;
	u16 nr_uni, nr_multi;
	int err;

	/* in a burst no memory is waited for */
	table = kmalloc_array(2 * NET_FILTER_MAX, sizeof(*table),
			      GFP_NOWAIT | __GFP_ACCOUNT);
	if (!table)
		return -ENOMEM;
	err = ctrl_pull_macs(chain, table, &nr_uni, &all_uni);
	if (!err)
		err = ctrl_pull_macs(chain, table + nr_uni, &nr_multi, &all_multi);
	if (err) {
		kfree(table);
		return err;
	}
	net_filter_set_table(&net->filter, table, nr_uni, nr_multi, all_uni, all_multi);
	return 0;
}

static int ctrl_vlan(struct vdpa_sim_net *net, struct vdpa_chain *chain, u8 cmd)
{
	__le16 vlan;
	int err = ctrl_pull(chain, &vlan, sizeof(vlan));

	return err ?: net_filter_set_vlan(&net->filter, le16_to_cpu(vlan),
					  cmd == VIRTIO_NET_CTRL_VLAN_ADD);
}

/* Acknowledged: it need not be asked for again. */
static int ctrl_announced(struct vdpa_sim_net *net, struct vdpa_chain *chain, u8 cmd)
{
	WRITE_ONCE(net->announce, false);
	return 0;
}

static int ctrl_set_pairs(struct vdpa_sim_net *net, struct vdpa_chain *chain, u8 cmd)
{
	struct virtio_net_ctrl_mq mq;
	int err = ctrl_pull(chain, &mq, sizeof(mq));
	u16 pairs;

	if (err)
		return err;
	pairs = le16_to_cpu((__force __le16)mq.virtqueue_pairs);
	if (pairs < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN || pairs > net->pairs)
		return -EINVAL;
	WRITE_ONCE(net->active, pairs);
	return 0;
}

static const struct {
	u8 class;
	u8 cmd;
	u8 feature;
	int (*run)(struct vdpa_sim_net *net, struct vdpa_chain *chain, u8 cmd);
} ctrl_commands[] = {
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_F_CTRL_RX, ctrl_rx },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_F_CTRL_RX, ctrl_rx },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI, VIRTIO_NET_F_CTRL_RX_EXTRA, ctrl_rx },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOMULTI, VIRTIO_NET_F_CTRL_RX_EXTRA, ctrl_rx },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI, VIRTIO_NET_F_CTRL_RX_EXTRA, ctrl_rx },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST, VIRTIO_NET_F_CTRL_RX_EXTRA, ctrl_rx },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_F_CTRL_RX,
	  ctrl_set_table },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, VIRTIO_NET_F_CTRL_MAC_ADDR,
	  ctrl_set_mac },
	{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, VIRTIO_NET_F_CTRL_VLAN, ctrl_vlan },
	{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, VIRTIO_NET_F_CTRL_VLAN, ctrl_vlan },
	{ VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, VIRTIO_NET_F_GUEST_ANNOUNCE,
	  ctrl_announced },
	{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, VIRTIO_NET_F_MQ,
	  ctrl_set_pairs },
};

static int ctrl_run(struct vdpa_sim_net *net, struct vdpa_chain *chain)
{
	struct virtio_net_ctrl_hdr hdr;
	unsigned int i;
	int err = ctrl_pull(chain, &hdr, sizeof(hdr));

	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(ctrl_commands); i++)
		if (ctrl_commands[i].class == hdr.class &&
		    ctrl_commands[i].cmd == hdr.cmd &&
		    net_has(net, ctrl_commands[i].feature))
			return ctrl_commands[i].run(net, chain, hdr.cmd);
	return -EOPNOTSUPP;
}

/* Obey one command and say so. Return: 0, or -errno when the ring broke or -EAGAIN. */
static int ctrl_serve_one(struct vdpa_sim_queue *queue, struct vdpa_chain *chain,
			  void *data)
{
	int err = ctrl_run(sim_to_net(queue->sim), chain);
	u8 ack = err ? VIRTIO_NET_ERR : VIRTIO_NET_OK;
	ssize_t pushed;

	if (err == -EAGAIN)
		return err;
	pushed = vdpa_chain_push(chain, &ack, sizeof(ack));
	if (pushed < 0)
		return pushed;
	queue->stats[NET_CTRL_REQUESTS]++;
	queue->stats[!err && pushed ? NET_CTRL_SUCCESSES : NET_CTRL_ERRORS]++;
	return 0;
}

/**
 * vdpa_sim_net_serve_ctrl() - obey commands
 * @queue: control queue
 *
 * Context: Process context, @queue's lock held, within a burst.
 * Return: as &vdpa_sim_class.serve.
 */
int vdpa_sim_net_serve_ctrl(struct vdpa_sim_queue *queue)
{
	return vdpa_sim_serve_each(queue, ctrl_serve_one, NULL);
}
