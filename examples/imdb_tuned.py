"""Three recurrent layers with dropout on film reviews, then a grid around the best of them.

    python examples/imdb_tuned.py

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from itertools import product
from pathlib import Path

from fastrnn.datasets import imdb
from fastrnn.layers import GRU, LSTM, Dense, Embedding, Input, SimpleRNN
from fastrnn.models import Sequential
from fastrnn.optimizers import Adam
from fastrnn.preprocessing.sequence import pad_sequences
from fastrnn.utils import set_random_seed

VOCABULARY = 10_000
EMBEDDING = 64
BATCH = 128


def load_reviews(samples, steps):
    """Training and test reviews as tokens [samples, steps], with their labels [samples]."""
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=VOCABULARY)
    x_train = pad_sequences(x_train[:samples], maxlen=steps)
    x_test = pad_sequences(x_test[:samples], maxlen=steps)
    return (x_train, y_train[:samples]), (x_test, y_test[:samples])


def build_model(layer, steps, units, dropout, rate):
    """A classifier with one recurrent layer, with dropout of its inputs and of its states."""
    model = Sequential(
        [
            Input((steps,)),
            Embedding(VOCABULARY, EMBEDDING),
            layer(units, dropout=dropout, recurrent_dropout=dropout),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def train(model, train_data, epochs):
    """The history of a training with a fifth of the reviews for validation."""
    return model.fit(*train_data, epochs=epochs, batch_size=BATCH, validation_split=0.2)


def main():
    """Trains and tests the three models, then trains the grid."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--samples", type=int, help="reviews of each set (None for all 25,000)")
    parser.add_argument("--steps", type=int, default=300, help="words of a review")
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--rate", type=float, default=5e-4, help="learning rate of Adam")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--grid-units", type=int, nargs="*", default=[50, 100])
    parser.add_argument("--grid-dropout", type=float, nargs="*", default=[0.2, 0.4])
    parser.add_argument("--grid-rate", type=float, nargs="*", default=[5e-4, 2e-3])
    parser.add_argument("--grid-epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    train_data, test_data = load_reviews(options.samples, options.steps)
    histories, rows = {}, []
    for layer in (SimpleRNN, LSTM, GRU):
        print(f"\n{layer.__name__}")
        set_random_seed(options.seed)
        model = build_model(layer, options.steps, options.units, options.dropout, options.rate)
        history = train(model, train_data, options.epochs)
        loss, accuracy = model.evaluate(*test_data, batch_size=BATCH)
        validation = history.history["val_accuracy"][-1]
        rows.append((validation, layer, model.count_params(), loss, accuracy))
        histories[layer.__name__] = history

    best = max(rows, key=lambda row: row[0])[1]
    grid = []
    for units, dropout, rate in product(
        options.grid_units, options.grid_dropout, options.grid_rate
    ):
        print(f"\n{best.__name__} with {units} units, dropout {dropout}, learning rate {rate}")
        set_random_seed(options.seed)
        model = build_model(best, options.steps, units, dropout, rate)
        history = train(model, train_data, options.grid_epochs)
        grid.append((max(history.history["val_accuracy"]), units, dropout, rate))

    print(f"\n{'model':<9} {'weights':>9} {'val. acc.':>9} {'test loss':>9} {'test acc.':>9}")
    for validation, layer, weights, loss, accuracy in rows:
        print(f"{layer.__name__:<9} {weights:>9,} {validation:>9.4f} {loss:>9.4f} {accuracy:>9.4f}")
    print(f"\n{best.__name__}: best validation accuracy in {options.grid_epochs} epochs")
    print(f"{'units':>5} {'dropout':>8} {'rate':>8} {'val. acc.':>9}")
    for validation, units, dropout, rate in sorted(grid, reverse=True):
        print(f"{units:>5} {dropout:>8} {rate:>8} {validation:>9.4f}")
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        for name, history in histories.items():
            path = Path(options.plots, f"imdb_tuned_{name}.png")
            plot_history(history, path=path, title=name)


if __name__ == "__main__":
    main()
