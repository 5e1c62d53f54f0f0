/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network device simulator.
 *
 *	net.c          what the device is, statistics, creation
 *	net_data.c     frames from a transmit queue to a receive queue
 *	net_csum.c     checksums that a receiver did not agree to do without
 *	net_ctrl.c     the control queue
 *	net_filter.c   which frames a device wants
 *	net_wire.c     where frames go: back, or to the other end of a pair
 */
#ifndef _VDPA_SIM_NET_H
#define _VDPA_SIM_NET_H

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/kref.h>
#include <linux/rwsem.h>
#include <uapi/linux/virtio_net.h>
#include "vdpa_sim.h"

/* most queue pairs of a device */
#define VDPA_SIM_NET_PAIRS_MAX 64

/* most addresses of one kind that are compared; with more, all are taken */
#define NET_FILTER_MAX 64

/* what the driver switched on or off by VIRTIO_NET_CTRL_RX; bits by command */
#define NET_RX_MODE(cmd) BIT(cmd)

/**
 * struct net_filter - which frames a device wants (section 5.1.6.5.1)
 * @lock: protects the rest. Nests inside the memories' locks.
 * @mac: own address
 * @modes: NET_RX_MODE() of what is on
 * @has_table: the driver gave @table; until then all multicast is wanted
 * @nr_uni: unicast addresses in @table; they come first
 * @nr_multi: multicast addresses in @table
 * @all_uni: there were more than fit
 * @all_multi: there were more than fit
 * @table: addresses besides @mac, or NULL
 * @vlans: bitmap of the VLANs that are wanted, or NULL for none
 */
struct net_filter {
	struct rw_semaphore lock; /* see above */
	u8 mac[ETH_ALEN];
	u8 modes;
	bool has_table;
	u16 nr_uni;
	u16 nr_multi;
	bool all_uni;
	bool all_multi;
	u8 (*table)[ETH_ALEN];
	unsigned long *vlans;
};

/**
 * struct net_wire - what leads back to a device, or joins two
 * @ref: one for each device
 * @lock: protects the rest: held for read while frames pass, for write while an end
 *	comes or goes
 * @joined: it joins two; from then on it leads nowhere when one of them is gone
 * @end: the devices, or NULL
 */
struct net_wire {
	struct kref ref;
	struct rw_semaphore lock; /* see above */
	bool joined;
	struct vdpa_sim_net *end[2];
};

/**
 * struct vdpa_sim_net - a network device
 * @sim: what is common to all classes
 * @pairs: queue pairs: receive queue 2n, transmit queue 2n + 1; constant
 * @active: pairs that the driver uses; changed by its control queue and by reset
 * @mtu: constant
 * @link: the administrator says that it is up
 * @announce: the driver shall announce itself (section 5.1.6.5.4)
 * @side: which end of @wire; constant
 * @wire: where frames go; constant
 * @node: in the list of devices that can be joined
 * @filter: which frames it wants
 */
struct vdpa_sim_net {
	struct vdpa_sim sim;
	u16 pairs;
	u16 active;
	u16 mtu;
	bool link;
	bool announce;
	u8 side;
	struct net_wire *wire;
	struct list_head node;
	struct net_filter filter;
};

static inline struct vdpa_sim_net *sim_to_net(struct vdpa_sim *sim)
{
	return container_of(sim, struct vdpa_sim_net, sim);
}

static inline bool net_has(const struct vdpa_sim_net *net, unsigned int feature)
{
	return net->sim.features & BIT_ULL(feature);
}

/* A header ends with a count of buffers unless the driver is a legacy one (section 5.1.6). */
static inline size_t net_hdr_size(const struct vdpa_sim_net *net)
{
	return net_has(net, VIRTIO_F_VERSION_1) || net_has(net, VIRTIO_NET_F_MRG_RXBUF) ?
	       sizeof(struct virtio_net_hdr_mrg_rxbuf) :
	       sizeof(struct virtio_net_hdr);
}

/* The control queue comes after all pairs, or after the first without multiqueue. */
static inline u16 net_ctrl_index(const struct vdpa_sim_net *net)
{
	return net_has(net, VIRTIO_NET_F_MQ) ? 2 * net->pairs : 2;
}

static inline bool net_is_tx(const struct vdpa_sim_net *net, u16 index)
{
	return index < net_ctrl_index(net) && index % 2;
}

/* indices into vdpa_sim_queue::stats */
enum {
	NET_RX_PACKETS, NET_RX_BYTES, NET_RX_ERRORS, NET_RX_OVERRUNS, NET_RX_DROPS,
};

enum {
	NET_TX_PACKETS, NET_TX_BYTES, NET_TX_ERRORS, NET_TX_DROPS,
};

enum {
	NET_CTRL_REQUESTS, NET_CTRL_SUCCESSES, NET_CTRL_ERRORS,
};

/* net.c */

const struct vdpa_mgmt_dev *vdpa_sim_net_mgmt(void);

/* net_data.c */

int vdpa_sim_net_serve_tx(struct vdpa_sim_queue *tx, struct vdpa_sim_queue *rx);

/* net_csum.c */

int net_csum_compute(const struct vdpa_chain *chain, u16 start, u16 offset,
		     __sum16 *csum);

/* net_ctrl.c */

int vdpa_sim_net_serve_ctrl(struct vdpa_sim_queue *queue);

/* net_filter.c */

void net_filter_init(struct net_filter *filter);
void net_filter_destroy(struct net_filter *filter);
void net_filter_reset(struct net_filter *filter);
void net_filter_get_mac(struct net_filter *filter, u8 *mac);
void net_filter_set_mac(struct net_filter *filter, const u8 *mac);
void net_filter_set_mode(struct net_filter *filter, u8 mode, bool on);
int net_filter_set_vlan(struct net_filter *filter, u16 vlan, bool on);
void net_filter_set_table(struct net_filter *filter, u8 (*table)[ETH_ALEN],
			  u16 nr_uni, u16 nr_multi, bool all_uni, bool all_multi);
bool net_filter_wants(const struct net_filter *filter, const struct vlan_ethhdr *eth,
		      bool by_vlan);

/* net_wire.c */

int net_wire_create(struct vdpa_sim_net *net);
int net_wire_join(struct vdpa_sim_net *net, const char *peer);
void net_wire_offer(struct vdpa_sim_net *net);
void net_wire_leave(struct vdpa_sim_net *net);
void net_wire_put(struct vdpa_sim_net *net);
struct vdpa_sim_queue *net_peer_get(struct vdpa_sim_queue *queue);
void net_peer_put(struct vdpa_sim_queue *queue);
bool net_link_is_up(struct vdpa_sim_net *net);
void net_link_set(struct vdpa_sim_net *net, bool up);

#endif /* _VDPA_SIM_NET_H */
