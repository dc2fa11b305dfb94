"""Models of Keras train with `fastrnn.keras` as they do without it, and their files are Keras's.

They run on TensorFlow; `test_keras_backends.py` runs them on Keras's other backends.
"""

from __future__ import annotations

import gc
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support.keras_fronts import BACKEND, assert_same

pytestmark = [
    # Keras turns tensors of PyTorch into arrays in a way that NumPy wants to end.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning"),
]

STEPS = 50 if BACKEND == "tensorflow" else 20  # the others take them one by one, without a graph


def forecaster(keras: ModuleType) -> Any:
    """Two LSTM layers in a row."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((12, 2)),
            layers.LSTM(16, return_sequences=True, dropout=0.2, seed=1),
            layers.LSTM(8, recurrent_dropout=0.1, seed=2),
            layers.Dense(1),
        ]
    )


def small(keras: ModuleType) -> Any:
    """One layer, for what traces its graphs again and again."""
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((12, 2)), layers.LSTM(8, dropout=0.2, seed=1), layers.Dense(1)]
    )


def translator(keras: ModuleType) -> Any:
    """An encoder that hands its states to a decoder, with padding on both sides."""
    layers = keras.layers
    source, target = keras.Input((None,)), keras.Input((None,))
    embedded = layers.Embedding(20, 8, mask_zero=True)(source)
    _, h, c = layers.LSTM(12, return_state=True)(embedded)
    spoken = layers.Embedding(20, 8, mask_zero=True)(target)
    outputs = layers.LSTM(12, return_sequences=True)(spoken, initial_state=[h, c])
    return keras.Model([source, target], layers.Dense(20, activation="softmax")(outputs))


def stack(keras: ModuleType) -> Any:
    """Bidirectional layers on each other, of all three kinds."""
    layers = keras.layers
    tokens = keras.Input((None,))
    x = layers.Embedding(20, 8, mask_zero=True)(tokens)
    x = layers.Bidirectional(layers.GRU(6, return_sequences=True, dropout=0.2, seed=1))(x)
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True), merge_mode="sum")(x)
    x = layers.SimpleRNN(6, go_backwards=True)(x)
    return keras.Model(tokens, layers.Dense(1)(x))


def subclassed(keras: ModuleType) -> Any:
    """A class with layers in a list, called in a loop."""

    class Stacked(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.rnns = [keras.layers.GRU(10, return_sequences=True, seed=k) for k in range(2)]
            self.head = keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            for rnn in self.rnns:
                x = x[..., :1] + rnn(x)
            return self.head(x[:, -1])

    return Stacked()


MODELS = {"mse": [forecaster, subclassed], "sparse": [translator], "tokens": [stack]}
CASES = [(make, kind) for kind, makes in MODELS.items() for make in makes]
EACH_MODEL = pytest.mark.parametrize(
    ("make", "kind"), CASES, ids=lambda v: getattr(v, "__name__", v)
)


def problem(kind: str, rng: np.random.Generator) -> tuple[Any, np.ndarray, str]:
    """Inputs and targets for 5 batches of 16, and the loss."""
    if kind == "mse":
        x = rng.normal(size=(80, 12, 2)).astype("float32")
        return x, x.sum((1, 2))[:, None] / 5, "mse"
    tokens = rng.integers(1, 20, (80, 9))
    tokens[np.arange(9) >= rng.integers(1, 10, (80, 1))] = 0
    if kind == "tokens":
        return tokens, (tokens > 9).mean(1, keepdims=True), "mse"
    return [tokens, np.roll(tokens, 1, 1)], tokens, "sparse_categorical_crossentropy"


def made(keras: ModuleType, make: Callable[..., Any], kind: str, loss: str, **options: Any) -> Any:
    keras.utils.set_random_seed(3)
    model = make(keras)
    if not model.built:
        model(np.zeros((1, 12, 2), "float32"))
    model.compile(keras.optimizers.Adam(0.01), loss, **options)
    return model


def losses(model: Any, x: Any, y: np.ndarray, steps: int = STEPS) -> list[float]:
    """The loss of each step of a fit."""
    import keras

    keras.utils.set_random_seed(4)
    seen: list[float] = []

    class Each(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.reset_metrics()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["loss"])

    model.fit(x, y, batch_size=16, epochs=steps // 5, verbose=0, callbacks=[Each()])
    return seen


@pytest.mark.usefixtures("in_graphs")
@EACH_MODEL
def test_training_follows_the_model_that_is_not_accelerated(
    make: Callable[..., Any], kind: str, front: ModuleType, rng: np.random.Generator
) -> None:
    import fastrnn.keras

    x, y, loss = problem(kind, rng)
    wanted = losses(made(front, make, kind, loss), x, y)
    model = fastrnn.keras.accelerate(made(front, make, kind, loss))
    got = losses(model, x, y)
    assert len(got) == STEPS
    assert got == pytest.approx(wanted, abs=1e-4)
    assert wanted[-1] < (0.9 if BACKEND == "tensorflow" else 1.0) * wanted[0]


@pytest.mark.usefixtures("in_graphs")
@pytest.mark.parametrize(
    "options", [{"run_eagerly": True}, {"steps_per_execution": 2}], ids=lambda o: next(iter(o))
)
def test_other_ways_to_fit(
    options: dict[str, Any], front: ModuleType, rng: np.random.Generator
) -> None:
    import fastrnn.keras

    if front.backend.backend() == "torch" and "steps_per_execution" in options:
        pytest.skip("Keras on PyTorch does not have it")
    if front.backend.backend() == "jax" and "run_eagerly" in options:
        pytest.skip("Keras on JAX compiles its loop anew at each step")
    x, y, loss = problem("tokens", rng)
    wanted = losses(made(front, stack, "tokens", loss, **options), x, y, 5)
    model = fastrnn.keras.accelerate(made(front, stack, "tokens", loss, **options))
    assert losses(model, x, y, 5) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.usefixtures("in_graphs")
def test_accelerate_and_restore_in_the_middle_of_training(
    front: ModuleType, rng: np.random.Generator, kernel_calls: list[str]
) -> None:
    import fastrnn.keras

    x, y, loss = problem("mse", rng)
    theirs, model = (made(front, small, "mse", loss) for _ in range(2))
    parts = model.layers, model.optimizer, [id(each) for each in model.weights]
    names = [layer.name for layer in model.layers]
    got, wanted, ran = [], [], []
    for change in (None, fastrnn.keras.accelerate, fastrnn.keras.restore, fastrnn.keras.accelerate):
        if change is not None:
            assert change(model) is model
        kernel_calls.clear()
        got += [*losses(model, x, y, 5), *model.predict(x, verbose=0)[:, 0]]
        got.append(model.evaluate(x, y, verbose=0))
        ran.append(bool(kernel_calls))
        wanted += [*losses(theirs, x, y, 5), *theirs.predict(x, verbose=0)[:, 0]]
        wanted.append(theirs.evaluate(x, y, verbose=0))
    assert ran == [False, True, False, True]
    np.testing.assert_allclose(got, wanted, atol=1e-4)
    assert parts == (model.layers, model.optimizer, [id(each) for each in model.weights])
    assert [layer.name for layer in model.layers] == names
    assert int(model.optimizer.iterations) == 20


@EACH_MODEL
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_files_are_those_of_keras(
    suffix: str,
    make: Callable[..., Any],
    kind: str,
    front: ModuleType,
    rng: np.random.Generator,
    tmp_path: Path,
) -> None:
    import fastrnn.keras

    if make is subclassed and suffix != ".weights.h5":
        pytest.skip("such files hold no class of the user")
    if suffix == ".h5" and kind in ("sparse", "tokens"):
        pytest.skip("Keras cannot read its own HDF5 files of functional models with masks")
    x, y, loss = problem(kind, rng)
    model = fastrnn.keras.accelerate(made(front, make, kind, loss))
    losses(model, x, y, 5)
    path = tmp_path / f"model{suffix}"
    if suffix == ".weights.h5":
        model.save_weights(path)
        loaded = made(front, make, kind, loss)
        loaded.load_weights(path)
    else:
        model.save(path)
        # Keras itself cannot find a loss that an HDF5 file names "mse".
        loaded = front.models.load_model(path, compile=suffix == ".keras")
    text = json.dumps(loaded.get_config()) if make is not subclassed else ""
    assert "fastrnn" not in text
    if suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            assert b"fastrnn" not in archive.read("config.json")
    layers = [each for each in loaded._flatten_layers() if isinstance(each, front.layers.RNN)]
    assert layers
    assert not any(isinstance(each, fastrnn.keras.layers.KernelLayer) for each in layers)
    wanted = model.predict(x, verbose=0)
    assert_same([loaded.predict(x, verbose=0)], [wanted])
    fastrnn.keras.accelerate(loaded)
    assert_same([loaded.predict(x, verbose=0)], [wanted])


def test_layers_made_as_fastrnns_are_saved_as_keras(front: ModuleType, tmp_path: Path) -> None:
    import fastrnn.keras as ours

    made_of = [ours.LSTM(4, return_sequences=True), ours.GRU(3, return_sequences=True)]
    model = front.Sequential([front.Input((5, 3)), *made_of, ours.SimpleRNN(2)])
    assert [layer.name.split("_")[0] for layer in model.layers] == ["lstm", "gru", "simple"]
    model.save(tmp_path / "model.keras")
    loaded = front.models.load_model(tmp_path / "model.keras")
    classes = [front.layers.LSTM, front.layers.GRU, front.layers.SimpleRNN]
    assert [type(layer) for layer in loaded.layers] == classes
    x = np.ones((2, 5, 3), "float32")
    assert_same([loaded.predict(x, verbose=0)], [model.predict(x, verbose=0)])
    again = front.models.model_from_json(model.to_json())
    assert [type(layer) for layer in again.layers] == classes
    assert type(front.models.clone_model(model).layers[0]) is ours.LSTM


def test_a_class_of_the_users_own_is_left_alone(front: ModuleType) -> None:
    import fastrnn.keras

    class Peephole(front.layers.LSTM):
        pass

    model = front.Sequential([front.Input((5, 3)), Peephole(4, return_sequences=True)])
    model.add(front.layers.RNN(front.layers.LSTMCell(2)))
    kinds = [type(layer) for layer in model.layers]
    assert [type(layer) for layer in fastrnn.keras.accelerate(model).layers] == kinds


@pytest.mark.parametrize("call", ["accelerate", "restore"])
def test_bad_input(call: str, front: ModuleType) -> None:
    import fastrnn.keras

    with pytest.raises(TypeError, match=r"`model` must be a layer of Keras. Received: int"):
        getattr(fastrnn.keras, call)(3)


def test_threads_of_python(front: ModuleType, rng: np.random.Generator) -> None:
    """Calls from several threads at a time are those of one."""
    from concurrent.futures import ThreadPoolExecutor

    import fastrnn.keras

    model = fastrnn.keras.accelerate(stack(front))
    batches = [problem("tokens", rng)[0] for _ in range(6)]

    def outputs(x: np.ndarray) -> np.ndarray:
        return front.ops.convert_to_numpy(model(x))

    wanted = [outputs(x) for x in batches]
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(outputs, batches))
    assert_same(got, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.usefixtures("in_graphs")
def test_no_tape_is_left_behind(front: ModuleType, rng: np.random.Generator) -> None:
    import fastrnn.keras
    from fastrnn.kernels.tape_owner import count_owners

    x, y, loss = problem("tokens", rng)
    model = fastrnn.keras.accelerate(made(front, stack, "tokens", loss))
    losses(model, x, y, 5)
    model.predict(x, verbose=0)
    model.evaluate(x, y, verbose=0)
    model(x[:4], training=True)
    gc.collect()
    assert count_owners() == 0
    if front.backend.backend() == "jax":
        from fastrnn.keras.backend import jax

        assert not jax._tapes._kept
