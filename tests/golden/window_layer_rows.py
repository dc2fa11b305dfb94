"""The table of layers that slide windows over steps, change their number, or normalize a batch."""

from __future__ import annotations

from typing import Any

from golden.layer_rows import row
from golden.objects import constraint, initializer, layer, regularizer

_NINE_STEPS = (2, 9, 4)

CASES: dict[str, Any] = {
    "conv": row(layer("Conv1D", filters=3, kernel_size=3), _NINE_STEPS),
    "conv wide": row(layer("Conv1D", filters=18, kernel_size=5, activation="relu"), (2, 20, 17)),
    "conv strides same": row(
        layer("Conv1D", filters=3, kernel_size=4, strides=3, padding="same", activation="tanh"),
        _NINE_STEPS,
    ),
    "conv same even": row(
        layer("Conv1D", filters=3, kernel_size=4, padding="same", activation="gelu"), _NINE_STEPS
    ),
    "conv causal dilated": row(
        layer("Conv1D", filters=3, kernel_size=3, padding="causal", dilation_rate=2), _NINE_STEPS
    ),
    "conv causal strides": row(
        layer("Conv1D", filters=3, kernel_size=3, padding="causal", strides=2), _NINE_STEPS
    ),
    "conv same dilated": row(
        layer("Conv1D", filters=3, kernel_size=3, padding="same", dilation_rate=3), _NINE_STEPS
    ),
    "conv groups": row(
        layer("Conv1D", filters=6, kernel_size=2, groups=2, activation="softmax"), _NINE_STEPS
    ),
    "conv no bias": row(layer("Conv1D", filters=3, kernel_size=1, use_bias=False), _NINE_STEPS),
    "conv channels": row(
        layer("Conv1D", filters=3, kernel_size=2, data_format="channels_first"), (2, 4, 7)
    ),
    "conv first weights": row(
        layer(
            "Conv1D",
            filters=3,
            kernel_size=2,
            kernel_initializer=initializer("Constant", value=0.25),
            bias_initializer=initializer("Ones"),
        ),
        _NINE_STEPS,
        first_weights=True,
    ),
    "max pooling": row(layer("MaxPooling1D"), _NINE_STEPS),
    "max pooling strides": row(layer("MaxPooling1D", pool_size=4, strides=2), _NINE_STEPS),
    "max pooling same": row(
        layer("MaxPooling1D", pool_size=3, strides=2, padding="same"), (2, 8, 3)
    ),
    "max pooling gaps": row(layer("MaxPooling1D", pool_size=2, strides=3), _NINE_STEPS),
    "max pooling channels": row(
        layer("MaxPooling1D", pool_size=2, data_format="channels_first"), (2, 3, 7)
    ),
    "max pooling ties": row(layer("MaxPooling1D", pool_size=3, strides=1), (2, 9, 4), "binary"),
    "average pooling": row(layer("AveragePooling1D", pool_size=2), _NINE_STEPS),
    "average pooling same": row(
        layer("AveragePooling1D", pool_size=4, strides=3, padding="same"), _NINE_STEPS
    ),
    "average pooling channels": row(
        layer("AveragePooling1D", pool_size=3, strides=1, data_format="channels_first"), (2, 3, 7)
    ),
    "zero padding": row(layer("ZeroPadding1D", padding=[1, 2])),
    "zero padding channels": row(layer("ZeroPadding1D", padding=2, data_format="channels_first")),
    "cropping": row(layer("Cropping1D", cropping=[1, 2])),
    "cropping one end": row(layer("Cropping1D", cropping=[2, 0])),
    "up sampling": row(layer("UpSampling1D", size=3)),
    "identity": row(layer("Identity"), mask=(3, 5)),
    "batch normalization": row(layer("BatchNormalization")),
    "batch normalization vectors": row(
        layer("BatchNormalization", epsilon=0.2, momentum=0.7), (6, 4)
    ),
    "batch normalization mask": row(layer("BatchNormalization", momentum=0.5), mask=(3, 5)),
    "batch normalization axis": row(layer("BatchNormalization", axis=1), (4, 3, 5)),
    "batch normalization axis mask": row(
        layer("BatchNormalization", axis=1, scale=False), (4, 3, 5), mask=(4, 3)
    ),
    "batch normalization neither": row(
        layer("BatchNormalization", center=False, scale=False, synchronized=True), (6, 4)
    ),
    "batch normalization frozen": row(layer("BatchNormalization", trainable=False)),
    "batch normalization first weights": row(
        layer(
            "BatchNormalization",
            beta_initializer=initializer("Constant", value=0.5),
            gamma_initializer=initializer("Constant", value=0.25),
            moving_mean_initializer=initializer("Constant", value=0.75),
            moving_variance_initializer=initializer("Constant", value=2.0),
        ),
        first_weights=True,
    ),
    "time distributed batch normalization": row(
        layer("TimeDistributed", layer=layer("BatchNormalization", momentum=0.5)), (4, 3, 5)
    ),
    "time distributed conv": row(
        layer("TimeDistributed", layer=layer("Conv1D", filters=2, kernel_size=2)), (2, 3, 5, 3)
    ),
    "time distributed max pooling": row(
        layer("TimeDistributed", layer=layer("MaxPooling1D", pool_size=2)), (2, 3, 5, 3)
    ),
    "rms normalization": row(layer("RMSNormalization")),
    "rms normalization epsilon": row(layer("RMSNormalization", epsilon=0.5), (5, 4)),
    "rms normalization axes": row(layer("RMSNormalization", axis=[-1, -2]), (3, 2, 4)),
    "group normalization": row(layer("GroupNormalization", groups=2), (3, 5, 4), mask=(3, 5)),
    "group normalization vectors": row(
        layer("GroupNormalization", groups=3, epsilon=0.2, center=False), (3, 6)
    ),
    "group normalization each": row(layer("GroupNormalization", groups=-1, scale=False)),
    "group normalization axis": row(layer("GroupNormalization", groups=2, axis=1), (3, 4, 5)),
    "group normalization axis behind": row(
        layer("GroupNormalization", groups=2, axis=-2), (2, 3, 4, 2)
    ),
    "group normalization first weights": row(
        layer(
            "GroupNormalization",
            groups=1,
            beta_initializer=initializer("Constant", value=0.5),
            gamma_initializer=initializer("Constant", value=0.25),
            beta_regularizer=regularizer("L1", l1=0.5),
            gamma_regularizer=regularizer("L2", l2=0.5),
            beta_constraint=constraint("NonNeg"),
            gamma_constraint=constraint("UnitNorm"),
        ),
        first_weights=True,
    ),
    "unit normalization": row(layer("UnitNormalization"), mask=(3, 5)),
    "unit normalization axes": row(layer("UnitNormalization", axis=[1, -1])),
    "alpha dropout off": row(
        layer("AlphaDropout", rate=0.5, noise_shape=[3, 1, 3]), gradients=False
    ),
    "activity regularization": row(layer("ActivityRegularization", l1=0.25, l2=0.5), mask=(3, 5)),
}

# --------------------------------------------------------------- convolutions of each feature

_SHORT = (2, 7, 3)
_ONE_BY_ONE = {"padding": "same", "dilation_rate": 2, "activation": "softmax"}
_FIRST = {
    "bias_initializer": initializer("Ones"),
    "bias_regularizer": regularizer("L1", l1=0.5),
    "bias_constraint": constraint("MaxNorm", max_value=0.25),
    "activity_regularizer": regularizer("L2", l2=0.5),
}
for _name, _more, _parts in (
    ("DepthwiseConv1D", {}, ["depthwise"]),
    ("SeparableConv1D", {"filters": 4}, ["depthwise", "pointwise"]),
):
    for _title, _config in {
        "": {"kernel_size": 3},
        "strides same": {"kernel_size": 4, "strides": 3, "padding": "same", "activation": "tanh"},
        "dilated": {"kernel_size": 2, "depth_multiplier": 2, **_ONE_BY_ONE},
        "strides no bias": {"kernel_size": 2, "strides": 2, "use_bias": False},
    }.items():
        CASES[f"{_name} {_title}".strip()] = row(layer(_name, **_more, **_config), _SHORT)
    CASES[f"{_name} channels"] = row(
        layer(_name, **_more, kernel_size=2, data_format="channels_first"), (2, 3, 7)
    )
    _of_parts: dict[str, Any] = {}
    for _k, _part in enumerate(_parts):
        _of_parts |= {
            f"{_part}_initializer": initializer("Constant", value=0.25 * (1 + _k)),
            f"{_part}_regularizer": regularizer("L2", l2=0.5),
            f"{_part}_constraint": constraint("NonNeg"),
        }
    CASES[f"{_name} first weights"] = row(
        layer(_name, kernel_size=2, **_more, **_FIRST, **_of_parts),
        _SHORT,
        first_weights=True,
        gradients=False,
    )
