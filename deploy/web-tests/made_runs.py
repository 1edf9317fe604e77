"""Rows of runs that nobody made, beside those of a finished run that somebody did.

made_runs.py DATABASE alike RUN COUNT    copies whose durations differ by up to 1 %
made_runs.py DATABASE step RUN COUNT     so many copies, one that is INVALID, and as many that are a fifth slower
made_runs.py DATABASE long RUN SECONDS   one whose seconds are repeated so often

Writes the ids as JSON.
"""

import json
import random
import sqlite3
import sys
import time
from contextlib import closing

# Tables whose rows belong to a run, with the columns that are copied.
PARTS = ("series", "figures")


def new_id():
    """An id of this millisecond, as the service makes them (UUID version 7)."""
    return f"{time.time_ns() // 1_000_000:012x}7{random.getrandbits(12):03x}{0b10 << 62 | random.getrandbits(62):016x}"


def columns(database, table):
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def copy_run(database, source, results):
    """Copies a run's own row and what its seconds and figures are named by."""
    names = [name for name in columns(database, "runs") if name != "row_id"]
    values = dict(zip(names, database.execute(f"SELECT {', '.join(names)} FROM runs WHERE id = ?", [source]).fetchone()))
    number = database.execute(
        "UPDATE run_numbers SET last = last + 1 WHERE tenant = ? RETURNING last", [values["tenant"]]
    ).fetchone()[0]
    values.update(id=new_id(), number=number, results=results)
    places = ", ".join("?" * len(names))
    row = database.execute(f"INSERT INTO all_runs ({', '.join(names)}) VALUES ({places})", list(values.values())).lastrowid
    of_source = "(SELECT row_id FROM runs WHERE id = ?)"
    for table in PARTS:
        others = ", ".join(name for name in columns(database, table) if name != "run")
        database.execute(
            f"INSERT INTO {table} (run, {others}) SELECT ?, {others} FROM {table} WHERE run = {of_source}", [row, source]
        )
    return row, values["id"]


def scaled(results, factor):
    """The results with durations so many times as long."""
    document = json.loads(results)
    groups = [document["metrics"], (document.get("phases") or {}).get("steady") or {}]
    for metrics in groups:
        for metric in metrics.values():
            if metric.get("contains") == "time":
                values = metric["values"]
                metric["values"] = {name: value if name == "count" else value * factor for name, value in values.items()}
    return json.dumps(document)


def alike(database, source, count):
    results = database.execute("SELECT results FROM runs WHERE id = ?", [source]).fetchone()[0]
    chance = random.Random(1)
    made = [copy_run(database, source, scaled(results, chance.uniform(0.99, 1.01))) for _ in range(count)]
    for row, _ in made:
        database.execute(
            "INSERT INTO seconds (run, second, payload) SELECT ?, second, payload FROM seconds"
            " WHERE run = (SELECT row_id FROM runs WHERE id = ?)",
            [row, source],
        )
    return [name for _, name in made]


def step(database, source, count):
    results, verdict = database.execute("SELECT results, verdict FROM runs WHERE id = ?", [source]).fetchone()
    chance = random.Random(2)
    # A test of its own, whose first run the source is not.
    name = "stepping"
    made = []
    for index in range(2 * count + 1):
        factor = chance.uniform(0.99, 1.01) * (1.2 if index > count else 1)
        row, run = copy_run(database, source, scaled(results, factor))
        changed = dict(json.loads(verdict), level="INVALID") if index == count else json.loads(verdict)
        database.execute(
            "UPDATE all_runs SET test_name = ?, verdict = ?, started_at_ms = started_at_ms + ? WHERE row_id = ?",
            [name, json.dumps(changed), index * 3_600_000, row],
        )
        database.execute("UPDATE figures SET value = value * ? WHERE run = ?", [factor, row])
        made.append(run)
    return made


def long(database, source, seconds):
    results = database.execute("SELECT results FROM runs WHERE id = ?", [source]).fetchone()[0]
    row, name = copy_run(database, source, results)
    payloads = database.execute(
        "SELECT second, payload FROM seconds WHERE run = (SELECT row_id FROM runs WHERE id = ?) ORDER BY second", [source]
    ).fetchall()
    first = payloads[0][0]
    # The first seconds are those of the setup.
    load = [payload for _, payload in payloads][len(payloads) // 2 :]
    rows = ((row, first + second, load[second % len(load)]) for second in range(seconds))
    database.executemany("INSERT INTO seconds (run, second, payload) VALUES (?, ?, ?)", rows)
    return [name]


def main():
    path, what, source, number = sys.argv[1:]
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        made = {"alike": alike, "step": step, "long": long}[what](database, source, int(number))
    print(json.dumps(made))


if __name__ == "__main__":
    main()
