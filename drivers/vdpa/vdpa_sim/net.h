/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VDPA_SIM_NET_H
#define _VDPA_SIM_NET_H

#include <linux/if_ether.h>
#include "vdpa_sim.h"

/**
 * struct vdpa_sim_net - a network device that receives what it transmits
 * @sim: what is common to all classes
 * @pairs: queue pairs: receive queue 2n, transmit queue 2n + 1; constant
 * @mtu: constant
 * @lock: protects @mac
 * @mac: as configuration space shows it and the filter compares it
 */
struct vdpa_sim_net {
	struct vdpa_sim sim;
	u16 pairs;
	u16 mtu;
	spinlock_t lock; /* see above */
	u8 mac[ETH_ALEN];
};

static inline struct vdpa_sim_net *sim_to_net(struct vdpa_sim *sim)
{
	return container_of(sim, struct vdpa_sim_net, sim);
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

void vdpa_sim_net_set_mac(struct vdpa_sim_net *net, const u8 *mac);

/* net_ctrl.c */

int vdpa_sim_net_serve_ctrl(struct vdpa_sim_queue *queue);

#endif /* _VDPA_SIM_NET_H */
