/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the PCI bus behind an IOMMU. The environment says which: HW_NET and HW_BLK
 * name management devices, of a network card whose network has a host 10.0.2.2, and of a
 * disk.
 */
#ifndef HW_H
#define HW_H

#include <stdbool.h>
#include <stdint.h>

#define HW_NAME "t-hw"
/* an IOVA that is not in the session's memory */
#define HW_ELSEWHERE 0x7000000000ull

/* The name of a management device, or what is none's. */
const char *hw_mgmt(const char *variable);
/* The kernel's log from now on, when the next fault of the IOMMU will be in it. */
int hw_log_open(void);
/* Has the IOMMU reported that a device was refused the page @iova? Waits a while for it. */
bool hw_log_has_fault(int log, uint64_t iova);

#endif
