"""Processes made from one that has trained: nothing hangs, and the numbers are the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import fastrnn
import pytest

START_METHODS = ["fork", "spawn", "forkserver"]

MODEL = """
import hashlib, multiprocessing, os, sys, threading, time
import numpy as np
import fastrnn
from fastrnn import callbacks, layers
from fastrnn.models import Sequential

X = np.random.default_rng(0).integers(1, 20, (64, 12))
Y = X[:, :1] % 2

def made():
    fastrnn.utils.set_random_seed(1)
    model = Sequential([
        layers.Embedding(20, 8, mask_zero=True),
        layers.Bidirectional(layers.LSTM(24, dropout=0.1)),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile("adam", "binary_crossentropy")
    return model

def trained(epochs=2, **arguments):
    model = made()
    model.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, **arguments)
    return model

def digest(model):
    bits = b"".join(each.tobytes() for each in [*model.get_weights(), model.predict(X, verbose=0)])
    return hashlib.sha256(bits).hexdigest()

def train_and_predict(number=0):
    return digest(trained())

"""


def run(code: str, folder: Path, threads: int = 2, **environment: str) -> CompletedProcess[str]:
    """Run a script, as the children of spawn and forkserver import it; a hang is a failure."""
    script = folder / "script.py"
    script.write_text(MODEL + code)
    return subprocess.run(
        [sys.executable, str(script)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(fastrnn.__file__).parents[1]),
            "FASTRNN_NUM_THREADS": str(threads),
            "PYTHONWARNINGS": "ignore::DeprecationWarning",  # of forks beside threads
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def assert_all_true(done: CompletedProcess[str], count: int) -> None:
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True"] * count, done.stdout + done.stderr


POOL = """
if __name__ == "__main__":
    method = sys.argv[1] if len(sys.argv) > 1 else os.environ["METHOD"]
    model = trained()
    want = digest(model)
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:  # the children train and predict
        print(*(got == want for got in pool.map(train_and_predict, range(4))))
        # A model that was trained in the parent goes to them as a pickle, and comes back.
        print(*(got == want for got in pool.map(digest, [model] * 2)))
        pool.close()
        pool.join()
    print(train_and_predict() == want)  # and the parent still trains
"""


@pytest.mark.parametrize("method", START_METHODS)
def test_pools_after_training_in_the_parent(method: str, tmp_path: Path) -> None:
    import multiprocessing

    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    assert_all_true(run(POOL, tmp_path, METHOD=method), 7)


SERVER = """
# As gunicorn with `preload_app`: the parent loads and warms up the model, its forks serve it, each
# from several threads; one that dies is replaced, and one that ends as it should after its
# `max_requests`.
model = trained()
model.predict(X, verbose=0)
want = digest(model)
STAYS, DIES, RETIRES = 0, 1, 3

def serve(writer, end):
    results = []
    threads = [threading.Thread(target=lambda: results.append(digest(model))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.append(train_and_predict())
    os.write(writer, b"1" if results == [want] * 4 else b"0")
    sys.exit(end) if end == RETIRES else os._exit(end)

reader, writer = os.pipe()
def worker(end=STAYS):
    child = os.fork()
    if child == 0:
        serve(writer, end)
    return child

children = {worker(end) for end in (STAYS, DIES, RETIRES)}
replaced = 0
while children:
    child, status = os.wait()
    children.remove(child)
    if os.waitstatus_to_exitcode(status):
        replaced += 1
        children.add(worker())
print(*(each == "1" for each in os.read(reader, 9).decode()), replaced == 2)
print(train_and_predict() == want)
"""

GRANDCHILD = """
# A fork of a fork, as of a pool in a worker; and one in the midst of another thread's training.
want = train_and_predict()

def forked(work):
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

print(forked(lambda: train_and_predict() == want and forked(lambda: train_and_predict() == want)))
busy = threading.Thread(target=lambda: trained(epochs=60))
busy.start()
print(*(forked(lambda: digest(made()) is not None) for _ in range(4)))
busy.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("threads", [1, 2])
def test_forks_that_serve_a_model_of_the_parent(threads: int, tmp_path: Path) -> None:
    assert_all_true(run(SERVER, tmp_path, threads), 7)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forks_of_forks_and_beside_a_training(tmp_path: Path) -> None:
    assert_all_true(run(GRANDCHILD, tmp_path), 5)


JOBLIB = """
if __name__ == "__main__":
    from joblib import Parallel, delayed
    model = trained()
    want = digest(model)
    for backend in ("loky", "multiprocessing", "threading"):
        with Parallel(n_jobs=2, backend=backend) as parallel:
            print(*(got == want for got in parallel(delayed(digest)(model) for _ in range(2))))
            if backend != "threading":  # whose threads would draw from one random generator
                got = parallel(delayed(train_and_predict)() for _ in range(2))
                print(*(each == want for each in got))
"""


def test_joblib(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    assert_all_true(run(JOBLIB, tmp_path), 10)


AT_ONCE = """
# Models of every kind, which train and predict in a thread each.
KINDS = {
    "SimpleRNN": lambda: [layers.SimpleRNN(20, dropout=0.2)],
    "LSTM": lambda: [layers.LSTM(16, return_sequences=True), layers.LSTM(9, recurrent_dropout=0.1)],
    "GRU": lambda: [layers.GRU(33), layers.Dropout(0.3)],
    "Bidirectional": lambda: [layers.Bidirectional(layers.GRU(8)), layers.LayerNormalization()],
}

def made(kind):
    fastrnn.utils.set_random_seed(2)
    model = Sequential([layers.Embedding(20, 8, mask_zero=True), *KINDS[kind](), layers.Dense(1)])
    model.compile("rmsprop", "mse")
    model.build(X.shape)
    return model

def train_and_predict(model):
    # All draw the order of samples from one generator, so that it would depend on who comes first.
    model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return digest(model)

want = [train_and_predict(made(kind)) for kind in KINDS]
models, got = [made(kind) for kind in KINDS], {}
start = threading.Barrier(len(KINDS))
def work(number):
    start.wait()
    got[number] = train_and_predict(models[number])

threads = [threading.Thread(target=work, args=[number]) for number in range(len(KINDS))]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):  # the number of threads changes meanwhile
    fastrnn.set_num_threads(1 + time.monotonic_ns() % 3)
    time.sleep(0.001)
print(*(got.get(number) == want[number] for number in range(len(KINDS))))
"""


def test_python_threads_train_different_models_at_once(tmp_path: Path) -> None:
    assert_all_true(run(AT_ONCE, tmp_path), 4)


CHANGED = """
want = train_and_predict()
class Changes(callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        fastrnn.set_num_threads(1 + batch % 4)
print(digest(trained(callbacks=[Changes()])) == want)
# One thread changes the number while others train.
stop = threading.Event()
def changes():
    while not stop.is_set():
        fastrnn.set_num_threads(1 + int(time.monotonic_ns()) % 4)
thread = threading.Thread(target=changes)
thread.start()
print(*(train_and_predict() == want for _ in range(3)))
stop.set()
thread.join()
"""


def test_the_number_of_threads_changes_in_the_midst_of_a_training(tmp_path: Path) -> None:
    assert_all_true(run(CHANGED, tmp_path), 4)


DAEMON = """
model = trained()
begun = threading.Event()
def predicts():
    while True:
        model.predict(X, verbose=0)
        begun.set()
for _ in range(2):
    threading.Thread(target=predicts, daemon=True).start()
begun.wait()
print(True)
"""


def test_daemon_threads_predict_while_the_interpreter_ends(tmp_path: Path) -> None:
    for _ in range(3):
        assert_all_true(run(DAEMON, tmp_path), 1)


NEIGHBOUR = {
    "torch": """
import torch
torch.set_num_threads(2)
def work():
    torch.manual_seed(0)
    result = torch.nn.LSTM(4, 8)(torch.ones(3, 5, 4))[0].sum()
    result.backward()
    return result.item(), torch.ones(1 << 20).cos().sum().item()
""",
    "sklearn": """
from sklearn import cluster
points = np.random.default_rng(0).standard_normal((3000, 20))
def work():
    return cluster.KMeans(2, n_init=1, random_state=0).fit(points).inertia_
""",
    "tensorflow": """
import tensorflow
def work():
    return float(tensorflow.linalg.trace(tensorflow.linalg.matmul(np.eye(300), np.eye(300))))
""",
}

BESIDE = """
import numpy as np
before = set(os.listdir("/proc/self/task"))
train_and_predict()
ours = set(os.listdir("/proc/self/task")) - before  # kept for all callers
{theirs}
theirs = work()
want = train_and_predict()
print(want == ALONE, work() == theirs)

def both(*works):
    results = [None] * len(works)
    def keep(number):
        before = set(os.listdir("/proc/self/task"))
        results[number] = works[number]()
        new.append(set(os.listdir("/proc/self/task")) - before)
    threads = [threading.Thread(target=keep, args=[number]) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results

new = []  # threads of the process
print(both(work, train_and_predict) == [theirs, want])
both(work)
others = new[-1]
print(len(ours) >= 1, len(others) >= 1 or "tensorflow" in sys.modules or os.cpu_count() == 1)
"""


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("name", NEIGHBOUR)
def test_beside_other_libraries_with_threads(name: str, order: str, tmp_path: Path) -> None:
    """They may bring an OpenMP of their own, or change the floating-point mode."""
    import importlib.util

    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    if (name, order) == ("tensorflow", "after"):
        pytest.skip("the live comparisons with Keras import it after fastrnn")
    alone: Any = run("print(train_and_predict())", tmp_path)
    assert alone.returncode == 0, alone.stderr
    theirs, constant = NEIGHBOUR[name], f"ALONE = '{alone.stdout.strip()}'\n"
    if order == "before":
        first, then = f"import numpy as np\n{theirs}", ""
    else:
        first, then = "", theirs
    script = tmp_path / "beside.py"
    script.write_text(first + MODEL + constant + BESIDE.replace("{theirs}", then))
    done = subprocess.run(
        [sys.executable, str(script)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(fastrnn.__file__).parents[1]),
            "FASTRNN_NUM_THREADS": "2",
            "OMP_NUM_THREADS": "2",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert_all_true(done, 5)
