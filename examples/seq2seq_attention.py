"""A decoder that looks back at what it reads: "sat 7 march 1998" becomes "1998-03-07".

    python examples/seq2seq_attention.py

The encoder reads a date, character by character and in both directions. The decoder writes it anew;
for each character that it writes, an Attention layer weighs the encoder's outputs by how well they
fit the decoder's. In training the decoder is given the right characters so far (teacher
forcing). Afterwards two models of the same layers write dates step by step, and the weights of
the attention show where the decoder looked.

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from fastrnn import ops
from fastrnn.layers import LSTM, Attention, Bidirectional, Concatenate, Dense, Embedding, Input
from fastrnn.models import Model
from fastrnn.optimizers import Adam
from fastrnn.utils import set_random_seed

CHARACTERS = " ^-,./0123456789abcdefghijklmnopqrstuvwxyz"  # a space fills up, ^ begins each result
FORMS = ["%d %b %Y", "%d.%m.%Y", "%B %d, %Y", "%a %d %B %Y", "%d/%m/%y", "%A, %b %d %Y"]
READ, WRITTEN = 27, 10  # lengths of the longest date to read, and of each that is written
BATCH = 64


def ids_of(texts, length):
    """Texts as [samples, length] numbers of characters, filled up with spaces."""
    return np.array([[CHARACTERS.index(c) for c in text.ljust(length)] for text in texts], "int32")


def draw_dates(samples, generator):
    """Different dates of a hundred years as people write them, and as 1998-03-07."""
    questions, answers = [], []
    for number in generator.choice(36_500 * len(FORMS), samples, replace=False).tolist():
        day = date(1950, 1, 1) + timedelta(number // len(FORMS))
        form = FORMS[number % len(FORMS)]
        if day.year < 2000:  # of two digits alone nothing would tell the century
            form = form.replace("%y", "%Y")
        questions.append(day.strftime(form).lower())
        answers.append(day.isoformat())
    return questions, answers


def build_model(units):
    """A model of a date and of the result so far, to the next character at each step."""
    question = Input((READ,), dtype="int32", name="question")
    read = Embedding(len(CHARACTERS), 16, name="read")(question)
    both = Bidirectional(LSTM(units, return_sequences=True, return_state=True), name="encoder")
    encoded, h, c, back_h, back_c = both(read)
    states = [Concatenate(name="h")([h, back_h]), Concatenate(name="c")([c, back_c])]
    before = Input((WRITTEN,), dtype="int32", name="before")
    written = Embedding(len(CHARACTERS), 16, name="written")(before)
    decoder = LSTM(2 * units, return_sequences=True, return_state=True, name="decoder")
    decoded, *_ = decoder(written, initial_state=states)
    context = Attention(name="attention")([decoded, encoded])
    together = Concatenate(name="together")([decoded, context])
    hidden = Dense(2 * units, activation="tanh", name="hidden")(together)
    character = Dense(len(CHARACTERS), activation="softmax", name="character")(hidden)
    model = Model([question, before], character)
    model.compile(
        optimizer=Adam(0.005), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def build_writers(model):
    """The trained layers as two models: a date to outputs and states, and one step of writing."""
    layer = model.get_layer
    encoded = layer("encoder").output[0]
    encoder = Model(model.inputs[0], [encoded, layer("h").output, layer("c").output])
    size = layer("decoder").units
    before, seen = Input((1,), dtype="int32"), Input((READ, size))
    states = [Input((size,)), Input((size,))]
    decoded, *after = layer("decoder")(layer("written")(before), initial_state=states)
    context = layer("attention")([decoded, seen])
    weights = ops.softmax(decoded @ ops.transpose(seen, (0, 2, 1)))  # as the layer has them
    character = layer("character")(layer("hidden")(layer("together")([decoded, context])))
    return encoder, Model([before, seen, *states], [character, weights, *after])


def write_dates(writers, questions):
    """The results, one character after the other, and what the decoder looked at for each."""
    encoder, decoder = writers
    seen, *states = encoder.predict(ids_of(questions, READ), verbose=0)
    answers, looked = ["^"] * len(questions), []
    for _ in range(WRITTEN):
        last = ids_of([answer[-1] for answer in answers], 1)
        likely, weights, *states = decoder.predict([last, seen, *states], verbose=0)
        best = likely[:, 0].argmax(axis=-1)
        answers = [answer + CHARACTERS[k] for answer, k in zip(answers, best, strict=True)]
        looked.append(weights[:, 0])
    return [answer[1:] for answer in answers], np.stack(looked, axis=1)


def draw_looks(question, answer, looked, path):
    """A picture: one row per character written, dark where the decoder looked."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    axes.imshow(looked[:, : len(question)], cmap="Greys", aspect="auto")
    axes.set_xticks(range(len(question)), list(question))
    axes.set_yticks(range(len(answer)), list(answer))
    axes.set(xlabel="read", ylabel="written")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def main():
    """Trains, and lets the model write dates that it has not seen."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--samples", type=int, default=10_000, help="dates to learn from")
    parser.add_argument("--test", type=int, default=1_000, help="further dates for the test")
    parser.add_argument("--units", type=int, default=32, help="of the encoder, each way")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for a PNG file of the looks (needs matplotlib)")
    options = parser.parse_args()

    generator = np.random.default_rng(options.seed)
    questions, answers = draw_dates(options.samples + options.test, generator)
    x, y = ids_of(questions, READ), ids_of(answers, WRITTEN)
    before = ids_of(["^" + answer[:-1] for answer in answers], WRITTEN)
    train, test = slice(None, options.samples), slice(options.samples, None)

    set_random_seed(options.seed)
    model = build_model(options.units)
    model.summary()
    model.fit(
        [x[train], before[train]],
        y[train],
        batch_size=BATCH,
        epochs=options.epochs,
        validation_data=([x[test], before[test]], y[test]),
        verbose=2,
    )

    written, looked = write_dates(build_writers(model), questions[test])
    right = [a == b for a, b in zip(written, answers[test], strict=True)]
    print()
    for question, answer, good in list(zip(questions[test], written, right, strict=True))[:8]:
        print(f"{question:>{READ}} -> {answer} {'right' if good else 'wrong'}")
    print(f"right dates: {sum(right)} of {len(right)} that were not trained")
    if options.plots:
        number = max(range(len(right)), key=lambda k: (right[k], len(questions[test][k])))
        draw_looks(
            questions[test][number],
            written[number],
            looked[number],
            Path(options.plots, "seq2seq_attention_looks.png"),
        )


if __name__ == "__main__":
    main()
