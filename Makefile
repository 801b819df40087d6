# SPDX-License-Identifier: GPL-2.0-or-later
# hanglab: "make help" lists the targets.

CFLAGS  ?= -O2 -g
CSTD    := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFIU_ENABLE=1
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
BUILD   ?= build
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)

PACKAGES := libfyaml jansson liburing libarchive libkmod libhs nettle libdw libelf

# One folder, one purpose; see CONTRIBUTING.md for what may call what.
BASE     := $(sort $(wildcard harness/base/*.c))
CHECKERS := $(sort $(wildcard checkers/*.c))
# What needs a library that the guest program does not carry.
HOSTONLY := harness/base/hash.c $(wildcard checkers/*_host.c)
INJECT   := $(sort $(wildcard inject/*.c inject/workload/*.c))
PROXY    := $(sort $(wildcard inject/proxy/*.c))
HARNESS  := $(sort $(wildcard harness/*/*.c) $(wildcard vm-images/*.c)) $(CHECKERS) $(INJECT) $(PROXY)
GUEST    := $(filter-out $(HOSTONLY),$(BASE) $(CHECKERS)) $(INJECT) $(sort $(wildcard inject/guest/*.c))
UNIT     := $(sort $(wildcard tests/unit/*.c))
BENCH    := $(sort $(wildcard tests/bench/*.c))
SYSTEM   := $(sort $(wildcard tests/system/*.c))

objects   = $(patsubst %.c,$(BUILD)/%.o,$(1))
CPPFLAGS += -I. -Iharness
HOSTLIBS  = $(shell pkg-config --libs $(PACKAGES)) -laio -lfiu -lpthread -lm
GUESTLIBS = -l:libjansson.a -l:liburing.a -l:libaio.a -lpthread -lm

.PHONY: all deps demo check unit system lint format asan bench fuzz clean help
all: hanglab $(BUILD)/guest $(BUILD)/libhanglab-checkers.a ## build everything (default)

hanglab: $(call objects,harness/main.c $(HARNESS))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOSTLIBS)

# Static: it runs as PID 1 of an initramfs that holds nothing else.
$(BUILD)/guest: $(call objects,$(GUEST))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -static $(LDFLAGS) -o $@ $^ $(GUESTLIBS)

$(BUILD)/libhanglab-checkers.a: $(call objects,$(BASE) $(CHECKERS))
	@echo "  AR      $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The same main() with another list of suites.
$(BUILD)/unit: $(call objects,$(UNIT) $(HARNESS)) $(BUILD)/tests/main-unit.o
$(BUILD)/system: $(call objects,$(SYSTEM) $(HARNESS)) $(BUILD)/tests/main-system.o
$(BUILD)/unit $(BUILD)/system:
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOSTLIBS) -lcunit

$(BUILD)/tests/main-%.o: tests/main.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CPPFLAGS) $(CFLAGS) $(WARN) -DSUITES='"tests/$*/suites.def"' -MMD -MP -c -o $@ $<

# Rebuild everything when the flags change.
FLAGS := $(CC) $(CSTD) $(CPPFLAGS) $(CFLAGS) $(WARN)
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD); echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
FORCE:

$(BUILD)/%.o: %.c $(BUILD)/flags
	@echo "  CC      $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

deps: ## install what is missing with apt
	@harness/setup/install-packages

demo: deps ## install, build, get a kernel, freeze a file system and show the hung-task report
	@$(MAKE) --no-print-directory -j$$(nproc) all
	./hanglab kernel fetch debian
	./hanglab run scenarios/fsfreeze-hung-task.yaml

unit: $(BUILD)/unit all ## the quick tests (no VM)
	$(BUILD)/unit

system: $(BUILD)/system all ## the tests that boot VMs
	$(BUILD)/system

check: deps ## install, build, get a kernel, then every test
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BUILD)/unit $(BUILD)/system
	./hanglab kernel fetch debian
	$(BUILD)/unit
	$(BUILD)/system

bench: all $(patsubst %.c,$(BUILD)/%,$(BENCH)) ## measure speed, memory and exactness
	@for program in $(filter $(BUILD)/tests/bench/%,$^); do $$program || exit 1; done

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call objects,$(HARNESS))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOSTLIBS)

clean: ## remove what was built
	rm -rf $(BUILD) hanglab

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile
