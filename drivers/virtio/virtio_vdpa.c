// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio_vdpa: a vDPA device as a virtio device of this kernel.
 *
 * A virtio transport (struct virtio_config_ops) on top of vdpa_config_ops. Rings are
 * laid out in kernel memory by the virtio core and mapped for the device that does
 * the queue's DMA; nothing is shared with the parent but the ops, and nothing of a
 * queue is left with it when the queue is deleted.
 *
 * Calls are serialised by the virtio core: it probes, freezes and removes one device
 * in one thread. Only notifications go up (vring_interrupt()) and down (kicks) at any
 * time while a queue exists.
 */
#include <linux/cpumask.h>
#include <linux/group_cpus.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <trace/events/vdpa.h>
#include <uapi/linux/virtio_ids.h>

/**
 * struct virtio_vdpa - one device, seen from both sides
 * @vdev: what the virtio drivers see; its release frees the structure
 * @vdpa: what is driven; bound to this driver from probe to remove
 */
struct virtio_vdpa {
	struct virtio_device vdev;
	struct vdpa_device *vdpa;
};

static struct vdpa_device *to_vdpa(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_vdpa, vdev)->vdpa;
}

/* Configuration space, status and features */

static void virtio_vdpa_get(struct virtio_device *vdev, unsigned int offset,
			    void *buf, unsigned int len)
{
	vdpa_get_config(to_vdpa(vdev), offset, buf, len);
}

static void virtio_vdpa_set(struct virtio_device *vdev, unsigned int offset,
			    const void *buf, unsigned int len)
{
	vdpa_set_config(to_vdpa(vdev), offset, buf, len);
}

static u32 virtio_vdpa_generation(struct virtio_device *vdev)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);

	if (!vdpa->config->get_generation)
		return 0;
	return vdpa->config->get_generation(vdpa);
}

static u8 virtio_vdpa_get_status(struct virtio_device *vdev)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);

	return vdpa->config->get_status(vdpa);
}

/*
 * The caller cannot be told that the device does not begin (section 2.1.2): what its driver
 * asks for from now on is to fail, rather than never to end.
 */
static void virtio_vdpa_set_status(struct virtio_device *vdev, u8 status)
{
	vdpa_set_status(to_vdpa(vdev), status);
	if ((status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    (virtio_vdpa_get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		virtio_break_device(vdev);
}

static void virtio_vdpa_reset(struct virtio_device *vdev)
{
	vdpa_reset(to_vdpa(vdev), 0);
}

/* What there is no way to do is not offered. */
static u64 virtio_vdpa_get_features(struct virtio_device *vdev)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);
	u64 features = vdpa->config->get_device_features(vdpa);

	if (!vdpa->config->kick_vq_with_data)
		features &= ~BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);
	if (!vdpa->config->reset_vq)
		features &= ~BIT_ULL(VIRTIO_F_RING_RESET);
	return features;
}

static int virtio_vdpa_finalize_features(struct virtio_device *vdev)
{
	bool ring_reset = __virtio_test_bit(vdev, VIRTIO_F_RING_RESET);

	/* drops what the ring code of this kernel does not know, or leaves to us */
	vring_transport_features(vdev);
	if (ring_reset)
		__virtio_set_bit(vdev, VIRTIO_F_RING_RESET);

	return vdpa_set_features(to_vdpa(vdev), vdev->features);
}

static const char *virtio_vdpa_bus_name(struct virtio_device *vdev)
{
	return dev_name(&to_vdpa(vdev)->dev);
}

/* Notifications; vq->priv is the vDPA device */

static bool virtio_vdpa_kick(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = vq->priv;

	trace_vdpa_kick(vdpa, vq->index);
	vdpa->config->kick_vq(vdpa, vq->index);
	return true;
}

static bool virtio_vdpa_kick_with_data(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = vq->priv;

	trace_vdpa_kick(vdpa, vq->index);
	vdpa->config->kick_vq_with_data(vdpa, vring_notification_data(vq));
	return true;
}

static irqreturn_t virtio_vdpa_vq_notified(void *private)
{
	struct virtqueue *vq = private;

	trace_vdpa_interrupt(vq->priv, vq->index);
	return vring_interrupt(0, private);
}

static irqreturn_t virtio_vdpa_config_notified(void *private)
{
	virtio_config_changed(private);
	return IRQ_HANDLED;
}

static void virtio_vdpa_listen(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = vq->priv;
	struct vdpa_callback cb = {
		.callback = vq->callback ? virtio_vdpa_vq_notified : NULL,
		.private = vq,
	};

	vdpa->config->set_vq_cb(vdpa, vq->index, &cb);
}

static void virtio_vdpa_listen_config(struct virtio_device *vdev, bool on)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);
	struct vdpa_callback cb = {
		.callback = on ? virtio_vdpa_config_notified : NULL,
		.private = vdev,
	};

	vdpa->config->set_config_cb(vdpa, &cb);
}

/* Virtqueues */

static struct virtqueue *virtio_vdpa_create_ring(struct virtio_device *vdev,
						 unsigned int index,
						 const struct virtqueue_info *info)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);
	const struct vdpa_config_ops *ops = vdpa->config;
	bool with_data = __virtio_test_bit(vdev, VIRTIO_F_NOTIFICATION_DATA);
	struct device *dma_dev = vdpa_get_dma_dev(vdpa);
	struct virtqueue *vq;
	u16 min, max;

	if (ops->get_vq_dma_dev)
		dma_dev = ops->get_vq_dma_dev(vdpa, index);
	if (!dma_dev)
		return ERR_PTR(-EINVAL);

	max = ops->get_vq_size ? ops->get_vq_size(vdpa, index) :
				 ops->get_vq_num_max(vdpa);
	min = ops->get_vq_num_min ? ops->get_vq_num_min(vdpa) : 1;
	if (!max)
		return ERR_PTR(-ENOENT);

	vq = vring_create_virtqueue_dma(index, max, ops->get_vq_align(vdpa), vdev,
					true, max != min, info->ctx,
					with_data ? virtio_vdpa_kick_with_data :
						    virtio_vdpa_kick,
					info->callback, info->name, dma_dev);
	if (!vq)
		return ERR_PTR(-ENOMEM);
	/* the core halves the size while memory is short */
	if (virtqueue_get_vring_size(vq) < min) {
		vring_del_virtqueue(vq);
		return ERR_PTR(-ENOMEM);
	}

	vq->num_max = max;
	vq->priv = vdpa;
	return vq;
}

/* A ring begins at its beginning; a parent that knows no other start may say so. */
static int virtio_vdpa_rewind(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = vq->priv;
	struct vdpa_vq_state state = {};
	int err;

	if (__virtio_test_bit(vq->vdev, VIRTIO_F_RING_PACKED)) {
		state.packed.last_avail_counter = 1;
		state.packed.last_used_counter = 1;
	}

	err = vdpa->config->set_vq_state(vdpa, vq->index, &state);
	return err == -EOPNOTSUPP ? 0 : err;
}

/* Tell the parent all about a ring but that it is ready. Return: 0 or -errno. */
static int virtio_vdpa_announce_ring(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = vq->priv;
	const struct vdpa_config_ops *ops = vdpa->config;

	trace_vdpa_vq_address(vdpa, vq->index, virtqueue_get_desc_addr(vq),
			      virtqueue_get_avail_addr(vq), virtqueue_get_used_addr(vq));
	virtio_vdpa_listen(vq);
	ops->set_vq_num(vdpa, vq->index, virtqueue_get_vring_size(vq));
	return ops->set_vq_address(vdpa, vq->index, virtqueue_get_desc_addr(vq),
				   virtqueue_get_avail_addr(vq),
				   virtqueue_get_used_addr(vq)) ?:
	       virtio_vdpa_rewind(vq);
}

static void virtio_vdpa_set_ready(struct virtqueue *vq, bool ready)
{
	struct vdpa_device *vdpa = vq->priv;

	trace_vdpa_vq_ready(vdpa, vq->index, ready);
	vdpa->config->set_vq_ready(vdpa, vq->index, ready);
}

static void virtio_vdpa_ignore(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = vq->priv;
	struct vdpa_callback none = {};

	vdpa->config->set_vq_cb(vdpa, vq->index, &none);
}

static void virtio_vdpa_del_vq(struct virtqueue *vq)
{
	/* on return from these two nobody touches the ring or calls back */
	virtio_vdpa_set_ready(vq, false);
	virtio_vdpa_ignore(vq);

	vring_del_virtqueue(vq);
}

/* Section 2.6.1: a queue starts over while the others go on. */

static int virtio_vdpa_disable_vq_and_reset(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = vq->priv;

	if (!virtio_has_feature(vq->vdev, VIRTIO_F_RING_RESET))
		return -ENOENT;
	vdpa->config->reset_vq(vdpa, vq->index);
	virtio_vdpa_ignore(vq);
	vq->reset = true;
	return 0;
}

static int virtio_vdpa_enable_vq_after_reset(struct virtqueue *vq)
{
	int err;

	if (!vq->reset)
		return -EBUSY;
	err = virtio_vdpa_announce_ring(vq);
	if (err) {
		virtio_vdpa_ignore(vq);
		return err;
	}
	virtio_vdpa_set_ready(vq, true);
	vq->reset = false;
	return 0;
}

static struct virtqueue *virtio_vdpa_setup_vq(struct virtio_device *vdev,
					      unsigned int index,
					      const struct virtqueue_info *info)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);
	const struct vdpa_config_ops *ops = vdpa->config;
	struct virtqueue *vq;
	int err;

	/* a queue that runs already is one that somebody else set up */
	if (index >= vdpa->nvqs || ops->get_vq_ready(vdpa, index))
		return ERR_PTR(-ENOENT);

	vq = virtio_vdpa_create_ring(vdev, index, info);
	if (IS_ERR(vq))
		return vq;

	err = virtio_vdpa_announce_ring(vq);
	if (err) {
		virtio_vdpa_del_vq(vq);
		return ERR_PTR(err);
	}

	virtio_vdpa_set_ready(vq, true);
	return vq;
}

static void virtio_vdpa_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq, *next;

	virtio_vdpa_listen_config(vdev, false);
	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		virtio_vdpa_del_vq(vq);
}

/*
 * Spread the queues [@first, @first + @count) over the processors. More queues than
 * processors leave some without a wish.
 */
static int virtio_vdpa_spread(struct vdpa_device *vdpa, unsigned int first,
			      unsigned int count)
{
	unsigned int groups = min(count, num_possible_cpus());
	struct cpumask *masks;
	unsigned int i;
	int err = 0;

	/* it warns of groups that no processor is left for */
	masks = group_cpus_evenly(groups);
	if (!masks)
		return -ENOMEM;

	for (i = 0; i < groups && !err; i++)
		if (!cpumask_empty(&masks[i]))
			err = vdpa->config->set_vq_affinity(vdpa, first + i,
							    &masks[i]);
	kfree(masks);
	return err;
}

/*
 * As the interrupt core spreads vectors, with queues in their place: those at both
 * ends that @affinity excludes are left alone, the rest come in one or several sets.
 */
static int virtio_vdpa_spread_all(struct vdpa_device *vdpa, unsigned int queues,
				  struct irq_affinity *affinity)
{
	unsigned int fixed = affinity->pre_vectors + affinity->post_vectors;
	unsigned int first = affinity->pre_vectors;
	unsigned int i, count;
	int err = 0;

	if (queues <= fixed)
		return 0;

	if (affinity->calc_sets) {
		affinity->calc_sets(affinity, queues - fixed);
	} else {
		affinity->nr_sets = 1;
		affinity->set_size[0] = queues - fixed;
	}

	for (i = 0; i < affinity->nr_sets && !err; i++) {
		count = affinity->set_size[i];
		if (count)
			err = virtio_vdpa_spread(vdpa, first, count);
		first += count;
	}
	return err;
}

static int virtio_vdpa_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
				struct virtqueue *vqs[],
				struct virtqueue_info vqs_info[],
				struct irq_affinity *affinity)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);
	unsigned int i, queues = 0;
	int err;

	for (i = 0; i < nvqs; i++) {
		/* one that the driver does not use takes no index either */
		if (!vqs_info[i].name) {
			vqs[i] = NULL;
			continue;
		}

		vqs[i] = virtio_vdpa_setup_vq(vdev, queues, &vqs_info[i]);
		if (IS_ERR(vqs[i])) {
			err = PTR_ERR(vqs[i]);
			goto err_vqs;
		}
		queues++;
	}

	if (affinity && vdpa->config->set_vq_affinity) {
		err = virtio_vdpa_spread_all(vdpa, queues, affinity);
		if (err)
			goto err_vqs;
	}

	virtio_vdpa_listen_config(vdev, true);
	return 0;

err_vqs:
	virtio_vdpa_del_vqs(vdev);
	return err;
}

static int virtio_vdpa_set_vq_affinity(struct virtqueue *vq,
				       const struct cpumask *cpu_mask)
{
	struct vdpa_device *vdpa = vq->priv;

	if (!vdpa->config->set_vq_affinity)
		return 0;
	return vdpa->config->set_vq_affinity(vdpa, vq->index, cpu_mask);
}

static const struct cpumask *
virtio_vdpa_get_vq_affinity(struct virtio_device *vdev, int index)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);

	if (!vdpa->config->get_vq_affinity)
		return NULL;
	return vdpa->config->get_vq_affinity(vdpa, index);
}

static const struct virtio_config_ops virtio_vdpa_config_ops = {
	.bus_name = virtio_vdpa_bus_name,
	.get_features = virtio_vdpa_get_features,
	.finalize_features = virtio_vdpa_finalize_features,
	.get_status = virtio_vdpa_get_status,
	.set_status = virtio_vdpa_set_status,
	.reset = virtio_vdpa_reset,
	.get = virtio_vdpa_get,
	.set = virtio_vdpa_set,
	.generation = virtio_vdpa_generation,
	.find_vqs = virtio_vdpa_find_vqs,
	.del_vqs = virtio_vdpa_del_vqs,
	.get_vq_affinity = virtio_vdpa_get_vq_affinity,
	.set_vq_affinity = virtio_vdpa_set_vq_affinity,
	.disable_vq_and_reset = virtio_vdpa_disable_vq_and_reset,
	.enable_vq_after_reset = virtio_vdpa_enable_vq_after_reset,
};

/* The bus driver */

static void virtio_vdpa_release(struct device *dev)
{
	kfree(container_of(dev_to_virtio(dev), struct virtio_vdpa, vdev));
}

static int virtio_vdpa_probe(struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	u32 id = ops->get_device_id(vdpa);
	struct virtio_vdpa *vd;
	int err;

	if (!id)
		return -ENODEV;

	vd = kzalloc(sizeof(*vd), GFP_KERNEL);
	if (!vd)
		return -ENOMEM;

	vd->vdpa = vdpa;
	vd->vdev.dev.parent = vdpa_get_dma_dev(vdpa) ?: &vdpa->dev;
	vd->vdev.dev.release = virtio_vdpa_release;
	vd->vdev.config = &virtio_vdpa_config_ops;
	vd->vdev.id.device = id;
	vd->vdev.id.vendor = ops->get_vendor_id(vdpa);

	err = register_virtio_device(&vd->vdev);
	if (err) {
		put_device(&vd->vdev.dev);
		vdpa_reset(vdpa, 0);
		return err;
	}

	vdpa_set_drvdata(vdpa, vd);
	return 0;
}

static void virtio_vdpa_remove(struct vdpa_device *vdpa)
{
	struct virtio_vdpa *vd = vdpa_get_drvdata(vdpa);

	/*
	 * What a device in this state was asked for does not end by itself, nor what its
	 * driver may be waiting for, with locks that its removal takes.
	 */
	if (virtio_vdpa_get_status(&vd->vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)
		virtio_break_device(&vd->vdev);

	/* its driver deletes the queues, and its last reference the structure */
	unregister_virtio_device(&vd->vdev);

	/* the virtio core has left its mark in the status */
	vdpa_reset(vdpa, 0);
}

/*
 * Sleep. The bus has no part in it: this device is a child of the parent's, so that it goes
 * to sleep before that and wakes up after it, and its virtio driver sets up its queues anew.
 */

#ifdef CONFIG_PM_SLEEP
static int virtio_vdpa_freeze(struct device *dev)
{
	struct virtio_vdpa *vd = dev_get_drvdata(dev);

	return virtio_device_freeze(&vd->vdev);
}

static int virtio_vdpa_restore(struct device *dev)
{
	struct virtio_vdpa *vd = dev_get_drvdata(dev);

	return virtio_device_restore(&vd->vdev);
}
#endif

static const struct dev_pm_ops virtio_vdpa_pm = {
	SET_SYSTEM_SLEEP_PM_OPS(virtio_vdpa_freeze, virtio_vdpa_restore)
};

static struct vdpa_driver virtio_vdpa_driver = {
	.driver.name = "virtio_vdpa",
	.driver.pm = pm_sleep_ptr(&virtio_vdpa_pm),
	.probe = virtio_vdpa_probe,
	.remove = virtio_vdpa_remove,
};

module_vdpa_driver(virtio_vdpa_driver);

MODULE_DESCRIPTION("virtio transport over vDPA devices");
MODULE_ALIAS("vdpa:virtio_vdpa");
MODULE_LICENSE("GPL");
