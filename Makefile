# SPDX-License-Identifier: GPL-2.0-or-later
# hanglab: "make help" lists the targets.

CFLAGS  ?= -O2 -g
CSTD    := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFIU_ENABLE=1
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
BUILD   ?= build
# Built-in rules would try to make the dependency files too.
MAKEFLAGS += --no-builtin-rules
PROGRAM ?= hanglab
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)

PACKAGES := libfyaml jansson liburing libarchive libkmod libhs nettle libdw libelf libbpf

# One folder, one purpose; see CONTRIBUTING.md for what may call what.
BASE     := $(sort $(wildcard harness/base/*.c))
CHECKERS := $(sort $(wildcard checkers/*.c))
# What needs a library that the guest program does not carry.
HOSTONLY := $(wildcard checkers/*_host.c)
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
GUESTLIBS = -l:libjansson.a -l:liburing.a -l:libaio.a -l:libnettle.a -lpthread -lm

.PHONY: all deps deps-test deps-dev deps-kernel demo check check-kernels unit system lint format asan bench fuzz clean help
all: $(PROGRAM) $(BUILD)/guest $(BUILD)/clockwatch $(BUILD)/libhanglab-checkers.a ## build everything (default)

$(PROGRAM): $(call objects,harness/main.c $(HARNESS))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOSTLIBS)

# Static: it runs as PID 1 of an initramfs that holds nothing else.
$(BUILD)/guest: $(call objects,$(GUEST))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -static $(LDFLAGS) -o $@ $^ $(GUESTLIBS)

# Bare metal: only what gcc and binutils bring.
CLOCKWATCH       := vm-images/clockwatch
CLOCKWATCH_FLAGS := -m32 -march=i686 -Os -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables \
	-mgeneral-regs-only
$(BUILD)/clockwatch: $(wildcard $(CLOCKWATCH)/*)
	@echo "  BUILD   $@"
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) $(CLOCKWATCH_FLAGS) -nostdlib -static -Wl,--build-id=none,--no-warn-rwx-segments \
		-Wl,-T,$(CLOCKWATCH)/clockwatch.ld -o $@ $(filter %.S %.c,$^)

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

deps-test: ## also what the tests need
	@harness/setup/install-packages --test

deps-dev: ## also what lint, fuzz and bench need
	@harness/setup/install-packages --dev

deps-kernel: ## also what "hanglab kernel build" needs
	@harness/setup/install-packages --kernel

demo: deps ## install, build, get a kernel, freeze a file system and show the hung-task report
	@$(MAKE) --no-print-directory -j$$(nproc) all
	./hanglab kernel fetch debian
	./hanglab run scenarios/fsfreeze-hung-task.yaml

unit: $(BUILD)/unit all ## the quick tests (no VM)
	HANGLAB=./$(PROGRAM) $(BUILD)/unit

# The suites that boot two VMs at a time, or look at what is left on the machine, run alone, the others in pairs.
SUITES	    := $(shell sed -n 's/^SUITE(\(.*\))/\1/p' tests/system/suites.def)
ALONE	    := meta scenarios nothing_left
SUITE_TESTS := env -u MAKEFLAGS -u MAKELEVEL $(BUILD)/system
.PHONY: $(SUITES:%=system-%)
$(SUITES:%=system-%): system-%: $(BUILD)/system all
	@$(SUITE_TESTS) $*

system: $(BUILD)/system all ## the tests that boot VMs
	@failed=; \
	$(MAKE) --no-print-directory -k -j2 --output-sync=target $(filter-out $(ALONE:%=system-%),$(SUITES:%=system-%)) || failed=1; \
	$(MAKE) --no-print-directory -k -j1 $(ALONE:%=system-%) || failed=1; \
	[ -z "$$failed" ]

check: deps-test ## install, build, get the kernels, then every test
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BUILD)/unit $(BUILD)/system
	./hanglab kernel fetch debian debian:amd64
# A kernel with bugs, for comparisons: Debian may no longer serve it, and tests then say SKIP.
	-./hanglab kernel fetch debian:6.1.0-47-cloud-amd64
	HANGLAB=./$(PROGRAM) $(BUILD)/unit
	@$(MAKE) --no-print-directory system

check-kernels: deps-kernel ## build kernels with two old bugs from source, and verify the fixes (long; not part of check)
	@$(MAKE) --no-print-directory -j$$(nproc) all
	tests/system/check-kernels

bench: all $(patsubst %.c,$(BUILD)/%,$(BENCH)) ## measure speed, memory and exactness; fails when a target is missed
	@missed=; for program in $(filter $(BUILD)/tests/bench/%,$^); do $$program || missed="$$missed $$program"; done; \
		[ -z "$$missed" ] || { echo "targets missed by:$$missed"; exit 1; }

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call objects,$(wildcard tests/bench/common/*.c) $(HARNESS))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOSTLIBS)

# The instrumented build lies beside the other one, whose guest program it takes: that is static.
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
asan: $(BUILD)/guest $(BUILD)/clockwatch ## the quick tests under the address and undefined behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=build/asan PROGRAM=build/asan/hanglab CFLAGS="$(SANITIZE)" \
		build/asan/unit build/asan/hanglab
	@mkdir -p build/asan/build && ln -sf ../../guest ../../clockwatch build/asan/build/
	@ln -sfn ../../../harness/skeletons build/asan/harness/skeletons
	@ln -sfn ../../../vm-images/config build/asan/vm-images/config
	@ln -sfn ../../../../harness/report/page.html build/asan/harness/report/page.html
	LSAN_OPTIONS=suppressions=tests/leak-suppressions:print_suppressions=0 HANGLAB=build/asan/hanglab \
		build/asan/unit

# libFuzzer links what it feeds statically with the sanitizers: the log reader without what only the host has, the PDU parser.
CLANG        ?= $(firstword $(shell command -v clang clang-19 clang-16 clang-14))
FUZZ_SECONDS ?= 60
FUZZ_SOURCES := $(filter-out $(HOSTONLY) checkers/expect.c checkers/judge.c,$(CHECKERS)) $(addprefix harness/base/,error.c polling.c similar.c)
$(BUILD)/fuzz-log: tests/fuzz/fuzz_log.c $(FUZZ_SOURCES) $(wildcard checkers/*.h checkers/*.def)
$(BUILD)/fuzz-iscsi-pdu: tests/fuzz/fuzz_iscsi_pdu.c inject/proxy/iscsi_pdu.c inject/proxy/iscsi_tasks.c $(wildcard inject/proxy/*.h)
$(BUILD)/fuzz-log $(BUILD)/fuzz-iscsi-pdu:
	@echo "  FUZZ    $@"
	@mkdir -p $(@D)
	$(Q)$(CLANG) -g -O1 $(CSTD) $(CPPFLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $(filter %.c,$^) -ljansson -lpthread -lm

$(BUILD)/fuzz-words: checkers/signatures.def
	$(Q)sed -n 's/^SIGNATURE([^,]*, [^,]*, \("[^"]*"\),.*/\1/p' $< >$@

fuzz: $(BUILD)/fuzz-log $(BUILD)/fuzz-words $(BUILD)/fuzz-iscsi-pdu ## feed damaged logs and PDUs to their readers, for FUZZ_SECONDS=60 each
	@mkdir -p $(BUILD)/fuzz-corpus $(BUILD)/fuzz-corpus-pdu
	cd $(BUILD) && ./fuzz-log -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -timeout=20 -rss_limit_mb=1024 \
		-dict=fuzz-words fuzz-corpus $(wildcard $(abspath ../shared/seeds) $(abspath ../shared/corpus/kernel-logs))
	cd $(BUILD) && ./fuzz-iscsi-pdu -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=20 -rss_limit_mb=1024 \
		-dict=$(abspath tests/fuzz/iscsi.dict) fuzz-corpus-pdu

# Each file again when it, a header of it or the rules have changed.
SOURCES  := $(shell git ls-files '*.c' 2>/dev/null)
TIDY     := $(patsubst %.c,$(BUILD)/%.tidy,$(filter-out tests/main.c,$(SOURCES)))
lint: $(TIDY) ## clang-tidy, cppcheck and clang-format; nothing may be found
	@echo "  CPPCHECK"
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
		--suppressions-list=.cppcheck-suppressions -D_GNU_SOURCE -DFIU_ENABLE=1 -I. -Iharness $(SOURCES)
	@echo "  FORMAT"
	$(Q)clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')

.SECONDARY:
$(BUILD)/%.tidy: %.c $(BUILD)/%.o .clang-tidy tests/.clang-tidy
	@echo "  TIDY    $<"
	$(Q)clang-tidy --quiet $< -- $(CSTD) $(CPPFLAGS) 2>/dev/null
	@touch $@

format: ## clang-format over everything
	clang-format -i $$(git ls-files '*.c' '*.h')

# DESTDIR is put in front of everything; hanglab finds its parts beside itself, wherever that is.
PREFIX  ?= /usr/local
VERSION := $(shell sed -n 's/.*HANGLAB_VERSION "\(.*\)"/\1/p' harness/base/version.h)
to       = $(DESTDIR)$(PREFIX)
install: all ## install under DESTDIR and PREFIX=/usr/local
	install -D -m 755 $(PROGRAM) $(to)/bin/hanglab
	install -D -m 755 $(BUILD)/guest $(to)/libexec/hanglab/guest
	install -D -m 644 $(BUILD)/clockwatch $(to)/libexec/hanglab/clockwatch
	install -D -m 644 -t $(to)/share/hanglab harness/report/page.html
	install -D -m 644 -t $(to)/share/hanglab/config vm-images/config/*.config
	install -D -m 644 -t $(to)/share/hanglab/patches vm-images/patches/*.patch
	install -D -m 644 -t $(to)/share/hanglab/skeletons harness/skeletons/*.in
	find scenarios -type f -exec install -D -m 644 {} $(to)/share/hanglab/{} \;
	install -D -m 644 -t $(to)/share/doc/hanglab README.md
	install -d $(to)/share/man/man1 $(to)/share/bash-completion/completions $(to)/share/zsh/vendor-completions
	./$(PROGRAM) manual | gzip -9n > $(to)/share/man/man1/hanglab.1.gz
	./$(PROGRAM) completion bash > $(to)/share/bash-completion/completions/hanglab
	./$(PROGRAM) completion zsh > $(to)/share/zsh/vendor-completions/_hanglab

deb: all ## build a Debian package
	rm -rf $(BUILD)/package
	$(MAKE) --no-print-directory install DESTDIR=$(BUILD)/package PREFIX=/usr
	strip --strip-unneeded $(BUILD)/package/usr/bin/hanglab $(BUILD)/package/usr/libexec/hanglab/guest \
		$(BUILD)/package/usr/libexec/hanglab/clockwatch
	harness/setup/build-package $(VERSION) $(BUILD)/package $(BUILD)/hanglab_$(VERSION).deb

clean: ## remove what was built
	rm -rf $(BUILD) hanglab

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' Makefile
