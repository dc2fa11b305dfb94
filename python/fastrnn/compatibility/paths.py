"""Import paths of older versions of Keras, and the names that are not supported.

    from fastrnn.layers.core import Dense        # was keras.layers.core
    from fastrnn.utils import np_utils           # was keras.utils.np_utils

Modules of such paths are made when a script asks for them; none of them has a file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from fastrnn.compatibility.unsupported import (
    UNSUPPORTED,
    WHY_NO_MODULE,
    reason_for,
    refusing_object,
)

_PACKAGE = "fastrnn"

PATHS: dict[str, str] = {
    # Whole packages under another name.
    "_tf_keras": "",
    "_tf_keras.keras": "",
    "api": "",
    "src": "",
    # Keras 1 and 2, tf.keras.
    "callbacks.callbacks": "callbacks",
    "callbacks.tensorboard_v1": "callbacks",
    "engine": "layers models",
    "engine.base_layer": "layers",
    "engine.input_layer": "layers",
    "engine.sequential": "models",
    "engine.topology": "layers models",
    "engine.training": "models",
    "initializers.initializers_v2": "initializers",
    "layers.advanced_activations": "layers",
    "layers.convolutional": "layers",
    "layers.convolutional_recurrent": "layers",
    "layers.core": "layers",
    "layers.cudnn_recurrent": "layers",
    "layers.embeddings": "layers",
    "layers.experimental": "layers",
    "layers.experimental.preprocessing": "layers",
    "layers.local": "layers",
    "layers.merge": "layers",
    "layers.noise": "layers",
    "layers.normalization": "layers",
    "layers.pooling": "layers",
    "layers.preprocessing": "layers",
    "layers.recurrent": "layers",
    "layers.recurrent_v2": "layers",
    "layers.regularization": "layers",
    "layers.reshaping": "layers",
    "layers.wrappers": "layers",
    "models.sequential": "models",
    "objectives": "losses",
    "optimizer_v2": "optimizers",
    "optimizer_v2.learning_rate_schedule": "optimizers.schedules",
    "optimizers.experimental": "optimizers",
    "optimizers.legacy": "optimizers",
    "optimizers.learning_rate_schedule": "optimizers.schedules",
    "optimizers.optimizer_v2": "optimizers",
    "optimizers.schedules.learning_rate_schedule": "optimizers.schedules",
    "preprocessing.timeseries": "utils",
    "saving.save": "saving",
    "utils.all_utils": "utils saving",
    "utils.data_utils": "utils",
    "utils.generic_utils": "utils saving",
    "utils.layer_utils": "utils",
    "utils.np_utils": "utils",
    "utils.vis_utils": "utils",
    # Keras 3.
    "ops.nn": "ops",
    "ops.numpy": "ops",
    "utils.legacy": "saving",
}
"""Path below the package -> where its names are now: modules, separated by blanks. The modules
below such a path are looked for below those. Where a path has a module of fastrnn, this holds for
the names that it lacks."""


def install() -> None:
    """Make old paths importable, and have modules tell why a name is not supported.

    `import fastrnn` calls it, after its own imports.
    """
    if not any(isinstance(finder, _OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(_OldPaths())
    known = {*PATHS, *UNSUPPORTED, *WHY_NO_MODULE}
    for path in known | {each.rpartition(".")[0] for each in known}:
        module = sys.modules.get(_full(path))
        if module is not None:
            vars(module).setdefault("__getattr__", _getattr_of(path))


def modules_for(path: str) -> list[str]:
    """Return the modules that a path of older versions stands for; none if it is no such path.

    Args:
        path: Path of a module, below the package.

    Returns:
        Paths of modules that exist, below the package; the empty one is the package itself.
    """
    known, below = path, ""
    while known and known not in PATHS:
        known, _, last = known.rpartition(".")
        below = f".{last}{below}"
    targets = (
        [f"{target}{below}".lstrip(".") for target in PATHS[known].split(" ")] if known else []
    )
    return [target for target in targets if _exists(_full(target))]


def _exists(name: str) -> bool:
    try:
        return name == _PACKAGE or find_spec(name) is not None
    except ModuleNotFoundError:  # of a module around it
        return False


def _full(path: str) -> str:
    return f"{_PACKAGE}.{path}".rstrip(".")


def _getattr_of(path: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module: it finds what the module itself lacks.

    Args:
        path: Path of the module, below the package.
    """

    def find(name: str) -> Any:
        below = f"{path}.{name}".lstrip(".")
        if not name.startswith("__"):
            for target in modules_for(path):
                module = import_module(_full(target))
                if hasattr(module, name):
                    return getattr(module, name)
            if below in PATHS or below in WHY_NO_MODULE:
                return import_module(_full(below))
            if reason_for(path, name) is not None:
                return refusing_object(path, name)
        raise AttributeError(f"module {_full(path)!r} has no attribute {name!r}")

    return find


class _OldPaths(MetaPathFinder, Loader):
    """Makes the modules of paths that have no file; asked after all other finders."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        package, _, below = fullname.partition(".")
        if package != _PACKAGE or not (below in WHY_NO_MODULE or modules_for(below)):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        path = module.__name__.partition(".")[2]
        targets = [_full(target) for target in modules_for(path)]
        listed = ", ".join(f"`{target}`" for target in targets)
        module.__doc__ = f"Names of {listed}." if targets else "Nothing here is supported."
        vars(module)["__getattr__"] = _getattr_of(path)
        vars(module)["__all__"] = [
            name
            for target in targets
            for name in getattr(import_module(target), "__all__", ())
            if not name.startswith("__")
        ]
