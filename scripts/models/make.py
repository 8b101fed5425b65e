#!/usr/bin/env python3
"""Make a model folder from its sources, or prove that the committed one is what those sources give.

usage: make.py magika|minilm|tabular [--check]

Each recipe runs in a virtual environment of its own, kept under $XDG_CACHE_HOME/sluice/models (~/.cache by default).
Needs Python >= 3.11 and the network's Python package index. Exit 0: made, or proven. Exit 1: a file differs, which is named.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "models"

#: Model -> the recipe's arguments for each of its releases, with the requirements that the release is made with.
RELEASES = {
    "magika": [
        (["magika_recipe.py", "3.2.0"], "magika-3.2.0.txt"),
        (["magika_recipe.py", "3.3.0"], "magika-3.3.0.txt"),
    ],
    "minilm": [(["minilm_recipe.py"], "minilm-1.0.0.txt")],
    "tabular": [(["tabular_recipe.py"], "tabular-1.0.0.txt")],
}


def environment(requirements: Path) -> Path:
    """The Python of a virtual environment that holds exactly these requirements; made on first use."""
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    folder = CACHE / f"{requirements.stem}-{digest[:12]}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        print(f"Installing {requirements.name} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        complete.touch()
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a model folder from its sources, or prove the committed one.")
    parser.add_argument("model", choices=RELEASES)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with what is committed")
    options = parser.parse_args()
    failed = False
    for (recipe, *arguments), requirements in RELEASES[options.model]:
        python = environment(HERE / "requirements" / requirements)
        command = [python, "-B", HERE / recipe, *arguments, *(["--check"] if options.check else [])]
        failed |= subprocess.run(command).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
