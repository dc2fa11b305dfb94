"""Signals, full disks and read-only folders while files are written: the old file stays whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.models import Sequential, load_model

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")

NAMES = ["model.keras", "model.h5", "model.weights.h5", "latest.backup.npz"]

SAVE = """
import errno, os, resource, shutil, signal, sys
import numpy as np
from fastrnn import callbacks, layers
from fastrnn.models import Sequential

def save(name, value):
    # Writes a file of about 100 KB in which all weights have one value.
    layer = layers.Dense(100, use_bias=False)
    model = Sequential([layers.Input((250,)), layer])
    model.compile("sgd", "mse")
    model.set_weights([np.full((250, 100), value)])
    if name.endswith("npz"):
        x = np.zeros((4, 250))
        backup = callbacks.BackupAndRestore(os.path.dirname(name), delete_checkpoint=False)
        backup._read = lambda: None
        model.fit(x, np.zeros((4, 100)), verbose=0, callbacks=[backup])
    elif "weights" in name:
        model.save_weights(name)
    else:
        model.save(name)

"""


def value_in(path: Path) -> float:
    """Return the value of all weights in a file of `save`."""
    if path.suffix == ".npz":
        weights = np.load(path, allow_pickle=False)
        found = next(weights[name] for name in weights.files if weights[name].shape == (250, 100))
    elif "weights" in path.name:
        model = Sequential([layers.Input((250,)), layers.Dense(100, use_bias=False)])
        model.load_weights(path)
        (found,) = model.get_weights()
    else:
        (found,) = load_model(path).get_weights()
    assert np.all(found == found.flat[0])
    return float(found.flat[0])


def run(code: str, *arguments: Any) -> CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SAVE + code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(fastrnn.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )


# --- Ctrl-C and SIGTERM ---------------------------------------------------------------------------

SIGNALLED = """
# The signal comes before, in or after a system call on the way to a new file.
def signalled(number, name, before):
    original = getattr(os, name)
    def call(*arguments):
        setattr(os, name, original)
        if before:
            os.kill(os.getpid(), number)
        result = original(*arguments)
        if not before:
            os.kill(os.getpid(), number)
        return result
    setattr(os, name, call)

folder = sys.argv[1]
"""

CTRL_C = (
    SIGNALLED
    + """
for file in sys.argv[2:]:
    name = os.path.join(folder, file)
    for moment in ("fdopen", "chmod", "fsync", "replace"):
        for before in (True, False):
            save(name, 1.0)
            signalled(signal.SIGINT, moment, before)
            try:
                save(name, 2.0)
            except KeyboardInterrupt:
                print(file, moment, before, os.listdir(folder))
            os.replace(name, f"{folder}-{moment}-{before}-{file}")
"""
)


def lines_of(code: str, folder: Path) -> list[str]:
    """What is printed by code that saves files of each kind in a new folder."""
    folder.mkdir()
    done = run(code, folder, *NAMES)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def assert_old_or_new(folder: Path, name: str, moment: str, before: str) -> None:
    """The new file stands there only if the signal came after its renaming."""
    written = (moment, before) in (("replace", "False"), ("replace", "0"))
    value = value_in(folder.with_name(f"{folder.name}-{moment}-{before}-{name}"))
    assert value == (2.0 if written else 1.0), (name, moment, before)


def test_ctrl_c_in_a_save_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    lines = lines_of(CTRL_C, tmp_path / "f")
    assert len(lines) == len(NAMES) * 8, "each signal has interrupted"
    for line in lines:
        name, moment, before, files = line.split(" ", 3)
        assert files == f"['{name}']", line
        assert_old_or_new(tmp_path / "f", name, moment, before)


SIGTERM = (
    SIGNALLED
    + """
# By default it ends the process wherever it is: here a child, whose parent looks at what is left.
for file in sys.argv[2:]:
    name = os.path.join(folder, file)
    for moment, before in (("fdopen", 0), ("fsync", 1), ("replace", 1), ("replace", 0)):
        save(name, 1.0)
        child = os.fork()
        if child == 0:
            signalled(signal.SIGTERM, moment, before)
            save(name, 2.0)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        print(file, moment, before, os.WIFSIGNALED(status) and os.WTERMSIG(status))
        os.replace(name, f"{folder}-{moment}-{before}-{file}")
"""
)


def test_sigterm_in_a_save_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    lines = lines_of(SIGTERM, tmp_path / "f")
    assert len(lines) == len(NAMES) * 4
    for line in lines:
        name, moment, before, number = line.split()
        assert number == str(int(signal.SIGTERM)), line
        assert_old_or_new(tmp_path / "f", name, moment, before)
    # What is left of the new files is named as such.
    assert all(re.fullmatch(r"\..+\.tmp", name) for name in os.listdir(tmp_path / "f"))


TRAIN = """
folder, = sys.argv[1:]
x, y = np.ones((8, 250)), np.zeros((8, 100))
model = Sequential([layers.Input((250,)), layers.Dense(100)])
model.compile("adam", "mse")
kept = [
    callbacks.ModelCheckpoint(f"{folder}/best.keras", save_freq=1),
    callbacks.BackupAndRestore(f"{folder}/backup", save_freq=1),
    callbacks.CSVLogger(f"{folder}/log.csv", append=True),
    callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, flush=True)),
]
epochs = 10 ** 6
if os.path.exists(f"{folder}/best.keras"):  # the second life
    from fastrnn.models import load_model
    load_model(f"{folder}/best.keras")
    kept.append(callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True)
    ))
history = model.fit(x, y, batch_size=4, epochs=epochs, verbose=0, callbacks=kept)
print("ended", history.epoch[-1])
"""


def test_sigterm_ends_a_fit_which_can_go_on_later(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SAVE + TRAIN, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(fastrnn.__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    time.sleep(0.02)
    process.terminate()
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM, "the default of Python, nothing is swallowed"
    last = int(printed.split()[-1]) if printed.split() else 2
    done = run(TRAIN, tmp_path)
    assert done.returncode == 0, done.stderr
    *epochs, ended = done.stdout.splitlines()
    assert last <= int(epochs[0]) <= last + 1
    assert ended == f"ended {epochs[0]}"
    assert not (tmp_path / "backup").exists()
    load_model(tmp_path / "best.keras")


PREDICT = """
import os, subprocess, sys, time
import numpy as np
from fastrnn import callbacks, layers
from fastrnn.models import Sequential

begun = []
class Watch(callbacks.Callback):
    def on_predict_batch_begin(self, batch, logs=None):
        if batch == 2:
            # Another process, as this one is in the kernel when the signal comes.
            self.sender = subprocess.Popen([sys.executable, "-S", "-c",
                f"import os, signal, time; print(time.monotonic_ns(), flush=True);"
                f"os.kill({os.getpid()}, signal.SIGINT)"], stdout=subprocess.PIPE)
        begun.append(time.monotonic_ns())

model = Sequential([layers.Input((400, 16)), layers.LSTM(128), layers.Dense(1)])
x = np.zeros((40 * 32, 400, 16), "float32")
watch = Watch()
try:
    model.predict(x, batch_size=32, verbose=0, callbacks=[watch])
    print("ended")
except KeyboardInterrupt:
    sent = int(watch.sender.stdout.readline())
    print("interrupted", sum(moment > sent for moment in begun) <= 1, len(begun) < 40)
print(model.predict(x[:32], verbose=0).shape)
"""


def test_ctrl_c_in_a_predict_acts_within_a_batch(
    run_python: Callable[..., CompletedProcess[str]],
) -> None:
    done = run_python(PREDICT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["interrupted True True", "(32, 1)"]


# --- Full disks and read-only folders -------------------------------------------------------------

FULL = """
# A file cannot grow beyond the limit. Python ignores SIGXFSZ, so that the system says EFBIG.
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

folder, kind, *files = sys.argv[1:]
for file in files:
    name = os.path.join(folder, file)
    save(name, 1.0)
    if kind == "limit":
        limit(50_000)
    else:
        with open(f"{folder}/other", "wb") as other:
            while os.statvfs(folder).f_bavail:
                other.write(bytes(os.statvfs(folder).f_bavail * os.statvfs(folder).f_bsize))
                other.flush()
    try:
        save(name, 2.0)
        print("written")
    except OSError as error:
        print(errno.errorcode[error.errno])
    if kind == "limit":
        limit(resource.RLIM_INFINITY)
    else:
        os.unlink(f"{folder}/other")
    print(*os.listdir(folder))
    shutil.move(name, f"{folder}-{file}")
"""


@pytest.mark.parametrize("kind", ["limit", "disk"])
def test_a_full_disk_leaves_the_old_file(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    if kind == "disk":
        mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("no small disk can be mounted here")
    try:
        done = run(FULL, folder, kind, *NAMES)
    finally:
        if kind == "disk":
            subprocess.run(["umount", str(folder)], check=True)
    assert done.returncode == 0, done.stderr
    error = {"limit": "EFBIG", "disk": "ENOSPC"}[kind]
    assert done.stdout.split() == [word for name in NAMES for word in (error, name)]
    for name in NAMES:
        assert value_in(tmp_path / f"f-{name}") == 1.0


def test_a_disk_that_is_full_when_the_bytes_are_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    path = tmp_path / "model.keras"
    model.save(path)
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert os.listdir(tmp_path) == ["model.keras"]
    np.testing.assert_array_equal(load_model(path).get_weights()[0], np.ones((2, 1)))


FULL_IN_FIT = """
folder, = sys.argv[1:]
class Fills(callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))

x, y = np.ones((8, 250)), np.zeros((8, 100))
model = Sequential([layers.Input((250,)), layers.Dense(100)])
model.compile("sgd", "mse")
kept = {
    "checkpoint": callbacks.ModelCheckpoint(f"{folder}/checkpoint.keras"),
    "backup": callbacks.BackupAndRestore(folder, delete_checkpoint=False),
}
for name, callback in kept.items():
    try:
        model.fit(x, y, epochs=5, verbose=0, callbacks=[Fills(), callback])
    except OSError as error:
        print(errno.errorcode[error.errno], model.history.epoch, os.listdir(folder))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if name == "checkpoint":
        from fastrnn.models import load_model
        print(load_model(f"{folder}/checkpoint.keras").optimizer.iterations)
        os.unlink(f"{folder}/checkpoint.keras")
    print(len(model.fit(x, y, epochs=3, verbose=0).epoch))
model.fit(x, y, epochs=5, verbose=0, callbacks=[kept["backup"]])
print(model.history.epoch)
"""


def test_a_full_disk_ends_a_fit_which_can_go_on_later(tmp_path: Path) -> None:
    done = run(FULL_IN_FIT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "EFBIG [0, 1] ['checkpoint.keras']", "2", "3",
        "EFBIG [0, 1, 2] ['latest.backup.npz']", "3", "[0, 1, 2, 3, 4]",
    ]  # fmt: skip


READ_ONLY = """
folder = sys.argv[1]
for file in sys.argv[2:]:
    save(os.path.join(folder, file), 1.0)
os.chmod(folder, 0o555)
if os.geteuid() == 0:  # nothing is read-only for root
    os.setegid(65534)
    os.seteuid(65534)
for file in sys.argv[2:]:
    try:
        save(os.path.join(folder, file), 2.0)
        print("written")
    except PermissionError as error:
        print("refused", folder in str(error))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_a_read_only_folder_leaves_the_old_file(open_folder: Path) -> None:
    done = run(READ_ONLY, open_folder, *NAMES)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["refused True"] * len(NAMES)
    assert sorted(os.listdir(open_folder)) == sorted(NAMES)
    for name in NAMES:
        assert value_in(open_folder / name) == 1.0
