// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated devices: calling the bus driver back.
 */
#include <linux/bottom_half.h>
#include <linux/eventfd.h>
#include <linux/export.h>
#include "vdpa_sim.h"

/**
 * vdpa_sim_notify() - call back
 * @lock: protects @cb
 * @cb: whom to call; the callback may be NULL
 *
 * A callback expects to be called as an interrupt is: with interrupts off, and what
 * it raises for bottom halves to run soon.
 *
 * Context: Process context.
 */
void vdpa_sim_notify(spinlock_t *lock, const struct vdpa_callback *cb)
{
	unsigned long flags;

	local_bh_disable();
	spin_lock_irqsave(lock, flags);
	if (cb->trigger)
		eventfd_signal(cb->trigger);
	else if (cb->callback)
		cb->callback(cb->private);
	spin_unlock_irqrestore(lock, flags);
	local_bh_enable();
}

/**
 * vdpa_sim_config_changed() - configuration space or NEEDS_RESET changed
 * @sim: device
 *
 * Context: Process context.
 */
void vdpa_sim_config_changed(struct vdpa_sim *sim)
{
	atomic_inc(&sim->generation);
	vdpa_sim_notify(&sim->config_cb_lock, &sim->config_cb);
}
EXPORT_SYMBOL_GPL(vdpa_sim_config_changed);
