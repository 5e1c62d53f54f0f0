/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the vDPA core share, and the order of its locks:
 *
 *	vdpa_mgmt::lock -> driver model's device lock -> bus driver's lock
 *		-> vdpa_device::cf_lock -> parent's locks
 *
 * No lock is global except those of the two tables (names and indices in
 * device.c, management devices in mgmt.c), which are leaves that are held for a
 * look-up only.
 */
#ifndef _VDPA_PRIVATE_H
#define _VDPA_PRIVATE_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/vdpa.h>

/* longest name of a device, without the closing NUL */
#define VDPA_NAME_MAX 255

extern const struct bus_type vdpa_bus_type;

struct vdpa_mgmt;

/*
 * device.c: a look-up returns a device that is pinned: it stays registered, so its
 * ops may be called, until vdpa_dev_unpin(). Unregistration waits for that, hence
 * nothing that depends on userspace may be waited for in between.
 */

struct vdpa_device *vdpa_dev_pin_by_name(const char *name);
struct vdpa_device *vdpa_dev_pin_next(unsigned long *index);
struct vdpa_device *vdpa_dev_get_of_mgmt(const struct vdpa_mgmt *mgmt);
void vdpa_dev_unpin(struct vdpa_device *vdev);
bool vdpa_name_valid(const char *name);
int vdpa_device_init(void);
void vdpa_device_exit(void);

/* config.c */

int vdpa_ops_check(const struct vdpa_device *vdev);

/* mgmt.c */

/**
 * struct vdpa_mgmt - the core's side of a management device
 * @mdev: the parent's side; valid while @lock is held and @gone is false, or
 *	inside vdpa_mgmt_for_each()
 * @lock: serialises dev_add, dev_del, dev_set_attr and unregistration. Outermost
 *	lock of the core; may be held across bus driver probe and remove.
 * @gone: unregistered. Protected by @lock.
 * @serial: grows in the order of registration; never reused. Constant.
 * @ref: lifetime of this structure
 * @link: entry in the list of management devices
 */
struct vdpa_mgmt {
	struct vdpa_mgmt_dev *mdev;
	struct mutex lock; /* see above */
	bool gone;
	unsigned long serial;
	struct kref ref;
	struct list_head link;
};

struct vdpa_mgmt *vdpa_mgmt_get(struct vdpa_mgmt *mgmt);
struct vdpa_mgmt *vdpa_mgmt_get_by_name(const char *bus, const char *dev);
void vdpa_mgmt_put(struct vdpa_mgmt *mgmt);
int vdpa_mgmt_enter(struct vdpa_mgmt *mgmt);
void vdpa_mgmt_exit(struct vdpa_mgmt *mgmt);
int vdpa_mgmt_for_each(int (*fn)(struct vdpa_mgmt_dev *mdev, void *data),
		       void *data);
const char *vdpa_mgmt_bus_name(const struct vdpa_mgmt_dev *mdev);
u64 vdpa_mgmt_classes(const struct vdpa_mgmt_dev *mdev);

/* netlink.c */

int vdpa_netlink_init(void);
void vdpa_netlink_exit(void);

/* netlink_config.c */

struct genl_info;

int vdpa_nl_parse_config(struct genl_info *info,
			 const struct vdpa_mgmt_dev *mdev,
			 struct vdpa_dev_set_config *config);
int vdpa_nl_parse_change(struct genl_info *info,
			 const struct vdpa_mgmt_dev *mdev,
			 struct vdpa_dev_set_config *config);

#endif /* _VDPA_PRIVATE_H */
