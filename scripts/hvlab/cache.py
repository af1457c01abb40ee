# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are built once and found again by a hash of what they are made of."""

import hashlib
import os
import tempfile


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


def get(name, build):
    """The path of file `name`; build() gives its bytes if it is not there yet."""
    for path in folders():  # a read-only one will do, as in L1
        if os.path.exists(os.path.join(path, name)):
            return os.path.join(path, name)
    path = os.path.join(folder(), name)
    data = build()
    try:
        fd, tmp = tempfile.mkstemp(dir=folder())
        with os.fdopen(fd, "wb") as f:
            f.write(data)
        os.rename(tmp, path)
    except OSError as e:
        raise CacheError(f"cannot write {path}: {e.strerror}: make room or set HV_CACHE")
    return path
