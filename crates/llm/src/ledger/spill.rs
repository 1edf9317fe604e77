//! Rows that a stopping process could not write: a file of JSON lines that the next start reads.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use mongodb::bson::Document;

use super::{LedgerError, LedgerRow, mongo::document, store::LedgerStore, writer::BATCH_ROWS};

/// What is appended to the name of the ledger's file.
const EXTENSION: &str = "unwritten.jsonl";

/// Longest line: many times that of a row with the longest names.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// The file, which is there only while it has rows.
#[derive(Debug)]
pub(super) struct Spill(PathBuf);

impl Spill {
    /// Beside the ledger's file.
    pub(super) fn beside(ledger: &Path) -> Self {
        Self(ledger.with_extension(EXTENSION))
    }

    /// Adds rows, which are on the disk when it returns.
    pub(super) fn keep(&self, rows: &[LedgerRow]) -> io::Result<()> {
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, &document::of_row(row))?;
            lines.push(b'\n');
        }
        let directory = self.0.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        file.write_all(&lines)?;
        file.sync_all()?;
        // The name as well.
        File::open(directory)?.sync_all()
    }

    /// Writes the rows to the store, each once, however often this is done: a row is known by its
    /// id. Then the file is gone; after a failure it is as it was, for the next start.
    pub(super) fn restore(&self, store: &dyn LedgerStore) {
        match self.write_to(store) {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "wrote the rows that the last stop could not"),
            Err(error) => {
                let file = self.0.display();
                tracing::error!(%error, %file, "rows of the LLM ledger are still unwritten");
            }
        }
    }

    fn write_to(&self, store: &dyn LedgerStore) -> Result<usize, LedgerError> {
        let file = match File::open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            file => file?,
        };
        let mut reader = BufReader::new(file);
        let (mut written, mut batch) = (0, Vec::with_capacity(BATCH_ROWS));
        loop {
            let row = next_row(&mut reader)?;
            let is_last = row.is_none();
            batch.extend(row);
            if batch.len() == BATCH_ROWS || is_last {
                store.insert(&batch)?;
                written += batch.len();
                batch.clear();
            }
            if is_last {
                break;
            }
        }
        fs::remove_file(&self.0)?;
        Ok(written)
    }
}

/// The next row that can be read; a line that cannot, such as one that a full disk cut short, is
/// told in the log.
fn next_row(reader: &mut impl BufRead) -> Result<Option<LedgerRow>, LedgerError> {
    loop {
        let mut line = Vec::new();
        let mut bounded = reader.by_ref().take(MAX_LINE_BYTES);
        if bounded.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let read = serde_json::from_slice::<Document>(&line)
            .map_err(|error| LedgerError::Corrupt(error.to_string()))
            .and_then(|document| document::to_row(&document));
        match read {
            Ok(row) => return Ok(Some(row)),
            Err(error) => {
                let line = String::from_utf8_lossy(&line);
                tracing::error!(%error, %line, "a row of the LLM ledger cannot be read");
            }
        }
    }
}
