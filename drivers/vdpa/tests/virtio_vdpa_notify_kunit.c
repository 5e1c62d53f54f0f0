// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio_vdpa: notifications down and up, when they end, and on which processors
 * queues are served.
 */
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "vio.h"

/* Make one byte available in a queue, and kick. */
static void send(struct kunit *test, struct virtqueue *vq)
{
	void *byte = kunit_kzalloc(test, 1, GFP_KERNEL);
	struct scatterlist sg;

	KUNIT_ASSERT_NOT_NULL(test, byte);
	sg_init_one(&sg, byte, 1);
	KUNIT_ASSERT_EQ(test, 0,
			virtqueue_add_inbuf(vq, &sg, 1, byte, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, virtqueue_kick(vq));
}

/* As the device does: use the first descriptor, for the first time, and notify. */
static void use_first(struct mock_vq *vq)
{
	struct vring_used *used = phys_to_virt(vq->device);

	used->ring[0].id = 0;
	used->ring[0].len = 0;
	used->idx = (__force __virtio16)cpu_to_le16(1);
	if (vq->cb.callback)
		vq->cb.callback(vq->cb.private);
}

static void notify_kick(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	send(test, vio->vqs[1]);
	KUNIT_EXPECT_EQ(test, 0, vio->mock->vq[0].kicks);
	KUNIT_EXPECT_EQ(test, 1, vio->mock->vq[1].kicks);
}

static void kick_with_data(struct vdpa_device *vdev, u32 data)
{
	struct mock_vq *vq = mock_vq(to_mock(vdev), data & 0xffff);

	vq->kicks++;
	vq->kick_data = data;
}

static void notify_kick_with_data(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;
	u64 bit = BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);

	mock->features |= bit;
	mock->ops.kick_vq_with_data = kick_with_data;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_EQ(test, bit, mock->driver_features & bit);
	send(test, vio->vqs[1]);
	send(test, vio->vqs[1]);
	KUNIT_EXPECT_EQ(test, 2, mock->vq[1].kicks);
	KUNIT_EXPECT_EQ(test, 2 << 16 | 1, mock->vq[1].kick_data);
}

/* What cannot be done is not agreed on, not even for a moment. */
static void notify_data_not_taken(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;
	u64 bit = BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);

	mock->features |= bit;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_TRUE(test, strstarts(mock->log, "reset features cb0 "));
	KUNIT_EXPECT_EQ(test, 0, mock->driver_features & bit);
	KUNIT_EXPECT_FALSE(test, virtio_has_feature(vio->vdev,
						    VIRTIO_F_NOTIFICATION_DATA));
	send(test, vio->vqs[1]);
	KUNIT_EXPECT_EQ(test, 1, mock->vq[1].kicks);
}

static void notify_used(struct kunit *test)
{
	struct vio *vio = test->priv;
	unsigned int len;

	/* addresses that this test can follow */
	vio->mock->features &= ~BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	send(test, vio->vqs[1]);
	use_first(&vio->mock->vq[1]);
	KUNIT_EXPECT_EQ(test, 0, vio->used[0]);
	KUNIT_EXPECT_EQ(test, 1, vio->used[1]);
	KUNIT_EXPECT_NOT_NULL(test, virtqueue_get_buf(vio->vqs[1], &len));
}

/* A driver that polls is not notified. */
static void notify_nobody(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->info[1].callback = NULL;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_NOT_NULL(test, vio->mock->vq[0].cb.callback);
	KUNIT_EXPECT_NULL(test, vio->mock->vq[1].cb.callback);
}

static void notify_config(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct vdpa_callback *cb = &vio->mock->config_cb;

	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_ASSERT_NOT_NULL(test, cb->callback);
	cb->callback(cb->private);
	KUNIT_EXPECT_EQ(test, 1, vio->config_changes);

	mock_unregister(vio->mock);
	KUNIT_EXPECT_NULL(test, cb->callback);
}

/*
 * Notifications that come until the last moment find everything in place, as a
 * driver that goes to sleep sees them: it deletes its queues and finds them again.
 */
static void notify_late(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;

	mock->features &= ~BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	mock->late = true;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	send(test, vio->vqs[0]);
	use_first(&mock->vq[0]);
	mock_take_log(mock);

	vio->vdev->config->del_vqs(vio->vdev);
	KUNIT_EXPECT_STREQ(test, "noconfig stop0 nocb0 stop1 nocb1 stop2 nocb2 ",
			   mock_take_log(mock));
	vio_expect_idle(vio);
	KUNIT_EXPECT_EQ(test, 1, vio->config_changes);
	/* when it was used, when it was stopped, when nobody listened any more */
	KUNIT_EXPECT_EQ(test, 3, vio->used[0]);

	KUNIT_EXPECT_EQ(test, 0, vio_find_vqs(vio));
}

static void notify_late_after_failure(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->late = true;
	vio->mock->fault = (struct mock_fault) { .vq = 2, .address = -ENOSPC };
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, -ENOSPC, vio->err);
	vio_expect_idle(vio);
}

static int bind_vq(struct vdpa_device *vdev, u16 idx,
		   const struct cpumask *cpu_mask)
{
	struct mock *mock = to_mock(vdev);
	struct mock_vq *vq = mock_vq(mock, idx);

	KUNIT_EXPECT_FALSE(mock->test, cpumask_empty(cpu_mask));
	KUNIT_EXPECT_TRUE(mock->test, cpumask_empty(&vq->affinity));
	if (mock->fault.vq == idx && mock->fault.affinity)
		return mock->fault.affinity;
	cpumask_copy(&vq->affinity, cpu_mask);
	return 0;
}

static const struct cpumask *bound_vq(struct vdpa_device *vdev, u16 idx)
{
	return &mock_vq(to_mock(vdev), idx)->affinity;
}

/* Expect each processor in exactly one of the queues [@first, @end). */
static void expect_spread(struct mock *mock, unsigned int first,
			  unsigned int end)
{
	unsigned int i, cpu, queues;

	for_each_possible_cpu(cpu) {
		queues = 0;
		for (i = first; i < end; i++)
			queues += cpumask_test_cpu(cpu, &mock->vq[i].affinity);
		KUNIT_EXPECT_EQ_MSG(mock->test, 1, queues,
				    "processor %u in queues %u to %u", cpu,
				    first, end - 1);
	}
}

static void expect_unbound(struct mock *mock, unsigned int first,
			   unsigned int end)
{
	for (; first < end; first++)
		KUNIT_EXPECT_TRUE_MSG(mock->test,
				      cpumask_empty(&mock->vq[first].affinity),
				      "queue %u", first);
}

/* a set for the first queue, one for the rest */
static void two_sets(struct irq_affinity *affinity, unsigned int count)
{
	affinity->nr_sets = 2;
	affinity->set_size[0] = 1;
	affinity->set_size[1] = count - 1;
}

struct spread {
	const char *desc;
	unsigned int pre;
	unsigned int post;
	bool two_sets;
	bool hole;
};

static const struct spread spreads[] = {
	{ "all" },
	{ "but the first", .pre = 1 },
	{ "but the last two", .post = 2 },
	{ "in the middle", .pre = 2, .post = 1 },
	{ "names with holes", .pre = 1, .post = 1, .hole = true },
	{ "two sets", .pre = 1, .two_sets = true },
};

KUNIT_ARRAY_PARAM_DESC(spread, spreads, desc);

/* With as many queues as a mock has; on few processors, some get none. */
static void affinity_spread(struct kunit *test)
{
	const struct spread *spread = test->param_value;
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;
	struct irq_affinity affinity = {
		.pre_vectors = spread->pre,
		.post_vectors = spread->post,
		.calc_sets = spread->two_sets ? two_sets : NULL,
	};
	unsigned int end, queues = MOCK_VQS;

	mock->nvqs = MOCK_VQS;
	mock->ops.set_vq_affinity = bind_vq;
	vio->n = MOCK_VQS;
	vio->affinity = &affinity;
	if (spread->hole) {
		vio->info[0].name = NULL;
		vio->info[3].name = NULL;
		queues -= 2;
	}
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);

	end = queues - spread->post;
	expect_unbound(mock, 0, spread->pre);
	if (spread->two_sets) {
		expect_spread(mock, spread->pre, spread->pre + 1);
		expect_spread(mock, spread->pre + 1, end);
	} else {
		expect_spread(mock, spread->pre, end);
	}
	expect_unbound(mock, end, MOCK_VQS);
}

/* No queue is left to be spread. */
static void affinity_all_fixed(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct irq_affinity affinity = { .pre_vectors = 2, .post_vectors = 2 };

	vio->mock->ops.set_vq_affinity = bind_vq;
	vio->affinity = &affinity;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, 0, vio->err);
	expect_unbound(vio->mock, 0, MOCK_VQS);
}

static void affinity_not_asked_for(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->ops.set_vq_affinity = bind_vq;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, 0, vio->err);
	expect_unbound(vio->mock, 0, MOCK_VQS);
}

static void affinity_refused(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct irq_affinity affinity = { .pre_vectors = 1 };

	vio->mock->ops.set_vq_affinity = bind_vq;
	vio->mock->fault = (struct mock_fault) { .vq = 1, .affinity = -EPERM };
	vio->affinity = &affinity;
	vio_start(vio);
	KUNIT_EXPECT_EQ(test, -EPERM, vio->err);
	vio_expect_idle(vio);
}

static void affinity_by_hand(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct virtio_device *vdev;
	const struct cpumask *mask;

	vio->n = 4;
	vio->info[1].name = NULL;
	vio_start(vio);
	vdev = vio->vdev;
	KUNIT_ASSERT_NOT_NULL(test, vdev);

	/* a parent that cannot is not asked to */
	KUNIT_EXPECT_EQ(test, 0, virtqueue_set_affinity(vio->vqs[2],
							cpu_possible_mask));
	KUNIT_EXPECT_NULL(test, vdev->config->get_vq_affinity(vdev, 1));

	vio->mock->ops.set_vq_affinity = bind_vq;
	vio->mock->ops.get_vq_affinity = bound_vq;
	KUNIT_EXPECT_EQ(test, 0, virtqueue_set_affinity(vio->vqs[2],
							cpu_possible_mask));
	mask = vdev->config->get_vq_affinity(vdev, 1);
	KUNIT_ASSERT_NOT_NULL(test, mask);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(cpu_possible_mask, mask));
	expect_unbound(vio->mock, 2, MOCK_VQS);
}

static void reset_vq(struct vdpa_device *vdev, u16 idx)
{
	struct mock *mock = to_mock(vdev);

	mock_log(mock, "reset%u", idx);
	mock->vq[idx].ready = false;
}

static void recycle(struct virtqueue *vq, void *buf)
{
}

/* A queue is resized while the others go on: nothing of it is left with the parent. */
static void reset_one(struct kunit *test)
{
	struct vio *vio = test->priv;
	struct mock *mock = vio->mock;

	mock->features |= BIT_ULL(VIRTIO_F_RING_RESET);
	mock->ops.reset_vq = reset_vq;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_TRUE(test, mock->driver_features & BIT_ULL(VIRTIO_F_RING_RESET));
	send(test, vio->vqs[1]);
	mock_take_log(mock);
	KUNIT_ASSERT_EQ(test, 0, virtqueue_resize(vio->vqs[1], 4, recycle, NULL));
	KUNIT_EXPECT_STREQ(test, "reset1 nocb1 cb1 num1 addr1 state1 start1 ",
			   mock_take_log(mock));
	KUNIT_EXPECT_EQ(test, 4, mock->vq[1].num);
	KUNIT_EXPECT_EQ(test, 4, virtqueue_get_vring_size(vio->vqs[1]));
	send(test, vio->vqs[1]);
	KUNIT_EXPECT_EQ(test, 2, mock->vq[1].kicks);

	/* a parent that does not take the new one leaves it unused */
	mock->fault.vq = 1;
	mock->fault.state = -EINVAL;
	KUNIT_EXPECT_NE(test, 0, virtqueue_resize(vio->vqs[1], 8, recycle, NULL));
	KUNIT_EXPECT_FALSE(test, mock->vq[1].ready);
	KUNIT_EXPECT_NULL(test, mock->vq[1].cb.callback);
	mock->fault.state = 0;
}

/* What the parent cannot do is not offered, and not done. */
static void reset_one_not_taken(struct kunit *test)
{
	struct vio *vio = test->priv;

	vio->mock->features |= BIT_ULL(VIRTIO_F_RING_RESET);
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	KUNIT_EXPECT_EQ(test, 0, vio->mock->driver_features & BIT_ULL(VIRTIO_F_RING_RESET));
	KUNIT_EXPECT_NE(test, 0, virtqueue_resize(vio->vqs[1], 4, recycle, NULL));
	KUNIT_EXPECT_TRUE(test, vio->mock->vq[1].ready);
}

static void set_status_in_vain(struct vdpa_device *vdev, u8 status)
{
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	to_mock(vdev)->status = status;
}

/* A device that does not begin answers nothing: nothing is asked of it. */
static void does_not_begin(struct kunit *test)
{
	struct vio *vio = test->priv;
	unsigned int i;

	vio->mock->ops.set_status = set_status_in_vain;
	vio_start(vio);
	KUNIT_ASSERT_NOT_NULL(test, vio->vdev);
	for (i = 0; i < MOCK_VQS; i++)
		if (vio->vqs[i])
			KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(vio->vqs[i]));
}

static struct kunit_case notify_cases[] = {
	KUNIT_CASE(notify_kick),
	KUNIT_CASE(notify_kick_with_data),
	KUNIT_CASE(notify_data_not_taken),
	KUNIT_CASE(notify_used),
	KUNIT_CASE(notify_nobody),
	KUNIT_CASE(notify_config),
	KUNIT_CASE(notify_late),
	KUNIT_CASE(notify_late_after_failure),
	KUNIT_CASE_PARAM(affinity_spread, spread_gen_params),
	KUNIT_CASE(affinity_all_fixed),
	KUNIT_CASE(affinity_not_asked_for),
	KUNIT_CASE(affinity_refused),
	KUNIT_CASE(affinity_by_hand),
	KUNIT_CASE(does_not_begin),
	KUNIT_CASE(reset_one),
	KUNIT_CASE(reset_one_not_taken),
	{}
};

static struct kunit_suite notify_suite = {
	.name = "virtio_vdpa_notify",
	.init = vio_init,
	.test_cases = notify_cases,
};

kunit_test_suite(notify_suite);
