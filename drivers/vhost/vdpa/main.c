// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus driver and its character devices: binding, opening, closing, and taking a
 * device away from under an open file.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include "vhost_vdpa.h"

#define VHOST_VDPA_MINORS BIT(MINORBITS)

static dev_t vhost_vdpa_devt;
static DEFINE_IDA(vhost_vdpa_minors);

static struct vhost_vdpa *dev_to_vhost_vdpa(struct device *dev)
{
	return container_of(dev, struct vhost_vdpa, dev);
}

/**
 * vhost_vdpa_enter() - lock a device that is still there
 * @v: device
 *
 * Context: Process context. Takes v->lock unless it fails; the wait for it ends early
 * when the task is killed.
 * Return: 0, -ENODEV when the device was taken away, or -EINTR.
 */
int vhost_vdpa_enter(struct vhost_vdpa *v)
{
	int err;

	err = mutex_lock_killable(&v->lock);
	if (err)
		return err;
	if (v->vdpa)
		return 0;

	mutex_unlock(&v->lock);
	return -ENODEV;
}

/**
 * vhost_vdpa_leave() - undo a successful vhost_vdpa_enter()
 * @v: device
 *
 * Context: Process context. Releases v->lock.
 */
void vhost_vdpa_leave(struct vhost_vdpa *v)
{
	mutex_unlock(&v->lock);
}

/**
 * vhost_vdpa_reset() - reset the device for its user
 * @v: device
 *
 * Kicks stop reaching the parent first. Userspace that did not acknowledge that
 * mappings persist expects the parent to forget them; ours stay known either way.
 *
 * Context: Process context, v->lock held.
 * Return: 0 or the parent's error.
 */
int vhost_vdpa_reset(struct vhost_vdpa *v)
{
	u64 persist = BIT_ULL(VHOST_BACKEND_F_IOTLB_PERSIST);
	u32 flags = v->backend_features & persist ? 0 : VDPA_RESET_F_CLEAN_MAP;
	int err;

	lockdep_assert_held(&v->lock);

	vhost_vdpa_vqs_quiesce(v);
	vhost_vdpa_irqs_stop(v);
	err = vdpa_reset(v->vdpa, flags);
	if (flags && v->vdpa->config->compat_reset)
		vhost_vdpa_as_forgotten_all(v);
	vhost_vdpa_vqs_reset(v);
	v->suspended = false;
	v->in_batch = false;
	return err;
}

static int vhost_vdpa_session_start(struct vhost_vdpa *v)
{
	int err;

	lockdep_assert_held(&v->lock);

	err = vhost_vdpa_reset(v);
	if (err)
		return err;

	err = vhost_vdpa_domain_alloc(v);
	if (err)
		return err;

	vhost_vdpa_latch_range(v);
	v->opened = true;
	v->owner = get_task_pid(current, PIDTYPE_TGID);
	return 0;
}

/*
 * Give back all that the session took: the device first, so that it is at rest when
 * what it used goes. Memory that only this file's calls reach stays until its release.
 */
static void vhost_vdpa_session_stop(struct vhost_vdpa *v)
{
	struct vdpa_device *vdpa = v->vdpa;

	lockdep_assert_held(&v->lock);

	vhost_vdpa_doorbells_close(v);
	if (vhost_vdpa_reset(v))
		dev_warn(&v->dev, "device did not reset\n");
	vhost_vdpa_vqs_detach(v);
	vhost_vdpa_irqs_detach(v);
	if (v->mm_bound)
		vdpa->config->unbind_mm(vdpa);
	v->mm_bound = false;
	vhost_vdpa_as_clear_all(v);
	vhost_vdpa_domain_free(v);
	v->backend_features = 0;
}

static int vhost_vdpa_open(struct inode *inode, struct file *file)
{
	struct vhost_vdpa *v = container_of(inode->i_cdev, struct vhost_vdpa,
					    cdev);
	int err;

	err = vhost_vdpa_enter(v);
	if (err)
		return err;

	err = v->opened ? -EBUSY : vhost_vdpa_session_start(v);
	if (!err)
		vhost_vdpa_doorbells_open(v, file->f_mapping);
	vhost_vdpa_leave(v);
	if (err)
		return err;

	file->private_data = v;
	return nonseekable_open(inode, file);
}

static int vhost_vdpa_release(struct inode *inode, struct file *file)
{
	struct vhost_vdpa *v = file->private_data;

	mutex_lock(&v->lock);
	if (v->vdpa)
		vhost_vdpa_session_stop(v);
	vhost_vdpa_as_free_all(v);
	if (v->mm)
		mmdrop(v->mm);
	v->mm = NULL;
	v->opened = false;
	put_pid(v->owner);
	v->owner = NULL;
	mutex_unlock(&v->lock);

	return 0;
}

static __poll_t vhost_vdpa_poll(struct file *file, poll_table *wait)
{
	struct vhost_vdpa *v = file->private_data;

	poll_wait(file, &v->wait, wait);

	/* pairs with the wake-up of vhost_vdpa_revoke(), after v->vdpa is cleared */
	if (!READ_ONCE(v->vdpa))
		return EPOLLHUP | EPOLLERR;
	return EPOLLOUT | EPOLLWRNORM;
}

static const struct file_operations vhost_vdpa_fops = {
	.owner = THIS_MODULE,
	.open = vhost_vdpa_open,
	.release = vhost_vdpa_release,
	.write_iter = vhost_vdpa_write_iter,
	.unlocked_ioctl = vhost_vdpa_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = vhost_vdpa_poll,
	.mmap = vhost_vdpa_mmap,
};

/* End the session, if there is one, and every later call through its file. */
static void vhost_vdpa_revoke(struct vhost_vdpa *v)
{
	mutex_lock(&v->lock);
	if (v->opened)
		vhost_vdpa_session_stop(v);
	WRITE_ONCE(v->vdpa, NULL);
	mutex_unlock(&v->lock);

	wake_up_poll(&v->wait, EPOLLHUP | EPOLLERR);
}

static void vhost_vdpa_free(struct device *dev)
{
	struct vhost_vdpa *v = dev_to_vhost_vdpa(dev);

	if (v->minor >= 0)
		ida_free(&vhost_vdpa_minors, v->minor);
	mutex_destroy(&v->msg_lock);
	mutex_destroy(&v->lock);
	mutex_destroy(&v->doorbell_lock);
	kvfree(v->as);
	kvfree(v->vqs);
	kfree(v);
}

/* A structure that put_device() frees from here on, complete but for its number. */
static struct vhost_vdpa *vhost_vdpa_alloc(struct vdpa_device *vdpa)
{
	struct vhost_vdpa *v;

	v = kzalloc(sizeof(*v), GFP_KERNEL);
	if (!v)
		return NULL;

	v->nvqs = vdpa->nvqs;
	v->nas = vdpa->nas;
	v->vqs = kvcalloc(v->nvqs, sizeof(*v->vqs), GFP_KERNEL);
	v->as = kvcalloc(v->nas, sizeof(*v->as), GFP_KERNEL);
	if (!v->vqs || !v->as) {
		kvfree(v->as);
		kvfree(v->vqs);
		kfree(v);
		return NULL;
	}

	init_waitqueue_head(&v->wait);
	mutex_init(&v->msg_lock);
	mutex_init(&v->lock);
	mutex_init(&v->doorbell_lock);
	spin_lock_init(&v->config_lock);
	v->minor = -1;
	v->vdpa = vdpa;
	v->use_va = vdpa->use_va;
	v->by_table = vhost_vdpa_by_table(vdpa);
	v->config_size = vdpa->config->get_config_size(vdpa);
	vhost_vdpa_vqs_init(v);

	device_initialize(&v->dev);
	v->dev.parent = &vdpa->dev;
	v->dev.release = vhost_vdpa_free;
	return v;
}

static int vhost_vdpa_name(struct vhost_vdpa *v)
{
	v->minor = ida_alloc_max(&vhost_vdpa_minors, VHOST_VDPA_MINORS - 1,
				 GFP_KERNEL);
	if (v->minor < 0)
		return v->minor;

	v->dev.devt = MKDEV(MAJOR(vhost_vdpa_devt), v->minor);
	return dev_set_name(&v->dev, "vhost-vdpa-%d", v->minor);
}

static void vhost_vdpa_isolate(struct vdpa_device *vdpa, bool on)
{
	if (vdpa->config->isolate)
		vdpa->config->isolate(vdpa, on);
}

static int vhost_vdpa_probe(struct vdpa_device *vdpa)
{
	struct vhost_vdpa *v;
	int err;

	/* one IOMMU domain is all there is to translate with */
	if (vhost_vdpa_by_platform(vdpa) &&
	    (vdpa->ngroups > 1 || vdpa->nas > 1))
		return -EOPNOTSUPP;

	v = vhost_vdpa_alloc(vdpa);
	if (!v)
		return -ENOMEM;

	err = vhost_vdpa_name(v);
	if (err)
		goto err_put;

	vhost_vdpa_isolate(vdpa, true);
	vdpa_set_drvdata(vdpa, v);
	cdev_init(&v->cdev, &vhost_vdpa_fops);
	v->cdev.owner = THIS_MODULE;

	/* whoever opens it, from here on, finds it complete */
	err = cdev_device_add(&v->cdev, &v->dev);
	if (err)
		goto err_isolate;
	return 0;

err_isolate:
	/* it may have been opened before its device could not be added */
	vhost_vdpa_revoke(v);
	vdpa_set_drvdata(vdpa, NULL);
	vhost_vdpa_isolate(vdpa, false);
err_put:
	put_device(&v->dev);
	return err;
}

static void vhost_vdpa_remove(struct vdpa_device *vdpa)
{
	struct vhost_vdpa *v = vdpa_get_drvdata(vdpa);

	cdev_device_del(&v->cdev, &v->dev);
	vhost_vdpa_revoke(v);
	vdpa_set_drvdata(vdpa, NULL);
	vhost_vdpa_isolate(vdpa, false);
	put_device(&v->dev);
}

/* Pinning and unpinning take their time under the lock. */
static bool vhost_vdpa_get_usage(struct vdpa_device *vdpa, struct vdpa_usage *usage)
{
	struct vhost_vdpa *v = vdpa_get_drvdata(vdpa);
	unsigned int i;

	if (!mutex_trylock(&v->lock))
		return false;
	usage->owner = get_pid(v->owner);
	usage->pinned_pages = atomic64_read(&v->pinned);
	for (i = 0; i < v->nas; i++)
		if (v->as[i])
			usage->maps += v->as[i]->nr_maps;
	mutex_unlock(&v->lock);
	return true;
}

static struct vdpa_driver vhost_vdpa_driver = {
	.driver = {
		.name = "vhost_vdpa",
	},
	.probe = vhost_vdpa_probe,
	.remove = vhost_vdpa_remove,
	.get_usage = vhost_vdpa_get_usage,
};

static int __init vhost_vdpa_init(void)
{
	int err;

	err = vhost_vdpa_map_init();
	if (err)
		return err;
	err = alloc_chrdev_region(&vhost_vdpa_devt, 0, VHOST_VDPA_MINORS,
				  "vhost-vdpa");
	if (err)
		goto err_map;
	err = vdpa_register_driver(&vhost_vdpa_driver);
	if (err)
		goto err_chrdev;
	return 0;

err_chrdev:
	unregister_chrdev_region(vhost_vdpa_devt, VHOST_VDPA_MINORS);
err_map:
	vhost_vdpa_map_exit();
	return err;
}
module_init(vhost_vdpa_init);

static void __exit vhost_vdpa_exit(void)
{
	vdpa_unregister_driver(&vhost_vdpa_driver);
	unregister_chrdev_region(vhost_vdpa_devt, VHOST_VDPA_MINORS);
	vhost_vdpa_map_exit();
}
module_exit(vhost_vdpa_exit);

MODULE_DESCRIPTION("vDPA devices for userspace");
MODULE_ALIAS("vdpa:vhost_vdpa");
MODULE_LICENSE("GPL");
