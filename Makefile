# SPDX-License-Identifier: GPL-2.0-only
#
# vDPA for Linux, built and tested outside of a kernel tree. See README.md.
#
#   make demo		show it at work on the distribution's kernel, in a virtual machine
#   make check		every test; "make check-help" lists its parts
#   make bench		figures against the stock vDPA, in one boot; "make bench ROUNDS=1"
#   make modules	build the modules (KVER=RELEASE chooses the kernel)
#   make shell		a prompt in the virtual machine with the modules loaded
#   make clean		remove what was built

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# Recursive on purpose: known only after the headers were installed.
RELEASE = $(or $(KVER),$(shell tools/build/kver.sh))
MODULES = build/modules/$(RELEASE)
export KVER

.PHONY: all
all: modules

.PHONY: deps
deps:
	@tools/build/deps.sh

.PHONY: modules
modules: deps
	@tools/build/modules.sh $(RELEASE) $(CURDIR)/$(MODULES)

.PHONY: tests
tests: deps
	@tools/testing/selftests.sh build

.PHONY: test-tools
test-tools: deps
	@tools/testing/selftests.sh tools

.PHONY: demo
demo: modules test-tools
	@tools/testing/demo/run.sh $(if $(SHELL_IN),-s)

.PHONY: shell
shell: modules test-tools
	@tools/testing/demo/run.sh -s -n

# Each part of the tests stands alone: make check-build, check-kunit, ...
CHECKS := build docs ynl uapi vendor kunit faults vm clients

.PHONY: check check-help $(CHECKS:%=check-%)
check: modules tests
	@tools/testing/check.sh $(CHECKS)

$(CHECKS:%=check-%): check-%: modules tests
	@tools/testing/check.sh $*

check-help:
	@tools/testing/check.sh --help

.PHONY: bench
bench: modules tests
	@tools/testing/bench/run.sh -r $(or $(ROUNDS),3)

.PHONY: clean
clean:
	rm -rf build
