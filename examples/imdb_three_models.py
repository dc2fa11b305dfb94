"""Sentiment of film reviews with three recurrent layers: the well-known Keras lesson, on fastrnn.

    python examples/imdb_three_models.py

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

from fastrnn.datasets import imdb
from fastrnn.layers import GRU, LSTM, Dense, Embedding, SimpleRNN
from fastrnn.models import Sequential
from fastrnn.preprocessing.sequence import pad_sequences
from fastrnn.utils import set_random_seed

VOCABULARY = 10_000
STEPS = 200
EMBEDDING = 32
UNITS = 50
BATCH = 64


def load_reviews(samples):
    """Training and test reviews as tokens [samples, STEPS], with their labels [samples]."""
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=VOCABULARY)
    x_train = pad_sequences(x_train[:samples], maxlen=STEPS)
    x_test = pad_sequences(x_test[:samples], maxlen=STEPS)
    return (x_train, y_train[:samples]), (x_test, y_test[:samples])


def build_model(layer):
    """A classifier with one recurrent layer."""
    model = Sequential(
        [
            Embedding(VOCABULARY, EMBEDDING, input_length=STEPS),
            layer(UNITS),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def main():
    """Trains and tests the three models and prints a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, help="reviews of each set (default: all 25,000)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    (x_train, y_train), (x_test, y_test) = load_reviews(options.samples)
    print(f"{len(x_train)} training reviews, {len(x_test)} test reviews, seed {options.seed}")

    histories, rows = {}, []
    for layer in (SimpleRNN, LSTM, GRU):
        print(f"\n{layer.__name__}")
        set_random_seed(options.seed)
        model = build_model(layer)
        history = model.fit(
            x_train, y_train, epochs=options.epochs, batch_size=BATCH, validation_split=0.2
        )
        loss, accuracy = model.evaluate(x_test, y_test, batch_size=BATCH)
        validation = history.history["val_accuracy"][-1]
        rows.append((layer.__name__, model.count_params(), validation, loss, accuracy))
        histories[layer.__name__] = history

    print(f"\n{'model':<9} {'weights':>9} {'val. acc.':>9} {'test loss':>9} {'test acc.':>9}")
    for name, weights, validation, loss, accuracy in rows:
        print(f"{name:<9} {weights:>9,} {validation:>9.4f} {loss:>9.4f} {accuracy:>9.4f}")
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        for name, history in histories.items():
            path = Path(options.plots, f"imdb_three_models_{name}.png")
            plot_history(history, path=path, title=name)


if __name__ == "__main__":
    main()
