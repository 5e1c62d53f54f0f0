// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function of software that is carved into slices: what a vendor's driver is for hardware.
 * Its engine is the network simulator's, so slices loop back what they send, or are joined in
 * pairs.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include "../vdpa_sim/net.h"
#include "slice.h"

#define NAME "vdpa_slice_sim"
#define FUNCTIONS_MAX 8

static uint functions = 1;
module_param(functions, uint, 0444);
MODULE_PARM_DESC(functions, "number of functions, up to 8 (default 1)");

static uint slices = 256;
module_param(slices, uint, 0444);
MODULE_PARM_DESC(slices, "most slices of a function (default 256)");

static uint queue_pairs = 512;
module_param(queue_pairs, uint, 0444);
MODULE_PARM_DESC(queue_pairs, "queue pairs that a function's slices share (default 512)");

static struct platform_device *pdevs[FUNCTIONS_MAX];
static struct vdpa_slice_engine engine;

static int slice_sim_probe(struct platform_device *pdev)
{
	const struct vdpa_slice_limits limits = {
		.slices = slices,
		.pairs = queue_pairs,
		.slice_pairs = VDPA_SIM_NET_PAIRS_MAX,
	};
	struct vdpa_slice_function *fn = vdpa_slice_function_add(&pdev->dev, &engine, &limits);

	if (IS_ERR(fn))
		return PTR_ERR(fn);
	platform_set_drvdata(pdev, fn);
	return 0;
}

static void slice_sim_remove(struct platform_device *pdev)
{
	vdpa_slice_function_remove(platform_get_drvdata(pdev));
}

static struct platform_driver slice_sim_driver = {
	.driver.name = NAME,
	.probe = slice_sim_probe,
	.remove = slice_sim_remove,
};

static void slice_sim_functions_remove(void)
{
	unsigned int i;

	for (i = 0; i < functions; i++)
		platform_device_unregister(pdevs[i]);
}

static int __init slice_sim_init(void)
{
	const struct vdpa_mgmt_dev *net = vdpa_sim_net_mgmt();
	unsigned int i;
	int err;

	if (!functions || functions > FUNCTIONS_MAX || !slices || !queue_pairs)
		return -EINVAL;

	engine = (struct vdpa_slice_engine) {
		.ops = net->ops,
		.id_table = net->id_table,
		.supported_features = net->supported_features,
		.config_attr_mask = net->config_attr_mask,
		.ext_attr_mask = net->ext_attr_mask,
	};
	err = platform_driver_register(&slice_sim_driver);
	if (err)
		return err;
	for (i = 0; i < functions; i++) {
		pdevs[i] = platform_device_register_simple(NAME, i, NULL, 0);
		if (IS_ERR(pdevs[i])) {
			err = PTR_ERR(pdevs[i]);
			pdevs[i] = NULL;
			slice_sim_functions_remove();
			platform_driver_unregister(&slice_sim_driver);
			return err;
		}
	}
	return 0;
}
module_init(slice_sim_init);

static void __exit slice_sim_exit(void)
{
	slice_sim_functions_remove();
	platform_driver_unregister(&slice_sim_driver);
}
module_exit(slice_sim_exit);

MODULE_DESCRIPTION("a function of software that is carved into vDPA network devices");
MODULE_LICENSE("GPL");
