"""An object of Keras where fastrnn makes one of its own counts by its config."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from fastrnn import layers, losses, metrics, models, optimizers, regularizers


def test_settings_are_taken_over(keras: ModuleType) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 7, 0.5)
    adam = optimizers.get(keras.optimizers.Adam(schedule, beta_1=0.8, clipnorm=2.0))
    assert type(adam) is optimizers.Adam
    assert (adam.beta_1, adam.clipnorm) == (0.8, 2.0)
    assert float(adam.learning_rate) == pytest.approx(0.1)
    huber = losses.get(keras.losses.Huber(delta=0.5))
    assert type(huber) is losses.Huber
    assert huber.delta == 0.5
    auc = metrics.get(keras.metrics.AUC(num_thresholds=11, name="area"))
    assert type(auc) is metrics.AUC
    assert auc.name == "area"
    penalty = regularizers.get(keras.regularizers.L2(0.25))
    assert type(penalty) is regularizers.L2
    assert float(penalty.l2) == 0.25


def test_functions_are_those_of_their_names(keras: ModuleType) -> None:
    assert type(losses.get(keras.losses.binary_crossentropy)) is losses.BinaryCrossentropy
    metric = metrics.get(keras.metrics.binary_accuracy)
    assert type(metric) is metrics.BinaryAccuracy
    assert metric.name == "binary_accuracy"


def test_a_model_trains_with_them(keras: ModuleType) -> None:
    x, y = np.arange(8.0).reshape(4, 2), np.arange(4.0)
    histories = []
    for settings in (
        (optimizers.SGD(0.01), losses.Huber(), [metrics.MeanSquaredError()]),
        (keras.optimizers.SGD(0.01), keras.losses.Huber(), [keras.metrics.MeanSquaredError()]),
    ):
        model = models.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
        model.compile(*settings[:2], metrics=settings[2])
        histories.append(model.fit(x, y, epochs=3, shuffle=False, verbose=0).history)
    assert histories[0] == histories[1]
    assert set(histories[0]) == {"loss", "mean_squared_error"}


def test_what_fastrnn_does_not_have_is_refused(keras: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"Keras has the optimizer 'Lion'"):
        optimizers.get(keras.optimizers.Lion())
