#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Definitions, on VMs without a CPU: every option of run, as its own help lists
them, goes to XML and back and gives the same VM; libvirt's own schema takes
the XML; and each verb does what it says, to the exit code.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

from lib import PATIENCE, TOOL, check, failed, folder, hv

SCHEMA = "/usr/share/libvirt/schemas/domain.rng"

# Options of run and a value or more of each; None: a flag. "{}" is the test's
# folder. An option without a row here is a failure.
SAMPLES = {
    "kernel": ["k2"], "initrd": ["i"], "append": ["a=1 'x' <b>", "c & d"],
    "memory": ["1G,backing=hugetlb", "size=1G,host-node=0", "backing=thp", "64M,backing=memfd"],
    "cpus": ["3", "2,model=x86-64-v3,off=avx2+x2apic", "1,model=host"],
    "numa": None, "disk": None,		# below: they need others
    "cdrom": ["bus=scsi", "iso", "iso,bus=scsi2:5"], "serial": ["pty", "none", "file,path=out", "socket,path=s"],
    "name": ["other.name-1"], "paused": [None], "no-reboot": [None], "test-devices": [None],
    "net": ["user", "user,hostfwd=tcp::2222-:22,hostfwd=udp::53-10.0.2.15:53,restrict,guard,mtu=1500,"
            "mac=02:15:5d:01:02:03", "user,guard=off", "tap", "tap,ifname=tap7,mtu=9000",
            "tap,ifname=tap7,bridge=br0", "tap,bridge=br0"],
    "cloud-init": ["user", "user,meta"], "boot-menu": None,	# below: there is no --kernel
    "sandbox": ["log", "off", "on"], "exit-with-guest": [None], "escape": ["^a", "none"],
}
# Whole lines.
LINES = [
    ["--numa", "memory=1G,cpus=0", "--numa", "memory=2G,cpus=1,host-node=0", "--cpus", "2"],
    ["--numa", "memory=1G,cpus=0-1", "--cpus", "2", "--memory", "backing=thp"],
    ["--disk", "d1", "--cdrom", "iso", "--disk", "d2,readonly,format=raw,aio=threads", "--disk",
     "d3,bus=scsi1", "--disk", "d4,bus=scsi1:9", "--cdrom", "iso,bus=scsi3:63"],
    ["--disk", "with,,comma", "--disk", "sp ace&'<\".img,readonly=off"],
    ["--append", "one", "--append", "two"],
    ["--net", "tap", "--net", "tap,bridge=br0", "--net", "tap,ifname=tap1,guard", "--net", "user"],
    ["--net", "user,guard", "--net", "user,hostfwd=tcp::2222-:22", "--net", "user"],
]
# And lines without a kernel.
BOOTED = [["--disk", "d1"], ["--disk", "d1", "--boot-menu", "--append", "quiet"]]
PASSING = {"dry-run", "json", "quiet", "help", "version"}


def doc(*words):
    return json.loads(hv(*words, "--json"))


def valid(text):
    r = subprocess.run(["xmllint", "--noout", "--relaxng", SCHEMA, "-"], input=text, capture_output=True, text=True)
    return not r.returncode, r.stderr


def options():
    """Names of run's options, from its help."""
    return set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)", hv("run", "--help"), re.M))


def same_vm(words, kernel=("--kernel", "k")):
    """The VM of @words, and that of its XML: the configuration handed to the process is one text."""
    plain = [w for w in words if w not in ("--exit-with-guest",)]
    direct = doc("run", *kernel, *words, "--dry-run")
    good, why = valid(direct["xml"])
    check(f"libvirt's schema takes the XML of {words}", good, why, direct["xml"])
    name = ET.fromstring(direct["xml"]).find("name").text
    hv("define", "-", data=direct["xml"])
    kept = hv("dumpxml", name)
    bare = re.sub(r" *<uuid>.*</uuid>\n", "", kept)
    check(f"kept as it was: {words}", bare == direct["xml"], direct["xml"], bare)
    if "--escape" not in plain and "--exit-with-guest" not in words:	# run's alone
        direct = doc("start", *kernel, *plain, "--dry-run")
    again = doc("start", name, "--dry-run")
    want, got = (re.sub(r"^serial=.*\n", "", d["config"], flags=re.M) if "--serial" not in words else d["config"]
                 for d in (direct, again))
    check(f"the same VM: {words}", want == got, want, got)
    hv("undefine", name)


def every_option():
    have = options() - PASSING
    check("every option of run has samples", have == set(SAMPLES), have ^ set(SAMPLES))
    for name, values in sorted(SAMPLES.items()):
        for v in values or []:
            same_vm([f"--{name}"] + ([] if v is None else [v]))
    for words in LINES:
        same_vm(words)
    for words in BOOTED:
        same_vm(words, ())
    everything = [w for words in LINES[2:] for w in words]
    for name, values in SAMPLES.items():
        if name not in ("kernel", "append", "cdrom") and values:
            everything += [f"--{name}"] + ([] if values[0] is None else [values[0]])
    same_vm(everything)


def has(what, text, *patterns):
    for p in patterns:
        check(what, re.search(p, text), text, f"lacks /{p}/")


def verbs():
    has("create", hv("create", "web", "-k", "k", "-m", "64M", "--title", "The web"), "^web$")
    has("create twice", hv("create", "web", "-k", "k", code=6), "defined already", "hvctl set web")
    has("create without a name", hv("create", "-k", "k", code=2), "needs the name")
    has("create a bad name", hv("create", "../x", "-k", "k", code=2), "cannot be the name")
    has("create, wrong UUID", hv("create", "u", "-k", "k", "--uuid", "1", code=2), "not a UUID")
    has("create checks", hv("create", "u", "-k", "k", "-d", "a,bus=scsi0:1", "-d", "b,bus=scsi0:1", code=7), "is taken")
    has("show of a stopped VM", hv("show", "web", code=4), "does not run", "hvctl start web")
    has("list", hv("list"), r"\ANAME .*\n\Z")
    has("list --all", hv("list", "--all"), r"(?m)^web +stopped +1 +64M +- +-$")
    check("list --all --json", doc("list", "--all")["vms"] ==
          [{"name": "web", "state": "stopped", "defined": True, "cpus": 1, "memory": 64 << 20}], doc("list", "--all"))
    has("list -aq", hv("list", "-a", "-q"), r"\Aweb\n\Z")
    hv("set", "web", "-c", "2", "--description", "a\nb", "--append", "fake.prompt")
    has("set", hv("dumpxml", "web"), "<vcpu>2</vcpu>", "<title>The web</title>", r"<description>a\nb<", ">65536</mem")
    hv("set", "web", "--memory", "backing=thp", "--remove", "title")
    has("set of one key", hv("dumpxml", "web"), ">65536</memory>", "anonymous")
    check("--remove", "<title>" not in hv("dumpxml", "web"))
    has("set --dry-run", hv("set", "web", "-m", "128M", "--dry-run"), ">131072</memory>")
    has("and nothing changed", hv("dumpxml", "web"), ">65536</memory>")
    has("set of what it has not", hv("set", "web", "--remove", "initrd", code=7), "no --initrd")
    has("set of a name", hv("set", "web", "--name", "x", code=2), "keeps its name")
    has("set of nothing there", hv("set", "none", "-c", "2", code=3), "no definition", "defined are: web")
    has("start", hv("start", "web"), "^web$")
    has("it runs", hv("list", "-a"), r"(?m)^web +running +2 +64M")
    has("set while it runs", hv("set", "web", "-c", "3"), "next start")
    has("undefine while it runs", hv("undefine", "web", code=4), "runs", "--force")
    has("start twice", hv("start", "web", code=6), "there already")
    hv("stop", "web")
    has("start with an option", hv("start", "web", "-c", "5", "--paused"), "^web$")
    has("for once", hv("list"), r"(?m)^web +paused +5 +64M")
    hv("undefine", "web", "--force")
    has("it goes on", hv("list"), r"(?m)^web +paused")
    hv("kill", "web")
    has("undefine of nothing", hv("undefine", "web", code=3), "no definition")


def define():
    xml = hv("run", "-k", "k", "-n", "x", "--dry-run")
    open("x.xml", "w").write(xml)
    check("define", hv("define", "x.xml") == "x\n")
    uuid = doc("define", "x.xml")["uuid"]
    check("the UUID stays", uuid in hv("dumpxml", "x"))
    other = xml.replace("<name>x</name>", f"<name>y</name><uuid>{uuid}</uuid>")
    has("one UUID, two VMs", hv("define", "-", data=other, code=6), "VM 'x' has the UUID")
    other = xml.replace("</name>", "</name><uuid>0c3e8f4e-9d2a-4a52-8d8e-0123456789ab</uuid>")
    has("one VM, two UUIDs", hv("define", "-", data=other, code=6), "another UUID")
    has("line and element", hv("define", "-", data=xml.replace("hvm", "xen"), code=7), r"standard input:\d+: <type>: 'xen'")
    has("sense, too", hv("define", "-", data=xml.replace(">524288<", ">5<"), code=7), "<memory>", "must be|less than")
    has("relative path", hv("define", "-", data=re.sub(r"<kernel>.*</kernel>", "<kernel>k</kernel>", xml), code=7),
        "<kernel>", "absolute")
    seed = hv("run", "-n", "x", "--cloud-init", "user,meta", "-k", "k", "--dry-run")
    has("relative path of the second file", hv("define", "-", data=re.sub(r",/[^']*meta'", ",meta'", seed), code=7),
        "absolute")
    has("entities", hv("define", "-", data="<!DOCTYPE x [<!ENTITY a 'b'>]>" + xml, code=7), ":1: .*DOCTYPE")
    has("no such file", hv("define", "none.xml", code=7), "none.xml")
    has("the error as JSON", hv("define", "none.xml", "--json", code=7), '"name": "invalid"')
    has("define --dry-run", hv("define", "--dry-run", "-", data=xml.replace(">x<", ">z<")), "<name>z</name>")
    check("defines nothing", "z" not in hv("list", "-a", "-q").split())
    path = os.path.join(os.environ["HV_CONFIG_DIR"], "vms", "x.xml")
    check("private", os.stat(path).st_mode & 0o777 == 0o600)
    open(path, "a").write("<")
    has("a broken definition", hv("list", "-a"), r"(?m)^x +invalid")
    has("start of it", hv("start", "x", code=7), r"x.xml:\d+:", "hvctl edit x")
    os.rename(path, os.path.join(os.path.dirname(path), "w.xml"))
    open(os.path.join(os.path.dirname(path), "w.xml"), "w").write(xml)
    has("another name in it", hv("start", "w", code=7), "its name is 'x'")
    os.chmod(os.path.dirname(path), 0o777)
    has("a directory of everybody's", hv("define", "x.xml", code=8), "others may write")
    # Whoever wrote there would choose what we open and run.
    has("nothing of it starts", hv("start", "w", code=8), "others may write", "chmod 700")
    has("nor with the host", hv("autostart", "--run-all", code=8), "others may write")
    os.chmod(os.path.dirname(path), 0o700)
    hv("undefine", "w")


def edit():
    hv("create", "e", "-k", "k", "-m", "64M")
    tmp = {"TMPDIR": os.getcwd()}
    hv("edit", "e", env={**tmp, "EDITOR": "sed -i s/65536/131072/"})
    has("edit", hv("dumpxml", "e"), ">131072</memory>")
    has("edit nothing", hv("edit", "e", env={**tmp, "EDITOR": "true"}), "nothing was changed")
    has("the editor fails", hv("edit", "e", env={**tmp, "EDITOR": "false"}, code=1), "failed")
    check("no copies left", not [n for n in os.listdir(".") if n.startswith("hv-e")])
    text = hv("edit", "e", env={**tmp, "EDITOR": "sed -i s/hvm/xen/"}, code=7)
    has("edit it wrong", text, r"e.xml:\d+: <type>", "what you wrote is in")
    check("the copy stays", [n for n in os.listdir(".") if n.startswith("hv-e")])
    has("edit the name", hv("edit", "e", env={**tmp, "EDITOR": "sed -i 's/<name>e/<name>f/'"}, code=7), "cannot be changed")
    script = os.path.abspath("other.sh")
    open(script, "w").write(f"#!/bin/sh\nsed -i s/131072/262144/ \"$1\"\n{TOOL} set e -c 7\n")
    os.chmod(script, 0o755)
    has("edited by two", hv("edit", "e", env={**tmp, "EDITOR": script}, code=6), "somebody else")
    has("the other one's stays", hv("dumpxml", "e"), "<vcpu>7</vcpu>", ">131072<")
    open(script, "w").write(f"#!/bin/sh\nsed -i s/131072/262144/ \"$1\"\n{TOOL} undefine -q e\n")
    text = hv("edit", "e", env={**tmp, "EDITOR": script}, code=3)
    has("removed meanwhile", text, "no definition", "what you wrote is in")
    copy = re.search(r"what you wrote is in (\S+)", text)
    check("what was written is there", copy and ">262144<" in open(copy[1]).read(), text)


def meanwhile(words, old, new):
    """Another one holds the lock while hvctl @words begins, and writes before it lets go."""
    path = os.path.join(os.environ["HV_CONFIG_DIR"], "vms")
    fd = os.open(path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    p = subprocess.Popen([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env={**os.environ, "TMPDIR": os.getcwd(), "EDITOR": "sed -i s/65536/131072/"})
    until = time.monotonic() + PATIENCE
    while p.poll() is None and time.monotonic() < until and \
            not re.search(rf"-> FLOCK .* {p.pid} ", open("/proc/locks").read()):
        time.sleep(0.01)
    with open(path + "/m.xml") as f:
        text = f.read()
    with open(path + "/m.xml", "w") as f:
        f.write(text.replace(old, new))
    os.close(fd)
    out = p.communicate(timeout=PATIENCE)[0]
    return p.returncode, out


def races():
    """A change between a verb's reading and its writing is never lost."""
    hv("create", "m", "-k", "k", "-m", "64M")
    rc, out = meanwhile(["autostart", "m"], "<vcpu>1<", "<vcpu>3<")
    check("autostart reads under its lock", rc == 0 and "<vcpu>3<" in hv("dumpxml", "m"), rc, out)
    check("and marks", hv("autostart") == "m\n")
    rc, out = meanwhile(["edit", "m"], "<vcpu>3<", "<vcpu>4<")
    check("edit looks under its lock", rc == 6 and "somebody else" in out and "what you wrote is in" in out and
          "<vcpu>4<" in hv("dumpxml", "m"), rc, out)
    hv("undefine", "m")


def autostart():
    for name in ("a", "b", "c", "d"):
        hv("create", name, "-k", "k", "-m", "16M", "-a", "fake.deaf" if name == "c" else "fake.prompt")
    hv("autostart", "a", "--order", "20")
    hv("autostart", "b", "--order", "10")
    hv("autostart", "c")
    check("autostart lists", hv("autostart") == "b\na\nc\n", hv("autostart"))
    check("and as JSON", doc("autostart")["vms"] == [{"name": "b", "order": 10}, {"name": "a", "order": 20}, {"name": "c"}])
    check("--run-all", hv("autostart", "--run-all") == "b\na\nc\n")
    check("they run", hv("list", "-q").split() == ["a", "b", "c"], hv("list", "-q"))
    check("again does nothing", hv("autostart", "--run-all") == "")
    hv("start", "-k", "k", "-n", "stray", "-m", "16M", "-a", "fake.prompt")
    text = hv("autostart", "--stop-all", "--timeout", "1")
    has("a deaf guest is killed", text, "VM 'c' is killed")
    check("--stop-all stops all", hv("list", "-q") == "", hv("list", "-q"))
    hv("autostart", "a", "b", "--off")
    check("--off", hv("autostart") == "c\n")
    has("usage", hv("autostart", "--run-all", "a", code=2), "is for all VMs")
    has("usage", hv("autostart", "--off", code=2), "needs the name")
    # One that cannot start keeps none of the others from it.
    hv("set", "a", "--append", "fake.fail=host", "--autostart", "on", "--order", "1")
    has("one fails", hv("autostart", "--run-all", code=8), "not all VMs could be started: a", "(?m)^c$")
    check("the others start", hv("list", "-q") == "c\n")
    hv("kill", "c")
    hv("undefine", "a", "b", "c", "d")


def order():
    """They go down in the reverse order of starting, each after the one before has ended."""
    for name, nr in (("one", "1"), ("two", "2"), ("three", "3")):
        hv("create", name, "-k", "k", "-m", "16M", "-a", "fake.slow", "--autostart", "on", "--order", nr)
    hv("autostart", "--run-all", "-q")
    events = []
    waits = {n: subprocess.Popen([TOOL, "wait", n, "-q"]) for n in ("one", "two", "three")}
    p = subprocess.Popen([TOOL, "autostart", "--stop-all", "-q"])
    while waits:
        for n, w in list(waits.items()):
            if w.poll() is not None:
                events.append(n)
                del waits[n]
    p.wait(PATIENCE)
    check("stopped in order", events == ["three", "two", "one"] and not p.returncode, events, p.returncode)
    hv("undefine", "one", "two", "three")


def main():
    with folder() as top:
        os.environ["HV_BOOT_IMAGE"] = top + "/boot"
        os.mkdir("boot")
        open("user", "w").write("#cloud-config\n")
        open("meta", "w").write("instance-id: one\n")
        for name in ("boot/vmlinuz", "boot/initrd"):
            open(name, "w").write("x")
        for name in ("k", "k2", "i", "iso", "d1", "d2", "d3", "d4", "with,comma", "sp ace&'<\".img"):
            open(name, "w").write("x")
        every_option()
        verbs()
        define()
        edit()
        races()
        autostart()
        order()
    return 1 if failed else 0


sys.exit(main())
