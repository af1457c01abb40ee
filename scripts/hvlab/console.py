# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's console: type lines, wait for text."""

import codecs
import os
import pty
import re
import select
import signal
import time

PROMPT = "(initramfs) "
# Cursor queries, colours and the like.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[78=>]|\r")
BEGUN = re.compile(r"\x1b(\[[0-9;?]*)?$")	# one whose end is yet to come


class Console:
    """What a guest prints and reads, on `fd`: a terminal or a socket."""

    def __init__(self, fd, seconds):
        self.fd = fd
        self.deadline = time.monotonic() + seconds
        self.seen = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._begun = ""

    def _hear(self, data):
        """Takes bytes in; they may end anywhere, in a character and in a control sequence, too."""
        text = CONTROL.sub("", self._begun + self._decode(data))
        begun = BEGUN.search(text)
        self._begun = begun.group() if begun else ""
        self.seen += text[:len(text) - len(self._begun)]

    def wait_for(self, text):
        """What came up to and with `text`; None when it does not come."""
        while text not in self.seen:
            left = self.deadline - time.monotonic()
            ready = select.select([self.fd], [], [], max(0, left))[0] if left > 0 else []
            try:
                data = os.read(self.fd, 4096) if ready else b""
            except OSError:
                data = b""
            if not data:
                return None
            self._hear(data)
        end = self.seen.index(text) + len(text)
        out, self.seen = self.seen[:end], self.seen[end:]
        return out

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def ask(self, command):
        """What a shell command of the guest printed; None when the prompt does not come back."""
        self.type(command)
        answer = self.wait_for(PROMPT)
        return answer and answer[:-len(PROMPT)].split("\n", 1)[-1].rstrip("\n")


class Guest(Console):
    """A guest whose VMM is our child and whose console is our end of a terminal."""

    def __init__(self, argv, seconds):
        self.pid, fd = pty.fork()
        if self.pid == 0:
            os.execv(argv[0], argv)
        super().__init__(fd, seconds)

    def end(self):
        """The VMM's exit status; it is killed if it does not end by itself."""
        self.wait_for("\0")
        for sig in (0, signal.SIGTERM, signal.SIGKILL):
            if sig:
                os.kill(self.pid, sig)
            for _ in range(50):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    return os.waitstatus_to_exitcode(status)
                time.sleep(0.1)
        return -1
