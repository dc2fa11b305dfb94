"""Graphs of every shape, written once for Keras and for fastrnn, and data for them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

BATCH, STEPS, FEATURES, VOCABULARY = 4, 5, 3, 11


def add(k: ModuleType) -> Any:
    return k.layers.Add()


def join(k: ModuleType) -> Any:
    return k.layers.Concatenate()


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


def masks_through_merges(k: ModuleType) -> Any:
    x, other = tokens(k), tokens(k, "other")
    left = k.layers.Embedding(VOCABULARY, 3, mask_zero=True)(x)
    right = k.layers.Embedding(VOCABULARY, 3, mask_zero=True)(other)
    product = k.layers.LSTM(2, return_sequences=True)(k.layers.Multiply()([left, right]))
    joined = k.layers.Concatenate()([product, right])
    tags = k.layers.Dense(2, name="tags")(k.layers.GRU(3, return_sequences=True)(joined))
    steps = k.layers.Concatenate(axis=1)([left, right])
    return k.Model([x, other], [tags, k.layers.Dense(1, name="all")(k.layers.LSTM(2)(steps))])


def all_merges(k: ModuleType) -> Any:
    x = numbers(k)
    a, b = (k.layers.GRU(3, return_sequences=True)(x) for _ in range(2))
    last = k.layers.SimpleRNN(3)(x)
    merged = [
        k.layers.Subtract()([a, b]),
        k.layers.Multiply()([a, b, b]),
        k.layers.Maximum()([a, b]),
        k.layers.Minimum()([a, b, x]),
        k.layers.Average()([a, b, last]),
    ]
    return k.Model(x, k.layers.LSTM(2)(k.layers.concatenate(merged)))


def attention_by_dot(k: ModuleType) -> Any:
    source, target = numbers(k, "source"), numbers(k, "target", 3)
    keys = k.layers.Bidirectional(k.layers.GRU(2, return_sequences=True))(source)
    queries = k.layers.LSTM(4, return_sequences=True)(target)
    scores = k.layers.Dot(axes=[2, 2])([queries, keys])
    context = k.layers.Dot(axes=[2, 1])([k.layers.Softmax(axis=-1)(scores), keys])
    return k.Model([source, target], k.layers.Dense(2)(join(k)([context, queries])))


def attention_of_heads(k: ModuleType) -> Any:
    """Masks, residual paths and two readers of the encoded source, as in a Transformer.

    Without biases: that of the keys has no gradient but rounding.
    """
    plain = {"use_bias": False}
    source, target = tokens(k, "source"), tokens(k, "target")
    table = k.layers.Embedding(VOCABULARY, 4, mask_zero=True)
    encoded, decoded = table(source), table(target)
    attended = k.layers.MultiHeadAttention(2, 3, **plain)(encoded, encoded)
    encoded = k.layers.LayerNormalization()(add(k)([encoded, attended]))
    for _ in range(2):
        own = k.layers.MultiHeadAttention(2, 2, **plain)(decoded, decoded, use_causal_mask=True)
        decoded = add(k)([decoded, own])
        seen = k.layers.MultiHeadAttention(1, 3, use_gate=True, **plain)(decoded, encoded)
        decoded = add(k)([decoded, seen])
    ends = [k.layers.GRU(2)(decoded), k.layers.Dense(3)(seen)]
    return k.Model([source, target], ends)


def convolutions(k: ModuleType) -> Any:
    x = numbers(k)
    wide = k.layers.Conv1D(4, 3, padding="same", activation="relu")(x)
    near = k.layers.Conv1D(4, 2, padding="causal", use_bias=False)(x)
    both = k.layers.BatchNormalization()(add(k)([wide, near]))
    pooled = k.layers.MaxPooling1D(2, padding="same")(both)
    longer = k.layers.Cropping1D((1, 0))(k.layers.UpSampling1D(2)(pooled))
    mean = k.layers.AveragePooling1D(2, strides=1)(k.layers.ZeroPadding1D((1, 0))(x))
    merged = join(k)([longer, mean])
    summary = k.layers.GlobalAveragePooling1D()(both)
    return k.Model(x, [k.layers.GRU(3)(merged), k.layers.Dense(1)(summary)])


def operators(k: ModuleType) -> Any:
    x = numbers(k)
    h = k.layers.GRU(FEATURES, return_sequences=True)(x)
    mixed = (h + x) * 0.5 - x[:, ::2][:, :1] / 3
    gate = 1 - mixed[:, -1, :] * mixed[:, 0] ** 2
    constant = np.linspace(-1, 1, STEPS * FEATURES, dtype="f4").reshape(STEPS, FEATURES)
    return k.Model(x, [k.layers.Dense(2)(gate), k.layers.LSTM(2)(-mixed * constant + constant)])


def functions(k: ModuleType) -> Any:
    x, ops = numbers(k), k.ops
    h = k.layers.SimpleRNN(4, return_sequences=True)(x)
    left, right = ops.split(h, 2, axis=-1)
    joined = ops.concatenate([ops.tanh(left), ops.maximum(right, 0.1), x], axis=-1)
    wide = ops.reshape(ops.expand_dims(joined, -1), (-1, STEPS * 7))
    kept = ops.where(x > 0, x, ops.exp(x))
    pooled = ops.stack([ops.mean(h, axis=1), ops.max(h, axis=1)], axis=1)
    outputs = [k.layers.Dense(2)(wide), k.layers.GRU(2)(kept), k.layers.Dense(1)(pooled)]
    return k.Model(x, [*outputs, ops.sum(h / 10, axis=(1, 2), keepdims=True)])


def attention_by_operators(k: ModuleType) -> Any:
    source, target, ops = numbers(k, "source"), numbers(k, "target", 3), k.ops
    keys = k.layers.LSTM(4, return_sequences=True)(source)
    queries = k.layers.GRU(4, return_sequences=True)(target)
    scores = queries @ ops.transpose(keys, (0, 2, 1)) / 2
    context = ops.einsum("bts,bsf->btf", ops.softmax(scores, axis=-1), keys)
    return k.Model([source, target], k.layers.Dense(2)(context + queries))


def masks_of_operations(k: ModuleType) -> Any:
    x = tokens(k)
    vectors = k.layers.Embedding(VOCABULARY, 3, mask_zero=True)(x)
    lost = k.layers.GRU(2)(vectors * 2)
    other = k.layers.Embedding(VOCABULARY, 3)(x)
    by_hand = k.layers.LSTM(3)(other, mask=x > 2)
    one_hot = k.ops.one_hot(x, VOCABULARY)
    return k.Model(x, [lost, by_hand, k.layers.Dense(1)(k.ops.mean(one_hot, axis=1))])


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
        masks_through_merges,
        all_merges,
        attention_by_dot,
        attention_of_heads,
        convolutions,
        operators,
        functions,
        attention_by_operators,
        masks_of_operations,
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


def in_structure(values: list[Any], structure: Any) -> Any:
    """Values for each input or output, in the structure in which a model has these."""
    if isinstance(structure, dict):
        return dict(zip(sorted(structure), values, strict=True))
    return values if len(values) > 1 else values[0]


def flat(outputs: Any) -> list[np.ndarray]:
    """The outputs of a model as a list: inverts `in_structure`."""
    if isinstance(outputs, dict):
        return [outputs[key] for key in sorted(outputs)]
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def labels_of(name: str, model: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Labels that fit the losses of a kind of graph."""
    loss = LOSSES.get(name, "mse")
    labels = targets_of(model, rng, loss == "categorical_crossentropy")
    if isinstance(loss, list):
        labels[0] = targets_of(model, rng, True)[0]
    return labels


def compile_graph(name: str, model: Any, optimizer: Any) -> None:
    """Compile a model of a kind with its losses, and a different weight for each of several."""
    loss = LOSSES.get(name, "mse")
    weights = [0.3 + number for number in range(len(model.outputs))]
    if isinstance(model.output, dict):
        losses: Any = dict.fromkeys(model.output, loss)
        loss_weights: Any = dict(zip(model.output, weights, strict=True))
    else:
        several = len(weights) > 1 and not isinstance(loss, list)
        losses = [loss] * len(weights) if several else loss
        loss_weights = weights if len(weights) > 1 else None
    model.compile(optimizer, losses, loss_weights=loss_weights)


def twins(name: str, keras: ModuleType, ours: ModuleType, rng: np.random.Generator) -> Any:
    """A model of Keras and one of fastrnn, with the same distinct random weights."""
    pair = KINDS[name](keras), KINDS[name](ours)
    weights = [rng.normal(0, 0.6, w.shape).astype("f4") for w in pair[0].get_weights()]
    for k, variable in enumerate(pair[0].weights):
        if "variance" in variable.path:
            weights[k] = np.abs(weights[k]) + 0.1
    for model in pair:
        model.set_weights(weights)
    return pair
