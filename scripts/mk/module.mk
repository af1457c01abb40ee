# SPDX-License-Identifier: GPL-2.0-or-later
#
# hv.ko. The default kernel's is built in the tree, as for any out-of-tree
# module; another kernel's (KVER=release) in build/ko/<release>, a farm of
# symbolic links, so that the two never mix objects. KDIR names a kernel
# build folder that is not at /lib/modules.

KVER_DEFAULT := $(shell ./scripts/kver 2>/dev/null)
KVER ?= $(KVER_DEFAULT)
KDIR ?= /lib/modules/$(KVER)/build

ifeq ($(KVER),$(KVER_DEFAULT))
hv-ko-dir := $(CURDIR)
hv-ko := hv.ko
else
hv-ko-dir := $(CURDIR)/build/ko/$(KVER)
hv-ko := build/ko/$(KVER)/hv.ko
endif

hv-ko-sources := Kbuild scripts/mk/folders.mk kmod virt arch vmbus include
kbuild = $(MAKE) -C $(KDIR) M=$(hv-ko-dir) $(if $(V),V=$(V)) $(if $(W),W=$(W))

# Links to sources that came; links to sources that went are dropped.
# $(1): the farm's folder
define farm
mkdir -p $(1) && find $(1) -xtype l -delete && find $(wildcard $(hv-ko-sources)) -type f \( -name '*.[chS]' -o -name '*.mk' \
		-o -name Kbuild \) ! -name '*.mod.c' ! -name 'asm-offsets.h' | while read -r f; do \
		t=$(1)/$$f; \
		[ -L "$$t" ] || { mkdir -p "$${t%/*}"; ln -s "$(CURDIR)/$$f" "$$t"; }; \
	done
endef

module:
	@test -n "$(KVER)" || { ./scripts/kver; exit 1; }
	$(if $(filter-out $(CURDIR),$(hv-ko-dir)),$(Q)$(call farm,$(hv-ko-dir)))
	+$(Q)$(kbuild) $(if $(C),C=$(C) CF=$(CF)) --no-print-directory modules

# In a farm of its own, so that hv.ko is not built again with other flags. A
# warning is an error: what was clean is not looked at again.
sparse:
	$(Q)$(call farm,$(CURDIR)/build/ko/sparse)
	+$(Q)$(MAKE) -C $(KDIR) M=$(CURDIR)/build/ko/sparse W=1 C=1 CF=-Wsparse-error \
		KCFLAGS=-Werror --no-print-directory modules

module-clean:
	$(Q)for d in $(hv-folders); do \
		if [ -d $$d ]; then \
			rm -f $$d/*.o $$d/*.o.d $$d/.*.cmd $$d/*.s $$d/asm-offsets.h; \
		fi; \
	done
	$(Q)rm -f hv.ko hv.o hv.mod hv.mod.c hv.mod.o .hv.*.cmd .*.cmd modules.order Module.symvers

.PHONY: module sparse module-clean
