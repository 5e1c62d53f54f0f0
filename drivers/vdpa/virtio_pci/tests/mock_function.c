// SPDX-License-Identifier: GPL-2.0-only
#include <linux/irq.h>
#include <linux/logic_iomem.h>
#include <linux/unaligned.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include "../vp_vdpa.h"
#include "mock_function.h"

/* where its memory is; a place that nobody else in this kernel has */
#define MOCK_MEMORY 0xe0000000UL
#define MOCK_BUS 0x80

/* capabilities, each 20 bytes long at most */
#define CAP_COMMON 0x40
#define CAP_NOTIFY 0x54
#define CAP_ISR 0x68
#define CAP_DEVICE 0x7c
#define CAP_MSIX 0x90

/* The one that is plugged in; tests run one after the other. */
static struct mock_function *plugged;

/* Registers */

static struct mock_function_queue *selected(struct mock_function *mock)
{
	return &mock->queues[min_t(u16, mock->select, MOCK_QUEUES - 1)];
}

static void mock_reset(struct mock_function *mock)
{
	unsigned int i;

	mock->status = 0;
	mock->driver_features = 0;
	mock->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (i = 0; i < MOCK_QUEUES; i++) {
		mock->queues[i].enable = 0;
		mock->queues[i].reset = 0;
		mock->queues[i].vector = VIRTIO_MSI_NO_VECTOR;
	}
}

static u8 read_status(struct mock_function *mock)
{
	if (mock->stubborn && !--mock->stubborn)
		mock_reset(mock);
	return mock->status;
}

static void write_status(struct mock_function *mock, u8 status)
{
	if (status)
		mock->status = status;
	else if (!mock->stubborn && !mock->never_resets)
		mock_reset(mock);
}

static u16 vector_taken(const struct mock_function *mock, u16 vector)
{
	return vector < mock->vectors_taken ? vector : VIRTIO_MSI_NO_VECTOR;
}

static u32 read_common(struct mock_function *mock, unsigned int offset)
{
	struct mock_function_queue *queue = selected(mock);

	switch (offset) {
	case offsetof(struct virtio_pci_common_cfg, device_feature):
		return mock->features >> (mock->feature_select ? 32 : 0);
	case offsetof(struct virtio_pci_common_cfg, msix_config):
		return mock->config_vector;
	case offsetof(struct virtio_pci_common_cfg, num_queues):
		return mock->nvqs;
	case offsetof(struct virtio_pci_common_cfg, device_status):
		return read_status(mock);
	case offsetof(struct virtio_pci_common_cfg, config_generation):
		return mock->restless ? ++mock->generation : mock->generation;
	case offsetof(struct virtio_pci_common_cfg, queue_size):
		return queue->size;
	case offsetof(struct virtio_pci_common_cfg, queue_msix_vector):
		return queue->vector;
	case offsetof(struct virtio_pci_common_cfg, queue_enable):
		return queue->enable;
	case offsetof(struct virtio_pci_common_cfg, queue_notify_off):
		return queue->notify_off;
	case offsetof(struct virtio_pci_modern_common_cfg, queue_reset):
		return queue->reset;
	}
	return 0;
}

static void enable_queue(struct mock_function *mock, struct mock_function_queue *queue, u16 on)
{
	if (!queue->desc || !queue->driver || !queue->device)
		mock->enabled_early = true;
	queue->enable = on;
}

static void reset_queue(struct mock_function *mock, struct mock_function_queue *queue)
{
	queue->reset = mock->queue_never_resets;
	if (!queue->reset)
		queue->enable = 0;
}

static void write_common(struct mock_function *mock, unsigned int offset, u32 value)
{
	struct mock_function_queue *queue = selected(mock);
	u64 part;

	switch (offset) {
	case offsetof(struct virtio_pci_common_cfg, device_feature_select):
		mock->feature_select = value;
		break;
	case offsetof(struct virtio_pci_common_cfg, guest_feature_select):
		mock->driver_select = value;
		break;
	case offsetof(struct virtio_pci_common_cfg, guest_feature):
		part = (u64)value << (mock->driver_select ? 32 : 0);
		mock->driver_features &= mock->driver_select ? U32_MAX : ~(u64)U32_MAX;
		mock->driver_features |= part;
		break;
	case offsetof(struct virtio_pci_common_cfg, msix_config):
		mock->config_vector = vector_taken(mock, value);
		break;
	case offsetof(struct virtio_pci_common_cfg, device_status):
		write_status(mock, value);
		break;
	case offsetof(struct virtio_pci_common_cfg, queue_select):
		mock->select = value;
		break;
	case offsetof(struct virtio_pci_common_cfg, queue_size):
		queue->size = value;
		break;
	case offsetof(struct virtio_pci_common_cfg, queue_msix_vector):
		queue->vector = vector_taken(mock, value);
		break;
	case offsetof(struct virtio_pci_common_cfg, queue_enable):
		enable_queue(mock, queue, value);
		break;
	case offsetof(struct virtio_pci_common_cfg, queue_desc_lo):
		queue->desc = value;
		break;
	case offsetof(struct virtio_pci_common_cfg, queue_avail_lo):
		queue->driver = value;
		break;
	case offsetof(struct virtio_pci_common_cfg, queue_used_lo):
		queue->device = value;
		break;
	case offsetof(struct virtio_pci_modern_common_cfg, queue_reset):
		reset_queue(mock, queue);
		break;
	}
}

static void note_width(struct mock_function *mock, unsigned int size)
{
	mock->narrowest = min(mock->narrowest, size);
	mock->widest = max(mock->widest, size);
}

static unsigned long bar_read(void *priv, unsigned int offset, int size)
{
	struct mock_function *mock = priv;
	unsigned long value = 0;

	if (mock->gone || mock->silent)
		return ~0UL;
	if (offset < MOCK_ISR)
		return read_common(mock, offset);
	if (offset == MOCK_ISR) {
		value = mock->isr;
		mock->isr = 0;
		return value;
	}
	if (offset >= MOCK_DEVICE && offset + size <= MOCK_DEVICE + MOCK_CONFIG) {
		note_width(mock, size);
		memcpy(&value, &mock->config[offset - MOCK_DEVICE], size);
	}
	return value;
}

static void ring_doorbell(struct mock_function *mock, unsigned int offset, int size,
			  unsigned long value)
{
	u16 index = value;

	KUNIT_EXPECT_TRUE(mock->test, IS_ALIGNED(offset, size));
	if (index < MOCK_QUEUES) {
		mock->queues[index].kicks++;
		mock->queues[index].kicked_with = value;
	}
}

static void bar_write(void *priv, unsigned int offset, int size, unsigned long value)
{
	struct mock_function *mock = priv;

	if (mock->gone)
		return;
	if (offset < MOCK_ISR) {
		write_common(mock, offset, value);
	} else if (offset >= MOCK_DEVICE && offset + size <= MOCK_DEVICE + MOCK_CONFIG) {
		note_width(mock, size);
		memcpy(&mock->config[offset - MOCK_DEVICE], &value, size);
	} else if (offset >= MOCK_NOTIFY) {
		ring_doorbell(mock, offset, size, value);
	}
}

static const struct logic_iomem_ops bar_ops = {
	.read = bar_read,
	.write = bar_write,
};

static long bar_map(unsigned long offset, size_t size, const struct logic_iomem_ops **ops,
		    void **priv)
{
	if (!plugged || offset + size > MOCK_BAR)
		return -ENOENT;
	*ops = &bar_ops;
	*priv = plugged;
	return offset;
}

static const struct logic_iomem_region_ops memory_ops = { .map = bar_map };

static struct resource memory = {
	.name = "mock virtio function",
	.start = MOCK_MEMORY,
	.end = MOCK_MEMORY + SZ_1M - 1,
	.flags = IORESOURCE_MEM,
};

/* PCI configuration space */

static int space_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	struct mock_function *mock = plugged;

	*value = ~0U;
	if (devfn || mock->gone)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where == PCI_BASE_ADDRESS_0 && mock->sizing) {
		*value = mock->bar_mask;
		return PCIBIOS_SUCCESSFUL;
	}
	*value = 0;
	memcpy(value, &mock->space[where], size);
	return PCIBIOS_SUCCESSFUL;
}

static int space_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	struct mock_function *mock = plugged;

	if (devfn || mock->gone)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where == PCI_BASE_ADDRESS_0) {
		mock->sizing = value == ~0U;
		if (!mock->sizing)
			put_unaligned_le32(value & mock->bar_mask, &mock->space[where]);
	} else if (where == PCI_COMMAND || where == CAP_MSIX + PCI_MSIX_FLAGS) {
		u16 keep = where == PCI_COMMAND ? 0 : PCI_MSIX_FLAGS_QSIZE;
		u16 old = get_unaligned_le16(&mock->space[where]);

		put_unaligned_le16((old & keep) | (value & ~keep), &mock->space[where]);
	}
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops space_ops = {
	.read = space_read,
	.write = space_write,
};

static void put_cap(struct mock_function *mock, u8 at, u8 next, u8 type, u8 len)
{
	u8 *cap = &mock->space[at];

	cap[0] = PCI_CAP_ID_VNDR;
	cap[1] = next;
	cap[2] = len;
	cap[3] = type;
}

static u8 cap_of(u8 type)
{
	static const u8 at[] = {
		[VIRTIO_PCI_CAP_COMMON_CFG] = CAP_COMMON,
		[VIRTIO_PCI_CAP_NOTIFY_CFG] = CAP_NOTIFY,
		[VIRTIO_PCI_CAP_ISR_CFG] = CAP_ISR,
		[VIRTIO_PCI_CAP_DEVICE_CFG] = CAP_DEVICE,
	};

	return at[type];
}

void mock_function_move(struct mock_function *mock, u8 type, u8 bar, u32 offset, u32 length)
{
	u8 *cap = &mock->space[cap_of(type)];

	cap[4] = bar;
	put_unaligned_le32(offset, cap + 8);
	put_unaligned_le32(length, cap + 12);
}

void mock_function_drop(struct mock_function *mock, u8 type)
{
	/* a type that means nothing */
	mock->space[cap_of(type) + 3] = 0xee;
}

void mock_function_space_doorbells(struct mock_function *mock, u32 multiplier)
{
	put_unaligned_le32(multiplier, &mock->space[CAP_NOTIFY + 16]);
}

void mock_function_set_vectors(struct mock_function *mock, unsigned int vectors)
{
	mock->space[CAP_DEVICE + 1] = vectors ? CAP_MSIX : 0;
	put_unaligned_le16(vectors - 1, &mock->space[CAP_MSIX + PCI_MSIX_FLAGS]);
}

static void put_header(struct mock_function *mock)
{
	u8 *space = mock->space;

	put_unaligned_le16(0x1af4, space + PCI_VENDOR_ID);
	put_unaligned_le16(0x1041, space + PCI_DEVICE_ID);
	put_unaligned_le16(0x1af4, space + PCI_SUBSYSTEM_VENDOR_ID);
	put_unaligned_le16(0x1100, space + PCI_SUBSYSTEM_ID);
	put_unaligned_le16(PCI_STATUS_CAP_LIST, space + PCI_STATUS);
	put_unaligned_le16(PCI_CLASS_NETWORK_ETHERNET, space + PCI_CLASS_DEVICE);
	space[PCI_CAPABILITY_LIST] = CAP_COMMON;

	put_cap(mock, CAP_COMMON, CAP_NOTIFY, VIRTIO_PCI_CAP_COMMON_CFG, 16);
	put_cap(mock, CAP_NOTIFY, CAP_ISR, VIRTIO_PCI_CAP_NOTIFY_CFG, 20);
	put_cap(mock, CAP_ISR, CAP_DEVICE, VIRTIO_PCI_CAP_ISR_CFG, 16);
	put_cap(mock, CAP_DEVICE, CAP_MSIX, VIRTIO_PCI_CAP_DEVICE_CFG, 16);
	mock_function_move(mock, VIRTIO_PCI_CAP_COMMON_CFG, 0, MOCK_COMMON,
			   sizeof(struct virtio_pci_modern_common_cfg));
	mock_function_move(mock, VIRTIO_PCI_CAP_NOTIFY_CFG, 0, MOCK_NOTIFY, 0x1000);
	mock_function_move(mock, VIRTIO_PCI_CAP_ISR_CFG, 0, MOCK_ISR, 1);
	mock_function_move(mock, VIRTIO_PCI_CAP_DEVICE_CFG, 0, MOCK_DEVICE, MOCK_CONFIG);
	mock_function_space_doorbells(mock, 4);

	space[CAP_MSIX] = PCI_CAP_ID_MSIX;
	put_unaligned_le32(MOCK_TABLE, space + CAP_MSIX + PCI_MSIX_TABLE);
	put_unaligned_le32(MOCK_PENDING, space + CAP_MSIX + PCI_MSIX_PBA);
}

static void unplug_action(void *mock)
{
	mock_function_unplug(mock);
}

struct mock_function *mock_function_create(struct kunit *test)
{
	struct mock_function *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->test = test;
	mock->bar_mask = ~(MOCK_BAR - 1U);
	mock->nvqs = 3;
	mock->features = BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
			 BIT_ULL(VIRTIO_F_NOTIFICATION_DATA) | BIT_ULL(VIRTIO_F_RING_RESET) |
			 BIT_ULL(VIRTIO_F_SR_IOV) | BIT_ULL(VIRTIO_F_ADMIN_VQ);
	mock->vectors_taken = MOCK_QUEUES + 1;
	mock->narrowest = UINT_MAX;
	for (i = 0; i < MOCK_QUEUES; i++) {
		mock->queues[i].size = 256;
		mock->queues[i].notify_off = i;
	}
	put_header(mock);
	mock_function_set_vectors(mock, MOCK_QUEUES + 1);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unplug_action, mock));
	return mock;
}

static int map_pin(const struct pci_dev *pdev, u8 slot, u8 pin)
{
	return plugged->irq;
}

static int mock_bus_create(struct mock_function *mock)
{
	static struct resource numbers = {
		.name = "mock buses", .start = MOCK_BUS, .end = MOCK_BUS, .flags = IORESOURCE_BUS,
	};
	static bool added;
	struct pci_host_bridge *bridge;
	int err;

	if (!added && logic_iomem_add_region(&memory, &memory_ops))
		return -EBUSY;
	added = true;

	bridge = pci_alloc_host_bridge(0);
	if (!bridge)
		return -ENOMEM;
	pci_add_resource(&bridge->windows, &memory);
	pci_add_resource(&bridge->windows, &numbers);
	bridge->ops = &space_ops;
	bridge->busnr = MOCK_BUS;
	bridge->map_irq = map_pin;

	err = pci_scan_root_bus_bridge(bridge);
	if (err) {
		pci_free_host_bridge(bridge);
		return err;
	}
	mock->bus = bridge->bus;
	pci_bus_assign_resources(mock->bus);
	return 0;
}

int mock_function_plug(struct mock_function *mock)
{
	u8 status = mock->status;
	int err;

	plugged = mock;
	if (mock->irq)
		mock->space[PCI_INTERRUPT_PIN] = 1;
	mock_reset(mock);
	/* what the last driver left */
	mock->status = status;
	err = mock_bus_create(mock);
	if (err)
		return err;
	mock->pdev = pci_get_slot(mock->bus, 0);
	if (!mock->pdev)
		return -ENXIO;
	pci_bus_add_devices(mock->bus);
	pci_assign_irq(mock->pdev);
	KUNIT_EXPECT_NULL(mock->test, mock->pdev->dev.driver);

	err = pci_enable_device(mock->pdev);
	if (err)
		return err;
	device_lock(&mock->pdev->dev);
	err = vp_function_probe(mock->pdev);
	device_unlock(&mock->pdev->dev);
	if (err)
		pci_disable_device(mock->pdev);
	return err;
}

void mock_function_unplug(struct mock_function *mock)
{
	if (!mock->bus)
		return;
	if (mock->pdev && pci_get_drvdata(mock->pdev)) {
		device_lock(&mock->pdev->dev);
		vp_function_remove(mock->pdev);
		pci_set_drvdata(mock->pdev, NULL);
		device_unlock(&mock->pdev->dev);
		pci_disable_device(mock->pdev);
	}
	pci_dev_put(mock->pdev);
	pci_lock_rescan_remove();
	pci_stop_root_bus(mock->bus);
	pci_remove_root_bus(mock->bus);
	pci_unlock_rescan_remove();
	mock->bus = NULL;
	plugged = NULL;
}
