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

module: module-farm
	@test -n "$(KVER)" || { ./scripts/kver; exit 1; }
	+$(Q)$(kbuild) $(if $(C),C=$(C) CF=$(CF)) --no-print-directory modules

# Links to sources that came; links to sources that went are dropped.
module-farm:
ifneq ($(hv-ko-dir),$(CURDIR))
	$(Q)mkdir -p $(hv-ko-dir)
	$(Q)find $(hv-ko-dir) -xtype l -delete
	$(Q)find $(wildcard $(hv-ko-sources)) -type f \( -name '*.[chS]' -o -name '*.mk' \
		-o -name Kbuild \) ! -name '*.mod.c' ! -name 'asm-offsets.h' | while read -r f; do \
		t=$(hv-ko-dir)/$$f; \
		[ -L "$$t" ] || { mkdir -p "$${t%/*}"; ln -s "$(CURDIR)/$$f" "$$t"; }; \
	done
endif

# C=2 looks at every file again, compiled or not; sparse has no exit status
# of its own for warnings.
sparse: module-farm
	$(Q)mkdir -p build
	+$(Q)$(kbuild) C=2 --no-print-directory modules >build/sparse.log 2>&1 || \
		{ cat build/sparse.log; exit 1; }
	$(Q)if grep -E '(warning|error):' build/sparse.log; then exit 1; fi

module-clean:
	$(Q)for d in $(hv-folders); do \
		if [ -d $$d ]; then \
			rm -f $$d/*.o $$d/*.o.d $$d/.*.cmd $$d/*.s $$d/asm-offsets.h; \
		fi; \
	done
	$(Q)rm -f hv.ko hv.o hv.mod hv.mod.c hv.mod.o .hv.*.cmd .*.cmd modules.order Module.symvers

.PHONY: module module-farm sparse module-clean
