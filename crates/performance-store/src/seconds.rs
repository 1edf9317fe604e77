//! The histograms and counters of each second of a run.

mod payload;

use std::collections::HashMap;

use load_analysis::aggregate::SecondBucket;
use load_analysis::series::{SeriesKey, SeriesTags};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use self::payload::Part;
use crate::database::{LongReader, Operation, RunStore};
use crate::error::StoreError;
use crate::events::{self, Event, NewEvent};
use crate::run::RunAddress;
use crate::runs;

/// The most that the seconds of one run may take. A smoke run takes about 1 KiB a
/// second; four hours of 200 busy tag sets would take several times this bound.
pub const MAX_SECOND_BYTES_PER_RUN: u64 = 512 * 1024 * 1024;

/// Some seconds of a run and the events that tell of them.
#[derive(Debug, Clone, Default)]
pub struct SecondsPart {
    /// Counts the run's parts from 1. A part is stored once, however often it is offered: the
    /// answer of a call may be lost.
    pub number: u64,
    /// The seconds.
    pub seconds: Vec<SecondBucket>,
    /// Their events.
    pub told: Vec<NewEvent>,
}

impl RunStore {
    /// Stores a part, all or nothing, and gives its events; none when it is stored already. A
    /// second may come in several parts: late samples come after the rest of theirs.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is over or belongs to another conductor,
    /// [`StoreError::RunTooLarge`] beyond [`MAX_SECOND_BYTES_PER_RUN`].
    pub async fn record_seconds(
        &self,
        address: &RunAddress,
        fence: u64,
        part: SecondsPart,
    ) -> Result<Vec<Event>, StoreError> {
        let address = address.clone();
        self.write(Operation("insert", "seconds"), move |connection| {
            let transaction = connection.transaction()?;
            let run = runs::fenced_row(&transaction, &address, fence)?;
            let is_new = transaction.execute(
                "UPDATE all_runs SET parts = ?2 WHERE row_id = ?1 AND parts < ?2",
                params![run, part.number],
            )?;
            if is_new == 0 {
                return Ok(Vec::new());
            }
            for bucket in &part.seconds {
                store(&transaction, run, bucket)?;
            }
            let events = events::append(&transaction, &address, part.told)?;
            transaction.commit()?;
            Ok(events)
        })
        .await
    }

    /// How many seconds lie between the first and the last stored second, both included; 0
    /// without any.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn span_seconds(&self, address: &RunAddress) -> Result<u64, StoreError> {
        let ends = self.first_and_last_second(address).await?;
        Ok(ends.map_or(0, |(first, last)| first.abs_diff(last) + 1))
    }

    /// The first and the last stored second, since the Unix epoch; `None` without any.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn first_and_last_second(
        &self,
        address: &RunAddress,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "seconds"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            let sql = "SELECT min(second), max(second) FROM seconds
                       WHERE run = ?1 HAVING count(*) > 0";
            let ends = connection.query_row(sql, [run], |row| Ok((row.get(0)?, row.get(1)?)));
            Ok(ends.optional()?)
        })
        .await
    }

    /// Bytes that the seconds of a run take. As long as they are the same, so are the seconds.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn second_bytes(&self, address: &RunAddress) -> Result<u64, StoreError> {
        Ok(self.row_and_bytes(address).await?.1)
    }

    async fn row_and_bytes(&self, address: &RunAddress) -> Result<(i64, u64), StoreError> {
        let address = address.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            let sql = "SELECT second_bytes FROM runs WHERE row_id = ?1";
            let bytes = connection.query_row(sql, [run], |row| row.get(0))?;
            Ok((run, bytes))
        })
        .await
    }

    /// Folds the parts of a run's seconds, in order of time, over the series of some
    /// metrics. One part is in memory at a time, so a long run costs no more than a
    /// short one; parts of one second follow each other. It may take as long as the run is large.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn fold_seconds<A, F>(
        &self,
        (address, reader): (&RunAddress, LongReader),
        metrics: &[&str],
        initial: A,
        mut fold: F,
    ) -> Result<A, StoreError>
    where
        A: Send + 'static,
        F: FnMut(&mut A, SecondBucket) + Send + 'static,
    {
        let (run, bytes) = self.row_and_bytes(address).await?;
        let metrics: Vec<String> = metrics.iter().map(ToString::to_string).collect();
        self.read_long(
            Operation("find", "seconds"),
            (reader, bytes),
            move |connection| {
                let keys = keys(connection, run, &metrics)?;
                let sql =
                    "SELECT second, payload FROM seconds WHERE run = ?1 ORDER BY second, rowid";
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query([run])?;
                let mut folded = initial;
                while let Some(row) = rows.next()? {
                    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                    let bucket = SecondBucket {
                        second: row.get(0)?,
                        series: payload::decode(bytes, &keys)?,
                    };
                    fold(&mut folded, bucket);
                }
                Ok(folded)
            },
        )
        .await
    }
}

fn store(transaction: &Transaction<'_>, run: i64, bucket: &SecondBucket) -> Result<(), StoreError> {
    let mut parts = Vec::with_capacity(bucket.series.len());
    for (key, value) in &bucket.series {
        parts.push(Part {
            series: series_id(transaction, run, key)?,
            value: value.to_bytes(),
        });
    }
    let payload = payload::encode(&parts);
    let used: u64 = transaction
        .prepare_cached(
            "UPDATE all_runs SET second_bytes = second_bytes + ?2 WHERE row_id = ?1
             RETURNING second_bytes",
        )?
        .query_row(params![run, payload.len()], |row| row.get(0))?;
    if used > MAX_SECOND_BYTES_PER_RUN {
        return Err(StoreError::RunTooLarge {
            limit_bytes: MAX_SECOND_BYTES_PER_RUN,
        });
    }
    transaction
        .prepare_cached("INSERT INTO seconds (run, second, payload) VALUES (?1, ?2, ?3)")?
        .execute(params![run, bucket.second, payload])?;
    Ok(())
}

/// The number that stands for a series within its run; a new series gets the next one.
fn series_id(transaction: &Transaction<'_>, run: i64, key: &SeriesKey) -> Result<u64, StoreError> {
    let metric = key.metric.as_ref();
    let tags = serde_json::to_string(key.tags.as_ref())
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let known = transaction
        .prepare_cached("SELECT id FROM series WHERE run = ?1 AND metric = ?2 AND tags = ?3")?
        .query_row(params![run, metric, tags], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let sql = "INSERT INTO series (run, id, metric, tags)
               VALUES (?1, (SELECT count(*) FROM series WHERE run = ?1), ?2, ?3) RETURNING id";
    let mut statement = transaction.prepare_cached(sql)?;
    Ok(statement.query_row(params![run, metric, tags], |row| row.get(0))?)
}

fn keys(
    connection: &Connection,
    run: i64,
    metrics: &[String],
) -> Result<HashMap<u64, SeriesKey>, StoreError> {
    let sql = "SELECT id, metric, tags FROM series WHERE run = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([run])?;
    let mut keys = HashMap::new();
    while let Some(row) = rows.next()? {
        let metric: String = row.get(1)?;
        if !metrics.contains(&metric) {
            continue;
        }
        let tags: String = row.get(2)?;
        let key = SeriesKey {
            metric: metric.into(),
            tags: serde_json::from_str::<SeriesTags>(&tags)
                .map_err(|error| StoreError::Corrupt(format!("series {tags:?}: {error}")))?
                .into(),
        };
        keys.insert(row.get(0)?, key);
    }
    Ok(keys)
}
