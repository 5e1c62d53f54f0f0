// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages: what write(2) takes, which address space it goes to, and batches.
 *
 * A message either takes effect or leaves everything as it was. Changes made between
 * BATCH_BEGIN and BATCH_END reach a parent that is told tables at the end, all at once;
 * when it refuses them there, they are all taken back. Other parents, and the platform
 * IOMMU, follow at each message.
 */
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <uapi/linux/vhost_vdpa.h>
#include "vhost_vdpa.h"

static unsigned int max_iotlb_entries = 2048;
module_param(max_iotlb_entries, uint, 0444);
MODULE_PARM_DESC(max_iotlb_entries,
		 "Maps that userspace may have in one address space (default: 2048)");

/*
 * The address space that a message is about. The first one that gives it something
 * creates it; it is an error to take away from one that does not exist.
 */
static struct vhost_vdpa_as *vhost_vdpa_msg_as(struct vhost_vdpa *v, u32 asid, u8 type)
{
	lockdep_assert_held(&v->lock);

	if (asid >= v->vdpa->nas)
		return ERR_PTR(-EINVAL);
	asid = array_index_nospec(asid, v->vdpa->nas);
	if (v->in_batch && v->batch_asid != asid)
		return ERR_PTR(-EINVAL);

	return vhost_vdpa_as_get(v, asid, type == VHOST_IOTLB_UPDATE ||
					  type == VHOST_IOTLB_BATCH_BEGIN);
}

/* Tell the parent now, unless it is to be told at the end of the batch. */
static int vhost_vdpa_apply(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	if (v->in_batch && vhost_vdpa_by_table(v))
		return 0;
	return vhost_vdpa_as_commit(v, as);
}

/* Is [msg->iova, @last] free, and something the device can address? */
static int vhost_vdpa_check_update(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				   const struct vhost_iotlb_msg *msg, u64 last)
{
	lockdep_assert_held(&v->lock);

	if (!msg->perm || (msg->perm & ~VHOST_ACCESS_RW))
		return -EINVAL;
	if (msg->iova < v->range.first || last > v->range.last)
		return -EINVAL;
	if (as->nr_maps >= max_iotlb_entries)
		return -ENOSPC;
	if (vhost_vdpa_as_busy(as, msg->iova, last))
		return -EEXIST;
	return 0;
}

/*
 * Gathering the memory may take page faults, so v->lock is dropped for that. Meanwhile
 * the address space stays as it is, for v->msg_lock is held, unless the device goes
 * away and all is lost anyway.
 */
static int vhost_vdpa_update(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			     const struct vhost_iotlb_msg *msg, u64 last)
	__must_hold(&v->lock)
{
	LIST_HEAD(maps);
	int err;

	err = vhost_vdpa_check_update(v, as, msg, last);
	if (err)
		return err;

	mutex_unlock(&v->lock);
	err = vhost_vdpa_gather(v, &maps, msg);
	mutex_lock(&v->lock);
	if (!v->vdpa) {
		vhost_vdpa_ungather(v, &maps);
		return -ENODEV;
	}
	if (err)
		return err;

	vhost_vdpa_as_add(v, as, &maps);
	return vhost_vdpa_apply(v, as);
}

static int vhost_vdpa_invalidate(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				 const struct vhost_iotlb_msg *msg, u64 last)
{
	int err;

	err = vhost_vdpa_as_remove(v, as, msg->iova, last);
	if (err)
		return err;
	return vhost_vdpa_apply(v, as);
}

static int vhost_vdpa_batch_end(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	if (!v->in_batch)
		return 0;
	v->in_batch = false;
	return vhost_vdpa_as_commit(v, as);
}

static int vhost_vdpa_serve(struct vhost_vdpa *v, u32 asid,
			    const struct vhost_iotlb_msg *msg)
	__must_hold(&v->lock)
{
	struct vhost_vdpa_as *as;
	u64 last;

	lockdep_assert_held(&v->msg_lock);

	if (v->mm != current->mm)
		return -EPERM;
	as = vhost_vdpa_msg_as(v, asid, msg->type);
	if (IS_ERR(as))
		return PTR_ERR(as);

	switch (msg->type) {
	case VHOST_IOTLB_UPDATE:
		if (check_add_overflow(msg->iova, msg->size - 1, &last))
			return -EINVAL;
		return vhost_vdpa_update(v, as, msg, last);
	case VHOST_IOTLB_INVALIDATE:
		if (check_add_overflow(msg->iova, msg->size - 1, &last))
			return -EINVAL;
		return vhost_vdpa_invalidate(v, as, msg, last);
	case VHOST_IOTLB_BATCH_BEGIN:
		v->in_batch = true;
		v->batch_asid = as->id;
		return 0;
	case VHOST_IOTLB_BATCH_END:
		return vhost_vdpa_batch_end(v, as);
	default:
		return -EINVAL;
	}
}

/* Framing */

/**
 * union vhost_vdpa_frame - a message in either of its two wrappings
 * @type: VHOST_IOTLB_MSG or VHOST_IOTLB_MSG_V2
 * @v1: without an address space
 * @v2: with one
 */
union vhost_vdpa_frame {
	u32 type;
	struct vhost_msg v1;
	struct vhost_msg_v2 v2;
};

/*
 * Take one frame. Its padding may be missing at the end of what was written; of a frame
 * that is not the last, it may not.
 */
static int vhost_vdpa_get_frame(struct iov_iter *from,
				union vhost_vdpa_frame *frame)
{
	size_t size = min(iov_iter_count(from), sizeof(*frame));

	/* so one copy gets either */
	static_assert(sizeof(frame->v1) == sizeof(frame->v2));
	static_assert(offsetofend(struct vhost_msg, iotlb) ==
		      offsetofend(struct vhost_msg_v2, iotlb));

	if (size < offsetofend(struct vhost_msg, iotlb) ||
	    !copy_from_iter_full(frame, size, from))
		return -EINVAL;
	if (frame->type != VHOST_IOTLB_MSG && frame->type != VHOST_IOTLB_MSG_V2)
		return -EINVAL;
	return 0;
}

/* An update or invalidation of nothing is a mistake, not one of everything. */
static bool vhost_vdpa_msg_empty(const struct vhost_iotlb_msg *msg)
{
	return !msg->size && (msg->type == VHOST_IOTLB_UPDATE ||
			      msg->type == VHOST_IOTLB_INVALIDATE);
}

/* vhost has one answer for whatever goes wrong with a well-formed message. */
static int vhost_vdpa_msg_error(struct vhost_vdpa *v, int err)
{
	if (!err || err == -ENODEV ||
	    (v->backend_features & BIT_ULL(VHOST_BACKEND_F_IOTLB_ERRNO)))
		return err;
	return -EFAULT;
}

static int vhost_vdpa_serve_frame(struct vhost_vdpa *v, struct iov_iter *from)
{
	union vhost_vdpa_frame frame;
	const struct vhost_iotlb_msg *msg;
	u32 asid = 0;
	int err;

	err = vhost_vdpa_get_frame(from, &frame);
	if (err)
		return err;
	msg = frame.type == VHOST_IOTLB_MSG ? &frame.v1.iotlb : &frame.v2.iotlb;
	if (vhost_vdpa_msg_empty(msg))
		return -EINVAL;

	err = vhost_vdpa_enter(v);
	if (err)
		return err;
	if (frame.type == VHOST_IOTLB_MSG_V2 &&
	    (v->backend_features & BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)))
		asid = frame.v2.asid;
	err = vhost_vdpa_serve(v, asid, msg);
	err = vhost_vdpa_msg_error(v, err);
	vhost_vdpa_leave(v);
	return err;
}

/**
 * vhost_vdpa_write_iter() - serve IOTLB messages
 * @iocb: open file
 * @from: one message or several, in the order in which they shall take effect
 *
 * Stops at the first message that fails.
 *
 * Context: Process context. Takes and releases v->msg_lock and v->lock.
 * Return: bytes of the messages that took effect; if there are none, -EINVAL for a bad
 *	frame, -ENODEV when the device is gone, -EINTR, or -EFAULT for a message that
 *	could not be served, for which VHOST_BACKEND_F_IOTLB_ERRNO gives the reason.
 */
ssize_t vhost_vdpa_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct vhost_vdpa *v = iocb->ki_filp->private_data;
	size_t before, done = 0;
	int err;

	err = mutex_lock_killable(&v->msg_lock);
	if (err)
		return err;

	do {
		before = iov_iter_count(from);
		err = vhost_vdpa_serve_frame(v, from);
		if (!err)
			done += before - iov_iter_count(from);
		cond_resched();
	} while (!err && iov_iter_count(from));

	mutex_unlock(&v->msg_lock);
	return done ?: err;
}
