/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PAGES_H
#define PAGES_H

/* a counter of /proc/vmstat, exact, or -1 */
long pages_vmstat(const char *key);
/* pages that are pinned for devices now, in the whole machine */
long pages_pinned(void);

#endif
