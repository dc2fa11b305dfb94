"""What fastrnn writes it reads, bit for bit, and whatever happens while it writes, no file dies."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import fastrnn
import h5py
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.models import clone_model, load_model, model_from_json
from fastrnn.optimizers import SGD, schedules
from support.saved_models import LABELS, TOKENS, small_model, state

ENDS = [".keras", ".h5", ".hdf5"]


def assert_equal(one: fastrnn.Sequential, other: fastrnn.Sequential) -> None:
    for a, b in zip(state(one), state(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "optimizer",
    [
        "nadam",
        SGD(schedules.ExponentialDecay(0.1, 1, 0.5), momentum=0.9),
        fastrnn.optimizers.Adam(gradient_accumulation_steps=2, use_ema=True),
    ],
    ids=["nadam", "schedule", "accumulation"],
)
def test_a_loaded_model_goes_on_where_the_saved_one_stopped(
    tmp_path: Path, end: str, optimizer: object
) -> None:
    model = small_model(copy.deepcopy(optimizer))
    path = tmp_path / f"model{end}"
    model.save(path)
    loaded = load_model(path)
    assert_equal(model, loaded)
    for one in (model, loaded):
        one.optimizer.loss = [one.train_on_batch(TOKENS, LABELS) for _ in range(3)]
    assert_equal(model, loaded)
    assert loaded.metrics_names == model.metrics_names
    assert os.listdir(tmp_path) == [path.name]  # nothing is left over


def test_weights_alone(tmp_path: Path) -> None:
    model = small_model()
    model.save_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "model.keras")
    before = state(model)
    for name in ("model.weights.h5", "model.keras"):
        model.train_on_batch(TOKENS, LABELS)
        model.load_weights(tmp_path / name)
        for a, b in zip(state(model), before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_weights_by_name_and_with_mismatches(tmp_path: Path) -> None:
    first = fastrnn.Sequential([layers.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2)])
    second = fastrnn.Sequential([layers.Input((4,)), layers.Dense(5), layers.Dense(3, name="a")])
    third = fastrnn.Sequential([layers.Input((4,)), layers.Dense(3, name="a"), layers.Dense(7)])
    first.save(tmp_path / "first.h5")
    first.save_weights(tmp_path / "first.weights.h5")
    with pytest.raises(ValueError, match="shape"):
        second.load_weights(tmp_path / "first.h5", by_name=True)
    third.load_weights(tmp_path / "first.h5", by_name=True)
    np.testing.assert_array_equal(third.get_weights()[0], first.get_weights()[0])
    for name in ("first.h5", "first.weights.h5"):
        third.layers[0].set_weights([np.zeros((4, 3)), np.zeros(3)])
        before = third.layers[1].get_weights()
        with pytest.warns(UserWarning, match="skipped"):
            third.load_weights(tmp_path / name, skip_mismatch=True)
        np.testing.assert_array_equal(third.get_weights()[0], first.get_weights()[0])
        np.testing.assert_array_equal(third.layers[1].get_weights()[0], before[0])
    with pytest.raises(ValueError, match="by_name"):
        third.load_weights(tmp_path / "first.weights.h5", by_name=True)


@pytest.mark.parametrize("by_name", [True, False])
def test_of_a_layer_that_fits_in_part_h5_loads_what_fits(tmp_path: Path, by_name: bool) -> None:
    def model(features: int, units: int) -> fastrnn.Sequential:
        made = fastrnn.Sequential(
            [
                layers.Input((None, features)),
                layers.LSTM(3, name="a"),
                layers.Dense(units, name="b"),
            ]
        )
        rng = np.random.default_rng(features)
        made.set_weights([rng.normal(size=w.shape) for w in made.get_weights()])
        return made

    stored, loading = model(4, 2), model(5, 1)
    stored.save(tmp_path / "stored.h5")
    before = loading.get_weights()
    with pytest.warns(UserWarning, match="skipped") as warned:
        loading.load_weights(tmp_path / "stored.h5", by_name=by_name, skip_mismatch=True)
    assert len(warned) == 3  # the kernel of the LSTM, kernel and bias of the Dense
    after = loading.get_weights()
    for number, source in enumerate((before, stored.get_weights(), stored.get_weights())):
        np.testing.assert_array_equal(after[number], source[number])
    for number in (3, 4):
        np.testing.assert_array_equal(after[number], before[number])
    with pytest.raises(ValueError, match="shape"):
        loading.load_weights(tmp_path / "stored.h5", by_name=by_name)


def test_weights_for_another_optimizer_leave_it_as_it_is(tmp_path: Path) -> None:
    small_model("adam").save_weights(tmp_path / "a.weights.h5")
    model = small_model("sgd")
    with pytest.warns(UserWarning, match="state of the optimizer"):
        model.load_weights(tmp_path / "a.weights.h5")
    assert model.optimizer.iterations == 1


def test_a_model_without_shape_or_compile_settings(tmp_path: Path) -> None:
    model = fastrnn.Sequential([layers.GRU(3), layers.Dense(1)])
    for end in ENDS:
        model.save(tmp_path / f"model{end}")
        loaded = load_model(tmp_path / f"model{end}")
        assert not loaded.built
        assert not loaded.compiled
    for method in ("save_weights", "load_weights"):
        with pytest.raises(ValueError, match="built"):
            getattr(model, method)(tmp_path / "model.weights.h5")
    model.compile("adam", "mse")
    model.save(tmp_path / "model.keras")
    assert load_model(tmp_path / "model.keras").compiled


def test_frozen_layers_keep_their_order(tmp_path: Path) -> None:
    model = small_model()
    model.layers[3].layers[0].trainable = False
    model.layers[1].trainable = False
    model.compile("adam", "mse")
    model.train_on_batch(TOKENS, LABELS)
    for end in ENDS:
        model.save(tmp_path / f"model{end}")
        loaded = load_model(tmp_path / f"model{end}")
        assert_equal(model, loaded)
        assert not loaded.layers[1].trainable


def test_json_and_clones_have_new_weights() -> None:
    model = small_model()
    for other in (model_from_json(model.to_json(indent=1)), clone_model(model)):
        assert other.name == model.name
        assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
        assert other.count_params() == sum(weight.value.size for weight in model.weights)
        kernel, cloned = model.layers[-1].get_weights()[0], other.layers[-1].get_weights()[0]
        assert not np.array_equal(kernel, cloned)
    assert not clone_model(model).compiled
    doubled = clone_model(
        model,
        clone_function=lambda layer: (
            layers.Dense(2)
            if isinstance(layer, layers.Dense)
            else type(layer).from_config(layer.get_config())
        ),
    )
    assert doubled.output_shape == (None, 2)
    with pytest.raises(ValueError, match="input_tensors"):
        clone_model(model, input_tensors=[1])


@pytest.mark.parametrize("how", [copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_models_and_layers_copy_and_pickle(how) -> None:
    model = small_model()
    model.fit(TOKENS, LABELS, verbose=0)
    copied = how(model)
    assert_equal(model, copied)
    before = state(model)
    copied.train_on_batch(TOKENS, LABELS)
    for a, b in zip(state(model), before, strict=True):
        np.testing.assert_array_equal(a, b)  # nothing is shared
    model.train_on_batch(TOKENS, LABELS)
    assert_equal(model, copied)
    layer = layers.GRU(3, recurrent_dropout=0.5, seed=1)
    x = np.ones((2, 4, 3), np.float32)
    layer(x)
    np.testing.assert_array_equal(how(layer)(x, training=True), layer(x, training=True))
    optimizer = fastrnn.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(how(optimizer), "mse")
    model.train_on_batch(TOKENS, LABELS)


class Scaled(layers.Dense):
    """A user's own layer."""


def test_a_class_of_the_user_must_be_handed_over(tmp_path: Path) -> None:
    model = fastrnn.Sequential([layers.Input((3,)), Scaled(2)])
    model.compile("sgd", "mse")
    for end in (".keras", ".h5"):
        model.save(tmp_path / f"model{end}")
        with pytest.raises(ValueError, match=r"Scaled"):
            load_model(tmp_path / f"model{end}")
        loaded = load_model(tmp_path / f"model{end}", custom_objects={"Scaled": Scaled})
        assert type(loaded.layers[0]) is Scaled
        with fastrnn.saving.custom_object_scope({"Scaled": Scaled}):
            assert type(load_model(tmp_path / f"model{end}").layers[0]) is Scaled
    with pytest.raises(ValueError, match="custom_objects"):
        load_model(tmp_path / "model.keras", custom_objects=[Scaled])


def far_off(y_true, y_pred):
    return np.abs(np.asarray(y_true) - y_pred).max(axis=-1) > 0.5


def test_a_function_of_the_user_must_be_handed_over(tmp_path: Path) -> None:
    model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=[far_off])
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="far_off"):
        load_model(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", custom_objects={"far_off": far_off})
    assert len(loaded.evaluate(np.ones((2, 3)), np.ones((2, 2)), verbose=0)) == 2


# ------------------------------------------------------------------------------------- writing


def test_overwriting_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(2)])
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")
    answers = iter(["perhaps", "n"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    model.save(path, overwrite=False)
    assert path.read_bytes() == b"old"
    monkeypatch.setattr("builtins.input", lambda question: "y")
    model.save(path, overwrite=False)
    assert load_model(path).count_params() == 8

    def nobody(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(FileExistsError, match="overwrite=False"):
        model.save(path, overwrite=False)


def test_links_and_permissions_stay(tmp_path: Path) -> None:
    model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(2)])
    path, link = tmp_path / "model.keras", tmp_path / "newest.keras"
    model.save(path)
    path.chmod(0o640)
    link.symlink_to(path)
    model.save(link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_follows_the_mask_which_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mask is the process's: to change it for a moment would show in other threads."""
    model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(2)])
    change, before = os.umask, os.umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the mask is changed"))
        model.save(tmp_path / "model.keras")
    finally:
        change(before)
    assert (tmp_path / "model.keras").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5", "model.h5"])
def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(2)])
    (tmp_path / name).write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        getattr(model, "save_weights" if "weights" in name else "save")(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"old"


_KILLED = """
import os, signal, sys
import fastrnn
from fastrnn import layers
model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(300)])
kill = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], kill)
model.save(sys.argv[1])
"""


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_process_killed_while_it_saves_leaves_the_old_file(tmp_path: Path, moment: str) -> None:
    model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(2)])
    path = tmp_path / "model.keras"
    model.save(path)
    parent = str(Path(fastrnn.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path), moment],
        env={**os.environ, "PYTHONPATH": parent},
        timeout=60,
        check=False,
    )
    assert done.returncode == -9
    np.testing.assert_array_equal(load_model(path).get_weights()[0], model.get_weights()[0])


def test_names_and_arguments_are_checked(tmp_path: Path) -> None:
    model = fastrnn.Sequential([layers.Input((3,)), layers.Dense(2)])
    for name in ("model", "model.tf", "model.keras.zip"):
        with pytest.raises(ValueError, match="filepath"):
            model.save(tmp_path / name)
        with pytest.raises(ValueError, match="filepath"):
            load_model(tmp_path / name)
        with pytest.raises(ValueError, match="filepath"):
            model.load_weights(tmp_path / name)
    with pytest.raises(ValueError, match=r"weights\.h5"):
        model.save_weights(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="load_weights"):
        load_model(tmp_path / "model.weights.h5")
    with pytest.raises(ValueError, match="zipped"):
        model.save(tmp_path / "model.keras", zipped=False)
    with pytest.raises(ValueError, match="include_optimizer"):
        model.save(tmp_path / "model.h5", include_optimiser=False)
    with pytest.raises(TypeError, match="filepath"):
        model.save(3)
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "missing" / "model.keras")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "missing.keras")
    (tmp_path / "folder.keras").mkdir()
    for act in (model.save, load_model):
        with pytest.raises(IsADirectoryError):
            act(tmp_path / "folder.keras")
    assert sorted(os.listdir(tmp_path)) == ["folder.keras"]


def test_the_layout_is_keras_s(tmp_path: Path) -> None:
    model = small_model()
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json"))["keras_version"] == "3.15.1"
    with h5py.File(tmp_path / "model.weights.h5") as file:
        for path in (
            "layers/bidirectional/forward_layer/cell/vars/2",
            "layers/time_distributed/layer/vars/0",
            "layers/sequential/layers/gru/cell/vars/2",
            "layers/sequential/layers/layer_normalization/vars/1",
            "layers/simple_rnn/cell/vars/0",
            "optimizer/vars/1",
        ):
            assert path in file
        assert file["layers/simple_rnn/vars"].attrs["name"] == model.layers[4].name


def test_a_layer_inside_two_models_is_saved_once(tmp_path: Path) -> None:
    def made() -> fastrnn.Model:
        shared = layers.Dense(3)
        one = fastrnn.Sequential([layers.Input((3,)), shared])
        other = fastrnn.Sequential([layers.Input((3,)), shared, layers.Dense(2)])
        x = layers.Input((3,))
        return fastrnn.Model(x, [one(x), other(x)])

    model, again = made(), made()
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        arrays: list[str] = []
        file.visititems(
            lambda name, item: arrays.append(name) if isinstance(item, h5py.Dataset) else None
        )
    assert len(arrays) == len(model.weights) == 4
    again.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
