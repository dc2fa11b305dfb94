"""An encoder and a decoder learn to add: "47+915" becomes "962", character by character.

    python examples/seq2seq_addition.py

The encoder reads a sum and hands its last states to the decoder, which writes the result. In
training the decoder is given the right characters so far (teacher forcing). Afterwards two models
of the same layers write results step by step, each from the characters that they wrote before.

With `tensorflow.keras` instead of `fastrnn` in the imports, the same script runs on TensorFlow.
"""

import argparse
from pathlib import Path

import numpy as np
from fastrnn.layers import LSTM, Dense, Input
from fastrnn.models import Model
from fastrnn.utils import set_random_seed

CHARACTERS = "0123456789+ ^"  # a space fills up, and ^ begins each result
BATCH = 128


def one_hot(texts):
    """Texts of one length as [samples, length, characters]."""
    ids = np.array([[CHARACTERS.index(character) for character in text] for text in texts])
    return np.eye(len(CHARACTERS), dtype="float32")[ids]


def draw_sums(samples, digits, generator):
    """Different sums of two numbers, turned around, and their results, filled up with spaces.

    The last characters of a sum decide the first of its result. Turned around they stand near
    to each other, which makes the lesson easier.
    """
    numbers = 10**digits
    chosen = generator.choice(numbers**2, samples, replace=False)
    pairs = [divmod(int(each), numbers) for each in chosen]
    questions = [f"{a}+{b}"[::-1].ljust(2 * digits + 1) for a, b in pairs]
    answers = [str(a + b).ljust(digits + 1) for a, b in pairs]
    return questions, answers


def build_model(digits, units):
    """A model of a sum and of the result so far, to the next character at each step."""
    question = Input((2 * digits + 1, len(CHARACTERS)), name="question")
    _, *states = LSTM(units, return_state=True, name="encoder")(question)
    before = Input((digits + 1, len(CHARACTERS)), name="before")
    decoder = LSTM(units, return_sequences=True, return_state=True, name="decoder")
    outputs, *_ = decoder(before, initial_state=states)
    character = Dense(len(CHARACTERS), activation="softmax", name="character")(outputs)
    model = Model([question, before], character)
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def build_writers(model):
    """The trained layers as two models: sum to states; character and states to the next ones."""
    encoder = Model(model.inputs[0], model.get_layer("encoder").output[1:])
    units = model.get_layer("encoder").units
    before, *states = Input((1, len(CHARACTERS))), Input((units,)), Input((units,))
    outputs, *states_after = model.get_layer("decoder")(before, initial_state=states)
    character = model.get_layer("character")(outputs)
    return encoder, Model([before, *states], [character, *states_after])


def write_answers(writers, questions, length):
    """The results of sums, one character after the other."""
    encoder, decoder = writers
    states = encoder.predict(one_hot(questions), verbose=0)
    answers = ["^"] * len(questions)
    for _ in range(length):
        last = one_hot([answer[-1] for answer in answers])
        likely, *states = decoder.predict([last, *states], verbose=0)
        best = likely[:, 0].argmax(axis=-1)
        answers = [answer + CHARACTERS[k] for answer, k in zip(answers, best, strict=True)]
    return [answer[1:] for answer in answers]


def main():
    """Trains, and lets the model add numbers that it has not seen together."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--digits", type=int, default=3, help="of each number, at most")
    parser.add_argument("--samples", type=int, default=40_000, help="sums to learn from")
    parser.add_argument("--test", type=int, default=2_000, help="further sums for the test")
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", help="folder for PNG files of the curves (needs matplotlib)")
    options = parser.parse_args()

    generator = np.random.default_rng(options.seed)
    questions, answers = draw_sums(options.samples + options.test, options.digits, generator)
    x, y = one_hot(questions), one_hot(answers)
    before = one_hot(["^" + answer[:-1] for answer in answers])
    train, test = slice(None, options.samples), slice(options.samples, None)

    set_random_seed(options.seed)
    model = build_model(options.digits, options.units)
    model.summary()
    history = model.fit(
        [x[train], before[train]],
        y[train],
        batch_size=BATCH,
        epochs=options.epochs,
        validation_data=([x[test], before[test]], y[test]),
        verbose=2,
    )

    written = write_answers(build_writers(model), questions[test], options.digits + 1)
    right = [a == b for a, b in zip(written, answers[test], strict=True)]
    print()
    for question, answer, good in list(zip(questions[test], written, right, strict=True))[:8]:
        mark = "right" if good else "wrong"
        print(f"{question[::-1].strip():>{2 * options.digits + 1}} = {answer} {mark}")
    print(f"right results: {sum(right)} of {len(right)} sums that were not trained")
    if options.plots:
        from fastrnn.utils import plot_history  # draws the History of either

        plot_history(history, path=Path(options.plots, "seq2seq_addition_sums.png"), title="sums")


if __name__ == "__main__":
    main()
