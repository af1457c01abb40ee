#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hvlab.console hears the same however the terminal cuts what the guest prints into reads."""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../scripts"))
from hvlab.console import Console  # noqa: E402

PRINTED = "SEEN 13\r\n\x1b[?2004hroot@debian:~# \x1b[1;31mé\x1b[0m\x1b7 ok\x1b[6n\n".encode()
HEARD = "SEEN 13\nroot@debian:~# é ok\n"


def heard(cuts):
    """What a console hears when it is printed in pieces that end at `cuts`."""
    ours, theirs = os.pipe()

    def printer():
        at = 0
        for cut in cuts + [len(PRINTED)]:
            os.write(theirs, PRINTED[at:cut])
            at = cut
            time.sleep(0.005)
        os.close(theirs)
    thread = threading.Thread(target=printer)
    thread.start()
    console = Console(ours, 60)
    console.wait_for("never printed")
    thread.join()
    os.close(ours)
    return console.seen


failed = False
for cuts in [[n] for n in range(1, len(PRINTED))] + [list(range(1, len(PRINTED)))]:
    got = heard(cuts)
    if got != HEARD:
        print(f"cut at {cuts}: heard {got!r}")
        failed = True
sys.exit(failed)
