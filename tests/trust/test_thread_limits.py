"""What bounds the number of threads from outside: variables, CPU masks, quotas, threadpoolctl."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from fastrnn import _core

Run = Callable[..., "CompletedProcess[str]"]

# Threads of the process that a kernel call adds: the pool keeps them for the next call.
ADDED = """
import os
import numpy as np
import fastrnn
from fastrnn import layers

x = np.ones((64, 20, 32), "f")
model = fastrnn.models.Sequential([layers.LSTM(32), layers.Dense(1)])
model.build(x.shape)

def added(work=lambda: model.predict(x, batch_size=64, verbose=0)):
    before = set(os.listdir("/proc/self/task"))
    work()
    return len(set(os.listdir("/proc/self/task")) - before)

"""

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads by /proc")


def printed(done: CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# --- Variables ------------------------------------------------------------------------------------

READ = "import fastrnn; print(fastrnn.get_num_threads())"


@pytest.mark.parametrize(("value", "want"), [("4,2", 4), (" 3 ", 3), ("2 , 7", 2)])
def test_lists_and_spaces_as_openmp_takes_them(value: str, want: int, run_python: Run) -> None:
    done = run_python(READ, OMP_NUM_THREADS=value, FASTRNN_NUM_THREADS=None)
    assert printed(done) == [str(want)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("OMP_NUM_THREADS", "0,4"), ("OMP_NUM_THREADS", "many"), ("FASTRNN_NUM_THREADS", "4097")],
)
def test_what_is_no_number_of_threads_is_refused(name: str, value: str, run_python: Run) -> None:
    done = run_python(READ, **{"OMP_NUM_THREADS": None, "FASTRNN_NUM_THREADS": None, name: value})
    last = done.stderr.strip().splitlines()[-1]
    assert last == f"ValueError: {name} must be an integer in 1..4096. Received: '{value}'"


# --- CPU masks and quotas -------------------------------------------------------------------------


@linux
def test_one_cpu_is_one_thread(run_python: Run) -> None:
    mask = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    done = run_python(
        mask + ADDED + "print(fastrnn.get_num_threads(), added())",
        OMP_NUM_THREADS=None,
        FASTRNN_NUM_THREADS=None,
    )
    assert printed(done) == ["1", "0"]


def quota_files(folder: Path, version: int, quota: int | None, period: int = 100_000) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if version == 2:
        text = "max" if quota is None else str(quota)
        (folder / "cpu.max").write_text(f"{text} {period}\n")
    else:
        (folder / "cpu.cfs_quota_us").write_text(f"{-1 if quota is None else quota}\n")
        (folder / "cpu.cfs_period_us").write_text(f"{period}\n")


V1 = "12:cpuset:/other\n4:cpu,cpuacct:{path}\n1:name=systemd:/s\n"
V2 = "0::{path}\n"

QUOTAS = [
    # a container with a name space of its own: it is the root
    (2, V2, "/", {"": 50_000}, 0.5),
    (1, V1, "/", {"cpu": 50_000}, 0.5),
    # a container that sees the host's names, but has its own files mounted
    (2, V2, "/system.slice/docker-0a1b.scope", {"": 150_000}, 1.5),
    (1, V1, "/docker/0a1b", {"cpu": 150_000}, 1.5),
    # limits on the way: the least counts
    (2, V2, "/a/b", {"": None, "a": 200_000, "a/b": 300_000}, 2.0),
    (1, V1, "/a/b", {"cpu": None, "cpu/a": 400_000, "cpu/a/b": 25_000}, 0.25),
    # mounted under both controllers, without a link
    (1, V1, "/a", {"cpu,cpuacct/a": 70_000}, 0.7),
    # no limit, no files, other groups' limits
    (2, V2, "/a", {"": None, "a": None}, 0),
    (1, V1, "/a", {"cpu": None}, 0),
    (2, V2, "/a", {}, 0),
    (2, V2, "/a", {"b": 50_000}, 0),
    (1, V1, "/a", {"cpuset/other": 50_000, "cpu/other": 50_000}, 0),
]


@pytest.mark.parametrize(("version", "lines", "path", "files", "want"), QUOTAS)
def test_the_quota_is_read(
    version: int, lines: str, path: str, files: dict[str, int | None], want: float, tmp_path: Path
) -> None:
    groups, root = tmp_path / "groups", tmp_path / "root"
    groups.write_text(lines.format(path=path))
    for name, quota in files.items():
        quota_files(root / name, version, quota)
    assert _core.cpu_quota(str(groups), str(root)) == want


@pytest.mark.parametrize(
    "text", ["", "garbage", "max", "-1 -1", "50000", "50000 0", "x 1", "nan 1"]
)
def test_files_without_sense_are_no_quota(text: str, tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    groups.write_text("0::/\nnonsense\n:\n::\n3:cpu\n")
    (tmp_path / "cpu.max").write_text(text)
    assert _core.cpu_quota(str(groups), str(tmp_path)) == 0
    assert _core.cpu_quota(str(tmp_path / "none"), str(tmp_path)) == 0


@pytest.fixture
def half_a_cpu() -> Iterator[Path]:
    """A control group of this system with the quota of a container with half a CPU."""
    mounted = Path("/sys/fs/cgroup")
    version = 1 if (mounted / "cpu").is_dir() else 2
    group = (mounted / "cpu" if version == 1 else mounted) / f"fastrnn-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"control groups cannot be made here: {error}")
    try:
        try:
            for name in {1: ["cpu.cfs_quota_us"], 2: ["cpu.max"]}[version]:
                with (group / name).open("r+") as file:
                    file.write("50000")
        except OSError as error:
            pytest.skip(f"control groups have no quota here: {error}")
        yield group
    finally:
        group.rmdir()


@linux
def test_a_container_with_half_a_cpu_starts_one_thread(half_a_cpu: Path, run_python: Run) -> None:
    join = f"open({str(half_a_cpu / 'cgroup.procs')!r}, 'w').write('0')\n"
    done = run_python(
        join + ADDED + "print(fastrnn.get_num_threads(), added())",
        OMP_NUM_THREADS=None,
        FASTRNN_NUM_THREADS=None,
    )
    if "Error" in done.stderr and "cgroup.procs" in done.stderr:
        pytest.skip("no process can join a control group here")
    assert printed(done) == ["1", "0"]


# --- threadpoolctl --------------------------------------------------------------------------------

SEEN = """
import threadpoolctl
def openmp():
    return {each["filepath"] for each in threadpoolctl.threadpool_info()
            if each["user_api"] == "openmp"}
before = openmp()
import fastrnn
(own,) = openmp() - before
print(any(own in line for line in open("/proc/self/maps")))
"""

LIMITED = (
    ADDED
    + """
import threading
from threadpoolctl import threadpool_limits
from fastrnn.callbacks import Callback

get = fastrnn.get_num_threads
assert get() == 3
with threadpool_limits(1):
    print(get() == 1, added() == 0)
    fastrnn.set_num_threads(4)  # a limit is a limit
    print(get() == 1, added() == 0)
    fastrnn.set_num_threads(None)
with threadpool_limits(2):
    print(get() == 2, added() == 1)
print(get() == 3, added() == 1)
with threadpool_limits(7):
    print(get() == 3, added() == 0)

# A limit holds for the thread that sets it. All threads share the pool, which has three already.
seen = []
with threadpool_limits(1):
    other = threading.Thread(target=lambda: seen.append((get(), added())))
    other.start()
    other.join()
print(seen == [(3, 0)])

# It goes to forked children.
with threadpool_limits(1):
    child = os.fork()
    if child == 0:
        os._exit(0 if get() == 1 and added() == 0 else 1)
    print(os.waitpid(child, 0)[1] == 0)

# Limits that come and go in the midst of a training change no bit.
class Limits(Callback):
    inside = None
    def on_train_batch_end(self, batch, logs=None):
        if self.inside is None:
            self.inside = threadpool_limits(1 + batch % 2)
        else:
            self.inside.restore_original_limits()
            self.inside = None

def trained(*callbacks):
    fastrnn.utils.set_random_seed(1)
    model = fastrnn.models.Sequential([layers.GRU(24), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, x[:, 0, :1], batch_size=8, epochs=2, verbose=0, callbacks=list(callbacks))
    return [weight.tobytes() for weight in model.get_weights()]

print(trained() == trained(Limits()))
"""
)

IMPORTED_WITHIN = """
import ctypes
from threadpoolctl import threadpool_limits
ctypes.CDLL("libgomp.so.1")
with threadpool_limits(1):
    import fastrnn
    print(fastrnn.get_num_threads() == 1)
print(fastrnn.get_num_threads() == 3)
"""


@linux
def test_threadpoolctl_sees_the_threads(run_python: Run) -> None:
    pytest.importorskip("threadpoolctl")
    assert printed(run_python(SEEN)) == ["True"]


@linux
def test_threadpoolctl_limits_the_threads(run_python: Run) -> None:
    pytest.importorskip("threadpoolctl")
    done = run_python(
        LIMITED, FASTRNN_NUM_THREADS="3", OMP_NUM_THREADS="5", PYTHONWARNINGS="ignore"
    )
    assert printed(done) == ["True"] * 13


@linux
def test_an_import_within_a_limit(run_python: Run) -> None:
    pytest.importorskip("threadpoolctl")
    if "libgomp.so.1" not in Path("/proc/self/maps").read_text():
        pytest.skip("built with another OpenMP")
    done = run_python(IMPORTED_WITHIN, FASTRNN_NUM_THREADS="3", OMP_NUM_THREADS="5")
    assert printed(done) == ["True"] * 2
