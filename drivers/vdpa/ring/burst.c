// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bursts: the times when memory may be used.
 *
 * A change of a map takes &vdpa_memory.lock for write and so waits for the bursts that
 * may have translated through the old one. It must not wait for long, and not for the
 * process whose memory that is: a burst takes no page fault. What was not there is
 * noted, and is fetched between bursts with no lock held.
 */

#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "ring_private.h"

/* Take part in the memory. Return: 0, or -EFAULT if its process is going. */
static int memory_lock(struct vdpa_memory *mem, int subclass)
{
	down_read_nested(&mem->lock, subclass);
	if (!mem->mm || mmget_not_zero(mem->mm))
		return 0;
	up_read(&mem->lock);
	return -EFAULT;
}

static void memory_unlock(struct vdpa_memory *mem)
{
	struct mm_struct *mm = mem->mm;

	if (mm && current->mm == mm)
		kthread_unuse_mm(mm);
	up_read(&mem->lock);
	/* the last user's exit can take long: not under the lock */
	if (mm)
		mmput(mm);
}

/**
 * vdpa_memory_use_mm() - run on the bound process's memory, if one is bound
 * @mem: the device's memory
 *
 * Context: Within a burst.
 */
void vdpa_memory_use_mm(struct vdpa_memory *mem)
{
	lockdep_assert_held(&mem->lock);
	if (!mem->mm || current->mm == mem->mm)
		return;
	if (current->mm)
		kthread_unuse_mm(current->mm);
	kthread_use_mm(mem->mm);
}

/**
 * vdpa_memory_enter() - begin a burst
 * @mem: the device's memory
 *
 * Until vdpa_memory_exit() no map changes and no page fault is taken. If an mm is bound,
 * the caller, a kernel thread or work item, runs on it meanwhile.
 *
 * Context: Kernel thread without an mm of its own. May sleep.
 * Return: 0, or -EFAULT if the bound process has given up its memory; there is
 * nothing to exit from then.
 */
int vdpa_memory_enter(struct vdpa_memory *mem)
{
	int err = memory_lock(mem, 0);

	if (err)
		return err;
	vdpa_memory_use_mm(mem);
	pagefault_disable();
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_memory_enter);

/**
 * vdpa_memory_enter_two() - begin a burst that moves data between devices
 * @mem: memory of a device
 * @other: memory of another, or the same
 *
 * To be ended by vdpa_memory_exit() of each, or of the one.
 *
 * Context: As vdpa_memory_enter().
 * Return: As vdpa_memory_enter().
 */
int vdpa_memory_enter_two(struct vdpa_memory *mem, struct vdpa_memory *other)
{
	int err;

	if (mem == other)
		return vdpa_memory_enter(mem);
	/* in one order, or two bursts and two changes could wait for each other */
	if (mem > other)
		swap(mem, other);
	err = memory_lock(mem, 0);
	if (err)
		return err;
	err = memory_lock(other, SINGLE_DEPTH_NESTING);
	if (err) {
		memory_unlock(mem);
		return err;
	}
	/* with two, every call looks whose memory it needs */
	if (mem->mm && other->mm && mem->mm != other->mm) {
		WRITE_ONCE(mem->mixed, true);
		WRITE_ONCE(other->mixed, true);
	}
	vdpa_memory_use_mm(mem);
	vdpa_memory_use_mm(other);
	pagefault_disable();
	pagefault_disable();
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_memory_enter_two);

/**
 * vdpa_memory_exit() - end a burst
 * @mem: the device's memory
 *
 * Context: The thread that began it. May sleep.
 */
void vdpa_memory_exit(struct vdpa_memory *mem)
{
	pagefault_enable();
	memory_unlock(mem);
}
EXPORT_SYMBOL_GPL(vdpa_memory_exit);

/**
 * vdpa_ring_fault() - take note of the page that a burst did without
 * @ring: the ring
 * @fault: filled; vdpa_fault_resolve() is due once the burst has ended
 *
 * Context: At the end of a burst. Serialised with all calls on @ring.
 * Return: true if a call on @ring returned -EAGAIN in the burst.
 */
bool vdpa_ring_fault(struct vdpa_ring *ring, struct vdpa_fault *fault)
{
	lockdep_assert_held(&ring->mem->lock);
	if (!ring->faulted)
		return false;
	ring->faulted = false;
	*fault = (struct vdpa_fault) {
		.ring = ring,
		.start = ring->starts,
		.mm = ring->mem->mm,
		.addr = ring->fault_addr,
		.size = ring->fault_size,
		.write = ring->fault_write,
	};
	mmget(fault->mm);
	return true;
}
EXPORT_SYMBOL_GPL(vdpa_ring_fault);

/**
 * vdpa_fault_resolve() - fetch a page
 * @fault: what vdpa_ring_fault() told
 *
 * May take as long as the process likes, if it answers its page faults itself.
 *
 * Context: Kernel thread without an mm of its own, no lock held. Sleeps.
 * Return: 0, or -EFAULT if there is no such page: the ring is then to be failed.
 */
int vdpa_fault_resolve(struct vdpa_fault *fault)
{
	char __user *at = (char __user *)fault->addr;
	size_t left;

	might_sleep();
	kthread_use_mm(fault->mm);
	left = fault->write ? fault_in_safe_writeable(at, fault->size) :
			      fault_in_readable(at, fault->size);
	kthread_unuse_mm(fault->mm);
	mmput(fault->mm);
	return left ? -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(vdpa_fault_resolve);
