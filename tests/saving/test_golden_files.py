"""Files of real Keras, of 3.15.1 and of the last Keras 2: they load, predict and train on alike."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from fastrnn.models import load_model

GOLDEN = Path(__file__).parent / "golden"
FILES = [
    ("keras", "stacked.keras"),
    ("keras", "stacked.h5"),
    ("keras", "functional.keras"),
    ("keras", "functional.h5"),
    ("tf_keras", "stacked.keras"),
    ("tf_keras", "stacked.h5"),
    ("tf_keras", "functional.keras"),
    ("tf_keras", "functional.h5"),
    ("tf_keras", "legacy.h5"),
]


@pytest.fixture
def golden(tmp_path: Path):
    """Unpacks the files of a library and returns their folder and the answers."""

    def unpack(library: str) -> tuple[Path, dict[str, np.ndarray]]:
        with zipfile.ZipFile(GOLDEN / f"{library}.zip") as archive:
            archive.extractall(tmp_path)
        with np.load(tmp_path / "answers.npz") as answers:
            return tmp_path, dict(answers)

    return unpack


@pytest.mark.parametrize(("library", "name"), FILES)
def test_a_model_predicts_and_trains_on_as_in_keras(golden, library: str, name: str) -> None:
    folder, answers = golden(library)
    model = load_model(folder / name)
    which = name.partition(".")[0]
    x = answers["tokens" if which == "stacked" else "sequences"]
    np.testing.assert_allclose(
        model.predict(x, verbose=0), answers[f"{which}/predictions"], rtol=1e-5, atol=1e-6
    )
    assert model.optimizer.iterations == 2
    for _ in range(2):
        model.train_on_batch(x, answers["labels"])
    later = answers[f"{which}/later"]
    # The steps change predictions by at least 0.03; without slots they end elsewhere.
    np.testing.assert_allclose(model.predict(x, verbose=0), later, rtol=2e-5, atol=2e-6)


def test_weights_alone_load_in_either_format(golden) -> None:
    for library, name in (("keras", "stacked.weights.h5"), ("tf_keras", "stacked_weights.h5")):
        folder, answers = golden(library)
        model = load_model(folder / "stacked.keras")
        model.set_weights([np.zeros(weight.shape) for weight in model.weights])
        model.load_weights(folder / name)
        y = model.predict(answers["tokens"], verbose=0)
        np.testing.assert_allclose(y, answers["stacked/predictions"], rtol=1e-5, atol=1e-6)


def test_compile_settings_come_back(golden) -> None:
    folder, answers = golden("tf_keras")
    model = load_model(folder / "legacy.h5")
    logs = model.evaluate(answers["sequences"], answers["labels"], verbose=0, return_dict=True)
    assert sorted(logs) == ["loss", "mae"]
    assert model.optimizer.get_config()["learning_rate"] == pytest.approx(0.02)
    folder, _ = golden("keras")
    model = load_model(folder / "functional.keras")
    config = model.optimizer.get_config()
    assert config["nesterov"]
    assert config["momentum"] == 0.9
    assert config["learning_rate"]["class_name"] == "ExponentialDecay"
    assert not load_model(folder / "functional.keras", compile=False).compiled
    assert not load_model(folder / "functional.h5", compile=False).compiled


def test_keras_is_not_needed(golden, run_python) -> None:
    folder, _ = golden("keras")
    code = f"""
import sys
for name in ("keras", "tensorflow", "torch", "jax"):
    sys.modules[name] = None
import fastrnn
assert "h5py" not in sys.modules
model = fastrnn.models.load_model({str(folder / "stacked.keras")!r})
model.save({str(folder / "again.h5")!r})
print(fastrnn.models.load_model({str(folder / "again.h5")!r}).count_params())
"""
    result = run_python(code)
    assert result.stdout.strip() == "244", result.stderr
