"""The table of models: many-to-one, many-to-many, encoder-decoder, stacked, and how they train."""

from __future__ import annotations

from typing import Any

from golden.objects import constraint, layer, loss, metric, optimizer, regularizer, schedule

SAMPLES, BATCH, STEPS, FEATURES, VOCABULARY = 6, 3, 4, 3, 5
TOKENS = {"kind": f"tokens {VOCABULARY}", "shape": [STEPS]}
SEQUENCES = {"kind": "normal", "shape": [STEPS, FEATURES]}
PADDED = {"kind": "padded -1", "shape": [STEPS, FEATURES]}
LABEL = {"kind": "binary", "shape": [1]}
SGD = optimizer("SGD", learning_rate=0.3)


def row(
    layers: list[dict[str, Any]],
    x: dict[str, Any] = SEQUENCES,
    y: dict[str, Any] = LABEL,
    *,
    weights: tuple[int, ...] | None = None,
    callbacks: Any = (),
    frozen: Any = (),
    fit: Any = (),
    samples: int = SAMPLES,
    **compiled: Any,
) -> dict[str, Any]:
    """A model, its data, and how it is trained.

    Args:
        layers: Its layers.
        x: Kind and shape of a sample.
        y: Kind and shape of its label.
        weights: Shape of its sample weight; None for none.
        callbacks: Pairs of a name and arguments.
        frozen: Numbers of layers that are not trained.
        fit: Arguments of `fit`; two epochs unless it says otherwise.
        samples: Number of samples.
        compiled: Arguments of `compile`; mse and SGD unless it says otherwise.
    """
    return {
        "layers": layers,
        "x": x,
        "y": y,
        "samples": samples,
        "batch_size": BATCH,
        "weights": None if weights is None else list(weights),
        "callbacks": [list(each) for each in callbacks],
        "frozen": list(frozen),
        "fit": {"epochs": 2, **dict(fit)},
        "compile": {"loss": "mse", "optimizer": SGD, **compiled},
    }


def dense(units: int = 1, **config: Any) -> dict[str, Any]:
    return layer("Dense", units=units, **config)


def embedding(mask_zero: bool = True, **config: Any) -> dict[str, Any]:
    return layer("Embedding", input_dim=VOCABULARY, output_dim=3, mask_zero=mask_zero, **config)


def sequences(name: str, units: int = 4, **config: Any) -> dict[str, Any]:
    return layer(name, units=units, return_sequences=True, **config)


def per_step(units: int, **config: Any) -> dict[str, Any]:
    return layer("TimeDistributed", layer=dense(units, **config))


def input_of(x: dict[str, Any]) -> dict[str, Any]:
    return layer("InputLayer", batch_shape=[BATCH, *x["shape"]])


VECTOR = {"kind": "normal", "shape": [2]}
CLASS = {"kind": "ids 3", "shape": []}
CLASSES = {"kind": "ids 3", "shape": [STEPS]}
ONE_HOT = {"kind": "one_hot", "shape": [STEPS, 3]}
TARGETS = {"kind": "normal", "shape": [STEPS, 2]}
_MASKING = layer("Masking", mask_value=-1.0)
_SIGMOID = dense(activation="sigmoid")

CASES: dict[str, Any] = {
    "many to one": row(
        [embedding(), layer("LSTM", units=4), _SIGMOID],
        TOKENS,
        loss="binary_crossentropy",
        metrics=["accuracy", metric("AUC", name="auc")],
    ),
    "many to one of numbers": row(
        [layer("GRU", units=4), dense()],
        optimizer=optimizer("Adam", learning_rate=0.05),
        metrics=["mae", metric("RootMeanSquaredError")],
    ),
    "classes": row(
        [layer("SimpleRNN", units=4), dense(3, activation="softmax")],
        y=CLASS,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy", metric("SparseTopKCategoricalAccuracy", k=2)],
        optimizer=optimizer("RMSprop", learning_rate=0.05),
    ),
    "logits": row(
        [layer("GRU", units=4, reset_after=False), dense()],
        loss=loss("BinaryCrossentropy", from_logits=True, label_smoothing=0.1),
        metrics=[metric("BinaryAccuracy", threshold=0.0)],
        optimizer=optimizer("Nadam", learning_rate=0.05),
    ),
    "many to many": row(
        [embedding(), sequences("GRU"), per_step(3, activation="softmax")],
        TOKENS,
        CLASSES,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    ),
    "many to many weighted": row(
        [_MASKING, sequences("LSTM"), dense(3, activation="softmax")],
        PADDED,
        ONE_HOT,
        weights=(STEPS,),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy", "mse"],
    ),
    "encoder decoder": row(
        [
            _MASKING,
            layer("LayerNormalization"),
            layer("LSTM", units=4),
            layer("RepeatVector", n=STEPS),
            sequences("LSTM"),
            per_step(2),
        ],
        PADDED,
        TARGETS,
        optimizer=optimizer("Adam", learning_rate=0.05, amsgrad=True),
    ),
    "stacked": row(
        [embedding(), sequences("SimpleRNN"), sequences("LSTM"), layer("GRU", units=4), dense(2)],
        TOKENS,
        VECTOR,
    ),
    "bidirectional": row(
        [
            embedding(),
            layer("Bidirectional", layer=sequences("LSTM", 3)),
            layer("Bidirectional", layer=sequences("SimpleRNN", 3), merge_mode="mul"),
            layer("Bidirectional", layer=layer("GRU", units=3), merge_mode="ave"),
            dense(2),
        ],
        TOKENS,
        VECTOR,
        optimizer=optimizer("SGD", learning_rate=1.0),
    ),
    "average of steps": row(
        [embedding(), sequences("SimpleRNN"), layer("GlobalAveragePooling1D"), dense(2)],
        TOKENS,
        VECTOR,
        loss=loss("Huber", delta=0.5),
    ),
    "normalized": row(
        [
            dense(4, activation="silu"),
            layer("LayerNormalization"),
            sequences("GRU"),
            layer("Activation", activation="relu"),
            layer("GlobalMaxPooling1D"),
            dense(2),
        ],
        y=VECTOR,
        loss="mae",
    ),
    "shapes": row(
        [
            layer("Permute", dims=[2, 1]),
            sequences("GRU"),
            layer("Flatten"),
            layer("Reshape", target_shape=[2, -1]),
            layer("SimpleRNN", units=3),
            dense(2),
            layer("LeakyReLU", negative_slope=0.2),
        ],
        y=VECTOR,
    ),
    "backwards": row(
        [sequences("LSTM", go_backwards=True), layer("GRU", units=3, go_backwards=True), dense()]
    ),
    "stateful": row(
        [
            input_of(SEQUENCES),
            sequences("LSTM", stateful=True),
            layer("GRU", units=3, stateful=True),
            dense(),
        ],
    ),
    "frozen": row([sequences("LSTM"), layer("GRU", units=3), dense()], frozen=[0]),
    "no bias": row(
        [embedding(), layer("LSTM", units=4, use_bias=False), dense(use_bias=False)], TOKENS
    ),
    "sample weights": row(
        [layer("LSTM", units=4), _SIGMOID],
        weights=(),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy", metric("Precision", name="precision")],
        loss_weights=0.7,
    ),
    "class weights": row(
        [layer("GRU", units=4), dense(3, activation="softmax")],
        y=CLASS,
        loss="sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
        fit={"class_weight": [0.5, 2.0, 1.25]},
    ),
    "validation": row(
        [layer("LSTM", units=4), dense()],
        samples=9,
        fit={"validation_split": 0.34, "validation_freq": 2, "epochs": 5, "initial_epoch": 1},
        metrics=["mse"],
    ),
    "reduced reduction": row(
        [sequences("GRU"), dense(2)], y=TARGETS, loss=loss("MeanSquaredError", reduction="sum")
    ),
    "schedule": row(
        [layer("GRU", units=4), dense()],
        optimizer=optimizer(
            "SGD",
            learning_rate=schedule(
                "ExponentialDecay", initial_learning_rate=0.4, decay_steps=2, decay_rate=0.3
            ),
            momentum=0.8,
            nesterov=True,
            clipnorm=0.4,
        ),
    ),
    "averaged": row(
        [layer("LSTM", units=4), dense()],
        optimizer=optimizer("Adam", learning_rate=0.1, use_ema=True, ema_momentum=0.6),
    ),
    "reduce on plateau": row(
        [layer("GRU", units=4), dense()],
        fit={"epochs": 4},
        callbacks=[("ReduceLROnPlateau", {"monitor": "loss", "patience": 1, "min_delta": 9.0})],
    ),
    "rate of the epoch": row(
        [layer("LSTM", units=4), dense()],
        optimizer=optimizer("Adagrad", learning_rate=0.2),
        callbacks=[("LearningRateScheduler", {"schedule": "halved"})],
    ),
    "steps": row(
        [layer("SimpleRNN", units=4), dense()],
        samples=12,
        fit={"steps_per_epoch": 2},
        optimizer=optimizer("AdamW", learning_rate=0.05, weight_decay=0.1),
    ),
    "early stopping": row(
        [layer("LSTM", units=4), dense()],
        fit={"epochs": 6, "validation_split": 0.5},
        optimizer=optimizer("SGD", learning_rate=1.5),
        callbacks=[("EarlyStopping", {"patience": 1, "restore_best_weights": True})],
    ),
}

# An own factor for each, so that no two can be confused.
_PENALTIES = {
    "kernel_regularizer": regularizer("L2", l2=0.05),
    "recurrent_regularizer": regularizer("L1", l1=0.02),
    "bias_regularizer": regularizer("L1L2", l1=0.03, l2=0.06),
    "activity_regularizer": regularizer("L2", l2=0.04),
}
_PROJECTIONS = {
    "kernel_constraint": constraint("MaxNorm", max_value=0.6),
    "recurrent_constraint": constraint("UnitNorm", axis=1),
    "bias_constraint": constraint("NonNeg"),
}
_OF_DENSE = {
    key: value
    for key, value in {**_PENALTIES, **_PROJECTIONS}.items()
    if not key.startswith("recurrent")
}
for _name in ("SimpleRNN", "LSTM", "GRU"):
    CASES[f"{_name} regularized"] = row([sequences(_name, **_PENALTIES), dense(2)], y=TARGETS)
    CASES[f"{_name} constrained"] = row([layer(_name, units=4, **_PROJECTIONS), dense()])
CASES |= {
    "bidirectional regularized": row(
        [
            layer(
                "Bidirectional",
                layer=sequences("GRU", 3, **_PENALTIES, **_PROJECTIONS),
                merge_mode="mul",
                activity_regularizer=regularizer("L1", l1=0.01),
            ),
            layer("LSTM", units=3),
            dense(),
        ]
    ),
    "dense regularized": row(
        [layer("SimpleRNN", units=4), dense(4, activation="tanh", **_OF_DENSE), _SIGMOID],
        loss="binary_crossentropy",
    ),
    "embedding regularized": row(
        [
            embedding(
                embeddings_regularizer=regularizer("L1L2", l1=0.02, l2=0.03),
                embeddings_constraint=constraint(
                    "MinMaxNorm", min_value=0.5, max_value=0.9, rate=0.8, axis=1
                ),
                activity_regularizer=regularizer("L1", l1=0.05),
            ),
            layer("GRU", units=4),
            dense(),
        ],
        TOKENS,
    ),
    "normalization regularized": row(
        [
            sequences("SimpleRNN"),
            layer(
                "LayerNormalization",
                gamma_regularizer=regularizer("L2", l2=0.05),
                beta_regularizer=regularizer("L1", l1=0.03),
                gamma_constraint=constraint("NonNeg"),
                beta_constraint=constraint("MaxNorm", max_value=0.3),
            ),
            layer("LSTM", units=4),
            dense(),
        ]
    ),
    "time distributed regularized": row(
        [
            sequences("SimpleRNN"),
            layer(
                "TimeDistributed",
                layer=dense(2, kernel_regularizer=regularizer("OrthogonalRegularizer", factor=0.2)),
                activity_regularizer=regularizer("L1", l1=0.05),
            ),
        ],
        y=TARGETS,
    ),
}

# Layers that are no recurrent ones between those that are.
CASES |= {
    "convolution": row(
        [
            layer("Conv1D", filters=4, kernel_size=2, activation="relu", **_OF_DENSE),
            layer("MaxPooling1D", pool_size=2, strides=1),
            layer("LSTM", units=4),
            dense(),
        ]
    ),
    "batch normalization": row(
        [
            layer("Conv1D", filters=3, kernel_size=3, padding="causal", use_bias=False),
            layer(
                "BatchNormalization",
                momentum=0.6,
                gamma_regularizer=regularizer("L2", l2=0.05),
                beta_regularizer=regularizer("L1", l1=0.03),
                gamma_constraint=constraint("NonNeg"),
                beta_constraint=constraint("MaxNorm", max_value=0.3),
            ),
            layer("GRU", units=4),
            layer("BatchNormalization"),
            dense(),
        ]
    ),
    "batch normalization masked": row(
        [_MASKING, layer("BatchNormalization", momentum=0.5), sequences("LSTM"), dense(2)],
        PADDED,
        TARGETS,
    ),
    "batch normalization frozen": row(
        [layer("BatchNormalization", center=False), layer("SimpleRNN", units=4), dense()],
        frozen=[0],
    ),
    "average pooling": row(
        [
            sequences("GRU"),
            layer("AveragePooling1D", pool_size=2, padding="same"),
            layer("Flatten"),
            dense(),
        ]
    ),
}
