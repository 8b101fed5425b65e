"""What ONNX Runtime says of a model, in the words and number formats of a manifest and a golden file."""

import numpy as np
import onnxruntime

#: What a release is proven with: one thread a session; throughput comes from many workers.
RUNTIME = {
    "onnxruntime": "1.30.0",
    "session": {
        "intraOpNumThreads": 1,
        "interOpNumThreads": 1,
        "executionMode": "sequential",
        "graphOptimizationLevel": "all",
    },
}

#: ONNX Runtime's names of element types -> the manifest's.
DTYPES = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(int64)": "int64"}


def open_session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def signature(session: onnxruntime.InferenceSession) -> dict:
    """The manifest's `inputs` and `outputs`."""

    def describe(tensor) -> dict:
        return {"name": tensor.name, "dtype": DTYPES[tensor.type], "shape": tensor.shape}

    return {
        "inputs": [describe(tensor) for tensor in session.get_inputs()],
        "outputs": [describe(tensor) for tensor in session.get_outputs()],
    }


def outputs(session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray]) -> dict:
    """A golden case's `outputs`."""
    names = [tensor.name for tensor in session.get_outputs()]
    return {
        name: {"dims": list(array.shape), "data": [number(value) for value in array.ravel()]}
        for name, array in zip(names, session.run(names, feeds))
    }


def number(value: np.generic) -> int | float:
    """The shortest JSON number that gives the same NumPy scalar back."""
    return int(value) if isinstance(value, np.integer) else float(str(value))
