// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device simulator: where frames go. Those of a device by itself come back to
 * it; two devices can be joined, back to back, and then each receives what the other
 * sends.
 */
#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/slab.h>
#include "net.h"

/*
 * Devices on the bus, that can be joined. The lock is also held while a wire's ends or a
 * link change, so that drivers hear of changes in order. Outside every &net_wire.lock.
 */
static DEFINE_MUTEX(nets_lock);
static LIST_HEAD(nets);

/**
 * net_wire_create() - make the wire that leads back to a device
 * @net: device
 *
 * Return: 0 or -ENOMEM.
 */
int net_wire_create(struct vdpa_sim_net *net)
{
	struct net_wire *wire = kzalloc(sizeof(*wire), GFP_KERNEL_ACCOUNT);

	if (!wire)
		return -ENOMEM;
	kref_init(&wire->ref);
	init_rwsem(&wire->lock);
	wire->end[0] = net;
	net->wire = wire;
	return 0;
}

static void wire_free(struct kref *ref)
{
	kfree(container_of(ref, struct net_wire, ref));
}

/* Drop the wire of a device that is not on the bus any more, if it has one. */
void net_wire_put(struct vdpa_sim_net *net)
{
	if (net->wire)
		kref_put(&net->wire->ref, wire_free);
	net->wire = NULL;
}

/* The device at the other end, with or without a wire's lock held by the caller. */
static struct vdpa_sim_net *wire_other(const struct vdpa_sim_net *net)
{
	return net->wire->joined ? net->wire->end[!net->side] : NULL;
}

static struct vdpa_sim_net *net_find(const char *name)
{
	struct vdpa_sim_net *net;

	lockdep_assert_held(&nets_lock);
	list_for_each_entry(net, &nets, node)
		if (!strcmp(dev_name(&net->sim.vdpa.dev), name))
			return net;
	return NULL;
}

/* The link of both ends may be another than before. */
static void link_changed(struct vdpa_sim_net *net)
{
	struct vdpa_sim_net *other = wire_other(net);

	lockdep_assert_held(&nets_lock);
	vdpa_sim_config_changed(&net->sim);
	if (other)
		vdpa_sim_config_changed(&other->sim);
}

/**
 * net_wire_join() - join two devices
 * @net: device that is not on the bus yet
 * @peer: name of a device that is
 *
 * What the other sent came back to it; from now on it goes to @net.
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENODEV if there is no such device; -EBUSY if it is joined to another.
 */
int net_wire_join(struct vdpa_sim_net *net, const char *peer)
{
	struct vdpa_sim_net *other;
	struct net_wire *wire;

	guard(mutex)(&nets_lock);
	other = net_find(peer);
	if (!other)
		return -ENODEV;
	wire = other->wire;
	if (wire->end[!other->side])
		return -EBUSY;
	net_wire_put(net);
	kref_get(&wire->ref);
	net->wire = wire;
	net->side = !other->side;
	scoped_guard(rwsem_write, &wire->lock) {
		wire->joined = true;
		wire->end[net->side] = net;
	}
	link_changed(net);
	return 0;
}

/* @net is on the bus: others may be joined to it. */
void net_wire_offer(struct vdpa_sim_net *net)
{
	guard(mutex)(&nets_lock);
	list_add_tail(&net->node, &nets);
}

/**
 * net_wire_leave() - nothing goes to a device any more
 * @net: device that is about to leave the bus, or never got there
 *
 * Context: Process context. Waits for bursts.
 */
void net_wire_leave(struct vdpa_sim_net *net)
{
	guard(mutex)(&nets_lock);
	if (!list_empty(&net->node))
		list_del_init(&net->node);
	scoped_guard(rwsem_write, &net->wire->lock)
		net->wire->end[net->side] = NULL;
	link_changed(net);
}

/* &vdpa_sim_class.peer_get: receive queues in turn, as many as the driver there uses. */
struct vdpa_sim_queue *net_peer_get(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_net *net = sim_to_net(queue->sim), *to = net;

	if (!net_is_tx(net, queue->index))
		return NULL;
	down_read(&net->wire->lock);
	if (net->wire->joined)
		to = wire_other(net);
	if (!to)
		return NULL;
	return &to->sim.queues[2 * (queue->index / 2 % READ_ONCE(to->active))];
}

void net_peer_put(struct vdpa_sim_queue *queue)
{
	struct vdpa_sim_net *net = sim_to_net(queue->sim);

	if (net_is_tx(net, queue->index))
		up_read(&net->wire->lock);
}

/* Is the link up, at both ends? Changes with nets_lock held. */
bool net_link_is_up(struct vdpa_sim_net *net)
{
	struct vdpa_sim_net *other;

	guard(rwsem_read)(&net->wire->lock);
	other = wire_other(net);
	if (!READ_ONCE(net->link))
		return false;
	return !net->wire->joined || (other && READ_ONCE(other->link));
}

/**
 * net_link_set() - the administrator takes the link up or down
 * @net: device on the bus
 * @up: which
 *
 * A driver whose link comes back announces itself, as the network may have changed.
 *
 * Context: Process context.
 */
void net_link_set(struct vdpa_sim_net *net, bool up)
{
	guard(mutex)(&nets_lock);
	if (net->link == up)
		return;
	WRITE_ONCE(net->link, up);
	if (up)
		WRITE_ONCE(net->announce, true);
	link_changed(net);
}
