/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/vhost-vdpa-N: a vDPA device in the hands of one process.
 *
 * Vocabulary: a *session* is the time from open to close, or to revocation when the
 * device goes away first. The *owner* is the mm that called VHOST_SET_OWNER. A *map*
 * is what one VHOST_IOTLB_UPDATE message asked for; a *run* is a piece of it that is
 * contiguous in IOVA and in the device's addresses. "last" is an inclusive end.
 *
 * Locks, outer to inner:
 *
 *	msg_lock -> lock -> vdpa_device::cf_lock -> the parent's locks
 *	msg_lock -> owner's mmap lock
 *	owner's mmap lock, or lock -> doorbell_lock
 *	wait queue of a kick eventfd -> the parent's locks that kick_vq() takes
 *	vhost_vdpa_vq::call_lock, config_lock -> wait queue of a call eventfd
 *
 * Nothing that userspace can stretch at will happens under "lock": no access to user
 * memory, no page fault, no mmap lock. So revocation, which takes it, never waits for
 * userspace.
 */
#ifndef _VHOST_VDPA_H
#define _VHOST_VDPA_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/vdpa.h>
#include <linux/vhost.h>
#include <linux/vhost_iotlb.h>
#include <linux/wait.h>

struct address_space;
struct eventfd_ctx;
struct iommu_domain;
struct irq_bypass_producer;
struct mm_struct;
struct vhost_vdpa;

/**
 * struct vhost_vdpa_vq - one virtqueue as its user sees it
 * @v: device it belongs to
 * @index: queue index
 * @ready: what was last given to set_vq_ready(). Protected by vhost_vdpa::lock.
 * @live: kicks go to the parent. Written with vhost_vdpa::lock held and, while a
 *	kick eventfd is attached, the lock of @kick_wqh, under which kicks read it.
 * @kick: kick eventfd, reference held, or NULL. Protected by vhost_vdpa::lock.
 * @kick_wqh: wait queue that @kick_wait is in while @kick is set
 * @kick_wait: its entry
 * @call_lock: protects @call between the parent's notification and its replacement.
 *	Innermost but for the eventfd's own; taken in any context.
 * @call: call eventfd, reference held, or NULL. Written with vhost_vdpa::lock held
 *	too.
 * @bypass: offers the queue's interrupt to whoever consumes @call, or NULL. Protected
 *	by vhost_vdpa::lock.
 */
struct vhost_vdpa_vq {
	struct vhost_vdpa *v;
	u16 index;
	bool ready;
	bool live;
	struct file *kick;
	wait_queue_head_t *kick_wqh;
	wait_queue_entry_t kick_wait;
	spinlock_t call_lock; /* see above */
	struct eventfd_ctx *call;
	struct irq_bypass_producer *bypass;
};

/**
 * struct vhost_vdpa_map - one map
 * @shown: its runs, as a parent is shown them. Its link is in a list of the address
 *	space while the device is to be told that the map was added or removed.
 * @next: the next of those that were gathered, until they are entered
 * @node: in the address space's tree, then, unless removed
 * @max_runs: how many runs there is room for
 * @told: the device knows of it
 * @msg: index of its message among those that were gathered at once
 * @run: the array of runs while one is enough
 * @file: the array of files then
 *
 * Protected, once entered, by vhost_vdpa::lock.
 */
struct vhost_vdpa_map {
	struct vdpa_map shown;
	union {
		struct vhost_vdpa_map *next;
		struct rb_node node;
	};
	unsigned int max_runs;
	bool told;
	u8 msg;
	struct vdpa_map_run run;
	struct vdpa_map_file file;
};

/**
 * struct vhost_vdpa_as - one address space
 * @id: ASID
 * @nr_maps: maps in @maps, bounded by max_iotlb_entries
 * @maps: maps that exist for the user, by IOVA
 * @highest: the last of them, or NULL
 * @added: those among them that the device was not told of
 * @removed: maps that the user removed and the device may still use, so that their
 *	memory is kept
 * @forgotten: the device lost its maps by a reset
 * @table_valid: @table is what the device was told last
 * @table: for set_map() only
 *
 * Created by the first message that names it, freed when the session ends. All of
 * it is protected by vhost_vdpa::lock.
 */
struct vhost_vdpa_as {
	unsigned int id;
	unsigned int nr_maps;
	struct rb_root maps;
	struct vhost_vdpa_map *highest;
	struct list_head added;
	struct list_head removed;
	bool forgotten;
	bool table_valid;
	struct vhost_iotlb table;
};

/**
 * struct vhost_vdpa - a device bound to this driver
 * @dev: the character device's struct device; its last reference frees this
 * @cdev: character device; every open file has a reference on it, and it on @dev
 * @wait: pollers, woken by revocation
 * @minor: number in the name
 * @nvqs: number of queues; constant
 * @nas: number of address spaces; constant
 * @use_va: &vdpa_device.use_va; constant
 * @by_table: the parent is told many changes of a map at once; constant
 * @config_size: bytes of configuration space; constant
 * @msg_lock: one IOTLB write at a time. Outermost, may be held across page faults.
 * @lock: protects everything below and serialises every op call but kick_vq(). See
 *	the top of this file for what must not happen under it.
 * @vdpa: the device; NULL once it is gone, and then the session is over and its file
 *	good for nothing but closing
 * @opened: a session exists
 * @owner: process that opened it, while @opened
 * @pinned: pages that are pinned for its maps; changed without @lock too
 * @suspended: the last of suspend and resume that succeeded was suspend
 * @mm: owner, a reference on the struct held; set once per session. May be read
 *	without @lock to compare it with current->mm.
 * @mm_bound: bind_mm() has been called for it
 * @backend_features: VHOST_BACKEND_F_* that userspace acknowledged
 * @range: IOVAs that the device can address
 * @domain: IOMMU domain, when the platform translates
 * @as: array of @nas address spaces, NULL where it has not been used; the array lives
 *	as long as this
 * @in_batch: between BATCH_BEGIN and BATCH_END
 * @batch_asid: of what address space
 * @vqs: array of @nvqs queues; the array lives as long as this
 * @doorbell_lock: protects @doorbells, and while that is set, @vdpa stays. Page faults
 *	take it; no page is touched under it.
 * @doorbells: where the session's doorbells are mapped, NULL when they must not be
 * @config_lock: as &vhost_vdpa_vq.call_lock, for @config_ctx
 * @config_ctx: eventfd for configuration changes, reference held, or NULL
 */
struct vhost_vdpa {
	struct device dev;
	struct cdev cdev;
	wait_queue_head_t wait;
	int minor;
	u32 nvqs;
	unsigned int nas;
	bool use_va;
	bool by_table;
	size_t config_size;

	struct mutex msg_lock; /* see above */
	struct mutex lock; /* see above */
	struct vdpa_device *vdpa;
	bool opened;
	struct pid *owner;
	atomic64_t pinned;
	bool suspended;
	struct mm_struct *mm;
	bool mm_bound;
	u64 backend_features;
	struct vhost_vdpa_iova_range range;
	struct iommu_domain *domain;
	struct vhost_vdpa_as **as;
	bool in_batch;
	unsigned int batch_asid;
	struct vhost_vdpa_vq *vqs;
	struct mutex doorbell_lock; /* see above */
	struct address_space *doorbells;
	spinlock_t config_lock; /* see above */
	struct eventfd_ctx *config_ctx;
};

/* main.c */

int vhost_vdpa_enter(struct vhost_vdpa *v);
void vhost_vdpa_leave(struct vhost_vdpa *v);
int vhost_vdpa_reset(struct vhost_vdpa *v);

/* ioctl.c */

long vhost_vdpa_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/**
 * union vhost_vdpa_arg - the argument of an ioctl, in kernel memory
 * @index: first field of every virtqueue ioctl's argument
 * @u8: device status
 * @u16: largest ring
 * @u32: numbers
 * @u64: feature bits
 * @fd: eventfd or VHOST_FILE_UNBIND
 * @state: queue and number
 * @file: queue and eventfd
 * @addr: queue and its areas
 * @range: IOVA range
 * @memory: header of a memory table
 */
union vhost_vdpa_arg {
	unsigned int index;
	u8 u8;
	u16 u16;
	u32 u32;
	u64 u64;
	int fd;
	struct vhost_vring_state state;
	struct vhost_vring_file file;
	struct vhost_vring_addr addr;
	struct vhost_vdpa_iova_range range;
	struct vhost_memory memory;
};

/* vring.c */

bool vhost_vdpa_driver_ok(struct vhost_vdpa *v);
bool vhost_vdpa_running(struct vhost_vdpa *v);
void vhost_vdpa_vqs_init(struct vhost_vdpa *v);
void vhost_vdpa_vqs_start(struct vhost_vdpa *v);
void vhost_vdpa_vqs_quiesce(struct vhost_vdpa *v);
void vhost_vdpa_vqs_reset(struct vhost_vdpa *v);
void vhost_vdpa_vqs_detach(struct vhost_vdpa *v);
long vhost_vdpa_set_vring_num(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_set_vring_addr(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_set_vring_base(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_get_vring_base(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_set_vring_kick(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_set_vring_enable(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_get_vring_group(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_get_vring_desc_group(struct vhost_vdpa *v,
				     union vhost_vdpa_arg *arg);
long vhost_vdpa_get_vring_size(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);

/* mmap.c */

int vhost_vdpa_mmap(struct file *file, struct vm_area_struct *vma);
void vhost_vdpa_doorbells_open(struct vhost_vdpa *v, struct address_space *mapping);
void vhost_vdpa_doorbells_close(struct vhost_vdpa *v);

/* irq.c */

void vhost_vdpa_irqs_start(struct vhost_vdpa *v);
void vhost_vdpa_irqs_stop(struct vhost_vdpa *v);
void vhost_vdpa_irqs_detach(struct vhost_vdpa *v);
long vhost_vdpa_set_vring_call(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_set_vring_err(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);
long vhost_vdpa_set_config_call(struct vhost_vdpa *v, union vhost_vdpa_arg *arg);

/* iotlb.c */

/* Messages that are copied, and whose memory is gathered, at once. */
#define VHOST_VDPA_CHUNK 32

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

/* Not where a u64 is aligned as a u32 is: there the older has no padding behind its type. */
#define VHOST_VDPA_FRAMES_ALIKE (sizeof(struct vhost_msg) == sizeof(struct vhost_msg_v2))

static inline const struct vhost_iotlb_msg *
vhost_vdpa_frame_msg(const union vhost_vdpa_frame *frame)
{
	return frame->type == VHOST_IOTLB_MSG ? &frame->v1.iotlb : &frame->v2.iotlb;
}

static inline size_t vhost_vdpa_frame_size(const union vhost_vdpa_frame *frame)
{
	return frame->type == VHOST_IOTLB_MSG ? sizeof(frame->v1) : sizeof(frame->v2);
}

ssize_t vhost_vdpa_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* space.c */

bool vhost_vdpa_as_busy(struct vhost_vdpa_as *as, u64 first, u64 last);
int vhost_vdpa_gather(struct vhost_vdpa *v, const union vhost_vdpa_frame *frames,
		      unsigned int nr, bool strict, struct vhost_vdpa_map **maps);
void vhost_vdpa_ungather(struct vhost_vdpa *v, struct vhost_vdpa_map *maps);
int vhost_vdpa_as_add(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
		      struct vhost_vdpa_map **maps, u8 msg);
int vhost_vdpa_as_remove(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 first,
			 u64 last);
int vhost_vdpa_as_commit(struct vhost_vdpa *v, struct vhost_vdpa_as *as);
struct vhost_vdpa_as *vhost_vdpa_as_get(struct vhost_vdpa *v, u32 asid, bool create);
void vhost_vdpa_as_clear_all(struct vhost_vdpa *v);
void vhost_vdpa_as_forgotten_all(struct vhost_vdpa *v);
void vhost_vdpa_as_free_all(struct vhost_vdpa *v);

/* tell.c */

int vhost_vdpa_tell_map(struct vhost_vdpa *v, unsigned int asid,
			struct vhost_vdpa_map *map);
int vhost_vdpa_tell_map_gone(struct vhost_vdpa *v, unsigned int asid,
			     struct vhost_vdpa_map *map);
int vhost_vdpa_tell_changes(struct vhost_vdpa *v, struct vhost_vdpa_as *as);
void vhost_vdpa_tell_default(struct vhost_vdpa *v, struct vhost_vdpa_as *as);

/* map.c */

int vhost_vdpa_map_init(void);
void vhost_vdpa_map_exit(void);
struct vhost_vdpa_map *vhost_vdpa_map_alloc(u32 perm, bool files, u8 msg);
struct vhost_vdpa_map *vhost_vdpa_maps_alloc(const union vhost_vdpa_frame *frames,
					     unsigned int nr, bool files);
void vhost_vdpa_map_free(struct vhost_vdpa_map *map);
int vhost_vdpa_map_grow(struct vhost_vdpa_map *map, unsigned int max);
unsigned int vhost_vdpa_map_find_run(const struct vhost_vdpa_map *map, u64 iova);
struct vhost_vdpa_map *vhost_vdpa_map_split(struct vhost_vdpa_map *map,
					    unsigned int at);

/**
 * vhost_vdpa_map_add_run() - append a run to a map
 * @map: map that nobody else sees yet
 * @iova: first IOVA, the next after the last run's
 * @size: bytes
 * @addr: physical or virtual address
 *
 * Return: its index, and the memory belongs to the map; or -ENOMEM.
 */
static inline int vhost_vdpa_map_add_run(struct vhost_vdpa_map *map, u64 iova, u64 size,
					 u64 addr)
{
	struct vdpa_map *shown = &map->shown;
	struct vdpa_map_run *run;

	if (unlikely(shown->nr_runs == map->max_runs) &&
	    vhost_vdpa_map_grow(map, max(8, 2 * map->max_runs)))
		return -ENOMEM;

	run = &shown->runs[shown->nr_runs];
	run->iova = iova;
	run->size = size;
	run->addr = addr;
	if (!shown->nr_runs)
		shown->first = iova;
	shown->last = iova + size - 1;
	return shown->nr_runs++;
}

/* pin.c */

int vhost_vdpa_gather_pinned(struct vhost_vdpa *v, const union vhost_vdpa_frame *frames,
			     struct vhost_vdpa_map *maps);
void vhost_vdpa_unpin(struct vhost_vdpa *v, const struct vhost_vdpa_map *map);

/* va.c */

int vhost_vdpa_gather_virtual(struct mm_struct *mm, const union vhost_vdpa_frame *frames,
			      bool strict, struct vhost_vdpa_map *maps);
void vhost_vdpa_va_put(const struct vhost_vdpa_map *map);

/* dma.c */

bool vhost_vdpa_by_platform(const struct vdpa_device *vdpa);
bool vhost_vdpa_by_table(const struct vdpa_device *vdpa);
int vhost_vdpa_domain_alloc(struct vhost_vdpa *v);
void vhost_vdpa_domain_free(struct vhost_vdpa *v);
void vhost_vdpa_latch_range(struct vhost_vdpa *v);

#endif /* _VHOST_VDPA_H */
