"""all-MiniLM-L6-v2: the published weights -> an ONNX graph that ends in the sentence embedding. Needs no PyTorch.

The word embeddings are int8 with a scale for each row, looked up first and scaled after; every weight matrix becomes 8-bit in
blocks of 128. Both touch weights only, so that an item's result does not depend on what else is in its batch. The same bytes on
every run: `minilm_recipe.py` pins their digest.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
Weights = dict[str, np.ndarray]


@dataclass
class Graph:
    """Nodes and weights in the order in which they are named: the order is part of the bytes."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, array: np.ndarray) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))

    def number(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, np.float32))

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def linear(self, x: str, name: str, output: str) -> str:
        matrix = self.constant(f"{name}.weight_t", self.weights[f"{name}.weight"].T)
        product = self.node("MatMul", [x, matrix], f"{output}/matmul")
        return self.node("Add", [product, self.weight(f"{name}.bias")], output)

    def norm(self, x: str, name: str, output: str, epsilon: float) -> str:
        inputs = [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.node("LayerNormalization", inputs, output, axis=-1, epsilon=epsilon)


def export(weights: Weights, config: dict) -> bytes:
    """The model in ONNX, its matrices quantised."""
    return quantise(build(weights, config))


def build(weights: Weights, config: dict) -> onnx.ModelProto:
    graph, epsilon = Graph(weights), config["layer_norm_eps"]
    x = embed(graph, epsilon)
    mask = graph.node("Cast", ["attention_mask"], "mask_f", to=TensorProto.FLOAT)
    graph.number("one", 1.0)
    graph.node("Cast", ["attention_mask"], "mask_i", to=TensorProto.INT32)
    layers = config["num_hidden_layers"]
    for layer in range(layers):
        output = "last_hidden_state" if layer == layers - 1 else f"l{layer}/ln2"
        x = encode(graph, x, layer, output, config["num_attention_heads"], epsilon)
    pool(graph, x, mask)
    return wrap(graph, config["hidden_size"])


def embed(graph: Graph, epsilon: float) -> str:
    table = graph.weights["embeddings.word_embeddings.weight"]
    scale = (np.abs(table).max(1, keepdims=True) / 127).astype(np.float32)
    scale[scale == 0] = 1
    rows = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    row = graph.node("Gather", [graph.constant("word_q", rows), "input_ids"], "emb/wq")
    row = graph.node("Cast", [row], "emb/wf", to=TensorProto.FLOAT)
    words = graph.node("Mul", [row, graph.node("Gather", [graph.constant("word_scale", scale), "input_ids"], "emb/ws")], "emb/word")
    types = graph.node("Gather", [graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"], "emb/type")
    shape = graph.node("Shape", ["input_ids"], "shape")
    length = graph.node("Slice", [shape, graph.integers("c1", 1), graph.integers("c2", 2)], "seq")
    table_of_places = graph.weight("embeddings.position_embeddings.weight")
    places = graph.node("Slice", [table_of_places, graph.integers("c0", 0), length, graph.integers("ax0", 0)], "emb/pos")
    x = graph.node("Add", [graph.node("Add", [words, types], "emb/wt"), places], "emb/sum")
    return graph.norm(x, "embeddings.LayerNorm", "emb/ln", epsilon)


def encode(graph: Graph, x: str, layer: int, output: str, heads: int, epsilon: float) -> str:
    """One layer: attention, then the two-layer network, each with its residual and norm."""
    name, at = f"encoder.layer.{layer}", f"l{layer}"
    query, key, value = (graph.linear(x, f"{name}.attention.self.{part}", f"{at}/{part[0]}") for part in ("query", "key", "value"))
    context = f"{at}/ctx"
    inputs = [query, key, value, "", "mask_i"]
    graph.node("MultiHeadAttention", inputs, context, domain="com.microsoft", num_heads=heads)
    attention = graph.linear(context, f"{name}.attention.output.dense", f"{at}/ao")
    x = graph.norm(graph.node("Add", [attention, x], f"{at}/res1"), f"{name}.attention.output.LayerNorm", f"{at}/ln1", epsilon)
    inner = gelu(graph, graph.linear(x, f"{name}.intermediate.dense", f"{at}/ff1"), at)
    outer = graph.linear(inner, f"{name}.output.dense", f"{at}/ff2")
    return graph.norm(graph.node("Add", [outer, x], f"{at}/res2"), f"{name}.output.LayerNorm", output, epsilon)


def gelu(graph: Graph, x: str, at: str) -> str:
    inner = graph.node("Erf", [graph.node("Div", [x, graph.number("sqrt2", np.sqrt(2.0))], f"{at}/g1")], f"{at}/g2")
    outer = graph.node("Mul", [x, graph.node("Add", [inner, "one"], f"{at}/g3")], f"{at}/g4")
    return graph.node("Mul", [outer, graph.number("half", 0.5)], f"{at}/gelu")


def pool(graph: Graph, x: str, mask: str) -> None:
    """The mean over the tokens that are no padding, of length 1."""
    weights = graph.node("Unsqueeze", [mask, graph.integers("axm1", -1)], "mask3")
    total = graph.node("ReduceSum", [graph.node("Mul", [x, weights], "xm"), graph.integers("ax1", 1)], "sum", keepdims=0)
    count = graph.node("ReduceSum", [mask, graph.integers("ax1b", 1)], "cnt", keepdims=1)
    mean = graph.node("Div", [total, graph.node("Max", [count, graph.number("tiny", 1e-9)], "cntc")], "mean")
    length = graph.node("ReduceL2", [mean, graph.integers("ax1c", 1)], "norm", keepdims=1)
    graph.node("Div", [mean, graph.node("Max", [length, graph.number("tiny2", 1e-12)], "normc")], "sentence_embedding")


def wrap(graph: Graph, hidden: int) -> onnx.ModelProto:
    def info(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, list(shape))

    inputs = [info(name, TensorProto.INT64, "batch", "sequence") for name in INPUTS]
    outputs = [
        info("last_hidden_state", TensorProto.FLOAT, "batch", "sequence", hidden),
        info("sentence_embedding", TensorProto.FLOAT, "batch", hidden),
    ]
    body = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, outputs, list(graph.constants.values()))
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=10, producer_name="export_minilm")
    onnx.checker.check_model(model)
    return model


def quantise(model: onnx.ModelProto) -> bytes:
    config = DefaultWeightOnlyQuantConfig(
        block_size=128,
        is_symmetric=True,
        accuracy_level=4,
        quant_format=QuantFormat.QOperator,
        op_types_to_quantize=("MatMul",),
        bits=8,
    )
    quantiser = MatMulNBitsQuantizer(model, algo_config=config)
    quantiser.process()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        quantiser.model.save_model_to_file(str(path), False)
        return path.read_bytes()
