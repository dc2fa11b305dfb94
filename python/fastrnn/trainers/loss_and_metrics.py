"""The losses and metrics that `compile` was given, shared out among the outputs of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastrnn.metrics import Metric
from fastrnn.symbolic import flatten
from fastrnn.trainers.output_terms import OutputTerms


class LossAndMetrics:
    """Losses and metrics of a model.

    Args:
        loss: One for all outputs, or a list or dict with one for each.
        loss_weights: Factors of the losses, likewise.
        metrics: Metrics; of several outputs a list or dict with those of each.
        weighted_metrics: Likewise, of those that sample weights weigh too.
        names: What logs call the outputs; None where a model has one output, or none yet.
        aliases: Other names of the outputs, those of their layers.
        awaited: Whether it is not known yet which outputs there are.

    Attributes:
        arguments: What was given, as `model.save` writes it.
        terms: What is said about each output.

    Raises:
        ValueError: If one of them is not known, or their number or names do not fit.
    """

    def __init__(
        self,
        loss: Any,
        loss_weights: Any,
        metrics: Any,
        weighted_metrics: Any,
        names: Sequence[str] | None = None,
        aliases: Sequence[str] | None = None,
        awaited: bool = False,
    ) -> None:
        self.arguments = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        if awaited and (_is_collection(loss) or _is_collection(loss_weights)):
            losses = [OutputTerms(None, each) for each in flatten(loss)]
            self.terms = [terms for terms in losses if terms.has_loss]
            return
        if names is None or len(names) == 1:
            only = (_only("loss", loss), _only("loss_weights", loss_weights))
            self.terms = [OutputTerms(None, *only, metrics, weighted_metrics)]
            return
        share = _Sharing(names, aliases or names)
        self.terms = [
            OutputTerms(*of_one)
            for of_one in zip(
                names,
                share.one_each("loss", loss, complete=True),
                share.one_each("loss_weights", loss_weights),
                share.some_each("metrics", metrics),
                share.some_each("weighted_metrics", weighted_metrics),
                strict=True,
            )
        ]

    @property
    def has_loss(self) -> bool:
        """Whether there is a loss."""
        return any(term.has_loss for term in self.terms)


class _Sharing:
    """Gives each of several outputs its part of an argument.

    Args:
        names: What logs call the outputs.
        aliases: Other names of them.
    """

    def __init__(self, names: Sequence[str], aliases: Sequence[str]) -> None:
        self._names = list(names)
        self._keys = list(zip(names, aliases, strict=True))

    def one_each(self, argument: str, value: Any, complete: bool = False) -> list[Any]:
        """Return the part of each output of an argument that may also be one for all."""
        if _is_collection(value):
            return self._parts(argument, value, complete)
        return [value] * len(self._names)

    def some_each(self, argument: str, value: Any) -> list[Any]:
        """Return the part of each output of a list or dict with one entry for each."""
        if not value:
            return [None] * len(self._names)
        if not _is_collection(value):
            raise ValueError(
                f"`{argument}` must be a list or dict with the metrics of each of the outputs "
                f"{self._names}. Received: {argument}={value!r}"
            )
        return self._parts(argument, value, complete=False)

    def _parts(self, argument: str, value: Any, complete: bool) -> list[Any]:
        if isinstance(value, Mapping):
            unknown = [key for key in value if not any(key in keys for keys in self._keys)]
            parts = [
                next((value[key] for key in keys if key in value), _NOTHING) for keys in self._keys
            ]
            if unknown or (complete and _NOTHING in parts):
                raise ValueError(
                    f"`{argument}` must have the keys {self._names}, those of the outputs. "
                    f"Received: {list(value)}"
                )
            return [None if part is _NOTHING else part for part in parts]
        if len(value) != len(self._names):
            raise ValueError(
                f"`{argument}` must have one entry for each of the outputs {self._names}. "
                f"Received: {argument}={value!r}"
            )
        return list(value)


_NOTHING = object()


def unique_names(
    plain: Sequence[tuple[str | None, Metric]], weighted: Sequence[tuple[str | None, Metric]]
) -> list[str]:
    """Return the keys of metrics in logs: their names, numbered where they are equal.

    As in Keras the second `mse` becomes `mse_1`, and a weighted one `weighted_mse`. The name of the
    output stands before, where there are several.

    Args:
        plain: Metrics after the names of their outputs, None for the only output.
        weighted: Likewise those that sample weights weigh.
    """
    names: list[str] = []
    for output, metric in plain:
        names.append(_numbered(_of_output(output, metric.name), names))
    for output, metric in weighted:
        name = _of_output(output, metric.name)
        if name in names:
            name = _of_output(output, f"weighted_{metric.name}")
        names.append(_numbered(name, names))
    return names


def _of_output(output: str | None, name: str) -> str:
    return name if output is None else f"{output}_{name}"


def _numbered(name: str, taken: Sequence[str]) -> str:
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _is_collection(value: Any) -> bool:
    """Return whether a value is a list, tuple or dict, and not the config of an object."""
    is_config = isinstance(value, Mapping) and "class_name" in value
    return isinstance(value, (list, tuple, Mapping)) and not is_config


def _only(name: str, value: Any) -> Any:
    """Return the entry of a list or dict for each output of a model, of which there is one."""
    if _is_collection(value):
        entries = list(value.values()) if isinstance(value, Mapping) else list(value)
        if len(entries) != 1:
            raise ValueError(
                f"`{name}` must have one entry, for the one output of the model. "
                f"Received: {name}={value!r}"
            )
        return entries[0]
    return value
