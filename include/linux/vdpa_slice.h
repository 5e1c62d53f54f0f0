/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slices: a function that is carved into sub-functions, each of which can become a vDPA
 * device (the industry's names: SF, ADI, scalable IOV).
 *
 * Who drives the function gives it an *engine*, which makes vDPA devices. The rest is the same
 * for all and is done by the vdpa_slice module: a devlink instance with a port for each slice
 * (flavour pcisf), states and addresses that are set by "devlink port function", limits as
 * devlink resources; and, for each slice that is active, a device on the auxiliary bus that is
 * a management device on the vDPA bus.
 */
#ifndef _LINUX_VDPA_SLICE_H
#define _LINUX_VDPA_SLICE_H

#include <linux/types.h>
#include <linux/vdpa.h>

struct device;
struct vdpa_slice_function;

/**
 * struct vdpa_slice_engine - what makes vDPA devices of slices
 * @ops: as of a management device, which is the slice's. A slice is one device at a time, and
 *	within its limits, when dev_add is called. vdpa_slice_of() tells which slice it is.
 * @id_table: as &vdpa_mgmt_dev.id_table
 * @supported_features: as &vdpa_mgmt_dev.supported_features
 * @config_attr_mask: as &vdpa_mgmt_dev.config_attr_mask
 * @ext_attr_mask: as &vdpa_mgmt_dev.ext_attr_mask
 */
struct vdpa_slice_engine {
	const struct vdpa_mgmtdev_ops *ops;
	struct virtio_device_id *id_table;
	u64 supported_features;
	u64 config_attr_mask;
	u64 ext_attr_mask;
};

/**
 * struct vdpa_slice_limits - what a function has to give
 * @slices: number of slices
 * @pairs: queue pairs of all active slices together
 * @slice_pairs: queue pairs of one slice
 */
struct vdpa_slice_limits {
	unsigned int slices;
	unsigned int pairs;
	unsigned int slice_pairs;
};

/**
 * struct vdpa_slice_info - what a slice was made to be
 * @sfnum: its number, unique in its function
 * @pairs: queue pairs that it may have
 * @hw_addr: MAC address, or all zero
 */
struct vdpa_slice_info {
	u32 sfnum;
	unsigned int pairs;
	u8 hw_addr[ETH_ALEN];
};

struct vdpa_slice_function *vdpa_slice_function_add(struct device *dev,
						    const struct vdpa_slice_engine *engine,
						    const struct vdpa_slice_limits *limits);
void vdpa_slice_function_remove(struct vdpa_slice_function *fn);
const struct vdpa_slice_info *vdpa_slice_of(const struct vdpa_mgmt_dev *mgmt);

#endif /* _LINUX_VDPA_SLICE_H */
