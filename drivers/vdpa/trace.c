// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints themselves; those that bus drivers use are exported to them. An interrupt
 * is traced by the bus driver that is called back, or by a parent that goes past it.
 */
#define CREATE_TRACE_POINTS
#include <trace/events/vdpa.h>

EXPORT_TRACEPOINT_SYMBOL_GPL(vdpa_vq_ready);
EXPORT_TRACEPOINT_SYMBOL_GPL(vdpa_vq_address);
EXPORT_TRACEPOINT_SYMBOL_GPL(vdpa_kick);
EXPORT_TRACEPOINT_SYMBOL_GPL(vdpa_interrupt);
EXPORT_TRACEPOINT_SYMBOL_GPL(vdpa_map);
EXPORT_TRACEPOINT_SYMBOL_GPL(vdpa_unmap);
EXPORT_TRACEPOINT_SYMBOL_GPL(vdpa_batch);
