/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>

/* a counter of /proc/vmstat, exact, or -1 */
long pages_vmstat(const char *key);
/* pages that are pinned for devices now, in the whole machine */
long pages_pinned(void);
/* kB that the kernel charges this process for */
long pages_vm_pin(void);
/* does the device reach memory by pinned pages, rather than by its addresses? */
bool pages_by_pinning(void);

#endif
