// SPDX-License-Identifier: GPL-2.0-only
/*
 * Status, features and configuration space, as bus drivers reach them.
 */
#include <linux/limits.h>
#include <linux/string.h>
#include <uapi/linux/virtio_config.h>

#include "../vdpa_private.h"
#include "mock.h"

#define SOME_FEATURES	BIT_ULL(VIRTIO_F_VERSION_1)

/* a registered device whose features were accepted */
static struct mock *configured(struct kunit *test)
{
	struct mock *mock = mock_new(test);
	unsigned int i;

	mock->features = SOME_FEATURES;
	for (i = 0; i < MOCK_CONFIG; i++)
		mock->config[i] = 'a' + i;
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	KUNIT_ASSERT_EQ(test, 0, vdpa_set_features(mock->vdev, SOME_FEATURES));
	mock_take_log(mock);
	return mock;
}

struct span {
	const char *desc;
	unsigned int offset;
	unsigned int len;
	bool valid;
};

static const struct span spans[] = {
	{ "all", 0, MOCK_CONFIG, true },
	{ "first byte", 0, 1, true },
	{ "last byte", MOCK_CONFIG - 1, 1, true },
	{ "none", 4, 0, true },
	{ "none at the end", MOCK_CONFIG, 0, true },
	{ "behind the end", MOCK_CONFIG, 1, false },
	{ "over the end", MOCK_CONFIG - 1, 2, false },
	{ "one more than all", 0, MOCK_CONFIG + 1, false },
	{ "far behind", UINT_MAX, 1, false },
	{ "wraps to 0", UINT_MAX - 3, 4, false },
	{ "wraps to inside", UINT_MAX - 3, 8, false },
};

KUNIT_ARRAY_PARAM_DESC(span, spans, desc);

static void config_read(struct kunit *test)
{
	const struct span *span = test->param_value;
	struct mock *mock = configured(test);
	u8 buf[MOCK_CONFIG + 2], expected[MOCK_CONFIG + 2];

	memset(buf, 0xff, sizeof(buf));
	memset(expected, 0xff, sizeof(expected));
	if (span->valid)
		memcpy(expected, mock->config + span->offset, span->len);
	else
		memset(expected, 0, span->len);

	vdpa_get_config(mock->vdev, span->offset, buf, span->len);
	KUNIT_EXPECT_MEMEQ(test, expected, buf, sizeof(buf));
	KUNIT_EXPECT_STREQ(test, span->valid ? "get " : "",
			   mock_take_log(mock));
}

static void config_write(struct kunit *test)
{
	const struct span *span = test->param_value;
	struct mock *mock = configured(test);
	u8 buf[MOCK_CONFIG + 2], expected[MOCK_CONFIG];

	memset(buf, 'z', sizeof(buf));
	memcpy(expected, mock->config, sizeof(expected));
	if (span->valid)
		memset(expected + span->offset, 'z', span->len);

	vdpa_set_config(mock->vdev, span->offset, buf, span->len);
	KUNIT_EXPECT_MEMEQ(test, expected, mock->config, sizeof(expected));
	KUNIT_EXPECT_STREQ(test, span->valid ? "set " : "",
			   mock_take_log(mock));
}

/* Who reads before it has accepted features has accepted none. */
static void config_legacy_reader(struct kunit *test)
{
	struct mock *mock = configured(test);
	u8 byte;

	KUNIT_ASSERT_EQ(test, 0, vdpa_reset(mock->vdev, 0));
	KUNIT_EXPECT_FALSE(test, mock->vdev->features_valid);
	mock->driver_features = SOME_FEATURES;

	vdpa_get_config(mock->vdev, 0, &byte, 1);
	KUNIT_EXPECT_STREQ(test, "reset features get ", mock_take_log(mock));
	vdpa_get_config(mock->vdev, 0, &byte, 1);
	KUNIT_EXPECT_STREQ(test, "get ", mock_take_log(mock));
	KUNIT_EXPECT_EQ(test, 0, mock->driver_features);
	KUNIT_EXPECT_TRUE(test, mock->vdev->features_valid);
}

/* A parent that wants a modern driver is told once, and read all the same. */
static void config_legacy_reader_refused(struct kunit *test)
{
	struct mock *mock = configured(test);
	u8 byte = 0;

	KUNIT_ASSERT_EQ(test, 0, vdpa_reset(mock->vdev, 0));
	mock->features_err = -EINVAL;
	vdpa_get_config(mock->vdev, 0, &byte, 1);
	KUNIT_EXPECT_STREQ(test, "reset features get ", mock_take_log(mock));
	vdpa_get_config(mock->vdev, 0, &byte, 1);
	KUNIT_EXPECT_STREQ(test, "get ", mock_take_log(mock));
	KUNIT_EXPECT_EQ(test, 'a', byte);
}

/* A read that is refused has no effect either. */
static void config_refused_reader(struct kunit *test)
{
	struct mock *mock = configured(test);
	u8 byte;

	KUNIT_ASSERT_EQ(test, 0, vdpa_reset(mock->vdev, 0));
	vdpa_get_config(mock->vdev, MOCK_CONFIG, &byte, 1);
	KUNIT_EXPECT_STREQ(test, "reset ", mock_take_log(mock));
	KUNIT_EXPECT_FALSE(test, mock->vdev->features_valid);
}

static void config_features(struct kunit *test)
{
	struct mock *mock = configured(test);

	KUNIT_EXPECT_EQ(test, SOME_FEATURES, mock->driver_features);
	KUNIT_EXPECT_TRUE(test, mock->vdev->features_valid);

	mock->features_err = -EOPNOTSUPP;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, vdpa_set_features(mock->vdev, 0));
	KUNIT_EXPECT_EQ(test, SOME_FEATURES, mock->driver_features);
	mock->features_err = 0;

	scoped_guard(rwsem_write, &mock->vdev->cf_lock)
		KUNIT_EXPECT_EQ(test, 0,
				vdpa_set_features_unlocked(mock->vdev, 0));
	KUNIT_EXPECT_EQ(test, 0, mock->driver_features);
}

static void config_status(struct kunit *test)
{
	struct mock *mock = configured(test);

	vdpa_set_status(mock->vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	KUNIT_EXPECT_EQ(test, VIRTIO_CONFIG_S_ACKNOWLEDGE, mock->status);
	KUNIT_EXPECT_EQ(test, 0, vdpa_reset(mock->vdev, 0));
	KUNIT_EXPECT_EQ(test, 0, mock->status);
}

static u32 compat_flags;

static int some_compat_reset(struct vdpa_device *vdev, u32 flags)
{
	compat_flags = flags;
	mock_log(to_mock(vdev), "compat");
	return 0;
}

static void config_reset(struct kunit *test)
{
	struct mock *mock = configured(test);

	/* a parent without compat_reset does what it can */
	KUNIT_EXPECT_EQ(test, 0, vdpa_reset(mock->vdev, VDPA_RESET_F_CLEAN_MAP));
	KUNIT_EXPECT_STREQ(test, "reset ", mock_take_log(mock));

	mock->ops.compat_reset = some_compat_reset;
	KUNIT_EXPECT_EQ(test, 0, vdpa_reset(mock->vdev, 0));
	KUNIT_EXPECT_STREQ(test, "reset ", mock_take_log(mock));
	KUNIT_EXPECT_EQ(test, 0, vdpa_reset(mock->vdev, VDPA_RESET_F_CLEAN_MAP));
	KUNIT_EXPECT_STREQ(test, "compat ", mock_take_log(mock));
	KUNIT_EXPECT_EQ(test, VDPA_RESET_F_CLEAN_MAP, compat_flags);

	mock->reset_err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_reset(mock->vdev, 0));
}

static struct kunit_case config_cases[] = {
	KUNIT_CASE_PARAM(config_read, span_gen_params),
	KUNIT_CASE_PARAM(config_write, span_gen_params),
	KUNIT_CASE(config_legacy_reader),
	KUNIT_CASE(config_legacy_reader_refused),
	KUNIT_CASE(config_refused_reader),
	KUNIT_CASE(config_features),
	KUNIT_CASE(config_status),
	KUNIT_CASE(config_reset),
	{}
};

static struct kunit_suite config_suite = {
	.name = "vdpa_config",
	.test_cases = config_cases,
};

kunit_test_suite(config_suite);
