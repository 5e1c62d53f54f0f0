#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Our UAPI headers against those of the distribution's kernel.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
release=${KVER:-$("$top/tools/build/kver.sh")}

exec "$here/check.py" "$top/include/uapi" \
	"/usr/src/linux-headers-${release%-*}-common/include/uapi"
