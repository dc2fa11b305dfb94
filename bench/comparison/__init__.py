"""The parts of `compare.py`: the same training in fastrnn and in its peers, timed in one run."""
