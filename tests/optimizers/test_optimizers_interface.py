"""Names, learning rates, gradients that do not fit, arguments that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import optimizers
from fastrnn.optimizers import clipping
from fastrnn.optimizers.schedules import LearningRateSchedule
from fastrnn.variable import Variable


class Halving(LearningRateSchedule):
    def __call__(self, step: int) -> float:
        return 0.5**step

    def get_config(self) -> dict[str, Any]:
        return {}


def two_variables() -> list[Variable]:
    return [Variable(np.ones((2, 3)), name="kernel"), Variable(np.ones(3), name="bias")]


def ones(variables: list[Variable]) -> list[np.ndarray]:
    return [np.ones(variable.shape, np.float32) for variable in variables]


@pytest.mark.parametrize("identifier", ["adam", "Adam", "ADAM", optimizers.Adam])
def test_get(identifier: Any) -> None:
    assert type(optimizers.get(identifier)) is optimizers.Adam


def test_get_of_objects_and_configs() -> None:
    optimizer = optimizers.RMSprop(0.25, rho=0.5, centered=True)
    assert optimizers.get(optimizer) is optimizer
    again = optimizers.get(optimizers.serialize(optimizer))
    assert type(again) is optimizers.RMSprop
    assert again.get_config() == optimizer.get_config()


@pytest.mark.parametrize("identifier", ["adm", "", None, 3, {}, {"class_name": "adm"}])
def test_get_refuses(identifier: Any) -> None:
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
        optimizers.get(identifier)


@pytest.mark.parametrize("identifier", ["ftrl", {"class_name": "Lion"}])
def test_get_names_what_only_keras_has(identifier: Any) -> None:
    with pytest.raises(ValueError, match=r"Keras has the optimizer '(Ftrl|Lion)', and"):
        optimizers.get(identifier)


def test_learning_rate_can_be_set() -> None:
    (variable,) = variables = [Variable([1.0])]
    optimizer = optimizers.SGD(0.5)
    optimizer.apply([np.array([1.0])], variables)
    optimizer.learning_rate = 0.25
    optimizer.apply([np.array([1.0])], variables)
    assert variable.value[0] == 0.25
    assert optimizer.learning_rate == 0.25
    with pytest.raises(ValueError, match=r"`learning_rate`.*Received"):
        optimizer.learning_rate = np.nan
    assert optimizer.learning_rate == 0.25


def test_learning_rate_is_a_float32() -> None:
    assert optimizers.Adam().learning_rate == float(np.float32(0.001))


def test_schedule() -> None:
    (variable,) = variables = [Variable([2.0])]
    optimizer = optimizers.SGD(Halving())
    for want in (1.0, 0.5, 0.25):
        optimizer.apply([np.array([1.0])], variables)
        assert variable.value[0] == want
    assert optimizer.learning_rate == 0.125
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        optimizer.learning_rate = 0.1


def test_learning_rate_from_a_function() -> None:
    rates = iter((1.0, 0.5))
    (variable,) = variables = [Variable([2.0])]
    optimizer = optimizers.SGD(lambda: next(rates))
    optimizer.apply([np.array([1.0])], variables)
    optimizer.apply([np.array([1.0])], variables)
    assert variable.value[0] == 0.5


def test_apply_gradients_counts() -> None:
    variables = two_variables()
    optimizer = optimizers.Adam()
    assert optimizer.apply_gradients(zip(ones(variables), variables, strict=True)) == 1
    assert optimizer.apply_gradients(zip(ones(variables), variables, strict=True)) == 2
    assert optimizer.iterations == 2


def test_arrays_are_updated_in_place_and_gradients_left_alone() -> None:
    for config in ({}, {"clipnorm": 0.1}, {"clipvalue": 0.1}, {"global_clipnorm": 0.1}):
        variables = two_variables()
        arrays = [variable.value for variable in variables]
        gradients = ones(variables)
        optimizers.Adam(**config).apply(gradients, variables)
        assert all(v.value is a for v, a in zip(variables, arrays, strict=True))
        assert all((a < 1.0).all() for a in arrays)
        assert all((g == 1.0).all() for g in gradients)


def test_nothing_is_copied_where_nothing_is_clipped() -> None:
    gradients = [np.full(4, 0.5, np.float32), np.zeros(2, np.float32)]
    for clipped in (
        clipping.clip_by_norm(gradients, 1.0),
        clipping.clip_by_global_norm(gradients, 1.0),
    ):
        assert all(a is b for a, b in zip(clipped, gradients, strict=True))


def test_gradients_that_are_not_finite() -> None:
    bad = [np.array([np.inf, 1.0], np.float32), np.ones(2, np.float32)]
    assert all(np.isnan(g).all() for g in clipping.clip_by_global_norm(bad, 1.0))
    spread = clipping.clip_by_norm([np.array([np.nan, 1.0], np.float32), bad[1]], 2.0)
    assert np.isnan(spread[0]).all()
    assert spread[1] is bad[1]


def test_gradients_of_other_types_are_converted() -> None:
    wide = np.ones((3, 4))[:, ::2].T  # float64, not contiguous
    variable = Variable(np.ones((2, 3)))
    optimizers.SGD(0.5).apply([wide], [variable])
    assert (variable.value == 0.5).all()


def test_gradients_add_up_until_an_update_is_due() -> None:
    variables = two_variables()
    optimizer = optimizers.SGD(1.0, gradient_accumulation_steps=3, clipvalue=0.5)
    for factor in (0.25, 0.5):
        optimizer.apply([factor * g for g in ones(variables)], variables)
        assert all((v.value == 1.0).all() for v in variables)
        assert optimizer.iterations == 0
    last = [0.75 * g for g in ones(variables)]
    optimizer.apply(last, variables)
    # The mean is 0.5. Clipping each gradient would have made it less.
    assert all((v.value == 0.5).all() for v in variables)
    assert all((g == 0.75).all() for g in last)
    assert optimizer.iterations == 1
    assert all((slot.value == 0.0).all() for slot in optimizer.slots)


def test_a_variable_without_gradient_is_left_out_of_its_update_only() -> None:
    variables = two_variables()
    optimizer = optimizers.SGD(1.0, gradient_accumulation_steps=2)
    optimizer.apply(ones(variables), variables)
    with pytest.warns(UserWarning, match="no gradients"):
        optimizer.apply([None, np.zeros(3)], variables)
    assert (variables[0].value == 1.0).all()
    assert (variables[1].value == 0.5).all()


def test_the_loss_is_scaled_and_gradients_are_unscaled() -> None:
    variables = two_variables()
    optimizer = optimizers.SGD(1.0, loss_scale_factor=8.0)
    assert optimizer.scale_loss(3.0) == 24.0
    optimizer.apply([optimizer.scale_loss(0.5 * g) for g in ones(variables)], variables)
    assert all((v.value == 0.5).all() for v in variables)
    assert optimizers.SGD().scale_loss(3.0) == 3.0


def test_averages_take_the_place_of_the_weights_at_the_end() -> None:
    (variable,) = variables = [Variable([1.0])]
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.75)
    for _ in range(2):
        optimizer.apply([np.array([1.0])], variables)
    assert variable.value[0] == -1.0
    with pytest.raises(ValueError, match=r"`var_list`.*Received: 2"):
        optimizer.finalize_variable_values([variable, variable])
    array = variable.value
    optimizer.finalize_variable_values(variables)
    assert variable.value is array
    assert array[0] == 0.75 * 0.0 + 0.25 * -1.0


def test_a_variable_without_gradient_stays() -> None:
    variables = two_variables()
    with pytest.warns(UserWarning, match=r"no gradients for the variables.*kernel"):
        optimizers.SGD(0.5).apply([None, np.ones(3)], variables)
    assert (variables[0].value == 1.0).all()
    assert (variables[1].value == 0.5).all()


def test_an_empty_list_is_no_update() -> None:
    optimizer = optimizers.SGD()
    optimizer.apply([])
    assert optimizer.iterations == 0


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ([np.ones((2, 3))], "one to one.*1 gradients for 2 variables"),
        ([np.ones((2, 3)), np.ones(4)], r"`bias` must have shape \(3,\).*\(4,\)"),
        ([np.ones((2, 3)), 1.0], "`bias` must have shape"),
        ([None, None], "No gradients"),
    ],
)
def test_gradients_that_do_not_fit_change_nothing(gradients: Any, message: str) -> None:
    variables = two_variables()
    optimizer = optimizers.SGD(momentum=0.9)
    with pytest.raises(ValueError, match=message):
        optimizer.apply(gradients, variables)
    assert all((variable.value == 1.0).all() for variable in variables)
    assert optimizer.iterations == 0
    assert not optimizer.built


KINDS = "Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Nadam", "RMSprop", "SGD"


@pytest.mark.parametrize("kind", KINDS)
def test_to_build_again_forgets_nothing(kind: str) -> None:
    optimizer, variables = getattr(optimizers, kind)(), two_variables()
    optimizer.apply(ones(variables), variables)
    before = [slot.numpy().copy() for slot in optimizer.slots]
    optimizer.build(variables)
    for slot, kept in zip(optimizer.slots, before, strict=True):
        np.testing.assert_array_equal(slot.numpy(), kept)


def test_other_variables_than_built_with() -> None:
    optimizer = optimizers.SGD()
    with pytest.raises(ValueError, match="`build`"):
        optimizer.apply([np.ones(3)])
    optimizer.build([Variable(np.ones(3))])
    stranger = Variable(np.ones(3), name="stranger")
    with pytest.raises(ValueError, match=r"built with.*stranger"):
        optimizer.apply([np.ones(3)], [stranger])
    optimizer.apply([np.ones(3)])
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


@pytest.mark.parametrize(
    ("cls", "config", "message"),
    [
        (optimizers.SGD, {"learning_rate": "fast"}, "`learning_rate` must be a number"),
        (optimizers.SGD, {"learning_rate": None}, "`learning_rate` must be a number"),
        (optimizers.SGD, {"learning_rate": True}, "`learning_rate` must be a number"),
        (optimizers.SGD, {"momentum": 1.5}, r"`momentum` must be a number in \[0.0, 1.0\]"),
        (optimizers.SGD, {"momentum": -0.1}, "`momentum`"),
        (optimizers.RMSprop, {"rho": 2}, "`rho`"),
        (optimizers.Adam, {"beta_1": 1.5}, "`beta_1`"),
        (optimizers.Adam, {"beta_2": "x"}, "`beta_2`"),
        (optimizers.Adam, {"epsilon": -1e-7}, "`epsilon`"),
        (optimizers.Adam, {"clipnorm": -1.0}, "`clipnorm`"),
        (optimizers.Adam, {"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        (optimizers.Adam, {"ema_momentum": 1.5}, "`ema_momentum` must be a number"),
        (optimizers.Adam, {"ema_overwrite_frequency": 0}, "`ema_overwrite_frequency`"),
        (optimizers.Adam, {"ema_overwrite_frequency": 2.0}, "`ema_overwrite_frequency`"),
        (optimizers.Adam, {"gradient_accumulation_steps": 1}, "`gradient_accumulation_steps`"),
        (optimizers.Adam, {"loss_scale_factor": 0.0}, "`loss_scale_factor` must be a number > 0"),
        (optimizers.Adam, {"learning_rat": 0.1}, "Did you mean `learning_rate`"),
        (optimizers.Adagrad, {"initial_accumulator_value": -0.1}, "`initial_accumulator_value`"),
        (optimizers.Adadelta, {"rho": 1.5}, "`rho`"),
        (optimizers.Adamax, {"beta_2": -0.1}, "`beta_2`"),
        (optimizers.Nadam, {"epsilon": -1e-7}, "`epsilon`"),
        (optimizers.AdamW, {"weight_decay": None}, "`weight_decay`"),
        (optimizers.AdamW, {"weight_decay": np.inf}, "`weight_decay`"),
    ],
)
def test_constructors_refuse(cls: type, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        cls(**config)
