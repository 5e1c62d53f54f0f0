// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: what the device is, creation (virtio 1.2 section 5.2).
 */
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include "blk.h"

static bool shared_backend;
module_param(shared_backend, bool, 0444);
MODULE_PARM_DESC(shared_backend, "all devices are the same disk (default 0)");

/* what every disk has */
#define BLK_FEATURES							\
	(BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | \
	 BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | BIT_ULL(VIRTIO_BLK_F_FLUSH) |	\
	 BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | BIT_ULL(VIRTIO_BLK_F_MQ) |	\
	 BIT_ULL(VIRTIO_BLK_F_DISCARD) | BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) | \
	 BIT_ULL(VIRTIO_BLK_F_LIFETIME) | BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE))

/* groups of a queue's parts, each in its own address space if the driver wants */
enum { BLK_GROUP_DATA, BLK_GROUP_RING, BLK_GROUPS };

/* the store of every device when they share one; constant while devices exist */
static struct blk_store *shared_store;

static const char *const blk_stat_names[] = {
	"reads", "writes", "other requests", "bytes", "errors",
};

static const char *const *blk_stats(const struct vdpa_sim_queue *queue,
				    unsigned int *count)
{
	*count = ARRAY_SIZE(blk_stat_names);
	return blk_stat_names;
}

static int blk_serve(struct vdpa_sim_queue *queue, struct vdpa_sim_queue *peer)
{
	if (sim_to_blk(queue->sim)->flights)
		return vdpa_sim_blk_serve_file(queue);
	return vdpa_sim_blk_serve(queue);
}

static void blk_get_config(struct vdpa_sim *sim, void *data)
{
	memcpy(data, &sim_to_blk(sim)->config, sizeof(struct virtio_blk_config));
}

static void blk_free(struct vdpa_sim *sim)
{
	struct vdpa_sim_blk *blk = sim_to_blk(sim);

	blk_store_put(blk->store);
	kfree(blk->flights);
	if (blk->file.file)
		blk_file_close(&blk->file);
}

static const struct vdpa_sim_class blk_class = {
	.id = VIRTIO_ID_BLOCK,
	.config_size = sizeof(struct virtio_blk_config),
	.default_ngroups = BLK_GROUPS,
	.default_nas = 2,
	.ring_group = BLK_GROUP_RING,
	.serve = blk_serve,
	.get_config = blk_get_config,
	.stat_names = blk_stats,
	.stop = vdpa_sim_blk_stop,
	.free = blk_free,
};

/* Creation */

/* A store for a new device: its own, or the one of all, which has its size. */
static struct blk_store *store_for_device(const struct blk_limits *limits,
					  const struct vdpa_dev_set_config *config)
{
	if (!shared_store)
		return blk_store_create(limits->sectors << BLK_SECTOR_SHIFT) ?:
		       ERR_PTR(-ENOMEM);
	if (limits->sectors << BLK_SECTOR_SHIFT != blk_store_bytes(shared_store)) {
		NL_SET_ERR_MSG(config->extack,
			       "the disk that all devices are has another capacity");
		return ERR_PTR(-EINVAL);
	}
	return blk_store_get(shared_store);
}

/* Open what holds the content, if it is not memory. Return: 0 or -errno. */
static int open_backing(struct blk_file *file, const struct vdpa_dev_set_config *config)
{
	if (!(config->ext_mask & VDPA_EXT_BIT(VDPA_ATTR_DEV_BLK_BACKING)))
		return 0;
	if (shared_store) {
		NL_SET_ERR_MSG(config->extack,
			       "no backing file while all devices are the same disk");
		return -EINVAL;
	}
	return blk_file_open(file, config->blk.backing, config->blk.read_only,
			     config->extack);
}

static u64 choose_blk_features(const struct blk_limits *limits,
			       const struct blk_file *file)
{
	u64 features = BLK_FEATURES;

	if (limits->read_only)
		features |= BIT_ULL(VIRTIO_BLK_F_RO);
	/* nobody knows where the bytes of a file have been */
	if (file)
		features &= ~BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE);
	if (file && !blk_file_can_zero(file))
		features &= ~(BIT_ULL(VIRTIO_BLK_F_DISCARD) |
			      BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES));
	return features;
}

/* Give @blk its content: @file, or memory. Return: 0, or -errno with @file not taken. */
static int blk_set_up(struct vdpa_sim_blk *blk, const struct blk_limits *limits,
		      const struct blk_file *file,
		      const struct vdpa_dev_set_config *config)
{
	int err;

	blk->sectors = limits->sectors;
	blk->block_mask = limits->block_size - 1;
	/* also if the administrator chose features without VIRTIO_BLK_F_RO */
	blk->read_only = limits->read_only;
	blk_limits_tell(limits, &blk->config);
	if (!file) {
		blk->store = store_for_device(limits, config);
		err = PTR_ERR_OR_ZERO(blk->store);
		if (err)
			blk->store = NULL;
		return err;
	}
	err = vdpa_sim_blk_flights_create(blk);
	if (err)
		return err;
	blk->file = *file;
	blk->file.direct = file->block && file->block <= limits->block_size;
	return 0;
}

/* Create a disk on @file, or in memory. Return: 0, or -errno with @file not taken. */
static int blk_create(struct vdpa_mgmt_dev *mdev, const char *name,
		      const struct vdpa_dev_set_config *config,
		      const struct blk_file *file)
{
	struct vdpa_sim_params params = {
		.mdev = mdev,
		.name = name,
		.config = config,
		.size = sizeof(struct vdpa_sim_blk),
	};
	struct blk_limits limits;
	struct vdpa_sim *sim;
	int err;

	err = blk_limits_choose(&limits, config, file);
	if (err)
		return err;
	params.features = choose_blk_features(&limits, file);
	params.nvqs = limits.queues;
	sim = vdpa_sim_create(&blk_class, &params);
	if (IS_ERR(sim))
		return PTR_ERR(sim);
	err = blk_set_up(sim_to_blk(sim), &limits, file, config);
	if (!err)
		err = vdpa_sim_register(sim);
	if (err) {
		/* the caller still has it */
		sim_to_blk(sim)->file.file = NULL;
		put_device(&sim->vdpa.dev);
	}
	return err;
}

static int blk_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
		       const struct vdpa_dev_set_config *config)
{
	struct blk_file file = {};
	int err = open_backing(&file, config);

	if (err)
		return err;
	err = blk_create(mdev, name, config, file.file ? &file : NULL);
	if (err && file.file)
		blk_file_close(&file);
	return err;
}

static const struct vdpa_mgmtdev_ops blk_mgmt_ops = {
	.dev_add = blk_dev_add,
	.dev_del = vdpa_sim_dev_del,
};

static struct virtio_device_id blk_ids[] = {
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct vdpa_mgmt_dev blk_mgmt = {
	.ops = &blk_mgmt_ops,
	.id_table = blk_ids,
	.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_CAPACITY) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_SEG_MAX) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_PHY_BLK_EXP) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_ALIGN_OFFSET) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_MIN_IO_SIZE) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_CFG_OPT_IO_SIZE) |
			    BIT_ULL(VDPA_ATTR_DEV_BLK_READ_ONLY),
	.ext_attr_mask = VDPA_EXT_BIT(VDPA_ATTR_DEV_BLK_BACKING),
	.max_supported_vqs = BLK_QUEUES_MAX,
	.supported_features = BLK_FEATURES | BIT_ULL(VIRTIO_BLK_F_RO) | VDPA_SIM_FEATURES,
};

/* What devices need is there before they can be created. */
static int __init vdpa_sim_blk_init(void)
{
	int err;

	err = blk_file_init();
	if (err)
		return err;
	if (shared_backend) {
		shared_store = blk_store_create((u64)BLK_SECTORS << BLK_SECTOR_SHIFT);
		if (!shared_store) {
			err = -ENOMEM;
			goto err_file;
		}
	}

	blk_mgmt.device = root_device_register("vdpasim_blk");
	if (IS_ERR(blk_mgmt.device)) {
		err = PTR_ERR(blk_mgmt.device);
		goto err_store;
	}

	err = vdpa_mgmtdev_register(&blk_mgmt);
	if (err)
		goto err_device;
	return 0;

err_device:
	root_device_unregister(blk_mgmt.device);
err_store:
	blk_store_put(shared_store);
err_file:
	blk_file_exit();
	return err;
}

static void __exit vdpa_sim_blk_exit(void)
{
	vdpa_mgmtdev_unregister(&blk_mgmt);
	root_device_unregister(blk_mgmt.device);
	blk_store_put(shared_store);
	blk_file_exit();
	/* pages that were given back are freed by code of this module */
	rcu_barrier();
}

module_init(vdpa_sim_blk_init);
module_exit(vdpa_sim_blk_exit);

MODULE_DESCRIPTION("simulated vDPA block devices");
MODULE_LICENSE("GPL");
