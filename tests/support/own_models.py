"""Models as classes with a `call`, for fastrnn and for Keras, with functional twins."""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(3)
TOKENS = RNG.integers(1, 9, (20, 6))
TOKENS[4:9, 3:] = 0
TOKENS[12, 1:] = 0
X = RNG.normal(size=(20, 6, 3)).astype(np.float32)
Z = RNG.normal(size=(20, 2)).astype(np.float32)
Y = RNG.normal(size=(20, 1)).astype(np.float32)
PER_STEP = RNG.normal(size=(20, 6, 1)).astype(np.float32)


def classes(library: Any, ops: Any) -> dict[str, type]:
    """Return classes by their names.

    Args:
        library: `fastrnn`, or `keras`.
        ops: Its `ops`.
    """
    layers = library.layers

    class Masked(library.Model):  # type: ignore[misc]
        """Tokens, a mask, layers in a list and in a dict."""

        def __init__(self, units: int = 4, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.blocks = []
            self.heads = {"last": layers.Dense(1), "hidden": layers.Dense(3, activation="tanh")}
            self.table = layers.Embedding(9, 3, mask_zero=True)
            self.blocks.append(layers.LSTM(units, return_sequences=True))
            self.blocks.append(layers.Bidirectional(layers.GRU(3)))

        def call(self, inputs: Any, training: Any = None) -> Any:
            x = self.table(inputs)
            for block in self.blocks:
                x = block(x)
            return self.heads["last"](self.heads["hidden"](x))

    class Inner(library.Model):  # type: ignore[misc]
        """A model inside another, with a weight of its own, a regularizer and `build`."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rnn = layers.GRU(3, return_sequences=True, kernel_regularizer="l2")

        def build(self, input_shape: Any) -> None:
            self.shift = self.add_weight(name="shift", shape=(input_shape[-1],))
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.rnn(inputs + self.shift)

    class Nested(library.Model):  # type: ignore[misc]
        """Models inside: one of this kind and a Sequential; the input is used twice."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = Inner()
            self.norm = layers.BatchNormalization()
            self.stack = library.Sequential(
                [layers.SimpleRNN(4, return_sequences=True), layers.Dense(1)]
            )

        def call(self, inputs: Any, training: Any = None) -> Any:
            x = self.norm(self.inner(inputs), training=training)
            return self.stack(ops.concatenate([x, inputs], axis=-1))

    class Pair(library.Model):  # type: ignore[misc]
        """Two inputs in a dict, two outputs in a dict, losses added in the call."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rnn = layers.GRU(4, return_state=True, return_sequences=True)
            self.side = layers.Dense(4)
            self.out = layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            steps, last = self.rnn(inputs["x"], initial_state=self.side(inputs["z"]))
            self.add_loss(0.1 * ops.mean(ops.square(last)))
            return {"steps": self.out(steps), "last": self.out(last)}

    class Listed(library.Model):  # type: ignore[misc]
        """Two inputs and two outputs in lists."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rnn = layers.LSTM(4)
            self.one = layers.Dense(1, activity_regularizer="l2")
            self.two = layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            x, z = inputs
            state = self.rnn(x) * ops.mean(z, axis=-1, keepdims=True)
            return [self.one(state), self.two(state)]

    return {
        "Masked": Masked,
        "Inner": Inner,
        "Nested": Nested,
        "Pair": Pair,
        "Listed": Listed,
    }


DATA: dict[str, tuple[Any, Any]] = {
    "Masked": (TOKENS, Y),
    "Nested": (X, PER_STEP),
    "Pair": ({"x": X, "z": Z}, {"steps": PER_STEP, "last": Y}),
    "Listed": ([X, Z], [Y, Z]),
}


def spread(model: Any, seed: int = 0) -> None:
    """Give all weights distinct values.

    Args:
        model: A model that is built.
        seed: Which ones.
    """
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            np.abs(values) + rng.random(values.shape) * 0.1
            if "variance" in weight.path
            else rng.normal(size=values.shape) * 0.4
            for weight, values in zip(model.weights, model.get_weights(), strict=True)
        ]
    )
