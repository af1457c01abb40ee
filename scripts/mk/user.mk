# SPDX-License-Identifier: GPL-2.0-or-later
#
# User space. Each folder under userspace/ that has an objs.mk says:
#
#	userspace-devices := uart rtc			its objects (.c or .S)
#	userspace-devices-pkgs := liburcu-mb		pkg-config modules, optional
#
# and becomes build/lib/libhv-<folder>.a (libhv, libvhd, libstate keep their
# names), or, when it has
#
#	userspace-hvctl-prog := hvctl			a program in build/bin
#	userspace-hvctl-libs := libhv base		folders it links, in any order
#	userspace-hvctl-static := y			link it statically
#	userspace-hvctl-archives := jansson		pkg-config modules to take from their archives:
#							a shared library costs each start 0.2 M instructions
#
# a program. Everything is compiled twice: plain, and with ASan and UBSan in
# build/san for the unit tests.

CC := gcc
AR := ar
CFLAGS ?= -O2 -g
user-std := -std=gnu11 -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes \
	-Wpointer-arith -Wvla -Wshadow -Werror
user-inc := -I. -Iinclude -Iinclude/uapi -Iuserspace
user-def := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
san-flags := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
pure-flags := -Wconversion -Wno-sign-conversion -ffreestanding

comma := ,
folder-var = $(subst /,-,$(1))
lib-name = $(if $(filter lib%,$(notdir $(1))),$(notdir $(1)),libhv-$(notdir $(1)))

# --- pure cores: the module's lists, compiled for user space
$(foreach d,$(hv-pure-folders),$(eval -include $(d)/objs.mk))
pure-objs := $(foreach d,$(hv-pure-folders),$(addprefix $(d)/,$($(call folder-var,$(d)))))

# --- folders
user-folders := $(patsubst %/objs.mk,%,$(wildcard userspace/*/objs.mk userspace/*/*/objs.mk))
$(foreach d,$(user-folders),$(eval include $(d)/objs.mk))
folder-objs = $(addprefix $(1)/,$($(call folder-var,$(1))))
folder-is-prog = $($(call folder-var,$(1))-prog)
lib-folders := $(foreach d,$(user-folders),$(if $(call folder-is-prog,$(d)),,$(d)))
prog-folders := $(foreach d,$(user-folders),$(if $(call folder-is-prog,$(d)),$(d)))

user-objs := $(foreach d,$(user-folders),$(call folder-objs,$(d)))
user-libs := $(foreach d,$(lib-folders),build/lib/$(call lib-name,$(d)).a)
san-libs := $(foreach d,$(lib-folders),build/san/$(call lib-name,$(d)).a)
programs := $(foreach d,$(prog-folders),build/bin/$(call folder-is-prog,$(d)))

all-pkgs := $(sort $(foreach d,$(user-folders),$($(call folder-var,$(d))-pkgs)))
pkg-libs = $(if $(1),$(shell pkg-config --libs $(1)))
pkg-cflags := $(if $(all-pkgs),$(shell pkg-config --cflags $(all-pkgs)))

user: $(programs) $(user-libs)

compile = $(CC) $(user-std) $(user-def) $(user-inc) $(CFLAGS) $(pkg-cflags) -MMD -MP -c -o $@ $<

build/obj/%.o: %.c
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) $(extra)

build/obj/%.o: %.S
	$(say) AS $<
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) $(extra)

build/san/obj/%.o: %.c
	$(say) CC-SAN $<
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) $(san-flags) $(extra)

$(foreach f,$(pure-objs),build/obj/$(f).o build/san/obj/$(f).o): extra := $(pure-flags)

# $(1) archive, $(2) objects
define archive-rule
$(1): $(2)
	$$(say) AR $$@
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) crs $$@ $(2)
endef

$(eval $(call archive-rule,build/lib/libpure.a,$(pure-objs:%=build/obj/%.o)))
$(eval $(call archive-rule,build/lib/libhvpure.a,$(pure-objs:%=build/san/obj/%.o)))
$(foreach d,$(lib-folders),$(eval $(call archive-rule,build/lib/$(call lib-name,$(d)).a,\
	$(patsubst %,build/obj/%.o,$(call folder-objs,$(d))))))
$(foreach d,$(lib-folders),$(eval $(call archive-rule,build/san/$(call lib-name,$(d)).a,\
	$(patsubst %,build/san/obj/%.o,$(call folder-objs,$(d))))))

# A program's libraries are folders of userspace/, or "pure" for the cores.
prog-archives = $(foreach l,$($(1)-libs),$(if $(filter pure,$(l)),build/lib/libpure.a,\
	build/lib/$(call lib-name,$(l)).a))
archive-libs = $(if $(1),-Wl$(comma)-Bstatic $(shell pkg-config --libs --static $(1)) -Wl$(comma)-Bdynamic)
prog-pkgs = $(sort $($(1)-pkgs) $(foreach l,$($(1)-libs),$(userspace-$(subst /,-,$(l))-pkgs)))

define program-rule
build/bin/$(call folder-is-prog,$(1)): $(patsubst %,build/obj/%.o,$(call folder-objs,$(1))) \
		$(call prog-archives,$(2))
	$$(say) LD $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) $(if $($(2)-static),-static,-pie) -pthread -o $$@ \
		$$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
		$$(call archive-libs,$($(2)-archives)) \
		-Wl,--as-needed $$(call pkg-libs,$(filter-out $($(2)-archives),$(call prog-pkgs,$(2))))
endef
$(foreach d,$(prog-folders),$(eval $(call program-rule,$(d),$(call folder-var,$(d)))))

-include $(patsubst %,build/obj/%.d,$(user-objs) $(pure-objs))
-include $(patsubst %,build/san/obj/%.d,$(user-objs) $(pure-objs))

.PHONY: user
