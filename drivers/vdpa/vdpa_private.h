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

struct kobj_uevent_env;
struct net;
struct netlink_callback;
struct vdpa_mgmt;

/* driver.c */

/**
 * struct vdpa_kind - a kind of bus driver
 * @name: the administrator's word for it
 * @driver: name of the driver; empty for any
 */
struct vdpa_kind {
	const char *name;
	const char *driver;
};

const struct vdpa_kind *vdpa_kind_find(const char *name);
bool vdpa_dev_kind(struct vdpa_device *vdev, char *name, size_t size);
int vdpa_dev_assign(struct vdpa_device *vdev, const struct vdpa_kind *kind);
int vdpa_dev_reassign(struct vdpa_device *vdev, const struct vdpa_kind *kind);
int vdpa_bus_uevent(const struct device *dev, struct kobj_uevent_env *env);

/*
 * device.c: a look-up returns a device that is pinned: it stays registered, so its
 * ops may be called, until vdpa_dev_unpin(). Unregistration waits for that, hence
 * nothing that depends on userspace may be waited for in between.
 */

struct vdpa_device *vdpa_dev_pin_by_name(const char *name);
unsigned int vdpa_dev_pin_some(unsigned long index, struct vdpa_device **vdevs,
			       unsigned int max);
struct vdpa_device *vdpa_dev_get_of_mgmt(const struct vdpa_mgmt *mgmt);
void vdpa_dev_unpin(struct vdpa_device *vdev);
void vdpa_dev_replace_net(struct net *from, struct net *to);
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
 * @kind: bus driver of devices that are created without naming one, or NULL. Written
 *	under @lock.
 * @wanted: bus driver of the device that dev_add is making, or NULL for @kind. Protected by
 *	@lock.
 * @wanted_net: network namespace of that device, which the request holds, or NULL for the
 *	initial one. Protected by @lock.
 * @serial: grows in the order of registration; never reused. Constant.
 * @ref: lifetime of this structure
 * @link: entry in the list of management devices
 */
struct vdpa_mgmt {
	struct vdpa_mgmt_dev *mdev;
	struct mutex lock; /* see above */
	bool gone;
	const struct vdpa_kind *kind;
	const struct vdpa_kind *wanted;
	struct net *wanted_net;
	unsigned long serial;
	struct kref ref;
	struct list_head link;
};

struct vdpa_mgmt *vdpa_mgmt_get(struct vdpa_mgmt *mgmt);
struct vdpa_mgmt *vdpa_mgmt_get_by_name(const char *bus, const char *dev);
void vdpa_mgmt_put(struct vdpa_mgmt *mgmt);
int vdpa_mgmt_enter(struct vdpa_mgmt *mgmt);
void vdpa_mgmt_exit(struct vdpa_mgmt *mgmt);
void vdpa_mgmt_delete_all(struct vdpa_mgmt *mgmt);
int vdpa_mgmt_for_each(int (*fn)(struct vdpa_mgmt_dev *mdev, void *data),
		       void *data);
const char *vdpa_mgmt_bus_name(const struct vdpa_mgmt_dev *mdev);
u64 vdpa_mgmt_classes(const struct vdpa_mgmt_dev *mdev);

/* namespace.c */

bool vdpa_dev_visible(const struct vdpa_device *vdev, const struct net *net);
struct net *vdpa_dev_get_net(const struct vdpa_device *vdev);
void vdpa_dev_set_net(struct vdpa_device *vdev, struct net *net);
int vdpa_namespace_init(void);
void vdpa_namespace_exit(void);

/* netlink.c */

struct genl_family;
struct genl_info;

extern struct genl_family vdpa_nl_family;

int vdpa_netlink_init(void);
void vdpa_netlink_exit(void);

/* puts the attributes of one message about @object: 0, -EMSGSIZE, or a refusal's error */
typedef int vdpa_nl_fill(struct sk_buff *msg, void *object, const struct genl_info *info);

/**
 * struct vdpa_nl_dump - where a dump goes on
 * @index: at the device of this index, behind the management device of this serial, or at the
 *	virtqueue of this index. None moves when others come or go.
 */
struct vdpa_nl_dump {
	unsigned long index;
};

struct vdpa_nl_dump *vdpa_nl_dump(struct netlink_callback *cb);
const char *vdpa_nl_dev_name(const struct genl_info *info);
struct vdpa_mgmt *vdpa_nl_get_mgmt(const struct genl_info *info);
struct vdpa_device *vdpa_nl_pin_dev(const struct genl_info *info);
int vdpa_nl_reply(struct genl_info *info, void *object, u8 cmd, vdpa_nl_fill *fill);
int vdpa_nl_dump_one(struct sk_buff *msg, struct netlink_callback *cb, void *object, u8 cmd,
		     vdpa_nl_fill *fill);
int vdpa_nl_put_mgmt_handle(struct sk_buff *msg, const struct vdpa_mgmt_dev *mdev);

/* netlink_device.c */

int vdpa_nl_put_dev(struct sk_buff *msg, void *object, const struct genl_info *info);

/* netlink_notify.c */

void vdpa_nl_notify_status(struct vdpa_device *vdev, u8 status);
void vdpa_nl_notify_link(struct vdpa_device *vdev, bool up);
void vdpa_nl_notify_moved(struct vdpa_device *vdev, struct net *from, struct net *to);
int vdpa_nl_notify_init(void);
void vdpa_nl_notify_exit(void);

/* netlink_config.c */

int vdpa_nl_parse_config(struct genl_info *info,
			 const struct vdpa_mgmt_dev *mdev,
			 struct vdpa_dev_set_config *config);
int vdpa_nl_parse_change(struct genl_info *info,
			 const struct vdpa_mgmt_dev *mdev,
			 struct vdpa_dev_set_config *config);
int vdpa_nl_parse_kind(struct genl_info *info, const struct vdpa_kind **kind);
int vdpa_nl_parse_net(struct genl_info *info, struct net **net);

#endif /* _VDPA_PRIVATE_H */
