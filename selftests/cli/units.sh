#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The units of systemd: systemd itself finds nothing wrong with them, and what they
# execute works as it stands there, but for the program's path.
. selftests/cli/ok.sh
tool=$PWD/build/cli/hvctl
dir=$(mktemp -d)
export HV_RUNTIME_DIR=$dir/run HV_CONFIG_DIR=$dir/cfg XDG_RUNTIME_DIR=
trap 'for n in $("$tool" list -q); do "$tool" kill -f "$n" 2>/dev/null; done; rm -rf "$dir"' EXIT
for u in hv-autostart.service hv-vm@.service; do
	sed "s,/usr/bin/hvctl,$tool," "debian/$u" >"$dir/$u"
done
cp "$dir/hv-vm@.service" "$dir/hv-vm@web.service"
cd "$dir" || exit 1
echo kernel >k

for scope in --system --user; do
	export XDG_RUNTIME_DIR=$dir
	ok 0 "verify $scope" "" systemd-analyze verify --man=no $scope "$dir/hv-autostart.service" "$dir/hv-vm@web.service"
	# What it does not like it only prints.
	ok 1 "nothing to say $scope" "^0$" bash -c \
		"systemd-analyze verify --man=no $scope $dir/hv-autostart.service $dir/hv-vm@web.service 2>&1 | grep -c '$dir/hv-'"
done
export XDG_RUNTIME_DIR=
sed 's,^ExecStart=.*,ExecStart=/nonexistent,' hv-autostart.service >bad.service
ok 1 "verify finds what is wrong" "nonexistent" systemd-analyze verify --man=no "$dir/bad.service"

# command KEY UNIT [INSTANCE]: what the unit executes.
command() { sed -n "s/^$1=//p" "$2" | sed "s/%i/$3/"; }

"$tool" create web -k k -m 16M -a fake.prompt -q --autostart on
"$tool" create db -k k -m 16M -a fake.prompt -q --autostart on --order 1
ok 0 "ExecStart of hv-autostart" "^db$" $(command ExecStart hv-autostart.service)
ok 0 "both run" "^web +running" "$tool" list
ok 0 "ExecStop of hv-autostart" "^web$" $(command ExecStop hv-autostart.service)
ok 0 "none runs" "^db +stopped" "$tool" list --all
ok 0 "ExecStart of hv-vm@web" "^web$" $(command ExecStart hv-vm@.service web)
pid=$(cat run/web.lock)
ok 0 "PIDFile of hv-vm@web" "hvctl start web" bash -c "tr '\0' ' ' </proc/$pid/cmdline"
ok 0 "ExecStop of hv-vm@web" "" $(command ExecStop hv-vm@.service web)
ok 3 "it is gone" "" bash -c "[ -e run/web.lock ] || exit 3"
exit $failed
