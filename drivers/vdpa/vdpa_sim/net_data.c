// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: frames from a transmit queue to a receive queue (virtio 1.2
 * section 5.1.6). A frame is copied once, from the sender's buffer to the receiver's.
 */
#include <linux/cleanup.h>
#include <linux/etherdevice.h>
#include <linux/overflow.h>
#include "net.h"

/**
 * struct net_frame - a frame on its way
 * @hdr: header for the receiver
 * @chain: the rest, in the sender's buffers
 * @len: bytes of it
 * @csum_at: where @csum takes the place of what is there; @len or more: nowhere
 * @csum: checksum
 */
struct net_frame {
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct vdpa_chain *chain;
	u32 len;
	u32 csum_at;
	__sum16 csum;
};

/**
 * struct net_path - the way that frames of one burst take
 * @to: receiving device
 * @rx: its receive queue, or NULL if frames lead nowhere
 * @open: @rx can take frames
 * @hdr_size: bytes of its header
 * @csum: it takes frames whose checksum is missing
 * @gso: what VIRTIO_NET_HDR_GSO_* types it takes, as bits
 * @mergeable: a frame may go over several of its buffers
 * @vlan: it chooses VLANs
 * @plain: it wants whatever is sent to its own address
 * @frame: what is on its way
 * @buffer: where it goes
 */
struct net_path {
	struct vdpa_sim_net *to;
	struct vdpa_sim_queue *rx;
	bool open;
	u8 hdr_size;
	bool csum;
	u8 gso;
	bool mergeable;
	bool vlan;
	bool plain;
	struct net_frame frame;
	struct vdpa_chain buffer;
};

static void path_init(struct net_path *path, struct vdpa_sim_queue *rx)
{
	struct vdpa_sim_net *to = sim_to_net(rx->sim);

	path->to = to;
	path->rx = rx;
	path->open = vdpa_ring_running(rx->ring) && !vdpa_ring_broken(rx->ring);
	path->hdr_size = net_hdr_size(to);
	path->csum = net_has(to, VIRTIO_NET_F_GUEST_CSUM);
	path->gso = BIT(VIRTIO_NET_HDR_GSO_NONE);
	if (net_has(to, VIRTIO_NET_F_GUEST_TSO4))
		path->gso |= BIT(VIRTIO_NET_HDR_GSO_TCPV4);
	if (net_has(to, VIRTIO_NET_F_GUEST_TSO6))
		path->gso |= BIT(VIRTIO_NET_HDR_GSO_TCPV6);
	path->mergeable = net_has(to, VIRTIO_NET_F_MRG_RXBUF);
	path->vlan = net_has(to, VIRTIO_NET_F_CTRL_VLAN);
	path->plain = !path->vlan &&
		      !(to->filter.modes & NET_RX_MODE(VIRTIO_NET_CTRL_RX_NOUNI));
}

/* Is a frame that begins with @eth for the receiver? */
static bool path_wanted(const struct net_path *path, const struct vlan_ethhdr *eth)
{
	const struct net_filter *filter = &path->to->filter;

	/* most are: spare the others' questions */
	if (likely(path->plain && ether_addr_equal_unaligned(eth->h_dest, filter->mac)))
		return true;
	return net_filter_wants(filter, eth, path->vlan);
}

/* Does the receiver take frames of that kind? */
static bool path_takes_gso(const struct net_path *path, u8 type)
{
	if (type & VIRTIO_NET_HDR_GSO_ECN && !net_has(path->to, VIRTIO_NET_F_GUEST_ECN))
		return false;
	type &= ~VIRTIO_NET_HDR_GSO_ECN;
	return type < BITS_PER_BYTE && path->gso & BIT(type);
}

/*
 * How many of the receiver's next chains hold @need bytes. Return: that, 0 if there are
 * too few, or -errno.
 */
static int count_chains(struct vdpa_ring *ring, struct vdpa_chain *chain, u32 need)
{
	u32 room = 0;
	int count, got;

	for (count = 0; room < need; count++) {
		got = vdpa_ring_next(ring, chain);
		if (got <= 0)
			return got;
		if (check_add_overflow(room, chain->in.left, &room))
			room = U32_MAX;
	}
	return count;
}

/* Move one byte of the checksum. */
static ssize_t push_csum(struct vdpa_chain *chain, struct net_frame *frame, u32 i)
{
	ssize_t n = vdpa_chain_push(chain, (u8 *)&frame->csum + i, 1);

	return n > 0 ? vdpa_chain_skip_out(frame->chain, n) : n;
}

/* Fill @chain with as much of @frame as it has room for. Return: 0 or -errno. */
static int fill(struct vdpa_chain *chain, struct net_frame *frame)
{
	struct vdpa_chain *from = frame->chain;
	u32 at, left;
	ssize_t n;

	if (likely(frame->csum_at >= frame->len))
		return min_t(ssize_t, vdpa_chain_copy(chain, from, from->out.left), 0);

	while (chain->in.left && from->out.left) {
		at = frame->len - from->out.left;
		left = from->out.left;
		if (at < frame->csum_at)
			left = frame->csum_at - at;
		if (at >= frame->csum_at && at < frame->csum_at + sizeof(frame->csum))
			n = push_csum(chain, frame, at - frame->csum_at);
		else
			n = vdpa_chain_copy(chain, from, left);
		if (n < 0)
			return n;
	}
	return 0;
}

/* Fill @count chains that were counted and put back. Return: 0 or -errno. */
static int fill_chains(struct net_path *path, int count)
{
	struct vdpa_ring *ring = path->rx->ring;
	struct vdpa_chain *buffer = &path->buffer;
	ssize_t hdr_size = path->hdr_size, moved;
	int ret;

	for (; count; count--) {
		ret = vdpa_ring_next(ring, buffer);
		if (ret <= 0)
			return ret ?: -EINVAL;
		/* in the first only; it may be smaller now than when it was counted */
		moved = vdpa_chain_push(buffer, &path->frame.hdr, hdr_size);
		if (moved < hdr_size)
			return moved < 0 ? moved : -EINVAL;
		hdr_size = 0;
		ret = fill(buffer, &path->frame);
		if (ret)
			return ret;
		vdpa_ring_complete(ring, buffer);
	}
	return 0;
}

/*
 * A frame that one chain, the one that was fetched, does not hold.
 * Return: 0, 1 if it was lost, or -errno.
 */
static noinline int receive_merged(struct net_path *path)
{
	struct net_frame *frame = &path->frame;
	struct vdpa_sim_queue *rx = path->rx;
	struct vdpa_ring_place start;
	int count = 0, ret;

	vdpa_ring_unget(rx->ring, &path->buffer);
	vdpa_ring_mark(rx->ring, &start);
	if (path->mergeable)
		count = count_chains(rx->ring, &path->buffer, path->hdr_size + frame->len);
	/* buffers that are too small stay with the device for a shorter frame */
	vdpa_ring_rewind(rx->ring, &start);
	if (count < 0)
		return count;
	if (!count) {
		rx->stats[path->mergeable ? NET_RX_OVERRUNS : NET_RX_ERRORS]++;
		return 1;
	}
	frame->hdr.num_buffers = (__force __virtio16)cpu_to_le16(count);
	ret = fill_chains(path, count);
	if (ret)
		vdpa_ring_rewind(rx->ring, &start);
	return ret;
}

static int receive_one(struct net_path *path)
{
	struct net_frame *frame = &path->frame;
	ssize_t moved;
	int err = 0;

	if (likely(frame->csum_at >= frame->len)) {
		moved = vdpa_chain_copy_behind(&path->buffer, &frame->hdr, path->hdr_size,
					       frame->chain, frame->len);
	} else {
		moved = vdpa_chain_push(&path->buffer, &frame->hdr, path->hdr_size);
		if (moved >= 0)
			err = fill(&path->buffer, frame);
	}
	if (unlikely(moved < 0 || err)) {
		vdpa_ring_unget(path->rx->ring, &path->buffer);
		return err ?: moved;
	}
	vdpa_ring_complete(path->rx->ring, &path->buffer);
	return 0;
}

/*
 * Give a frame to the receiver. Return: 0, or -errno: then the receiver's ring is as
 * it was, or broken.
 */
static int receive(struct net_path *path)
{
	struct vdpa_sim_queue *rx = path->rx;
	int ret;

	ret = vdpa_ring_next(rx->ring, &path->buffer);
	if (unlikely(ret < 0))
		return ret;
	if (unlikely(!ret)) {
		rx->stats[NET_RX_OVERRUNS]++;
		return 0;
	}
	if (likely(path->buffer.in.left >= path->hdr_size + path->frame.len))
		ret = receive_one(path);
	else
		ret = receive_merged(path);
	if (unlikely(ret < 0))
		return ret;
	if (likely(!ret)) {
		rx->stats[NET_RX_PACKETS]++;
		rx->stats[NET_RX_BYTES] += path->frame.len;
	}
	return 0;
}

/*
 * Make of the sender's header what the receiver agreed to, and of the frame.
 * Return: 0; -ERANGE if that cannot be; or as vdpa_chain_pull().
 */
static noinline int adapt(struct net_path *path)
{
	struct net_frame *frame = &path->frame;
	struct virtio_net_hdr *hdr = (struct virtio_net_hdr *)&frame->hdr;
	u16 start = le16_to_cpu((__force __le16)hdr->csum_start);
	u16 offset = le16_to_cpu((__force __le16)hdr->csum_offset);
	int err;

	if (!path_takes_gso(path, hdr->gso_type))
		return -ERANGE;
	hdr->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
	if (path->csum || !hdr->flags)
		return 0;
	err = net_csum_compute(frame->chain, start, offset, &frame->csum);
	frame->csum_at = start + offset;
	hdr->flags = 0;
	hdr->csum_start = 0;
	hdr->csum_offset = 0;
	return err;
}

/* Send a frame on its way. Return: 0, or -errno when a ring broke or a page is absent. */
static int forward(struct net_path *path, const struct vlan_ethhdr *eth)
{
	struct vdpa_sim_queue *rx = path->rx;
	int err;

	if (unlikely(!path->open || !path_wanted(path, eth))) {
		rx->stats[NET_RX_DROPS]++;
		return 0;
	}
	if (unlikely(path->frame.hdr.hdr.flags | path->frame.hdr.hdr.gso_type)) {
		err = adapt(path);
		if (err == -ERANGE) {
			rx->stats[NET_RX_ERRORS]++;
			return 0;
		}
		if (err)
			return err;
	}
	return receive(path);
}

/* A header and the frame's first bytes. */
#define NET_START_MAX (sizeof(struct virtio_net_hdr_mrg_rxbuf) + sizeof(struct vlan_ethhdr))

/* What is known of a frame once its first bytes are. */
static void frame_init(struct net_frame *frame, struct vdpa_chain *chain,
		       size_t hdr_size, const void *start)
{
	frame->hdr.hdr = *(const struct virtio_net_hdr *)start;
	frame->hdr.num_buffers = (__force __virtio16)cpu_to_le16(1);
	frame->chain = chain;
	frame->len = chain->out.left - hdr_size;
	frame->csum_at = U32_MAX;
}

/* transmit() of a chain whose start is in pieces, or which is short. */
static noinline int transmit_slow(struct vdpa_sim_queue *tx, struct vdpa_chain *chain,
				  size_t hdr_size, struct net_path *path)
{
	u8 start[NET_START_MAX] __aligned(8) = {};
	struct vdpa_chain walk = *chain;
	ssize_t got;

	got = vdpa_chain_pull(&walk, start, sizeof(start));
	if (got < 0)
		return got;
	if (got < hdr_size + ETH_HLEN) {
		tx->stats[NET_TX_ERRORS]++;
		return 0;
	}
	frame_init(&path->frame, chain, hdr_size, start);
	vdpa_chain_skip_out(chain, hdr_size);
	return path->rx ? forward(path, (void *)start + hdr_size) : 0;
}

/*
 * Handle one chain of a transmit queue; @path leads nowhere if @path->rx is NULL.
 * Return: 0, or -errno when a ring broke or a page is absent.
 */
static int transmit(struct vdpa_sim_queue *tx, struct vdpa_chain *chain, size_t hdr_size,
		    struct net_path *path)
{
	const void *start = vdpa_chain_look(chain, NET_START_MAX);

	if (IS_ERR(start))
		return PTR_ERR(start);
	if (unlikely(!start))
		return transmit_slow(tx, chain, hdr_size, path);
	frame_init(&path->frame, chain, hdr_size, start);
	vdpa_chain_skip_out(chain, hdr_size);
	return path->rx ? forward(path, start + hdr_size) : 0;
}

/* The receiver's ring broke. */
static void drop(struct net_path *path)
{
	path->open = false;
	path->rx->stats[NET_RX_DROPS]++;
}

static int serve(struct vdpa_sim_queue *tx, struct net_path *path)
{
	size_t hdr_size = net_hdr_size(sim_to_net(tx->sim));
	u64 errors = tx->stats[NET_TX_ERRORS];
	struct vdpa_chain chain;
	int done, err = 0;
	u64 bytes = 0;

	for (done = 0; done < VDPA_SIM_BURST; done++) {
		err = vdpa_ring_next(tx->ring, &chain);
		if (err <= 0)
			break;
		path->frame.len = 0;
		err = transmit(tx, &chain, hdr_size, path);
		if (unlikely(err == -EAGAIN)) {
			vdpa_ring_unget(tx->ring, &chain);
			break;
		}
		vdpa_ring_complete(tx->ring, &chain);
		bytes += path->frame.len;
		if (unlikely(err && vdpa_ring_broken(tx->ring)))
			break;
		/* the receiver's fault is not the sender's */
		if (unlikely(err))
			drop(path);
	}
	tx->stats[NET_TX_PACKETS] += done - (tx->stats[NET_TX_ERRORS] - errors);
	tx->stats[NET_TX_BYTES] += bytes;
	if (!path->rx)
		tx->stats[NET_TX_DROPS] += done;
	tx->chains += done;
	return err < 0 && done < VDPA_SIM_BURST ? err : 0;
}

/**
 * vdpa_sim_net_serve_tx() - send frames
 * @tx: transmit queue
 * @rx: receive queue at the other end, or NULL if there is none
 *
 * Context: Process context, both queues' locks held, within a burst of both devices.
 * Return: as &vdpa_sim_class.serve.
 */
int vdpa_sim_net_serve_tx(struct vdpa_sim_queue *tx, struct vdpa_sim_queue *rx)
{
	struct net_path path = {};

	lockdep_assert_held(&tx->lock);

	if (!rx || !READ_ONCE(sim_to_net(tx->sim)->link) ||
	    !READ_ONCE(sim_to_net(rx->sim)->link))
		return serve(tx, &path);

	lockdep_assert_held(&rx->lock);
	guard(rwsem_read)(&sim_to_net(rx->sim)->filter.lock);
	path_init(&path, rx);
	return serve(tx, &path);
}
