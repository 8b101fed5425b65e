"""The tabular model as every peer serves it: strict Pydantic and ONNX Runtime on one thread."""

import os
from typing import Annotated

import numpy as np
import onnxruntime as ort
from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    features: Annotated[list[float], Field(min_length=30, max_length=30)]


class Probabilities(BaseModel):
    malignant: float
    benign: float


class Response(BaseModel):
    label: str
    probabilities: Probabilities


def open_session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(os.environ["PEER_MODEL"], options, providers=["CPUExecutionProvider"])


def run(session: ort.InferenceSession, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    label, probabilities = session.run(["label", "probabilities"], {"features": features})
    return label, probabilities


def answer(session: ort.InferenceSession, features: list[float]) -> Response:
    label, probabilities = run(session, np.asarray([features], dtype=np.float32))
    malignant, benign = probabilities[0].tolist()
    return Response(
        label="malignant" if label[0] == 0 else "benign",
        probabilities=Probabilities(malignant=malignant, benign=benign),
    )
