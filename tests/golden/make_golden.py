"""Makes the golden files of this folder with real Keras on TensorFlow:

    KERAS_BACKEND=tensorflow PYTHONPATH=tests python tests/golden/make_golden.py [name ...]

training.npz   losses of 50 training steps of each cell with each optimizer, weights after Adam
the others     the cases of the module of that name in tests/golden/
"""

from __future__ import annotations

import sys

import keras
import numpy as np
from support import parity_cases as cases
from support.keras_cells import KERAS_CELLS

from golden import case_file, kinds, objects


def training_arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    data = cases.training_data(rng)
    arrays: dict[str, np.ndarray] = {f"tokens/{name}": tokens for name, tokens in data.items()}
    for cell in KERAS_CELLS:
        shapes = [w.shape for w in cases.training_model(keras, cell, "sgd").get_weights()]
        weights = cases.random_weights(rng, shapes)
        arrays.update({f"{cell}/weights/{k}": weight for k, weight in enumerate(weights)})
        for optimizer in cases.OPTIMIZERS:
            model = cases.training_model(keras, cell, optimizer, weights)
            losses = cases.training_losses(model, data["distinct"])
            arrays[f"{cell}/{optimizer}/distinct"] = losses
            if optimizer == "adam":
                final = model.get_weights()
                arrays.update({f"{cell}/adam/final/{k}": w for k, w in enumerate(final)})
            model = cases.training_model(keras, cell, optimizer, weights)
            losses = cases.dense_gradient_losses(keras, model, data["repeated"])
            arrays[f"{cell}/{optimizer}/repeated"] = losses
    return arrays


def golden_cases(kind: str) -> dict[str, case_file.Golden]:
    """Every case of a kind, asked of Keras."""
    module, asked = kinds.KINDS[kind], {}
    for name, row in module.CASES.items():
        rng = np.random.default_rng(list(name.encode()))
        given = module.draw_inputs(keras, row, rng)
        answers = module.ask_keras(row, given)
        asked[name] = case_file.Golden(objects.plain(row), objects.completed(row), given, answers)
    return asked


def main(names: list[str]) -> None:
    assert keras.backend.backend() == "tensorflow"
    for name in names or ["training", *kinds.KINDS]:
        if name == "training":
            file = cases.TRAINING_FILE
            version = np.array(keras.__version__)
            np.savez_compressed(file, keras_version=version, **training_arrays())
        else:
            file = kinds.golden_file(name)
            case_file.save(file, keras.__version__, golden_cases(name))
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
