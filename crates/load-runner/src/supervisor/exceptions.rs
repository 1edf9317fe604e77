//! How many iterations threw, by what k6 logged.
//!
//! The supervisor counts them, since nobody else sees all of a log: one that grows too large starts
//! over, and who follows the run may come late.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memchr::memmem;

/// What k6 writes into the line of an exception. Scripts cannot: the quotes of what they log are
/// escaped.
const MARK: &[u8] = br#""source":"stacktrace""#;

/// How much is read at once.
const CHUNK: u64 = 1024 * 1024;

/// Counts the exceptions in a log, of which one that cannot be read has none.
pub(super) fn thrown(log: &Path) -> u64 {
    count(log).unwrap_or(0)
}

fn count(log: &Path) -> io::Result<u64> {
    let mut file = File::open(log)?;
    let mut text = Vec::new();
    let mut found = 0;
    while (&mut file).take(CHUNK).read_to_end(&mut text)? > 0 {
        found += memmem::find_iter(&text, MARK).count() as u64;
        // A mark may lie across the end of what was read.
        let kept = text.len().min(MARK.len() - 1);
        text.drain(..text.len() - kept);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_counts_once() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("k6.log");
        assert_eq!(thrown(&log), 0, "there is no log");
        let exception = r#"{"level":"error","msg":"Error: mine","source":"stacktrace"}"#;
        let quoted = r#"{"msg":"{\"source\":\"stacktrace\"}","source":"console"}"#;
        // Some of so many lie across the chunks.
        let lines = format!("{exception}\n{quoted}\n").repeat(30_000);
        assert!(lines.len() as u64 > 3 * CHUNK);
        std::fs::write(&log, lines).unwrap();
        assert_eq!(thrown(&log), 30_000);
    }
}
