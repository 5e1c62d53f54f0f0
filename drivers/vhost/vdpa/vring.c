// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues: where they are, where they stand, and how a kick reaches the parent.
 *
 * A queue is *live*, its kicks go to the parent, while it is ready and the device has
 * DRIVER_OK. A kick eventfd is never read, so it stays readable once it was signalled;
 * a queue that becomes live with a readable eventfd is kicked. At worst that is one
 * kick too many, and no kick that came too early is lost.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/log2.h>
#include <linux/poll.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>
#include <trace/events/vdpa.h>
#include "vhost_vdpa.h"

/**
 * vhost_vdpa_driver_ok() - does the device have DRIVER_OK (section 2.1)
 * @v: device
 *
 * Context: Process context, v->lock held.
 * Return: true if it does.
 */
bool vhost_vdpa_driver_ok(struct vhost_vdpa *v)
{
	lockdep_assert_held(&v->lock);

	return v->vdpa->config->get_status(v->vdpa) & VIRTIO_CONFIG_S_DRIVER_OK;
}

/**
 * vhost_vdpa_running() - may the device be using its queues
 * @v: device
 *
 * Context: Process context, v->lock held.
 * Return: true if it has DRIVER_OK and is not suspended.
 */
bool vhost_vdpa_running(struct vhost_vdpa *v)
{
	return vhost_vdpa_driver_ok(v) && !v->suspended;
}

/* The eventfd was written to: its wait queue is locked, interrupts are off. */
static void vhost_vdpa_kick(struct vhost_vdpa_vq *vq)
{
	struct vdpa_device *vdpa = vq->v->vdpa;

	trace_vdpa_kick(vdpa, vq->index);
	vdpa->config->kick_vq(vdpa, vq->index);
}

static int vhost_vdpa_kick_wake(wait_queue_entry_t *wait, unsigned int mode,
				int sync, void *key)
{
	struct vhost_vdpa_vq *vq = container_of(wait, struct vhost_vdpa_vq,
						kick_wait);

	if ((key_to_poll(key) & EPOLLIN) && vq->live)
		vhost_vdpa_kick(vq);
	return 0;
}

struct vhost_vdpa_kick_poll {
	poll_table table;
	struct vhost_vdpa_vq *vq;
};

static void vhost_vdpa_kick_queue(struct file *file, wait_queue_head_t *wqh,
				  poll_table *table)
{
	struct vhost_vdpa_vq *vq =
		container_of(table, struct vhost_vdpa_kick_poll, table)->vq;

	vq->kick_wqh = wqh;
	init_waitqueue_func_entry(&vq->kick_wait, vhost_vdpa_kick_wake);
	add_wait_queue(wqh, &vq->kick_wait);
}

/* Kick a live queue whose eventfd was signalled, perhaps before anybody listened. */
static void vhost_vdpa_kick_catch_up(struct vhost_vdpa_vq *vq)
{
	if (vq->live && vq->kick && (vfs_poll(vq->kick, NULL) & EPOLLIN))
		vhost_vdpa_kick(vq);
}

static void vhost_vdpa_kick_attach(struct vhost_vdpa_vq *vq, struct file *kick)
{
	struct vhost_vdpa_kick_poll poll = { .vq = vq };

	vq->kick = kick;
	init_poll_funcptr(&poll.table, vhost_vdpa_kick_queue);
	vfs_poll(kick, &poll.table);
	vhost_vdpa_kick_catch_up(vq);
}

/* On return no kick is under way. */
static void vhost_vdpa_kick_detach(struct vhost_vdpa_vq *vq)
{
	if (!vq->kick)
		return;
	remove_wait_queue(vq->kick_wqh, &vq->kick_wait);
	fput(vq->kick);
	vq->kick = NULL;
}

/* On return from making it not live no kick is under way. */
static void vhost_vdpa_vq_set_live(struct vhost_vdpa_vq *vq, bool live)
{
	lockdep_assert_held(&vq->v->lock);

	if (vq->live == live)
		return;

	if (vq->kick) {
		/* shuts out vhost_vdpa_kick_wake() */
		spin_lock_irq(&vq->kick_wqh->lock);
		vq->live = live;
		spin_unlock_irq(&vq->kick_wqh->lock);
	} else {
		vq->live = live;
	}
	vhost_vdpa_kick_catch_up(vq);
}

/**
 * vhost_vdpa_vqs_init() - initialise the queues of a new device
 * @v: device with its array of zeroed queues
 */
void vhost_vdpa_vqs_init(struct vhost_vdpa *v)
{
	u32 i;

	for (i = 0; i < v->nvqs; i++) {
		v->vqs[i].v = v;
		v->vqs[i].index = i;
		spin_lock_init(&v->vqs[i].call_lock);
	}
}

/**
 * vhost_vdpa_vqs_start() - let kicks through, the device has DRIVER_OK
 * @v: device
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_vqs_start(struct vhost_vdpa *v)
{
	u32 i;

	for (i = 0; i < v->nvqs; i++)
		vhost_vdpa_vq_set_live(&v->vqs[i], v->vqs[i].ready);
}

/**
 * vhost_vdpa_vqs_quiesce() - keep kicks from the parent
 * @v: device
 *
 * Context: Process context, v->lock held. On return no kick is under way.
 */
void vhost_vdpa_vqs_quiesce(struct vhost_vdpa *v)
{
	u32 i;

	for (i = 0; i < v->nvqs; i++)
		vhost_vdpa_vq_set_live(&v->vqs[i], false);
}

/**
 * vhost_vdpa_vqs_reset() - note that a reset stopped all queues
 * @v: device
 *
 * Eventfds stay.
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_vqs_reset(struct vhost_vdpa *v)
{
	u32 i;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < v->nvqs; i++)
		v->vqs[i].ready = false;
}

/**
 * vhost_vdpa_vqs_detach() - let go of every kick eventfd
 * @v: device
 *
 * Context: Process context, v->lock held.
 */
void vhost_vdpa_vqs_detach(struct vhost_vdpa *v)
{
	u32 i;

	lockdep_assert_held(&v->lock);

	for (i = 0; i < v->nvqs; i++)
		vhost_vdpa_kick_detach(&v->vqs[i]);
}

/**
 * vhost_vdpa_set_vring_kick() - VHOST_SET_VRING_KICK
 * @v: device
 * @arg: queue and eventfd, or VHOST_FILE_UNBIND for none
 *
 * Context: Process context, v->lock held.
 * Return: 0, -EBADF, or -EINVAL for a file that is no eventfd.
 */
long vhost_vdpa_set_vring_kick(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	struct vhost_vdpa_vq *vq = &v->vqs[arg->file.index];
	struct file *kick = NULL;

	if (arg->file.fd != VHOST_FILE_UNBIND) {
		kick = eventfd_fget(arg->file.fd);
		if (IS_ERR(kick))
			return PTR_ERR(kick);
	}

	vhost_vdpa_kick_detach(vq);
	if (kick)
		vhost_vdpa_kick_attach(vq, kick);
	return 0;
}

/*
 * May the device be using a queue? One that is not enabled it does not, if single queues
 * can be reset (section 2.6.1); otherwise parents set queues up before DRIVER_OK only.
 */
static bool vhost_vdpa_vq_running(struct vhost_vdpa *v, u32 index)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;

	if (!vhost_vdpa_running(v))
		return false;
	return !ops->reset_vq || ops->get_vq_ready(v->vdpa, index) ||
	       !(ops->get_driver_features(v->vdpa) & BIT_ULL(VIRTIO_F_RING_RESET));
}

/**
 * vhost_vdpa_set_vring_num() - VHOST_SET_VRING_NUM
 * @v: device
 * @arg: queue and its size in entries
 *
 * Context: Process context, v->lock held.
 * Return: 0; -EBUSY while the queue runs; -EINVAL unless the size is a power of two
 *	that the device can have.
 */
long vhost_vdpa_set_vring_num(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	u32 num = arg->state.num;

	if (vhost_vdpa_vq_running(v, arg->state.index))
		return -EBUSY;
	if (!is_power_of_2(num) || num > ops->get_vq_num_max(v->vdpa))
		return -EINVAL;

	ops->set_vq_num(v->vdpa, arg->state.index, num);
	return 0;
}

/**
 * vhost_vdpa_set_vring_addr() - VHOST_SET_VRING_ADDR
 * @v: device
 * @arg: queue and the IOVAs of its areas. Dirty logging may be asked for, to no
 *	effect.
 *
 * Context: Process context, v->lock held.
 * Return: 0; -EOPNOTSUPP for unknown flags; -EINVAL for misaligned areas (sections
 *	2.7 and 2.8), while the queue runs, or when the parent refuses.
 */
long vhost_vdpa_set_vring_addr(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	const struct vhost_vring_addr *addr = &arg->addr;

	if (addr->flags & ~BIT(VHOST_VRING_F_LOG))
		return -EOPNOTSUPP;
	if (!IS_ALIGNED(addr->avail_user_addr, VRING_AVAIL_ALIGN_SIZE) ||
	    !IS_ALIGNED(addr->used_user_addr, VRING_USED_ALIGN_SIZE) ||
	    !IS_ALIGNED(addr->log_guest_addr, VRING_USED_ALIGN_SIZE))
		return -EINVAL;
	if (vhost_vdpa_vq_running(v, addr->index))
		return -EINVAL;
	if (v->vdpa->config->set_vq_address(v->vdpa, addr->index,
					    addr->desc_user_addr,
					    addr->avail_user_addr,
					    addr->used_user_addr))
		return -EINVAL;
	trace_vdpa_vq_address(v->vdpa, addr->index, addr->desc_user_addr,
			      addr->avail_user_addr, addr->used_user_addr);
	return 0;
}

static bool vhost_vdpa_packed(struct vhost_vdpa *v)
{
	return v->vdpa->config->get_driver_features(v->vdpa) &
	       BIT_ULL(VIRTIO_F_RING_PACKED);
}

/* A packed position is two 16 bit words, each an index below a wrap counter. */
#define VHOST_VDPA_WRAP_SHIFT 15
#define VHOST_VDPA_USED_SHIFT 16
#define VHOST_VDPA_INDEX_MASK GENMASK(VHOST_VDPA_WRAP_SHIFT - 1, 0)

static u32 vhost_vdpa_pack(u16 index, u16 wrap)
{
	return index | (u32)wrap << VHOST_VDPA_WRAP_SHIFT;
}

/**
 * vhost_vdpa_set_vring_base() - VHOST_SET_VRING_BASE
 * @v: device
 * @arg: queue and its position
 *
 * Context: Process context, v->lock held.
 * Return: 0; -EINVAL while the queue runs or for a position that is none; or the
 *	parent's refusal.
 */
long vhost_vdpa_set_vring_base(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	struct vdpa_vq_state state = {};
	u32 num = arg->state.num;
	u32 used = num >> VHOST_VDPA_USED_SHIFT;

	if (vhost_vdpa_vq_running(v, arg->state.index))
		return -EINVAL;

	if (vhost_vdpa_packed(v)) {
		state.packed.last_avail_idx = num & VHOST_VDPA_INDEX_MASK;
		state.packed.last_avail_counter =
			!!(num & BIT(VHOST_VDPA_WRAP_SHIFT));
		state.packed.last_used_idx = used & VHOST_VDPA_INDEX_MASK;
		state.packed.last_used_counter =
			!!(used & BIT(VHOST_VDPA_WRAP_SHIFT));
	} else {
		if (num > U16_MAX)
			return -EINVAL;
		state.split.avail_index = num;
	}
	return v->vdpa->config->set_vq_state(v->vdpa, arg->state.index, &state);
}

/**
 * vhost_vdpa_get_vring_base() - VHOST_GET_VRING_BASE
 * @v: device
 * @arg: queue; receives its position, encoded as vhost_vdpa_set_vring_base() takes it
 *
 * Context: Process context, v->lock held.
 * Return: 0 or the parent's error.
 */
long vhost_vdpa_get_vring_base(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	struct vdpa_vq_state state = {};
	int err;

	err = v->vdpa->config->get_vq_state(v->vdpa, arg->state.index, &state);
	if (err)
		return err;

	if (vhost_vdpa_packed(v))
		arg->state.num =
			vhost_vdpa_pack(state.packed.last_avail_idx,
					state.packed.last_avail_counter) |
			vhost_vdpa_pack(state.packed.last_used_idx,
					state.packed.last_used_counter)
				<< VHOST_VDPA_USED_SHIFT;
	else
		arg->state.num = state.split.avail_index;
	return 0;
}

/**
 * vhost_vdpa_set_vring_enable() - VHOST_VDPA_SET_VRING_ENABLE
 * @v: device
 * @arg: queue, and whether it shall be ready
 *
 * Context: Process context, v->lock held.
 * Return: 0.
 */
long vhost_vdpa_set_vring_enable(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	struct vhost_vdpa_vq *vq = &v->vqs[arg->state.index];
	bool ready = arg->state.num;

	if (!ready)
		vhost_vdpa_vq_set_live(vq, false);
	trace_vdpa_vq_ready(v->vdpa, vq->index, ready);
	v->vdpa->config->set_vq_ready(v->vdpa, vq->index, ready);
	vq->ready = ready;
	if (ready)
		vhost_vdpa_vq_set_live(vq, vhost_vdpa_driver_ok(v));
	return 0;
}

/* Report a group that the parent named, unless it does not exist. */
static long vhost_vdpa_report_group(struct vhost_vdpa *v,
				    union vhost_vdpa_arg *arg, u32 group)
{
	if (group >= v->vdpa->ngroups)
		return -EIO;
	arg->state.num = group;
	return 0;
}

/**
 * vhost_vdpa_get_vring_group() - VHOST_VDPA_GET_VRING_GROUP
 * @v: device
 * @arg: queue; receives its group
 *
 * Context: Process context, v->lock held.
 * Return: 0; -EOPNOTSUPP when the parent does not tell; -EIO when it lies.
 */
long vhost_vdpa_get_vring_group(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;

	if (!ops->get_vq_group)
		return -EOPNOTSUPP;
	return vhost_vdpa_report_group(v, arg,
				       ops->get_vq_group(v->vdpa,
							 arg->state.index));
}

/**
 * vhost_vdpa_get_vring_desc_group() - VHOST_VDPA_GET_VRING_DESC_GROUP
 * @v: device
 * @arg: queue; receives the group of its ring areas
 *
 * Context: Process context, v->lock held.
 * Return: 0; -EOPNOTSUPP when it is always the queue's own; -EIO when the parent lies.
 */
long vhost_vdpa_get_vring_desc_group(struct vhost_vdpa *v,
				     union vhost_vdpa_arg *arg)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;

	if (!ops->get_vq_desc_group)
		return -EOPNOTSUPP;
	return vhost_vdpa_report_group(v, arg,
				       ops->get_vq_desc_group(v->vdpa,
							      arg->state.index));
}

/**
 * vhost_vdpa_get_vring_size() - VHOST_VDPA_GET_VRING_SIZE
 * @v: device
 * @arg: queue; receives its largest size in entries
 *
 * Context: Process context, v->lock held.
 * Return: 0, or -EOPNOTSUPP when queues do not differ in that.
 */
long vhost_vdpa_get_vring_size(struct vhost_vdpa *v, union vhost_vdpa_arg *arg)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;

	if (!ops->get_vq_size)
		return -EOPNOTSUPP;
	arg->state.num = ops->get_vq_size(v->vdpa, arg->state.index);
	return 0;
}
