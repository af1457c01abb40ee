# SPDX-License-Identifier: GPL-2.0-or-later
"""Files with saved VMs, taken apart and put together again with right checksums (Documentation/save.rst)."""

import struct

HEADER = struct.Struct("<8sII6QI48s")	# and its CRC
HEAD = struct.Struct("<IIIII")		# and its CRC
MEMORY, END = 0xfffffffe, 0xffffffff


def _crc_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        table.append(i)
    return table


TABLE = _crc_table()


def crc32c(*parts):
    crc = 0xffffffff
    for part in parts:
        for byte in part:
            crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xffffffff


class Record:
    def __init__(self, ident, version, instance, index, data):
        self.id, self.version, self.instance, self.index, self.data = ident, version, instance, index, data
        self.packed = None

    def but(self, **changes):
        new = Record(self.id, self.version, self.instance, self.index, self.data)
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    def bytes(self):
        if not self.packed:
            head = HEAD.pack(self.id, self.version, self.instance, self.index, len(self.data))
            self.packed = head + struct.pack("<I", crc32c(head, self.data)) + self.data
            self.packed += b"\0" * (-len(self.data) % 8)
        return self.packed


class SaveFile:
    def __init__(self, path):
        with open(path, "rb") as f:
            head = f.read(HEADER.size)
            (self.magic, self.version, self.kind, _, self.records_at, length, self.memory_at,
             self.memory_bytes, self.ram, count, self.rsvd) = HEADER.unpack(head)
            f.seek(self.records_at)
            data = f.read(length)
        self.records = []
        at = 0
        for _ in range(count):
            ident, version, instance, index, length = HEAD.unpack_from(data, at)
            at += HEAD.size + 4
            self.records.append(Record(ident, version, instance, index, data[at:at + length]))
            at += length + -length % 8

    def put(self, path, records):
        """Other records into a copy of the file; the end mark is among them."""
        tail = b"".join(r.bytes() for r in records)
        head = HEADER.pack(self.magic, self.version, self.kind, self.records_at + len(tail), self.records_at,
                           len(tail), self.memory_at, self.memory_bytes, self.ram, len(records), self.rsvd)
        with open(path, "r+b") as f:
            f.truncate(self.records_at)
            f.seek(self.records_at)
            f.write(tail)
            f.seek(0)
            f.write(head + struct.pack("<I", crc32c(head)))
