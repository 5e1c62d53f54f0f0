/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device side of virtqueues, for parents made of software.
 *
 * Two objects. A struct vdpa_memory is the device's view of memory: one map per
 * address space, and the rule for reaching what is behind it. A struct vdpa_ring
 * is one virtqueue, split or packed. A parent serves a queue in bursts, from a kernel
 * thread of its own or a work item:
 *
 *	err = vdpa_memory_enter(mem);
 *	if (err)
 *		the process is gone, and its memory: wait for the reset
 *	while (n++ < burst && vdpa_ring_next(ring, &chain) > 0) {
 *		err = vdpa_chain_pull(&chain, &hdr, sizeof(hdr));  what the driver wrote
 *		...
 *		err = vdpa_chain_push(&chain, data, len);          what it shall read
 *		if (err == -EAGAIN)
 *			vdpa_ring_unget(ring, &chain);
 *		if (err < 0)
 *			break;
 *		vdpa_ring_complete(ring, &chain);
 *	}
 *	notify = vdpa_ring_flush(ring);
 *	more = vdpa_ring_enable_kick(ring);
 *	faulted = vdpa_ring_fault(ring, &fault);
 *	vdpa_memory_exit(mem);
 *	if (notify > 0)
 *		call the queue's callback;
 *	if (faulted && vdpa_fault_resolve(&fault))
 *		vdpa_ring_fail(ring, &fault);
 *
 * Between enter and exit no map changes, hence translations and the memory behind
 * them stay valid: dma_unmap that has returned is a promise that nobody reads or
 * writes there. So a burst is short, and waits for nothing that waits for a map change
 * or for the owner of the memory. The latter is why no page fault is taken in a burst:
 * memory of a process that is not there at the moment makes a call return -EAGAIN. The
 * parent puts the chains of that request back, ends the burst, has the page fetched
 * with no lock held, and goes on; a process that answers its own page faults
 * (userfaultfd) holds up only its own queue, and never a reset.
 *
 * A malformed ring (index out of range, loop, over-long chain, empty buffer, unmapped
 * address, written memory mapped read-only) makes the call that meets it return
 * another negative errno and breaks the ring: vdpa_ring_broken() is true, nothing more is
 * served until it is started anew, and the parent reports VIRTIO_CONFIG_S_NEEDS_RESET.
 *
 * What takes longer than a burst, such as I/O, is done between bursts with data of the
 * parent's own: requests are fetched in one burst, and vdpa_ring_seek() goes back to them
 * in a later one that completes them.
 *
 * Calls on one ring are serialised by the caller, with the mutex of its queue for
 * instance. Memory may be shared by any number of rings and threads.
 */
#ifndef _VDPA_RING_H
#define _VDPA_RING_H

#include <linux/types.h>

struct list_head;
struct mm_struct;
struct vhost_iotlb;
struct vdpa_memory;

/* memory.c */

struct vdpa_memory *vdpa_memory_alloc(unsigned int nas, unsigned int limit);
void vdpa_memory_free(struct vdpa_memory *mem);
int vdpa_memory_set(struct vdpa_memory *mem, unsigned int asid,
		    struct vhost_iotlb *iotlb);
int vdpa_memory_update(struct vdpa_memory *mem, unsigned int asid,
		       const struct list_head *removed,
		       const struct list_head *added);
int vdpa_memory_map(struct vdpa_memory *mem, unsigned int asid, u64 iova,
		    u64 size, u64 addr, u32 perm);
int vdpa_memory_unmap(struct vdpa_memory *mem, unsigned int asid, u64 iova,
		      u64 size);
void vdpa_memory_clear(struct vdpa_memory *mem, unsigned int asid,
		       bool identity);
int vdpa_memory_bind_mm(struct vdpa_memory *mem, struct mm_struct *mm);
void vdpa_memory_unbind_mm(struct vdpa_memory *mem);

/* burst.c */

struct vdpa_ring;

/**
 * struct vdpa_fault - a page of a process that a burst did without
 * @ring: which ring missed it
 * @start: how often that had been started
 * @mm: whose; a reference on its users is held
 * @addr: where
 * @size: bytes that were wanted from there
 * @write: they were to be written
 */
struct vdpa_fault {
	struct vdpa_ring *ring;
	unsigned int start;
	struct mm_struct *mm;
	unsigned long addr;
	size_t size;
	bool write;
};

int vdpa_memory_enter(struct vdpa_memory *mem);
int vdpa_memory_enter_two(struct vdpa_memory *mem, struct vdpa_memory *other);
void vdpa_memory_exit(struct vdpa_memory *mem);
int vdpa_fault_resolve(struct vdpa_fault *fault);

/* ring.c, split.c and packed.c */

/* longest chain a ring accepts, direct or through an indirect table */
#define VDPA_RING_MAX_SEGS 1024

/**
 * struct vdpa_ring_state - where a queue goes on
 * @avail: split: next available entry, free running; packed: next descriptor
 * @used: packed: where the next used descriptor goes. A split ring goes on at @avail.
 * @avail_wrap: packed: the driver's wrap counter at @avail
 * @used_wrap: packed: the device's wrap counter at @used
 */
struct vdpa_ring_state {
	u16 avail;
	u16 used;
	bool avail_wrap;
	bool used_wrap;
};

/**
 * struct vdpa_ring_config - what a bus driver sets before a queue starts
 * @num: entries, 1..32768; a power of two unless the ring is packed
 * @desc: IOVA of the descriptor area (sections 2.7.5, 2.8.13)
 * @driver: IOVA of the driver area: available ring (2.7.6) or event suppression (2.8.14)
 * @device: IOVA of the device area: used ring (2.7.8) or event suppression (2.8.14)
 * @asid: address space of the buffers and indirect tables
 * @ring_asid: address space of the three areas
 * @features: negotiated virtio features; those about rings are obeyed:
 *	VIRTIO_F_RING_PACKED, VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX.
 *	VIRTIO_F_IN_ORDER is kept by a parent that completes in the order of fetching.
 * @state: where to go on
 */
struct vdpa_ring_config {
	u32 num;
	u64 desc;
	u64 driver;
	u64 device;
	unsigned int asid;
	unsigned int ring_asid;
	u64 features;
	struct vdpa_ring_state state;
};

/**
 * struct vdpa_cursor - a place in the buffers of a chain
 * @left: bytes from there to the end
 */
struct vdpa_cursor {
	u32 left;
	/* private: */
	u32 run;		/* bytes that are contiguous at @addr */
	u32 off;		/* bytes of segment @pos before the end of that run */
	u16 pos;
	bool user;
	u64 addr;		/* physical, or a user address if @user */
};

/**
 * struct vdpa_chain - buffers that the driver made available together
 * @ring: where it came from
 * @id: its identity for the driver
 * @descs: descriptors of the ring that it takes
 * @nr_out: segments the device reads
 * @nr_in: segments the device writes
 * @pushed: bytes written so far, reported to the driver by completion
 * @out: what is not yet pulled
 * @in: what is not yet pushed
 */
struct vdpa_chain {
	struct vdpa_ring *ring;
	u16 id;
	u16 descs;
	u16 nr_out;
	u16 nr_in;
	u32 pushed;
	struct vdpa_cursor out;
	struct vdpa_cursor in;
};

/**
 * struct vdpa_ring_place - a place in a ring to come back to
 * @state: where it was
 * @nr_done: how many chains were completed and not flushed
 */
struct vdpa_ring_place {
	struct vdpa_ring_state state;
	u32 nr_done;
};

struct vdpa_ring *vdpa_ring_alloc(struct vdpa_memory *mem, unsigned int num_max);
void vdpa_ring_free(struct vdpa_ring *ring);
int vdpa_ring_start(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg);
void vdpa_ring_stop(struct vdpa_ring *ring);
bool vdpa_ring_running(const struct vdpa_ring *ring);
bool vdpa_ring_broken(const struct vdpa_ring *ring);
void vdpa_ring_fail(struct vdpa_ring *ring, const struct vdpa_fault *fault);
void vdpa_ring_get_state(const struct vdpa_ring *ring,
			 struct vdpa_ring_state *state);

int vdpa_ring_next(struct vdpa_ring *ring, struct vdpa_chain *chain);
void vdpa_ring_unget(struct vdpa_ring *ring, const struct vdpa_chain *chain);
void vdpa_ring_mark(const struct vdpa_ring *ring, struct vdpa_ring_place *mark);
void vdpa_ring_rewind(struct vdpa_ring *ring, const struct vdpa_ring_place *mark);
void vdpa_ring_seek(struct vdpa_ring *ring, const struct vdpa_ring_state *state);
void vdpa_ring_complete(struct vdpa_ring *ring, const struct vdpa_chain *chain);
int vdpa_ring_flush(struct vdpa_ring *ring);
int vdpa_ring_enable_kick(struct vdpa_ring *ring);
int vdpa_ring_disable_kick(struct vdpa_ring *ring);
bool vdpa_ring_fault(struct vdpa_ring *ring, struct vdpa_fault *fault);

/* chain.c */

ssize_t vdpa_chain_pull(struct vdpa_chain *chain, void *buf, size_t len);
const void *vdpa_chain_look(struct vdpa_chain *chain, size_t len);
ssize_t vdpa_chain_push(struct vdpa_chain *chain, const void *buf, size_t len);
ssize_t vdpa_chain_zero(struct vdpa_chain *chain, size_t len);
ssize_t __vdpa_chain_skip_out(struct vdpa_chain *chain, size_t len);
ssize_t vdpa_chain_skip_in(struct vdpa_chain *chain, size_t len);
ssize_t vdpa_chain_copy(struct vdpa_chain *to, struct vdpa_chain *from,
			size_t len);
ssize_t vdpa_chain_copy_behind(struct vdpa_chain *to, const void *hdr, size_t hdr_len,
			       struct vdpa_chain *from, size_t len);

/**
 * vdpa_chain_skip_out() - pass over bytes of a chain unread
 * @chain: the chain
 * @len: bytes
 *
 * Context: Serialised with all calls on the chain's ring.
 * Return: Bytes skipped, less than @len if no more are left.
 */
static inline ssize_t vdpa_chain_skip_out(struct vdpa_chain *chain, size_t len)
{
	if (chain->out.run < len)
		return __vdpa_chain_skip_out(chain, len);
	chain->out.addr += len;
	chain->out.run -= len;
	chain->out.left -= len;
	return len;
}

#endif /* _VDPA_RING_H */
