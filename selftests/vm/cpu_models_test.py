#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU models by hvctl: shown, and refused by name of what the host lacks."""

import re
import sys

from lib import bare, check, done, hvctl, refused, show, start

with open("/proc/cpuinfo") as f:
    flags = set(re.search(r"^flags\s*:(.*)$", f.read(), re.M).group(1).split())

for model in ("host", "x86-64-v2", "x86-64-v3"):
    name = "m" + model[-1]
    if start(name, "-k", bare("echo"), "-m", "64M", "-c", f"1,model={model}"):
        check(show(name)["cpu_model"] == model, f"hvctl show says {model}", show(name))
        hvctl("kill", "-f", name)
if "avx512f" not in flags:
    refused("x86-64-v4 without AVX-512", 5, r"x86-64-v4: it lacks avx512f, avx512dq, avx512cd, avx512bw, avx512vl",
            "run", "-k", bare("echo"), "-m", "64M", "-c", "1,model=x86-64-v4")
refused("a model that is none", 2, r"x86-64-v9", "run", "-k", bare("echo"), "-c", "1,model=x86-64-v9")
sys.exit(done())
