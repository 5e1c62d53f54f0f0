/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio function made of memory, on a PCI bus of its own: configuration space,
 * capabilities, registers (section 4.1.4 of virtio 1.2), an MSI-X table. It can be made to lie.
 */
#ifndef _VP_VDPA_TESTS_MOCK_FUNCTION_H
#define _VP_VDPA_TESTS_MOCK_FUNCTION_H

#include <kunit/test.h>
#include <linux/pci.h>

#define MOCK_QUEUES 40
#define MOCK_CONFIG 64

/* where things are in the only BAR, unless a test moves their capabilities */
#define MOCK_COMMON 0x0
#define MOCK_ISR 0x100
#define MOCK_DEVICE 0x200
#define MOCK_TABLE 0x400
#define MOCK_PENDING 0xc00
#define MOCK_NOTIFY 0x1000
#define MOCK_BAR 0x8000

struct mock_function_queue {
	u16 size;
	u16 vector;
	u16 enable;
	u16 reset;
	u16 notify_off;
	u32 desc, driver, device;	/* lower halves */
	unsigned int kicks;
	u32 kicked_with;
};

/**
 * struct mock_function - a function, and how it lies
 * @test: test that it belongs to
 * @bus: its bus, while it is plugged in
 * @pdev: itself, with a reference
 * @space: PCI configuration space
 * @bar_mask: read from the BAR while its size is asked for
 * @sizing: it is
 * @features: offered
 * @driver_features: chosen
 * @nvqs: claimed; those above MOCK_QUEUES are all like the last
 * @queues: registers of each
 * @select: queue_select
 * @feature_select: device_feature_select
 * @driver_select: driver_feature_select
 * @config_vector: config_msix_vector
 * @status: device_status
 * @isr: ISR status, cleared by reading
 * @generation: config_generation
 * @config: device configuration space
 * @narrowest: narrowest access to @config
 * @widest: widest one
 * @gone: everything reads as ones
 * @silent: its registers do, its PCI configuration space does not
 * @stubborn: reads of the status before a reset is done
 * @never_resets: it is never done
 * @restless: generation changes whenever it is read
 * @vectors_taken: vectors below this are accepted
 * @queue_never_resets: a queue's reset is never done
 * @enabled_early: a queue was enabled before its addresses were written
 * @irq: of its pin, or 0
 */
struct mock_function {
	struct kunit *test;
	struct pci_bus *bus;
	struct pci_dev *pdev;
	u8 space[256];
	u32 bar_mask;
	bool sizing;
	u64 features;
	u64 driver_features;
	u16 nvqs;
	struct mock_function_queue queues[MOCK_QUEUES];
	u16 select;
	u32 feature_select;
	u32 driver_select;
	u16 config_vector;
	u8 status;
	u8 isr;
	u8 generation;
	u8 config[MOCK_CONFIG];
	unsigned int narrowest;
	unsigned int widest;
	bool gone;
	bool silent;
	unsigned int stubborn;
	bool never_resets;
	bool restless;
	unsigned int vectors_taken;
	bool queue_never_resets;
	bool enabled_early;
	int irq;
};

struct mock_function *mock_function_create(struct kunit *test);
/* Change a capability: its length, offset, BAR; or the doorbells' multiplier. */
void mock_function_move(struct mock_function *mock, u8 type, u8 bar, u32 offset, u32 length);
void mock_function_drop(struct mock_function *mock, u8 type);
void mock_function_space_doorbells(struct mock_function *mock, u32 multiplier);
/* MSI-X vectors; 0 takes the capability away. */
void mock_function_set_vectors(struct mock_function *mock, unsigned int vectors);
/* Put it on its bus. Return: what vp_function_probe() said, or -ENODEV without a driver. */
int mock_function_plug(struct mock_function *mock);
void mock_function_unplug(struct mock_function *mock);

#endif /* _VP_VDPA_TESTS_MOCK_FUNCTION_H */
