// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vDPA bus: which bus driver gets a device, and the module's life.
 *
 * Every bus driver can drive every device, so a new device goes to whichever was
 * registered first, unless the administrator said which one it is for (driver.c), or
 * turned off drivers_autoprobe.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include "vdpa_private.h"

static int vdpa_bus_match(struct device *dev, const struct device_driver *drv)
{
	int match = device_match_driver_override(dev, drv);

	/* sparse does not see the guard() in there end */
	__release(&dev->driver_override.lock);

	return match >= 0 ? match : 1;
}

/* A ring size that no driver could choose is the parent's mistake. */
static int vdpa_check_ring_sizes(struct vdpa_device *vdev)
{
	const struct vdpa_config_ops *ops = vdev->config;
	u16 max = ops->get_vq_num_max(vdev);
	u16 min = ops->get_vq_num_min ? ops->get_vq_num_min(vdev) : 1;

	if (max >= min)
		return 0;

	dev_err(&vdev->dev, "smallest ring %u exceeds largest %u\n", min, max);
	return -EINVAL;
}

static int vdpa_bus_probe(struct device *dev)
{
	struct vdpa_driver *drv = drv_to_vdpa(dev->driver);
	struct vdpa_device *vdev = dev_to_vdpa(dev);
	int err;

	/* virtio addresses are 64 bits wide whatever the parent's bus is */
	err = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (err)
		return err;

	err = vdpa_check_ring_sizes(vdev);
	if (err)
		return err;

	return drv->probe(vdev);
}

static void vdpa_bus_remove(struct device *dev)
{
	struct vdpa_driver *drv = drv_to_vdpa(dev->driver);

	if (drv->remove)
		drv->remove(dev_to_vdpa(dev));
}

const struct bus_type vdpa_bus_type = {
	.name = "vdpa",
	.match = vdpa_bus_match,
	.probe = vdpa_bus_probe,
	.remove = vdpa_bus_remove,
	.uevent = vdpa_bus_uevent,
	.driver_override = true,
};

/**
 * vdpa_unregister_driver() - take a bus driver back
 * @drv: registered driver
 *
 * Its remove was called for every device when this returns.
 *
 * Context: Process context. May sleep.
 */
void vdpa_unregister_driver(struct vdpa_driver *drv)
{
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL_GPL(vdpa_unregister_driver);

/**
 * __vdpa_register_driver() - make a bus driver known
 * @drv: the driver, with its name and probe set
 * @owner: module that contains it
 *
 * Devices that nobody drives yet are offered to @drv before this returns.
 *
 * Context: Process context. May sleep.
 * Return: 0; -EINVAL when @drv has no probe; -EBUSY when the name is taken; or
 *	what the driver core returned.
 */
int __vdpa_register_driver(struct vdpa_driver *drv, struct module *owner)
{
	if (WARN_ON(!drv->probe))
		return -EINVAL;

	drv->driver.owner = owner;
	drv->driver.bus = &vdpa_bus_type;

	return driver_register(&drv->driver);
}
EXPORT_SYMBOL_GPL(__vdpa_register_driver);

static int __init vdpa_init(void)
{
	int err;

	err = vdpa_device_init();
	if (err)
		return err;

	err = vdpa_namespace_init();
	if (err)
		goto err_device;

	err = bus_register(&vdpa_bus_type);
	if (err)
		goto err_namespace;

	err = vdpa_netlink_init();
	if (err)
		goto err_bus;

	return 0;

err_bus:
	bus_unregister(&vdpa_bus_type);
err_namespace:
	vdpa_namespace_exit();
err_device:
	vdpa_device_exit();
	return err;
}

static void __exit vdpa_exit(void)
{
	vdpa_netlink_exit();
	bus_unregister(&vdpa_bus_type);
	vdpa_namespace_exit();
	vdpa_device_exit();
}

core_initcall(vdpa_init);
module_exit(vdpa_exit);

MODULE_DESCRIPTION("vDPA bus");
MODULE_LICENSE("GPL");
