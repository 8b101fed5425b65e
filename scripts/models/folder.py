"""A model folder: write it from a recipe, or compare the committed one with what the recipe gives."""

import hashlib
import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).parents[2]

@dataclass
class Derived:
    """A file that the recipe makes, and where its bytes were taken from unchanged, if they were."""

    content: bytes
    origin: dict | None = None


@dataclass
class Recipe:
    path: str
    """The folder, from the root of the repository."""
    manifest: dict
    """The manifest without `files`."""
    derived: dict[str, Derived]
    requests: Callable[[], dict[str, dict]]
    """The golden requests by case name: JSON as a client sends it."""
    answer: Callable[[str, dict], dict]
    """Case name and request -> `response` and, where the model was asked, `outputs`; from Python, not from Sluice."""
    producer: str
    folder: Path = field(init=False)

    def __post_init__(self):
        self.folder = ROOT / self.path


def run(recipe: Recipe, check: bool) -> int:
    """Exit code: 0 made or proven, 1 something differs."""
    if not check:
        make(recipe)
        print(f"Made {recipe.path}")
        return 0
    differences = compare(recipe)
    for difference in differences:
        print(f"{recipe.path}: {difference}", file=sys.stderr)
    if not differences:
        print(f"Proven {recipe.path}: {', '.join(recipe.derived)}, golden.json and manifest.json are what the recipe gives")
    return 1 if differences else 0


def make(recipe: Recipe) -> None:
    recipe.folder.mkdir(parents=True, exist_ok=True)
    for name, file in recipe.derived.items():
        (recipe.folder / name).write_bytes(file.content)
    (recipe.folder / "golden.json").write_text(golden_text(golden(recipe, recipe.requests())))
    (recipe.folder / "manifest.json").write_text(manifest_text(recipe))


def compare(recipe: Recipe) -> list[str]:
    """What differs from the committed folder. The committed golden *requests* are inputs and are taken as they are."""
    differences = []
    for name, file in recipe.derived.items():
        committed = (recipe.folder / name).read_bytes()
        if committed != file.content:
            differences.append(f"{name} is {digest(committed)}, the recipe gives {digest(file.content)}")
    committed_golden = json.loads((recipe.folder / "golden.json").read_text())
    requests = {case["name"]: case["request"] for case in committed_golden["cases"]}
    for was, now in zip(committed_golden["cases"], golden(recipe, requests)["cases"], strict=True):
        if not close(was["response"], now["response"], recipe.manifest["tolerance"]["response"]):
            differences.append(f"golden.json, case {was['name']!r}: response is {was['response']}, want {now['response']}")
        for output, tolerance in recipe.manifest["tolerance"]["outputs"].items():
            if not close(was.get("outputs", {}).get(output), now.get("outputs", {}).get(output), tolerance):
                differences.append(f"golden.json, case {was['name']!r}: output {output} is outside the tolerance")
    if (recipe.folder / "manifest.json").read_text() != manifest_text(recipe):
        differences.append("manifest.json is not what the recipe and the folder's files give")
    return differences


def golden(recipe: Recipe, requests: dict[str, dict]) -> dict:
    cases = [{"name": name, "request": request, **recipe.answer(name, request)} for name, request in requests.items()]
    return {"schema": "sluice/golden/v1", "producer": recipe.producer, "cases": cases}


def golden_text(content: dict) -> str:
    """JSON with one case a line: thousands of numbers are kept out of the way of a diff."""
    head = json.dumps({**content, "cases": []}, indent=2, ensure_ascii=False).removesuffix("[]\n}")
    cases = ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in content["cases"])
    return f"{head}[\n{cases}\n  ]\n}}\n"


def manifest_text(recipe: Recipe) -> str:
    unlisted = {"manifest.json", "model.sig"}
    files = [listing(recipe, path) for path in sorted(recipe.folder.iterdir()) if path.name not in unlisted]
    head = {key: recipe.manifest[key] for key in ("schema", "name", "version", "description", "license")}
    rest = {key: value for key, value in recipe.manifest.items() if key not in head}
    return json.dumps({**head, "files": files, **rest}, indent=2, ensure_ascii=False) + "\n"


def listing(recipe: Recipe, path: Path) -> dict:
    content = path.read_bytes()
    derived = recipe.derived.get(path.name)
    origin = {"origin": derived.origin} if derived and derived.origin else {}
    return {"path": path.name, "size": len(content), "digest": digest(content), **origin}


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def close(was: object, now: object, tolerance: dict) -> bool:
    """Equal in shape and words; numbers within absolute + relative x the expected one."""
    if isinstance(now, dict):
        return isinstance(was, dict) and was.keys() == now.keys() and all(close(was[k], now[k], tolerance) for k in now)
    if isinstance(now, list):
        return isinstance(was, list) and len(was) == len(now) and all(close(a, b, tolerance) for a, b in zip(was, now))
    if isinstance(now, float) and isinstance(was, (int, float)):
        return math.fabs(was - now) <= tolerance["absolute"] + tolerance["relative"] * math.fabs(now)
    return was == now
