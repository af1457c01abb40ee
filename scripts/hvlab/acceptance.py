# SPDX-License-Identifier: GPL-2.0-or-later
"""
selftests/acceptance.tsv: what the project claims and the test that proves it.

Columns, tab-separated: id, claim, test (names, separated by spaces), state
(open or done). A done row holds only while all its tests exist and pass.
"""


def load(path):
    """Rows as (id, claim, tests, state); ValueError with the line if wrong."""
    rows, seen = [], set()
    with open(path) as f:
        for n, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            cols = line.split("\t")
            if len(cols) != 4:
                raise ValueError(f"{path}:{n}: {len(cols)} columns, not 4")
            ident, claim, tests, state = cols
            if state not in ("open", "done"):
                raise ValueError(f"{path}:{n}: state is open or done, not {state}")
            if ident in seen:
                raise ValueError(f"{path}:{n}: id {ident} is there twice")
            seen.add(ident)
            rows.append((ident, claim, [] if tests == "-" else tests.split(), state))
    return rows


def problems(rows, tests, outcomes):
    """
    What contradicts the table. tests: by name; outcomes: name -> 'pass',
    'fail' or 'skip' of those that ran (a test of another tier did not).
    """
    out = []
    for ident, _, names, state in rows:
        if state != "done":
            continue
        if not names:
            out.append(f"{ident} is done but names no test")
        for name in names:
            if name not in tests:
                out.append(f"{ident} is done but its test {name} does not exist")
            elif tests[name].skip or outcomes.get(name) == "skip":
                out.append(f"{ident} is done but its test {name} is skipped")
            elif outcomes.get(name) == "fail":
                out.append(f"{ident} is done but its test {name} failed")
    return out
