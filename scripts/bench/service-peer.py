"""The peer: FastAPI on uvicorn with strict Pydantic and ONNX Runtime, without keys, metrics, traces, limits or logs."""

import json
import os
import sys
from typing import Annotated

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])


class Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    features: Annotated[list[float], Field(min_length=30, max_length=30)]


class Probabilities(BaseModel):
    malignant: float
    benign: float


class Response(BaseModel):
    label: str
    probabilities: Probabilities


app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    features = np.asarray([request.features], dtype=np.float32)
    label, probabilities = session.run(["label", "probabilities"], {"features": features})
    malignant, benign = probabilities[0].tolist()
    return Response(
        label="malignant" if label[0] == 0 else "benign",
        probabilities=Probabilities(malignant=malignant, benign=benign),
    )


config = uvicorn.Config(app, host="127.0.0.1", port=0, loop="uvloop", http="httptools", access_log=False, log_level="error")
server = uvicorn.Server(config)
sock = config.bind_socket()
print(json.dumps({"port": sock.getsockname()[1], "pid": os.getpid()}), flush=True)
server.run(sockets=[sock])
