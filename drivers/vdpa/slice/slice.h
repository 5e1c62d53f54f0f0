/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slices of a function, the part that is the same for all hardware.
 *
 *	function.c  the function: devlink instance, limits
 *	port.c      its devlink ports, one for each slice
 *	device.c    the auxiliary device of an active slice
 *	driver.c    the auxiliary driver that makes a management device of it
 *	sim.c       a function of software, whose engine is the network simulator's
 *
 * Locks: the devlink instance's lock protects a function and its ports. It is held while a
 * slice comes and goes, outside of the auxiliary device's lock and the management device's.
 */
#ifndef _VDPA_SLICE_H
#define _VDPA_SLICE_H

#include <linux/auxiliary_bus.h>
#include <linux/list.h>
#include <linux/vdpa_slice.h>
#include <net/devlink.h>

/* second half of the auxiliary devices' names */
#define VDPA_SLICE_ADEV "sf"

/**
 * struct vdpa_slice_function - a function that is carved
 * @dev: its device
 * @engine: what makes vDPA devices; constant
 * @limits: constant
 * @ports: its slices, &vdpa_slice_port.node
 * @nr_slices: length of @ports
 * @nr_pairs: queue pairs of those that are active
 */
struct vdpa_slice_function {
	struct device *dev;
	const struct vdpa_slice_engine *engine;
	struct vdpa_slice_limits limits;
	struct list_head ports;
	unsigned int nr_slices;
	unsigned int nr_pairs;
};

/**
 * struct vdpa_slice - an active slice, as a device of the auxiliary bus
 * @adev: what the bus sees; its last reference frees the structure
 * @engine: of its function; valid while @adev is on the bus
 * @info: what it was made to be; constant
 * @mgmt: management device, while a driver is bound
 * @made: a vDPA device was made of it. Protected by the management device's
 *	lock.
 */
struct vdpa_slice {
	struct auxiliary_device adev;
	const struct vdpa_slice_engine *engine;
	struct vdpa_slice_info info;
	struct vdpa_mgmt_dev mgmt;
	bool made;
};

/**
 * struct vdpa_slice_port - a slice, as its function's administrator sees it
 * @port: devlink port
 * @node: in &vdpa_slice_function.ports
 * @fn: function
 * @info: what the slice will be when it is activated
 * @slice: it is active; or NULL
 */
struct vdpa_slice_port {
	struct devlink_port port;
	struct list_head node;
	struct vdpa_slice_function *fn;
	struct vdpa_slice_info info;
	struct vdpa_slice *slice;
};

/* port.c */

int vdpa_slice_port_new(struct devlink *devlink, const struct devlink_port_new_attrs *attrs,
			struct netlink_ext_ack *extack, struct devlink_port **port);
void vdpa_slice_port_destroy(struct vdpa_slice_port *port);

/* device.c */

struct vdpa_slice *vdpa_slice_create(struct vdpa_slice_function *fn,
				     const struct vdpa_slice_info *info);
void vdpa_slice_destroy(struct vdpa_slice *slice);
bool vdpa_slice_attached(struct vdpa_slice *slice);

/* driver.c */

extern struct auxiliary_driver vdpa_slice_driver;

#endif /* _VDPA_SLICE_H */
