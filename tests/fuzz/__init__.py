"""Random calls and files, most of them a little wrong; the README says how they are judged."""
