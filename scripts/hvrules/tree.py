# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of the tree, and how a rule shows that it can fail."""

import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODE = (".c", ".h", ".S")


def files(root, suffixes=None):
    """
    Paths below root, relative: what git knows or would add; all files where
    there is no git (a release, a test of a rule).
    """
    r = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                       capture_output=True, text=True)
    if r.returncode == 0 and os.path.exists(root + "/.git"):
        names = r.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(d, n), root)
                 for d, _, ns in os.walk(root) for n in ns]
    names = [n for n in names if not n.startswith("build/") and os.path.isfile(f"{root}/{n}")]
    return sorted(n for n in names if not suffixes or n.endswith(suffixes))


def text(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as f:
        return f.read()


def self_test(check, good, bad):
    """
    check(root) gives a list of complaints. good: {path: text} that has none;
    bad: [(what, {path: text}, part of the complaint)]: each must be caught.
    """
    failed = []

    def run(tree):
        with tempfile.TemporaryDirectory() as root:
            for path, data in tree.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w") as f:
                    f.write(data)
            return check(root)

    said = run(good)
    if said:
        failed.append("a good tree is refused: " + "; ".join(said))
    for what, tree, wanted in bad:
        said = run({**good, **tree})
        if not any(wanted in s for s in said):
            failed.append(f"not caught: {what} (said: {'; '.join(said) or 'nothing'})")
    return failed


def main(check, test):
    """A rule's program: check the tree, or --self-test the rule."""
    args = sys.argv[1:]
    if args == ["--self-test"]:
        said = test()
    elif not args or (len(args) == 1 and os.path.isdir(args[0])):
        said = check(args[0] if args else TOP)
    else:
        print(f"usage: {sys.argv[0]} [--self-test | FOLDER]", file=sys.stderr)
        return 2
    for s in said:
        print(s)
    return 1 if said else 0
