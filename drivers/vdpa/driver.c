// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bus driver a device is for.
 *
 * The administrator says it in a word, when a device is created or later, or once for all
 * devices of a management device. It ends up in the device's driver_override, which can be
 * written in sysfs as well. Modules are loaded by the alias vdpa:DRIVER, by udev and, where
 * there is none, by the kernel.
 */
#include <linux/cleanup.h>
#include <linux/kmod.h>
#include <linux/kobject.h>
#include <linux/string.h>
#include "vdpa_private.h"

/* A name that no driver has keeps a device without one. */
static const struct vdpa_kind vdpa_kinds[] = {
	{ "any", "" },
	{ "none", "none" },
	{ "virtio", "virtio_vdpa" },
	{ "vhost", "vhost_vdpa" },
	{ "vfio", "vfio_vdpa" },
};

/**
 * vdpa_kind_find() - look a kind of bus driver up
 * @name: the administrator's word for it
 *
 * Return: the kind; constant; or NULL when it is no such word.
 */
const struct vdpa_kind *vdpa_kind_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vdpa_kinds); i++)
		if (!strcmp(vdpa_kinds[i].name, name))
			return &vdpa_kinds[i];
	return NULL;
}

static bool vdpa_kind_has_driver(const struct vdpa_kind *kind)
{
	return *kind->driver && strcmp(kind->driver, kind->name);
}

/**
 * vdpa_dev_kind() - for what kind of bus driver a device is
 * @vdev: device
 * @name: for the administrator's word, or for a name that was written in sysfs
 * @size: bytes of @name
 *
 * Context: Any.
 * Return: false when it is for any.
 */
bool vdpa_dev_kind(struct vdpa_device *vdev, char *name, size_t size)
{
	const char *driver;
	unsigned int i;

	/* most are, and a look costs less than the lock */
	if (!data_race(vdev->dev.driver_override.name))
		return false;

	scoped_guard(spinlock_irqsave, &vdev->dev.driver_override.lock) {
		driver = vdev->dev.driver_override.name;
		if (!driver)
			return false;
		for (i = 0; i < ARRAY_SIZE(vdpa_kinds); i++)
			if (!strcmp(vdpa_kinds[i].driver, driver))
				driver = vdpa_kinds[i].name;
		strscpy(name, driver, size);
	}
	return true;
}

/* Whoever waits for this may hold a lock, so it is not waited for. */
static void vdpa_kind_load(const struct vdpa_kind *kind)
{
	if (vdpa_kind_has_driver(kind) && !driver_find(kind->driver, &vdpa_bus_type))
		request_module_nowait("vdpa:%s", kind->driver);
}

/**
 * vdpa_dev_assign() - say which bus driver a device is for, before it is on the bus
 * @vdev: device
 * @kind: kind of bus driver
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int vdpa_dev_assign(struct vdpa_device *vdev, const struct vdpa_kind *kind)
{
	int err = device_set_driver_override(&vdev->dev, kind->driver);

	if (!err)
		vdpa_kind_load(kind);
	return err;
}

static bool vdpa_dev_has(struct vdpa_device *vdev, const struct vdpa_kind *kind)
{
	bool has;

	device_lock(&vdev->dev);
	has = vdev->dev.driver &&
	      (!*kind->driver || !strcmp(vdev->dev.driver->name, kind->driver));
	device_unlock(&vdev->dev);
	return has;
}

/**
 * vdpa_dev_reassign() - give a device on the bus to a bus driver, whoever has it now
 * @vdev: device
 * @kind: kind of bus driver; a device that is for any stays with the one that has it
 *
 * Context: Process context, the management device's lock held, so that @vdev stays on the bus.
 * Return: 1 when the driver has it; 0 when it will once its module is loaded, or there shall
 *	be none; or what the driver's probe returned, or -ENOMEM.
 */
int vdpa_dev_reassign(struct vdpa_device *vdev, const struct vdpa_kind *kind)
{
	int err = vdpa_dev_assign(vdev, kind);

	if (err)
		return err;
	if (!vdpa_dev_has(vdev, kind))
		device_release_driver(&vdev->dev);
	return device_attach(&vdev->dev);
}

/**
 * vdpa_bus_uevent() - &bus_type.uevent: what loads the driver's module
 * @dev: device
 * @env: gets MODALIAS when the device is for a certain driver
 *
 * Return: 0 or -ENOMEM.
 */
int vdpa_bus_uevent(const struct device *dev, struct kobj_uevent_env *env)
{
	struct vdpa_device *vdev = dev_to_vdpa((struct device *)dev);
	int err = 0;

	scoped_guard(spinlock_irqsave, &vdev->dev.driver_override.lock)
		if (vdev->dev.driver_override.name)
			err = add_uevent_var(env, "MODALIAS=vdpa:%s",
					     vdev->dev.driver_override.name);
	return err;
}
