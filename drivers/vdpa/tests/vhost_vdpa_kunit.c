// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost_vdpa with hardware that no simulator has: doorbells, interrupts of queues, and
 * queues by the ten thousand.
 */
#include <linux/eventfd.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/irqbypass.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>
#include <uapi/linux/virtio_config.h>

#include "vhost_file.h"

#define IRQ 33

/**
 * struct vhost_case - a device with doorbells and interrupts
 * @mock: its parent
 * @vf: it, opened and owned
 * @doorbell: page of a doorbell
 * @size: what the parent says of the doorbell's size
 * @irq: interrupt of every queue, or negative
 */
struct vhost_case {
	struct mock *mock;
	struct vhost_file *vf;
	struct page *doorbell;
	resource_size_t size;
	int irq;
};

static struct vhost_case *vdev_case(struct vdpa_device *vdev)
{
	return to_mock(vdev)->test->priv;
}

static struct vdpa_notification_area get_notification(struct vdpa_device *vdev, u16 idx)
{
	struct vhost_case *c = vdev_case(vdev);

	return (struct vdpa_notification_area) {
		.addr = page_to_phys(c->doorbell),
		.size = c->size,
	};
}

static int get_irq(struct vdpa_device *vdev, u16 idx)
{
	return vdev_case(vdev)->irq;
}

static int set_map(struct vdpa_device *vdev, unsigned int asid, struct vhost_iotlb *iotlb)
{
	return 0;
}

static void free_doorbell(void *page)
{
	__free_page(page);
}

static void new_mock(struct kunit *test)
{
	struct vhost_case *c = test->priv;

	c->mock = mock_new(test);
	c->mock->bound_to = "vhost_vdpa";
	c->mock->ops.get_vq_notification = get_notification;
	c->mock->ops.get_vq_irq = get_irq;
	c->mock->ops.set_map = set_map;
}

static int vhost_init(struct kunit *test)
{
	struct vhost_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->doorbell = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, c->doorbell);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_doorbell, c->doorbell));
	c->size = PAGE_SIZE;
	c->irq = IRQ;
	new_mock(test);
	return 0;
}

static void start(struct kunit *test)
{
	struct vhost_case *c = test->priv;

	KUNIT_ASSERT_EQ(test, 0, mock_register(c->mock));
	c->vf = vhost_file_open(test, c->mock);
	KUNIT_ASSERT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_SET_OWNER, NULL, 0));
}

/* Doorbells */

static unsigned long map_doorbell(struct kunit *test, unsigned long index,
				  unsigned long size, unsigned long prot,
				  unsigned long flags)
{
	struct vhost_case *c = test->priv;

	return vm_mmap(c->vf->file, 0, size, prot, flags, index << PAGE_SHIFT);
}

/* what is written reaches the device, until the device is gone */
static void doorbell_rings(struct kunit *test)
{
	struct vhost_case *c = test->priv;
	u32 __user *at;
	u32 *seen = page_address(c->doorbell);

	start(test);
	at = (u32 __user *)map_doorbell(test, 1, PAGE_SIZE, PROT_WRITE, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE((unsigned long)at));
	KUNIT_EXPECT_EQ(test, 0, put_user(0x1234, at));
	KUNIT_EXPECT_EQ(test, 0x1234, READ_ONCE(*seen));

	mock_unregister(c->mock);
	KUNIT_EXPECT_EQ(test, -EFAULT, put_user(0x5678, at));
	KUNIT_EXPECT_EQ(test, 0x1234, READ_ONCE(*seen));
	vm_munmap((unsigned long)at, PAGE_SIZE);
}

/* a mapping that nobody touched before the device went */
static void doorbell_too_late(struct kunit *test)
{
	struct vhost_case *c = test->priv;
	unsigned long at;

	start(test);
	at = map_doorbell(test, 0, PAGE_SIZE, PROT_WRITE, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	mock_unregister(c->mock);
	KUNIT_EXPECT_EQ(test, -EFAULT, put_user(1, (u32 __user *)at));
	vm_munmap(at, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, (unsigned long)-ENODEV,
			map_doorbell(test, 0, PAGE_SIZE, PROT_WRITE, MAP_SHARED));
}

/**
 * struct toucher - a thread of the process that rings on and on
 * @mm: the process
 * @at: the doorbell
 * @rang: times
 * @done: it was told that there is none any more
 */
struct toucher {
	struct mm_struct *mm;
	u32 __user *at;
	unsigned int rang;
	struct completion done;
};

static int touch(void *data)
{
	struct toucher *t = data;

	kthread_use_mm(t->mm);
	while (!put_user(1, t->at)) {
		WRITE_ONCE(t->rang, t->rang + 1);
		cond_resched();
	}
	kthread_unuse_mm(t->mm);
	complete(&t->done);
	return 0;
}

/* the device goes while a page fault may be under way, or the page is in use */
static void doorbell_races_removal(struct kunit *test)
{
	struct vhost_case *c = test->priv;
	u32 *seen = page_address(c->doorbell);
	struct toucher t = { .mm = current->mm };
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		if (i)
			new_mock(test);
		start(test);
		t.mm = current->mm;
		t.rang = 0;
		t.at = (u32 __user *)map_doorbell(test, 0, PAGE_SIZE, PROT_WRITE,
						  MAP_SHARED);
		KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE((unsigned long)t.at));
		init_completion(&t.done);
		task = kthread_run(touch, &t, "vdpa_touch");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		/* the odd ones may come too late for even the first fault */
		while (i % 2 && !READ_ONCE(t.rang) && !completion_done(&t.done))
			usleep_range(50, 100);
		mock_unregister(c->mock);
		/* from here on it is somebody else's page */
		WRITE_ONCE(*seen, 0xdead);
		KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&t.done, 10 * HZ));
		KUNIT_EXPECT_EQ(test, 0xdead, READ_ONCE(*seen));
		vm_munmap((unsigned long)t.at, PAGE_SIZE);
		vhost_file_close(c->vf);
	}
}

static void doorbell_refused(struct kunit *test)
{
	static const struct {
		unsigned long index, size, prot, flags;
	} bad[] = {
		{ 3, PAGE_SIZE, PROT_WRITE, MAP_SHARED },
		{ 65536, PAGE_SIZE, PROT_WRITE, MAP_SHARED },
		{ 0, 2 * PAGE_SIZE, PROT_WRITE, MAP_SHARED },
		{ 0, PAGE_SIZE, PROT_WRITE, MAP_PRIVATE },
		{ 0, PAGE_SIZE, PROT_WRITE | PROT_READ, MAP_SHARED },
		{ 0, PAGE_SIZE, PROT_WRITE | PROT_EXEC, MAP_SHARED },
	};
	struct vhost_case *c = test->priv;
	unsigned int i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, (unsigned long)-EINVAL,
				    map_doorbell(test, bad[i].index, bad[i].size,
						 bad[i].prot, bad[i].flags),
				    "row %u", i);
	/* it shares its page with something else */
	c->size = PAGE_SIZE / 2;
	KUNIT_EXPECT_EQ(test, (unsigned long)-EOPNOTSUPP,
			map_doorbell(test, 0, PAGE_SIZE, PROT_WRITE, MAP_SHARED));
	c->mock->ops.get_vq_notification = NULL;
	KUNIT_EXPECT_EQ(test, (unsigned long)-EOPNOTSUPP,
			map_doorbell(test, 0, PAGE_SIZE, PROT_WRITE, MAP_SHARED));
}

/* what keeps a doorbell from being somewhere else */
static void doorbell_flags(struct kunit *test)
{
	const unsigned long want = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTCOPY |
				   VM_DONTDUMP;
	unsigned long at, flags = 0;
	struct vm_area_struct *vma;

	start(test);
	at = map_doorbell(test, 0, PAGE_SIZE, PROT_WRITE, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at));
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, at);
	if (vma)
		flags = vma->vm_flags;
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, want, flags & want);
	KUNIT_EXPECT_EQ(test, 0, flags & (VM_MAYREAD | VM_MAYEXEC));
	vm_munmap(at, PAGE_SIZE);
}

/* Interrupts */

/**
 * struct consumer - who would post interrupts to a guest
 * @consumer: registered by the eventfd
 * @irq: interrupt that it was connected to, or -1
 */
struct consumer {
	struct irq_bypass_consumer consumer;
	int irq;
};

static int consumer_add(struct irq_bypass_consumer *consumer,
			struct irq_bypass_producer *producer)
{
	container_of(consumer, struct consumer, consumer)->irq = producer->irq;
	return 0;
}

static void consumer_del(struct irq_bypass_consumer *consumer,
			 struct irq_bypass_producer *producer)
{
	container_of(consumer, struct consumer, consumer)->irq = -1;
}

static long set_call(struct vhost_case *c, int fd)
{
	struct vhost_vring_file file = { .index = 1, .fd = fd };

	return vhost_file_ioctl(c->vf, VHOST_SET_VRING_CALL, &file, sizeof(file));
}

static long set_status(struct vhost_case *c, u8 status)
{
	return vhost_file_ioctl(c->vf, VHOST_VDPA_SET_STATUS, &status, sizeof(status));
}

static const u8 driver_ok = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			    VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK;

/* Only system calls make eventfds, which some architectures hide from the kernel itself. */
static int make_eventfd(struct kunit *test)
{
#ifdef CONFIG_ARCH_HAS_SYSCALL_WRAPPER
	kunit_skip(test, "the kernel cannot make an eventfd on this architecture");
#else
	return sys_eventfd2(0, 0);
#endif
}

/* An eventfd and who consumes it. */
static int consume(struct kunit *test, struct consumer *consumer)
{
	int fd = make_eventfd(test);
	struct eventfd_ctx *ctx;

	KUNIT_ASSERT_GE(test, fd, 0);
	ctx = eventfd_ctx_fdget(fd);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	*consumer = (struct consumer) {
		.consumer = {
			.token = ctx,
			.add_producer = consumer_add,
			.del_producer = consumer_del,
		},
		.irq = -1,
	};
	KUNIT_ASSERT_EQ(test, 0, irq_bypass_register_consumer(&consumer->consumer));
	return fd;
}

static void consume_no_more(struct consumer *consumer, int fd)
{
	struct eventfd_ctx *ctx = consumer->consumer.token;

	irq_bypass_unregister_consumer(&consumer->consumer);
	eventfd_ctx_put(ctx);
	close_fd(fd);
}

static void bypass_follows_the_eventfd(struct kunit *test)
{
	struct vhost_case *c = test->priv;
	struct consumer one, two;
	int fd1, fd2;

	start(test);
	fd1 = consume(test, &one);
	fd2 = consume(test, &two);
	/* not before the device runs */
	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd1));
	KUNIT_EXPECT_EQ(test, -1, one.irq);
	KUNIT_EXPECT_EQ(test, 0, set_status(c, driver_ok));
	KUNIT_EXPECT_EQ(test, IRQ, one.irq);

	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd2));
	KUNIT_EXPECT_EQ(test, -1, one.irq);
	KUNIT_EXPECT_EQ(test, IRQ, two.irq);

	KUNIT_EXPECT_EQ(test, 0, set_call(c, VHOST_FILE_UNBIND));
	KUNIT_EXPECT_EQ(test, -1, two.irq);

	/* a queue without an interrupt of its own */
	c->irq = -EINVAL;
	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd1));
	KUNIT_EXPECT_EQ(test, -1, one.irq);
	c->irq = IRQ;
	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd1));
	KUNIT_EXPECT_EQ(test, IRQ, one.irq);

	KUNIT_EXPECT_EQ(test, 0, set_status(c, 0));
	KUNIT_EXPECT_EQ(test, -1, one.irq);
	consume_no_more(&one, fd1);
	consume_no_more(&two, fd2);
}

/* the eventfd outlives the session: the interrupt must not */
static void bypass_ends(struct kunit *test)
{
	struct vhost_case *c = test->priv;
	struct consumer consumer;
	int fd;

	start(test);
	fd = consume(test, &consumer);
	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd));
	KUNIT_EXPECT_EQ(test, 0, set_status(c, driver_ok));
	KUNIT_EXPECT_EQ(test, IRQ, consumer.irq);
	vhost_file_close(c->vf);
	KUNIT_EXPECT_EQ(test, -1, consumer.irq);

	c->vf = vhost_file_open(test, c->mock);
	KUNIT_ASSERT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_SET_OWNER, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd));
	KUNIT_EXPECT_EQ(test, 0, set_status(c, driver_ok));
	KUNIT_EXPECT_EQ(test, IRQ, consumer.irq);
	mock_unregister(c->mock);
	KUNIT_EXPECT_EQ(test, -1, consumer.irq);
	consume_no_more(&consumer, fd);
}

static bool is_signalled(struct kunit *test, int fd)
{
	struct file *file = eventfd_fget(fd);
	__poll_t events;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	events = vfs_poll(file, NULL);
	fput(file);
	return events & EPOLLIN;
}

/* Parents that do not signal eventfds by themselves: a callback does, also one that comes late. */
static void calls_by_callback(struct kunit *test)
{
	struct vhost_case *c = test->priv;
	struct vdpa_callback first, *now;
	int fd1, fd2;

	start(test);
	fd1 = make_eventfd(test);
	fd2 = make_eventfd(test);
	KUNIT_ASSERT_GE(test, fd1, 0);
	KUNIT_ASSERT_GE(test, fd2, 0);
	now = &c->mock->vq[1].cb;

	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd1));
	first = *now;
	KUNIT_ASSERT_NOT_NULL(test, first.callback);
	KUNIT_EXPECT_FALSE(test, is_signalled(test, fd1));
	KUNIT_EXPECT_EQ(test, IRQ_HANDLED, first.callback(first.private));
	KUNIT_EXPECT_TRUE(test, is_signalled(test, fd1));

	KUNIT_EXPECT_EQ(test, 0, set_call(c, fd2));
	KUNIT_EXPECT_FALSE(test, is_signalled(test, fd2));
	KUNIT_EXPECT_EQ(test, IRQ_HANDLED, first.callback(first.private));
	KUNIT_EXPECT_TRUE(test, is_signalled(test, fd2));

	KUNIT_EXPECT_EQ(test, 0, set_call(c, VHOST_FILE_UNBIND));
	KUNIT_EXPECT_NULL(test, now->callback);
	KUNIT_EXPECT_EQ(test, IRQ_HANDLED, first.callback(first.private));
	close_fd(fd1);
	close_fd(fd2);
}

/* Queues */

static u16 last_num_idx;

static void note_vq_num(struct vdpa_device *vdev, u16 idx, u32 num)
{
	last_num_idx = idx;
}

static void as_many_queues_as_there_can_be(struct kunit *test)
{
	struct vhost_case *c = test->priv;
	struct vhost_vring_state state = { .num = 4 };
	u32 count = 0;

	c->mock->nvqs = U16_MAX;
	c->mock->ops.set_vq_num = note_vq_num;
	start(test);
	KUNIT_EXPECT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_VDPA_GET_VQS_COUNT, &count,
						  sizeof(count)));
	KUNIT_EXPECT_EQ(test, U16_MAX, count);
	state.index = U16_MAX - 1;
	KUNIT_EXPECT_EQ(test, 0, vhost_file_ioctl(c->vf, VHOST_SET_VRING_NUM, &state,
						  sizeof(state)));
	KUNIT_EXPECT_EQ(test, U16_MAX - 1, last_num_idx);
	state.index = U16_MAX;
	KUNIT_EXPECT_EQ(test, -ENOBUFS, vhost_file_ioctl(c->vf, VHOST_SET_VRING_NUM, &state,
							 sizeof(state)));
	KUNIT_EXPECT_EQ(test, 0, set_status(c, 0));
}

static struct kunit_case vhost_cases[] = {
	KUNIT_CASE(doorbell_rings),
	KUNIT_CASE(doorbell_too_late),
	KUNIT_CASE(doorbell_races_removal),
	KUNIT_CASE(doorbell_refused),
	KUNIT_CASE(doorbell_flags),
	KUNIT_CASE(bypass_follows_the_eventfd),
	KUNIT_CASE(bypass_ends),
	KUNIT_CASE(calls_by_callback),
	KUNIT_CASE(as_many_queues_as_there_can_be),
	{}
};

static struct kunit_suite vhost_suite = {
	.name = "vdpa_vhost",
	.init = vhost_init,
	.test_cases = vhost_cases,
};
kunit_test_suite(vhost_suite);
