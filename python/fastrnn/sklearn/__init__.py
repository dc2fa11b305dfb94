"""Estimators of scikit-learn that read sequences.

    classifier = fastrnn.sklearn.SequenceClassifier(cell="GRU", units=32).fit(X, y)

They follow scikit-learn's rules, so they work in pipelines, cross-validation and grid searches.
Nothing else of fastrnn imports scikit-learn, and `import fastrnn` does not import this package.
"""

from __future__ import annotations

try:
    from fastrnn.sklearn.classifier import SequenceClassifier
    from fastrnn.sklearn.regressor import SequenceRegressor
except ImportError as error:
    raise ImportError(
        'fastrnn.sklearn needs scikit-learn 1.6 or newer: pip install "fastrnn[sklearn]"'
    ) from error

__all__ = ["SequenceClassifier", "SequenceRegressor"]
