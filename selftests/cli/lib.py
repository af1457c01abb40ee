# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of hvctl on VMs without a CPU share: the program, checks, a folder of their own."""

import contextlib
import os
import shutil
import subprocess
import tempfile

TOOL = os.path.abspath("build/cli/hvctl")
PATIENCE = 60
failed = []


def check(what, good, *more):
    print(("ok - " if good else "not ok - ") + what)
    if not good:
        failed.append(what)
        for m in more:
            print("    " + str(m).replace("\n", "\n    "))


def hv(*words, code=0, data=None, env=None):
    """Run hvctl; its exit code must be @code. Return stdout + stderr."""
    r = subprocess.run([TOOL, *words], input=data, capture_output=True, text=True, timeout=PATIENCE,
                       env={**os.environ, **(env or {})})
    if r.returncode != code:
        check(f"hvctl {' '.join(words)}: exit code {r.returncode}, wanted {code}", False, r.stdout, r.stderr)
    return r.stdout + r.stderr


@contextlib.contextmanager
def folder():
    """A folder with the run directory and definitions, where the test runs; no VM of it is left behind."""
    top = tempfile.mkdtemp()
    os.environ.update(HV_RUNTIME_DIR=top + "/run", HV_CONFIG_DIR=top + "/cfg", XDG_RUNTIME_DIR="")
    os.chdir(top)
    try:
        yield top
    finally:
        for name in hv("list", "-q").split():
            subprocess.run([TOOL, "kill", "-f", name], capture_output=True)
        shutil.rmtree(top)
