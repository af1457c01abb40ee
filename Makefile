# SPDX-License-Identifier: GPL-2.0-or-later
#
#	make			hv.ko and the programs in build/bin
#	make module		hv.ko alone; KVER=release chooses the kernel
#	make user		the programs alone
#	make tests		unit and API tests and guest images
#	make unit		build and run the unit tests (sanitized)
#	make fuzz		the fuzzers, in build/fuzz (needs clang)
#	make sparse		sparse over the module, any message is an error
#	make check		scripts/check
#	make install		module, programs, man page, completion, udev rule, units (DESTDIR, PREFIX)
#	make clean
#
# W=1 and C=1 reach the kernel's build system; V=1 shows commands.
# Safe with -j; every list is in the objs.mk of its folder.

all: module user

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

include scripts/mk/folders.mk
include scripts/mk/module.mk
include scripts/mk/user.mk
include scripts/mk/tests.mk

PREFIX ?= /usr/local

check: all tests
	./scripts/check

install: all
	install -d $(DESTDIR)/lib/modules/$(KVER)/updates $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)/lib/udev/rules.d
	install -m 644 $(hv-ko) $(DESTDIR)/lib/modules/$(KVER)/updates/hv.ko
	$(if $(programs),install -m 755 $(filter-out build/bin/hv-boot,$(programs)) $(DESTDIR)$(PREFIX)/bin)
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d $(DESTDIR)/usr/lib/tmpfiles.d
	build/bin/hvctl man >$(DESTDIR)$(PREFIX)/share/man/man1/hvctl.1
	build/bin/hvctl completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/hvctl
	build/bin/hvctl completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_hvctl
	build/bin/hvctl completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/hvctl.fish
	[ ! -e build/boot-image/initrd ] || install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/hv/boot-image \
		build/boot-image/vmlinuz build/boot-image/initrd
	install -m 644 debian/hv.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/hv.conf
	install -m 644 debian/hv.udev $(DESTDIR)/lib/udev/rules.d/60-hv.rules
	for d in system user; do \
		install -d $(DESTDIR)/usr/lib/systemd/$$d && for u in hv-autostart.service hv-vm@.service; do \
			sed 's,/usr/bin/hvctl,$(PREFIX)/bin/hvctl,' debian/$$u >$(DESTDIR)/usr/lib/systemd/$$d/$$u && \
			chmod 644 $(DESTDIR)/usr/lib/systemd/$$d/$$u || exit 1; \
		done; \
	done
	$(if $(DESTDIR),,depmod $(KVER))

clean: module-clean
	$(Q)rm -rf build

.PHONY: all check install clean
.DELETE_ON_ERROR:
