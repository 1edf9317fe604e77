//! What writers asked for and what they were told, on disk before anything depends on it; and the
//! store held against it afterwards.

mod losses;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use reqwest::RequestBuilder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::losses::Losses;
use crate::api;
use crate::samples::Answer;

/// The title of the one book that is changed again and again.
pub(crate) const CHANGED: &str = "ledger-changed";

/// The title of a book that a write of this number makes.
pub(crate) fn title(number: u64) -> String {
    format!("ledger-{number}")
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Write {
    /// Makes a book whose title has the write's number.
    Create,
    /// Sets a number of the one changed book to the write's.
    Change,
}

/// What a writer knows of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It is about to be sent.
    Asked,
    /// It was told that the write happened.
    Acknowledged,
    /// It was told that nothing happened.
    Refused,
    /// It was told neither.
    Unknown,
}

/// A line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) write: Write,
    pub(crate) state: State,
}

/// The file, one JSON document a line, each synchronised to disk.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: Arc<Mutex<File>>,
    path: PathBuf,
    next: AtomicU64,
}

impl Ledger {
    /// # Errors
    /// The file cannot be made.
    pub(crate) fn create(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join("ledger.ndjson");
        let file = File::options().append(true).create_new(true).open(&path);
        Ok(Self {
            file: Arc::new(Mutex::new(file.context("the ledger")?)),
            path,
            next: AtomicU64::new(1),
        })
    }

    /// Sends a write between two records: that it was asked for, and what came of it.
    pub(crate) async fn write(
        &self,
        write: Write,
        request: impl FnOnce(u64) -> RequestBuilder,
    ) -> Answer {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let record = |state| Record {
            number,
            write,
            state,
        };
        // What is not in the ledger is not sent.
        if self.append(record(State::Asked)).await.is_err() {
            return Answer::Nothing;
        }
        let answer = api::whole(request(number)).await;
        let state = match answer {
            Answer::Status(200..300) => State::Acknowledged,
            // The API's word is that a 503 changed nothing; a 504 says that nobody knows.
            Answer::Status(400..500 | 503) | Answer::Unreached => State::Refused,
            Answer::Status(_) | Answer::StreamError | Answer::Nothing => State::Unknown,
        };
        // Without this line the outcome is unknown, which is what the first one says.
        drop(self.append(record(state)).await);
        answer
    }

    async fn append(&self, record: Record) -> anyhow::Result<()> {
        let mut line = serde_json::to_string(&record)?;
        line.push('\n');
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(line.as_bytes())?;
            file.sync_data()
        })
        .await??;
        Ok(())
    }

    /// Reads the file back and holds the stored books against it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn compare(&self, stored: &[Value]) -> anyhow::Result<Losses> {
        let text = std::fs::read_to_string(&self.path).context("the ledger")?;
        let records: Result<Vec<Record>, _> = text.lines().map(serde_json::from_str).collect();
        Ok(Losses::of(&records.context("the ledger")?, stored))
    }
}
