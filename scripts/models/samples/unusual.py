"""Contents that take a path of their own: too few bytes for the model, low confidence, overwritten labels, long files."""

import hashlib


def noise(size: int) -> bytes:
    """Bytes that look random and are the same on every run."""
    return b"".join(hashlib.sha256(bytes([block])).digest() for block in range(size // 32))


def table(rows: int) -> bytes:
    lines = [f"{n},canary-{n % 7},{n * 37 % 101},{n * 0.25:.2f},2024-03-{n % 28 + 1:02}" for n in range(rows)]
    return "\n".join(["id,revision,requests,p99_ms,day", *lines, ""]).encode()


def spaced(content: bytes, spaces: int) -> bytes:
    return b" " * spaces + content + b"\n" * spaces


UNUSUAL = {
    "empty": (b"", "empty"),
    "one byte": (b"A", "txt"),
    "seven bytes": (b"exactly", "txt"),
    "eight bytes": (b'{"a": 1}', "txt", "json"),  # Magika 0.6.1 asks the model from nine bytes on, 0.6.2 from eight
    "few bytes, not UTF-8": (b"\xff\xfe\xfd", "unknown"),
    "whitespace only": (b" \t\r\n\v\f" * 4, "txt"),
    "five bytes after whitespace": (b" " * 30 + b"hello", "txt"),
    "unsure": (spaced(b"hello", 30), "txt"),
    "noise": (noise(1024), "unknown"),
    "long csv": (table(180), "csv"),
    "long csv in whitespace": (spaced(table(150), 40), "csv"),
}
