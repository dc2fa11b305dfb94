"""What lets a script run after nothing but its imports were changed.

Names of Keras that are not supported can be imported, and refuse when they are used
(`unsupported.py`). Import paths of older versions of Keras lead to where things are (`paths.py`).
"""
