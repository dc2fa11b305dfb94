"""The table of layers: each with every argument that changes numbers."""

from __future__ import annotations

from typing import Any

from support.keras_cells import KERAS_CELLS

from golden.objects import constraint, initializer, layer, regularizer

BATCH, STEPS, FEATURES, UNITS = 3, 5, 3, 5
SEQUENCES = (BATCH, STEPS, FEATURES)
STATE = (BATCH, UNITS)


def row(
    made: dict[str, Any],
    shape: tuple[int, ...] = SEQUENCES,
    kind: str = "normal",
    *,
    batches: int = 1,
    mask: tuple[int, ...] | None = None,
    states: int = 0,
    gradients: bool = True,
    first_weights: bool = False,
) -> dict[str, Any]:
    """A layer and how it is called.

    Args:
        made: The layer.
        shape: Shape of the inputs.
        kind: What they are; see `draws.draw`.
        batches: Number of calls.
        mask: Shape of the mask, None for none.
        states: Number of initial states.
        gradients: Whether those of a further call are asked for.
        first_weights: Whether to keep the weights of the initializers, and compare them.
    """
    return {
        "layer": made,
        "shape": list(shape),
        "kind": kind,
        "batches": batches,
        "mask": None if mask is None else list(mask),
        "states": [list(STATE)] * states,
        "gradients": gradients,
        "first_weights": first_weights,
    }


CASES: dict[str, Any] = {}

# --------------------------------------------------------------------------------- recurrent layers

_ALL, _STATES, _BACK = {"return_sequences": True}, {"return_state": True}, {"go_backwards": True}
_MASK = (BATCH, STEPS)
# Arguments of the layer, and of the row: how often each cell is called on what.
_OF_EVERY_CELL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "": ({}, {}),
    "sequences": (_ALL, {"states": 1}),
    "states": ({**_ALL, **_STATES}, {"states": 1}),
    "no bias": ({"use_bias": False}, {}),
    "backwards": ({**_BACK, **_ALL, **_STATES}, {"states": 1}),
    "mask": (_ALL, {"mask": _MASK}),
    "mask states": ({**_BACK, **_STATES}, {"mask": _MASK, "states": 1}),
    "mask zeros": ({**_ALL, "zero_output_for_mask": True}, {"mask": _MASK}),
    "mask zeros backwards": ({**_ALL, **_BACK, "zero_output_for_mask": True}, {"mask": _MASK}),
    "stateful": ({**_STATES, "stateful": True}, {"batches": 3, "gradients": False}),
    "stateful gradients": ({**_ALL, "stateful": True}, {"batches": 2, "mask": _MASK}),
    "dropout off": ({"dropout": 0.3, "recurrent_dropout": 0.2}, {"gradients": False}),
    "without effect": ({"unroll": True}, {}),
}
for _cell, (_name, _config) in KERAS_CELLS.items():
    _cell = _cell.replace("_", " ")
    for _title, (_more, _asked) in _OF_EVERY_CELL.items():
        _states = _asked.get("states", 0) * (2 if _name == "LSTM" else 1)
        CASES[f"{_cell} {_title}".strip()] = row(
            layer(_name, units=UNITS, **_config, **_more), **{**_asked, "states": _states}
        )
    # More units and features than most registers have lanes.
    CASES[f"{_cell} wide"] = row(layer(_name, units=9, **_config), (2, 3, 10))

_KERNELS = [
    "linear",
    "tanh",
    "sigmoid",
    "relu",
    "hard_sigmoid",
    "softsign",
    "softplus",
    "elu",
    "selu",
    "leaky_relu",
    "relu6",
    "hard_tanh",
    "log_sigmoid",
]
for _k, _activation in enumerate(_KERNELS):
    _gate = _KERNELS[(_k + 3) % len(_KERNELS)]
    _both = {"activation": _activation, "recurrent_activation": _gate, "units": 4}
    CASES[f"simple rnn {_activation}"] = row(
        layer("SimpleRNN", units=4, activation=_activation), (2, 3, 3)
    )
    CASES[f"lstm {_activation} {_gate}"] = row(layer("LSTM", **_both), (2, 3, 3))
    CASES[f"gru {_activation} {_gate}"] = row(
        layer("GRU", **_both, reset_after=bool(_k % 2)), (2, 3, 3)
    )

_FIXED = {
    "kernel_initializer": initializer("Constant", value=0.25),
    "recurrent_initializer": initializer("Identity", gain=0.5),
    "bias_initializer": initializer("Ones"),
}
for _name, _options in (
    ("SimpleRNN", {}),
    ("LSTM", {}),
    ("LSTM", {"unit_forget_bias": False}),
    ("GRU", {}),
    ("GRU", {"reset_after": False}),
):
    _made = layer(_name, units=3, **_FIXED, **_options)
    _title = f"{_name} first weights {' '.join(_options)}".strip()
    if _name != "SimpleRNN":  # Identity needs a square
        _made["config"]["recurrent_initializer"] = initializer("Constant", value=-0.125)
    CASES[_title] = row(_made, first_weights=True, gradients=False)

# ------------------------------------------------------------------------------ cells of an `RNN`

_PARTS = ("kernel", "recurrent", "bias")
_STACK = [layer("LSTMCell", units=4), layer("GRUCell", units=3), layer("SimpleRNNCell", units=5)]
for _title, _cell in (
    ("cell", layer("GRUCell", units=UNITS, reset_after=False, use_bias=False)),
    ("stack", layer("StackedRNNCells", cells=_STACK)),
):
    _made = layer("RNN", cell=_cell, zero_output_for_mask=True, **_ALL)
    CASES[f"rnn {_title} sequences"] = row(_made, mask=_MASK)
    CASES[f"rnn {_title} backwards"] = row(layer("RNN", cell=_cell, unroll=True, **_BACK))
_CELL = layer("LSTMCell", units=UNITS, use_bias=False)
_MORE = {"stateful": True, **_STATES}
CASES["rnn cell stateful"] = row(layer("RNN", cell=_CELL, **_MORE), batches=3, gradients=False)
for _name, _gates in (
    ("SimpleRNNCell", {}),
    ("LSTMCell", {"recurrent_activation": "relu", "unit_forget_bias": False}),
    ("GRUCell", {"recurrent_activation": "relu"}),
):
    _cell = layer(
        _name,
        units=3,
        activation="softsign",
        **{name: initializer("Constant", value=0.25) for name in _FIXED},
        **{f"{part}_regularizer": regularizer("L2", l2=0.5) for part in _PARTS},
        **{f"{part}_constraint": constraint("NonNeg") for part in _PARTS},
        dropout=0.3,
        recurrent_dropout=0.2,
        **_gates,
    )
    CASES[f"rnn {_name}"] = row(layer("RNN", cell=_cell), first_weights=True, gradients=False)
CASES["rnn cell no bias"] = row(layer("RNN", cell=layer("SimpleRNNCell", units=3, use_bias=False)))

# --------------------------------------------------------------------------------- both directions


def _both_ways(name: str = "LSTM", arguments: Any = (), **config: Any) -> dict[str, Any]:
    inner = layer(name, **{"units": 4, **_ALL, **dict(arguments)})
    return layer("Bidirectional", layer=inner, **config)


for _mode in ("concat", "sum", "mul", "ave", None):
    CASES[f"bidirectional {_mode}"] = row(_both_ways(merge_mode=_mode))
    CASES[f"bidirectional {_mode} last"] = row(
        _both_ways("GRU", {"return_sequences": False}, merge_mode=_mode), mask=_MASK
    )
CASES |= {
    "bidirectional mask": row(_both_ways("SimpleRNN", merge_mode="mul"), mask=_MASK),
    "bidirectional backwards": row(
        _both_ways("GRU", _BACK, backward_layer=layer("GRU", units=4, **_ALL)), mask=_MASK
    ),
    "bidirectional states": row(
        _both_ways(arguments={**_STATES, "units": UNITS}), states=4, gradients=False
    ),
    "bidirectional own backward layer": row(
        layer(
            "Bidirectional",
            layer=layer("LSTM", units=4, **_ALL),
            backward_layer=layer("GRU", units=3, activation="relu", **_ALL, **_BACK),
        )
    ),
    "bidirectional stateful": row(_both_ways(arguments={"stateful": True}), batches=2),
}

# ---------------------------------------------------------------------------- around recurrent ones

_STEPS_OF_STEPS = (3, 2, 4, 3)
CASES |= {
    "time distributed dense": row(
        layer("TimeDistributed", layer=layer("Dense", units=4, activation="softmax")), mask=_MASK
    ),
    "time distributed lstm": row(
        layer("TimeDistributed", layer=layer("LSTM", units=4)), _STEPS_OF_STEPS
    ),
    "time distributed mask": row(
        layer("TimeDistributed", layer=layer("GRU", units=4)),
        _STEPS_OF_STEPS,
        mask=_STEPS_OF_STEPS[:3],
    ),
    "masking": row(layer("Masking"), kind="padded 0"),
    "masking value": row(layer("Masking", mask_value=-1.0), kind="padded -1"),
    "embedding": row(layer("Embedding", input_dim=9, output_dim=4), (3, 5), "tokens 9"),
    "embedding mask": row(
        layer("Embedding", input_dim=4, output_dim=3, mask_zero=True), (3, 5), "tokens 4"
    ),
    "embedding first weights": row(
        layer(
            "Embedding",
            input_dim=5,
            output_dim=5,
            embeddings_initializer=initializer("Identity", gain=0.5),
        ),
        (3, 5),
        "tokens 5",
        first_weights=True,
    ),
    "dense": row(layer("Dense", units=4, activation="sigmoid"), (5, 3)),
    "dense wide": row(layer("Dense", units=17), (3, 19)),
    "dense no bias": row(layer("Dense", units=4, use_bias=False), (5, 3)),
    "dense per step": row(layer("Dense", units=4, activation="softmax")),
    "dense first weights": row(
        layer(
            "Dense",
            units=3,
            kernel_initializer=initializer("Identity"),
            bias_initializer=initializer("Constant", value=0.5),
        ),
        (5, 3),
        first_weights=True,
    ),
    "layer normalization": row(layer("LayerNormalization")),
    "layer normalization axis": row(
        layer("LayerNormalization", axis=[1, 2], center=False, epsilon=0.3)
    ),
    "layer normalization no scale": row(layer("LayerNormalization", scale=False), (4, 6)),
    "layer normalization first weights": row(
        layer(
            "LayerNormalization",
            beta_initializer=initializer("Constant", value=0.5),
            gamma_initializer=initializer("Constant", value=0.25),
        ),
        first_weights=True,
    ),
    "average": row(layer("GlobalAveragePooling1D")),
    "average mask": row(layer("GlobalAveragePooling1D", keepdims=True), mask=_MASK),
    "average channels": row(layer("GlobalAveragePooling1D", data_format="channels_first")),
    "maximum": row(layer("GlobalMaxPooling1D", keepdims=True)),
    "maximum channels": row(layer("GlobalMaxPooling1D", data_format="channels_first")),
    "flatten": row(layer("Flatten")),
    "flatten channels": row(layer("Flatten", data_format="channels_first"), (2, 3, 4, 5)),
    "reshape": row(layer("Reshape", target_shape=[-1, 2]), (5, 2, 3)),
    "permute": row(layer("Permute", dims=[2, 1])),
    "repeat": row(layer("RepeatVector", n=3), (2, 5)),
    "elu": row(layer("ELU", alpha=0.7), (3, 4), "wide"),
    "leaky relu": row(layer("LeakyReLU", negative_slope=0.1), (3, 4), "wide"),
    "relu": row(layer("ReLU", max_value=1.2, negative_slope=0.2, threshold=0.1), (3, 4), "wide"),
    "prelu": row(layer("PReLU"), (3, 4), "wide"),
    "prelu shared": row(layer("PReLU", shared_axes=[1]), kind="wide"),
    "prelu first weights": row(
        layer(
            "PReLU",
            alpha_initializer=initializer("Constant", value=0.25),
            alpha_regularizer=regularizer("L2", l2=0.5),
            alpha_constraint=constraint("NonNeg"),
        ),
        kind="wide",
        first_weights=True,
    ),
    "softmax": row(layer("Softmax"), (3, 4)),
    "softmax axis": row(layer("Softmax", axis=1)),
    "softmax mask": row(layer("Softmax"), (3, 4), mask=(3, 4)),
    "dropout off": row(layer("Dropout", rate=0.5, noise_shape=[3, 1, 3]), gradients=False),
    "dropout of nothing": row(layer("Dropout", rate=0.0)),
    "spatial dropout off": row(layer("SpatialDropout1D", rate=0.5), gradients=False),
    "gaussian dropout off": row(layer("GaussianDropout", rate=0.5), gradients=False),
    "gaussian noise off": row(layer("GaussianNoise", stddev=0.5), gradients=False),
}
_OF_LAYERS = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
]
for _k, _activation in enumerate(_OF_LAYERS):
    CASES[f"activation {_activation}"] = row(
        layer("Activation", activation=_activation), (3, 4), "wide"
    )
    CASES[f"dense {_activation}"] = row(layer("Dense", units=4, activation=_activation), (6, 4))
