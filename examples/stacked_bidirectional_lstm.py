"""Two LSTM layers on film reviews, and the same model reading in both directions.

    python examples/stacked_bidirectional_lstm.py

The flags are the exercises of the lesson: other units, more hidden layers (`--units 64 64 32`),
`--dense-activation tanh`, more epochs, longer reviews, another vocabulary, dropout.

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

from fastrnn.datasets import imdb
from fastrnn.layers import LSTM, Bidirectional, Dense, Dropout, Embedding, Input
from fastrnn.models import Sequential
from fastrnn.preprocessing.sequence import pad_sequences
from fastrnn.utils import set_random_seed

EMBEDDING = 16
BATCH = 64


def load_reviews(samples, vocab_size, max_length):
    """Training and test reviews as tokens [samples, max_length], with their labels [samples]."""
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=vocab_size)
    x_train = pad_sequences(x_train[:samples], maxlen=max_length, truncating="post")
    x_test = pad_sequences(x_test[:samples], maxlen=max_length, truncating="post")
    return (x_train, y_train[:samples]), (x_test, y_test[:samples])


def build_model(bidirectional, options):
    """Embedding, LSTM layers of which all but the last return sequences, and two Dense layers."""
    model = Sequential([Input((options.max_length,)), Embedding(options.vocab_size, EMBEDDING)])
    for number, units in enumerate(options.units, 1):
        layer = LSTM(units, return_sequences=number < len(options.units))
        model.add(Bidirectional(layer) if bidirectional else layer)
        if options.dropout:
            model.add(Dropout(options.dropout))
    model.add(Dense(6, activation=options.dense_activation))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def print_history(history):
    """A row per epoch, by pandas where it is installed."""
    try:
        import pandas
    except ImportError:
        print("  ".join(history.history))
        for row in zip(*history.history.values(), strict=True):
            print("  ".join(f"{value:.4f}" for value in row))
    else:
        print(pandas.DataFrame(history.history).round(4).to_string())


def main():
    """Trains both models, each with the test reviews for validation."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--samples", type=int, help="reviews of each set (None for all 25,000)")
    parser.add_argument("--vocab-size", type=int, default=10_000)
    parser.add_argument("--max-length", type=int, default=120, help="words of a review")
    parser.add_argument("--units", type=int, nargs="+", default=[64, 32], help="of each layer")
    parser.add_argument("--dense-activation", default="relu")
    parser.add_argument("--dropout", type=float, default=0.0, help="after each LSTM layer")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    train_data, test_data = load_reviews(options.samples, options.vocab_size, options.max_length)
    histories, rows = {}, []
    for name, bidirectional in (("stacked", False), ("bidirectional", True)):
        print(f"\n{name}")
        set_random_seed(options.seed)
        model = build_model(bidirectional, options)
        model.summary()
        histories[name] = model.fit(
            *train_data, epochs=options.epochs, batch_size=BATCH, validation_data=test_data
        )
        rows.append((name, model.count_params(), *model.evaluate(*test_data, batch_size=BATCH)))

    for name, history in histories.items():
        print(f"\n{name}")
        print_history(history)
    print(f"\n{'model':<13} {'weights':>9} {'test loss':>9} {'test acc.':>9}")
    for name, weights, loss, accuracy in rows:
        print(f"{name:<13} {weights:>9,} {loss:>9.4f} {accuracy:>9.4f}")
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        for name, history in histories.items():
            path = Path(options.plots, f"stacked_bidirectional_lstm_{name}.png")
            plot_history(history, path=path, title=name)


if __name__ == "__main__":
    main()
