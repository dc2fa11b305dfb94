"""Files that are damaged, foreign or made to harm: refused by name and place, none half loaded."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastrnn
import h5py
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.models import load_model, model_from_json
from fastrnn.saving import InvalidFileError
from support.saved_models import LABELS, TOKENS, small_model, state

ENDS = [".keras", ".h5", ".weights.h5"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of a good file of each kind."""
    folder = tmp_path_factory.mktemp("good")
    model = small_model()
    for end in ENDS:
        (model.save_weights if "weights" in end else model.save)(folder / f"good{end}")
    return {end: (folder / f"good{end}").read_bytes() for end in ENDS}


def assert_refused(path: Path) -> str:
    """Loads a file in each way that there is for it, and returns the message of `load_weights`."""
    model = small_model()
    before = state(model)
    with pytest.raises(InvalidFileError, match=path.name) as caught:
        model.load_weights(path)
    for a, b in zip(state(model), before, strict=True):
        np.testing.assert_array_equal(a, b)  # nothing is half loaded
    if not path.name.endswith(".weights.h5"):
        with pytest.raises(InvalidFileError, match=path.name):
            load_model(path)
    return str(caught.value)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: b"not a model at all" * 100,
        lambda data: data[: len(data) // 2],
        lambda data: data[: len(data) - 100],
        lambda data: data[: len(data) // 3] + bytes(1000) + data[len(data) // 3 + 1000 :],
        lambda data: b"\x89HDF\r\n\x1a\n" + bytes(5000),
        lambda data: b"PK\x03\x04" + bytes(5000),
    ],
    ids=["empty", "foreign", "half", "cut", "holes", "hdf5 head", "zip head"],
)
def test_damaged_files(
    files: dict[str, bytes], tmp_path: Path, end: str, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"bad{end}"
    path.write_bytes(spoil(files[end]))
    assert_refused(path)


@pytest.mark.parametrize("end", ENDS)
def test_single_wrong_bytes_never_do_worse_than_a_refusal(
    files: dict[str, bytes], tmp_path: Path, rng: np.random.Generator, end: str
) -> None:
    path = tmp_path / f"bad{end}"
    model = small_model()
    for place in rng.integers(0, len(files[end]), 60):
        data = bytearray(files[end])
        data[place] ^= 0xFF
        path.write_bytes(data)
        before = state(model)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.load_weights(path)
        except InvalidFileError:
            for a, b in zip(state(model), before, strict=True):
                np.testing.assert_array_equal(a, b)


# ------------------------------------------------------------------------------ archives, configs


def archive(path: Path, data: bytes, **members: Any) -> None:
    """Writes an archive with some members replaced, added, or (None) left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(path, "w") as new:
        contents: dict[str, Any] = {name: old.read(name) for name in old.namelist()}
        contents.update(members)
        for name, value in contents.items():
            if value is not None:
                new.writestr(name, value)


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"config.json": None}, "config.json"),
        ({"config.json": b"{"}, "config.json"),
        ({"config.json": b"[1]"}, "config.json"),
        ({"config.json": b"[" * 100_000}, "config.json"),
        ({"config.json": b"\xff\xfe"}, "config.json"),
        ({"model.weights.h5": None}, "model.weights.h5"),
        ({"model.weights.h5": b"nothing"}, "model.weights.h5"),
        ({"../x": b"1"}, "../x"),
        ({"/etc/x": b"1"}, "/etc/x"),
        ({"a/..\\..\\x": b"1"}, "x"),
        ({"C:\\x": b"1"}, "x"),
    ],
)
def test_archives(
    files: dict[str, bytes], tmp_path: Path, members: dict[str, Any], place: str
) -> None:
    path = tmp_path / "bad.keras"
    archive(path, files[".keras"], **members)
    with pytest.raises(InvalidFileError) as caught:
        load_model(path)
    assert path.name in str(caught.value)
    assert place in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["bad.keras"]  # nothing was unpacked


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    path = tmp_path / "bad.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("config.json", b" " * (70 << 20))
        bomb.writestr("model.weights.h5", b"")
    with pytest.raises(InvalidFileError, match=r"config\.json.*too much"):
        load_model(path)


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def model(*members: Any, **config: Any) -> dict[str, Any]:
    return layer("Sequential", layers=list(members), **config)


IMAGE = layer("InputLayer", batch_shape=[None, 4, 2], name="in")


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (model(layer("Conv1D", filters=3)), ["layer 0", "Conv1D"]),
        (model(IMAGE, layer("LSTM", name="x", units=-1)), ["layer 1", "'x'", "units=-1"]),
        (model(IMAGE, layer("LSTM", name="x", units="3")), ["'x'", "units"]),
        (model(IMAGE, layer("LSTM", units=3, time_major=True)), ["time_major"]),
        (model(IMAGE, layer("LSTM", units=3, depth=2)), ["depth"]),
        (model(IMAGE, layer("LSTM", units=3, activation="gelu2")), ["gelu2"]),
        (model(IMAGE, layer("LSTM", units=3, kernel_initializer={"class_name": 3})), ["layer 1"]),
        (model(IMAGE, layer("LSTM")), ["LSTM", "units"]),
        (model(IMAGE, {"config": {}}), ["class_name"]),
        (model(IMAGE, 7), ["7"]),
        (model(IMAGE, layer("Lambda", function="x")), ["must be handed over"]),
        (model(IMAGE, layer("Dense", units=2, activation=layer("__lambda__"))), ["never run"]),
        (model(IMAGE, layer("os.system", command="true")), ["os.system"]),
        (layer("Sequential", layers=None), ["layers"]),
        (layer("Sequential"), ["layers"]),
        (layer("LSTM", units=3), ["Sequential", "LSTM"]),
        (layer("Functional", layers=[]), ["config.json"]),
        (model(IMAGE, layer("LSTM", units=30_000)), ["must fit into the file"]),
        (model(IMAGE, layer("LSTM", units=10**30)), ["must fit into the file"]),
        (
            model(
                layer("InputLayer", batch_shape=[None, 4]),
                layer("Embedding", input_dim=10**9, output_dim=10**9),
            ),
            ["must fit into the file"],
        ),
        (model(layer("LSTM", units=2), build_input_shape=5), ["shape=5"]),
    ],
)
def test_configs(
    files: dict[str, bytes], tmp_path: Path, config: dict[str, Any], names: list[str]
) -> None:
    path = tmp_path / "bad.keras"
    archive(path, files[".keras"], **{"config.json": json.dumps(config)})
    with pytest.raises(InvalidFileError) as caught:
        load_model(path)
    for name in ["bad.keras", "config.json", *names]:
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": layer("Adamant"), "loss": "mse"},
        {"optimizer": layer("Adam", learning_rate="fast"), "loss": "mse"},
        {"optimizer": layer("Adam", speed=3), "loss": "mse"},
        {"optimizer": "adam", "loss": "msx"},
        {"optimizer": "adam", "loss": layer("MeanSquaredError", shape=3)},
        {"optimizer": "adam", "loss": "mse", "metrics": ["msx"]},
        {"optimizer": "adam", "loss": "mse", "metrics": 7},
        [1],
    ],
)
def test_compile_settings(files: dict[str, bytes], tmp_path: Path, settings: Any) -> None:
    config = {**model(IMAGE, layer("LSTM", units=2)), "compile_config": settings}
    path = tmp_path / "bad.keras"
    archive(path, files[".keras"], **{"config.json": json.dumps(config)})
    with pytest.raises(InvalidFileError, match=r"bad\.keras.*compile_config"):
        load_model(path)
    # Without them the config is good: only the weights of the other model do not fit it.
    with pytest.raises(InvalidFileError, match=r"model\.weights\.h5"):
        load_model(path, compile=False)


def test_json_is_checked_too() -> None:
    with pytest.raises(TypeError, match="json_string"):
        model_from_json({"class_name": "Sequential"})
    for text in ("", "{", "[]", "{}", '{"class_name": "Conv"}'):
        with pytest.raises(ValueError, match="json_string"):
            model_from_json(text)


# ------------------------------------------------------------------------------------------ HDF5

KERNEL = "layers/simple_rnn/cell/vars/0"


def _external_link(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink("other.h5", "/secret")


def _external_group(file: h5py.File) -> None:
    del file["layers/simple_rnn"]
    file["layers/simple_rnn"] = h5py.ExternalLink("other.h5", "/group")


def _soft_link(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = h5py.SoftLink("/layers/time_distributed/layer/vars/0")


def _external_storage(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (3, 2), "f4", external=[("other.bin", 0, 24)])


def _virtual(file: h5py.File) -> None:
    del file[KERNEL]
    virtual = h5py.VirtualLayout((3, 2), "f4")
    virtual[:] = h5py.VirtualSource("other.h5", "secret", shape=(3, 2))
    file.create_virtual_dataset(KERNEL, virtual)


def _gigantic(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (10**9, 10**9), "f4", chunks=(1, 1000), compression="gzip")


def _other_shape(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = np.ones((2, 3), np.float32)


def _text(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = np.full((3, 2), b"text")


def _group_for_array(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_group(KERNEL)


def _array_for_group(file: h5py.File) -> None:
    del file["layers/simple_rnn"]
    file["layers/simple_rnn"] = np.ones(3)


def _missing_array(file: h5py.File) -> None:
    del file[KERNEL]


def _missing_layer(file: h5py.File) -> None:
    del file["layers/simple_rnn"]


def _one_more_array(file: h5py.File) -> None:
    file["layers/simple_rnn/cell/vars/3"] = np.ones(3)


def _one_more_layer(file: h5py.File) -> None:
    file["layers/dense_7/vars/0"] = np.ones(3)


def _other_slot(file: h5py.File) -> None:
    del file["optimizer/vars/5"]
    file["optimizer/vars/5"] = np.ones((1, 1))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_external_link, "links are not followed"),
        (_external_group, "links are not followed"),
        (_soft_link, "links are not followed"),
        (_external_storage, "in the file itself"),
        (_virtual, "in the file itself"),
        (_gigantic, "must have shape"),
        (_other_shape, "must have shape"),
        (_text, "must hold real numbers"),
        (_group_for_array, "must be a dataset"),
        (_array_for_group, "must be a group"),
        (_missing_array, "must hold 3 arrays"),
        (_missing_layer, "must hold 3 arrays"),
        (_one_more_array, "must hold 3 arrays"),
        (_one_more_layer, "dense_7"),
        (_other_slot, "optimizer/vars/5"),
    ],
)
def test_weights(
    files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[h5py.File], None],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)  # what the links lead to is there, and fits
    with h5py.File("other.h5", "w") as other:
        other["secret"] = np.ones((3, 2), np.float32)
        for number, shape in enumerate([(3, 2), (2, 2), (2,)]):
            other[f"group/cell/vars/{number}"] = np.ones(shape, np.float32)
    Path("other.bin").write_bytes(bytes(24))
    path = tmp_path / "bad.weights.h5"
    path.write_bytes(files[".weights.h5"])
    with h5py.File(path, "a") as file:
        spoil(file)
    assert message in assert_refused(path)


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda file: file.attrs.__delitem__("model_config"), "model_config"),
        (lambda file: file.attrs.__setitem__("model_config", "{"), "model_config"),
        (lambda file: file.attrs.__setitem__("model_config", 3), "model_config"),
        (lambda file: file.attrs.__setitem__("training_config", "[]"), "training_config"),
        (lambda file: file.attrs.__setitem__("training_config", "{}"), "training_config"),
        (lambda file: file.__delitem__("model_weights"), "layer_names"),
        (lambda file: file["model_weights"].attrs.__delitem__("layer_names"), "layer_names"),
        (
            lambda file: file["model_weights"].attrs.__setitem__("layer_names", ["gone"] * 6),
            "gone",
        ),
        (lambda file: file["model_weights/dense"].clear(), "missing"),
        (lambda file: file["model_weights/dense"].attrs.clear(), "layer_names"),
    ],
)
def test_whole_models_in_hdf5(
    tmp_path: Path, spoil: Callable[[h5py.File], None], place: str
) -> None:
    made = fastrnn.Sequential(
        [layers.Input((4, 2)), layers.GRU(3, name="gru"), layers.Dense(1, name="dense")]
    )
    made.compile("adam", "mse")
    made.train_on_batch(np.ones((2, 4, 2)), np.ones((2, 1)))
    path = tmp_path / "bad.h5"
    made.save(path)
    with h5py.File(path, "a") as file:
        spoil(file)
    with pytest.raises(InvalidFileError) as caught:
        load_model(path)
    assert "bad.h5" in str(caught.value)
    assert place in str(caught.value)


def test_weights_of_another_model(tmp_path: Path) -> None:
    other = fastrnn.Sequential([layers.Input((5,)), layers.Embedding(21, 4), layers.LSTM(2)])
    made = small_model()
    before = state(made)
    other.save_weights(tmp_path / "other.weights.h5")
    other.save(tmp_path / "other.h5")
    other.save(tmp_path / "other.keras")
    for end in ENDS:
        with pytest.raises(InvalidFileError, match=f"other{end}"):
            made.load_weights(tmp_path / f"other{end}")
    for a, b in zip(state(made), before, strict=True):
        np.testing.assert_array_equal(a, b)
    made.train_on_batch(TOKENS, LABELS)


def test_long_lists_of_names_are_written_in_pieces(tmp_path: Path) -> None:
    members = [layers.Dense(1, name=f"{number:03}" + "x" * 700) for number in range(100)]
    made = fastrnn.Sequential([layers.Input((1,)), *members])
    made.save(tmp_path / "long.h5")
    with h5py.File(tmp_path / "long.h5") as file:
        assert "layer_names0" in file["model_weights"].attrs
    loaded = load_model(tmp_path / "long.h5")
    np.testing.assert_array_equal(loaded.get_weights()[0], made.get_weights()[0])
