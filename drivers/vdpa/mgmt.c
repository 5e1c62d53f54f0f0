// SPDX-License-Identifier: GPL-2.0-only
/*
 * Management devices: who may create which vDPA devices.
 *
 * A struct vdpa_mgmt_dev belongs to a parent and goes when its module goes; the
 * core's struct vdpa_mgmt is reference counted and may be found while that
 * happens. Entering it shuts unregistration out, so the parent is there between
 * vdpa_mgmt_enter() and vdpa_mgmt_exit(). Different management devices have
 * different locks and do not wait for each other.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/mod_devicetable.h>
#include <linux/slab.h>
#include "vdpa_private.h"

/*
 * Protects the list and the last serial, and keeps every vdpa_mgmt_dev on it registered. Nests inside
 * vdpa_mgmt::lock; a leaf.
 */
static DEFINE_MUTEX(vdpa_mgmt_list_lock);
static LIST_HEAD(vdpa_mgmt_list);
static unsigned long vdpa_mgmt_serial;

static void vdpa_mgmt_release(struct kref *ref)
{
	struct vdpa_mgmt *mgmt = container_of(ref, struct vdpa_mgmt, ref);

	mutex_destroy(&mgmt->lock);
	kfree(mgmt);
}

/**
 * vdpa_mgmt_get() - take another reference
 * @mgmt: management device
 *
 * Return: @mgmt.
 */
struct vdpa_mgmt *vdpa_mgmt_get(struct vdpa_mgmt *mgmt)
{
	kref_get(&mgmt->ref);
	return mgmt;
}

/**
 * vdpa_mgmt_put() - drop a reference
 * @mgmt: management device
 */
void vdpa_mgmt_put(struct vdpa_mgmt *mgmt)
{
	kref_put(&mgmt->ref, vdpa_mgmt_release);
}

/**
 * vdpa_mgmt_bus_name() - first half of a management device's name
 * @mdev: management device
 *
 * Return: name of the bus that its device is on, or NULL when it is on none.
 */
const char *vdpa_mgmt_bus_name(const struct vdpa_mgmt_dev *mdev)
{
	return mdev->device->bus ? mdev->device->bus->name : NULL;
}

/**
 * vdpa_mgmt_classes() - virtio device IDs that a management device can create
 * @mdev: management device
 *
 * Return: a bit per ID; IDs above 63 are left out.
 */
u64 vdpa_mgmt_classes(const struct vdpa_mgmt_dev *mdev)
{
	const struct virtio_device_id *id;
	u64 classes = 0;

	for (id = mdev->id_table; id->device; id++)
		if (id->device < 64)
			classes |= BIT_ULL(id->device);
	return classes;
}

static bool vdpa_mgmt_named(const struct vdpa_mgmt_dev *mdev, const char *bus,
			    const char *dev)
{
	const char *own = vdpa_mgmt_bus_name(mdev);

	if (!bus != !own || (bus && strcmp(bus, own)))
		return false;
	return !strcmp(dev, dev_name(mdev->device));
}

static struct vdpa_mgmt *vdpa_mgmt_find(const char *bus, const char *dev)
{
	struct vdpa_mgmt *mgmt;

	lockdep_assert_held(&vdpa_mgmt_list_lock);

	list_for_each_entry(mgmt, &vdpa_mgmt_list, link)
		if (vdpa_mgmt_named(mgmt->mdev, bus, dev))
			return mgmt;
	return NULL;
}

/**
 * vdpa_mgmt_get_by_name() - find a management device
 * @bus: name of its device's bus; NULL finds only one that is on no bus
 * @dev: name of its device
 *
 * Context: Process context. May sleep.
 * Return: the management device with a reference, or NULL.
 */
struct vdpa_mgmt *vdpa_mgmt_get_by_name(const char *bus, const char *dev)
{
	struct vdpa_mgmt *mgmt;

	guard(mutex)(&vdpa_mgmt_list_lock);

	mgmt = vdpa_mgmt_find(bus, dev);
	return mgmt ? vdpa_mgmt_get(mgmt) : NULL;
}

/**
 * vdpa_mgmt_enter() - lock a management device, if it is still there
 * @mgmt: management device
 *
 * Context: Process context. May sleep for as long as another creation or deletion
 *	on the same management device takes.
 * Return: 0 with @mgmt->lock held until vdpa_mgmt_exit(); -ENODEV when it was
 *	unregistered; -EINTR when a fatal signal ended the wait.
 */
int vdpa_mgmt_enter(struct vdpa_mgmt *mgmt)
{
	if (mutex_lock_killable(&mgmt->lock))
		return -EINTR;

	if (mgmt->gone) {
		mutex_unlock(&mgmt->lock);
		return -ENODEV;
	}
	return 0;
}

/**
 * vdpa_mgmt_exit() - undo vdpa_mgmt_enter()
 * @mgmt: management device
 */
void vdpa_mgmt_exit(struct vdpa_mgmt *mgmt)
{
	mutex_unlock(&mgmt->lock);
}

/**
 * vdpa_mgmt_for_each() - call a function for every management device
 * @fn: called in order of registration; another value than 0 ends the walk. Reads
 *	the constant fields of the management device; must not create or delete.
 * @data: for @fn
 *
 * Context: Process context. @fn runs under the list's lock.
 * Return: 0, or what @fn returned last.
 */
int vdpa_mgmt_for_each(int (*fn)(struct vdpa_mgmt_dev *mdev, void *data),
		       void *data)
{
	struct vdpa_mgmt *mgmt;
	int ret;

	guard(mutex)(&vdpa_mgmt_list_lock);

	list_for_each_entry(mgmt, &vdpa_mgmt_list, link) {
		ret = fn(mgmt->mdev, data);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vdpa_mgmtdev_register() - offer to create devices
 * @mdev: device, ops and id_table set
 *
 * From here on the administrator can see @mdev and dev_add may be called.
 *
 * Context: Process context. May sleep.
 * Return: 0; -EINVAL when device, id_table, ops, dev_add or dev_del is missing;
 *	-EEXIST when a management device of that name is registered; -ENOMEM.
 */
int vdpa_mgmtdev_register(struct vdpa_mgmt_dev *mdev)
{
	struct vdpa_mgmt *mgmt;

	if (!mdev->device || !mdev->id_table || !mdev->ops ||
	    !mdev->ops->dev_add || !mdev->ops->dev_del)
		return -EINVAL;

	mgmt = kzalloc(sizeof(*mgmt), GFP_KERNEL);
	if (!mgmt)
		return -ENOMEM;

	mgmt->mdev = mdev;
	mutex_init(&mgmt->lock);
	kref_init(&mgmt->ref);

	guard(mutex)(&vdpa_mgmt_list_lock);

	if (vdpa_mgmt_find(vdpa_mgmt_bus_name(mdev), dev_name(mdev->device))) {
		vdpa_mgmt_put(mgmt);
		return -EEXIST;
	}

	mgmt->serial = ++vdpa_mgmt_serial;
	mdev->mgmt = mgmt;
	list_add_tail(&mgmt->link, &vdpa_mgmt_list);
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_mgmtdev_register);

/**
 * vdpa_mgmt_delete_all() - delete what a management device made
 * @mgmt: management device
 *
 * Context: Process context, @mgmt->lock held.
 */
void vdpa_mgmt_delete_all(struct vdpa_mgmt *mgmt)
{
	struct vdpa_device *vdev;

	lockdep_assert_held(&mgmt->lock);

	while ((vdev = vdpa_dev_get_of_mgmt(mgmt))) {
		mgmt->mdev->ops->dev_del(mgmt->mdev, vdev);
		put_device(&vdev->dev);
	}
}

/**
 * vdpa_mgmtdev_unregister() - withdraw a management device
 * @mdev: registered management device
 *
 * Devices that it made are deleted through dev_del. On return no op of @mdev is
 * running or will be called.
 *
 * Context: Process context. May sleep.
 */
void vdpa_mgmtdev_unregister(struct vdpa_mgmt_dev *mdev)
{
	struct vdpa_mgmt *mgmt = mdev->mgmt;

	scoped_guard(mutex, &mgmt->lock) {
		scoped_guard(mutex, &vdpa_mgmt_list_lock)
			list_del(&mgmt->link);

		mgmt->gone = true;
		vdpa_mgmt_delete_all(mgmt);
		mdev->mgmt = NULL;
	}
	vdpa_mgmt_put(mgmt);
}
EXPORT_SYMBOL_GPL(vdpa_mgmtdev_unregister);
