# SPDX-License-Identifier: GPL-2.0-only
#
# What the headers of this kernel declare. Each line tests for a header, or one
# header for one name, so that a distribution's back-port counts for what it offers and not
# for the version it carries.

hv-has = $(if $(shell grep -sl '\<$(2)\>' $(srctree)/include/linux/$(1)),-D$(3))

hv-probes := $(call hv-has,mm.h,vm_flags_set,HV_HAVE_VM_FLAGS_SET)
hv-probes += $(call hv-has,mm.h,get_user_page_vma_remote,HV_HAVE_GUP_WITHOUT_VMAS)
hv-probes += $(call hv-has,mmzone.h,NR_SECONDARY_PAGETABLE,HV_HAVE_SECONDARY_PAGETABLE)
hv-probes += $(if $(wildcard $(srctree)/include/linux/entry-virt.h),-DHV_HAVE_ENTRY_VIRT)

# A macro for assembly: what the kernel wants between VMEXIT and the first RET.
hv-asm-probes := $(if $(shell grep -s 'UNTRAIN_RET_VM' $(srctree)/arch/x86/include/asm/nospec-branch.h),-DHV_HAVE_UNTRAIN_RET_VM)

ccflags-y += $(hv-probes) -include $(src)/kmod/compat/compat.h
