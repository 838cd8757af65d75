"""A real Slurm cluster of one node, for tests: munged, slurmctld and slurmd in one folder.

It needs ``apt-get install slurm-wlm munge`` (seen with Slurm 22.05 of Debian 12), and neither root,
systemd, a database, control groups, a hostname that resolves, nor the services of those packages.

Runs what is submitted to it. Knows nothing of what is submitted.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_DAEMONS = ("munged", "slurmctld", "slurmd")
_CLIENTS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue")
_DEBIAN_PACKAGES = "slurm-wlm munge"

#: Of a job in one of these states nothing runs any more.
FINAL_STATES = frozenset(
    {
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
        "PREEMPTED", "TIMEOUT",
    }
)  # fmt: skip

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_CLIENT_TIMEOUT_S = 60.0
_POLL_INTERVAL_S = 0.1

_Process = subprocess.Popen[bytes]

# Rule: no control groups, no accounting database, no fixed path and no fixed port, so that several
# nodes run side by side on any machine; and a number beside each hostname, which may not resolve.
# (The daemons listen on every address: NoInAddrAny would need the hostname. Who lacks the munge
# key is not heard.)
_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
# The daemons' output has all they say; only what a job's steps say needs a file.
SlurmdLogFile={folder}/steps.log
SlurmctldSyslogDebug=quiet
SlurmdSyslogDebug=quiet
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# As many CPUs as a test wants, whatever the machine has.
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
ReturnToService=2
# What can never run is refused, instead of waiting for ever.
EnforcePartLimits=ALL
KillWait=5
# Finished jobs are remembered here alone, for days.
MinJobAge=1000000
NodeName={host} NodeAddr=127.0.0.1 CPUs={n_cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=test Nodes={host} Default=YES DefaultTime=10 MaxTime=INFINITE State=UP
"""


class SlurmNodeError(RuntimeError):
    """The cluster did not start, refused a command, or was too slow."""


@dataclass(frozen=True)
class SlurmNode:
    """A running cluster of one node."""

    #: Where its configuration, its logs and, unless told otherwise, its jobs' output are.
    folder: Path
    #: How many CPUs it gives to jobs.
    n_cpus: int

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables that make ``sbatch`` and its peers speak to this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def run(self, *command: str, stdin: str = "") -> str:
        """Run one of Slurm's programs in `folder`, and return what it wrote.

        Raises
        ------
        SlurmNodeError
            If the program fails.
        """
        done = subprocess.run(
            command, input=stdin, cwd=self.folder, env={**_environment(), **self.environment},
            timeout=_CLIENT_TIMEOUT_S, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr + done.stdout).strip()
            raise SlurmNodeError(f"{' '.join(command)!r} ended with {done.returncode}: {said}")
        return done.stdout

    def submit(self, script_text: str, *options: str) -> str:
        """Submit a batch script, and return the job's id.

        Parameters
        ----------
        script_text
            The script; one without a ``#!`` line is for ``/bin/sh``.
        options
            Options of ``sbatch``, such as ``--array=0-3``.
        """
        script = script_text if script_text.startswith("#!") else f"#!/bin/sh\n{script_text}\n"
        return self.run("sbatch", "--parsable", *options, stdin=script).strip().partition(";")[0]

    def states(self, job_id: str) -> dict[str, str]:
        """Return the state of a job, or of each element of an array, by id.

        Elements that never started share an entry, ``7_[2-3]``.
        """
        lines = self.run("scontrol", "--oneliner", "show", "job", job_id).splitlines()
        return dict(_id_and_state(line) for line in lines if line)

    def wait(self, job_id: str, timeout_s: float = 60.0) -> str:
        """Wait for the end of a job or of a whole array, and return its final state.

        An array is ``COMPLETED`` if all its elements are; else its state is that of one that is not.

        Raises
        ------
        SlurmNodeError
            If the job has not ended after ``timeout_s``.
        """
        last_seen: dict[str, str] = {}

        def has_ended() -> bool:
            last_seen.clear()
            last_seen.update(self.states(job_id))
            return FINAL_STATES.issuperset(last_seen.values())

        if not _came_true(has_ended, timeout_s):
            raise SlurmNodeError(
                f"job {job_id!r} has not ended after {timeout_s} s: {last_seen}. "
                f"See the logs in '{self.folder}'."
            )
        return next((state for state in last_seen.values() if state != "COMPLETED"), "COMPLETED")

    def cancel_all(self) -> None:
        """Cancel every job, and wait until none is left in the queue."""
        self.run("scancel", "--partition=test")
        _came_true(lambda: not self.run("squeue", "--noheader"), _STOP_TIMEOUT_S)


@contextmanager
def slurm_node(folder: Path, *, n_cpus: int = 2) -> Iterator[SlurmNode]:
    """Start a cluster of one node; stop it, and all that runs in its jobs, at the end.

    Parameters
    ----------
    folder
        Where all its files go. Its path is short, since it holds a socket.
    n_cpus
        How many CPUs the node gives to jobs; it may be more than the machine has.

    Raises
    ------
    SlurmNodeError
        If a program is not installed, or the node is not idle after a minute.
    """
    programs = _programs()
    node = SlurmNode(folder.resolve(), n_cpus)
    _write_files(node)
    munged = _munged_command(programs["munged"], node)
    with ExitStack() as stack:
        daemons = {"munged": stack.enter_context(_daemon(node, munged))}
        _wait_for_start(node, daemons, (node.folder / "munge.socket").exists)
        stack.callback(_kill_what_jobs_left, node)
        for name in ("slurmctld", "slurmd"):
            daemons[name] = stack.enter_context(_daemon(node, [programs[name], "-D"]))
        _wait_for_start(node, daemons, lambda: _is_idle(node))
        stack.callback(node.cancel_all)
        yield node


def _programs() -> dict[str, str]:
    """Return the path of each program; the daemons' folder is not on every user's PATH."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    found = {name: shutil.which(name, path=places) for name in (*_DAEMONS, *_CLIENTS)}
    if missing := [name for name, path in found.items() if path is None]:
        raise SlurmNodeError(
            f"no {', '.join(map(repr, missing))} in {places!r}. "
            f"On Debian: `apt-get install {_DEBIAN_PACKAGES}`."
        )
    return {name: path for name, path in found.items() if path is not None}


def _write_files(node: SlurmNode) -> None:
    for name in ("state", "spool"):
        (node.folder / name).mkdir(parents=True, exist_ok=True)
    key = node.folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    controller_port, node_port = _free_ports(2)
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = _CONFIGURATION.format(
        folder=node.folder,
        host=socket.gethostname().partition(".")[0],
        user=pwd.getpwuid(os.geteuid()).pw_name,
        controller_port=controller_port,
        node_port=node_port,
        n_cpus=node.n_cpus,
        memory_mb=memory_bytes // 2**20,
    )
    (node.folder / "slurm.conf").write_text(text)


def _munged_command(program: str, node: SlurmNode) -> list[str]:
    folder = node.folder
    # --force: munged would refuse a socket that other users cannot reach, as below pytest's folders.
    return [program, "--foreground", "--force", "--origin=127.0.0.1",
            f"--socket={folder}/munge.socket", f"--key-file={folder}/munge.key",
            f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log",
            f"--seed-file={folder}/munged.seed"]  # fmt: skip


@contextmanager
def _daemon(node: SlurmNode, command: list[str]) -> Iterator[_Process]:
    with (node.folder / f"{Path(command[0]).name}.out").open("wb") as output:
        # In a session of its own, so that Ctrl-C is ours alone and the jobs are cancelled in order;
        # yet it ends if we are killed.
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", "--", *command],
            cwd=node.folder, env={**_environment(), **node.environment},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_start(
    node: SlurmNode, daemons: Mapping[str, _Process], has_started: Callable[[], bool]
) -> None:
    def ended() -> list[str]:
        return [name for name, daemon in daemons.items() if daemon.poll() is not None]

    _came_true(lambda: bool(ended()) or has_started(), _START_TIMEOUT_S)
    if not ended() and has_started():
        return
    fault = (
        f"{' and '.join(ended())} ended" if ended() else f"not idle after {_START_TIMEOUT_S:g} s"
    )
    tails = [
        "\n".join([f"--- {path}", *path.read_text(errors="replace").splitlines()[-20:]])
        for path in sorted(node.folder.glob("*.out"))
    ]
    raise SlurmNodeError("\n".join([f"the node did not start: {fault}", *tails]))


def _is_idle(node: SlurmNode) -> bool:
    try:
        return node.run("sinfo", "--noheader", "--format=%T").strip() == "idle"
    except SlurmNodeError:  # slurmctld does not listen yet
        return False


def _kill_what_jobs_left(node: SlurmNode) -> None:
    """Kill processes that outlived their job, having left its session and its parents."""
    _came_true(lambda: not _kill_once(node), _STOP_TIMEOUT_S)


def _kill_once(node: SlurmNode) -> bool:
    """Kill what still runs, and return whether there was any."""
    ours = f"SLURM_CONF={node.folder / 'slurm.conf'}".encode()
    has_any = False
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            name = (folder / "comm").read_text().strip()
            # A client of the cluster has SLURM_CONF too: it is no job's, and not ours to end.
            is_in_job = any(variable.startswith(b"SLURM_JOB_ID=") for variable in variables)
            if ours in variables and (is_in_job or name == "slurmstepd"):
                has_any = True
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:  # it has ended, or is another user's
            continue
    return has_any


def _id_and_state(line: str) -> tuple[str, str]:
    fields = dict(re.findall(r"\b(JobId|ArrayJobId|ArrayTaskId|JobState)=(\S+)", line))
    if "ArrayJobId" not in fields:
        return fields["JobId"], fields["JobState"]
    task = fields["ArrayTaskId"]
    name = task if task.isdigit() else f"[{task}]"
    return f"{fields['ArrayJobId']}_{name}", fields["JobState"]


def _environment() -> dict[str, str]:
    """Return our own variables without those of another cluster, should we be one of its jobs."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLURM", "SBATCH_", "SCANCEL_", "SINFO_", "SQUEUE_"))
    }


def _free_ports(n_ports: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(n_ports)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]


def _came_true(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Return whether a condition came true in time; it is asked once at least."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(_POLL_INTERVAL_S)
    return True
