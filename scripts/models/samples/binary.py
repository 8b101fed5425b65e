"""Binary formats: images, sound, archives, programs, data."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import struct
import tarfile
import wave
import zipfile
import zlib

from .text import PROSE


def png(size: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def row(y: int) -> bytes:
        return b"\0" + b"".join(bytes((x * 16, y * 16, 128)) for x in range(size))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(row(y) for y in range(size)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def gif() -> bytes:
    """One white pixel."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\xff\xff\xff\0\0\0"
    return screen + b"!\xf9\x04\x01\0\0\0\0" + b",\0\0\0\0\x01\0\x01\0\0" + b"\x02\x02D\x01\0" + b";"


def bmp(size: int) -> bytes:
    pixels = bytes((x * y) % 256 for y in range(size) for x in range(size * 4))
    info = struct.pack("<IiiHHIIiiII", 40, size, size, 1, 32, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + info + pixels


def wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<h", (n * 997) % 20000 - 10000) for n in range(120)))
    return file.getvalue()


def pdf() -> bytes:
    """One page with a blue square."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R >>",
        "<< /Length 29 >>\nstream\n0 0 1 rg 20 20 160 160 re f \nendstream",
    ]
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("notes.txt", "more/notes.txt"):
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), PROSE)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("notes.txt")
        entry.size = len(PROSE)
        archive.addfile(entry, io.BytesIO(PROSE.encode()))
    return file.getvalue()[:2048]  # without the padding to a tape's record


def elf() -> bytes:
    """An x86-64 object file whose _start exits with 0."""
    text = bytes.fromhex("b83c00000031ff0f05")  # mov eax, 60; xor edi, edi; syscall
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0, len(text))
    names = b"\0.text\0.symtab\0.strtab\0.shstrtab\0"
    body, table = b"", bytes(64)
    for name, kind, flags, content, link, info, entry in (
        (b".text", 1, 6, text, 0, 0, 0),
        (b".symtab", 2, 0, symbols, 3, 1, 24),
        (b".strtab", 3, 0, b"\0_start\0", 0, 0, 0),
        (b".shstrtab", 3, 0, names, 0, 0, 0),
    ):
        place = (names.index(name), kind, flags, 0, 64 + len(body), len(content), link, info, 8, entry)
        table += struct.pack("<IIQQQQIIQQ", *place)
        body += content + bytes(-len(content) % 8)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, 5, 4) + body + table


def wasm() -> bytes:
    """A module that exports add(i32, i32)."""
    return bytes.fromhex("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b")


def sqlite() -> bytes:
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA page_size = 512")
    database.execute("CREATE TABLE release (name TEXT, weight INTEGER)")
    database.execute("INSERT INTO release VALUES ('stable', 95), ('canary', 5)")
    database.commit()
    return database.serialize()


BINARY = {
    "png": (png(12), "png"),
    "gif": (gif(), "gif"),
    "bmp": (bmp(8), "bmp"),
    "wav": (wav(), "wav"),
    "pdf": (pdf(), "pdf"),
    "zip": (zipped(), "zip"),
    "gzip": (gzip.compress(PROSE.encode(), mtime=0), "gzip"),
    "bzip2": (bz2.compress(PROSE.encode()), "bzip"),
    "xz": (lzma.compress(PROSE.encode()), "xz"),
    "tar": (tarred(), "tar"),
    "elf": (elf(), "elf"),
    "wasm": (wasm(), "wasm"),
    "sqlite": (sqlite(), "sqlite"),
    "pickle": (pickle.dumps({"weights": list(range(40)), "prose": PROSE}, protocol=4), "pickle"),
}
