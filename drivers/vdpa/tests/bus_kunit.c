// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which driver gets a device, and in which order drivers and devices come and go.
 */
#include <linux/dma-mapping.h>

#include "../vdpa_private.h"
#include "mock.h"

/* two drivers, of which devices are told to use the first */
#define DRIVER	"vdpa_kunit_driver"
#define OTHER	"vdpa_kunit_other"

static int probe_err;

static int some_probe(struct vdpa_device *vdev)
{
	mock_log(to_mock(vdev), "probe");
	return probe_err;
}

static void some_remove(struct vdpa_device *vdev)
{
	mock_log(to_mock(vdev), "remove");
}

static int other_probe(struct vdpa_device *vdev)
{
	mock_log(to_mock(vdev), "other");
	return 0;
}

static struct vdpa_driver some_driver = {
	.driver.name = DRIVER,
	.probe = some_probe,
	.remove = some_remove,
};

/* has nothing to undo */
static struct vdpa_driver other_driver = {
	.driver.name = OTHER,
	.probe = other_probe,
};

KUNIT_DEFINE_ACTION_WRAPPER(unregister_action, vdpa_unregister_driver,
			    struct vdpa_driver *);

static void add_driver(struct kunit *test, struct vdpa_driver *driver)
{
	probe_err = 0;
	KUNIT_ASSERT_EQ(test, 0, vdpa_register_driver(driver));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, unregister_action,
						  driver));
}

static void remove_driver(struct kunit *test, struct vdpa_driver *driver)
{
	kunit_release_action(test, unregister_action, driver);
}

static struct mock *mock_for(struct kunit *test, const char *driver)
{
	struct mock *mock = mock_new(test);

	mock->bound_to = driver;
	return mock;
}

static void bus_match(struct kunit *test)
{
	struct device_driver *driver = &some_driver.driver;
	struct mock *mock = mock_for(test, NULL);
	struct vdpa_device *vdev = mock_alloc(mock, false);
	struct device *dev;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vdev));
	dev = &vdev->dev;

	KUNIT_EXPECT_EQ(test, 1, vdpa_bus_type.match(dev, driver));
	KUNIT_EXPECT_EQ(test, 0, device_set_driver_override(dev, OTHER));
	KUNIT_EXPECT_EQ(test, 0, vdpa_bus_type.match(dev, driver));
	KUNIT_EXPECT_EQ(test, 0, device_set_driver_override(dev, DRIVER));
	KUNIT_EXPECT_EQ(test, 1, vdpa_bus_type.match(dev, driver));
	KUNIT_EXPECT_EQ(test, 0, device_set_driver_override(dev, ""));
	KUNIT_EXPECT_EQ(test, 1, vdpa_bus_type.match(dev, driver));

	put_device(dev);
}

static void bus_driver_first(struct kunit *test)
{
	struct mock *mock = mock_for(test, DRIVER);

	add_driver(test, &other_driver);
	add_driver(test, &some_driver);
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	KUNIT_EXPECT_PTR_EQ(test, &some_driver.driver, mock->vdev->dev.driver);

	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "probe remove free ", mock_take_log(mock));
}

static void bus_device_first(struct kunit *test)
{
	struct mock *mock = mock_for(test, DRIVER);

	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	add_driver(test, &other_driver);
	KUNIT_EXPECT_STREQ(test, "", mock_take_log(mock));
	add_driver(test, &some_driver);
	KUNIT_EXPECT_STREQ(test, "probe ", mock_take_log(mock));
	remove_driver(test, &some_driver);
	KUNIT_EXPECT_STREQ(test, "remove ", mock_take_log(mock));

	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "free ", mock_take_log(mock));
}

/* A device that one driver gave up is offered to whom the administrator names. */
static void bus_handed_over(struct kunit *test)
{
	struct mock *mock = mock_for(test, DRIVER);
	struct device *dev;

	add_driver(test, &other_driver);
	add_driver(test, &some_driver);
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	dev = &mock->vdev->dev;

	KUNIT_EXPECT_EQ(test, 0, device_set_driver_override(dev, OTHER));
	device_release_driver(dev);
	KUNIT_EXPECT_EQ(test, 1, device_attach(dev));
	KUNIT_EXPECT_PTR_EQ(test, &other_driver.driver, dev->driver);

	/* neither driver has more to say when it leaves */
	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "probe remove other free ",
			   mock_take_log(mock));
}

/* A device that its driver does not want stays, driven by nobody. */
static void bus_probe_fails(struct kunit *test)
{
	struct mock *mock = mock_for(test, DRIVER);

	add_driver(test, &some_driver);
	probe_err = -ENODEV;
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	KUNIT_EXPECT_NULL(test, mock->vdev->dev.driver);

	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "probe free ", mock_take_log(mock));
}

static u16 min_32(struct vdpa_device *vdev)
{
	return 32;
}

static void bus_ring_sizes(struct kunit *test)
{
	struct mock *mock = mock_for(test, DRIVER);

	add_driver(test, &some_driver);
	mock->ops.get_vq_num_min = min_32;

	mock->num_max = 31;
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	KUNIT_EXPECT_NULL(test, mock->vdev->dev.driver);
	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "free ", mock_take_log(mock));

	mock->num_max = 32;
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "probe remove free ", mock_take_log(mock));

	mock->ops.get_vq_num_min = NULL;
	mock->num_max = 0;
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	mock_unregister(mock);
	KUNIT_EXPECT_STREQ(test, "free ", mock_take_log(mock));
}

static void bus_dma_mask(struct kunit *test)
{
	struct mock *mock = mock_for(test, DRIVER);

	add_driver(test, &some_driver);
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));
	KUNIT_EXPECT_EQ(test, (dma_addr_t)DMA_BIT_MASK(64), dma_get_mask(&mock->vdev->dev));
	KUNIT_EXPECT_EQ(test, (dma_addr_t)DMA_BIT_MASK(64),
			mock->vdev->dev.coherent_dma_mask);
}

static void bus_driver_name_taken(struct kunit *test)
{
	static struct vdpa_driver twin = {
		.driver.name = DRIVER,
		.probe = other_probe,
	};

	add_driver(test, &some_driver);
	KUNIT_EXPECT_EQ(test, -EBUSY, vdpa_register_driver(&twin));
}

static struct kunit_case bus_cases[] = {
	KUNIT_CASE(bus_match),
	KUNIT_CASE(bus_driver_first),
	KUNIT_CASE(bus_device_first),
	KUNIT_CASE(bus_handed_over),
	KUNIT_CASE(bus_probe_fails),
	KUNIT_CASE(bus_ring_sizes),
	KUNIT_CASE(bus_dma_mask),
	KUNIT_CASE(bus_driver_name_taken),
	{}
};

static struct kunit_suite bus_suite = {
	.name = "vdpa_bus",
	.test_cases = bus_cases,
};

kunit_test_suite(bus_suite);
