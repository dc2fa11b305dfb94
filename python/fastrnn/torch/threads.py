"""The threads of a call from PyTorch: as many as PyTorch's, and the same ones if possible."""

from __future__ import annotations

import ctypes

import torch

from fastrnn import _core


class torch_threads:  # noqa: N801 -- used like a function
    """Within it the kernels use as many threads as PyTorch does, and may borrow PyTorch's.

    PyTorch's threads spin for some milliseconds after each operator, on the CPUs that threads of
    our own would need. Borrowed, they do the work instead.
    """

    def __enter__(self) -> None:
        _core.set_threads_of_call(torch.get_num_threads())

    def __exit__(self, *_: object) -> None:
        _core.set_threads_of_call(0)


def _lend_threads() -> None:
    """Tell the kernels of PyTorch's OpenMP, where it has the interface of GNU's."""
    names = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")
    try:
        # Symbols are looked up in this library and those that it needs: other packages may have
        # loaded an OpenMP of their own. str: the site is built without PyTorch.
        library = ctypes.CDLL(str(torch._C.__file__))
        functions = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in names]
    except (AttributeError, OSError):
        return
    _core.lend_threads(*(address or 0 for address in functions))


_lend_threads()
