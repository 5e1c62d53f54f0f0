/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A parent without a data path: it keeps what it is told, writes down in which order
 * it was told, and fails a test that breaks the contract of the ops.
 */
#ifndef _VDPA_TESTS_MOCK_H
#define _VDPA_TESTS_MOCK_H

#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/vdpa.h>

#define MOCK_VQS	8
#define MOCK_CONFIG	16

/* a driver name that no driver has, for devices that nobody shall drive */
#define MOCK_NO_DRIVER	"vdpa_kunit_nobody"

/**
 * struct mock_vq - one queue, as the bus driver left it
 * @desc: descriptor area
 * @driver: driver area
 * @device: device area
 * @num: entries
 * @ready: started
 * @state: where it starts
 * @cb: used-buffer notification
 * @kicks: times kicked
 * @kick_data: what came with the last kick that had data
 * @affinity: processors it was bound to; none if it was not
 */
struct mock_vq {
	u64 desc;
	u64 driver;
	u64 device;
	u32 num;
	bool ready;
	struct vdpa_vq_state state;
	struct vdpa_callback cb;
	unsigned int kicks;
	u32 kick_data;
	struct cpumask affinity;
};

/**
 * struct mock_fault - what goes wrong with one queue
 * @vq: which queue
 * @address: returned by set_vq_address
 * @state: returned by set_vq_state
 * @affinity: returned by set_vq_affinity
 * @ready: get_vq_ready says so, whatever set_vq_ready said
 */
struct mock_fault {
	u16 vq;
	int address;
	int state;
	int affinity;
	bool ready;
};

/**
 * struct mock - a parent, its one device and what that device was told
 * @test: test that it belongs to
 * @ops: ops of the device: to begin with, the required ones only
 * @vdev: the device, from mock_alloc() until its memory is freed
 * @name: its name, or NULL
 * @bound_to: name of the only driver that may drive it, or NULL for any
 * @mdev: management device that makes it, or NULL
 * @use_va: it works with virtual addresses, if mock_register() makes it
 * @nvqs: number of queues
 * @device_id: virtio device ID
 * @num_max: largest ring
 * @align: alignment of rings in bytes
 * @features: features offered
 * @driver_features: features accepted
 * @features_err: returned by set_driver_features
 * @reset_err: returned by reset
 * @status: device status
 * @config: configuration space
 * @config_cb: configuration change notification
 * @vq: queues
 * @fault: what goes wrong
 * @late: notify one last time while a queue is stopped or a callback removed
 * @log: what happened since the log was taken, a word each
 * @taken: the log as it was taken last
 */
struct mock {
	struct kunit *test;
	struct vdpa_config_ops ops;
	struct vdpa_device *vdev;
	const char *name;
	const char *bound_to;
	struct vdpa_mgmt_dev *mdev;
	bool use_va;
	u32 nvqs;
	u32 device_id;
	u16 num_max;
	u32 align;
	u64 features;
	u64 driver_features;
	int features_err;
	int reset_err;
	u8 status;
	u8 config[MOCK_CONFIG];
	struct vdpa_callback config_cb;
	struct mock_vq vq[MOCK_VQS];
	struct mock_fault fault;
	bool late;
	char log[512];
	char taken[512];
};

struct mock *mock_new(struct kunit *test);
struct vdpa_device *mock_alloc(struct mock *mock, bool use_va);
int mock_register(struct mock *mock);
void mock_unregister(struct mock *mock);
bool mock_gone(const struct mock *mock);

struct mock *to_mock(struct vdpa_device *vdev);
struct mock_vq *mock_vq(struct mock *mock, u16 idx);
__printf(2, 3) void mock_log(struct mock *mock, const char *fmt, ...);
const char *mock_take_log(struct mock *mock);

#endif /* _VDPA_TESTS_MOCK_H */
