"""The table of layers that slide windows over steps, change their number, or normalize a batch."""

from __future__ import annotations

from typing import Any

from golden.layer_rows import row
from golden.objects import initializer, layer

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
}
