"""SimpleRNN against LSTM on short pieces of film reviews, with a look at the words.

    python examples/imdb_simple_vs_lstm.py

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

from fastrnn.datasets import imdb
from fastrnn.layers import LSTM, Dense, Embedding, Input, SimpleRNN
from fastrnn.models import Sequential
from fastrnn.preprocessing.sequence import pad_sequences
from fastrnn.utils import set_random_seed

VOCABULARY = 4_000
EMBEDDING = 128
BATCH = 30
FIRST_WORD = 3  # the smaller tokens are padding, the start of a review and unknown words


def decode(review):
    """The words of a review."""
    words = {number + FIRST_WORD: word for word, number in imdb.get_word_index().items()}
    words.update({0: "<pad>", 1: "<start>", 2: "<unknown>"})
    return " ".join(words.get(token, "<unknown>") for token in review)


def load_reviews(samples, steps):
    """Training and test reviews as tokens [samples, steps], with their labels [samples]."""
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=VOCABULARY)
    print(f"The first review, label {y_train[0]}:\n{decode(x_train[0])}")
    x_train = pad_sequences(x_train[:samples], maxlen=steps, padding="post")
    x_test = pad_sequences(x_test[:samples], maxlen=steps, padding="post")
    return (x_train, y_train[:samples]), (x_test, y_test[:samples])


def build_model(layer, steps, units):
    """A classifier with one recurrent layer."""
    model = Sequential(
        [
            Input((steps,)),
            Embedding(VOCABULARY, EMBEDDING),
            layer(units),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def main():
    """Trains and tests both models."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--samples", type=int, help="reviews of each set (None for all 25,000)")
    parser.add_argument("--steps", type=int, default=100, help="words of a review")
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    train_data, test_data = load_reviews(options.samples, options.steps)
    histories, rows = {}, []
    for layer in (SimpleRNN, LSTM):
        print(f"\n{layer.__name__}")
        set_random_seed(options.seed)
        model = build_model(layer, options.steps, options.units)
        model.summary()
        history = model.fit(
            *train_data, epochs=options.epochs, batch_size=BATCH, validation_split=0.3
        )
        loss, accuracy = model.evaluate(*test_data, batch_size=BATCH)
        rows.append((layer.__name__, model.count_params(), loss, accuracy))
        histories[layer.__name__] = history

    print(f"\n{'model':<9} {'weights':>9} {'test loss':>9} {'test acc.':>9}")
    for name, weights, loss, accuracy in rows:
        print(f"{name:<9} {weights:>9,} {loss:>9.4f} {accuracy:>9.4f}")
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        for name, history in histories.items():
            path = Path(options.plots, f"imdb_simple_vs_lstm_{name}.png")
            plot_history(history, path=path, title=name)


if __name__ == "__main__":
    main()
