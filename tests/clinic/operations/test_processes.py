import os
import signal
import sys
import threading
import time

import pytest

from clinic.operations import processes
from clinic.operations.processes import Processes

# Says on its log when it is up and when it was asked to stop.
OBEDIENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("stopped", time.time(), flush=True)))
print("up", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("up", child.pid, flush=True)
time.sleep(60)
"""
SHORT_LIVED = "print('up', flush=True)"


@pytest.fixture
def run(tmp_path):
    """`run(web=…)`: the programs of these names, with this process's own signals kept."""
    kept = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def run(**programs: str) -> Processes:
        commands = {name: [sys.executable, "-c", code] for name, code in programs.items()}
        return Processes(commands, folder=tmp_path, logs=tmp_path / "log")

    yield run
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), kept, strict=True):
        signal.signal(number, handler)


def wait_until_up(group: Processes, *names: str) -> None:
    deadline = time.monotonic() + 10
    while not all(group.log(name).read_text().startswith("up") for name in names):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_in_the_order_given(run, number):
    with run(beat=OBEDIENT, web=OBEDIENT, worker=OBEDIENT) as group:
        wait_until_up(group, "beat", "web", "worker")
        timer = threading.Timer(0.1, os.kill, [os.getpid(), number])
        timer.start()
        assert group.wait() is None
        timer.join()
    stopped = [float(group.log(name).read_text().split()[-1]) for name in ("beat", "web", "worker")]
    assert stopped == sorted(stopped)


def test_the_end_of_one_is_noticed_and_ends_the_others(run):
    with run(web=OBEDIENT, worker=SHORT_LIVED) as group:
        wait_until_up(group, "web")
        assert group.wait() == "worker"
    assert "stopped" in group.log("web").read_text()


def test_one_that_will_not_stop_is_killed_with_everything_it_started(run, monkeypatch):
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.3)
    with run(worker=STUBBORN) as group:
        wait_until_up(group, "worker")
        grandchild = int(group.log("worker").read_text().split()[1])
        assert is_running(grandchild)
    deadline = time.monotonic() + 5
    while is_running(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_in_the_terminal_does_not_reach_the_children_directly(run):
    with run(worker=OBEDIENT) as group:
        wait_until_up(group, "worker")
        child = group._children["worker"].pid
        assert os.getsid(child) == child != os.getsid(0)
