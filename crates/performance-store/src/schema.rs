//! The tables, and how an older file is brought up to date.

use rusqlite::Connection;

use crate::error::StoreError;

/// Each entry takes the file from the version that is its index to the next one.
/// Entries are never changed once they are released, only added.
const MIGRATIONS: [&str; 22] = [
    "
CREATE TABLE runs (
    row_id          INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    id              TEXT    NOT NULL UNIQUE,
    number          INTEGER NOT NULL,
    test_name       TEXT    NOT NULL,
    scenario        TEXT    NOT NULL,
    script          TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    fence           INTEGER NOT NULL,
    queued_at_ms    INTEGER NOT NULL,
    started_at_ms   INTEGER,
    completed_at_ms INTEGER,
    process_id      INTEGER,
    process_start   INTEGER,
    error           TEXT,
    verdict         TEXT,
    results         TEXT,
    next_event      INTEGER NOT NULL DEFAULT 1,
    log_lines       INTEGER NOT NULL DEFAULT 0,
    second_bytes    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, number)
) STRICT;
CREATE INDEX runs_by_status ON runs (status, row_id);
CREATE TABLE run_numbers (
    tenant TEXT    PRIMARY KEY,
    last   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE series (
    run    INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    id     INTEGER NOT NULL,
    metric TEXT    NOT NULL,
    tags   TEXT    NOT NULL,
    PRIMARY KEY (run, metric, tags)
) STRICT, WITHOUT ROWID;
CREATE TABLE seconds (
    run     INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    second  INTEGER NOT NULL,
    payload BLOB    NOT NULL
) STRICT;
CREATE INDEX seconds_by_time ON seconds (run, second);
CREATE TABLE events (
    run  INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    id   INTEGER NOT NULL,
    kind TEXT    NOT NULL,
    data TEXT    NOT NULL,
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE log_lines (
    run    INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    source TEXT    NOT NULL,
    text   TEXT    NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
",
    "ALTER TABLE runs ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;",
    "
ALTER TABLE runs ADD COLUMN environment TEXT NOT NULL DEFAULT 'local';
CREATE INDEX runs_by_test ON runs (tenant, test_name, number);
",
    "
CREATE TABLE baselines (
    tenant        TEXT    NOT NULL,
    test_name     TEXT    NOT NULL,
    environment   TEXT    NOT NULL,
    scenario      TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    created_by    TEXT    NOT NULL,
    replacement   TEXT,
    document      TEXT    NOT NULL,
    PRIMARY KEY (tenant, test_name, environment, scenario, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE baseline_runs (
    tenant      TEXT NOT NULL,
    test_name   TEXT NOT NULL,
    environment TEXT NOT NULL,
    scenario    TEXT NOT NULL,
    run         TEXT NOT NULL,
    PRIMARY KEY (tenant, run, test_name, environment, scenario)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE figures (
    run     INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    measure TEXT    NOT NULL,
    value   REAL    NOT NULL,
    PRIMARY KEY (run, measure)
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE runs ADD COLUMN started_by TEXT NOT NULL DEFAULT '';
",
    "
CREATE TABLE audit (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms      INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    user       TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    status     INTEGER NOT NULL,
    request_id TEXT    NOT NULL,
    hash       BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, number);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
",
    "
ALTER TABLE runs ADD COLUMN virtual_user_seconds INTEGER NOT NULL DEFAULT 0;
CREATE TABLE tenant_load (
    tenant               TEXT    NOT NULL,
    day                  INTEGER NOT NULL,
    virtual_user_seconds INTEGER NOT NULL,
    PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE spend_runs (
    tenant      TEXT    NOT NULL,
    run         TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    test_name   TEXT    NOT NULL,
    user        TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL,
    stopped_for TEXT,
    PRIMARY KEY (tenant, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX spend_runs_by_time ON spend_runs (tenant, at_ms);
CREATE TABLE spend (
    tenant         TEXT    NOT NULL,
    run            TEXT    NOT NULL,
    model          TEXT    NOT NULL,
    simulated      INTEGER NOT NULL,
    calls          INTEGER NOT NULL,
    unpriced_calls INTEGER NOT NULL,
    input_tokens   INTEGER NOT NULL,
    output_tokens  INTEGER NOT NULL,
    pico_usd       INTEGER NOT NULL,
    PRIMARY KEY (tenant, run, model, simulated)
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE runs ADD COLUMN forecast TEXT;
CREATE INDEX runs_by_script ON runs (tenant, script, environment, scenario, number);
",
    "
ALTER TABLE runs ADD COLUMN triggered_by TEXT NOT NULL DEFAULT '';
CREATE TABLE schedules (
    tenant        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    document      TEXT    NOT NULL,
    owner         TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    paused        INTEGER NOT NULL,
    due_at_ms     INTEGER,
    begins_at_ms  INTEGER,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_by_start ON schedules (begins_at_ms) WHERE begins_at_ms IS NOT NULL;
CREATE TABLE scheduled_starts (
    tenant    TEXT    NOT NULL,
    schedule  TEXT    NOT NULL,
    due_at_ms INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    outcome   TEXT    NOT NULL,
    run       TEXT,
    cause     TEXT    NOT NULL,
    starts    INTEGER NOT NULL,
    PRIMARY KEY (tenant, schedule, due_at_ms),
    FOREIGN KEY (tenant, schedule) REFERENCES schedules (tenant, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE webhooks (
    tenant        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    target        TEXT    NOT NULL,
    format        TEXT    NOT NULL,
    events        TEXT    NOT NULL,
    salt          BLOB    NOT NULL,
    created_by    TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    switched_off  TEXT,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant        TEXT    NOT NULL,
    webhook       TEXT    NOT NULL,
    event         TEXT    NOT NULL,
    run           TEXT,
    state         TEXT    NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    made_at_ms    INTEGER NOT NULL,
    next_at_ms    INTEGER NOT NULL,
    ended_at_ms   INTEGER,
    status        INTEGER,
    error         TEXT,
    UNIQUE (tenant, webhook, event, run),
    FOREIGN KEY (tenant, webhook) REFERENCES webhooks (tenant, name) ON DELETE CASCADE
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (tenant, webhook, id) WHERE state = 'waiting';
",
    "
CREATE TABLE idempotency_keys (
    tenant        TEXT    NOT NULL,
    user          TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    fingerprint   BLOB    NOT NULL,
    state         TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    status        INTEGER,
    location      TEXT,
    content_type  TEXT,
    body          BLOB,
    PRIMARY KEY (tenant, user, key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at_ms);
",
    "
CREATE TABLE configurations (
    tenant        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    test_type     TEXT    NOT NULL,
    environment   TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    document      TEXT    NOT NULL,
    changed_by    TEXT    NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    run           TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, test_type, environment, name)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE resources (
    run      INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    document TEXT    NOT NULL
) STRICT;
",
    "
CREATE TABLE searches (
    row_id          INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    id              TEXT    NOT NULL UNIQUE,
    test_name       TEXT    NOT NULL,
    environment     TEXT    NOT NULL,
    started_by      TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    run             TEXT,
    document        TEXT    NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    completed_at_ms INTEGER
) STRICT;
CREATE INDEX searches_by_status ON searches (status, row_id);
",
    // Keys without an id of what they make cannot be taken up again.
    "
DELETE FROM idempotency_keys WHERE state <> 'answered';
ALTER TABLE idempotency_keys ADD COLUMN object TEXT NOT NULL DEFAULT '';
",
    "
ALTER TABLE audit ADD COLUMN object_before BLOB;
ALTER TABLE audit ADD COLUMN object_after BLOB;
",
    "
ALTER TABLE runs ADD COLUMN container_id TEXT;
",
    "
CREATE TABLE step_notes (
    run     INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    measure TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    author  TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (run, measure)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE pinned_runs (
    tenant      TEXT    NOT NULL,
    test_name   TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    scenario    TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    run         TEXT    NOT NULL,
    PRIMARY KEY (tenant, run, test_name, environment, scenario, version)
) STRICT, WITHOUT ROWID;
CREATE VIEW kept_runs AS
    SELECT tenant, run FROM baseline_runs UNION ALL SELECT tenant, run FROM pinned_runs;
",
    // A run that is being removed is not among `runs`: what is left of it looks like a whole one.
    // Who writes names `all_runs`.
    "
ALTER TABLE runs RENAME TO all_runs;
ALTER TABLE all_runs ADD COLUMN being_removed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_being_removed ON all_runs (row_id) WHERE being_removed = 1;
CREATE VIEW runs AS SELECT * FROM all_runs WHERE being_removed = 0;
",
];

/// Creates or updates the tables.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > MIGRATIONS.len() {
        return Err(StoreError::Corrupt(format!(
            "the file has version {version}, this program knows {} at most",
            MIGRATIONS.len()
        )));
    }
    for (done, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", done + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
