// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_vdpa: the PCI driver.
 *
 * It takes no function by itself: the kernel's virtio-pci is the driver of all of them, and
 * the administrator says by driver_override, or by new_id, which become vDPA devices.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <uapi/linux/vdpa.h>
#include "vp_vdpa.h"

static int vp_function_find(struct vp_function *fn)
{
	int err;

	guard(mutex)(&fn->lock);
	err = vp_modern_probe(&fn->pci);
	if (err)
		return err;
	err = vp_function_inspect(fn);
	if (err)
		vp_modern_remove(&fn->pci);
	return err;
}

static void vp_function_lose(struct vp_function *fn)
{
	scoped_guard(mutex, &fn->lock)
		vp_function_reset(fn);
	vp_modern_remove(&fn->pci);
	kvfree(fn->sizes);
}

static int vp_function_announce(struct vp_function *fn)
{
	fn->ids[0].device = fn->pci.id.device;
	fn->ids[0].vendor = VIRTIO_DEV_ANY_ID;
	fn->mgmt.device = vp_dev(fn);
	fn->mgmt.ops = &vp_mgmtdev_ops;
	fn->mgmt.id_table = fn->ids;
	fn->mgmt.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES);
	fn->mgmt.supported_features = fn->features;
	fn->mgmt.max_supported_vqs = fn->nvqs;
	return vdpa_mgmtdev_register(&fn->mgmt);
}

/**
 * vp_function_probe() - make a management device of a function
 * @pdev: function that is enabled; its driver data becomes the structure
 *
 * Context: Process context, device lock held.
 * Return: 0; -ENODEV for what is no modern virtio function; or see vp_function_inspect().
 */
int vp_function_probe(struct pci_dev *pdev)
{
	struct vp_function *fn;
	int err;

	fn = kzalloc(sizeof(*fn), GFP_KERNEL);
	if (!fn)
		return -ENOMEM;
	mutex_init(&fn->lock);
	fn->pci.pci_dev = pdev;

	err = vp_function_find(fn);
	if (err)
		goto err_free;

	pci_set_master(pdev);
	err = vp_function_announce(fn);
	if (err)
		goto err_lose;
	pci_set_drvdata(pdev, fn);
	return 0;

err_lose:
	pci_clear_master(pdev);
	vp_function_lose(fn);
err_free:
	mutex_destroy(&fn->lock);
	kfree(fn);
	return err;
}

/**
 * vp_function_remove() - undo vp_function_probe(), also of a function that is gone
 * @pdev: function
 *
 * The device that was made of it is deleted, whoever uses it.
 *
 * Context: Process context, device lock held.
 */
void vp_function_remove(struct pci_dev *pdev)
{
	struct vp_function *fn = pci_get_drvdata(pdev);

	vdpa_mgmtdev_unregister(&fn->mgmt);
	pci_clear_master(pdev);
	vp_function_lose(fn);
	mutex_destroy(&fn->lock);
	kfree(fn);
}

static int vp_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	err = vp_function_probe(pdev);
	if (err)
		pci_disable_device(pdev);
	return err;
}

static void vp_pci_remove(struct pci_dev *pdev)
{
	vp_function_remove(pdev);
	pci_disable_device(pdev);
}

/* Kernel drivers on top went to sleep before, and reset it; only a process may have not. */

static int vp_pci_suspend(struct device *dev)
{
	vp_function_quiesce(dev_get_drvdata(dev));
	return 0;
}

static int vp_pci_resume(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	pci_set_master(pdev);
	vp_function_revive(pci_get_drvdata(pdev));
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(vp_pci_pm, vp_pci_suspend, vp_pci_resume);

/* A reset of the function that was asked for through sysfs, or by who passes it on. */

static void vp_pci_reset_prepare(struct pci_dev *pdev)
{
	vp_function_quiesce(pci_get_drvdata(pdev));
}

static void vp_pci_reset_done(struct pci_dev *pdev)
{
	vp_function_revive(pci_get_drvdata(pdev));
}

/* Errors that the bus reports */

static pci_ers_result_t vp_pci_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	vp_function_quiesce(pci_get_drvdata(pdev));
	return state == pci_channel_io_perm_failure ? PCI_ERS_RESULT_DISCONNECT :
						      PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t vp_pci_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	pci_save_state(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static const struct pci_error_handlers vp_pci_errors = {
	.error_detected = vp_pci_error_detected,
	.slot_reset = vp_pci_slot_reset,
	.resume = vp_pci_reset_done,
	.reset_prepare = vp_pci_reset_prepare,
	.reset_done = vp_pci_reset_done,
};

static struct pci_driver vp_pci_driver = {
	.name = "vp_vdpa",
	.id_table = NULL,
	.probe = vp_pci_probe,
	.remove = vp_pci_remove,
	.err_handler = &vp_pci_errors,
	.driver.pm = pm_sleep_ptr(&vp_pci_pm),
};
module_pci_driver(vp_pci_driver);

MODULE_DESCRIPTION("vDPA devices of virtio PCI functions");
MODULE_LICENSE("GPL");
