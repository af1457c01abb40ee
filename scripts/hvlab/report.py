# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP output, as it comes, and the closing lines."""

import os
import sys
import threading

TAIL = 40
SECOND_RUNS = 2		# of a whole run: more than that is no accident of the emulator


class Report:
    """Collects outcomes; may be called from several threads."""

    def __init__(self, folder):
        self.folder = folder
        self.count = {"pass": 0, "fail": 0, "skip": 0}
        self.outcome = {}
        self.times = []
        self.again = []
        self._n = 0
        self._lock = threading.Lock()
        os.makedirs(folder, exist_ok=True)
        print("TAP version 13", flush=True)

    def note(self, text):
        with self._lock:
            for line in text.splitlines():
                print("# " + line)
            sys.stdout.flush()

    def may_run_again(self):
        return len(self.again) < SECOND_RUNS

    def run_again(self, name, why, output):
        """A run that does not count: kept as NAME.first.log, and said now and at the end."""
        self.again.append(name)
        with open(os.path.join(self.folder, name + ".first.log"), "wb") as f:
            f.write(output)
        lines = output.decode("utf-8", "replace").splitlines()[-TAIL:]
        self.note("\n".join([f"{name} failed, and is run once more in a new L1:"] +
                            ["  " + w for w in why] + ["  | " + line for line in lines]))

    def add(self, name, outcome, seconds=0.0, why=(), output=b""):
        """outcome: pass, fail or skip; why: lines said below the result."""
        with self._lock:
            self._n += 1
            self.count[outcome] += 1
            self.outcome[name] = outcome
            self.times.append((seconds, name))
            log = os.path.join(self.folder, name + ".log")
            with open(log, "wb") as f:
                f.write(output)
            word = "not ok" if outcome == "fail" else "ok"
            tail = " # SKIP " + " ".join(why) if outcome == "skip" else f" # {seconds:.1f} s"
            print(f"{word} {self._n} - {name}{tail}")
            if outcome == "fail":
                for line in why:
                    print("#   " + line)
                lines = output.decode("utf-8", "replace").splitlines()
                if len(lines) > TAIL:
                    print(f"#   ... (all of it: {os.path.relpath(log)})")
                for line in lines[-TAIL:]:
                    print("#   | " + line)
            sys.stdout.flush()

    def close(self):
        """Prints plan, slowest ten and the count; the exit status."""
        print(f"1..{self._n}")
        print("# slowest:")
        for seconds, name in sorted(self.times, reverse=True)[:10]:
            print(f"#   {seconds:7.1f} s  {name}")
        for name in self.again:
            print(f"# ran twice: {name}: the second time it " +
                  {"pass": "passed", "fail": "failed"}.get(self.outcome.get(name), "was skipped"))
        for name, outcome in self.outcome.items():
            if outcome == "fail":
                print(f"# failed: {name}")
        c = self.count
        print(f"{c['pass']} passed, {c['fail']} failed, {c['skip']} skipped", flush=True)
        return 1 if c["fail"] or not c["pass"] else 0
