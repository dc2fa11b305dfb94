"""What is no graph, or does not fit one, is refused before anything runs."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers


def two_inputs() -> fastrnn.Model:
    past, today = fastrnn.Input((4, 3), name="past"), fastrnn.Input((2,), name="today")
    h = layers.Dense(5)(today)
    trend = layers.Dense(1, name="trend")(layers.GRU(5)(past, initial_state=h))
    return fastrnn.Model([past, today], [trend, layers.Dense(2, name="level")(h)])


PAST, TODAY = np.ones((6, 4, 3), "f4"), np.ones((6, 2), "f4")
TREND, LEVEL = np.zeros((6, 1), "f4"), np.zeros((6, 2), "f4")


def test_an_output_that_needs_another_input() -> None:
    x, other = fastrnn.Input((4, 3), name="x"), fastrnn.Input((2,), name="other")
    y = layers.GRU(2)(x, initial_state=other)
    with pytest.raises(ValueError, match=r"'x' of shape \(None, 4, 3\).*also need 'other'"):
        fastrnn.Model(x, y)
    with pytest.raises(ValueError, match="also need 'other'"):
        fastrnn.Model(h := layers.Dense(3)(x), layers.GRU(2)(h, initial_state=other))


def test_an_input_that_no_output_needs() -> None:
    x, unused = fastrnn.Input((4, 3)), fastrnn.Input((2,), name="unused")
    with pytest.raises(ValueError, match=r"lead to an output. Received: 'unused' of shape"):
        fastrnn.Model([x, unused], layers.GRU(2)(x))


def test_an_input_twice_no_outputs_and_arrays() -> None:
    x = fastrnn.Input((4, 3), name="x")
    y = layers.GRU(2)(x)
    with pytest.raises(ValueError, match="Received twice: 'x'"):
        fastrnn.Model([x, x], y)
    with pytest.raises(ValueError, match="`outputs` must hold at least one tensor"):
        fastrnn.Model(x, [])
    with pytest.raises(ValueError, match="`inputs` must be symbolic tensors"):
        fastrnn.Model(PAST, y)
    with pytest.raises(ValueError, match="`outputs` must be symbolic tensors"):
        fastrnn.Model(x)


def test_two_layers_of_one_name() -> None:
    x = fastrnn.Input((4, 3))
    y = layers.Dense(2, name="same")(layers.GRU(2, name="same")(x))
    with pytest.raises(ValueError, match="Received: 2 named 'same'"):
        fastrnn.Model(x, y)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (PAST, "must be 2 arrays, one for each input.*'past', 'today'"),
        ([PAST], "Received: 1 of them"),
        ([PAST, TODAY, TODAY], "Received: 3 of them"),
        ({"past": PAST}, r"without \['today'\]"),
        ([TODAY, PAST], r"Input 'past' .* must have the shape \(None, 4, 3\)"),
        ([PAST[:5], TODAY], "same number of samples"),
        ([PAST[:, :3], TODAY], r"Received: shape=\(6, 3, 3\)"),
    ],
)
def test_arrays_that_do_not_fit_the_inputs(x: Any, message: str) -> None:
    model = two_inputs()
    model.compile("sgd", "mse")
    before = model.get_weights()
    for call in (
        lambda: model.fit(x, [TREND, LEVEL], verbose=0),
        lambda: model.predict(x, verbose=0),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([TREND], "must be a list of 2 arrays.*Received: 1 of them"),
        (TREND, "must be a list of 2 arrays"),
        ({"trend": TREND}, r"`y` must have the keys \['trend', 'level'\]"),
        ({"trend": TREND, "level": LEVEL, "more": LEVEL}, "those of the outputs"),
        ([TREND, LEVEL[:5]], "same number of samples"),
        ([LEVEL, TREND], "`y_true` and `y_pred` must have the same shape"),
    ],
)
def test_labels_that_do_not_fit_the_outputs(y: Any, message: str) -> None:
    model = two_inputs()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message):
        model.fit([PAST, TODAY], y, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": ["mse"]}, "`loss` must have one entry for each of the outputs"),
        ({"loss": {"trend": "mse"}}, r"`loss` must have the keys \['trend', 'level'\]"),
        ({"loss": {"trend": "mse", "lever": "mse"}}, r"Received: \['trend', 'lever'\]"),
        ({"loss": "mse", "loss_weights": [1.0]}, "`loss_weights` must have one entry"),
        ({"loss": "mse", "metrics": ["mae"]}, "`metrics` must have one entry"),
        ({"loss": "mse", "metrics": "mae"}, "`metrics` must be a list or dict"),
        ({"loss": "mse", "metrics": {"trends": "mae"}}, "`metrics` must have the keys"),
        ({"loss": ["mse", "nonsense"]}, "nonsense"),
    ],
)
def test_what_compile_says_about_outputs_that_there_are_not(
    arguments: dict[str, Any], message: str
) -> None:
    model = two_inputs()
    with pytest.raises(ValueError, match=message):
        model.compile("sgd", **arguments)
    assert not model.compiled


def test_class_weights_are_for_one_output() -> None:
    model = two_inputs()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="`class_weight` is for a model of one output"):
        model.fit([PAST, TODAY], [TREND, LEVEL], class_weight={0: 2.0}, verbose=0)


def test_symbolic_where_an_array_is_needed_and_the_other_way_round() -> None:
    model = two_inputs()
    symbolic = fastrnn.Input((2,))
    with pytest.raises(TypeError, match="must be an array"):
        model.predict([PAST, symbolic], verbose=0)
    with pytest.raises(ValueError, match="must be symbolic where one is"):
        model([PAST, symbolic])


def test_nested_lists_by_name_are_arrays() -> None:
    model = two_inputs()
    model.set_weights([np.full(w.shape, 0.1 * k) for k, w in enumerate(model.weights)])
    wanted = model.predict([PAST, TODAY], verbose=0)
    for past in (PAST.tolist(), [PAST], list(PAST)):
        got = model.predict({"past": past, "today": TODAY.tolist()}, verbose=0)
        for one, other in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match=r"shapes \[\(1, 2\), \(6, 2\)\]"):
        model.predict({"past": [[1.0, 2.0]], "today": TODAY}, verbose=0)


def test_labels_that_do_not_fit_are_named_by_their_output() -> None:
    model = two_inputs()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"Output 'trend': .*\(6, 2\)"):
        model.fit([PAST, TODAY], [LEVEL, TREND], verbose=0)


def test_what_is_not_an_array_is_named_by_its_type() -> None:
    class Strange:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            raise ValueError("no values here")

    with pytest.raises(TypeError, match=r"must be an array.*Strange, which is not one: no values"):
        layers.LSTM(2)(Strange())


def test_a_model_of_several_inputs_is_no_layer_of_a_sequential_one() -> None:
    with pytest.raises(ValueError, match=r"must have one input.*with 2"):
        fastrnn.Sequential([two_inputs()])


@pytest.mark.parametrize("name", ["call", "forward", "make_train_function", "losses"])
def test_a_method_that_would_not_be_called_cannot_be_overridden(name: str) -> None:
    x = fastrnn.Input((4, 3))
    for base, arguments in (
        (fastrnn.Model, {"inputs": x, "outputs": layers.GRU(2)(x)}),
        (fastrnn.Sequential, {"layers": [layers.GRU(2)]}),
    ):
        own = type("Own", (base,), {name: lambda self, *args, **kwargs: None})
        with pytest.raises(ValueError, match=f"`{name}` of a model cannot be overridden"):
            own(**arguments)
    other = type("Other", (fastrnn.Model,), {"summary_of_mine": lambda self: "mine"})
    model = other(x, layers.GRU(2)(x))
    assert model.summary_of_mine() == "mine"
    assert model.predict(PAST, verbose=0).shape == (6, 2)


def test_a_model_of_several_outputs_is_no_layer_of_one() -> None:
    x = fastrnn.Input((3,))
    y = layers.Dense(2)(x)
    for outputs in ([y, layers.Dense(1)(x)], {"y": y, "z": layers.Dense(1)(x)}):
        model = fastrnn.Model(x, outputs)
        with pytest.raises(ValueError, match="must have one output"):
            fastrnn.Sequential([layers.Input((3,)), model])
        with pytest.raises(ValueError, match="must have one output"):
            layers.TimeDistributed(model)(fastrnn.Input((4, 3)))
