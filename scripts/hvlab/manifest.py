# SPDX-License-Identifier: GPL-2.0-or-later
"""
The tests there are: selftests/tests.cfg and what is found by name.

A section of tests.cfg is a test; Documentation/testing.rst explains the keys.
Tests found by name need no section; one with their name overrides keys.
"""

import configparser
import glob
import os
from dataclasses import dataclass, field

TIERS = ("quick", "default", "debug", "long")
KINDS = ("host", "lab")


class ManifestError(Exception):
    """tests.cfg is wrong; the text names the section and the key."""


@dataclass
class Test:
    """One test. timeout in seconds, mem in MiB; the rest as in testing.rst."""
    name: str
    kind: str = "host"
    command: str = ""
    timeout: int = 60
    tier: str = "default"
    lab: str = "svm"
    counted: bool = False
    cpus: int = 0
    mem: int = 2048
    mitigations: str = "default"
    append: str = ""
    params: str = ""
    qemu: str = ""
    bzimage: bool = False
    module: bool = True
    isolate: bool = False
    serial: bool = False
    emulator: bool = False
    log: list = field(default_factory=list)
    skip: str = ""
    may_skip: str = ""

    def boot(self):
        """Tests with equal boot() share an L1."""
        return (self.lab, self.counted, self.cpus or (1 if self.counted else 2), self.mem,
                self.mitigations, self.append, self.params, self.qemu, self.bzimage, self.module,
                self.name if self.isolate else "")


def _set(test, key, value, where):
    kind = Test.__dataclass_fields__.get(key)
    if key == "name" or not kind:
        raise ManifestError(f"{where}: no such key: {key}")
    if kind.type is bool:
        if value not in ("yes", "no"):
            raise ManifestError(f"{where}: {key} is yes or no, not {value}")
        setattr(test, key, value == "yes")
    elif kind.type is int:
        if not value.isdigit():
            raise ManifestError(f"{where}: {key} is a number, not {value}")
        setattr(test, key, int(value))
    elif kind.type is list:
        setattr(test, key, [v for v in value.splitlines() if v.strip()])
    else:
        setattr(test, key, " ".join(value.split()))


def _found(tree):
    """Tests that exist because a file with their name does."""
    for f in sorted(glob.glob(tree + "/selftests/unit/*_test.c")):
        n = os.path.basename(f)[:-2]
        yield Test("unit." + n[:-5], command="build/unit/" + n, tier="quick", timeout=60)
    for f in sorted(glob.glob(tree + "/selftests/api/*_test.c")):
        n = os.path.basename(f)[:-2]
        yield Test("api." + n[:-5], kind="lab", command="build/api/" + n, timeout=300)
    for f in sorted(glob.glob(tree + "/selftests/fuzz/*_fuzz.c")):
        n = os.path.basename(f)[:-2]
        yield Test("fuzz." + n[:-5], command=f"scripts/fuzz --replay {n}", timeout=60)


def load(tree, path=None):
    """All tests by name, in the order to run them. ManifestError if wrong."""
    tests = {t.name: t for t in _found(tree)}
    cfg = configparser.ConfigParser(interpolation=None, default_section="\0",
                                    inline_comment_prefixes=None, delimiters=("=",))
    path = path or tree + "/selftests/tests.cfg"
    try:
        with open(path) as f:
            cfg.read_file(f)
    except (OSError, configparser.Error) as e:
        raise ManifestError(f"{path}: {e}")
    for name in cfg.sections():
        test = tests.get(name) or Test(name)
        where = f"tests.cfg [{name}]"
        for key, value in cfg[name].items():
            _set(test, key, value, where)
        if test.kind not in KINDS:
            raise ManifestError(f"{where}: kind is one of {' '.join(KINDS)}")
        if test.tier not in TIERS:
            raise ManifestError(f"{where}: tier is one of {' '.join(TIERS)}")
        if not test.command:
            near = name.rsplit("_", 1)[0]
            hint = f"; the test found by name is [{near}]" if near in tests else ""
            raise ManifestError(f"{where}: no command{hint}")
        tests[name] = test
    return tests
