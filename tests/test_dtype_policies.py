"""Policies of dtypes: who has which, what goes into configs and files, what is refused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import backend, config, dtype_policies, layers, mixed_precision, saving

MIXED = "mixed_bfloat16"
MIXED_CONFIG = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": MIXED},
    "registered_name": None,
}
X = np.linspace(-1, 1, 6 * 5 * 3, dtype="float32").reshape(6, 5, 3)
Y = np.linspace(0, 1, 6, dtype="float32")[:, None]


@pytest.fixture(autouse=True)
def float32_again() -> Iterator[None]:
    yield
    config.set_dtype_policy("float32")


def model_of(layer: layers.Layer) -> fastrnn.Sequential:
    return fastrnn.Sequential([layers.Input((5, 3)), layer, layers.Dense(1)])


def test_the_global_policy_is_that_of_layers_without_one() -> None:
    assert config.dtype_policy() == fastrnn.DTypePolicy("float32")
    before = layers.LSTM(4)
    config.set_dtype_policy(MIXED)
    assert repr(config.dtype_policy()) == '<DTypePolicy "mixed_bfloat16">'
    layer, other = layers.LSTM(4), layers.LSTM(4, dtype="float32")
    assert [each.compute_dtype for each in (before, layer, other)] == [
        "float32", "bfloat16", "float32",
    ]  # fmt: skip
    assert (layer.dtype, layer.variable_dtype, layer.dtype_policy.name) == (
        "float32", "float32", MIXED,
    )  # fmt: skip
    assert fastrnn.DTypePolicy() == layer.dtype_policy
    assert len({layer.dtype_policy, fastrnn.DTypePolicy(MIXED), other.dtype_policy}) == 2
    backend.clear_session()
    assert layers.LSTM(4).compute_dtype == "float32"


def test_older_names_are_the_same_objects() -> None:
    assert mixed_precision.Policy is fastrnn.DTypePolicy is fastrnn.FloatDTypePolicy
    mixed_precision.set_global_policy(mixed_precision.Policy(MIXED))
    assert mixed_precision.global_policy().name == MIXED


@pytest.mark.parametrize(
    "given",
    [MIXED, fastrnn.DTypePolicy(MIXED), MIXED_CONFIG, {"class_name": "Policy", **MIXED_CONFIG}],
)
def test_all_forms_of_a_policy_are_taken(given: Any) -> None:
    assert dtype_policies.get(given).name == MIXED
    assert layers.GRU(3, dtype=given).cell.compute_dtype == "bfloat16"


@pytest.mark.parametrize("given", [np.float32, np.dtype("float32"), "float32", None])
def test_all_forms_of_float32_are_taken(given: Any) -> None:
    assert layers.Dense(3, dtype=given).compute_dtype == "float32"


@pytest.mark.parametrize(
    "wrong",
    ["mixed_float16", "bfloat16", "float64", np.float64, 16, {"config": 3}, {"config": {}}, ["x"]],
)
def test_other_policies_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="`dtype` must be 'float32', 'mixed_bfloat16', a DTypePol"):
        layers.LSTM(3, dtype=wrong)
    message = "`dtype` must be|`policy` must be the name of a policy or a DTypePolicy. Received: p"
    with pytest.raises(ValueError, match=message):
        config.set_dtype_policy(wrong)
    assert config.dtype_policy().name == "float32"


def test_a_wrong_name_is_refused() -> None:
    for wrong in ("mixed_float16", 3):
        with pytest.raises(ValueError, match=r"must be 'float32' or 'mixed_bfloat16'\. Received: "):
            fastrnn.DTypePolicy(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_a_recurrent_layer_computes_as_its_policy_says(name: str) -> None:
    """And nothing else does; gradients follow too."""
    mixed = model_of(getattr(layers, name)(4, seed=1, dtype=MIXED))
    plain = model_of(getattr(layers, name)(4, seed=1))
    plain.set_weights(mixed.get_weights())
    difference = np.abs(mixed.predict(X) - plain.predict(X))
    assert 0 < difference.max() < 0.02
    assert all(w.dtype == np.float32 for w in mixed.get_weights())
    for model in (mixed, plain):
        model.compile(optimizer="sgd", loss="mse")
        model.train_on_batch(X, Y)
    assert all(
        not np.array_equal(a, b)
        for a, b in zip(mixed.get_weights(), plain.get_weights(), strict=True)
    )
    for a, b in zip(mixed.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)


def test_other_layers_compute_in_float32_under_either_policy() -> None:
    dense = layers.Dense(4, dtype=MIXED)
    plain = layers.Dense(4)
    expected = plain(X)
    dense.build(X.shape)
    dense.set_weights(plain.get_weights())
    np.testing.assert_array_equal(dense(X), expected)


def test_wrappers_and_cells_have_policies_of_their_own() -> None:
    around = layers.Bidirectional(layers.LSTM(4, dtype=MIXED))
    assert around.compute_dtype == "float32"
    assert around.forward_layer.cell.compute_dtype == "bfloat16"
    assert around.backward_layer.cell.compute_dtype == "bfloat16"
    rnn = layers.RNN(layers.LSTMCell(4), dtype=MIXED)
    assert (rnn.compute_dtype, rnn.cell.compute_dtype) == ("bfloat16", "float32")
    rnn = layers.RNN(layers.StackedRNNCells([layers.GRUCell(4, dtype=MIXED), layers.GRUCell(2)]))
    assert [cell.compute_dtype for cell in rnn.cell.cells] == ["bfloat16", "float32"]


def mixed_layers() -> list[layers.Layer]:
    return [
        layers.LSTM(4, dtype=MIXED),
        layers.Bidirectional(layers.GRU(4, dtype=MIXED)),
        layers.RNN(layers.SimpleRNNCell(4, dtype=MIXED)),
        layers.RNN([layers.LSTMCell(4), layers.LSTMCell(4, dtype=MIXED)]),
    ]


@pytest.mark.parametrize("number", range(4))
def test_copies_configs_and_files_keep_the_policy(number: int, tmp_path: Path) -> None:
    model = model_of(mixed_layers()[number])
    expected = model.predict(X)
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    cloned = fastrnn.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    for other in (
        saving.load_model(tmp_path / "model.keras"),
        saving.load_model(tmp_path / "model.h5"),
        cloned,
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ):
        np.testing.assert_array_equal(other.predict(X), expected)


def test_configs_have_keras_s_form() -> None:
    assert layers.LSTM(4, dtype=MIXED).get_config()["dtype"] == MIXED_CONFIG
    assert layers.LSTM(4).get_config()["dtype"] == "float32"
    assert layers.SpatialDropout1D(0.5, dtype=MIXED).get_config()["dtype"] == MIXED_CONFIG
    assert dtype_policies.serialize(fastrnn.DTypePolicy(MIXED)) == MIXED_CONFIG
    assert dtype_policies.deserialize(MIXED_CONFIG) == fastrnn.DTypePolicy(MIXED)
    assert fastrnn.DTypePolicy.from_config({"name": MIXED}).get_config() == {"name": MIXED}
    config.set_dtype_policy(MIXED)
    assert fastrnn.Sequential([layers.Dense(1)]).get_config()["dtype"] == MIXED_CONFIG


def test_a_config_s_policy_beats_the_global_one() -> None:
    given = layers.LSTM(4).get_config()
    config.set_dtype_policy(MIXED)
    assert layers.LSTM.from_config(given).cell.compute_dtype == "float32"


def test_weights_stay_float32() -> None:
    layer = layers.Layer(dtype=MIXED)
    with pytest.raises(ValueError, match=r"`dtype` must be 'float32' or None\. Received: dtype='b"):
        layer.add_weight((2,), dtype="bfloat16")


def test_a_model_learns_as_in_float32() -> None:
    """The loss of a small task goes the same way down, and the bits do not depend on threads."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((96, 12, 2)).astype(np.float32)
    y = (x[:, :, 0].sum(axis=1) > x[:, :, 1].sum(axis=1)).astype(np.float32)

    def losses(dtype: str, threads: int) -> list[float]:
        fastrnn.set_num_threads(threads)
        fastrnn.utils.set_random_seed(3)
        model = fastrnn.Sequential(
            [layers.LSTM(16, dtype=dtype), layers.Dense(1, activation="sigmoid")]
        )
        model.compile(optimizer=fastrnn.optimizers.Adam(0.02), loss="binary_crossentropy")
        return list(model.fit(x, y, epochs=12, batch_size=16, verbose=0).history["loss"])

    try:
        plain, mixed = losses("float32", 2), losses(MIXED, 2)
        assert mixed == losses(MIXED, 1)
    finally:
        fastrnn.set_num_threads(None)
    assert mixed != plain
    assert mixed[-1] < 0.3 * mixed[0]
    np.testing.assert_allclose(mixed, plain, rtol=0.1, atol=0.02)
