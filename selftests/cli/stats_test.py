#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
stats and top, on VMs without a CPU: the text for Prometheus goes through the
parser of Prometheus' own client, and says the same as the JSON; rates are
differences over time.
"""

import json
import os
import signal
import subprocess
import sys
import time

from prometheus_client.parser import text_string_to_metric_families

from lib import TOOL, check, failed, folder, hv


def families(text):
    """Metric families by name; a parser that is content with each line, and each name only once."""
    out = {}
    for f in text_string_to_metric_families(text):
        check(f"one family {f.name}", f.name not in out) if f.name in out else None
        out[f.name] = f
    return out


def prometheus():
    text = hv("stats", "--prometheus")
    fam = families(text)
    check("types", (fam["hv_vcpu_exits"].type, fam["hv_vm_slat_pages_4k"].type, fam["hv_process_rss_bytes"].type)
          == ("counter", "gauge", "gauge"), text)
    check("labels", {(s.labels["vm"], s.labels["vcpu"]) for s in fam["hv_vcpu_exits"].samples}
          == {("a", "0"), ("a", "1"), ("b.x-1", "0"), ("b.x-1", "1")}, text)
    check("a device without a number", fam["hv_device_accesses"].samples[0].labels["device"] == "uart", text)
    check("up", {s.labels["vm"]: s.value for s in fam["hv_up"].samples} == {"a": 1, "b.x-1": 1}, text)
    stats = json.loads(hv("stats", "a", "--json"))
    fam = families(hv("stats", "--prometheus", "a"))
    # The fake VM counts by one each time it is asked, times the number of the counter.
    asked = stats["stats"]["vcpu0.exits"] // 2000 + 1
    check("values", fam["hv_vcpu_exits"].samples[0].value == 2000 * asked, stats)
    check("seconds", abs(fam["hv_vcpu_blocked_seconds"].samples[0].value - 7e-6 * asked) < 1e-12)
    known = sum(len(f.samples) for f in fam.values())
    check("nothing is left out", known == len(stats["stats"]) + 2, known, len(stats["stats"]))
    check("instant", set(stats["instant"]) == {"vm.slat_pages_4k", "process.rss_bytes", "process.threads"}, stats)
    check("a process has memory", stats["stats"]["process.rss_bytes"] > 0 and stats["stats"]["process.threads"] > 0)
    hv("stats", "--prometheus", "none", code=3)
    hv("stats", "--prometheus", "--json", code=2)
    hv("stats", code=2)
    # A VM that hangs is in, and keeps nobody out.
    pid = json.loads(hv("show", "a", "--json"))["pid"]
    os.kill(pid, signal.SIGSTOP)
    fam = families(hv("stats", "--prometheus"))
    os.kill(pid, signal.SIGCONT)
    check("one hangs", {s.labels["vm"]: s.value for s in fam["hv_up"].samples} == {"a": 0, "b.x-1": 1})


def top():
    lines = hv("top", "-n", "2", "-d", "200ms", "--json").splitlines()
    docs = [json.loads(line) for line in lines]
    check("two lines", len(docs) == 2, lines)
    for d in docs:
        check("all VMs", [v["name"] for v in d["vms"]] == ["a", "b.x-1"], d)
        v = d["vms"][0]
        # Between two looks each counter grows by 1000 times its number.
        check("exits are those of all vCPUs", abs(v["exits"] / v["exit_kinds"]["pio"] - 2) < 1e-6, v)
        check("disk and network", v["disk"]["bytes_read"] > 0 and v["net"]["bytes_received"] > 0
              and v["net"]["bytes_sent"] == 0 and v["rss"] > 0 and v["cpu_percent"] >= 0, v)
        check("at most what was counted", v["exits"] <= 6000 / 0.2, v)
    text = hv("top", "-n", "1", "-d", "100ms", "a")
    check("a table", text.splitlines()[0].split()[:3] == ["NAME", "STATE", "CPU%"] and "pio" in text
          and "\033" not in text, text)
    hv("top", "none", "-n", "1", code=3)
    hv("top", "-d", "0", "-n", "1", code=2)
    p = subprocess.Popen([TOOL, "top", "-d", "60"], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while "S" not in open(f"/proc/{p.pid}/stat").read().split()[2] and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    check("^C is no error", p.wait(60) in (0, -signal.SIGINT))
    p.stdout.close()


def trace():
    """Where hv.ko is not loaded, or nobody may trace, the error names the remedy."""
    r = subprocess.run([TOOL, "trace", "a", "-t", "100ms"], capture_output=True, text=True, timeout=60)
    check("trace", r.returncode == 0 or (r.returncode == 8 and ("load hv.ko" in r.stderr or "sudo" in r.stderr)), r)
    hv("trace", "none", code=3)
    hv("trace", "a", "-c", "0", code=2)


def main():
    with folder():
        open("k", "w").write("x")
        check("nothing there", hv("stats", "--prometheus") == "")
        check("top of nothing", json.loads(hv("top", "-n", "1", "-d", "50ms", "--json"))["vms"] == [])
        hv("start", "-k", "k", "-n", "a", "-m", "16M")
        hv("start", "-k", "k", "-n", "b.x-1", "-m", "16M")
        prometheus()
        top()
        trace()
    return 1 if failed else 0


sys.exit(main())
