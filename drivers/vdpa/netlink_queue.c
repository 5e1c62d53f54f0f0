// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vdpa": the virtqueues of a device, one message for each.
 */
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include "netlink_gen.h"
#include "vdpa_private.h"

static int vdpa_nl_put_vq_info(struct sk_buff *msg, struct vdpa_device *vdev, u16 index)
{
	struct vdpa_vq_info info = {};

	if (!vdev->config->get_vq_info)
		return 0;
	vdev->config->get_vq_info(vdev, index, &info);
	if (nla_put_u32(msg, VDPA_ATTR_DEV_QUEUE_SIZE, info.num) ||
	    nla_put_u8(msg, VDPA_ATTR_DEV_QUEUE_READY, info.ready))
		return -EMSGSIZE;
	if (info.has & VDPA_VQ_HAS_POSITION &&
	    (nla_put_u16(msg, VDPA_ATTR_DEV_QUEUE_AVAIL_INDEX, info.avail) ||
	     nla_put_u16(msg, VDPA_ATTR_DEV_QUEUE_USED_INDEX, info.used)))
		return -EMSGSIZE;
	if (info.has & VDPA_VQ_HAS_COUNTS &&
	    (nla_put_u64_64bit(msg, VDPA_ATTR_DEV_QUEUE_KICKS, info.kicks, VDPA_ATTR_PAD) ||
	     nla_put_u64_64bit(msg, VDPA_ATTR_DEV_QUEUE_INTERRUPTS, info.interrupts,
			       VDPA_ATTR_PAD)))
		return -EMSGSIZE;
	if (info.has & VDPA_VQ_HAS_ASID &&
	    nla_put_u32(msg, VDPA_ATTR_DEV_QUEUE_ASID, info.asid))
		return -EMSGSIZE;
	return 0;
}

/*
 * Other ops tell of a queue too, but are for the bus driver: a parent may answer them by
 * registers that depend on a selector.
 */
static int vdpa_nl_put_queue(struct sk_buff *msg, struct vdpa_device *vdev, u16 index)
{
	const struct vdpa_config_ops *ops = vdev->config;
	u32 group = ops->get_vq_group ? ops->get_vq_group(vdev, index) : 0;

	if (nla_put_string(msg, VDPA_ATTR_DEV_NAME, dev_name(&vdev->dev)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_QUEUE_INDEX, index) ||
	    nla_put_u16(msg, VDPA_ATTR_DEV_MAX_VQ_SIZE, ops->get_vq_num_max(vdev)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_QUEUE_GROUP, group))
		return -EMSGSIZE;
	return vdpa_nl_put_vq_info(msg, vdev, index);
}

struct vdpa_nl_queue {
	struct vdpa_device *vdev;
	u16 index;
};

static int vdpa_nl_fill_queue(struct sk_buff *msg, void *object, const struct genl_info *info)
{
	const struct vdpa_nl_queue *queue = object;

	return vdpa_nl_put_queue(msg, queue->vdev, queue->index);
}

int vdpa_nl_queue_get_dumpit(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct vdpa_nl_dump *dump = vdpa_nl_dump(cb);
	struct vdpa_nl_queue queue;
	int err = 0;

	queue.vdev = vdpa_nl_pin_dev(genl_info_dump(cb));
	if (IS_ERR(queue.vdev))
		return PTR_ERR(queue.vdev);
	while (!err && dump->index < queue.vdev->nvqs) {
		queue.index = dump->index;
		err = vdpa_nl_dump_one(msg, cb, &queue, VDPA_CMD_QUEUE_GET,
				       vdpa_nl_fill_queue);
		if (!err)
			dump->index++;
	}
	vdpa_dev_unpin(queue.vdev);

	/* a full message is sent; the next one goes on behind it */
	return err && !msg->len ? err : msg->len;
}
