// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices in network namespaces.
 *
 * Management devices are the host's: only the initial namespace sees them, and it sees every
 * device, since names are unique on the host. Another namespace sees the devices that were
 * given to it and no others. What drives a device is not affected: the file of vhost_vdpa has
 * permissions of its own, a network interface on a device has a namespace of its own.
 */
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include "vdpa_private.h"

/**
 * vdpa_dev_visible() - may a namespace know of a device
 * @vdev: device
 * @net: network namespace of who asks
 *
 * Context: Any.
 * Return: true when it may.
 */
bool vdpa_dev_visible(const struct vdpa_device *vdev, const struct net *net)
{
	return net_eq(net, &init_net) || net_eq(net, READ_ONCE(vdev->net));
}

/**
 * vdpa_dev_get_net() - the network namespace that a device is in
 * @vdev: device
 *
 * Context: Any.
 * Return: the namespace with a reference for put_net(); NULL when it is about to give the
 *	device back.
 */
struct net *vdpa_dev_get_net(const struct vdpa_device *vdev)
{
	/* pairs with the grace period that a namespace passes after pre_exit */
	guard(rcu)();
	return maybe_get_net(READ_ONCE(vdev->net));
}

/**
 * vdpa_dev_set_net() - give a device to a network namespace
 * @vdev: device
 * @net: namespace, which the caller holds until the device can be looked up
 *
 * Context: Process context, the lock of the device's management device held.
 */
void vdpa_dev_set_net(struct vdpa_device *vdev, struct net *net)
{
	lockdep_assert_held(&vdev->mgmt->lock);
	WRITE_ONCE(vdev->net, net);
}

/*
 * The last reference is gone, so nobody gives it devices any more. Readers that still have it
 * from a device are waited for before it is freed.
 */
static void __net_exit vdpa_namespace_pre_exit(struct net *net)
{
	vdpa_dev_replace_net(net, &init_net);
}

static struct pernet_operations vdpa_namespace_ops = {
	.pre_exit = vdpa_namespace_pre_exit,
};

int __init vdpa_namespace_init(void)
{
	return register_pernet_subsys(&vdpa_namespace_ops);
}

void vdpa_namespace_exit(void)
{
	unregister_pernet_subsys(&vdpa_namespace_ops);
}
