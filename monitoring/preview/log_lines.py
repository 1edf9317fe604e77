"""Where the log lines of a trace come from: files in a directory, or a program that prints them.

A source is asked for the lines with a text, written between two moments in microseconds; without
moments, for those of the last hour or of the end of each file.
"""

import datetime
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy" / "scripts"))

import tracing  # noqa: E402

# Of the end of each log, or of what a program prints: some hundred thousand lines, read within a second.
MAX_BYTES = 32 * 1024 * 1024
# Containers print the lines of a minute at once; this is for a busy machine.
PROGRAM_SECONDS = 20
# A request's line is written when it is over, work that it leaves behind writes later.
MARGIN = 60 * 1_000_000
HOUR = 3600 * 1_000_000

Moments = tuple[int, int] | None
Source = Callable[[str, Moments], Iterator[str]]


def of_directory(logs: Path) -> Source:
    """NAME.log of each process."""
    def lines(wanted: str, _: Moments) -> Iterator[str]:
        for file in sorted(logs.glob("*.log")):
            with file.open("rb") as log:
                log.seek(max(0, file.stat().st_size - MAX_BYTES))
                yield from (line.decode("utf-8", "replace") for line in log if wanted.encode() in line)
    return lines


def of_program(program: Path) -> Source:
    """What `PROGRAM lines SINCE UNTIL` prints."""
    def lines(wanted: str, moments: Moments) -> Iterator[str]:
        now = time.time_ns() // 1000
        began, ended = moments or (now - HOUR, now)
        asked = [str(program), "lines", *map(written, (began - MARGIN, ended + MARGIN))]
        read, whole = 0, False
        with subprocess.Popen(asked, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, start_new_session=True) as said:
            late = threading.Timer(PROGRAM_SECONDS, end, [said])
            late.start()
            try:
                for line in said.stdout or ():
                    read += len(line)
                    if read > MAX_BYTES:
                        break
                    if wanted.encode() in line:
                        yield line.decode("utf-8", "replace")
                whole = read > MAX_BYTES or said.wait() == 0
            finally:
                late.cancel()
                # Of what is left nothing is read, also when whoever asks stops before the end.
                end(said)
        if not whole:
            raise tracing.Failure("the services' logs could not be read: `make trace-logs` tells why")
    return lines


def end(program: subprocess.Popen) -> None:
    """Ends a program and what it has started, which has our end of the pipe as well."""
    if program.poll() is None:
        os.killpg(program.pid, signal.SIGKILL)


def written(microseconds: int) -> str:
    """A moment as Docker takes it."""
    return f"{datetime.datetime.fromtimestamp(microseconds / 1e6, datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
