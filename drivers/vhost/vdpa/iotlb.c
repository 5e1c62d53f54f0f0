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
#include <trace/events/vdpa.h>
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

	if (asid >= v->nas)
		return ERR_PTR(-EINVAL);
	asid = array_index_nospec(asid, v->nas);
	if (v->in_batch && v->batch_asid != asid)
		return ERR_PTR(-EINVAL);

	return vhost_vdpa_as_get(v, asid, type == VHOST_IOTLB_UPDATE ||
					  type == VHOST_IOTLB_BATCH_BEGIN);
}

/* Tell a parent that is told many changes at once, now or at the end of the batch. */
static int vhost_vdpa_apply(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	if (v->in_batch || !v->by_table)
		return 0;
	return vhost_vdpa_as_commit(v, as);
}

/* What can be said of an update before its memory is looked at. */
static int vhost_vdpa_check_update(const struct vhost_iotlb_msg *msg)
{
	u64 last, end;

	if (!msg->size || check_add_overflow(msg->iova, msg->size - 1, &last))
		return -EINVAL;
	if (check_add_overflow(msg->uaddr, msg->size, &end) || end > ULONG_MAX)
		return -EINVAL;
	if (!msg->perm || (msg->perm & ~VHOST_ACCESS_RW))
		return -EINVAL;
	return 0;
}

/* Is [msg->iova, @last] free, and something the device can address? */
static int vhost_vdpa_check_place(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				  const struct vhost_iotlb_msg *msg)
{
	u64 last = msg->iova + (msg->size - 1);

	lockdep_assert_held(&v->lock);

	if (msg->iova < v->range.first || last > v->range.last)
		return -EINVAL;
	if (as->nr_maps >= max_iotlb_entries)
		return -ENOSPC;
	if (vhost_vdpa_as_busy(as, msg->iova, last))
		return -EEXIST;
	return 0;
}

/**
 * struct vhost_vdpa_chunk - messages that are served in one go
 * @frames: array of them
 * @nr: how many
 * @next: the one to be served
 * @first: the first of those whose memory was gathered
 * @gathered: the first after @next whose memory was not gathered yet, if it is an update
 * @maps: the first of the maps that were gathered and not entered
 */
struct vhost_vdpa_chunk {
	union vhost_vdpa_frame *frames;
	unsigned int nr;
	unsigned int next;
	unsigned int first;
	unsigned int gathered;
	struct vhost_vdpa_map *maps;
};

/* Does userspace want to know what goes wrong with its messages? */
static bool vhost_vdpa_strict(const struct vhost_vdpa *v)
{
	return v->backend_features & BIT_ULL(VHOST_BACKEND_F_IOTLB_ERRNO);
}

/*
 * Gather the memory of the next message, an update, and of updates that follow it at
 * once. It may take page faults, so v->lock is dropped for that. Meanwhile address spaces
 * stay as they are, for v->msg_lock is held, unless the device goes away and all is lost
 * anyway.
 */
static int vhost_vdpa_gather_ahead(struct vhost_vdpa *v, struct vhost_vdpa_chunk *chunk)
	__must_hold(&v->lock)
{
	const union vhost_vdpa_frame *frames = chunk->frames + chunk->next;
	const struct vhost_iotlb_msg *msg;
	bool strict = vhost_vdpa_strict(v);
	unsigned int nr;
	int got;

	for (nr = 1; chunk->next + nr < chunk->nr; nr++) {
		msg = vhost_vdpa_frame_msg(&frames[nr]);
		if (msg->type != VHOST_IOTLB_UPDATE || vhost_vdpa_check_update(msg))
			break;
	}

	mutex_unlock(&v->lock);
	got = vhost_vdpa_gather(v, frames, nr, strict, &chunk->maps);
	mutex_lock(&v->lock);
	if (!v->vdpa)
		return -ENODEV;
	if (got < 0)
		return got;
	chunk->first = chunk->next;
	chunk->gathered = chunk->next + got;
	return 0;
}

static int vhost_vdpa_update(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			     struct vhost_vdpa_chunk *chunk,
			     const struct vhost_iotlb_msg *msg)
	__must_hold(&v->lock)
{
	int err;

	err = vhost_vdpa_check_update(msg);
	if (!err)
		err = vhost_vdpa_check_place(v, as, msg);
	if (!err && chunk->next >= chunk->gathered)
		err = vhost_vdpa_gather_ahead(v, chunk);
	if (err)
		return err;

	err = vhost_vdpa_as_add(v, as, &chunk->maps, chunk->next - chunk->first);
	return err ?: vhost_vdpa_apply(v, as);
}

static int vhost_vdpa_invalidate(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
				 const struct vhost_iotlb_msg *msg)
{
	u64 last;
	int err;

	/* one of nothing is a mistake, not one of everything */
	if (!msg->size || check_add_overflow(msg->iova, msg->size - 1, &last))
		return -EINVAL;
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

/* The address space that a message names, if it may. */
static u32 vhost_vdpa_frame_asid(struct vhost_vdpa *v,
				 const union vhost_vdpa_frame *frame)
{
	if (frame->type == VHOST_IOTLB_MSG_V2 &&
	    (v->backend_features & BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)))
		return frame->v2.asid;
	return 0;
}

/* Serve the next message. */
static int vhost_vdpa_serve(struct vhost_vdpa *v, struct vhost_vdpa_chunk *chunk)
	__must_hold(&v->lock)
{
	const union vhost_vdpa_frame *frame = &chunk->frames[chunk->next];
	const struct vhost_iotlb_msg *msg = vhost_vdpa_frame_msg(frame);
	struct vhost_vdpa_as *as;

	as = vhost_vdpa_msg_as(v, vhost_vdpa_frame_asid(v, frame), msg->type);
	if (IS_ERR(as))
		return PTR_ERR(as);

	switch (msg->type) {
	case VHOST_IOTLB_UPDATE:
		return vhost_vdpa_update(v, as, chunk, msg);
	case VHOST_IOTLB_INVALIDATE:
		return vhost_vdpa_invalidate(v, as, msg);
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

/* As vhost_vdpa_serve(), for who wants to see it. A device that goes meanwhile is not shown. */
static int vhost_vdpa_serve_traced(struct vhost_vdpa *v, struct vhost_vdpa_chunk *chunk)
	__must_hold(&v->lock)
{
	const union vhost_vdpa_frame *frame = &chunk->frames[chunk->next];
	const struct vhost_iotlb_msg *msg = vhost_vdpa_frame_msg(frame);
	u32 asid = vhost_vdpa_frame_asid(v, frame);
	u64 ns = ktime_get_ns();
	int err;

	err = vhost_vdpa_serve(v, chunk);
	ns = ktime_get_ns() - ns;
	if (!v->vdpa)
		return err;
	if (msg->type == VHOST_IOTLB_UPDATE)
		trace_vdpa_map(v->vdpa, asid, msg->iova, msg->size, ns, err);
	else if (msg->type == VHOST_IOTLB_INVALIDATE)
		trace_vdpa_unmap(v->vdpa, asid, msg->iova, msg->size, ns, err);
	else if (msg->type == VHOST_IOTLB_BATCH_END)
		trace_vdpa_batch(v->vdpa, asid, ns, err);
	return err;
}

static bool vhost_vdpa_traced(void)
{
	return trace_vdpa_map_enabled() || trace_vdpa_unmap_enabled() ||
	       trace_vdpa_batch_enabled();
}

/* vhost has one answer for whatever goes wrong with a well-formed message. */
static int vhost_vdpa_msg_error(struct vhost_vdpa *v, int err)
{
	return !err || err == -ENODEV || vhost_vdpa_strict(v) ? err : -EFAULT;
}

/* Serve messages until one fails, the first being chunk->next then. */
static int vhost_vdpa_serve_chunk(struct vhost_vdpa *v, struct vhost_vdpa_chunk *chunk)
{
	int err;

	lockdep_assert_held(&v->msg_lock);

	err = vhost_vdpa_enter(v);
	if (err)
		return err;
	if (v->mm != current->mm)
		err = -EPERM;
	for (; !err && chunk->next < chunk->nr; chunk->next += !err)
		err = unlikely(vhost_vdpa_traced()) ? vhost_vdpa_serve_traced(v, chunk) :
						      vhost_vdpa_serve(v, chunk);
	err = vhost_vdpa_msg_error(v, err);
	vhost_vdpa_leave(v);

	vhost_vdpa_ungather(v, chunk->maps);
	chunk->maps = NULL;
	return err;
}

/* Framing */

static bool vhost_vdpa_frame_valid(const union vhost_vdpa_frame *frame)
{
	return frame->type == VHOST_IOTLB_MSG || frame->type == VHOST_IOTLB_MSG_V2;
}

/* An update or invalidation of nothing is bad framing, as vhost has it. */
static bool vhost_vdpa_msg_empty(const struct vhost_iotlb_msg *msg)
{
	return !msg->size && (msg->type == VHOST_IOTLB_UPDATE ||
			      msg->type == VHOST_IOTLB_INVALIDATE);
}

/* Take one message, of the size of its kind; its padding may be missing. */
static bool vhost_vdpa_get_frame(struct iov_iter *from, union vhost_vdpa_frame *frame)
{
	size_t head = sizeof(frame->type), size;

	if (!copy_from_iter_full(&frame->type, head, from))
		return false;
	size = min(vhost_vdpa_frame_size(frame) - head, iov_iter_count(from));
	if (!copy_from_iter_full((u8 *)frame + head, size, from))
		return false;
	return (u8 *)(vhost_vdpa_frame_msg(frame) + 1) <= (u8 *)frame + head + size;
}

/*
 * Take up to @max messages. The padding of the last that was written may be missing.
 * Return: 0, or -EINVAL: what is in chunk->nr then is good, and what follows is not.
 */
static int vhost_vdpa_get_frames(struct iov_iter *from, struct vhost_vdpa_chunk *chunk,
				 unsigned int max)
{
	union vhost_vdpa_frame *frames = chunk->frames;
	size_t size = min(iov_iter_count(from), max * sizeof(*frames));
	unsigned int nr = size / sizeof(*frames);
	size_t rest = size % sizeof(*frames);

	chunk->nr = 0;
	chunk->next = 0;
	chunk->gathered = 0;
	if (!VHOST_VDPA_FRAMES_ALIKE) {
		if (!vhost_vdpa_get_frame(from, frames))
			return -EINVAL;
		nr = 1;
		rest = 0;
	} else if (!copy_from_iter_full(frames, size, from)) {
		/* one copy gets several of either kind */
		return -EINVAL;
	} else if (rest >= offsetofend(struct vhost_msg, iotlb)) {
		nr++;
		rest = 0;
	}
	for (; chunk->nr < nr; chunk->nr++) {
		if (!vhost_vdpa_frame_valid(&frames[chunk->nr]) ||
		    vhost_vdpa_msg_empty(vhost_vdpa_frame_msg(&frames[chunk->nr])))
			return -EINVAL;
	}
	return rest ? -EINVAL : 0;
}

/* Serve all messages in @from. Return: how many bytes, or -errno if none. */
static ssize_t vhost_vdpa_serve_all(struct vhost_vdpa *v, struct iov_iter *from,
				    struct vhost_vdpa_chunk *chunk, unsigned int max)
{
	size_t all = iov_iter_count(from), done = 0;
	int err, bad;

	do {
		bad = vhost_vdpa_get_frames(from, chunk, max);
		err = chunk->nr ? vhost_vdpa_serve_chunk(v, chunk) : 0;
		done += chunk->next * vhost_vdpa_frame_size(chunk->frames);
	} while (!err && !bad && iov_iter_count(from));

	done = min(done, all);
	return done ?: err ?: bad;
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
	union vhost_vdpa_frame one, *many = NULL;
	struct vhost_vdpa_chunk chunk = { .frames = &one };
	unsigned int max = 1;
	ssize_t done;

	if (iov_iter_count(from) > sizeof(one)) {
		max = min(DIV_ROUND_UP(iov_iter_count(from), sizeof(one)),
			  VHOST_VDPA_CHUNK);
		many = kmalloc_array(max, sizeof(*many), GFP_KERNEL_ACCOUNT);
		if (!many)
			return -ENOMEM;
		chunk.frames = many;
	}

	done = mutex_lock_killable(&v->msg_lock);
	if (!done) {
		done = vhost_vdpa_serve_all(v, from, &chunk, max);
		mutex_unlock(&v->msg_lock);
	}
	kfree(many);
	return done;
}
