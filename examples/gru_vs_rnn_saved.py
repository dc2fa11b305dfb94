"""GRU, LSTM and SimpleRNN on long film reviews: trained, saved, loaded and tested.

    python examples/gru_vs_rnn_saved.py

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

from fastrnn.datasets import imdb
from fastrnn.layers import GRU, LSTM, Dense, Embedding, Input, SimpleRNN
from fastrnn.models import Sequential, load_model
from fastrnn.preprocessing.sequence import pad_sequences
from fastrnn.utils import set_random_seed

VOCABULARY = 5_000
EMBEDDING = 32
BATCH = 64


def load_reviews(samples, steps):
    """Training and test reviews as tokens [samples, steps], with their labels [samples]."""
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=VOCABULARY)
    x_train = pad_sequences(x_train[:samples], maxlen=steps)
    x_test = pad_sequences(x_test[:samples], maxlen=steps)
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
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def main():
    """Trains the three models, saves them, and tests what the files hold."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--samples", type=int, help="reviews of each set (None for all 25,000)")
    parser.add_argument("--steps", type=int, default=500, help="words of a review")
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", default=".", help="where the models are saved")
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    (x_train, y_train), (x_test, y_test) = load_reviews(options.samples, options.steps)
    histories, files = {}, []
    for layer in (GRU, LSTM, SimpleRNN):
        name = layer.__name__
        print(f"\n{name}")
        set_random_seed(options.seed)
        model = build_model(layer, options.steps, options.units)
        model.summary()
        histories[name] = model.fit(
            x_train,
            y_train,
            epochs=options.epochs,
            batch_size=BATCH,
            validation_data=(x_test, y_test),
        )
        files.append(str(Path(options.folder, f"imdb_{name}.h5")))
        model.save(files[-1])

    print(f"\n{'file':<18} {'layer weights':>13} {'all weights':>11} {'test acc.':>9}")
    for file in files:
        model = load_model(file)
        _, accuracy = model.evaluate(x_test, y_test, batch_size=BATCH, verbose=0)
        recurrent = model.layers[1].count_params()
        print(
            f"{Path(file).name:<18} {recurrent:>13,} {model.count_params():>11,} {accuracy:>9.4f}"
        )
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        for name, history in histories.items():
            path = Path(options.plots, f"gru_vs_rnn_saved_{name}.png")
            plot_history(history, path=path, title=name)


if __name__ == "__main__":
    main()
