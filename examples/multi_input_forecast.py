"""A forecast of the next day from three inputs: the last days, the calendar and facts of a place.

    python examples/multi_input_forecast.py

The series is made up: the electricity that each of some shops used, hour by hour. Tomorrow depends
on what the last days show (the level, which drifts), on the calendar (closed shops need little) and
on facts that never change (size, opening hours, heating). An LSTM reads the last days; the other
inputs join its output.

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

import numpy as np
from fastrnn.layers import LSTM, Concatenate, Dense, Input
from fastrnn.models import Model
from fastrnn.utils import set_random_seed

HOURS = 24
CALENDAR = 3  # of a day: whether the shops are closed; the place of the day in its year
FACTS = 3  # of a shop: size, hour of opening, share of heating
BATCH = 64


def draw_shops(shops, days, generator):
    """Makes up shops.

    Returns:
        Load [shops, days, hours], the calendar [days, 3] and the facts [shops, 3].
    """
    facts = generator.uniform(0.0, 1.0, (shops, FACTS))
    size, opening, heating = (facts[:, k, None, None] for k in range(FACTS))
    day, hour = np.arange(days), np.arange(HOURS)
    holidays = generator.random(days) < 0.03
    closed = (day % 7 == 6) | holidays
    angle = 2 * np.pi * day / 365
    open_hours = 1 / (1 + np.exp(-2 * (hour - 6 - 4 * opening)))
    open_hours = open_hours / (1 + np.exp(2 * (hour - 18 - 4 * opening)))
    work = 0.15 + open_hours * np.where(closed, 0.1, 1.0)[:, None]
    winter = (1 + np.cos(angle))[:, None] * (1 + 0.3 * np.cos(2 * np.pi * hour / HOURS))
    drift = 1 + 0.03 * generator.normal(size=(shops, days, 1)).cumsum(axis=1)
    load = (0.5 + size) * (work + 0.3 * heating * winter) * np.clip(drift, 0.5, 2.0)
    load += generator.normal(0.0, 0.02, load.shape)
    calendar = np.stack([closed, np.sin(angle), np.cos(angle)], axis=1)
    return load.astype("float32"), calendar.astype("float32"), facts.astype("float32")


def make_windows(load, calendar, facts, days):
    """The inputs of all windows of so many days, and the day that follows each.

    Windows are in the order of their days, so that the last ones can be kept for the test.
    """
    shops, whole, _ = load.shape
    starts = range(whole - days)
    past = np.concatenate([load[:, k : k + days].reshape(shops, -1, 1) for k in starts])
    inputs = {
        "past": past,
        "calendar": np.concatenate([np.tile(calendar[k + days], (shops, 1)) for k in starts]),
        "facts": np.tile(facts, (len(starts), 1)),
    }
    return inputs, np.concatenate([load[:, k + days] for k in starts])


def build_model(days, units, names):
    """A model of some of the three inputs that predicts the load of each hour of the next day."""
    past = Input((days * HOURS, 1), name="past")
    others = {
        "calendar": Input((CALENDAR,), name="calendar"),
        "facts": Input((FACTS,), name="facts"),
    }
    others = {name: others[name] for name in names if name in others}
    state = LSTM(units)(past)
    joined = Concatenate()([state, *others.values()]) if others else state
    hidden = Dense(64, activation="relu")(joined)
    hidden = Dense(64, activation="relu")(hidden)
    model = Model({"past": past, **others}, Dense(HOURS)(hidden))
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return model


def draw_forecasts(path, truth, forecasts):
    """Saves a picture of one day and of what each model said before."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    axes.plot(truth, "k", label="what came")
    for name, values in forecasts.items():
        axes.plot(values, "--", label=name)
    axes.set(xlabel="hour", ylabel="load", title="one shop on a day that was not trained")
    axes.legend()
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)


def main():
    """Trains on some inputs and on all of them, and compares with repeating a day."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--shops", type=int, default=12)
    parser.add_argument("--days", type=int, default=500, help="of the series")
    parser.add_argument("--test-days", type=int, default=60, help="the last days, for the test")
    parser.add_argument("--window", type=int, default=3, help="days that the model sees")
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for a PNG file (needs matplotlib)")
    options = parser.parse_args()

    generator = np.random.default_rng(options.seed)
    load, calendar, facts = draw_shops(options.shops, options.days, generator)
    x, y = make_windows(load, calendar, facts, options.window)
    train = slice(None, -options.test_days * options.shops)
    test = slice(-options.test_days * options.shops, None)
    print(
        f"{len(y[train])} windows of {options.shops} shops to learn from, {len(y[test])} for test"
    )

    forecasts = {"the day before": x["past"][test, -HOURS:, 0]}
    for names in (("past",), ("past", "calendar"), ("past", "calendar", "facts")):
        set_random_seed(options.seed)
        model = build_model(options.window, options.units, names)
        model.fit(
            {name: x[name][train] for name in names},
            y[train],
            batch_size=BATCH,
            epochs=options.epochs,
            verbose=0,
        )
        forecasts[" + ".join(names)] = model.predict(
            {name: x[name][test] for name in names}, batch_size=BATCH, verbose=0
        )
    model.summary()
    print(f"\n{'forecast from':<24} {'mean error':>10} {'closed days':>11}")
    closed = x["calendar"][test, 0] > 0
    for name, values in forecasts.items():
        errors = np.abs(values - y[test])
        on_closed = errors[closed].mean() if closed.any() else 0.0
        print(f"{name:<24} {errors.mean():>10.4f} {on_closed:>11.4f}")
    if options.plots:
        shown = int(np.argmax(closed))
        draw_forecasts(
            Path(options.plots, "multi_input_forecast_day.png"),
            y[test][shown],
            {name: values[shown] for name, values in forecasts.items()},
        )


if __name__ == "__main__":
    main()
