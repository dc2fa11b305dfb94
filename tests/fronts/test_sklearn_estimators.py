"""Estimators of sequences: forms of data, training in parts, randomness, scikit-learn's tools."""

from __future__ import annotations

import pickle
from typing import Any

import fastrnn
import numpy as np
import pytest

pytest.importorskip("sklearn", exc_type=ImportError)

from fastrnn.preprocessing.text import Tokenizer
from fastrnn.sklearn import SequenceClassifier, SequenceRegressor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

RNG = np.random.default_rng(5)
SERIES = RNG.normal(size=(24, 7, 3)).astype(np.float32)
LABELS = np.array(["no", "yes"])[(SERIES.sum(axis=(1, 2)) > 0).astype(int)]
TOKENS = [RNG.integers(1, 20, size=n).tolist() for n in RNG.integers(2, 9, size=24)]


def classifier(**arguments: Any) -> SequenceClassifier:
    return SequenceClassifier(**{"units": 5, "epochs": 3, "random_state": 1, **arguments})


def weights(estimator: Any) -> list[np.ndarray]:
    return [np.asarray(w) for w in estimator.model_.get_weights()]


def assert_same_model(a: Any, b: Any) -> None:
    for one, other in zip(weights(a), weights(b), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_model_is_the_one_described(cell: str, bidirectional: bool) -> None:
    fitted = classifier(
        cell=cell, bidirectional=bidirectional, num_layers=2, dropout=0.25, epochs=1
    ).fit(SERIES, LABELS)
    kinds = [type(layer).__name__ for layer in fitted.model_.layers]
    recurrent = "Bidirectional" if bidirectional else cell
    assert kinds == [recurrent, "Dropout", recurrent, "Dropout", "Dense"]
    assert fitted.n_features_in_ == 3
    proba = fitted.predict_proba(SERIES)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    assert (fitted.classes_[proba.argmax(axis=1)] == fitted.predict(SERIES)).all()


def test_a_sequence_of_a_list_counts_with_its_own_steps_alone() -> None:
    fitted = classifier(vocabulary_size=20).fit(TOKENS, LABELS)
    together = fitted.predict_proba(TOKENS)
    for tokens, row in zip(TOKENS, together, strict=True):
        np.testing.assert_allclose(fitted.predict_proba([tokens])[0], row, rtol=1e-5)


def test_lists_of_equal_lengths_are_lists_all_the_same() -> None:
    fitted = classifier(vocabulary_size=20).fit([tokens[:2] for tokens in TOKENS], LABELS)
    assert fitted.predict(TOKENS).shape == (24,)


def test_a_list_of_series_gives_what_the_array_gives() -> None:
    assert_same_model(
        classifier().fit(SERIES, LABELS), classifier().fit(list(SERIES), LABELS.tolist())
    )


def test_an_array_of_two_dimensions_has_one_feature() -> None:
    flat = SERIES[:, :, 0]
    fitted = classifier().fit(flat, LABELS)
    assert_same_model(fitted, classifier().fit(flat[:, :, np.newaxis], LABELS))
    with pytest.raises(ValueError, match="X has 6 features, but SequenceClassifier is expecting 7"):
        fitted.predict(flat[:, :6])


def test_training_in_parts_goes_on_with_the_same_draws() -> None:
    whole = classifier(epochs=3).fit(SERIES, LABELS)
    parts = classifier()
    for _ in range(3):
        parts.partial_fit(SERIES, LABELS)
    assert parts.n_iter_ == whole.n_iter_ == 3
    assert_same_model(whole, parts)


def test_a_part_may_lack_classes() -> None:
    estimator = classifier().partial_fit(SERIES[:4], ["b"] * 4, classes=["c", "a", "b"])
    assert estimator.classes_.tolist() == ["a", "b", "c"]
    assert estimator.predict_proba(SERIES).shape == (24, 3)
    with pytest.raises(ValueError, match=r"labels among \['a', 'b', 'c'\]. Received: \['d'\]"):
        estimator.partial_fit(SERIES[:1], ["d"])
    with pytest.raises(ValueError, match="`classes` must be those of the first call"):
        estimator.partial_fit(SERIES[:1], ["a"], classes=["a", "b"])


def test_only_the_seed_counts_and_nobody_else_is_disturbed() -> None:
    fastrnn.utils.set_random_seed(3)
    want = fastrnn.random.generator().integers(1 << 30, size=4).tolist()
    old = np.random.randint(1 << 30)  # noqa: NPY002  set_random_seed seeds it too
    fastrnn.utils.set_random_seed(3)
    one = classifier().fit(SERIES, LABELS)
    assert fastrnn.random.generator().integers(1 << 30, size=4).tolist() == want
    assert np.random.randint(1 << 30) == old  # noqa: NPY002
    assert_same_model(one, classifier().fit(SERIES, LABELS))
    other = classifier(random_state=2).fit(SERIES, LABELS)
    assert not np.array_equal(weights(one)[0], weights(other)[0])


def test_early_stopping_keeps_the_best_epoch() -> None:
    noise = np.random.default_rng(0).integers(2, size=24)
    fitted = classifier(
        epochs=200, early_stopping=True, validation_fraction=0.25, patience=2, learning_rate=0.05
    ).fit(SERIES, noise)
    losses = fitted.history_["val_loss"]
    assert len(losses) == fitted.n_iter_ < 200
    assert int(np.argmin(losses)) == len(losses) - 3


def test_class_weights_are_sample_weights() -> None:
    by_class = classifier(class_weight={"no": 1.0, "yes": 3.0}).fit(SERIES, LABELS)
    by_sample = classifier().fit(SERIES, LABELS, np.where(LABELS == "yes", 3.0, 1.0))
    assert_same_model(by_class, by_sample)
    both = classifier(class_weight={"no": 1.0, "yes": 3.0}).fit(SERIES, LABELS, np.full(24, 2.0))
    assert not np.array_equal(weights(both)[0], weights(by_class)[0])
    balanced = classifier(class_weight="balanced").fit(SERIES, LABELS)
    share = np.where(LABELS == "yes", (LABELS == "yes").mean(), (LABELS == "no").mean())
    assert_same_model(balanced, classifier().fit(SERIES, LABELS, 0.5 / share))


def test_pickles_predict_and_train_on() -> None:
    fitted = classifier().fit(SERIES, LABELS)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(SERIES), fitted.predict_proba(SERIES))
    assert_same_model(fitted.partial_fit(SERIES, LABELS), again.partial_fit(SERIES, LABELS))


def test_grids_folds_and_clones() -> None:
    search = GridSearchCV(classifier(), {"cell": ["GRU", "LSTM"], "units": [2, 3]}, cv=2)
    search.fit(SERIES, LABELS)
    assert set(search.best_params_) == {"cell", "units"}
    assert not hasattr(clone(search.best_estimator_), "model_")
    assert cross_val_score(SequenceRegressor(epochs=1), SERIES, SERIES[:, 0, 0], cv=2).shape == (2,)


def test_a_pipeline_from_words() -> None:
    words = np.array(["good", "bad", "film", "plot", "music"])
    texts = [" ".join(words[RNG.integers(0, 5, size=n)]) for n in RNG.integers(1, 9, size=40)]
    labels = ["good" in text for text in texts]
    tokenizer = Tokenizer(num_words=10)
    tokenizer.fit_on_texts(texts)
    pipeline = make_pipeline(
        FunctionTransformer(tokenizer.texts_to_sequences),
        SequenceClassifier(
            vocabulary_size=10, cell="GRU", units=8, learning_rate=0.02, random_state=0
        ),
    )
    assert pipeline.fit(texts, labels).score(texts, labels) > 0.9


def test_a_regressor_of_several_numbers() -> None:
    targets = SERIES[:, -1, :2]
    fitted = SequenceRegressor(
        cell="GRU", units=24, epochs=150, learning_rate=0.02, random_state=0
    ).fit(SERIES, targets)
    assert fitted.predict(SERIES).shape == (24, 2)
    assert fitted.score(SERIES, targets) > 0.8
    with pytest.raises(ValueError, match="must have 2 numbers per sequence"):
        fitted.partial_fit(SERIES, targets[:, 0])


@pytest.mark.parametrize(
    ("arguments", "x", "message"),
    [
        ({"cell": "lstm"}, SERIES, "`cell` must be one of SimpleRNN, LSTM, GRU. Received: 'lstm'"),
        ({"num_layers": 0}, SERIES, "`num_layers` must be an integer >= 1. Received: 0"),
        ({"units": -1}, SERIES, "`units` must be a positive integer"),
        ({"vocabulary_size": 20}, SERIES, r"X must be tokens \[samples, steps\]"),
        ({"vocabulary_size": 20}, [[1, -2]] * 24, r"X\[0\] must be integers >= 0. Received: -2"),
        ({"vocabulary_size": 20}, SERIES[:, :, 0], "X must be integers >= 0"),
        ({}, [*SERIES[:23], np.full((2, 3), np.nan)], r"X\[23\] must not contain NaN"),
        ({}, [*SERIES[:23], np.ones((2, 4))], "same number of features. Received: 3, 4"),
        ({}, [*SERIES[:23], np.ones((2, 4, 2))], r"X\[23\] must have shape \[steps\] or"),
        ({}, [*SERIES[:23], [[1, 2, 3], [1]]], r"X\[23\] must be an array of numbers"),
        ({}, SERIES[:5], "inconsistent numbers of samples"),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], x: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**arguments).fit(x, LABELS)


def test_another_number_of_features_is_refused() -> None:
    fitted = classifier().fit(SERIES, LABELS)
    with pytest.raises(ValueError, match="X has 2 features, but SequenceClassifier is expecting 3"):
        fitted.predict(SERIES[:, :, :2])


def test_importing_fastrnn_imports_no_scikit_learn(run_python: Any) -> None:
    run = run_python("import sys, fastrnn; print('sklearn' in sys.modules)")
    assert run.stdout.strip() == "False", run.stderr
