# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock kernel that L1 boots: image, modules, initramfs."""

import gzip
import lzma
import os
import struct
import subprocess

from . import cache

# What L1 needs before it has the host's root: the bus, the port, 9p.
BOOT_MODULES = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p"]


class KernelError(Exception):
    """There is no kernel to boot; the text says what to install."""


def release(wanted=None):
    """The release to boot: the given one, HV_KERNEL, or what scripts/kver chooses."""
    wanted = wanted or os.environ.get("HV_KERNEL")
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if wanted:
        if not os.path.exists(image(wanted)):
            have = [n[8:] for n in os.listdir("/boot") if n.startswith("vmlinuz-")]
            raise KernelError(f"no kernel {wanted} in /boot (there is: {' '.join(have) or 'none'})")
        return wanted
    r = subprocess.run([here + "/kver", "--lab"], capture_output=True, text=True)
    if r.returncode:
        raise KernelError(r.stderr.strip())
    return r.stdout.strip()


def image(version):
    return f"/boot/vmlinuz-{version}"


def _payload(data):
    """The compressed vmlinux inside a bzImage (boot protocol 2.08, setup header)."""
    if data[0x202:0x206] != b"HdrS":
        raise KernelError("not a bzImage")
    setup = (data[0x1f1] or 4) + 1
    off, length = struct.unpack_from("<II", data, 0x248)
    start = setup * 512 + off
    return data[start:start + length]


def _inflate(z):
    if z[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(z)
    if z[:2] == b"\x1f\x8b":
        return gzip.decompress(z[:-4])
    tool = {b"\x28\xb5\x2f\xfd": "zstd", b"\x02\x21\x4c\x18": "lz4"}.get(z[:4])
    if not tool:
        raise KernelError("kernel image compressed in a way the lab does not know")
    r = subprocess.run([tool, "-dc"], input=z, capture_output=True)
    if not r.stdout:
        raise KernelError(f"{tool} cannot unpack the kernel image: {r.stderr.decode().strip()}")
    return r.stdout


def vmlinux(version):
    """
    The kernel's ELF image, started at its PVH entry: the same kernel as the
    bzImage without two seconds of decompression in the emulator, and at the
    same address every time, which the counted lab wants.
    """
    path = image(version)
    st = os.stat(path)
    name = "vmlinux-" + cache.key(path, str(st.st_size), str(st.st_mtime_ns))

    def build():
        with open(path, "rb") as f:
            return _inflate(_payload(f.read()))

    return cache.get(name, build)


def _dependencies(version, wanted, root=""):
    """Paths of the modules `wanted` and all they need, in loading order."""
    base = f"{root}/lib/modules/{version}"
    deps, by_name = {}, {}
    with open(base + "/modules.dep") as f:
        for line in f:
            mod, _, rest = line.partition(":")
            deps[mod] = rest.split()
            by_name[os.path.basename(mod).split(".")[0].replace("-", "_")] = mod
    builtin = set()
    with open(base + "/modules.builtin") as f:
        for line in f:
            builtin.add(os.path.basename(line).split(".")[0].replace("-", "_"))
    order = []

    def add(mod):
        for d in deps[mod]:
            add(d)
        if mod not in order:
            order.append(mod)

    for want in wanted:
        if want in by_name:
            add(by_name[want])
        elif want not in builtin:
            raise KernelError(f"kernel {version} has no module {want}: "
                              "install linux-image-amd64 (not the cloud flavour)")
    return [os.path.join(base, m) for m in order]


def _module_bytes(path):
    with open(path, "rb") as f:
        data = f.read()
    return data if path.endswith(".ko") else _inflate(data)


def modules(version, wanted, root=""):
    """(file name, contents) of the modules `wanted` and all they need, in loading order."""
    return [(os.path.basename(m).split(".ko")[0] + ".ko", _module_bytes(m))
            for m in _dependencies(version, wanted, root)]


def cpio_entry(name, mode, data=b"", rdev=(0, 0)):
    """One member of a newc archive."""
    head = "070701" + "".join("%08x" % v for v in (
        0, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name) + 1, 0))
    out = head.encode() + name.encode() + b"\0"
    out += b"\0" * (-len(out) % 4)
    return out + data + b"\0" * (-len(data) % 4)


def initramfs(version, init):
    """A cpio archive with `init` and the boot modules of kernel `version`."""
    mods = _dependencies(version, BOOT_MODULES)
    name = "initramfs-" + cache.key(version, ("file", init), *[("file", m) for m in mods])

    def build():
        out = cpio_entry("dev", 0o40755)
        out += cpio_entry("dev/console", 0o20600, rdev=(5, 1))
        for d in ("proc", "sys", "host", "m"):
            out += cpio_entry(d, 0o40755)
        names = []
        for m in mods:
            n = "m/" + os.path.basename(m).split(".ko")[0] + ".ko"
            names.append("/" + n)
            out += cpio_entry(n, 0o100644, _module_bytes(m))
        out += cpio_entry("modules.list", 0o100644, ("\n".join(names) + "\n").encode())
        with open(init, "rb") as f:
            out += cpio_entry("init", 0o100755, f.read())
        return out + cpio_entry("TRAILER!!!", 0)

    return cache.get(name, build)
