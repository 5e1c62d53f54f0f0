/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device side of virtqueues, for parents made of software.
 *
 * Two objects. A struct vdpa_memory is the device's view of memory: one map per
 * address space, and the rule for reaching what is behind it. A struct vdpa_ring
 * is one virtqueue. A parent serves a queue in bursts:
 *
 *	err = vdpa_memory_enter(mem);
 *	while (!err && n++ < burst && (got = vdpa_ring_next(ring, &chain)) > 0) {
 *		vdpa_chain_pull(&chain, &hdr, sizeof(hdr));	read by the device
 *		vdpa_chain_push(&chain, data, len);		written by the device
 *		vdpa_ring_complete(ring, &chain);
 *	}
 *	notify = vdpa_ring_flush(ring);
 *	vdpa_memory_exit(mem);
 *	if (notify)
 *		call the queue's callback;
 *
 * Between enter and exit no map changes, hence translations and the memory behind
 * them stay valid: dma_unmap that has returned is a promise that nobody reads or
 * writes there. So a burst must be short, and must not wait for anything that
 * waits for a map change.
 *
 * A malformed ring (index out of range, loop, over-long chain, unmapped address,
 * written memory mapped read-only) makes the call that meets it return a negative
 * errno and sets the ring's @broken: it is served no more until it is started
 * anew, and the parent reports VIRTIO_CONFIG_S_NEEDS_RESET.
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
int vdpa_memory_enter(struct vdpa_memory *mem);
void vdpa_memory_exit(struct vdpa_memory *mem);

/* ring.c and split.c */

/* longest chain a ring accepts, direct or through an indirect table */
#define VDPA_RING_MAX_SEGS 1024

/**
 * struct vdpa_ring_config - what a bus driver sets before a queue starts
 * @num: entries, a power of two, 1..32768
 * @desc: IOVA of the descriptor area (section 2.7.5)
 * @driver: IOVA of the driver area, the available ring (section 2.7.6)
 * @device: IOVA of the device area, the used ring (section 2.7.8)
 * @asid: address space of the buffers
 * @ring_asid: address space of the three areas
 * @features: negotiated virtio features; those about rings are obeyed
 * @avail: where to go on: available index, free running
 */
struct vdpa_ring_config {
	u32 num;
	u64 desc;
	u64 driver;
	u64 device;
	unsigned int asid;
	unsigned int ring_asid;
	u64 features;
	u16 avail;
};

/**
 * struct vdpa_seg - one buffer of a chain
 * @iova: first address
 * @len: bytes, never 0
 */
struct vdpa_seg {
	u64 iova;
	u32 len;
};

struct vdpa_ring;

/**
 * struct vdpa_chain - buffers that the driver made available together
 * @ring: where it came from
 * @head: its identity in the used ring
 * @nr_out: segments the device reads; they come first in @seg
 * @nr_in: segments the device writes; they follow
 * @out_left: bytes not yet pulled
 * @in_left: bytes not yet pushed
 * @pushed: bytes pushed so far, reported to the driver by completion
 * @seg: @nr_out + @nr_in segments, owned by the ring, valid until the next
 *	vdpa_ring_next() on it. The remaining fields are private cursors.
 */
struct vdpa_chain {
	struct vdpa_ring *ring;
	u16 head;
	u16 nr_out;
	u16 nr_in;
	u32 out_left;
	u32 in_left;
	u32 pushed;
	const struct vdpa_seg *seg;
	/* private: */
	u16 out_pos;
	u16 in_pos;
	u32 out_off;
	u32 in_off;
};

struct vdpa_ring *vdpa_ring_alloc(struct vdpa_memory *mem, unsigned int num_max);
void vdpa_ring_free(struct vdpa_ring *ring);
int vdpa_ring_start(struct vdpa_ring *ring, const struct vdpa_ring_config *cfg);
void vdpa_ring_stop(struct vdpa_ring *ring);
bool vdpa_ring_running(const struct vdpa_ring *ring);
bool vdpa_ring_broken(const struct vdpa_ring *ring);
u16 vdpa_ring_avail_index(const struct vdpa_ring *ring);

int vdpa_ring_next(struct vdpa_ring *ring, struct vdpa_chain *chain);
void vdpa_ring_unget(struct vdpa_ring *ring, struct vdpa_chain *chain);
void vdpa_ring_complete(struct vdpa_ring *ring, struct vdpa_chain *chain);
bool vdpa_ring_flush(struct vdpa_ring *ring);
bool vdpa_ring_enable_kick(struct vdpa_ring *ring);
void vdpa_ring_disable_kick(struct vdpa_ring *ring);

ssize_t vdpa_chain_pull(struct vdpa_chain *chain, void *buf, size_t len);
ssize_t vdpa_chain_push(struct vdpa_chain *chain, const void *buf, size_t len);
ssize_t vdpa_chain_zero(struct vdpa_chain *chain, size_t len);
ssize_t vdpa_chain_skip_in(struct vdpa_chain *chain, size_t len);
ssize_t vdpa_chain_copy(struct vdpa_chain *to, struct vdpa_chain *from,
			size_t len);

#endif /* _VDPA_RING_H */
