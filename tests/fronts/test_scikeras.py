"""scikeras wraps models of fastrnn as it wraps those of Keras, which it needs itself."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def scikeras(keras: ModuleType) -> Iterator[Any]:
    """Its wrappers. What their import changes in classes of Keras is put back at the end."""
    changed = [
        (cls, name, vars(cls).get(name))
        for cls in (keras.Model, keras.Loss, keras.Metric, keras.Optimizer)
        for name in ("__reduce__", "__deepcopy__")
    ]
    yield pytest.importorskip("scikeras.wrappers")
    for cls, name, before in changed:
        if before is not None:
            setattr(cls, name, before)
        elif name in vars(cls):
            delattr(cls, name)


@pytest.fixture
def series(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Series whose class is the sign of their first feature at the end."""
    x = rng.normal(size=(120, 5, 2)).astype(np.float32)
    return x, np.where(x[:, -1, 0] > 0, "up", "down")


def make_model(units: int = 4, rate: float = 0.01) -> Any:
    fastrnn.utils.set_random_seed(1)
    model = fastrnn.Sequential(
        [layers.Input((5, 2)), layers.LSTM(units), layers.Dense(1, activation="sigmoid")]
    )
    model.compile(fastrnn.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def test_a_grid_is_searched(scikeras: Any, series: Any) -> None:
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(
        scikeras.KerasClassifier(make_model, epochs=12, batch_size=10, verbose=0),
        {"model__rate": [0.05, 1e-6], "model__units": [2, 4]},
        cv=2,
        error_score="raise",
    )
    search.fit(*series)
    assert search.best_params_["model__rate"] == 0.05
    assert search.best_score_ > 0.8
    best = search.best_estimator_
    assert isinstance(best.model_, fastrnn.Sequential)
    assert best.model_.layers[0].units == search.best_params_["model__units"]
    x, _ = series
    assert set(search.predict(x)) == {"up", "down"}
    up = best.model_.predict(x, verbose=0)[:, 0]
    np.testing.assert_array_equal(search.predict_proba(x)[:, 1], up)
    copy = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(copy.predict_proba(x), search.predict_proba(x))


@pytest.mark.parametrize("by_function", [True, False])
def test_its_own_settings_reach_compile(scikeras: Any, series: Any, by_function: bool) -> None:
    """scikeras makes objects of Keras of the names that it is given."""

    def make(compile_kwargs: dict[str, Any]) -> Any:
        fastrnn.utils.set_random_seed(1)
        head = layers.Dense(1, activation="sigmoid")
        model = fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3), head])
        if by_function:
            model.compile(**compile_kwargs)
        return model

    classifier = scikeras.KerasClassifier(
        make,
        loss="binary_crossentropy",
        optimizer="adam",
        optimizer__learning_rate=0.03,
        metrics=["mean_squared_error"],
        epochs=10,
        verbose=0,
    )
    classifier.fit(*series)
    model = classifier.model_
    assert type(model.optimizer) is fastrnn.optimizers.Adam
    assert float(model.optimizer.learning_rate) == pytest.approx(0.03)
    assert len(classifier.history_["mean_squared_error"]) == 10
    assert classifier.score(*series) > 0.8


def test_a_regressor_learns(scikeras: Any, series: Any) -> None:
    def make() -> Any:
        fastrnn.utils.set_random_seed(1)
        model = fastrnn.Sequential([layers.Input((5, 2)), layers.SimpleRNN(4), layers.Dense(1)])
        model.compile(fastrnn.optimizers.Adam(0.02), "mse")
        return model

    x, _ = series
    regressor = scikeras.KerasRegressor(make, epochs=20, batch_size=10, verbose=0)
    assert regressor.fit(x, x[:, -1, 0]).score(x, x[:, -1, 0]) > 0.8
