"""Random graphs of layers: the same seed makes the same graph in Keras and in fastrnn."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from support.graphs import FEATURES, STEPS, VOCABULARY, add, join

UNITS = 3  # of all hidden tensors, so that any two can be added


class _Maker:
    """Grows a graph from sequences and vectors that there are.

    Args:
        k: The framework.
        rng: What decides; asked the same questions in the same order by both frameworks.
        smooth: Whether each output must be a smooth function, equal in training and inference.
    """

    def __init__(self, k: ModuleType, rng: np.random.Generator, smooth: bool) -> None:
        self.k, self.rng, self.smooth = k, rng, smooth
        tokens = k.Input((STEPS,), dtype="int32", name="tokens")
        numbers = k.Input((STEPS, FEATURES), name="numbers")
        self.inputs = [tokens, numbers]
        masks = bool(rng.integers(2))
        vectors = k.layers.Embedding(VOCABULARY, UNITS, mask_zero=masks)(tokens)
        self.sequences = [k.layers.Dense(UNITS)(numbers)]
        self.unmasked = [self.sequences[0]]  # Keras would merge masks in ways of its own
        self.sequences.append(vectors)
        self.states: list[Any] = [k.layers.GlobalAveragePooling1D()(self.sequences[0])]
        self.shared: list[Any] = []
        # Each input leads on.
        self.states.append(k.layers.GRU(UNITS)(vectors))

    def any(self, values: list[Any]) -> Any:
        return values[int(self.rng.integers(len(values)))]

    def recurrent(self, **config: Any) -> Any:
        name = self.any(["SimpleRNN", "LSTM", "GRU"])
        return getattr(self.k.layers, name)(UNITS, **config), 2 if name == "LSTM" else 1

    def grow(self) -> None:
        layers = self.k.layers
        choice = int(self.rng.integers(16))
        sequence = self.any(self.sequences)
        if choice == 0:
            layer, _ = self.recurrent(return_sequences=True)
            self.sequences.append(layer(sequence))
            self.shared.append(layer)
        elif choice == 1:
            layer, states = self.recurrent(return_sequences=True, return_state=True)
            given = [self.any(self.states) for _ in range(states)]
            outputs, *last = layer(sequence, initial_state=given)
            self.sequences.append(outputs)
            self.states += last
        elif choice == 2 and self.shared:
            self.sequences.append(self.any(self.shared)(sequence))
        elif choice == 3:
            one, other = self.any(self.unmasked), self.any(self.unmasked)
            self.unmasked.append(layers.Dense(UNITS, "tanh")(add(self.k)([one, other, one])))
            self.sequences.append(self.unmasked[-1])
        elif choice == 4:
            one, other = self.any(self.states), self.any(self.states)
            self.states.append(layers.Dense(UNITS, "tanh")(join(self.k)([one, other])))
        elif choice == 5:
            mode = self.any(["sum", "mul", "ave"])
            inside, _ = self.recurrent(return_sequences=True)
            self.sequences.append(layers.Bidirectional(inside, merge_mode=mode)(sequence))
        elif choice == 6:
            layer, _ = self.recurrent(go_backwards=bool(self.rng.integers(2)))
            self.states.append(layer(sequence))
        elif choice == 7:
            x = self.k.Input((STEPS, UNITS))
            y = layers.LayerNormalization()(layers.Dense(UNITS)(x))
            inner = self.k.Model(x, [y, layers.GRU(UNITS)(y)])
            outputs, last = inner(self.any(self.unmasked))
            self.unmasked.append(outputs)
            self.sequences.append(outputs)
            self.states.append(last)
        else:
            self.grow_unmasked(choice)

    def grow_unmasked(self, choice: int) -> None:
        layers, one, other = self.k.layers, self.any(self.unmasked), self.any(self.unmasked)
        if choice == 8:
            made = layers.RepeatVector(STEPS)(self.any(self.states))
        elif choice == 9:
            smooth = ["Subtract", "Multiply", "Average"]
            name = self.any(smooth if self.smooth else [*smooth, "Maximum", "Minimum"])
            made = getattr(layers, name)()([one, layers.Dense(UNITS)(other)])
        elif choice == 10:
            padding = self.any(["same", "causal"])
            options = {"dilation_rate": int(self.rng.integers(1, 3)), "activation": "tanh"}
            made = layers.Conv1D(UNITS, 3, padding=padding, **options)(one)
        elif choice == 11:
            pooled = layers.AveragePooling1D(2, strides=1, padding="same")
            if not self.smooth:
                pooled = layers.MaxPooling1D(2, strides=1, padding="same")
            made = layers.Cropping1D((0, 1))(layers.ZeroPadding1D((1, 0))(pooled(one)))
        elif choice == 12:
            scores = layers.Softmax(axis=-1)(layers.Dot(axes=2)([one, other]))
            made = layers.Dot(axes=[2, 1])([scores, other])
        elif choice == 14:
            causal = bool(self.rng.integers(2))
            # Without a bias: that of the keys has no gradient but rounding.
            heads = layers.MultiHeadAttention(2, 2, use_bias=False, use_gate=not causal)
            made = heads(one, layers.Dense(2)(other), use_causal_mask=causal)
        elif choice == 15:
            made = self.any(
                [
                    layers.RMSNormalization(),
                    layers.GroupNormalization(UNITS),
                    layers.UnitNormalization(),
                    layers.DepthwiseConv1D(2, padding="same"),
                    layers.SeparableConv1D(UNITS, 3, padding="same", activation="tanh"),
                ]
            )(one)
        else:
            made = layers.TimeDistributed(layers.Dense(UNITS, "softplus"))(one)
            if not self.smooth:
                made = layers.BatchNormalization()(made)
        self.unmasked.append(made)
        self.sequences.append(made)


def random_graph(k: ModuleType, seed: int, smooth: bool = False) -> Any:
    """A model of two inputs, some twenty layers, and four outputs.

    Args:
        k: The framework.
        seed: What it looks like.
        smooth: Whether to leave out layers with kinks, and those that are others in training.
    """
    rng = np.random.default_rng(seed)
    maker = _Maker(k, rng, smooth)
    for _ in range(int(rng.integers(6, 14))):
        maker.grow()
    outputs = [maker.states[-1], k.layers.Dense(2)(maker.any(maker.states))]
    outputs.append(k.layers.Dense(2)(k.layers.GRU(2)(maker.any(maker.sequences))))
    # Both inputs are needed in any case.
    outputs.append(join(k)([maker.states[0], maker.states[1]]))
    return k.Model(maker.inputs, outputs)
