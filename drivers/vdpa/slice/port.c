// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slices: devlink ports of flavour pcisf. A port is added inactive, is given an address and
 * queues, and is activated; then there is an auxiliary device.
 */
#include <linux/err.h>
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "slice.h"

static struct vdpa_slice_port *to_slice_port(struct devlink_port *port)
{
	return container_of(port, struct vdpa_slice_port, port);
}

static int vdpa_slice_activate(struct vdpa_slice_port *port, struct netlink_ext_ack *extack)
{
	struct vdpa_slice_function *fn = port->fn;
	unsigned int left = fn->limits.pairs - fn->nr_pairs;
	struct vdpa_slice *slice;

	if (port->slice)
		return 0;
	if (port->info.pairs > left) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "the function has %u queue pairs left, not %u",
				       left, port->info.pairs);
		return -ENOSPC;
	}
	slice = vdpa_slice_create(fn, &port->info);
	if (IS_ERR(slice)) {
		NL_SET_ERR_MSG_MOD(extack, "the slice's device cannot be added");
		return PTR_ERR(slice);
	}
	port->slice = slice;
	fn->nr_pairs += port->info.pairs;
	return 0;
}

static void vdpa_slice_deactivate(struct vdpa_slice_port *port)
{
	if (!port->slice)
		return;
	vdpa_slice_destroy(port->slice);
	port->slice = NULL;
	port->fn->nr_pairs -= port->info.pairs;
}

static int vdpa_slice_state_get(struct devlink_port *devlink_port,
				enum devlink_port_fn_state *state,
				enum devlink_port_fn_opstate *opstate,
				struct netlink_ext_ack *extack)
{
	struct vdpa_slice *slice = to_slice_port(devlink_port)->slice;

	*state = slice ? DEVLINK_PORT_FN_STATE_ACTIVE : DEVLINK_PORT_FN_STATE_INACTIVE;
	*opstate = slice && vdpa_slice_attached(slice) ? DEVLINK_PORT_FN_OPSTATE_ATTACHED :
							DEVLINK_PORT_FN_OPSTATE_DETACHED;
	return 0;
}

static int vdpa_slice_state_set(struct devlink_port *devlink_port,
				enum devlink_port_fn_state state,
				struct netlink_ext_ack *extack)
{
	struct vdpa_slice_port *port = to_slice_port(devlink_port);

	switch (state) {
	case DEVLINK_PORT_FN_STATE_ACTIVE:
		return vdpa_slice_activate(port, extack);
	case DEVLINK_PORT_FN_STATE_INACTIVE:
		vdpa_slice_deactivate(port);
		return 0;
	}
	return -EINVAL;
}

/* What an active slice is made of stays as it is. */
static int vdpa_slice_may_change(const struct vdpa_slice_port *port,
				 struct netlink_ext_ack *extack)
{
	if (!port->slice)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "the slice is active");
	return -EBUSY;
}

static int vdpa_slice_hw_addr_get(struct devlink_port *devlink_port, u8 *addr, int *len,
				  struct netlink_ext_ack *extack)
{
	ether_addr_copy(addr, to_slice_port(devlink_port)->info.hw_addr);
	*len = ETH_ALEN;
	return 0;
}

static int vdpa_slice_hw_addr_set(struct devlink_port *devlink_port, const u8 *addr, int len,
				  struct netlink_ext_ack *extack)
{
	struct vdpa_slice_port *port = to_slice_port(devlink_port);
	int err;

	if (len != ETH_ALEN || !is_valid_ether_addr(addr)) {
		NL_SET_ERR_MSG_MOD(extack, "not the address of one Ethernet station");
		return -EINVAL;
	}
	err = vdpa_slice_may_change(port, extack);
	if (!err)
		ether_addr_copy(port->info.hw_addr, addr);
	return err;
}

/* An event queue is what a pair of virtqueues needs to be noticed. */
static int vdpa_slice_eqs_get(struct devlink_port *devlink_port, u32 *eqs,
			      struct netlink_ext_ack *extack)
{
	*eqs = to_slice_port(devlink_port)->info.pairs;
	return 0;
}

static int vdpa_slice_eqs_set(struct devlink_port *devlink_port, u32 eqs,
			      struct netlink_ext_ack *extack)
{
	struct vdpa_slice_port *port = to_slice_port(devlink_port);
	int err;

	if (!eqs || eqs > port->fn->limits.slice_pairs) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "a slice has 1 to %u event queues",
				       port->fn->limits.slice_pairs);
		return -EINVAL;
	}
	err = vdpa_slice_may_change(port, extack);
	if (!err)
		port->info.pairs = eqs;
	return err;
}

static int vdpa_slice_port_del(struct devlink *devlink, struct devlink_port *port,
			       struct netlink_ext_ack *extack)
{
	vdpa_slice_port_destroy(to_slice_port(port));
	return 0;
}

static const struct devlink_port_ops vdpa_slice_port_ops = {
	.port_del = vdpa_slice_port_del,
	.port_fn_state_get = vdpa_slice_state_get,
	.port_fn_state_set = vdpa_slice_state_set,
	.port_fn_hw_addr_get = vdpa_slice_hw_addr_get,
	.port_fn_hw_addr_set = vdpa_slice_hw_addr_set,
	.port_fn_max_io_eqs_get = vdpa_slice_eqs_get,
	.port_fn_max_io_eqs_set = vdpa_slice_eqs_set,
};

/* Ports are in the order of their numbers. Return: what comes behind @sfnum, or the list. */
static struct list_head *vdpa_slice_place(struct vdpa_slice_function *fn, u32 sfnum, bool *taken)
{
	struct vdpa_slice_port *port;

	*taken = false;
	list_for_each_entry(port, &fn->ports, node) {
		*taken = port->info.sfnum == sfnum;
		if (port->info.sfnum >= sfnum)
			return &port->node;
	}
	return &fn->ports;
}

static u32 vdpa_slice_free_number(struct vdpa_slice_function *fn)
{
	struct vdpa_slice_port *port;
	u32 sfnum = 0;

	list_for_each_entry(port, &fn->ports, node) {
		if (port->info.sfnum != sfnum)
			break;
		sfnum++;
	}
	return sfnum;
}

static int vdpa_slice_check(struct vdpa_slice_function *fn,
			    const struct devlink_port_new_attrs *attrs,
			    struct netlink_ext_ack *extack)
{
	if (attrs->flavour != DEVLINK_PORT_FLAVOUR_PCI_SF) {
		NL_SET_ERR_MSG_MOD(extack, "only ports of flavour pcisf");
		return -EOPNOTSUPP;
	}
	if (attrs->port_index_valid) {
		NL_SET_ERR_MSG_MOD(extack, "the port's index is not for the user to choose");
		return -EOPNOTSUPP;
	}
	if (attrs->pfnum || (attrs->controller_valid && attrs->controller)) {
		NL_SET_ERR_MSG_MOD(extack, "the only function here is pfnum 0 of controller 0");
		return -EINVAL;
	}
	if (fn->nr_slices >= fn->limits.slices) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "the function has no more than %u slices",
				       fn->limits.slices);
		return -ENOSPC;
	}
	return 0;
}

/* Indices count up from one, and are used again. */
static int vdpa_slice_port_register(struct devlink *devlink, struct vdpa_slice_port *port)
{
	unsigned int index;
	int err = -ENOSPC;

	for (index = 1; index <= port->fn->limits.slices; index++) {
		err = devl_port_register_with_ops(devlink, &port->port, index,
						  &vdpa_slice_port_ops);
		if (err != -EBUSY)
			break;
	}
	/* it has no network interface, whose type devlink would miss after an hour */
	if (!err)
		cancel_delayed_work_sync(&port->port.type_warn_dw);
	return err;
}

/**
 * vdpa_slice_port_new() - &devlink_ops.port_new
 * @devlink: function's instance
 * @attrs: what is asked for
 * @extack: for why it cannot be
 * @new: port that was added, inactive
 *
 * Context: Process context, @devlink's lock held.
 * Return: 0; -EOPNOTSUPP or -EINVAL for what there is not; -ENOSPC when the function has no
 *	slice left; -EEXIST when one has that number; or -ENOMEM.
 */
int vdpa_slice_port_new(struct devlink *devlink, const struct devlink_port_new_attrs *attrs,
			struct netlink_ext_ack *extack, struct devlink_port **new)
{
	struct vdpa_slice_function *fn = devlink_priv(devlink);
	struct vdpa_slice_port *port;
	struct list_head *place;
	bool taken;
	u32 sfnum;
	int err;

	err = vdpa_slice_check(fn, attrs, extack);
	if (err)
		return err;
	sfnum = attrs->sfnum_valid ? attrs->sfnum : vdpa_slice_free_number(fn);
	place = vdpa_slice_place(fn, sfnum, &taken);
	if (taken) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "there is a slice %u", sfnum);
		return -EEXIST;
	}

	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return -ENOMEM;
	port->fn = fn;
	port->info.sfnum = sfnum;
	port->info.pairs = 1;
	devlink_port_attrs_pci_sf_set(&port->port, 0, 0, sfnum, false);
	err = vdpa_slice_port_register(devlink, port);
	if (err) {
		kfree(port);
		return err;
	}
	list_add_tail(&port->node, place);
	fn->nr_slices++;
	*new = &port->port;
	return 0;
}

/**
 * vdpa_slice_port_destroy() - take a slice away, active or not
 * @port: port
 *
 * Context: Process context, the devlink instance's lock held.
 */
void vdpa_slice_port_destroy(struct vdpa_slice_port *port)
{
	vdpa_slice_deactivate(port);
	devl_port_unregister(&port->port);
	list_del(&port->node);
	port->fn->nr_slices--;
	kfree(port);
}
