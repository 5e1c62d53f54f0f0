/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the vDPA bus and its drivers. Described in
 * Documentation/admin-guide/vdpa/trace.rst.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vdpa

#if !defined(_TRACE_VDPA_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_VDPA_H

#include <linux/tracepoint.h>
#include <linux/vdpa.h>

/* Devices come and go. */

DECLARE_EVENT_CLASS(vdpa_device,
	TP_PROTO(const struct vdpa_device *vdev),
	TP_ARGS(vdev),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u32, vqs)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->vqs = vdev->nvqs;
	),
	TP_printk("%s: vqs=%u", __get_str(device), __entry->vqs)
);

DEFINE_EVENT(vdpa_device, vdpa_dev_add,
	TP_PROTO(const struct vdpa_device *vdev), TP_ARGS(vdev));
DEFINE_EVENT(vdpa_device, vdpa_dev_del,
	TP_PROTO(const struct vdpa_device *vdev), TP_ARGS(vdev));

/* Status, features, configuration space */

TRACE_EVENT(vdpa_set_status,
	TP_PROTO(const struct vdpa_device *vdev, u8 status),
	TP_ARGS(vdev, status),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u8, status)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->status = status;
	),
	TP_printk("%s: status=%#x", __get_str(device), __entry->status)
);

TRACE_EVENT(vdpa_reset,
	TP_PROTO(const struct vdpa_device *vdev, u32 flags, int err),
	TP_ARGS(vdev, flags, err),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u32, flags)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->flags = flags;
		__entry->err = err;
	),
	TP_printk("%s: flags=%#x err=%d", __get_str(device), __entry->flags, __entry->err)
);

TRACE_EVENT(vdpa_set_features,
	TP_PROTO(const struct vdpa_device *vdev, u64 features, int err),
	TP_ARGS(vdev, features, err),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u64, features)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->features = features;
		__entry->err = err;
	),
	TP_printk("%s: features=%#llx err=%d", __get_str(device), __entry->features,
		  __entry->err)
);

DECLARE_EVENT_CLASS(vdpa_config,
	TP_PROTO(const struct vdpa_device *vdev, unsigned int offset, unsigned int len),
	TP_ARGS(vdev, offset, len),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(unsigned int, offset)
		__field(unsigned int, len)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->offset = offset;
		__entry->len = len;
	),
	TP_printk("%s: offset=%u len=%u", __get_str(device), __entry->offset, __entry->len)
);

DEFINE_EVENT(vdpa_config, vdpa_get_config,
	TP_PROTO(const struct vdpa_device *vdev, unsigned int offset, unsigned int len),
	TP_ARGS(vdev, offset, len));
DEFINE_EVENT(vdpa_config, vdpa_set_config,
	TP_PROTO(const struct vdpa_device *vdev, unsigned int offset, unsigned int len),
	TP_ARGS(vdev, offset, len));

/* Virtqueues, as a bus driver handles them */

TRACE_EVENT(vdpa_vq_ready,
	TP_PROTO(const struct vdpa_device *vdev, u32 queue, bool ready),
	TP_ARGS(vdev, queue, ready),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u32, queue)
		__field(bool, ready)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue;
		__entry->ready = ready;
	),
	TP_printk("%s: queue=%u ready=%d", __get_str(device), __entry->queue, __entry->ready)
);

TRACE_EVENT(vdpa_vq_address,
	TP_PROTO(const struct vdpa_device *vdev, u32 queue, u64 desc, u64 driver, u64 device),
	TP_ARGS(vdev, queue, desc, driver, device),
	TP_STRUCT__entry(
		__string(name, dev_name(&vdev->dev))
		__field(u32, queue)
		__field(u64, desc)
		__field(u64, driver)
		__field(u64, device)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->queue = queue;
		__entry->desc = desc;
		__entry->driver = driver;
		__entry->device = device;
	),
	TP_printk("%s: queue=%u desc=%#llx driver=%#llx device=%#llx", __get_str(name),
		  __entry->queue, __entry->desc, __entry->driver, __entry->device)
);

DECLARE_EVENT_CLASS(vdpa_queue,
	TP_PROTO(const struct vdpa_device *vdev, u32 queue),
	TP_ARGS(vdev, queue),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u32, queue)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue;
	),
	TP_printk("%s: queue=%u", __get_str(device), __entry->queue)
);

DEFINE_EVENT(vdpa_queue, vdpa_kick,
	TP_PROTO(const struct vdpa_device *vdev, u32 queue), TP_ARGS(vdev, queue));
DEFINE_EVENT(vdpa_queue, vdpa_interrupt,
	TP_PROTO(const struct vdpa_device *vdev, u32 queue), TP_ARGS(vdev, queue));

/* Maps of a process */

DECLARE_EVENT_CLASS(vdpa_iotlb,
	TP_PROTO(const struct vdpa_device *vdev, u32 asid, u64 iova, u64 size, u64 ns, int err),
	TP_ARGS(vdev, asid, iova, size, ns, err),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u32, asid)
		__field(u64, iova)
		__field(u64, size)
		__field(u64, ns)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->asid = asid;
		__entry->iova = iova;
		__entry->size = size;
		__entry->ns = ns;
		__entry->err = err;
	),
	TP_printk("%s: asid=%u iova=%#llx size=%#llx ns=%llu err=%d", __get_str(device),
		  __entry->asid, __entry->iova, __entry->size, __entry->ns, __entry->err)
);

DEFINE_EVENT(vdpa_iotlb, vdpa_map,
	TP_PROTO(const struct vdpa_device *vdev, u32 asid, u64 iova, u64 size, u64 ns, int err),
	TP_ARGS(vdev, asid, iova, size, ns, err));
DEFINE_EVENT(vdpa_iotlb, vdpa_unmap,
	TP_PROTO(const struct vdpa_device *vdev, u32 asid, u64 iova, u64 size, u64 ns, int err),
	TP_ARGS(vdev, asid, iova, size, ns, err));

TRACE_EVENT(vdpa_batch,
	TP_PROTO(const struct vdpa_device *vdev, u32 asid, u64 ns, int err),
	TP_ARGS(vdev, asid, ns, err),
	TP_STRUCT__entry(
		__string(device, dev_name(&vdev->dev))
		__field(u32, asid)
		__field(u64, ns)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->asid = asid;
		__entry->ns = ns;
		__entry->err = err;
	),
	TP_printk("%s: asid=%u ns=%llu err=%d", __get_str(device), __entry->asid, __entry->ns,
		  __entry->err)
);

#endif /* _TRACE_VDPA_H */

#include <trace/define_trace.h>
