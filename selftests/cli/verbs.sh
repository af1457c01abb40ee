#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every verb of hvctl on VMs without a CPU (selftests/cli/fake_vm.c): results,
# exit codes, JSON, wrong states, and what is left when a VM is killed.
. selftests/cli/ok.sh
tool=$PWD/build/cli/hvctl
docs=$PWD/Documentation/hvctl.rst
dir=$(mktemp -d)
export HV_RUNTIME_DIR=$dir/run HV_CONFIG_DIR=$dir/cfg XDG_RUNTIME_DIR=
unset NO_COLOR
trap 'for n in $("$tool" list -q); do "$tool" kill -f "$n" 2>/dev/null; done; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
echo kernel >k

hv() { timeout 20 "$tool" "$@"; }

# json CODE WHAT EXPRESSION COMMAND...: one JSON document d on stdout for which it holds.
json()
{
	local want=$1 what=$2 expr=$3 code
	shift 3
	"$@" >out.json 2>err.txt </dev/null
	code=$?
	if [ $code != "$want" ] || ! python3 -c "
import json, sys
d = json.load(open('out.json'))
assert d['schema_version'] == 1
sys.exit(0 if ($expr) else 1)"; then
		echo "not ok - $what: exit code $code, wanted $want; not so: $expr"
		cat out.json err.txt
		failed=1
	else
		echo "ok - $what"
	fi
}

# --- usage
ok 2 "no command" "^Commands:" hv
ok 0 "help" "^  run " hv --help
ok 0 "help of a verb" "^Usage: hvctl stop" hv help stop
ok 0 "--help after a verb" "^Usage: hvctl stop" hv stop --help
ok 0 "exit codes" "^  9 +It took too long" hv help exit-codes
ok 2 "unknown verb" "did you mean 'hvctl list'" hv lisst
ok 2 "unknown option" "did you mean '--memory'" hv run --memroy 1G
ok 2 "unknown key" "did you mean 'backing'" hv run -k k -m 1G,baking=thp
ok 0 "help in a key list" "^  host-node=NODE" hv run -m help
ok 0 "help as a key" "^  off=NAMES" hv start -c 2,help
ok 2 "bad size" "512M or 4G" hv run -k k -m lots
ok 2 "bad word" "one of auto, memfd" hv run -k k -m 1G,backing=gold
ok 2 "missing value" "needs a value" hv run -k
ok 2 "missing VM" "needs the name of a VM" hv pause
ok 2 "word too many" "one word too many" hv show a b
ok 2 "no kernel" "or a kernel: --kernel" hv run
ok 2 "bad name" "cannot be the name" hv start -k k -n ../x
ok 2 "bad escape" "not a character" hv run -k k -e abc
ok 7 "size without unit" "did you mean 512M" hv run -k k -m 512
ok 7 "too many CPUs" "too large" hv run -k k -c 100000
ok 7 "missing kernel" "cannot read the kernel nope: No such file" hv run -k nope
json 2 "usage error as JSON" "d['error']['code'] == 2 and d['error']['name'] == 'usage'" hv --json run --bad
ok 0 "dry run" ">1048576</memory>" hv run -k k -m 1G --dry-run
ok 0 "dry run: kernel is absolute" "<kernel>/.*/k</kernel>" hv run -k k --dry-run
ok 0 "append joins" "<cmdline>a=1 b</cmdline>" hv run -k k --dry-run -a a=1 --append=b
ok 0 "NUMA nodes add up" ">3145728</memory>" hv run -k k --numa memory=1G,cpus=0 --numa memory=2G,cpus=1 -c 2 --dry-run

# --- disks that boot themselves
truncate -s 1M sys.img
mkdir image
touch image/vmlinuz image/initrd
printf '#cloud-config\n' >user
printf 'hostname: web\n' >plain
export HV_BOOT_IMAGE=$dir/image
config() { python3 -c "import json,sys; print(json.load(sys.stdin)['config'])" < <(hv run --json --dry-run "$@"); }
ok 0 "a word is a disk" "source file='.*/sys.img'" hv run sys.img --dry-run
ok 0 "in front of --disk" "^disk0=0,0,0,.*/sys.img" config sys.img -d k
ok 0 "the boot image" "^kernel=.*/image/vmlinuz" config sys.img
ok 0 "its command line" "^append=console=ttyS0 quiet hvboot.disks=2 hvboot.menu -- a=1 b$" \
	config sys.img --boot-menu -a a=1 -a b --disk k
ok 0 "start takes it, too" "file='.*/sys.img'" hv start -d sys.img --boot-menu --dry-run
ok 2 "no menu with a kernel" "leave --kernel away" hv run sys.img -k k --boot-menu
ok 2 "an initrd alone" "something to boot" hv run sys.img -i k
ok 0 "a seed is a DVD" "^disk1=0,1,2,/proc/self/fd/" config sys.img --cloud-init user,plain
ok 0 "a seed as XML" "cloud-init='$dir/user,$dir/plain'" hv run sys.img --cloud-init user,plain --dry-run
ok 7 "user-data of no format" "names no format" hv run sys.img --cloud-init plain
ok 7 "no user-data" "cannot read nope: No such file" hv run sys.img --cloud-init nope
ok 7 "no meta-data" "cannot read nope: No such file" hv run sys.img --cloud-init user,nope
rm image/initrd
ok 8 "no boot image" "make it with scripts/boot-image" hv run sys.img
unset HV_BOOT_IMAGE

# --- nothing there
ok 0 "empty list" "^NAME" hv list
json 0 "empty list as JSON" "d['vms'] == []" hv list --json
for verb in show stats logs pause resume reset stop kill wait console; do
	ok 3 "$verb of no VM" "no (VM|log).*'none'|named 'none'" hv $verb none
done

# --- start and look
ok 0 "start" "^a$" hv start -k k -n a -m 64M -c 2
ok 0 "start with a made name" "^vm1$" hv start -k k -a fake.print=3
ok 6 "name taken" "there already" hv start -k k -n a
ok 0 "list" "^a +running +2 +64M" hv list
ok 0 "bare names" "^vm1$" hv list -q
json 0 "list as JSON" "[(v['name'], v['state']) for v in d['vms']] == [('a', 'running'), ('vm1', 'running')]" hv list --json
json 0 "show" "d['memory'] == 64 << 20 and d['cpus'] == 2 and d['kernel'].endswith('/k')" hv show a --json
json 0 "channels in show" "[(c['kind'], c['sub_channel'], c['stats']['packets']) for c in d['channels']] == [('scsi', 1, 77)]" hv show a --json
ok 0 "channels in show, as text" "^scsi +1 +open +3 +77 +5 +-" hv show a
json 0 "stats" "d['stats']['vcpu0.exits.hlt'] == 1007" hv stats a --json
ok 0 "console ring" "^line 2 of the guest" hv logs --console vm1
ok 2 "console ring and follow" "do not go together" hv logs --console --follow vm1

# --- states
json 0 "pause" "d['vms'][0]['state'] == 'paused'" hv pause a --json
ok 0 "pause again" "" hv pause a
ok 4 "reset while paused" "it is paused" hv reset a
json 4 "wrong state as JSON" "d['error']['name'] == 'wrong-state'" hv reset a --json
ok 4 "stop while paused" "it is paused" hv stop a
ok 0 "resume both" "" hv resume a vm1
ok 3 "two VMs, one missing" "named 'none'" hv pause none a
ok 0 "the other was paused" "^state +paused" hv show a
hv resume a
ok 0 "reset" "" hv reset a

# --- ends
ok 0 "stop" "" hv stop a
ok 3 "gone after stop" "has ended" hv show a
ok 0 "its log stays" "ended: power-off" hv logs a
hv start -k k -n soon -a fake.prompt >/dev/null
ok 0 "stop of a guest that goes at once" "" hv stop soon
ok 0 "start deaf" "^deaf$" hv start -k k -n deaf -a fake.deaf
ok 9 "stop in vain" "did not power off" hv stop deaf --timeout 0.3
ok 0 "no-wait" "" hv stop deaf --no-wait
ok 9 "wait in vain" "has not ended" hv wait deaf --timeout 100ms
ok 0 "kill two" "" hv kill deaf vm1
ok 0 "both gone" "^NAME" hv list
[ -z "$(hv list -q)" ] || { echo "not ok - list is not empty"; failed=1; }
hv start -k k -n w >/dev/null
(sleep 0.3; exec timeout 20 "$tool" kill w) &
json 0 "wait tells the cause" "d['end']['cause'] == 'killed'" hv wait w --json
wait

# --- a VM process that dies or hangs
hv start -k k -n dead >/dev/null
hv start -k k -n hung >/dev/null
pid=$(hv show dead --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')
hpid=$(hv show hung --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')
(sleep 0.3; kill -9 "$pid") &
ok 1 "wait sees the death" "died without telling" hv wait dead
wait
kill -STOP "$hpid"
ok 0 "a hung VM does not hang list" "^hung +unresponsive" timeout 4 "$tool" list
[ -z "$(hv list -q | grep dead)" ] && [ ! -e run/dead.sock ] && [ ! -e run/dead.lock ] ||
	{ echo "not ok - a dead VM leaves something"; ls run; failed=1; }
ok 9 "kill of a hung VM" "kill --force" hv kill hung
ok 0 "kill --force" "" hv kill --force hung
ok 0 "its name is free" "^hung$" hv start -k k -n hung
hv kill hung

# --- start that fails, run
ok 7 "invalid at start" "fake failure" hv start -k k -n f -a fake.fail=config
ok 5 "feature at start" "fake failure" hv start -k k -n f -a fake.fail=feature
json 8 "host at start" "d['error']['code'] == 8 and d['error']['next']" hv start --json -k k -a fake.fail=host
[ -z "$(ls run | grep -E '^f\.|sock|lock')" ] || { echo "not ok - a failed start leaves files"; ls run; failed=1; }
ok 2 "start on stdio" "no terminal" hv start -k k --serial stdio
ok 0 "run to power-off" "line 0 of the guest" hv run -k k -a fake.print=1 -a fake.end=poweroff
ok 11 "exit with guest" "" hv run -k k --exit-with-guest -a fake.end=debug
ok 0 "debug exit without it" "" hv run -k k -a fake.end=debug
ok 1 "crash" "vcpu 0 cannot go on" hv run -k k -a fake.end=crash
ok 10 "run killed by a signal" "killed by a signal" timeout --preserve-status -s TERM 0.5 "$tool" run -k k
(sleep 0.5; timeout 20 "$tool" kill vm1) &
ok 10 "run killed by hvctl" "killed by hvctl kill" hv run -k k
wait

# --- run directories
unset HV_RUNTIME_DIR
export XDG_RUNTIME_DIR=$dir/xdg
mkdir -m 700 xdg
ok 0 "XDG_RUNTIME_DIR" "^x$" hv start -k k -n x
[ -S xdg/hv/x.sock ] && [ "$(stat -c %a xdg/hv xdg/hv/x.sock | tr '\n' ' ')" = "700 600 " ] ||
	{ echo "not ok - modes in the run directory"; ls -la xdg/hv; failed=1; }
hv kill x
mkdir -m 777 open
ok 8 "a directory others can write" "cannot use the run directory" env HV_RUNTIME_DIR="$dir/open" "$tool" start -k k
export HV_RUNTIME_DIR=$dir/run

# --- disk images
ok 0 "disk create" "^$" hv disk create d.img --size 3G
ok 0 "disk info" "^format +vhd-dynamic" hv disk info d.img
json 0 "disk info as JSON" "d['size'] == 3 << 30 and d['allocated'] == 0 and d['blocks'] == 1536" hv --json disk info d.img
ok 0 "disk check" "no errors" hv disk check d.img
json 0 "disk create as JSON" "d['format'] == 'vhd-fixed'" hv disk create f.img -s 1M --format fixed --json
ok 0 "disk info of a raw one" "^format +raw" sh -c '"$0" disk create r.img -s 1M --format raw && "$0" disk info r.img' "$tool"
ok 1 "disk create over a file" "d.img: cannot be created: File exists" hv disk create d.img --size 1G
ok 2 "disk create without a size" "give --size" hv disk create e.img
ok 2 "disk create in a format that is none" "not one of" hv disk create e.img -s 1M --format qcow2
ok 7 "disk create beyond 2040 GiB" "are more than" hv disk create e.img -s 2041G
ok 7 "disk create with odd blocks" "no power of two" hv disk create e.img -s 1G --block-size 3M
[ -e e.img ] && { echo "not ok - a failed disk create leaves a file"; failed=1; }
ok 2 "disk with an unknown word" "unknown operation" hv disk shrink d.img
ok 2 "disk without a file" "needs create" hv disk info
truncate -s -512 d.img
ok 7 "disk check of a damaged one" "footer at the end is damaged" hv disk check d.img
printf 'QFI\373\0\0\0\3' >q.vhd
truncate -s 1M q.vhd
ok 5 "disk info of a qcow2" "qemu-img convert .* -f qcow2 .*'q.vhd'" hv disk info q.vhd

# --- disks of a running VM
hv disk create g.img --size 8M
hv start -k k -n da >/dev/null
ok 0 "disk attach" "^scsi0:0$" hv disk attach da g.img
json 0 "disk attach as JSON" "d['unit'] == 5 and d['controller'] == 0" hv disk attach da r.img,readonly,bus=scsi:5 --json
json 0 "show tells the disks" "[(x['unit'], x['type'], x['readonly']) for x in d['disks']] == [(0, 'disk', False), (5, 'disk', True), (9, 'dvd', False)] and d['disks'][0]['path'].endswith('/g.img')" hv show da --json
ok 0 "show as text" "^scsi0:5 +disk, 1M, /.*/r.img, read-only" hv show da
ok 6 "an image that is in use" "in use by .*\(hvctl|pid|process|da" hv disk attach da g.img
ok 6 "a place that is taken" "in use" hv disk attach da f.img,bus=scsi0:0
ok 0 "readers share" "" hv disk attach da r.img,readonly
ok 5 "attach a qcow2" "qemu-img convert" hv disk attach da q.vhd
ok 7 "attach a damaged one" "footer" hv disk attach da d.img
ok 1 "attach what is not there" "No such file" hv disk attach da none.img
ok 2 "attach without a file" "takes VM FILE" hv disk attach da
ok 2 "attach with an engine" "leave aio away" hv disk attach da f.img,aio=threads
ok 2 "attach at no place" "not a place" hv disk attach da f.img,bus=ide
ok 2 "attach with an unknown key" "did you mean 'readonly'" hv disk attach da f.img,readonli
ok 3 "attach to no VM" "named 'none'" hv disk attach none f.img
ok 0 "disk detach" "^$" hv disk detach da scsi0:0
ok 0 "its lock is gone" "no errors" hv disk check g.img
ok 7 "detach nothing" "nothing at scsi0:0" hv disk detach da scsi0:0
ok 2 "detach without a unit" "names no unit" hv disk detach da scsi0
ok 6 "insert into a locked drive" "use --force" hv disk insert da f.img
ok 0 "insert by force" "" hv disk insert da f.img --force
ok 0 "eject by force" "" hv disk eject -f da
ok 2 "detach by force" "eject and insert only" hv disk detach da scsi0:5 --force

# --- network adapters
ok 7 "the cable of no adapter" "no network adapter 0" hv link da down
ok 2 "a cable that is neither up nor down" "neither up nor down" hv link da out
ok 2 "an adapter that is no number" "no number of an adapter" hv link da down eth0
ok 3 "the cable of no VM" "named 'none'" hv link none up

# --- key-value pairs
ok 4 "pairs of a guest without the service" "hyperv-daemons" hv kvp da
ok 3 "pairs of no VM" "named 'none'" hv kvp none
ok 2 "pairs and a wrong word" "kvp VM set NAME VALUE" hv kvp da sett a b
ok 2 "set without a value" "kvp VM set NAME VALUE" hv kvp da set a
json 0 "nothing known of the guest" "d['guest'] is None" hv show da --json
hv kill da
hv start -k f.img -n kv -a fake.kvp >/dev/null
json 0 "what the guest told" "d['guest']['os'] == 'Fake \"Linux\"' and d['guest']['hostname'] == 'web.example.org'
	and d['guest']['addresses'] == ['10.0.2.15', 'fe80::1'] and 'os_major' not in d['guest']
	and d['guest']['adapters'][0]['addresses'] == ['10.0.2.15'] and d['guest']['adapters'][0]['dhcp']" hv show kv --json
ok 0 "the same as text" "^guest +Fake \"Linux\"$" hv show kv
ok 0 "its name" "^hostname +web.example.org$" hv show kv
ok 0 "its addresses" "^address +10.0.2.15$" hv show kv
ok 0 "its pairs" "^auto +OSName +Fake" hv kvp kv
json 0 "its pairs as JSON" "d['kvp'] == 'ok' and len(d['pools']['auto']['pairs']) == 4 and not d['pools']['auto']['cut']
	and d['pools']['external']['pairs'] == [] and 'changes' not in d" hv kvp kv --json
json 0 "kvp set" "d['state'] == 'running' and 'pools' not in d" hv kvp kv set role 'the front end' --json
ok 0 "it is listed" "^external +role +the front end$" hv kvp kv
ok 0 "kvp delete" "^$" hv kvp kv delete role
ok 1 "deleting what is not there" "refused that" hv kvp kv delete role
ok 7 "a name that no guest keeps" "1 to 254" hv kvp kv set "$(printf 'n%.0s' {1..200})" x
ok 1 "a value that no request holds" "too long" hv kvp kv set n "$(printf 'n%.0s' {1..5000})"
ok 2 "a name that is not UTF-8" "in UTF-8" hv kvp kv set "$(printf '\377')" x
hv kill kv
hv start -k f.img -n mute -a fake.kvp,fake.mute >/dev/null
ok 9 "a guest that does not answer" "hvctl show mute has what it told" hv kvp mute
ok 9 "nor to a change" "does not answer" hv kvp mute set a b
ok 0 "and show says so" "does not answer now" hv show mute
hv kill mute
ok 2 "a forward that is none" "is not tcp:" hv run -k f.img --net user,hostfwd=22
ok 2 "a key of another place" "does not go with user" hv run -k f.img --net user,ifname=tap0
ok 2 "and the other way round" "does not go with tap" hv run -k f.img --net tap,hostfwd=tcp::1-:2
ok 2 "an address that is none" "is not an address" hv run -k f.img --net user,mac=02-00-00-00-00-01
ok 7 "a group's address" "no adapter's address" hv run -k f.img --net user,mac=01:00:00:00:00:01
ok 7 "an MTU that is too small" "is not 576 to 9216" hv run -k f.img --net user,mtu=100
ok 2 "a name that is none" "no name of an interface" hv run -k f.img --net tap,ifname=a/b

# --- save and restore
hv start -k k -n sa >/dev/null
ok 2 "save without a file" "needs VM FILE" hv save sa
ok 3 "save of no VM" "named 'none'" hv save none s.hv
ok 1 "save where no directory is" "cannot make" hv save sa none/s.hv
ok 6 "save over a file" "is there already" hv save sa k
ok 7 "save over a file of another kind" "is not replaced" hv save sa k --force
head -c 100000 /dev/zero >zeros.img
ok 7 "save over a disk that begins with zeros" "is not replaced" hv save sa zeros.img --force
json 0 "save" "d['name'] == 'sa' and d['bytes'] > 4096" hv save sa s.hv --json
ok 3 "a saved VM has ended" "has ended" hv show sa
ok 0 "its log says so" "saved" hv logs sa
ok 0 "inspect" "^name: +sa" hv save inspect s.hv
json 0 "inspect as JSON" "d['name'] == 'sa' and d['saved'] == '2001-09-09T01:46:40Z' and d['memory'] == 16384 and
	d['memory_used'] == 4096 and d['disks'] == []" hv save inspect s.hv --json
ok 7 "inspect another file" "not a saved VM" hv save inspect k
ok 7 "inspect no file" "No such file" hv save inspect none
head -c 5000 s.hv >short.hv
ok 7 "restore a short one" "truncated: it has 5000 bytes of" hv restore short.hv
json 7 "the same as JSON" "d['error']['name'] == 'invalid'" hv --json restore short.hv
(head -c 200 s.hv; printf x; tail -c +202 s.hv) >same.hv
ok 0 "restore" "^sa$" hv restore s.hv
ok 6 "restore of a name that is taken" "" hv restore same.hv
ok 0 "by another name" "^sb$" hv restore same.hv --name sb
ok 0 "save again" "" hv save sa s.hv --force
hv kill sb
hv start -k k -n sf -a fake.full >/dev/null
ok 1 "a full disk" "was not saved and goes on: cannot write: No space" hv save sf f.hv
ok 0 "the VM runs" "running" hv show sf
[ -z "$(ls | grep f.hv)" ] || { echo "not ok - a failed save left $(ls | grep f.hv)"; failed=1; }
hv kill sf
hv start -k k -n sl -a fake.slow >/dev/null
timeout -s INT 1 "$tool" save sl l.hv >/dev/null 2>err.txt
grep -q "cancelled; VM 'sl' was not saved" err.txt || { echo "not ok - a save is cancelled"; cat err.txt; failed=1; }
ok 0 "a VM whose save was cancelled runs" "running" hv show sl
[ -z "$(ls | grep l.hv)" ] || { echo "not ok - a cancelled save left $(ls | grep l.hv)"; failed=1; }
hv kill sl

# --- managedsave
ok 3 "managedsave without a definition" "is not defined: start would not" hv managedsave none
hv create ms -k k -m 16M >/dev/null
ok 7 "nothing to remove" "has no saved state" hv managedsave ms --remove
ok 4 "managedsave of one that does not run" "" hv managedsave ms
hv start ms >/dev/null
json 0 "managedsave" "d['name'] == 'ms' and d['file'].endswith('/cfg/vms/ms.hvstate')" hv managedsave ms --json
ok 2 "start with an option" "goes on as it was: no --memory" hv start ms -m 32M
ok 0 "a dry run is none" "<memory" hv start ms -m 32M --dry-run
ok 4 "undefine of a saved VM" "is saved, and would be lost" hv undefine ms
chmod 777 cfg/vms
ok 8 "a state that a stranger may have put there" "others may write" hv start ms
chmod 700 cfg/vms
ok 0 "start" "^ms$" hv start ms
[ ! -e cfg/vms/ms.hvstate ] || { echo "not ok - its state stays"; failed=1; }
ok 0 "managedsave once more" "" hv managedsave ms --compress
printf x | dd of=cfg/vms/ms.hvstate bs=1 seek=41 conv=notrunc status=none
ok 7 "a damaged state" "managedsave ms --remove gives its state up" hv start ms
ok 0 "which is removed" "" hv managedsave ms --remove
ok 0 "then it boots" "^ms$" hv start ms
ok 0 "managedsave" "" hv managedsave ms
ok 0 "undefine --force" "^ms$" hv undefine ms --force
[ ! -e cfg/vms/ms.hvstate ] || { echo "not ok - undefine --force leaves a state"; failed=1; }

# --- the rest
ok 0 "version" "^hvctl [0-9]" hv version
ok 0 "version as an option" "^hvctl [0-9]" hv --version
json 0 "version as JSON" "'hvctl' in d" hv version --json
json 0 "doctor of a good machine" "all('probe' in f for f in d['findings'])" \
	env HV_SYSROOT="$dir" HV_CACHE="$dir" sh -c '"$0" doctor --json; true' "$tool"
ok 8 "doctor of a bad machine" "neither svm nor vmx" env HV_SYSROOT="$dir/none" "$tool" doctor
for shell in bash zsh fish; do
	ok 0 "completion $shell" "hvctl list --all -q" hv completion $shell
done
ok 2 "completion of another shell" "not one of bash" hv completion tcsh
bash -n <(hv completion bash) || { echo "not ok - bash completion does not parse"; failed=1; }
words=$(bash -c 'source <("$0" completion bash); COMP_WORDS=(hvctl start --mem); COMP_CWORD=2; _hvctl; echo "${COMPREPLY[*]}"' "$tool")
[ "$words" = --memory ] || { echo "not ok - bash completes --mem to '$words'"; failed=1; }
hv man >man.1
if command -v groff >/dev/null && groff -man -ww -Tutf8 -z man.1 2>&1 | grep .; then
	echo "not ok - the man page has warnings"
	failed=1
fi
for verb in $(hv --help | sed -n '/^Commands/,/^Options/s/^  \([a-z]*\) .*/\1/p'); do
	grep -qw "$verb" "$docs" || { echo "not ok - $verb is not in $docs"; failed=1; }
	grep -q "^.SS hvctl $verb$" man.1 || { echo "not ok - $verb is not in the man page"; failed=1; }
done
ok 1 "a full disk is an error" "cannot write" bash -c '"$0" list >/dev/full' "$tool"

exit $failed
