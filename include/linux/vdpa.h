/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract of the vDPA bus.
 *
 * Three parties meet here. A *parent* owns a piece of hardware (or a piece of
 * software that behaves like it) whose data path speaks virtio; it allocates a
 * struct vdpa_device, fills in struct vdpa_config_ops and registers it. A *bus
 * driver* (virtio_vdpa, vhost_vdpa) binds to that device and drives it through
 * the ops alone. A *management device* is the administrator's handle on a
 * parent: it creates and deletes devices on request of the "vdpa" generic
 * netlink family.
 *
 * Vocabulary: "section" numbers are those of the virtio 1.2 specification. An
 * *address space* (ASID) is one IOVA to memory map; a *group* is a set of
 * virtqueues that always share an address space. "Bus driver lock" is whatever
 * lock the bound driver serialises its calls with; two drivers never drive one
 * device at once.
 */
#ifndef _LINUX_VDPA_H
#define _LINUX_VDPA_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/if_ether.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>
#include <linux/vhost_iotlb.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>

struct cpumask;
struct eventfd_ctx;
struct file;
struct mm_struct;
struct netlink_ext_ack;
struct pid;
struct sk_buff;
struct vdpa_mgmt;
struct vdpa_mgmt_dev;

/**
 * struct vdpa_callback - how a parent notifies the bus driver
 * @callback: called by the parent from process, softirq or hardirq context;
 *	must not sleep. NULL: nobody listens.
 * @private: argument of @callback
 * @trigger: when set, signalling this eventfd has exactly the effect of calling
 *	@callback, and a parent may do so instead. It is valid until the bus
 *	driver replaces the callback by another set_vq_cb().
 */
struct vdpa_callback {
	irqreturn_t (*callback)(void *data);
	void *private;
	struct eventfd_ctx *trigger;
};

/**
 * struct vdpa_notification_area - the doorbell of one virtqueue
 * @addr: physical address
 * @size: bytes. Only a page aligned area of exactly one page can be mapped into
 *	a process.
 */
struct vdpa_notification_area {
	resource_size_t addr;
	resource_size_t size;
};

/**
 * struct vdpa_vq_state_split - where a split virtqueue stands (section 2.7)
 * @avail_index: index of the next available entry the device will look at
 */
struct vdpa_vq_state_split {
	u16	avail_index;
};

/**
 * struct vdpa_vq_state_packed - where a packed virtqueue stands (section 2.8)
 * @last_avail_counter: driver ring wrap counter the device has reached
 * @last_avail_idx: ring position of the next descriptor to be read
 * @last_used_counter: device ring wrap counter
 * @last_used_idx: ring position of the next used descriptor to be written
 */
struct vdpa_vq_state_packed {
	u16	last_avail_counter:1;
	u16	last_avail_idx:15;
	u16	last_used_counter:1;
	u16	last_used_idx:15;
};

/**
 * struct vdpa_vq_state - what set_vq_state() and get_vq_state() carry
 * @split: valid unless VIRTIO_F_RING_PACKED was negotiated
 * @packed: valid when VIRTIO_F_RING_PACKED was negotiated
 */
struct vdpa_vq_state {
	union {
		struct vdpa_vq_state_split split;
		struct vdpa_vq_state_packed packed;
	};
};

/**
 * struct vdpa_device - one device on the vDPA bus
 * @dev: the driver model's device. Memory lives until its last reference.
 * @dma_dev: device whose DMA API and IOMMU translate for all queues, unless
 *	&vdpa_config_ops.get_vq_dma_dev says otherwise. Set by the parent before
 *	registration.
 * @config: the parent's operations; constant
 * @cf_lock: write: status, features, reset and configuration space change. read:
 *	configuration space is read. Nests inside the bus driver's lock and
 *	outside every lock of the parent. May be slept under.
 * @index: system wide number, never reused while the device's memory lives
 * @features_valid: set_driver_features() was called since the last reset.
 *	Protected by @cf_lock.
 * @use_va: IOTLB addresses given to this device are virtual addresses of the mm
 *	that bind_mm() announced. Constant.
 * @nvqs: number of virtqueues; constant after registration
 * @mdev: management device that created this device, or NULL. Set by the parent
 *	before _vdpa_register_device().
 * @ngroups: number of virtqueue groups, at least 1; constant
 * @nas: number of address spaces, at least 1; constant
 * @mgmt: private to the core: @mdev's state, one reference held while registered
 * @name_node: private to the core: entry in the table of names
 * @users: private to the core: look-ups that use the device, and one while it is
 *	registered
 * @idle: private to the core: @users has dropped to zero after unregistration began
 * @live: private to the core: look-ups may find the device. Protected by the
 *	core's table lock.
 * @net: private to the core: network namespace whose administrator sees the device.
 *	No reference: a namespace that dies gives its devices to the initial one. Read
 *	under RCU by whoever looks into it.
 */
struct vdpa_device {
	struct device dev;
	struct device *dma_dev;
	const struct vdpa_config_ops *config;
	struct rw_semaphore cf_lock; /* device configuration, see above */
	unsigned int index;
	bool features_valid;
	bool use_va;
	u32 nvqs;
	struct vdpa_mgmt_dev *mdev;
	unsigned int ngroups;
	unsigned int nas;
	struct vdpa_mgmt *mgmt;
	struct rhash_head name_node;
	refcount_t users;
	struct completion idle;
	bool live;
	struct net *net;
};

/**
 * struct vdpa_iova_range - IOVAs that a device can address
 * @first: lowest
 * @last: highest, inclusive
 */
struct vdpa_iova_range {
	u64 first;
	u64 last;
};

/**
 * struct vdpa_dev_set_config - what the administrator asked a device to be
 * @device_features: virtio features the device shall offer
 * @net: attributes of a network device
 * @net.mac: MAC address
 * @net.mtu: largest payload in bytes
 * @net.max_vq_pairs: number of receive/transmit queue pairs
 * @net.link: link is up
 * @net.peer: name of the device that it is joined to; valid during the call
 * @mask: ``BIT_ULL(VDPA_ATTR_*)`` of each field that is set
 * @blk: attributes of a block device
 * @blk.capacity: size in sectors of 512 bytes
 * @blk.size_max: most bytes of a segment
 * @blk.seg_max: most segments of a request
 * @blk.blk_size: logical block size in bytes
 * @blk.num_queues: number of request queues
 * @blk.phy_blk_exp: logical blocks per physical block, as an exponent of two
 * @blk.align_offset: logical blocks before the first aligned one
 * @blk.min_io_size: smallest suggested request in logical blocks
 * @blk.opt_io_size: best request in logical blocks
 * @blk.read_only: it cannot be written
 * @blk.backing: path of the file or block device behind it; valid during the call
 * @ext_mask: ``VDPA_EXT_BIT(VDPA_ATTR_*)`` of each field that is set and whose attribute is
 *	128 or above
 * @extack: where the parent says why it refuses, by NL_SET_ERR_MSG() and its kin, which
 *	take NULL
 */
struct vdpa_dev_set_config {
	u64 device_features;
	struct {
		u8 mac[ETH_ALEN];
		u16 mtu;
		u16 max_vq_pairs;
		bool link;
		const char *peer;
	} net;
	u64 mask;
	struct {
		u64 capacity;
		u32 size_max;
		u32 seg_max;
		u32 blk_size;
		u16 num_queues;
		u8 phy_blk_exp;
		u8 align_offset;
		u16 min_io_size;
		u32 opt_io_size;
		bool read_only;
		const char *backing;
	} blk;
	u64 ext_mask;
	struct netlink_ext_ack *extack;
};

/* of &vdpa_dev_set_config.ext_mask and &vdpa_mgmt_dev.ext_attr_mask */
#define VDPA_EXT_BIT(attr) BIT_ULL((attr) - 128)

/**
 * struct vdpa_map_file - the file behind a mapping by virtual address
 * @file: backing file; the mapping holds a reference
 * @offset: where in @file the mapping starts, in bytes
 */
struct vdpa_map_file {
	struct file *file;
	u64 offset;
};

/**
 * struct vdpa_map_run - IOVAs that lead to contiguous addresses
 * @iova: first IOVA
 * @size: bytes
 * @addr: physical address of the first byte, or its virtual one when use_va
 */
struct vdpa_map_run {
	u64 iova;
	u64 size;
	u64 addr;
};

/**
 * struct vdpa_map - a range of IOVAs and what it leads to, for update_map()
 * @link: entry of the list that the parent is given
 * @first: first IOVA
 * @last: last IOVA
 * @runs: @nr_runs pieces in the order of their IOVAs, covering the range. The parent
 *	does not change them.
 * @files: what backs each run when use_va, else NULL
 * @nr_runs: at least 1
 * @perm: VHOST_MAP_* bits
 */
struct vdpa_map {
	struct list_head link;
	u64 first;
	u64 last;
	struct vdpa_map_run *runs;
	struct vdpa_map_file *files;
	unsigned int nr_runs;
	u32 perm;
};

/* what of a struct vdpa_vq_info the parent knows */
#define VDPA_VQ_HAS_POSITION	BIT(0)
#define VDPA_VQ_HAS_COUNTS	BIT(1)
#define VDPA_VQ_HAS_ASID	BIT(2)

/**
 * struct vdpa_vq_info - what a parent knows of a virtqueue, for the administrator
 * @has: VDPA_VQ_HAS_*; the first two fields behind it are always known
 * @num: entries, as set
 * @ready: was enabled
 * @avail: position: where in the available ring it is
 * @used: position: where in the used ring it is
 * @kicks: counts: notifications by the driver, since the device was made
 * @interrupts: counts: notifications of the driver
 * @asid: address space of its group
 */
struct vdpa_vq_info {
	unsigned int has;
	u32 num;
	bool ready;
	u16 avail;
	u16 used;
	u64 kicks;
	u64 interrupts;
	u32 asid;
};

/**
 * struct vdpa_config_ops - what a parent implements
 *
 * An op that is not marked optional is required: registration refuses a table
 * that lacks it. Unless said otherwise an op is called in process context,
 * may sleep, and is serialised by the bus driver's lock; queue indices are below
 * &vdpa_device.nvqs; a negative errno reports failure.
 *
 * Netlink calls, beside the bus driver: get_status, get_config, get_config_size,
 * get_device_features, get_driver_features, get_vendor_vq_stats and the constant
 * getters, with &vdpa_device.cf_lock held for read.
 */
struct vdpa_config_ops {
	/* Virtqueue ops */

	/**
	 * @set_vq_address: place a stopped queue's three areas (sections 2.7 and
	 * 2.8: descriptor area, driver area, device area), as IOVAs of the
	 * queue's address space. Return: 0 or -errno.
	 */
	int (*set_vq_address)(struct vdpa_device *vdev,
			      u16 idx, u64 desc_area, u64 driver_area,
			      u64 device_area);
	/**
	 * @set_vq_num: set a stopped queue's size in entries; the caller has
	 * checked it against get_vq_num_max(), and that it is a power of two
	 * where the ring is split.
	 */
	void (*set_vq_num)(struct vdpa_device *vdev, u16 idx, u32 num);
	/**
	 * @kick_vq: buffers were made available in queue @idx. Any context,
	 * interrupts possibly off; must not sleep. May come before the queue is
	 * ready or after it was stopped, and must be harmless then. Must not
	 * call back from within, nor under a lock that a callback is made
	 * under: who kicks may hold the lock that the callback takes.
	 */
	void (*kick_vq)(struct vdpa_device *vdev, u16 idx);
	/**
	 * @kick_vq_with_data: (optional) as @kick_vq with the notification data
	 * of section 2.9 in host order: queue index in bits 0-15, then the next
	 * available index (split: 16 bits; packed: 15 bits and the wrap
	 * counter). Absent: VIRTIO_F_NOTIFICATION_DATA is not negotiated by
	 * virtio_vdpa.
	 */
	void (*kick_vq_with_data)(struct vdpa_device *vdev, u32 data);
	/**
	 * @set_vq_cb: install the used-buffer notification of a queue. @cb is
	 * copied; @cb->callback NULL removes it, and after return the old
	 * callback is not called again.
	 */
	void (*set_vq_cb)(struct vdpa_device *vdev, u16 idx,
			  struct vdpa_callback *cb);
	/**
	 * @set_vq_ready: start (true) or stop (false) a queue. On return from
	 * stopping, the device no longer touches the ring or its buffers.
	 */
	void (*set_vq_ready)(struct vdpa_device *vdev, u16 idx, bool ready);
	/** @get_vq_ready: Return: what set_vq_ready() latched; false after reset. */
	bool (*get_vq_ready)(struct vdpa_device *vdev, u16 idx);
	/**
	 * @set_vq_state: position a stopped queue. Return: 0, or -EOPNOTSUPP
	 * when the device can only start a ring from its beginning.
	 */
	int (*set_vq_state)(struct vdpa_device *vdev, u16 idx,
			    const struct vdpa_vq_state *state);
	/** @get_vq_state: read a stopped or suspended queue's position. */
	int (*get_vq_state)(struct vdpa_device *vdev, u16 idx,
			    struct vdpa_vq_state *state);
	/**
	 * @get_vendor_vq_stats: (optional) append name and value attributes of
	 * queue @idx to @msg. @idx comes from the administrator; the core has
	 * checked it against nvqs. Called with cf_lock held for read.
	 * Absent: the request is refused with -EOPNOTSUPP.
	 */
	int (*get_vendor_vq_stats)(struct vdpa_device *vdev, u16 idx,
				   struct sk_buff *msg,
				   struct netlink_ext_ack *extack);
	/**
	 * @get_vq_notification: (optional) the queue's doorbell.
	 * Absent: doorbells cannot be mapped.
	 */
	struct vdpa_notification_area
	(*get_vq_notification)(struct vdpa_device *vdev, u16 idx);
	/**
	 * @get_vq_irq: (optional) Return: Linux interrupt number of the queue,
	 * constant while DRIVER_OK is set, or negative when it has none.
	 * Absent: no interrupt bypass.
	 */
	int (*get_vq_irq)(struct vdpa_device *vdev, u16 idx);
	/**
	 * @get_vq_size: (optional) Return: largest size of queue @idx.
	 * Absent: get_vq_num_max() holds for every queue.
	 */
	u16 (*get_vq_size)(struct vdpa_device *vdev, u16 idx);

	/* Device ops */

	/** @get_vq_align: Return: alignment of ring memory in bytes, a power of two. */
	u32 (*get_vq_align)(struct vdpa_device *vdev);
	/**
	 * @get_vq_group: (optional) Return: group of queue @idx, below ngroups.
	 * Absent: all queues are in group 0.
	 */
	u32 (*get_vq_group)(struct vdpa_device *vdev, u16 idx);
	/**
	 * @get_vq_desc_group: (optional) Return: group whose address space
	 * translates the ring areas of queue @idx, when that may differ from
	 * its buffers'. Absent: the same group.
	 */
	u32 (*get_vq_desc_group)(struct vdpa_device *vdev, u16 idx);
	/** @get_device_features: Return: virtio feature bits 0-63 offered. */
	u64 (*get_device_features)(struct vdpa_device *vdev);
	/**
	 * @get_backend_features: (optional) Return: VHOST_BACKEND_F_* bits that
	 * the parent itself vouches for. Absent: none.
	 */
	u64 (*get_backend_features)(const struct vdpa_device *vdev);
	/**
	 * @set_driver_features: accept the driver's choice. cf_lock held for
	 * write. Return: 0, or -errno when the combination cannot be served.
	 */
	int (*set_driver_features)(struct vdpa_device *vdev, u64 features);
	/** @get_driver_features: Return: features in force, 0 after reset. */
	u64 (*get_driver_features)(struct vdpa_device *vdev);
	/**
	 * @set_config_cb: install the configuration change notification. @cb is
	 * copied. A NULL callback removes it, and after return the old one is
	 * not called again.
	 */
	void (*set_config_cb)(struct vdpa_device *vdev,
			      struct vdpa_callback *cb);
	/** @get_vq_num_max: Return: largest size of any queue. */
	u16 (*get_vq_num_max)(struct vdpa_device *vdev);
	/** @get_vq_num_min: (optional) Return: smallest size of a queue. Absent: 1. */
	u16 (*get_vq_num_min)(struct vdpa_device *vdev);
	/** @get_device_id: Return: virtio device ID (section 5). Constant. */
	u32 (*get_device_id)(struct vdpa_device *vdev);
	/** @get_vendor_id: Return: virtio vendor ID. Constant. */
	u32 (*get_vendor_id)(struct vdpa_device *vdev);
	/** @get_status: Return: device status (section 2.1). Any process context. */
	u8 (*get_status)(struct vdpa_device *vdev);
	/**
	 * @set_status: set the device status; never 0. cf_lock held for write. A
	 * parent that cannot follow leaves the new bit unset or sets
	 * VIRTIO_CONFIG_S_FAILED.
	 */
	void (*set_status)(struct vdpa_device *vdev, u8 status);
	/**
	 * @reset: status, features, queues and callbacks back to what they were
	 * after registration; stops every queue as set_vq_ready(false) does.
	 * Maps stay when reset_map exists. cf_lock held for write.
	 */
	int (*reset)(struct vdpa_device *vdev);
	/**
	 * @compat_reset: (optional) @reset for userspace that expects
	 * VDPA_RESET_F_CLEAN_MAP: address spaces return to their default too.
	 * Absent: @reset is called.
	 */
	int (*compat_reset)(struct vdpa_device *vdev, u32 flags);
#define VDPA_RESET_F_CLEAN_MAP 1
	/**
	 * @suspend: (optional) stop processing under DRIVER_OK and keep all
	 * state. On return nothing is in flight. Absent: not offered.
	 */
	int (*suspend)(struct vdpa_device *vdev);
	/** @resume: (optional) undo @suspend, replaying kicks that came meanwhile. */
	int (*resume)(struct vdpa_device *vdev);
	/** @get_config_size: Return: bytes of configuration space. Constant. */
	size_t (*get_config_size)(struct vdpa_device *vdev);
	/**
	 * @get_config: copy @len bytes of configuration space (section 2.5),
	 * little endian, from @offset. The core has checked that they lie inside
	 * get_config_size(). cf_lock held for read.
	 */
	void (*get_config)(struct vdpa_device *vdev, unsigned int offset,
			   void *buf, unsigned int len);
	/** @set_config: write as @get_config reads. cf_lock held for write. */
	void (*set_config)(struct vdpa_device *vdev, unsigned int offset,
			   const void *buf, unsigned int len);
	/**
	 * @get_generation: (optional) Return: a number that changes whenever
	 * configuration space does. Absent: virtio_vdpa reports 0.
	 */
	u32 (*get_generation)(struct vdpa_device *vdev);
	/** @get_iova_range: (optional) Absent: IOMMU geometry, else 64 bits. */
	struct vdpa_iova_range (*get_iova_range)(struct vdpa_device *vdev);
	/** @set_vq_affinity: (optional) bind the queue's work to @cpu_mask. */
	int (*set_vq_affinity)(struct vdpa_device *vdev, u16 idx,
			       const struct cpumask *cpu_mask);
	/** @get_vq_affinity: (optional) Return: mask in force or NULL. */
	const struct cpumask *(*get_vq_affinity)(struct vdpa_device *vdev,
						 u16 idx);

	/* DMA ops: none of the next three means that the platform IOMMU translates */

	/**
	 * @set_map: (optional) replace address space @asid by @iotlb, which the
	 * caller owns and keeps unchanged during the call. On failure the old
	 * map stays in force. Never called with an mmap lock held.
	 */
	int (*set_map)(struct vdpa_device *vdev, unsigned int asid,
		       struct vhost_iotlb *iotlb);
	/**
	 * @dma_map: (optional, with @dma_unmap) add one range. @pa is a physical
	 * address, or a virtual one when use_va; @opaque is then a struct
	 * vdpa_map_file. Never called with an mmap lock held.
	 */
	int (*dma_map)(struct vdpa_device *vdev, unsigned int asid,
		       u64 iova, u64 size, u64 pa, u32 perm, void *opaque);
	/**
	 * @dma_unmap: (optional, with @dma_map) remove [@iova, @iova + @size). On
	 * return the device does not touch the memory that was behind it.
	 */
	int (*dma_unmap)(struct vdpa_device *vdev, unsigned int asid,
			 u64 iova, u64 size);
	/**
	 * @reset_map: (optional) return @asid to its default. Presence means
	 * that maps survive @reset.
	 */
	int (*reset_map)(struct vdpa_device *vdev, unsigned int asid);
	/**
	 * @set_group_asid: (optional) attach @group to @asid. Not called under
	 * DRIVER_OK. Absent: groups cannot be moved.
	 */
	int (*set_group_asid)(struct vdpa_device *vdev, unsigned int group,
			      unsigned int asid);
	/**
	 * @get_vq_dma_dev: (optional) Return: device that does DMA for queue
	 * @idx, or NULL for none. Absent: &vdpa_device.dma_dev.
	 */
	struct device *(*get_vq_dma_dev)(struct vdpa_device *vdev, u16 idx);
	/**
	 * @bind_mm: (optional, use_va only) addresses given from now on are
	 * those of @mm. The caller holds a reference on the struct, not on its
	 * users.
	 */
	int (*bind_mm)(struct vdpa_device *vdev, struct mm_struct *mm);
	/** @unbind_mm: (optional, use_va only) on return @mm is not accessed. */
	void (*unbind_mm)(struct vdpa_device *vdev);

	/**
	 * @free: (optional) release what hangs off the structure. Last
	 * reference dropped; any process context; nobody else can reach it.
	 */
	void (*free)(struct vdpa_device *vdev);

	/* Beyond Linux 6.12 */

	/**
	 * @isolate: (optional) while @on, the default of every address space is
	 * *empty*: the device reaches nothing that set_map() or dma_map() did
	 * not give it. Otherwise the default suits a kernel driver (DMA API
	 * addresses work unmapped). Called by a bus driver whose user is not
	 * trusted, at bind (true) and unbind (false), with the device reset.
	 * Absent: the parent has no default map to take away.
	 */
	void (*isolate)(struct vdpa_device *vdev, bool on);
	/**
	 * @update_map: (optional, with @set_map and @reset_map) change address
	 * space @asid in one transaction: take away what is in @removed, then
	 * add what is in @added, lists of struct vdpa_map by their links.
	 * Either is done whole or, on failure, everything stays as it was.
	 *
	 * What is taken away are runs that were added, each as it was; what is
	 * added overlaps nothing that stays. After @reset_map and after a
	 * @compat_reset that cleans maps the address space is empty, as far as
	 * this op is concerned. The maps belong to the caller, who may free
	 * those in @removed afterwards: on return the device does not touch the
	 * memory that was behind them. Never called with an mmap lock held.
	 */
	int (*update_map)(struct vdpa_device *vdev, unsigned int asid,
			  const struct list_head *removed,
			  const struct list_head *added);
	/**
	 * @reset_vq: (optional) reset one virtqueue while the device runs
	 * (section 2.6.1 of virtio 1.2): it is not ready any more, and forgets
	 * all that was set. On return the device does not touch its ring or its
	 * buffers, and may be told of others. A parent that has this may offer
	 * VIRTIO_F_RING_RESET, and takes @set_vq_num, @set_vq_address and
	 * @set_vq_state of a queue that is not ready at any time; without it
	 * virtio_vdpa does not let the feature through.
	 */
	void (*reset_vq)(struct vdpa_device *vdev, u16 idx);
	/**
	 * @get_vq_info: (optional) tell of queue @idx, also while it runs. Called at any
	 * time between registration and unregistration, in parallel with other ops; must
	 * not wait for userspace. Absent: nothing is known that could be read so.
	 */
	void (*get_vq_info)(struct vdpa_device *vdev, u16 idx, struct vdpa_vq_info *info);
};

struct vdpa_device *__vdpa_alloc_device(struct device *parent,
					const struct vdpa_config_ops *config,
					unsigned int ngroups, unsigned int nas,
					size_t size, const char *name,
					bool use_va);

/**
 * vdpa_alloc_device() - allocate a parent's structure with its vDPA device
 * @dev_struct: type to allocate
 * @member: its struct vdpa_device, which must be the first member
 * @parent: device in whose sysfs directory it appears
 * @config: the parent's operations
 * @ngroups: number of virtqueue groups
 * @nas: number of address spaces
 * @name: name on the bus, or NULL for "vdpa<index>"
 * @use_va: maps carry virtual addresses
 *
 * See __vdpa_alloc_device().
 *
 * Return: pointer to @dev_struct, or ERR_PTR.
 */
#define vdpa_alloc_device(dev_struct, member, parent, config, ngroups, nas,    \
			  name, use_va)                                        \
	((dev_struct *)__vdpa_alloc_device(                                    \
		parent, config, ngroups, nas,                                  \
		sizeof(dev_struct) +                                           \
			BUILD_BUG_ON_ZERO(offsetof(dev_struct, member)) +      \
			BUILD_BUG_ON_ZERO(!__same_type(                        \
				((dev_struct *)0)->member,                     \
				struct vdpa_device)),                          \
		name, use_va))

int vdpa_register_device(struct vdpa_device *vdev, u32 nvqs);
void vdpa_unregister_device(struct vdpa_device *vdev);
int _vdpa_register_device(struct vdpa_device *vdev, u32 nvqs);
void _vdpa_unregister_device(struct vdpa_device *vdev);

/**
 * struct vdpa_usage - who uses a device and with how much
 * @owner: process that has it open, or NULL; with a reference for the caller
 * @pinned_pages: pages that are pinned for its maps
 * @maps: maps in all its address spaces
 */
struct vdpa_usage {
	struct pid *owner;
	u64 pinned_pages;
	u64 maps;
};

/**
 * struct vdpa_driver - a bus driver
 * @driver: the driver model's part; set its name
 * @probe: take over a device; it is reset and nobody else drives it. Device lock
 *	held. Return: 0 or -errno.
 * @remove: give the device up. Device lock held. On return no op is called any
 *	more on behalf of this driver. Must not wait for userspace.
 */
struct vdpa_driver {
	struct device_driver driver;
	int (*probe)(struct vdpa_device *vdev);
	void (*remove)(struct vdpa_device *vdev);
	/**
	 * @get_usage: (optional) who uses a device that this driver has. Device lock held;
	 * must not wait. Return: false when it would have to.
	 */
	bool (*get_usage)(struct vdpa_device *vdev, struct vdpa_usage *usage);
};

int __vdpa_register_driver(struct vdpa_driver *drv, struct module *owner);
void vdpa_unregister_driver(struct vdpa_driver *drv);

/** vdpa_register_driver() - __vdpa_register_driver() for the calling module */
#define vdpa_register_driver(drv) __vdpa_register_driver(drv, THIS_MODULE)

/** module_vdpa_driver() - a module that only registers one bus driver */
#define module_vdpa_driver(__vdpa_driver)              \
	module_driver(__vdpa_driver, vdpa_register_driver, \
		      vdpa_unregister_driver)

static inline struct vdpa_driver *drv_to_vdpa(struct device_driver *driver)
{
	return container_of(driver, struct vdpa_driver, driver);
}

static inline struct vdpa_device *dev_to_vdpa(struct device *dev)
{
	return container_of(dev, struct vdpa_device, dev);
}

static inline void *vdpa_get_drvdata(const struct vdpa_device *vdev)
{
	return dev_get_drvdata(&vdev->dev);
}

static inline void vdpa_set_drvdata(struct vdpa_device *vdev, void *data)
{
	dev_set_drvdata(&vdev->dev, data);
}

static inline struct device *vdpa_get_dma_dev(struct vdpa_device *vdev)
{
	return vdev->dma_dev;
}

int vdpa_reset(struct vdpa_device *vdev, u32 flags);
int vdpa_set_features_unlocked(struct vdpa_device *vdev, u64 features);
int vdpa_set_features(struct vdpa_device *vdev, u64 features);
void vdpa_get_config(struct vdpa_device *vdev, unsigned int offset,
		     void *buf, unsigned int len);
void vdpa_set_config(struct vdpa_device *vdev, unsigned int offset,
		     const void *buf, unsigned int len);
void vdpa_set_status(struct vdpa_device *vdev, u8 status);

/**
 * struct vdpa_mgmtdev_ops - how a management device creates and deletes
 *
 * All are called in process context with the management device's lock held, so
 * one call at a time per management device; calls on two management devices run
 * in parallel.
 */
struct vdpa_mgmtdev_ops {
	/**
	 * @dev_add: create device @name as @config asks. The fields named in
	 * &vdpa_dev_set_config.mask are within &vdpa_mgmt_dev.config_attr_mask.
	 * Sets &vdpa_device.mdev and ends with _vdpa_register_device().
	 * Return: 0 or -errno, and then nothing is left behind.
	 */
	int (*dev_add)(struct vdpa_mgmt_dev *mdev, const char *name,
		       const struct vdpa_dev_set_config *config);
	/**
	 * @dev_del: delete a device made by @dev_add; calls
	 * _vdpa_unregister_device(). The caller keeps a reference on @dev.
	 */
	void (*dev_del)(struct vdpa_mgmt_dev *mdev, struct vdpa_device *dev);
	/**
	 * @dev_set_attr: (optional) change what @config->mask names on an
	 * existing device. Absent: refused with -EOPNOTSUPP.
	 */
	int (*dev_set_attr)(struct vdpa_mgmt_dev *mdev, struct vdpa_device *dev,
			    const struct vdpa_dev_set_config *config);
};

/**
 * struct vdpa_mgmt_dev - a parent's handle for the administrator
 * @device: the device it stands for; its bus and name are the handle's name
 * @ops: operations
 * @id_table: virtio device IDs that can be created, ended by an all-zero entry
 * @config_attr_mask: ``BIT_ULL(VDPA_ATTR_*)`` that dev_add and dev_set_attr take
 * @list: private to the core
 * @supported_features: virtio features that devices may offer
 * @max_supported_vqs: most virtqueues of one device
 * @mgmt: private to the core: set by vdpa_mgmtdev_register()
 * @ext_attr_mask: ``VDPA_EXT_BIT(VDPA_ATTR_*)`` that dev_add and dev_set_attr take
 */
struct vdpa_mgmt_dev {
	struct device *device;
	const struct vdpa_mgmtdev_ops *ops;
	struct virtio_device_id *id_table;
	u64 config_attr_mask;
	struct list_head list;
	u64 supported_features;
	u32 max_supported_vqs;
	struct vdpa_mgmt *mgmt;
	u64 ext_attr_mask;
};

int vdpa_mgmtdev_register(struct vdpa_mgmt_dev *mdev);
void vdpa_mgmtdev_unregister(struct vdpa_mgmt_dev *mdev);

#endif /* _LINUX_VDPA_H */
