"""A convolution in front of an LSTM: phrases first, then their order, on film reviews.

    python examples/cnn_lstm.py

Conv1D looks at five words at a time, and MaxPooling1D keeps the strongest of four places. The LSTM
then walks a quarter of the steps. It is compared with an LSTM that reads every word.

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

from fastrnn.datasets import imdb
from fastrnn.layers import LSTM, Conv1D, Dense, Dropout, Embedding, Input, MaxPooling1D
from fastrnn.models import Sequential
from fastrnn.preprocessing.sequence import pad_sequences
from fastrnn.utils import set_random_seed

VOCABULARY = 20_000
BATCH = 32


def load_reviews(samples, steps):
    """Training and test reviews as tokens [samples, steps], with their labels [samples]."""
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=VOCABULARY)
    x_train, x_test = (pad_sequences(x[:samples], maxlen=steps) for x in (x_train, x_test))
    return (x_train, y_train[:samples]), (x_test, y_test[:samples])


def build_model(name, steps, units):
    """Embedding, dropout, for `cnn_lstm` a convolution with pooling, then an LSTM."""
    model = Sequential([Input((steps,)), Embedding(VOCABULARY, 128), Dropout(0.25)])
    if name == "cnn_lstm":
        model.add(Conv1D(64, 5, activation="relu"))
        model.add(MaxPooling1D(4))
    model.add(LSTM(units))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def main():
    """Trains both models."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--samples", type=int, help="reviews of each set (None for all 25,000)")
    parser.add_argument("--steps", type=int, default=100, help="words of a review, the last ones")
    parser.add_argument("--units", type=int, default=70)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    train_data, test_data = load_reviews(options.samples, options.steps)
    histories, rows = {}, []
    for name in ("lstm", "cnn_lstm"):
        print(f"\n{name}")
        set_random_seed(options.seed)
        model = build_model(name, options.steps, options.units)
        model.summary()
        histories[name] = model.fit(
            *train_data, epochs=options.epochs, batch_size=BATCH, validation_data=test_data
        )
        loss, accuracy = model.evaluate(*test_data, batch_size=BATCH, verbose=0)
        rows.append((name, model.count_params(), loss, accuracy))

    print(f"\n{'model':<9} {'weights':>9} {'test loss':>9} {'test acc.':>9}")
    for name, weights, loss, accuracy in rows:
        print(f"{name:<9} {weights:>9,} {loss:>9.4f} {accuracy:>9.4f}")
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        for name, history in histories.items():
            path = Path(options.plots, f"cnn_lstm_{name}.png")
            plot_history(history, path=path, title=name)


if __name__ == "__main__":
    main()
