// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_vdpa on functions that lie, and on some that do not. See mock_function.h.
 */
#include <kunit/test.h>
#include <linux/irq.h>
#include <linux/netlink.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <uapi/linux/vdpa.h>
#include "../vp_vdpa.h"
#include "mock_function.h"

#define UP (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define OK (UP | VIRTIO_CONFIG_S_DRIVER_OK)

static int vp_test_init(struct kunit *test)
{
	test->priv = mock_function_create(test);
	return 0;
}

static struct vp_function *plug(struct kunit *test)
{
	struct mock_function *mock = test->priv;

	KUNIT_ASSERT_EQ(test, 0, mock_function_plug(mock));
	return pci_get_drvdata(mock->pdev);
}

/* A device that is on no bus, so that no driver comes for it. */
static struct vp_vdpa *make(struct kunit *test, struct vp_function *fn)
{
	struct vp_vdpa *vp;

	scoped_guard(mutex, &fn->lock)
		vp = vp_vdpa_create(fn, "kunit-vp", fn->features, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vp);
	return vp;
}

static void unmake(struct vp_vdpa *vp)
{
	struct vp_function *fn = vp->fn;

	scoped_guard(mutex, &fn->lock)
		vp_vdpa_destroy(vp);
	put_device(&vp->vdpa.dev);
}

static irqreturn_t count(void *data)
{
	++*(unsigned int *)data;
	return IRQ_HANDLED;
}

/* As a bus driver does, queues below @queues. */
static void start(struct kunit *test, struct vp_vdpa *vp, unsigned int queues,
		  unsigned int *calls)
{
	const struct vdpa_config_ops *ops = vp->vdpa.config;
	struct vdpa_callback cb = { .callback = count };
	unsigned int i;

	ops->set_status(&vp->vdpa, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	KUNIT_ASSERT_EQ(test, 0, ops->set_driver_features(&vp->vdpa, vp->offered));
	ops->set_status(&vp->vdpa, UP);
	for (i = 0; i < queues; i++) {
		cb.private = &calls[i];
		ops->set_vq_cb(&vp->vdpa, i, &cb);
		ops->set_vq_num(&vp->vdpa, i, 64);
		ops->set_vq_address(&vp->vdpa, i, 0x1000 * (i + 1), 0x100000, 0x200000);
		ops->set_vq_ready(&vp->vdpa, i, true);
	}
	ops->set_status(&vp->vdpa, OK);
}

static void interrupt(struct vp_vdpa *vp, unsigned int vector)
{
	int irq = pci_irq_vector(vp->fn->pci.pci_dev, vector);
	unsigned long flags;

	local_irq_save(flags);
	generic_handle_irq(irq);
	local_irq_restore(flags);
}

/* What a function is */

static void vp_plain(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_function *fn = plug(test);

	KUNIT_EXPECT_EQ(test, 3, fn->nvqs);
	KUNIT_EXPECT_EQ(test, 256, fn->sizes[2]);
	KUNIT_EXPECT_EQ(test, 1, fn->ids[0].device);
	KUNIT_EXPECT_EQ(test, 0, fn->ids[1].device);
	/* not what concerns the function as such */
	KUNIT_EXPECT_EQ(test, mock->features & ~(BIT_ULL(VIRTIO_F_SR_IOV) |
						 BIT_ULL(VIRTIO_F_ADMIN_VQ)), fn->features);
	KUNIT_EXPECT_STREQ(test, "0000:80:00.0", dev_name(fn->mgmt.device));
}

static void expect_refused(struct kunit *test, int err)
{
	struct mock_function *mock = test->priv;

	KUNIT_EXPECT_EQ(test, err, mock_function_plug(mock));
	KUNIT_EXPECT_NULL(test, pci_get_drvdata(mock->pdev));
}

static void vp_no_queues(struct kunit *test)
{
	((struct mock_function *)test->priv)->nvqs = 0;
	expect_refused(test, -EINVAL);
}

static void vp_all_queues(struct kunit *test)
{
	((struct mock_function *)test->priv)->nvqs = U16_MAX;
	expect_refused(test, -EINVAL);
}

static void vp_ring_too_large(struct kunit *test)
{
	((struct mock_function *)test->priv)->queues[1].size = VP_RING_MAX + 1;
	expect_refused(test, -EINVAL);
}

static void vp_no_version_1(struct kunit *test)
{
	((struct mock_function *)test->priv)->features = BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	expect_refused(test, -EINVAL);
}

static void vp_every_feature(struct kunit *test)
{
	((struct mock_function *)test->priv)->features = U64_MAX;
	expect_refused(test, -EINVAL);
}

static void vp_gone_at_once(struct kunit *test)
{
	struct mock_function *mock = test->priv;

	/* its configuration space is still there when it is found */
	mock->silent = true;
	expect_refused(test, -ENODEV);
}

static void vp_resets_late(struct kunit *test)
{
	((struct mock_function *)test->priv)->stubborn = 20;
	((struct mock_function *)test->priv)->status = OK;
	plug(test);
}

/* One that does not come to rest may not do DMA; once it does, it may again. */
static void vp_never_resets(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_function *fn = plug(test);
	u16 command;

	mock->status = OK;
	mock->never_resets = true;
	scoped_guard(mutex, &fn->lock)
		KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vp_function_reset(fn));
	pci_read_config_word(mock->pdev, PCI_COMMAND, &command);
	KUNIT_EXPECT_FALSE(test, command & PCI_COMMAND_MASTER);

	mock->never_resets = false;
	scoped_guard(mutex, &fn->lock)
		KUNIT_EXPECT_EQ(test, 0, vp_function_reset(fn));
	pci_read_config_word(mock->pdev, PCI_COMMAND, &command);
	KUNIT_EXPECT_TRUE(test, command & PCI_COMMAND_MASTER);
}

/* Capabilities that are missing, or point to where nothing is */

struct bad_capability {
	const char *name;
	u8 type;
	bool missing;
	u8 bar;
	u32 offset;
	u32 length;
};

static const struct bad_capability bad_capabilities[] = {
	{ "no common", VIRTIO_PCI_CAP_COMMON_CFG, true },
	{ "no notify", VIRTIO_PCI_CAP_NOTIFY_CFG, true },
	{ "no isr", VIRTIO_PCI_CAP_ISR_CFG, true },
	{ "common in BAR 7", VIRTIO_PCI_CAP_COMMON_CFG, false, 7, 0, 64 },
	{ "common in BAR 255", VIRTIO_PCI_CAP_COMMON_CFG, false, 255, 0, 64 },
	{ "common in no BAR", VIRTIO_PCI_CAP_COMMON_CFG, false, 2, 0, 64 },
	{ "common too short", VIRTIO_PCI_CAP_COMMON_CFG, false, 0, 0, 20 },
	{ "common of no length", VIRTIO_PCI_CAP_COMMON_CFG, false, 0, 0, 0 },
	{ "common beyond", VIRTIO_PCI_CAP_COMMON_CFG, false, 0, MOCK_BAR, 64 },
	{ "common wraps", VIRTIO_PCI_CAP_COMMON_CFG, false, 0, 0xfffffff0, 64 },
	{ "common ends beyond", VIRTIO_PCI_CAP_COMMON_CFG, false, 0, MOCK_BAR - 32, 64 },
	{ "common not aligned", VIRTIO_PCI_CAP_COMMON_CFG, false, 0, 3, 64 },
	{ "isr beyond", VIRTIO_PCI_CAP_ISR_CFG, false, 0, MOCK_BAR, 1 },
	{ "notify beyond", VIRTIO_PCI_CAP_NOTIFY_CFG, false, 0, MOCK_BAR - 0x800, 0x1000 },
	{ "many doorbells beyond", VIRTIO_PCI_CAP_NOTIFY_CFG, false, 0, 0x2000, MOCK_BAR },
	{ "doorbells wrap", VIRTIO_PCI_CAP_NOTIFY_CFG, false, 0, 0xfffff000, 0x2000 },
	{ "doorbells everywhere", VIRTIO_PCI_CAP_NOTIFY_CFG, false, 0, 0x1000, U32_MAX },
	{ "device beyond", VIRTIO_PCI_CAP_DEVICE_CFG, false, 0, MOCK_BAR, 64 },
	{ "device not aligned", VIRTIO_PCI_CAP_DEVICE_CFG, false, 0, MOCK_DEVICE + 1, 60 },
};

static void bad_capability_desc(const struct bad_capability *bad, char *desc)
{
	strscpy(desc, bad->name, KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(bad_capability, bad_capabilities, bad_capability_desc);

static void vp_bad_capability(struct kunit *test)
{
	const struct bad_capability *bad = test->param_value;
	struct mock_function *mock = test->priv;

	if (bad->missing)
		mock_function_drop(mock, bad->type);
	else
		mock_function_move(mock, bad->type, bad->bar, bad->offset, bad->length);
	KUNIT_EXPECT_NE(test, 0, mock_function_plug(mock));
	KUNIT_EXPECT_NULL(test, pci_get_drvdata(mock->pdev));
}

/* What has no registers is not offered. */
static void vp_common_of_old(struct kunit *test)
{
	struct vp_function *fn;

	mock_function_move(test->priv, VIRTIO_PCI_CAP_COMMON_CFG, 0, MOCK_COMMON,
			   sizeof(struct virtio_pci_common_cfg));
	fn = plug(test);
	KUNIT_EXPECT_FALSE(test, fn->features & BIT_ULL(VIRTIO_F_RING_RESET));
}

/* Doorbells */

static void vp_doorbell_out_of_bounds(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_function *fn;
	struct vp_vdpa *vp;

	mock->queues[2].notify_off = 0x400;
	fn = plug(test);
	scoped_guard(mutex, &fn->lock)
		vp = vp_vdpa_create(fn, "kunit-vp", fn->features, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(vp));
	KUNIT_EXPECT_NULL(test, fn->vp);
}

static void vp_far_doorbell_out_of_bounds(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_function *fn;
	struct vp_vdpa *vp;

	mock_function_move(mock, VIRTIO_PCI_CAP_NOTIFY_CFG, 0, 0x1000, 0x3000);
	mock_function_space_doorbells(mock, PAGE_SIZE);
	mock->queues[2].notify_off = 3;
	fn = plug(test);
	scoped_guard(mutex, &fn->lock)
		vp = vp_vdpa_create(fn, "kunit-vp", fn->features, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(vp));
}

/* Four bytes would not fit, or not be aligned. */
static void vp_doorbell_too_narrow_for_data(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_vdpa *vp;

	mock_function_space_doorbells(mock, 2);
	vp = make(test, plug(test));
	KUNIT_EXPECT_FALSE(test, vp->offered & BIT_ULL(VIRTIO_F_NOTIFICATION_DATA));
	vp->vdpa.config->kick_vq(&vp->vdpa, 1);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[1].kicks);
	unmake(vp);
}

static void vp_last_doorbell_too_short_for_data(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_vdpa *vp;

	mock_function_move(mock, VIRTIO_PCI_CAP_NOTIFY_CFG, 0, MOCK_NOTIFY, 4 * 2 + 2);
	vp = make(test, plug(test));
	KUNIT_EXPECT_FALSE(test, vp->offered & BIT_ULL(VIRTIO_F_NOTIFICATION_DATA));
	unmake(vp);
}

static void vp_kicks(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_vdpa *vp = make(test, plug(test));

	vp->vdpa.config->kick_vq(&vp->vdpa, 2);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[2].kicks);
	vp->vdpa.config->kick_vq_with_data(&vp->vdpa, 0x00050001);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[1].kicks);
	KUNIT_EXPECT_EQ(test, 0x00050001, mock->queues[1].kicked_with);
	/* a queue that there is not */
	vp->vdpa.config->kick_vq_with_data(&vp->vdpa, 0x00050003);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[3].kicks);
	unmake(vp);
}

/* A queue that the function does not have has no doorbell either, and no size. */
static void vp_queue_of_no_size(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_vdpa *vp;

	mock->queues[1].size = 0;
	mock->queues[1].notify_off = U16_MAX;
	vp = make(test, plug(test));
	KUNIT_EXPECT_EQ(test, 0, vp->vdpa.config->get_vq_size(&vp->vdpa, 1));
	vp->vdpa.config->kick_vq(&vp->vdpa, 1);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[1].kicks);
	KUNIT_EXPECT_EQ(test, 0, vp->vdpa.config->get_vq_notification(&vp->vdpa, 1).size);
	unmake(vp);
}

static void vp_doorbell_pages(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vdpa_notification_area area;
	struct vp_vdpa *vp;

	/* the last one's page is not all of it the function's doorbells */
	mock_function_move(mock, VIRTIO_PCI_CAP_NOTIFY_CFG, 0, 0x1000, 2 * PAGE_SIZE + 4);
	mock_function_space_doorbells(mock, PAGE_SIZE);
	vp = make(test, plug(test));
	area = vp->vdpa.config->get_vq_notification(&vp->vdpa, 1);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, area.size);
	KUNIT_EXPECT_EQ(test, pci_resource_start(mock->pdev, 0) + 0x1000 + PAGE_SIZE, area.addr);
	KUNIT_EXPECT_EQ(test, 0, vp->vdpa.config->get_vq_notification(&vp->vdpa, 2).size);
	unmake(vp);
}

static void vp_doorbells_in_one_page(struct kunit *test)
{
	struct vp_vdpa *vp = make(test, plug(test));

	KUNIT_EXPECT_EQ(test, 0, vp->vdpa.config->get_vq_notification(&vp->vdpa, 0).size);
	unmake(vp);
}

/* Interrupts */

static void vp_vector_each(struct kunit *test)
{
	unsigned int calls[3] = {}, changes = 0, i;
	struct vdpa_callback cb = { .callback = count, .private = &changes };
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;

	KUNIT_EXPECT_EQ(test, 4, vp->nr_vectors);
	KUNIT_EXPECT_GT(test, 0, ops->get_vq_irq(&vp->vdpa, 0));
	ops->set_config_cb(&vp->vdpa, &cb);
	start(test, vp, 2, calls);
	KUNIT_EXPECT_EQ(test, OK, ops->get_status(&vp->vdpa));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, pci_irq_vector(vp->fn->pci.pci_dev, 1 + i),
				ops->get_vq_irq(&vp->vdpa, i));
		interrupt(vp, 1 + i);
		KUNIT_EXPECT_EQ(test, 1, calls[i]);
	}
	/* one that is not ready has no handler */
	KUNIT_EXPECT_GT(test, 0, ops->get_vq_irq(&vp->vdpa, 2));
	KUNIT_EXPECT_FALSE(test, vp->vectors[3].requested);
	interrupt(vp, 0);
	KUNIT_EXPECT_EQ(test, 1, changes);
	KUNIT_EXPECT_EQ(test, 2, calls[0] + calls[1]);

	ops->reset(&vp->vdpa);
	for (i = 0; i < vp->nr_vectors; i++)
		KUNIT_EXPECT_FALSE(test, vp->vectors[i].requested);
	unmake(vp);
}

static void vp_vectors_shared(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[5] = {};
	struct vp_vdpa *vp;

	mock->nvqs = 5;
	mock_function_set_vectors(mock, 3);
	vp = make(test, plug(test));
	KUNIT_EXPECT_EQ(test, 3, vp->nr_vectors);
	start(test, vp, 5, calls);
	KUNIT_EXPECT_EQ(test, OK, vp->vdpa.config->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, vp->vdpa.config->get_vq_irq(&vp->vdpa, 0));
	interrupt(vp, 1);
	KUNIT_EXPECT_TRUE(test, calls[0] == 1 && calls[2] == 1 && calls[4] == 1);
	KUNIT_EXPECT_TRUE(test, !calls[1] && !calls[3]);
	interrupt(vp, 2);
	KUNIT_EXPECT_TRUE(test, calls[1] == 1 && calls[3] == 1 && calls[0] == 1);
	unmake(vp);
}

/* More queues than this machine has vectors for. */
static void vp_machine_has_fewer(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[MOCK_QUEUES] = {}, i;
	struct vp_vdpa *vp;

	mock->nvqs = MOCK_QUEUES;
	vp = make(test, plug(test));
	KUNIT_EXPECT_LT(test, vp->nr_vectors, MOCK_QUEUES + 1);
	KUNIT_EXPECT_GE(test, vp->nr_vectors, 2);
	start(test, vp, MOCK_QUEUES, calls);
	KUNIT_EXPECT_EQ(test, OK, vp->vdpa.config->get_status(&vp->vdpa));
	for (i = 1; i < vp->nr_vectors; i++)
		interrupt(vp, i);
	for (i = 0; i < MOCK_QUEUES; i++)
		KUNIT_EXPECT_EQ(test, 1, calls[i]);
	unmake(vp);
}

/* It has as many as it says, and does not take them. */
static void vp_function_refuses_vectors(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {};
	struct vp_vdpa *vp = make(test, plug(test));

	mock->vectors_taken = 2;
	start(test, vp, 3, calls);
	KUNIT_EXPECT_EQ(test, OK, vp->vdpa.config->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 2, vp->nr_used);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, vp->vdpa.config->get_vq_irq(&vp->vdpa, 0));
	interrupt(vp, 1);
	KUNIT_EXPECT_TRUE(test, calls[0] == 1 && calls[1] == 1 && calls[2] == 1);

	/* the next start tries all again */
	vp->vdpa.config->reset(&vp->vdpa);
	mock->vectors_taken = MOCK_QUEUES;
	start(test, vp, 3, calls);
	KUNIT_EXPECT_EQ(test, 4, vp->nr_used);
	unmake(vp);
}

static void vp_function_refuses_all_vectors(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {}, i;
	struct vp_vdpa *vp = make(test, plug(test));

	mock->vectors_taken = 0;
	start(test, vp, 3, calls);
	KUNIT_EXPECT_EQ(test, UP | VIRTIO_CONFIG_S_FAILED, vp->vdpa.config->get_status(&vp->vdpa));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, 0, mock->queues[i].enable);
	for (i = 0; i < vp->nr_vectors; i++)
		KUNIT_EXPECT_FALSE(test, vp->vectors[i].requested);
	unmake(vp);
}

static int pin_init(struct kunit *test, struct mock_function *mock)
{
	int irq = irq_alloc_desc(0);

	KUNIT_ASSERT_GT(test, irq, 0);
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	mock->irq = irq;
	return irq;
}

static void vp_pin(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {}, changes = 0;
	struct vdpa_callback cb = { .callback = count, .private = &changes };
	struct vp_vdpa *vp;

	pin_init(test, mock);
	/* one vector cannot tell queues from the configuration */
	mock_function_set_vectors(mock, 1);
	vp = make(test, plug(test));
	KUNIT_EXPECT_FALSE(test, vp->msix);
	vp->vdpa.config->set_config_cb(&vp->vdpa, &cb);
	start(test, vp, 3, calls);
	KUNIT_EXPECT_EQ(test, OK, vp->vdpa.config->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, vp->vdpa.config->get_vq_irq(&vp->vdpa, 0));

	/* another's */
	interrupt(vp, 0);
	KUNIT_EXPECT_EQ(test, 0, calls[0] + calls[1] + calls[2] + changes);
	mock->isr = 1;
	interrupt(vp, 0);
	KUNIT_EXPECT_TRUE(test, calls[0] == 1 && calls[1] == 1 && calls[2] == 1 && !changes);
	mock->isr = VIRTIO_PCI_ISR_CONFIG;
	interrupt(vp, 0);
	KUNIT_EXPECT_EQ(test, 1, changes);
	mock->gone = true;
	interrupt(vp, 0);
	KUNIT_EXPECT_EQ(test, 1, changes);
	mock->gone = false;
	unmake(vp);
	mock_function_unplug(mock);
	irq_free_desc(mock->irq);
}

static void vp_no_interrupts(struct kunit *test)
{
	struct vp_function *fn;
	struct vp_vdpa *vp;

	mock_function_set_vectors(test->priv, 0);
	fn = plug(test);
	scoped_guard(mutex, &fn->lock)
		vp = vp_vdpa_create(fn, "kunit-vp", fn->features, NULL);
	KUNIT_EXPECT_EQ(test, -ENOSPC, PTR_ERR(vp));
	KUNIT_EXPECT_NULL(test, fn->vp);
}

/* Life */

/* Nothing reaches the registers of a queue before DRIVER_OK, then all does, enable last. */
static void vp_queues_set_up_late(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {};
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;

	ops->set_vq_address(&vp->vdpa, 0, 0x5000, 0x6000, 0x7000);
	ops->set_vq_ready(&vp->vdpa, 0, true);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[0].enable);
	KUNIT_EXPECT_TRUE(test, ops->get_vq_ready(&vp->vdpa, 0));
	ops->reset(&vp->vdpa);
	KUNIT_EXPECT_FALSE(test, ops->get_vq_ready(&vp->vdpa, 0));

	start(test, vp, 2, calls);
	KUNIT_EXPECT_FALSE(test, mock->enabled_early);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[0].enable);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[1].enable);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[2].enable);
	KUNIT_EXPECT_EQ(test, 64, mock->queues[1].size);
	KUNIT_EXPECT_EQ(test, 0x2000, mock->queues[1].desc);

	/* one that comes after */
	ops->set_vq_address(&vp->vdpa, 2, 0x5000, 0x6000, 0x7000);
	ops->set_vq_ready(&vp->vdpa, 2, true);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[2].enable);
	KUNIT_EXPECT_EQ(test, 3, mock->queues[2].vector);
	unmake(vp);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[2].enable);
}

static void vp_queue_is_reset(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {};
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;

	start(test, vp, 3, calls);
	ops->reset_vq(&vp->vdpa, 1);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[1].enable);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[2].enable);
	KUNIT_EXPECT_FALSE(test, ops->get_vq_ready(&vp->vdpa, 1));
	ops->set_vq_address(&vp->vdpa, 1, 0x9000, 0x6000, 0x7000);
	ops->set_vq_ready(&vp->vdpa, 1, true);
	KUNIT_EXPECT_EQ(test, 1, mock->queues[1].enable);
	KUNIT_EXPECT_EQ(test, 0x9000, mock->queues[1].desc);
	KUNIT_EXPECT_EQ(test, OK, ops->get_status(&vp->vdpa));
	unmake(vp);
}

/* A queue that does not come to rest takes the device with it. */
static void vp_queue_never_resets(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {}, changes = 0;
	struct vdpa_callback cb = { .callback = count, .private = &changes };
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;

	ops->set_config_cb(&vp->vdpa, &cb);
	start(test, vp, 3, calls);
	mock->queue_never_resets = true;
	ops->set_vq_ready(&vp->vdpa, 1, false);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[1].enable);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[2].enable);
	KUNIT_EXPECT_EQ(test, OK | VIRTIO_CONFIG_S_NEEDS_RESET, ops->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 1, changes);
	KUNIT_EXPECT_EQ(test, 0, ops->reset(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 0, ops->get_status(&vp->vdpa));
	unmake(vp);
}

static void vp_pulled_out(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {};
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;

	start(test, vp, 3, calls);
	mock->gone = true;
	KUNIT_EXPECT_EQ(test, OK | VIRTIO_CONFIG_S_NEEDS_RESET, ops->get_status(&vp->vdpa));
	ops->kick_vq(&vp->vdpa, 0);
	ops->set_vq_ready(&vp->vdpa, 0, false);
	KUNIT_EXPECT_EQ(test, -ENODEV, ops->reset(&vp->vdpa));
	unmake(vp);
	mock_function_unplug(mock);
}

/* As sleep and resets from outside do it. */
static void vp_taken_away_for_a_while(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {}, changes = 0;
	struct vdpa_callback cb = { .callback = count, .private = &changes };
	struct vp_function *fn = plug(test);
	struct vp_vdpa *vp = make(test, fn);
	const struct vdpa_config_ops *ops = vp->vdpa.config;
	u8 buf[4] = { 1, 2, 3, 4 };

	mock->config[0] = 7;
	ops->set_config_cb(&vp->vdpa, &cb);
	start(test, vp, 3, calls);
	vp_function_quiesce(fn);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[0].enable);
	/* nothing is told to it */
	mock->status = 0x55;
	ops->set_status(&vp->vdpa, OK);
	KUNIT_EXPECT_EQ(test, 0x55, mock->status);
	ops->get_config(&vp->vdpa, 0, buf, 4);
	KUNIT_EXPECT_EQ(test, 0, buf[0]);
	KUNIT_EXPECT_EQ(test, -EIO, ops->set_driver_features(&vp->vdpa, vp->offered));
	mock->status = 0;

	vp_function_revive(fn);
	KUNIT_EXPECT_EQ(test, 1, changes);
	KUNIT_EXPECT_EQ(test, OK | VIRTIO_CONFIG_S_NEEDS_RESET, ops->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 0, ops->reset(&vp->vdpa));
	start(test, vp, 3, calls);
	KUNIT_EXPECT_EQ(test, OK, ops->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 1, mock->queues[0].enable);

	/* the same to a driver that does nothing meanwhile */
	ops->set_config_cb(&vp->vdpa, &cb);
	vp_function_quiesce(fn);
	vp_function_revive(fn);
	KUNIT_EXPECT_EQ(test, OK | VIRTIO_CONFIG_S_NEEDS_RESET, ops->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 2, changes);

	/* one that had it at rest before does not notice */
	ops->reset(&vp->vdpa);
	vp_function_quiesce(fn);
	vp_function_revive(fn);
	KUNIT_EXPECT_EQ(test, 0, ops->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 2, changes);
	unmake(vp);
}

/* Features */

static void vp_platform_is_accepted_for_the_driver(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;
	u64 version_1 = BIT_ULL(VIRTIO_F_VERSION_1);

	KUNIT_EXPECT_EQ(test, 0, ops->set_driver_features(&vp->vdpa, version_1));
	KUNIT_EXPECT_EQ(test, version_1 | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM),
			mock->driver_features);
	KUNIT_EXPECT_EQ(test, version_1, ops->get_driver_features(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, -EINVAL, ops->set_driver_features(&vp->vdpa, version_1 | 1));
	unmake(vp);
}

static void vp_not_translated(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	unsigned int calls[3] = {};
	const struct vdpa_config_ops *ops;
	struct vp_vdpa *vp;

	mock->features = BIT_ULL(VIRTIO_F_VERSION_1);
	vp = make(test, plug(test));
	ops = vp->vdpa.config;
	ops->isolate(&vp->vdpa, true);
	start(test, vp, 3, calls);
	KUNIT_EXPECT_EQ(test, UP | VIRTIO_CONFIG_S_FAILED, ops->get_status(&vp->vdpa));
	KUNIT_EXPECT_EQ(test, 0, mock->queues[0].enable);
	/* a queue does not start by itself either */
	ops->set_vq_ready(&vp->vdpa, 0, false);
	ops->set_vq_ready(&vp->vdpa, 0, true);
	KUNIT_EXPECT_EQ(test, 0, mock->queues[0].enable);

	ops->reset(&vp->vdpa);
	ops->isolate(&vp->vdpa, false);
	start(test, vp, 3, calls);
	KUNIT_EXPECT_EQ(test, OK, ops->get_status(&vp->vdpa));
	unmake(vp);
}

static void vp_provisioned(struct kunit *test)
{
	struct vp_function *fn = plug(test);
	struct vdpa_dev_set_config config = { .mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES) };
	u64 needed = BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);

	config.device_features = needed | 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, fn->mgmt.ops->dev_add(&fn->mgmt, "kunit-vp", &config));
	config.device_features = BIT_ULL(VIRTIO_F_VERSION_1);
	KUNIT_EXPECT_EQ(test, -EINVAL, fn->mgmt.ops->dev_add(&fn->mgmt, "kunit-vp", &config));
	KUNIT_EXPECT_NULL(test, fn->vp);
}

/* A function has one set of queues: a second device on it would reset the first. */
static void vp_one_device_at_a_time(struct kunit *test)
{
	struct vp_function *fn = plug(test);
	struct vdpa_dev_set_config config = {};
	struct vp_vdpa *vp = make(test, fn);

	KUNIT_EXPECT_EQ(test, -EBUSY, fn->mgmt.ops->dev_add(&fn->mgmt, "kunit-vp2", &config));
	KUNIT_EXPECT_PTR_EQ(test, vp, fn->vp);
	unmake(vp);
	vp = make(test, fn);
	unmake(vp);
}

/* Configuration space */

struct width {
	unsigned int offset, len, width;
};

static const struct width widths[] = {
	{ 0, 1, 1 }, { 0, 2, 2 }, { 4, 4, 4 }, { 8, 8, 4 }, { 0, 6, 1 }, { 1, 2, 1 },
	{ 2, 4, 1 }, { 0, 64, 1 }, { 3, 1, 1 }, { 12, 8, 4 }, { 6, 8, 1 },
};

static void vp_config_widths(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;
	u8 buf[MOCK_CONFIG], twice[MOCK_CONFIG];
	unsigned int i, j;

	KUNIT_EXPECT_EQ(test, MOCK_CONFIG, ops->get_config_size(&vp->vdpa));
	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		const struct width *w = &widths[i];

		for (j = 0; j < MOCK_CONFIG; j++)
			mock->config[j] = 3 * j + i;
		mock->narrowest = UINT_MAX;
		mock->widest = 0;
		ops->get_config(&vp->vdpa, w->offset, buf, w->len);
		KUNIT_EXPECT_MEMEQ(test, &mock->config[w->offset], buf, w->len);
		for (j = 0; j < w->len; j++)
			twice[j] = 2 * buf[j];
		ops->set_config(&vp->vdpa, w->offset, twice, w->len);
		KUNIT_EXPECT_MEMEQ(test, twice, &mock->config[w->offset], w->len);
		KUNIT_EXPECT_EQ(test, w->width, mock->narrowest);
		KUNIT_EXPECT_EQ(test, w->width, mock->widest);
	}
	unmake(vp);
}

/* One that never stops changing is read all the same. */
static void vp_config_restless(struct kunit *test)
{
	struct mock_function *mock = test->priv;
	struct vp_vdpa *vp = make(test, plug(test));
	u8 buf[4];

	mock->restless = true;
	mock->config[2] = 0x99;
	vp->vdpa.config->get_config(&vp->vdpa, 0, buf, 4);
	KUNIT_EXPECT_EQ(test, 0x99, buf[2]);
	unmake(vp);
}

static void vp_no_ring_position(struct kunit *test)
{
	struct vp_vdpa *vp = make(test, plug(test));
	const struct vdpa_config_ops *ops = vp->vdpa.config;
	struct vdpa_vq_state state = {};

	KUNIT_EXPECT_EQ(test, 0, ops->set_vq_state(&vp->vdpa, 0, &state));
	state.split.avail_index = 1;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ops->set_vq_state(&vp->vdpa, 0, &state));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ops->get_vq_state(&vp->vdpa, 0, &state));

	vp->features = BIT_ULL(VIRTIO_F_RING_PACKED);
	memset(&state, 0, sizeof(state));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ops->set_vq_state(&vp->vdpa, 0, &state));
	state.packed.last_avail_counter = 1;
	state.packed.last_used_counter = 1;
	KUNIT_EXPECT_EQ(test, 0, ops->set_vq_state(&vp->vdpa, 0, &state));
	unmake(vp);
}

static struct kunit_case vp_cases[] = {
	KUNIT_CASE(vp_plain),
	KUNIT_CASE(vp_no_queues),
	KUNIT_CASE(vp_all_queues),
	KUNIT_CASE(vp_ring_too_large),
	KUNIT_CASE(vp_no_version_1),
	KUNIT_CASE(vp_every_feature),
	KUNIT_CASE(vp_gone_at_once),
	KUNIT_CASE(vp_resets_late),
	KUNIT_CASE_SLOW(vp_never_resets),
	KUNIT_CASE_PARAM(vp_bad_capability, bad_capability_gen_params),
	KUNIT_CASE(vp_common_of_old),
	KUNIT_CASE(vp_doorbell_out_of_bounds),
	KUNIT_CASE(vp_far_doorbell_out_of_bounds),
	KUNIT_CASE(vp_doorbell_too_narrow_for_data),
	KUNIT_CASE(vp_last_doorbell_too_short_for_data),
	KUNIT_CASE(vp_kicks),
	KUNIT_CASE(vp_queue_of_no_size),
	KUNIT_CASE(vp_doorbell_pages),
	KUNIT_CASE(vp_doorbells_in_one_page),
	KUNIT_CASE(vp_vector_each),
	KUNIT_CASE(vp_vectors_shared),
	KUNIT_CASE(vp_machine_has_fewer),
	KUNIT_CASE(vp_function_refuses_vectors),
	KUNIT_CASE(vp_function_refuses_all_vectors),
	KUNIT_CASE(vp_pin),
	KUNIT_CASE(vp_no_interrupts),
	KUNIT_CASE(vp_queues_set_up_late),
	KUNIT_CASE(vp_queue_is_reset),
	KUNIT_CASE_SLOW(vp_queue_never_resets),
	KUNIT_CASE(vp_pulled_out),
	KUNIT_CASE(vp_taken_away_for_a_while),
	KUNIT_CASE(vp_platform_is_accepted_for_the_driver),
	KUNIT_CASE(vp_not_translated),
	KUNIT_CASE(vp_provisioned),
	KUNIT_CASE(vp_one_device_at_a_time),
	KUNIT_CASE(vp_config_widths),
	KUNIT_CASE(vp_config_restless),
	KUNIT_CASE(vp_no_ring_position),
	{}
};

static struct kunit_suite vp_suite = {
	.name = "vdpa-virtio-pci",
	.init = vp_test_init,
	.test_cases = vp_cases,
};
kunit_test_suite(vp_suite);
