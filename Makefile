# SPDX-License-Identifier: GPL-2.0-only
#
# vDPA for Linux, built and tested outside of a kernel tree. See README.md.
#
#   make demo		show it at work on the distribution's kernel, in a virtual machine
#   make check		the quick tests; "make check-help" lists their parts
#   make check-long	the others, but for those by hand: check-watched, check-races, check-liars,
#			check-fuzz_smp, check-pinned, check-dma_map, check-foreign,
#			check-coverage, check-mutants
#   make bench		figures against the stock vDPA, in one boot; "make bench ROUNDS=1"
#   make modules	build the modules (KVER=RELEASE chooses the kernel)
#   make install	install them before the kernel's own; "make uninstall" takes them away
#   make deb		a package for DKMS, with a udev rule; it prints its name
#   make vendor		build the vendors' drivers of the stock kernel for them, and install those too
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
	@tools/build/modules.sh $(RELEASE) $(CURDIR)/$(MODULES) $(STRICT)

.PHONY: deb
deb: modules
	@tools/packaging/deb.sh build/deb

.PHONY: install uninstall vendor
install: modules
	@tools/build/install.sh $(RELEASE) $(MODULES)

uninstall:
	@tools/build/install.sh $(RELEASE) --remove

vendor: install
	@tools/build/vendor.sh $(RELEASE) $(CURDIR)/build/vendor/$(RELEASE)
	@tools/build/install.sh $(RELEASE) build/vendor/$(RELEASE)

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

# Each part of the tests stands alone: make check-docs, check-kunit, ...
# The longest come first, for they run side by side. In the quick ones all processors build a kernel
# first, and who needs it waits.
QUICK := kunit docs ynl uapi sanitized tools
LONG := more_tools clients static hw va faults package sanitized_pinned vendor fuzz
BY_HAND := watched races liars fuzz_smp pinned dma_map foreign coverage mutants

# what is tested was built, and looked at by sparse with endian checks on, without a warning
check check-%: STRICT := W=1 C=1 CF=-Wsparse-error KCFLAGS=-Werror

.PHONY: check check-long check-help $(QUICK:%=check-%) $(LONG:%=check-%) $(BY_HAND:%=check-%)
check: modules tests
	@tools/testing/check.sh $(QUICK)

check-long: modules tests
	@tools/testing/check.sh $(LONG)

$(QUICK:%=check-%) $(LONG:%=check-%) $(BY_HAND:%=check-%): check-%: modules tests
	@tools/testing/check.sh $*

check-help:
	@tools/testing/check.sh --help

.PHONY: bench
bench: modules tests
	@tools/testing/bench/run.sh -r $(or $(ROUNDS),3)

.PHONY: clean
clean:
	rm -rf build
