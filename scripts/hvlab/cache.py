# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are built once and found again by a hash of what they are made of."""

import hashlib
import os
import re
import tempfile
import time


# Of each kind of file: more kernels and more clones than one machine works with at a time.
KEEP = 6
HOUR = 3600


class CacheError(Exception):
    """The cache folder cannot be used; the text names it and the remedy."""


def folders():
    """Where the cache may be: HV_CACHE, or /var/cache/hv and ~/.cache/hv."""
    named = os.environ.get("HV_CACHE")
    return [named] if named else ["/var/cache/hv", os.path.expanduser("~/.cache/hv")]


def folder():
    """The cache folder to write to, made if need be."""
    tries = folders()
    for path in tries:
        try:
            os.makedirs(path, exist_ok=True)
        except OSError:
            continue
        if os.access(path, os.W_OK):
            return path
    raise CacheError(f"cannot write the cache {tries[0]}: set HV_CACHE to a writable folder")


def key(*parts):
    """A name from strings, bytes and ('file', path) pairs."""
    h = hashlib.sha256()
    for part in parts:
        if isinstance(part, tuple):
            with open(part[1], "rb") as f:
                part = f.read()
        elif isinstance(part, str):
            part = part.encode()
        h.update(len(part).to_bytes(8, "little"))
        h.update(part)
    return h.hexdigest()[:20]


def prune(where, kind):
    """
    Of the files `kind`-<key> in folder `where` the KEEP used last stay, and those used in the
    last HOUR: another lab may be about to read them.
    """
    found = []
    for name in os.listdir(where):
        if re.fullmatch(re.escape(kind) + "-[0-9a-f]{20}", name):
            path = os.path.join(where, name)
            try:
                found.append((os.stat(path).st_mtime, path))
            except OSError:
                pass        # somebody else prunes
    for used, path in sorted(found, reverse=True)[KEEP:]:
        if time.time() - used > HOUR:
            try:
                os.unlink(path)
            except OSError:
                pass


def get(name, build):
    """
    The path of file `name`, <kind>-<key>; build() gives its bytes if it is not there yet.
    Older ones of its kind go then.
    """
    for path in folders():  # a read-only one will do, as in L1; one that root has for itself does not
        path = os.path.join(path, name)
        if os.access(path, os.R_OK):
            try:
                os.utime(path)
            except OSError:
                pass
            return path
    path = os.path.join(folder(), name)
    data = build()
    tmp = None
    try:
        fd, tmp = tempfile.mkstemp(dir=folder())
        with os.fdopen(fd, "wb") as f:
            f.write(data)
        os.rename(tmp, path)
    except OSError as e:
        if tmp:
            os.unlink(tmp)
        raise CacheError(f"cannot write {path}: {e.strerror}: make room or set HV_CACHE")
    prune(folder(), name.rpartition("-")[0])
    return path
