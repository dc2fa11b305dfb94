"""A SimpleRNN continues sequences of numbers, also beyond the numbers that it was trained on.

    python examples/number_sequences.py

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

import numpy as np
from fastrnn.layers import Dense, Input, SimpleRNN
from fastrnn.models import Sequential
from fastrnn.utils import set_random_seed


def windows(numbers, steps):
    """All windows [samples, steps, 1] of a sequence, with the number that follows each."""
    x = np.array([numbers[start : start + steps] for start in range(len(numbers) - steps)])
    return x[..., None].astype("float32"), np.array(numbers[steps:], "float32")


def build_model(steps, units):
    """A model that predicts the number after a window of numbers."""
    model = Sequential([Input((steps, 1)), SimpleRNN(units, activation="relu"), Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model


def main():
    """Trains on the numbers 0, 1, 2, ... and on the even ones, and continues both."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--numbers", type=int, default=100, help="length of a sequence")
    parser.add_argument("--beyond", type=int, default=20, help="windows beyond its end")
    parser.add_argument("--steps", type=int, default=10, help="length of a window")
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    histories = {}
    for name, step in (("all", 1), ("even", 2)):
        known = options.numbers * step
        x, y = windows(range(0, known, step), options.steps)
        beyond = options.steps + options.beyond
        x_beyond, y_beyond = windows(range(known, known + beyond * step, step), options.steps)

        set_random_seed(options.seed)
        model = build_model(options.steps, options.units)
        histories[name] = model.fit(x, y, epochs=options.epochs, verbose=0)
        predicted = model.predict(x_beyond, verbose=0)[:, 0]
        print(f"\n{name} numbers from 0 to {known - step}, {len(x)} windows")
        print(f"mean squared error there: {model.evaluate(x, y, verbose=0):.4f}")
        print(f"mean squared error beyond: {model.evaluate(x_beyond, y_beyond, verbose=0):.4f}")
        for k in range(0, options.beyond, max(options.beyond // 4, 1)):
            first, last = x_beyond[k, 0, 0], x_beyond[k, -1, 0]
            print(f"{first:.0f} ... {last:.0f} -> {predicted[k]:.2f}, right is {y_beyond[k]:.0f}")
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        for name, history in histories.items():
            path = Path(options.plots, f"number_sequences_{name}.png")
            plot_history(history, path=path, title=name)


if __name__ == "__main__":
    main()
