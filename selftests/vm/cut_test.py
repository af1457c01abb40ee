#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
cut_test.py [--no-sync] COUNT [SEED]: real power cuts. A guest writes and flushes on a dynamic VHD in
an ext4 file system on a disk of L1, and tells of each flush on its console before it goes on; L1's
emulator is killed at any moment. With L1 goes its page cache. The next L1 finds the image sound, with
every write told of.
--no-sync: fdatasync does nothing, and something must be missing.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/scripts")
from hvlab import flavour, kernel, l1  # noqa: E402

ROOM = 1 << 30
SECONDS = 150


class Turn:
    """One life of L1: what it said, and when its power is cut."""

    def __init__(self, vm, after, wait, model):
        self.vm, self.after, self.wait, self.model = vm, after, wait, model
        self.text, self.rest, self.told, self.cut = [], b"", 0, False

    def output(self, _stream, data):
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            line = line.decode("utf-8", "replace").strip()
            self.text.append(line)
            word = line.split()
            if len(word) == 3 and word[0] == "F" and not self.cut:
                self.model[int(word[1])] = int(word[2])
                self.told += 1
                if self.told == self.after:
                    threading.Timer(self.wait, self.power_off).start()

    def power_off(self):
        self.cut = True
        self.vm.kill()


def live(folder, number, rng, model, env, opts, last):
    version = kernel.release(None)
    with open(folder + "/model", "w", encoding="ascii") as f:
        json.dump(model, f)
    cfg = l1.Config(flavour=flavour.choose("svm", False), version=version, cpus=2, mem=2048,
                    mitigations="off", ko=l1.find_ko(version),
                    qemu_args=["-drive", f"file={folder}/scratch,if=none,id=cut,format=raw,cache=writeback",
                               "-device", "virtio-blk-pci,drive=cut"], cwd=TOP)
    with l1.L1(cfg) as vm:
        vm.boot()
        turn = Turn(vm, rng.randrange(3, 60), rng.random() * 0.2, model)
        try:
            vm.run("command", ["selftests/vm/cut_guest.py", "0" if last else str(number),
                               folder + "/model", opts], SECONDS, turn.output, env=env)
        except (l1.LabError, OSError):
            pass
        return turn


def main():
    words = [w for w in sys.argv[1:] if w != "--no-sync"]
    count, seed = int(words[0]), int(words[1]) if len(words) > 1 else 1
    no_sync = "--no-sync" in sys.argv
    env = {"LD_PRELOAD": TOP + "/build/vm/nosync.so"} if no_sync else {}
    opts = ",aio=threads" if no_sync else ""        # the ring's sync is the kernel's own
    rng, model, told = random.Random(seed), {}, 0
    os.makedirs(TOP + "/build/cut", exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOP + "/build/cut") as folder:
        with open(folder + "/scratch", "wb") as f:
            f.truncate(ROOM)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", folder + "/scratch"], check=True)
        for number in range(1, count + 2):
            last = number == count + 1
            turn = live(folder, number, rng, model, env, opts, last)
            lost = [t for t in turn.text if t.startswith("LOST")]
            told += turn.told
            if "CHECKED" not in turn.text or (number > 1 and not lost and "SOUND" not in turn.text) or \
               not (last or turn.cut or (no_sync and lost)):     # what is lost may be all of the disk
                print(f"not ok 1 - turn {number} got to its cut\n    " + "\n    ".join(turn.text[-40:]))
                return 1
            print(f"# turn {number}: {told} writes told, {len(lost)} of those before lost", flush=True)
            if lost:
                break
    if no_sync:
        print(("ok" if lost else "not ok") + f" 1 - without fdatasync writes are lost within {count} cuts")
        return 0 if lost else 1
    print(("not ok" if lost else "ok") + f" 1 - seed {seed}: {count} power cuts, {told} writes told, none lost")
    print("\n".join("    " + t for t in lost[:20]))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
