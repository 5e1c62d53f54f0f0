// SPDX-License-Identifier: GPL-2.0-only
/*
 * A complete bus driver, as small as one can be: it agrees with the device on features and
 * tells what it found. A device is given to it by writing "vdpa_inspect" to its driver_override.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <uapi/linux/virtio_config.h>

/* what this driver can deal with, and cannot do without */
#define WANTED (BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

/**
 * struct inspect - what is known of a device
 * @vdpa: device
 * @changed: its configuration space changed
 * @config: configuration space as it was
 */
struct inspect {
	struct vdpa_device *vdpa;
	atomic_t changed;
	u8 config[64];
};

/* Any context, the parent's locks held: no op may be called from here. */
static irqreturn_t inspect_config_changed(void *data)
{
	struct inspect *inspect = data;

	atomic_inc(&inspect->changed);
	return IRQ_HANDLED;
}

static void inspect_set_config_cb(struct vdpa_device *vdpa, struct inspect *inspect)
{
	struct vdpa_callback cb = {
		.callback = inspect ? inspect_config_changed : NULL,
		.private = inspect,
	};

	vdpa->config->set_config_cb(vdpa, &cb);
}

/* Section 3.1.1, steps 2 to 6. Return: 0 or -errno, with the device reset. */
static int inspect_negotiate(struct vdpa_device *vdpa)
{
	u8 status = VIRTIO_CONFIG_S_ACKNOWLEDGE;

	vdpa_set_status(vdpa, status);
	status |= VIRTIO_CONFIG_S_DRIVER;
	vdpa_set_status(vdpa, status);
	if (vdpa_set_features(vdpa, WANTED))
		goto refused;
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	vdpa_set_status(vdpa, status);
	if (vdpa->config->get_status(vdpa) & VIRTIO_CONFIG_S_FEATURES_OK)
		return 0;
refused:
	vdpa_reset(vdpa, 0);
	return -ENODEV;
}

static int inspect_probe(struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	struct inspect *inspect;
	unsigned int len;
	int err;

	inspect = kzalloc(sizeof(*inspect), GFP_KERNEL);
	if (!inspect)
		return -ENOMEM;
	inspect->vdpa = vdpa;

	/* what another driver left */
	err = vdpa_reset(vdpa, 0) ?: inspect_negotiate(vdpa);
	if (err)
		goto err_free;
	inspect_set_config_cb(vdpa, inspect);
	len = min(ops->get_config_size(vdpa), sizeof(inspect->config));
	vdpa_get_config(vdpa, 0, inspect->config, len);
	dev_info(&vdpa->dev, "virtio device %u, %u queues of up to %u, features %#llx, configuration %*ph\n",
		 ops->get_device_id(vdpa), vdpa->nvqs, ops->get_vq_num_max(vdpa),
		 ops->get_device_features(vdpa), len, inspect->config);

	vdpa_set_drvdata(vdpa, inspect);
	return 0;

err_free:
	kfree(inspect);
	return err;
}

/* On return the parent calls nothing of ours: after a reset and without a callback it does not. */
static void inspect_remove(struct vdpa_device *vdpa)
{
	struct inspect *inspect = vdpa_get_drvdata(vdpa);

	inspect_set_config_cb(vdpa, NULL);
	vdpa_reset(vdpa, 0);
	dev_info(&vdpa->dev, "configuration changed %d times\n", atomic_read(&inspect->changed));
	kfree(inspect);
}

static struct vdpa_driver inspect_driver = {
	.driver.name = "vdpa_inspect",
	.probe = inspect_probe,
	.remove = inspect_remove,
};
module_vdpa_driver(inspect_driver);

MODULE_DESCRIPTION("sample of a vDPA bus driver");
MODULE_LICENSE("GPL");
MODULE_ALIAS("vdpa:vdpa_inspect");
