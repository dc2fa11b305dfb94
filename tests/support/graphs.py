"""Graphs of every shape, written once for Keras and for fastrnn, and data for them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from fastrnn import layers as own_layers

BATCH, STEPS, FEATURES, VOCABULARY = 4, 5, 3, 11


class Summed(own_layers.Layer):
    """The sum of its inputs, in the contract for several inputs."""

    takes_list = True
    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        return sum(x[1:], x[0]), len(x)

    def backward(self, cache: int, d_y: np.ndarray, input_gradient: bool = True) -> Any:
        return [d_y] * cache, []


class Joined(Summed):
    """Its inputs side by side along the last dimension."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[0][:-1], sum(shape[-1] for shape in input_shape))

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        return np.concatenate(x, axis=-1), np.cumsum([each.shape[-1] for each in x])[:-1]

    def backward(self, cache: Any, d_y: np.ndarray, input_gradient: bool = True) -> Any:
        return [np.ascontiguousarray(part) for part in np.split(d_y, cache, axis=-1)], []


def add(k: ModuleType) -> Any:
    return k.layers.Add() if hasattr(k.layers, "Add") else Summed()


def join(k: ModuleType) -> Any:
    return k.layers.Concatenate() if hasattr(k.layers, "Concatenate") else Joined()


def numbers(k: ModuleType, name: str = "numbers", steps: int = STEPS) -> Any:
    return k.Input((steps, FEATURES), name=name)


def tokens(k: ModuleType, name: str = "tokens") -> Any:
    return k.Input((STEPS,), dtype="int32", name=name)


def branches(k: ModuleType) -> Any:
    x = numbers(k)
    below = k.layers.GRU(4, return_sequences=True)(x)
    left = k.layers.LSTM(3)(below)
    right = k.layers.Dense(3, activation="tanh")(k.layers.SimpleRNN(2)(below))
    return k.Model(x, k.layers.Dense(2)(add(k)([left, right])))


def fan_out(k: ModuleType) -> Any:
    x = numbers(k)
    hidden = k.layers.Dense(3, activation="sigmoid")(x)
    merged = add(k)([hidden, hidden, k.layers.Dense(3)(hidden), x])
    return k.Model(x, [k.layers.LSTM(2)(merged), hidden])


def shared_at_two_depths(k: ModuleType) -> Any:
    x = numbers(k)
    shared = k.layers.GRU(FEATURES, return_sequences=True, kernel_regularizer="l2")
    once = shared(x)
    return k.Model(x, k.layers.Dense(1)(join(k)([once, shared(shared(once))])))


def shared_embedding(k: ModuleType) -> Any:
    question, story = tokens(k, "question"), tokens(k, "story")
    embedding = k.layers.Embedding(VOCABULARY, 4)
    left, right = k.layers.LSTM(3)(embedding(question)), k.layers.GRU(2)(embedding(story))
    scores = k.layers.Dense(3, activation="softmax")(join(k)([left, right]))
    return k.Model([question, story], scores)


def embedding_read_by_others(k: ModuleType) -> Any:
    x = tokens(k)
    vectors = k.layers.Embedding(VOCABULARY, 4)(x)
    summary = k.layers.GlobalMaxPooling1D()(vectors)
    return k.Model(x, join(k)([k.layers.LSTM(3)(vectors), k.layers.GRU(3)(vectors), summary]))


def embedding_as_output(k: ModuleType) -> Any:
    x = tokens(k)
    vectors = k.layers.Embedding(VOCABULARY, 4)(x)
    return k.Model(x, [k.layers.GRU(3)(vectors), vectors])


def two_readers_of_tokens(k: ModuleType) -> Any:
    x = tokens(k)
    vectors = k.layers.Embedding(VOCABULARY, 4, mask_zero=True)(x)
    both = k.layers.Bidirectional(k.layers.GRU(2))(vectors)
    return k.Model(x, [k.layers.LSTM(3)(vectors), both])


def encoder_decoder(k: ModuleType) -> Any:
    source, target = numbers(k, "source"), numbers(k, "target", 3)
    _, h, c = k.layers.LSTM(4, return_state=True)(source)
    decoder = k.layers.LSTM(4, return_sequences=True, return_state=True)
    outputs, _, _ = decoder(target, initial_state=[h, c])
    return k.Model([source, target], k.layers.Dense(2, activation="softmax")(outputs))


def states_through_stacks(k: ModuleType) -> Any:
    source, target = tokens(k, "source"), tokens(k, "target")
    vectors = k.layers.Embedding(VOCABULARY, 4, mask_zero=True)
    below, first = k.layers.GRU(4, return_sequences=True, return_state=True)(vectors(source))
    _, second = k.layers.GRU(3, return_state=True)(below)
    outputs = k.layers.GRU(4, return_sequences=True)(vectors(target), initial_state=first)
    outputs = k.layers.GRU(3, return_sequences=True, go_backwards=True)(
        outputs, initial_state=[second]
    )
    return k.Model([source, target], k.layers.Dense(2)(outputs))


def states_of_both_directions(k: ModuleType) -> Any:
    source, target = numbers(k, "source"), numbers(k, "target", 4)
    both = k.layers.Bidirectional(k.layers.LSTM(2, return_state=True))
    _, h, c, back_h, back_c = both(source)
    again = k.layers.Bidirectional(
        k.layers.LSTM(2, return_sequences=True, return_state=True), merge_mode="mul"
    )
    outputs, *states = again(target, initial_state=[back_h, c, h, back_c])
    decoder = k.layers.LSTM(4)
    last = decoder(
        outputs, initial_state=[join(k)([states[0], states[2]]), join(k)([back_c, states[3]])]
    )
    return k.Model([source, target], [last, states[1]])


def states_alone(k: ModuleType) -> Any:
    x = numbers(k)
    _, h, c = k.layers.LSTM(3, return_state=True, activity_regularizer="l2")(x)
    return k.Model(x, k.layers.Dense(2)(add(k)([h, c])))


def nested(k: ModuleType) -> Any:
    inner_x = k.Input((STEPS, FEATURES))
    inner_h = k.layers.GRU(3, return_sequences=True)(inner_x)
    inner = k.Model(inner_x, [k.layers.Dense(FEATURES)(inner_h), k.layers.LSTM(2)(inner_h)])
    head = k.Sequential([k.layers.Input((2,)), k.layers.Dense(3, "tanh"), k.layers.Dense(1)])
    x = numbers(k)
    sequences, summary = inner(x)
    _, again = inner(sequences)
    return k.Model(x, [head(summary), k.layers.Dense(1)(head(again))])


def nested_tokens(k: ModuleType) -> Any:
    encoder = k.Sequential(
        [
            k.layers.Input((STEPS,)),
            k.layers.Embedding(VOCABULARY, 3, mask_zero=True),
            k.layers.LSTM(3, return_sequences=True),
        ]
    )
    x = tokens(k)
    return k.Model(x, k.layers.GRU(2)(encoder(x)))


def model_for_each_step(k: ModuleType) -> Any:
    step = k.Input((FEATURES,))
    inner = k.Model(step, k.layers.Dense(2)(k.layers.Dense(4, "tanh")(step)))
    x = numbers(k)
    return k.Model(x, k.layers.GRU(2)(k.layers.TimeDistributed(inner)(x)))


def dicts(k: ModuleType) -> Any:
    b, a = numbers(k, "b"), tokens(k, "a")
    hidden = join(k)([k.layers.LSTM(3)(b), k.layers.GRU(2)(k.layers.Embedding(VOCABULARY, 2)(a))])
    second = k.layers.Dense(2, name="second")(hidden)
    return k.Model({"b": b, "a": a}, {"z": k.layers.Dense(1, name="first")(hidden), "y": second})


def probabilities_read_again(k: ModuleType) -> Any:
    x = numbers(k)
    classes = k.layers.Dense(3, activation="softmax", name="classes")(k.layers.GRU(3)(x))
    return k.Model(x, [classes, k.layers.Dense(2, name="score")(classes)])


def masks_of_outputs(k: ModuleType) -> Any:
    x = tokens(k)
    masked = k.layers.Embedding(VOCABULARY, 3, mask_zero=True)(x)
    tags = k.layers.Dense(2, name="tags")(k.layers.LSTM(3, return_sequences=True)(masked))
    return k.Model(x, [tags, k.layers.Dense(1, name="all")(k.layers.GRU(2)(masked))])


KINDS: dict[str, Callable[[ModuleType], Any]] = {
    each.__name__: each
    for each in (
        branches,
        fan_out,
        shared_at_two_depths,
        shared_embedding,
        embedding_read_by_others,
        embedding_as_output,
        two_readers_of_tokens,
        encoder_decoder,
        states_through_stacks,
        states_of_both_directions,
        states_alone,
        nested,
        nested_tokens,
        model_for_each_step,
        dicts,
        probabilities_read_again,
        masks_of_outputs,
    )
}
LOSSES = {
    "shared_embedding": "categorical_crossentropy",
    "encoder_decoder": "categorical_crossentropy",
    "probabilities_read_again": ["categorical_crossentropy", "mse"],
}


def inputs_of(model: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Data for each input of a model, in their order: tokens with padding in front, or numbers."""
    data = []
    for tensor in model.inputs:
        shape = (BATCH, *tensor.shape[1:])
        if tensor.dtype == "int32":
            values = rng.integers(1, VOCABULARY, shape)
            values[np.arange(shape[1]) < rng.integers(0, 3, (BATCH, 1))] = 0
            data.append(values.astype("int32"))
        else:
            data.append(rng.normal(size=shape).astype("f4"))
    return data


def targets_of(model: Any, rng: np.random.Generator, one_hot: bool) -> list[np.ndarray]:
    """Labels for each output of a model, in their order."""
    labels = []
    for tensor in model.outputs:
        shape = (BATCH, *tensor.shape[1:])
        if one_hot:
            ids = rng.integers(0, shape[-1], shape[:-1])
            labels.append(np.eye(shape[-1], dtype="f4")[ids])
        else:
            labels.append(rng.normal(size=shape).astype("f4"))
    return labels


def twins(name: str, keras: ModuleType, ours: ModuleType, rng: np.random.Generator) -> Any:
    """A model of Keras and one of fastrnn, with the same distinct random weights."""
    pair = KINDS[name](keras), KINDS[name](ours)
    weights = [rng.normal(0, 0.6, w.shape).astype("f4") for w in pair[0].get_weights()]
    for model in pair:
        model.set_weights(weights)
    return pair
