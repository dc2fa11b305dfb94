"""The golden cases leave nothing out, ask what shows, and their files are those of the table."""

from __future__ import annotations

import inspect
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn.initializers import RandomInitializer
from fastrnn.layers import serialization
from fastrnn.optimizers import schedules

from golden import case_file
from golden.answers import sequence
from golden.kinds import FOLDER, KINDS, golden, golden_file
from golden.objects import each_object, plain

MODULES: dict[str, Any] = {
    "keras.layers": fastrnn.layers,
    "keras.losses": fastrnn.losses,
    "keras.metrics": fastrnn.metrics,
    "keras.optimizers": fastrnn.optimizers,
    "keras.optimizers.schedules": schedules,
    "keras.regularizers": fastrnn.regularizers,
    "keras.constraints": fastrnn.constraints,
    "keras.initializers": fastrnn.initializers,
}
NO_CLASS_OF_ITS_OWN = {
    "Constraint": "a base",
    "Initializer": "a base",
    "Lambda": "made of a function, which no config holds",
    "Layer": "a base",
    "LearningRateSchedule": "a base",
    "Loss": "a base",
    "MeanMetricWrapper": "made of a function, which no config holds",
    "Metric": "a base",
    "Optimizer": "a base",
    "Regularizer": "a base",
    "StringLookup": "layers/test_string_lookup_vs_keras.py holds it to live Keras",
    "TextVectorization": "layers/test_text_vectorization_vs_keras.py holds it to live Keras",
}
# Arguments that no case need vary, of all classes or of those of a module.
NOT_VARIED = {
    ("", "dtype"): "float32 only",
    ("", "name"): "not a number",
    ("", "seed"): "chance",
    ("keras.layers", "flash_attention"): "not supported",
    ("keras.layers", "output_padding"): "not supported",
    ("keras.layers", "input_tensor"): "not supported",
    ("keras.layers", "lora_alpha"): "not supported",
    ("keras.layers", "lora_rank"): "not supported",
    ("keras.layers", "optional"): "not a number",
    ("keras.layers", "quantization_config"): "not supported",
    ("keras.layers", "ragged"): "not supported",
    ("keras.layers", "renorm"): "not supported",
    ("keras.layers", "renorm_clipping"): "not supported",
    ("keras.layers", "renorm_momentum"): "not supported",
    ("keras.layers", "sparse"): "not supported",
    ("keras.layers", "use_cudnn"): "without effect",
    ("keras.layers", "weights"): "Keras's configs do not hold it: see tests/layers",
    ("keras.losses", "axis"): "the last only",
    ("keras.losses", "reduction"): "what all share is asked of MeanSquaredError",
    ("keras.metrics", "axis"): "the last only",
}
# Arguments that some classes take with the default alone.
DEFAULT_ONLY = {
    **dict.fromkeys(
        (
            "AveragePooling2D",
            "Conv1DTranspose",
            "GlobalAveragePooling2D",
            "GlobalMaxPooling2D",
            "MaxPooling2D",
        ),
        ("data_format",),
    ),
    **dict.fromkeys(("Conv2D", "Conv3D"), ("data_format", "groups")),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D"), ("data_format", "return_state", "stateful")),
}
OTHER_SHAPES_OF_INPUT = ("batch_size", "shape")
NO_ACTIVATION_OF_ITS_OWN = {
    "Activation": "the class",
    "get": "not an activation",
    "hard_sigmoid_keras2": "not in Keras 3; saving/test_old_meanings.py has it",
    "hard_swish": "hard_silu",
    "serialize": "not an activation",
    "sparsemax": "does not add up to 1 in Keras 3.15.1",
    "swish": "silu",
}
OBJECTS = [
    each for module in KINDS.values() for row in module.CASES.values() for each in each_object(row)
]


def public_classes() -> list[Any]:
    """Every public class of fastrnn with a config, under its first name, that Keras has."""
    found = []
    for name, module in MODULES.items():
        for public in module.__all__:
            cls = getattr(module, public)
            if (
                inspect.isclass(cls)
                and cls.__name__ == public
                and public not in NO_CLASS_OF_ITS_OWN
                and (hasattr(cls, "get_config") or hasattr(cls, "from_config"))
                and not issubclass(cls, RandomInitializer)
                and serialization._MODULES.get(cls, "keras").startswith("keras")
            ):
                found.append(pytest.param(name, cls, id=f"{name} {public}"))
    return found


@pytest.mark.parametrize(("module", "cls"), public_classes())
def test_every_argument_of_every_class_is_varied(module: str, cls: type) -> None:
    configs = [
        each["config"]
        for each in OBJECTS
        if (each["module"], each["class_name"]) == (module, cls.__name__)
    ]
    assert configs, "a class without a golden case: write one into tests/golden/"
    left_out = [
        name
        for name, argument in inspect.signature(cls).parameters.items()
        if argument.kind is not argument.VAR_KEYWORD
        and not {("", name), (module, name)} & NOT_VARIED.keys()
        and name not in DEFAULT_ONLY.get(cls.__name__, ())
        and not (cls is fastrnn.layers.InputLayer and name in OTHER_SHAPES_OF_INPUT)
        and all(config.get(name, argument.default) == argument.default for config in configs)
    ]
    assert left_out == []


def test_every_activation_has_a_case() -> None:
    asked = {row["activation"] for row in KINDS["activations"].CASES.values()}
    assert asked | NO_ACTIVATION_OF_ITS_OWN.keys() == set(fastrnn.activations.__all__)
    of_kernels = set(fastrnn.kernels.ACTIVATIONS) - NO_ACTIVATION_OF_ITS_OWN.keys()
    for argument in ("activation", "recurrent_activation"):
        for cell in ("SimpleRNN", "LSTM", "GRU"):
            configs = [each["config"] for each in OBJECTS if each["class_name"] == cell]
            known = {config.get(argument) for config in configs}
            if cell != "SimpleRNN" or argument == "activation":
                assert known >= of_kernels, (cell, argument)


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_those_of_the_table(kind: str) -> None:
    version, cases = case_file.load(golden_file(kind))
    assert version == "3.15.1"
    rows = {name: plain(row) for name, row in KINDS[kind].CASES.items()}
    assert {name: case.row for name, case in cases.items()} == rows


def test_the_files_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.glob("*.npz")) < 600_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_answers_can_tell(kind: str) -> None:
    """Arrays of zeros, infinities and NaN would prove little."""
    for name in KINDS[kind].CASES:
        case = golden(kind, name)
        for key, answer in case.answers.items():
            assert np.isfinite(answer).mean() > 0.5, (name, key)
            if key.startswith(("gradient", "finalized")) and "extreme" not in name:
                assert np.abs(answer).max() > 1e-5, (name, key)
        if kind == "models":
            moved = [np.abs(each).max() > 1e-3 for each in sequence(case.answers, "moved")]
            assert all(moved[3:]), name  # the first layer may be frozen, and has three weights
            assert moved[:3] == [not case.row["frozen"]] * 3, name
