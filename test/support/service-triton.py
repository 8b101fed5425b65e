"""Speaks to a running Sluice with NVIDIA's own client, unchanged; prints what it saw as JSON."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

address, key = sys.argv[1], sys.argv[2]
headers = {"authorization": f"Bearer {key}"}
client = triton.InferenceServerClient(address)
features = np.arange(30, dtype=np.float32).reshape(1, 30)


def infer(binary_in: bool, outputs, **more):
    tensor = triton.InferInput("features", list(features.shape), "FP32")
    tensor.set_data_from_numpy(features, binary_data=binary_in)
    # The client writes its own header into the dictionary that it is given: hence a copy for each call.
    result = client.infer("tabular", [tensor], outputs=outputs, headers=dict(headers), **more)
    return {name: result.as_numpy(name).tolist() for name in ("label", "probabilities")}


def asked(binary: bool):
    return [triton.InferRequestedOutput(name, binary_data=binary) for name in ("label", "probabilities")]


def refused() -> str:
    tensor = triton.InferInput("features", [1, 2], "FP32")
    tensor.set_data_from_numpy(features[:, :2], binary_data=True)
    try:
        client.infer("tabular", [tensor], headers=dict(headers))
    except InferenceServerException as error:
        return error.message()
    return "nothing was refused"


print(
    json.dumps(
        {
            "live": client.is_server_live(headers=headers),
            "ready": client.is_server_ready(headers=headers),
            "modelReady": client.is_model_ready("tabular", "1.0.0", headers=headers),
            "extensions": client.get_server_metadata(headers=headers)["extensions"],
            "inputs": client.get_model_metadata("tabular", headers=headers)["inputs"],
            "answers": [
                infer(True, None),
                infer(False, None),
                infer(True, asked(True)),
                infer(True, asked(False)),
                infer(False, asked(False), request_id="7", model_version="1.0.0"),
            ],
            "refused": refused(),
        }
    )
)
