// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: which frames a device wants (virtio 1.2 section 5.1.6.5.1
 * and 5.1.6.5.3). A driver that says nothing gets its own address, multicast and
 * broadcast.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include "net.h"

void net_filter_init(struct net_filter *filter)
{
	init_rwsem(&filter->lock);
}

void net_filter_destroy(struct net_filter *filter)
{
	kfree(filter->table);
	bitmap_free(filter->vlans);
}

/* Forget what the driver said; the address stays. */
void net_filter_reset(struct net_filter *filter)
{
	guard(rwsem_write)(&filter->lock);
	filter->modes = 0;
	filter->has_table = false;
	filter->nr_uni = 0;
	filter->nr_multi = 0;
	filter->all_uni = false;
	filter->all_multi = false;
	kfree(filter->table);
	filter->table = NULL;
	bitmap_free(filter->vlans);
	filter->vlans = NULL;
}

void net_filter_get_mac(struct net_filter *filter, u8 *mac)
{
	guard(rwsem_read)(&filter->lock);
	ether_addr_copy(mac, filter->mac);
}

void net_filter_set_mac(struct net_filter *filter, const u8 *mac)
{
	guard(rwsem_write)(&filter->lock);
	ether_addr_copy(filter->mac, mac);
}

/* @mode: a VIRTIO_NET_CTRL_RX_* command. */
void net_filter_set_mode(struct net_filter *filter, u8 mode, bool on)
{
	guard(rwsem_write)(&filter->lock);
	if (on)
		filter->modes |= NET_RX_MODE(mode);
	else
		filter->modes &= ~NET_RX_MODE(mode);
}

/* Return: 0, -EINVAL or -ENOMEM. In a burst: no memory is waited for. */
int net_filter_set_vlan(struct net_filter *filter, u16 vlan, bool on)
{
	if (vlan >= VLAN_N_VID)
		return -EINVAL;

	guard(rwsem_write)(&filter->lock);
	if (!filter->vlans)
		filter->vlans = bitmap_zalloc(VLAN_N_VID, GFP_NOWAIT | __GFP_ACCOUNT);
	if (!filter->vlans)
		return -ENOMEM;
	__assign_bit(vlan, filter->vlans, on);
	return 0;
}

/* @table, allocated, passes to the filter; NULL if empty. */
void net_filter_set_table(struct net_filter *filter, u8 (*table)[ETH_ALEN],
			  u16 nr_uni, u16 nr_multi, bool all_uni, bool all_multi)
{
	u8 (*old)[ETH_ALEN];

	scoped_guard(rwsem_write, &filter->lock) {
		old = filter->table;
		filter->table = table;
		filter->nr_uni = nr_uni;
		filter->nr_multi = nr_multi;
		filter->all_uni = all_uni;
		filter->all_multi = all_multi;
		filter->has_table = true;
	}
	kfree(old);
}

static bool has_mode(const struct net_filter *filter, u8 mode)
{
	return filter->modes & NET_RX_MODE(mode);
}

static bool in_table(const struct net_filter *filter, const u8 *mac, u16 from, u16 nr)
{
	u16 i;

	for (i = from; i < from + nr; i++)
		if (ether_addr_equal_unaligned(filter->table[i], mac))
			return true;
	return false;
}

static bool wants_multi(const struct net_filter *filter, const u8 *mac)
{
	if (is_broadcast_ether_addr(mac))
		return !has_mode(filter, VIRTIO_NET_CTRL_RX_NOBCAST);
	if (has_mode(filter, VIRTIO_NET_CTRL_RX_NOMULTI))
		return false;
	return !filter->has_table || filter->all_multi ||
	       has_mode(filter, VIRTIO_NET_CTRL_RX_ALLMULTI) ||
	       in_table(filter, mac, filter->nr_uni, filter->nr_multi);
}

static bool wants_uni(const struct net_filter *filter, const u8 *mac)
{
	if (has_mode(filter, VIRTIO_NET_CTRL_RX_NOUNI))
		return false;
	return ether_addr_equal_unaligned(mac, filter->mac) || filter->all_uni ||
	       has_mode(filter, VIRTIO_NET_CTRL_RX_ALLUNI) ||
	       in_table(filter, mac, 0, filter->nr_uni);
}

static bool wants_vlan(const struct net_filter *filter, const struct vlan_ethhdr *eth)
{
	u16 vlan;

	if (eth->h_vlan_proto != htons(ETH_P_8021Q))
		return true;
	vlan = ntohs(eth->h_vlan_TCI) & VLAN_VID_MASK;
	return filter->vlans && test_bit(vlan, filter->vlans);
}

/**
 * net_filter_wants() - does a device want a frame
 * @filter: its filter
 * @eth: the frame's first bytes; zeroes where it is shorter
 * @by_vlan: VIRTIO_NET_F_CTRL_VLAN was negotiated
 *
 * Context: @filter's lock held for read.
 * Return: true if so.
 */
bool net_filter_wants(const struct net_filter *filter, const struct vlan_ethhdr *eth,
		      bool by_vlan)
{
	lockdep_assert_held(&filter->lock);

	if (by_vlan && !wants_vlan(filter, eth))
		return false;
	if (has_mode(filter, VIRTIO_NET_CTRL_RX_PROMISC))
		return true;
	return is_multicast_ether_addr(eth->h_dest) ? wants_multi(filter, eth->h_dest) :
						      wants_uni(filter, eth->h_dest);
}
