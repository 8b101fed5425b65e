"""Recipe of test/fixtures/models/tabular/1.0.0: a tiny classifier for tests, trained here.

The data are the Breast Cancer Wisconsin (Diagnostic) set that scikit-learn ships. Training is deterministic: the same bytes on
every run. Golden requests are rounded quantiles of each class, not rows of the set.

Run by make.py, in an environment that holds the very versions.
"""

import argparse
import sys

import numpy as np
import onnxruntime
import sklearn
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier

from folder import Derived, Recipe, run
from session import RUNTIME, number, open_session, outputs, signature

FEATURES = 30


def export(classifier: GradientBoostingClassifier) -> bytes:
    # Without zipmap the probabilities are a tensor; with it they are a sequence of maps, which JavaScript cannot read.
    model = convert_sklearn(
        classifier,
        "breast_cancer",
        [("features", FloatTensorType([None, FEATURES]))],
        target_opset={"": 17, "ai.onnx.ml": 3},
        options={id(classifier): {"zipmap": False}},
    )
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    model.opset_import.sort(key=lambda opset: opset.domain)  # the converter lists them in the order of a set
    return model.SerializeToString(deterministic=True)


def requests(rows: np.ndarray, targets: np.ndarray, names: list[str]) -> dict[str, dict]:
    return {
        f"{name}, quantile {share}": {"features": [round(float(v), 4) for v in np.quantile(rows[targets == index], share, axis=0)]}
        for index, name in enumerate(names)
        for share in (0.1, 0.5, 0.9)
    }


def recipe() -> Recipe:
    data = load_breast_cancer()
    rows, names = data.data.astype(np.float32), [str(name) for name in data.target_names]
    classifier = GradientBoostingClassifier(n_estimators=60, max_depth=3, random_state=0).fit(rows, data.target)
    model = export(classifier)
    session = open_session(model)

    def answer(_: str, request: dict) -> dict:
        features = np.array([request["features"]], np.float32)
        probabilities = classifier.predict_proba(features)[0]
        response = {
            "label": names[classifier.predict(features)[0]],
            "probabilities": {name: number(np.float32(p)) for name, p in zip(names, probabilities, strict=True)},
        }
        return {"response": response, "outputs": outputs(session, {"features": features})}

    return Recipe(
        path="test/fixtures/models/tabular/1.0.0",
        manifest={
            "schema": "sluice/manifest/v1",
            "name": "tabular",
            "version": "1.0.0",
            "description": "A tiny classifier for tests: 30 measures of a tissue sample, malignant or benign. Not for medical use",
            "license": "Apache-2.0",
            "model": "model.onnx",
            "transformer": "transformer.ts",
            "golden": "golden.json",
            **signature(session),
            "runtime": RUNTIME,
            "batch": {"safe": True, "maxSize": 32},
            "tolerance": {
                "outputs": {
                    "label": {"absolute": 0, "relative": 0},
                    "probabilities": {"absolute": 1e-5, "relative": 1e-4},
                },
                "response": {"absolute": 1e-5, "relative": 1e-4},
            },
        },
        derived={"model.onnx": Derived(model)},
        requests=lambda: requests(rows, data.target, names),
        answer=answer,
        producer=f"scikit-learn {sklearn.__version__}, onnxruntime {onnxruntime.__version__}",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    sys.exit(run(recipe(), parser.parse_args().check))
