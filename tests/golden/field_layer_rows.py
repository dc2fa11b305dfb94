"""The table of layers over several dimensions, transposed ones, and those of given statistics."""

from __future__ import annotations

from typing import Any

from golden.layer_rows import row
from golden.objects import constraint, initializer, layer, regularizer

_FIELD, _FILM, _STEPS = (2, 5, 4, 2), (2, 3, 4, 3, 2), (2, 5, 2)
_KERNEL = {"kernel_size": 2, "filters": 2}
_FIRST = {
    "kernel_initializer": initializer("Constant", value=0.25),
    "bias_initializer": initializer("Ones"),
    "kernel_regularizer": regularizer("L2", l2=0.5),
    "bias_regularizer": regularizer("L1", l1=0.5),
    "activity_regularizer": regularizer("L2", l2=0.5),
    "kernel_constraint": constraint("NonNeg"),
    "bias_constraint": constraint("MaxNorm", max_value=0.25),
}

CASES: dict[str, Any] = {
    "rescaling": row(layer("Rescaling", scale=0.5, offset=-1.5), (3, 4)),
    "normalization of one": row(layer("Normalization", axis=[1], mean=0.25, variance=2.0), (3, 4)),
    "normalization given": row(
        layer("Normalization", mean=[0.5, -1.0], variance=[4.0, 0.25], invert=True), _STEPS
    ),
    "max pooling 2d": row(layer("MaxPooling2D", strides=1), _FIELD),
    "max pooling 2d same": row(
        layer("MaxPooling2D", pool_size=[3, 2], strides=2, padding="same"), _FIELD
    ),
    "average pooling 2d": row(layer("AveragePooling2D", pool_size=[2, 3]), _FIELD),
    "average pooling 2d same": row(
        layer("AveragePooling2D", pool_size=[3, 2], strides=[2, 1], padding="same"), _FIELD
    ),
}
for _name in ("GlobalMaxPooling2D", "GlobalAveragePooling2D"):
    CASES[_name] = row(layer(_name), _FIELD)
    CASES[f"{_name} kept"] = row(layer(_name, keepdims=True), _FIELD)

for _name, _shape in (
    ("Conv2D", _FIELD),
    ("Conv3D", _FILM),
    ("Conv1DTranspose", _STEPS),
    ("ConvLSTM1D", (2, 3, 5, 2)),
    ("ConvLSTM2D", (2, 3, 4, 3, 2)),
):
    for _title, _config in {
        "": {"activation": "softplus"},
        "strides same": {"strides": 2, "padding": "same"},
        "dilated": {"dilation_rate": 2, "padding": "same", "activation": "silu"},
        "no bias": {"use_bias": False},
    }.items():
        CASES[f"{_name} {_title}".strip()] = row(layer(_name, **_KERNEL, **_config), _shape)
    _more = {}
    if "LSTM" in _name:
        _more = {
            "recurrent_initializer": initializer("Constant", value=-0.25),
            "recurrent_regularizer": regularizer("L2", l2=0.5),
            "recurrent_constraint": constraint("NonNeg"),
            "unit_forget_bias": False,
        }
        CASES[f"{_name} sequences"] = row(
            layer(_name, return_sequences=True, padding="same", **_KERNEL), _shape
        )
        CASES[f"{_name} backwards"] = row(
            layer(
                _name,
                return_sequences=True,
                go_backwards=True,
                recurrent_activation="hard_sigmoid",
                **_KERNEL,
            ),
            _shape,
        )
        CASES[f"{_name} dropout off"] = row(
            layer(_name, dropout=0.5, recurrent_dropout=0.5, **_KERNEL), _shape, gradients=False
        )
    CASES[f"{_name} first weights"] = row(
        layer(_name, **_KERNEL, **_FIRST, **_more), _shape, first_weights=True, gradients=False
    )
    if "LSTM" in _name:
        CASES[f"{_name} forget bias"] = row(
            layer(_name, kernel_initializer="ones", recurrent_initializer="ones", **_KERNEL),
            _shape,
            first_weights=True,
            gradients=False,
        )
