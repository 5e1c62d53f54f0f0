// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated devices: a look at their queues, in debugfs at vdpa_sim/NAME. One line for a
 * queue; for developers of drivers, who may want to see why one does not move.
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "vdpa_sim.h"

static struct dentry *debugfs_root;

static const char *queue_condition(const struct vdpa_sim_queue *queue)
{
	if (vdpa_ring_running(queue->ring))
		return vdpa_ring_broken(queue->ring) ? "broken" : "running";
	return queue->ready ? "ready" : "off";
}

/* The wrap counter of a place, which only packed rings have. */
static char wrap_sign(const struct vdpa_sim_queue *queue, bool wrap)
{
	if (!(queue->sim->features & BIT_ULL(VIRTIO_F_RING_PACKED)))
		return ' ';
	return wrap ? '+' : '-';
}

static void show_queue(struct seq_file *file, struct vdpa_sim_queue *queue)
{
	struct vdpa_ring_state at;
	u64 kicks;

	guard(mutex)(&queue->lock);
	at = queue->state;
	if (vdpa_ring_running(queue->ring))
		vdpa_ring_get_state(queue->ring, &at);
	scoped_guard(spinlock_irq, &queue->kick_lock)
		kicks = queue->kicks;
	seq_printf(file, "%5u %-7s %4u %5u%c %5u%c %10llu %10llu %10llu %10llu %9llu\n",
		   queue->index, queue_condition(queue), queue->num,
		   at.avail, wrap_sign(queue, at.avail_wrap), at.used,
		   wrap_sign(queue, at.used_wrap),
		   kicks, queue->bursts, queue->chains, queue->interrupts,
		   queue->malformed);
}

static int queues_show(struct seq_file *file, void *unused)
{
	struct vdpa_sim *sim = file->private;
	u32 i;

	seq_puts(file, "queue state   size  avail   used      kicks     bursts     chains interrupts malformed\n");
	for (i = 0; i < sim->vdpa.nvqs; i++)
		show_queue(file, &sim->queues[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queues);

/* A device is on the bus. What debugfs does not do is not missed. */
void vdpa_sim_debugfs_add(struct vdpa_sim *sim)
{
	sim->debugfs = debugfs_create_file(dev_name(&sim->vdpa.dev), 0400, debugfs_root,
					   sim, &queues_fops);
}

/* A device leaves the bus. Waits for readers. */
void vdpa_sim_debugfs_remove(struct vdpa_sim *sim)
{
	debugfs_remove(sim->debugfs);
}

void __init vdpa_sim_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("vdpa_sim", NULL);
}

void vdpa_sim_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}
