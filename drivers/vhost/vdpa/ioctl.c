// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: one table, and the handlers of those that concern the device as a whole.
 *
 * The dispatcher copies arguments between user and kernel memory with no lock held;
 * a handler sees one consistent copy, checked for what its row's flags say.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <uapi/linux/vhost_vdpa.h>
#include <uapi/linux/virtio_config.h>
#include "vhost_vdpa.h"

/* what this driver does by itself, whatever the parent can do */
#define VHOST_VDPA_BACKEND_FEATURES				\
	(BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2) |		\
	 BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH) |			\
	 BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID) |			\
	 BIT_ULL(VHOST_BACKEND_F_IOTLB_ERRNO))

/* Ownership */

static long vhost_vdpa_bind_mm(struct vhost_vdpa *v)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	int err;

	if (!v->use_va || !ops->bind_mm)
		return 0;
	err = ops->bind_mm(v->vdpa, current->mm);
	if (err)
		return err;
	v->mm_bound = !!ops->unbind_mm;
	return 0;
}

static long vhost_vdpa_set_owner(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	long err;

	if (v->mm)
		return -EBUSY;
	err = vhost_vdpa_bind_mm(v);
	if (err)
		return err;

	mmgrab(current->mm);
	WRITE_ONCE(v->mm, current->mm);
	return 0;
}

/* There is no dirty log that would need it; the table is looked at and forgotten. */
static long vhost_vdpa_set_mem_table(struct vhost_vdpa *v,
				     union vhost_vdpa_arg *arg)
{
	return arg->memory.padding ? -EOPNOTSUPP : 0;
}

/* Identity and sizes */

static long vhost_vdpa_get_device_id(struct vhost_vdpa *v,
				     union vhost_vdpa_arg *arg)
{
	arg->u32 = v->vdpa->config->get_device_id(v->vdpa);
	return 0;
}

static long vhost_vdpa_get_vring_num(struct vhost_vdpa *v,
				     union vhost_vdpa_arg *arg)
{
	arg->u16 = v->vdpa->config->get_vq_num_max(v->vdpa);
	return 0;
}

static long vhost_vdpa_get_iova_range(struct vhost_vdpa *v,
				      union vhost_vdpa_arg *arg)
{
	arg->range = v->range;
	return 0;
}

static long vhost_vdpa_get_config_size(struct vhost_vdpa *v,
				       union vhost_vdpa_arg *arg)
{
	arg->u32 = v->config_size;
	return 0;
}

static long vhost_vdpa_get_as_num(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	arg->u32 = v->vdpa->nas;
	return 0;
}

static long vhost_vdpa_get_group_num(struct vhost_vdpa *v,
				     union vhost_vdpa_arg *arg)
{
	arg->u32 = v->vdpa->ngroups;
	return 0;
}

static long vhost_vdpa_get_vqs_count(struct vhost_vdpa *v,
				     union vhost_vdpa_arg *arg)
{
	arg->u32 = v->nvqs;
	return 0;
}

/* Features */

static long vhost_vdpa_get_features(struct vhost_vdpa *v,
				    union vhost_vdpa_arg *arg)
{
	arg->u64 = v->vdpa->config->get_device_features(v->vdpa);
	return 0;
}

static long vhost_vdpa_set_features(struct vhost_vdpa *v,
				    union vhost_vdpa_arg *arg)
{
	/* section 2.2: not any more once FEATURES_OK is set */
	if (v->vdpa->config->get_status(v->vdpa) & VIRTIO_CONFIG_S_FEATURES_OK)
		return -EBUSY;
	return vdpa_set_features(v->vdpa, arg->u64) ? -EINVAL : 0;
}

/* What this driver and the parent do together. */
static u64 vhost_vdpa_backend_features(const struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	u64 features = VHOST_VDPA_BACKEND_FEATURES;

	if (ops->get_backend_features)
		features |= ops->get_backend_features(vdpa);
	if (ops->suspend)
		features |= BIT_ULL(VHOST_BACKEND_F_SUSPEND);
	if (ops->resume)
		features |= BIT_ULL(VHOST_BACKEND_F_RESUME);
	if (ops->get_vq_desc_group)
		features |= BIT_ULL(VHOST_BACKEND_F_DESC_ASID);
	if (ops->reset_map || vhost_vdpa_by_platform(vdpa))
		features |= BIT_ULL(VHOST_BACKEND_F_IOTLB_PERSIST);
	return features;
}

static long vhost_vdpa_get_backend_features(struct vhost_vdpa *v,
					    union vhost_vdpa_arg *arg)
{
	arg->u64 = vhost_vdpa_backend_features(v->vdpa);
	return 0;
}

static long vhost_vdpa_set_backend_features(struct vhost_vdpa *v,
					    union vhost_vdpa_arg *arg)
{
	u64 features = arg->u64;

	if (features & ~vhost_vdpa_backend_features(v->vdpa))
		return -EOPNOTSUPP;
	if ((features & BIT_ULL(VHOST_BACKEND_F_DESC_ASID)) &&
	    !(features & BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)))
		return -EINVAL;

	v->backend_features = features;
	return 0;
}

/* Status */

static long vhost_vdpa_get_status(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	arg->u8 = v->vdpa->config->get_status(v->vdpa);
	return 0;
}

static long vhost_vdpa_set_status(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	u8 old = v->vdpa->config->get_status(v->vdpa);
	u8 status = arg->u8;

	if (!status)
		return vhost_vdpa_reset(v);
	/* section 2.1.1: a driver must not clear a bit */
	if (old & ~status)
		return -EINVAL;

	vdpa_set_status(v->vdpa, status);
	if (vhost_vdpa_driver_ok(v)) {
		vhost_vdpa_irqs_start(v);
		vhost_vdpa_vqs_start(v);
	}
	return 0;
}

static long vhost_vdpa_suspend(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	int err;

	if (!vhost_vdpa_driver_ok(v))
		return 0;
	if (!ops->suspend)
		return -EOPNOTSUPP;

	err = ops->suspend(v->vdpa);
	if (!err)
		v->suspended = true;
	return err;
}

static long vhost_vdpa_resume(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	int err;

	if (!vhost_vdpa_driver_ok(v))
		return 0;
	if (!ops->resume)
		return -EOPNOTSUPP;

	err = ops->resume(v->vdpa);
	if (!err)
		v->suspended = false;
	return err;
}

static long vhost_vdpa_set_group_asid(struct vhost_vdpa *v,
				      union vhost_vdpa_arg *arg)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	struct vhost_vring_state *s = &arg->state;

	if (s->index >= v->vdpa->ngroups || s->num >= v->vdpa->nas)
		return -EINVAL;
	if (vhost_vdpa_driver_ok(v))
		return -EBUSY;
	if (!ops->set_group_asid)
		return -EOPNOTSUPP;

	return ops->set_group_asid(v->vdpa,
				   array_index_nospec(s->index, v->vdpa->ngroups),
				   array_index_nospec(s->num, v->vdpa->nas));
}

/* Configuration space */

/* Copy in the header of a request; the range must lie inside the space. */
static long vhost_vdpa_config_range(struct vhost_vdpa *v, void __user *argp,
				    struct vhost_vdpa_config *range)
{
	if (copy_from_user(range, argp, offsetof(struct vhost_vdpa_config, buf)))
		return -EFAULT;
	if (!range->len || range->off > v->config_size ||
	    range->len > v->config_size - range->off)
		return -EINVAL;
	return 0;
}

static long vhost_vdpa_get_config(struct vhost_vdpa *v,
				  struct vhost_vdpa_config __user *argp)
{
	struct vhost_vdpa_config range;
	void *buf;
	long err;

	err = vhost_vdpa_config_range(v, argp, &range);
	if (err)
		return err;

	/* zeroed, lest a parent that fills less than asked for leaks memory */
	buf = kvzalloc(range.len, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;

	err = vhost_vdpa_enter(v);
	if (err)
		goto out;
	vdpa_get_config(v->vdpa, range.off, buf, range.len);
	vhost_vdpa_leave(v);

	if (copy_to_user(argp->buf, buf, range.len))
		err = -EFAULT;
out:
	kvfree(buf);
	return err;
}

static long vhost_vdpa_set_config(struct vhost_vdpa *v,
				  struct vhost_vdpa_config __user *argp)
{
	struct vhost_vdpa_config range;
	void *buf;
	long err;

	err = vhost_vdpa_config_range(v, argp, &range);
	if (err)
		return err;

	buf = kvmalloc(range.len, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	if (copy_from_user(buf, argp->buf, range.len)) {
		err = -EFAULT;
		goto out;
	}

	err = vhost_vdpa_enter(v);
	if (err)
		goto out;
	vdpa_set_config(v->vdpa, range.off, buf, range.len);
	vhost_vdpa_leave(v);
out:
	kvfree(buf);
	return err;
}

/* Dispatch */

/* only the owner may */
#define VHOST_VDPA_OWNER BIT(0)
/* the owner's, and the argument starts with the index of a queue */
#define VHOST_VDPA_VRING (VHOST_VDPA_OWNER | BIT(1))

/**
 * struct vhost_vdpa_ioctl_row - one ioctl
 * @cmd: its number, which says too how large the argument is and which way it goes
 * @flags: VHOST_VDPA_OWNER or VHOST_VDPA_VRING
 * @handler: called with v->lock held, the device present
 */
struct vhost_vdpa_ioctl_row {
	unsigned int cmd;
	unsigned int flags;
	long (*handler)(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
};

static const struct vhost_vdpa_ioctl_row vhost_vdpa_ioctls[] = {
	{ VHOST_SET_OWNER, 0, vhost_vdpa_set_owner },
	{ VHOST_SET_MEM_TABLE, VHOST_VDPA_OWNER, vhost_vdpa_set_mem_table },
	{ VHOST_GET_FEATURES, 0, vhost_vdpa_get_features },
	{ VHOST_SET_FEATURES, 0, vhost_vdpa_set_features },
	{ VHOST_GET_BACKEND_FEATURES, 0, vhost_vdpa_get_backend_features },
	{ VHOST_SET_BACKEND_FEATURES, 0, vhost_vdpa_set_backend_features },

	{ VHOST_SET_VRING_NUM, VHOST_VDPA_VRING, vhost_vdpa_set_vring_num },
	{ VHOST_SET_VRING_ADDR, VHOST_VDPA_VRING, vhost_vdpa_set_vring_addr },
	{ VHOST_SET_VRING_BASE, VHOST_VDPA_VRING, vhost_vdpa_set_vring_base },
	{ VHOST_GET_VRING_BASE, VHOST_VDPA_VRING, vhost_vdpa_get_vring_base },
	{ VHOST_SET_VRING_KICK, VHOST_VDPA_VRING, vhost_vdpa_set_vring_kick },
	{ VHOST_SET_VRING_CALL, VHOST_VDPA_VRING, vhost_vdpa_set_vring_call },
	{ VHOST_SET_VRING_ERR, VHOST_VDPA_VRING, vhost_vdpa_set_vring_err },

	{ VHOST_VDPA_GET_DEVICE_ID, 0, vhost_vdpa_get_device_id },
	{ VHOST_VDPA_GET_STATUS, 0, vhost_vdpa_get_status },
	{ VHOST_VDPA_SET_STATUS, 0, vhost_vdpa_set_status },
	{ VHOST_VDPA_SET_VRING_ENABLE, VHOST_VDPA_VRING,
	  vhost_vdpa_set_vring_enable },
	{ VHOST_VDPA_GET_VRING_NUM, 0, vhost_vdpa_get_vring_num },
	{ VHOST_VDPA_SET_CONFIG_CALL, 0, vhost_vdpa_set_config_call },
	{ VHOST_VDPA_GET_IOVA_RANGE, 0, vhost_vdpa_get_iova_range },
	{ VHOST_VDPA_GET_CONFIG_SIZE, 0, vhost_vdpa_get_config_size },
	{ VHOST_VDPA_GET_AS_NUM, 0, vhost_vdpa_get_as_num },
	{ VHOST_VDPA_GET_VRING_GROUP, VHOST_VDPA_VRING,
	  vhost_vdpa_get_vring_group },
	{ VHOST_VDPA_SET_GROUP_ASID, VHOST_VDPA_OWNER,
	  vhost_vdpa_set_group_asid },
	{ VHOST_VDPA_SUSPEND, 0, vhost_vdpa_suspend },
	{ VHOST_VDPA_RESUME, 0, vhost_vdpa_resume },
	{ VHOST_VDPA_GET_VRING_DESC_GROUP, VHOST_VDPA_VRING,
	  vhost_vdpa_get_vring_desc_group },
	{ VHOST_VDPA_GET_VQS_COUNT, 0, vhost_vdpa_get_vqs_count },
	{ VHOST_VDPA_GET_GROUP_NUM, 0, vhost_vdpa_get_group_num },
	{ VHOST_VDPA_GET_VRING_SIZE, VHOST_VDPA_VRING,
	  vhost_vdpa_get_vring_size },
};

static long vhost_vdpa_check_index(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	if (arg->index >= v->nvqs)
		return -ENOBUFS;
	arg->index = array_index_nospec(arg->index, v->nvqs);
	return 0;
}

static long vhost_vdpa_call_row(struct vhost_vdpa *v,
				const struct vhost_vdpa_ioctl_row *row,
				void __user *argp)
{
	size_t size = _IOC_SIZE(row->cmd);
	union vhost_vdpa_arg arg = {};
	long err;

	if ((_IOC_DIR(row->cmd) & _IOC_WRITE) &&
	    copy_from_user(&arg, argp, size))
		return -EFAULT;

	err = vhost_vdpa_enter(v);
	if (err)
		return err;
	if (row->flags == VHOST_VDPA_VRING)
		err = vhost_vdpa_check_index(v, &arg);
	if (!err)
		err = row->handler(v, &arg);
	vhost_vdpa_leave(v);
	if (err)
		return err;

	if ((_IOC_DIR(row->cmd) & _IOC_READ) && copy_to_user(argp, &arg, size))
		return -EFAULT;
	return 0;
}

/*
 * A request that vhost knows for other backends only. All of those are the owner's and
 * concern a queue, so say first, as they would, what is wrong with that.
 */
static long vhost_vdpa_unknown(struct vhost_vdpa *v, void __user *argp)
{
	union vhost_vdpa_arg arg;
	long err;

	if (get_user(arg.index, (unsigned int __user *)argp))
		return -EFAULT;
	err = vhost_vdpa_check_index(v, &arg);
	return err ?: -ENOIOCTLCMD;
}

static bool vhost_vdpa_is_log(unsigned int cmd)
{
	return cmd == VHOST_SET_LOG_BASE || cmd == VHOST_SET_LOG_FD;
}

/**
 * vhost_vdpa_ioctl() - act on an ioctl
 * @file: open file
 * @cmd: request
 * @arg: user address of its argument
 *
 * Context: Process context. Takes and releases v->lock.
 * Return: 0 or -errno: -ENODEV once the device is gone; -EPERM for what only the owner
 *	may do; -EFAULT; -ENOBUFS for a queue that does not exist; -ENOIOCTLCMD for an
 *	unknown request; or what the handler says.
 */
long vhost_vdpa_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vhost_vdpa *v = file->private_data;
	void __user *argp = (void __user *)arg;
	const struct vhost_vdpa_ioctl_row *row = NULL;
	unsigned int i;

	if (!READ_ONCE(v->vdpa))
		return -ENODEV;
	if (cmd == VHOST_VDPA_GET_CONFIG)
		return vhost_vdpa_get_config(v, argp);
	if (cmd == VHOST_VDPA_SET_CONFIG)
		return vhost_vdpa_set_config(v, argp);

	for (i = 0; !row && i < ARRAY_SIZE(vhost_vdpa_ioctls); i++)
		if (vhost_vdpa_ioctls[i].cmd == cmd)
			row = &vhost_vdpa_ioctls[i];

	/* nobody else can become the owner, or cease to be, behind the caller's back */
	if ((!row || row->flags & VHOST_VDPA_OWNER) &&
	    READ_ONCE(v->mm) != current->mm)
		return -EPERM;
	if (vhost_vdpa_is_log(cmd))
		return -ENOIOCTLCMD;
	if (!row)
		return vhost_vdpa_unknown(v, argp);
	return vhost_vdpa_call_row(v, row, argp);
}
