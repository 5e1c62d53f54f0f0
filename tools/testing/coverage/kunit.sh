#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a machine whose kernel ran the KUnit suites when it booted: what they said.
cat /sys/kernel/debug/kunit/*/results | grep -E '^# |^(not )?ok' && ! dmesg | grep -E '^.{15} +not ok'
