# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tests are found by their names:
#
#	selftests/unit/*_test.c		one sanitized program each, build/unit/<name>,
#					linked with all sanitized libraries
#	selftests/api/*_test.c		build/api/<name>, linked with selftests/lib alone,
#					so that a test does not share libhv's bug
#	selftests/guest/*.c, *.S	bare images, build/guest/<name>.elf
#	some of selftests/unit/*_test.c	also build/tsan/<name>: tsan-names
#	selftests/cli/fake_vm.c		build/cli/hvctl, the real one but for the machine
#	selftests/fuzz/*_fuzz.c		build/fuzz/<name>, clang with libFuzzer
#
# selftests/guest/lib/*.c and *.S (start-up code, console) are linked into
# every bare image with selftests/guest/guest.ld.

unit-names := $(patsubst selftests/unit/%.c,%,$(wildcard selftests/unit/*_test.c))
api-names := $(patsubst selftests/api/%.c,%,$(wildcard selftests/api/*_test.c))
guest-names := $(sort $(basename $(notdir $(wildcard selftests/guest/*.c selftests/guest/*.S))))
fuzz-names := $(patsubst selftests/fuzz/%.c,%,$(wildcard selftests/fuzz/*_fuzz.c))
unit-progs := $(unit-names:%=build/unit/%)
api-progs := $(api-names:%=build/api/%)
guest-images := $(guest-names:%=build/guest/%.elf)
fuzz-progs := $(fuzz-names:%=build/fuzz/%)

tests: tests-lab tests-vm tests-bench tests-unit tests-cli $(api-progs) $(guest-images)
tests-unit: $(unit-progs)

# --- unit
unit-help := $(patsubst %.c,build/san/obj/%.o,$(wildcard selftests/unit/lib/*.c))

build/unit/%: build/san/obj/selftests/unit/%.o $(unit-help) build/lib/libhvpure.a $(san-libs)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -pthread -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
		-Wl,--end-group -Wl,--as-needed $(call pkg-libs,$(all-pkgs)) -Wl,-Map=$@.map

unit: $(unit-progs)
	$(Q)bad=0; for t in $(unit-progs); do \
		echo "  TEST    $$t"; ./$$t || { echo "$$t: failed"; bad=1; }; done; exit $$bad

# --- races, once more under the thread sanitizer. It knows no fences (-Wtsan): those of the rings order
# flags between guest and host, and nothing that a race would be seen by.
build/tsan/obj/%.o: %.c
	$(say) CC-TSAN $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(user-std) $(user-def) $(user-inc) -O1 -g -fsanitize=thread -Wno-tsan \
		-MMD -MP -c -o $@ $<

# Disks, from the rings of a guest to the image.
tsan-names := vhd_race_test diskq_test storvsp_test
tsan-lib := $(patsubst %,build/tsan/obj/%.o,$(pure-objs) selftests/unit/lib/memfile \
	$(filter-out %/chr %/tty %/endpoint %/uart %/net_user %/net_tap, \
	$(foreach d,base libvhd backends devices,$(call folder-objs,userspace/$(d)))))
tsan-objs := $(tsan-lib) $(tsan-names:%=build/tsan/obj/selftests/unit/%.o)
$(tsan-names:%=build/tsan/%): build/tsan/%: build/tsan/obj/selftests/unit/%.o $(tsan-lib)
	$(say) LD $@
	$(Q)$(CC) -fsanitize=thread -pthread -o $@ $^ -Wl,--as-needed $(call pkg-libs,$(all-pkgs))

# --- API
api-help := $(patsubst %.c,build/obj/%.o,$(wildcard selftests/lib/*.c))

# The pure cores are linked, too: a device of a test reads rings as a real one does.
build/api/%: build/obj/selftests/api/%.o $(api-help) build/lib/libpure.a
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -pthread -o $@ $(filter %.o,$^) build/lib/libpure.a

# --- bench: static, nothing but the lab's CPU time counts
bench-objs := $(patsubst %.c,build/obj/%.o,$(wildcard selftests/bench/*.c))
build/bench/drive: $(bench-objs)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -static -pthread -o $@ $^

# What a whole VMM costs; a program of its own, it runs any command.
measure-objs := $(patsubst %.c,build/obj/%.o,$(wildcard selftests/bench/boot/*.c))
build/bench/measure: $(measure-objs)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -static -o $@ $^

# Runs in the guest: static.
build/bench/blkio: build/obj/selftests/bench/blk/blkio.o
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -static -o $@ $^

# Programs of stock guests under test.
build/vm/%: build/obj/selftests/vm/guest/%.o
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -static -o $@ $^

build/vm/%.so: selftests/vm/host/%.c
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(user-std) -shared -fPIC -o $@ $<

# What starts a disk's own kernel.
build/boot-image/initrd: build/bin/hv-boot scripts/boot-image scripts/hvlab/kernel.py
	$(say) MAKE $@
	$(Q)./scripts/boot-image

tests-vm: build/vm/flushed build/vm/bootmark build/vm/nosync.so build/boot-image/initrd

tests-bench: build/bench/drive build/bench/measure build/bench/blkio build/guest/bench.elf

# --- hvctl with a fake VM, sanitized
hvctl-san := $(patsubst %,build/san/obj/%.o,$(call folder-objs,userspace/hvctl))
build/cli/hvctl: build/san/obj/selftests/cli/fake_vm.o $(hvctl-san) $(san-libs) build/lib/libhvpure.a
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -pthread -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
		-Wl,--end-group -Wl,--as-needed $(call pkg-libs,$(all-pkgs))

tests-cli: build/cli/hvctl

# --- bare guests: freestanding 64-bit code in a 32-bit container, because
# multiboot loaders read 32-bit ELF.
guest-flags := -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only -mcmodel=small \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Iselftests/guest \
	-Iselftests/guest/lib
guest-help := $(patsubst %,build/obj/%.o,$(basename $(wildcard selftests/guest/lib/*.[cS])))
build/obj/selftests/guest/%.o: extra := $(guest-flags)

build/guest/%.elf: build/obj/selftests/guest/%.o $(guest-help) selftests/guest/guest.ld
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)ld -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
		-T selftests/guest/guest.ld -o $@.64 $(filter %.o,$^)
	$(Q)objcopy -I elf64-x86-64 -O elf32-i386 $@.64 $@

# --- fuzzers
FUZZ_CC ?= clang
fuzz-flags := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
build/fz/obj/%.o: %.c
	$(say) CC-FUZZ $<
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -std=gnu11 -Wall $(user-def) $(user-inc) -O1 -g $(pkg-cflags) -MMD -MP \
		$(fuzz-flags) -c -o $@ $<

fuzz-objs := $(pure-objs) $(foreach d,$(lib-folders),$(call folder-objs,$(d)))
$(eval $(call archive-rule,build/fz/libfuzzed.a,$(fuzz-objs:%=build/fz/obj/%.o)))

build/fuzz/%: build/fz/obj/selftests/fuzz/%.o build/fz/libfuzzed.a
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $(filter %.o,$^) \
		$(filter %.a,$^) -Wl,--as-needed $(call pkg-libs,$(all-pkgs))

fuzz: $(fuzz-progs)

# --- the lab's own programs: static, they run before anything is mounted.
# A folder selftests/lab/<name>/ or a file selftests/lab/<name>.c is one.
lab-dirs := $(patsubst selftests/lab/%/,%,$(dir $(wildcard selftests/lab/*/*.c)))
lab-names := $(sort $(lab-dirs) $(patsubst selftests/lab/%.c,%,$(wildcard selftests/lab/*.c)))
lab-objs = $(patsubst %.c,build/obj/%.o,$(wildcard selftests/lab/$(1).c selftests/lab/$(1)/*.c))
lab-progs := $(lab-names:%=build/lab/%)

define lab-rule
build/lab/$(1): $(call lab-objs,$(1))
	$$(say) LD $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) -static -o $$@ $$(filter %.o,$$^)
endef
$(foreach n,$(lab-names),$(eval $(call lab-rule,$(n))))

tests-lab: $(lab-progs)

-include $(patsubst %,build/san/obj/selftests/unit/%.d,$(unit-names))
-include build/san/obj/selftests/cli/fake_vm.d $(tsan-objs:.o=.d)
-include $(patsubst %,build/obj/selftests/api/%.d,$(api-names))
-include $(patsubst %,build/obj/selftests/guest/%.d,$(guest-names))
-include $(patsubst %,build/fz/obj/selftests/fuzz/%.d,$(fuzz-names)) $(fuzz-objs:%=build/fz/obj/%.d)
-include $(bench-objs:.o=.d) $(measure-objs:.o=.d)
-include $(api-help:.o=.d) $(unit-help:.o=.d) $(guest-help:.o=.d) $(patsubst %.o,%.d,$(foreach n,$(lab-names),$(call lab-objs,$(n))))

.SECONDARY:
.PHONY: tests tests-bench tests-cli tests-unit tests-lab unit fuzz
