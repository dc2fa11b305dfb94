"""The parts of `roofline.py` and `scaling.py`: where the time of fastrnn goes, and how it grows."""
