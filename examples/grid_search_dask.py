"""Searches over models on a cluster: GridSearchCV sends its fits to the workers of dask.

    pip install "fastrnn[sklearn]" distributed
    python examples/grid_search_dask.py

The cluster is two processes of this machine; `--scheduler tcp://host:8786` takes a running one.
"""

from __future__ import annotations

import argparse
import time

import joblib
import numpy as np
from distributed import Client, LocalCluster
from fastrnn.sklearn import SequenceClassifier
from sklearn.model_selection import GridSearchCV


def limit_threads() -> None:
    """Let a worker's models use one thread each; a worker for each core makes up for it."""
    import fastrnn

    fastrnn.set_num_threads(1)


def waves(samples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return series `[samples, 40, 1]` of a slow or a fast wave in noise, and which it is."""
    rng = np.random.default_rng(seed)
    fast = rng.integers(0, 2, samples)
    phase = rng.uniform(0, 2 * np.pi, (samples, 1))
    angle = phase + np.arange(40) * np.where(fast, 0.8, 0.5)[:, None]
    noisy = np.sin(angle) + rng.normal(0, 1.0, angle.shape)
    return noisy[..., None].astype("float32"), np.where(fast, "fast", "slow")


def main() -> None:
    """Search for cell, units and learning rate."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--scheduler", help="address of a running scheduler of dask")
    parser.add_argument("--workers", type=int, default=2, help="processes of a cluster made here")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    x, y = waves(options.samples)
    grid = {"cell": ["GRU", "LSTM"], "units": [8, 32], "learning_rate": [0.003, 0.01]}
    search = GridSearchCV(SequenceClassifier(epochs=options.epochs, random_state=0), grid, cv=3)
    cluster = options.scheduler or LocalCluster(
        n_workers=options.workers, threads_per_worker=1, dashboard_address=None
    )
    with Client(cluster) as client, joblib.parallel_config("dask"):
        client.run(limit_threads)
        begin = time.perf_counter()
        search.fit(x, y)
        seconds = time.perf_counter() - begin
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
    if not options.scheduler:
        cluster.close()
    results = search.cv_results_
    for rank in np.argsort(results["rank_test_score"])[:3]:
        print(f"{results['mean_test_score'][rank]:.3f}  {results['params'][rank]}")
    fits = 3 * len(results["params"])
    print(f"{fits} fits on {workers} workers in {seconds:.1f} s; best: {search.best_params_}")


if __name__ == "__main__":
    main()
