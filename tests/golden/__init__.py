"""Everything that fastrnn shares with Keras in small cases: the tables, and how each side is asked.

Each module named in `kinds.py` is one kind of case. It has

    CASES                         the table: what is asked, as plain values, by name
    draw_inputs(keras, row, rng)  the inputs of a row, weights included
    ask_keras(row, given)         what Keras answers: arrays by name, gradients by GradientTape
    ask_fastrnn(row, given)       the same from fastrnn
    LIMITS                        how far the two may lie apart; see `answers.assert_same_answers`

`tests/golden/make_golden.py` writes what Keras answers into files, with the inputs and with the
rows, in which Keras has completed every config.
"""
