"""Recipe of models/magika/<release>: Google's file type classifier, taken from its Python package, which is also its judge.

Run by make.py, in an environment that holds the package's very version.
"""

import argparse
import base64
import json
import sys

import numpy as np
import onnxruntime
from magika import Magika

from folder import Derived, Recipe, run
from samples import SAMPLES
from session import RUNTIME, open_session, outputs, signature
from wheel import Wheel

#: Release -> the package, and the digests that prove it. `min_content_bytes` is in the package's code, not its configuration:
#: 0.6.1 compares the size with `<=`, 0.6.2 with `<`.
RELEASES = {
    "3.2.0": {
        "package": "0.6.1",
        "wheel": "sha256:133c0e1a844361de86ca2dd7c530e38b324e86177d30c52e36fd82101c190b5c",
        "model": "magika/models/standard_v3_2",
        "min_content_bytes": 9,
    },
    "3.3.0": {
        "package": "0.6.2",
        "wheel": "sha256:57cd1d64897634d15de552bd6b3ae9c6ff6ead9c60d384dc46497c08288e4559",
        "model": "magika/models/standard_v3_3",
        "min_content_bytes": 8,
    },
}

KNOWLEDGE = "magika/config/content_types_kb.min.json"

#: Labels that the transformer gives without asking the model, or instead of its answer.
SPECIAL = ["empty", "unknown"]

#: A golden case must not hang on the last digits: how far its score is from its threshold, and from the second label.
CLEARANCE = 0.01


def config(pins: dict, settings: dict, knowledge: dict) -> bytes:
    """config.json: what the transformer needs of the package's configuration and of its knowledge base."""
    labels = settings["target_labels_space"]
    head = {
        "source": f"Derived from {pins['model']}/config.min.json and {KNOWLEDGE} of magika {pins['package']}, Google LLC, Apache-2.0",
        "headBytes": settings["beg_size"],
        "tailBytes": settings["end_size"],
        "blockBytes": settings["block_size"],
        "minContentBytes": pins["min_content_bytes"],
        "minUsefulBytes": settings["min_file_size_for_dl"],
        "padding": settings["padding_token"],
        "threshold": settings["medium_confidence_threshold"],
        "thresholds": settings["thresholds"],
        "overwrites": settings["overwrite_map"],
    }
    types = {label: content_type(label, knowledge[label]) for label in sorted({*labels, *SPECIAL})}
    text = json.dumps(head, indent=2).removesuffix("\n}")
    rows = ",\n".join(f"    {json.dumps(label)}: {json.dumps(of)}" for label, of in types.items())
    return f'{text},\n  "labels": {json.dumps(labels)},\n  "types": {{\n{rows}\n  }}\n}}\n'.encode()


def content_type(label: str, known: dict) -> dict:
    """The defaults are those of the Python package."""
    return {
        "mimeType": known["mime_type"] or ("text/plain" if known["is_text"] else "application/octet-stream"),
        "group": known["group"] or "unknown",
        "description": known["description"] or label,
        "isText": known["is_text"],
    }


class Judge:
    """The Python package's own answer to a golden request."""

    def __init__(self, model: bytes, settings: dict):
        self.magika, self.session, self.settings = Magika(), open_session(model), settings

    def answer(self, name: str, request: dict) -> dict:
        content = base64.b64decode(request["content"])
        result = self.magika.identify_bytes(content)
        label, asked = result.prediction.output, result.prediction.dl
        response = {
            "label": str(label.label),
            "score": float(result.score),
            "mimeType": label.mime_type,
            "group": label.group,
            "description": label.description,
            "isText": label.is_text,
            "modelLabel": str(asked.label),
        }
        if name in SAMPLES and response["label"] not in SAMPLES[name][1:]:
            raise SystemExit(f"Cannot use sample {name!r}: label is {label.label}, want {' or '.join(SAMPLES[name][1:])}")
        if response["modelLabel"] == "undefined":
            return {"response": response}
        scores = self.scores(content)
        self.refuse_unclear(name, response, np.array(scores["target_label"]["data"]))
        return {"response": response, "outputs": scores}

    def scores(self, content: bytes) -> dict:
        """The model's raw outputs, from tensors that are built here and not by the package."""
        size = self.settings["block_size"]
        head = content[:size].lstrip()[: self.settings["beg_size"]]
        tail = content[-size:].rstrip()[-self.settings["end_size"] :]
        tensor = np.full((1, self.settings["beg_size"] + self.settings["end_size"]), self.settings["padding_token"], np.int32)
        tensor[0, : len(head)] = list(head)
        tensor[0, tensor.shape[1] - len(tail) :] = list(tail)
        return outputs(self.session, {"bytes": tensor})

    def refuse_unclear(self, name: str, response: dict, scores: np.ndarray) -> None:
        second, first = np.sort(scores)[-2:]
        if abs(first - response["score"]) > 1e-4:
            raise SystemExit(f"Cannot use sample {name!r}: the package's score is {response['score']}, the session's {first}")
        threshold = self.settings["thresholds"].get(response["modelLabel"], self.settings["medium_confidence_threshold"])
        if min(first - second, abs(first - threshold)) < CLEARANCE:
            raise SystemExit(f"Cannot use sample {name!r}: score {first} is too near to {second} or to {threshold}")


def recipe(release: str) -> Recipe:
    pins = RELEASES[release]
    wheel = Wheel("magika", pins["package"], "manylinux_2_28_x86_64", pins["wheel"])
    model, settings = wheel.files[f"{pins['model']}/model.onnx"], json.loads(wheel.files[f"{pins['model']}/config.min.json"])
    knowledge = json.loads(wheel.files[KNOWLEDGE])
    judge = Judge(model, settings)
    return Recipe(
        path=f"models/magika/{release}",
        manifest={
            "schema": "sluice/manifest/v1",
            "name": "magika",
            "version": release,
            "description": "Tells a file's type from its first and last bytes (Google Magika, standard model)",
            "license": "Apache-2.0",
            "model": "model.onnx",
            "transformer": "transformer.ts",
            "golden": "golden.json",
            **signature(judge.session),
            "runtime": RUNTIME,
            "batch": {"safe": False, "maxSize": 1},  # see README.md: short contents move by up to 1e-2 in a batch
            "tolerance": {
                "outputs": {"target_label": {"absolute": 1e-4, "relative": 1e-3}},
                "response": {"absolute": 1e-4, "relative": 1e-3},
            },
        },
        derived={
            "model.onnx": Derived(model, wheel.origin(f"{pins['model']}/model.onnx")),
            "config.json": Derived(config(pins, settings, knowledge)),
        },
        requests=lambda: {name: {"content": base64.b64encode(content).decode()} for name, (content, *_) in SAMPLES.items()},
        answer=judge.answer,
        producer=f"magika=={pins['package']} (Python), onnxruntime {onnxruntime.__version__}",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("release", choices=RELEASES)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    sys.exit(run(recipe(options.release), options.check))
