//! k6's samples, read while they are written.

mod decoder;
mod of_run;
mod owned_tags;

use std::io;
use std::path::PathBuf;

use load_analysis::metric::MetricDefinition;
use load_analysis::sample::Sample;
use serde::{Deserialize, Serialize};

pub use self::decoder::{Decoder, Unreadable};
pub use self::of_run::RunSamples;
use crate::tail::LineTail;
pub use crate::tail::Progress;

/// The longest line that is read. A sample has about 350 bytes; a script can make it longer by
/// its tags and check names.
pub const MAX_LINE_LENGTH: usize = 64 * 1024;

/// Where a reader stands. With it another reader goes on, also in another process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes of the file that are done with.
    pub offset: u64,
    /// The metrics that were introduced before: k6 names a metric's kind only once.
    pub metrics: Vec<MetricDefinition>,
    /// Lines so far that could not be read.
    pub unreadable_lines: u64,
}

/// Reads a run's sample file by offset. Blocking: call it where blocking is allowed.
#[derive(Debug)]
pub struct SampleReader {
    tail: LineTail,
    decoder: Decoder,
    unreadable_lines: u64,
}

impl SampleReader {
    /// Reads a file from its beginning; it need not exist yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self::resume(path, Position::default())
    }

    /// Goes on where another reader stood.
    #[must_use]
    pub fn resume(path: PathBuf, position: Position) -> Self {
        Self {
            tail: LineTail::new(path, position.offset, MAX_LINE_LENGTH),
            decoder: Decoder::new(position.metrics),
            unreadable_lines: position.unreadable_lines,
        }
    }

    /// Hands out the samples that are new, at most 1 MiB of lines (about 3,000 samples). Lines
    /// that are no samples are counted, not handed out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&mut self, mut each: impl FnMut(&Sample<'_>)) -> io::Result<Progress> {
        let Self {
            tail,
            decoder,
            unreadable_lines,
        } = self;
        tail.read(|line| match decoder.decode(line) {
            Ok(Some(sample)) => each(&sample),
            Ok(None) => {}
            Err(Unreadable) => *unreadable_lines += 1,
        })
    }

    /// Where the next reading begins.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            offset: self.tail.offset(),
            metrics: self.decoder.definitions(),
            unreadable_lines: self.unreadable_lines + self.tail.skipped(),
        }
    }

    /// Lines that could not be read: garbled, too long, or not finite. After the end of k6 a
    /// last line without its newline counts as well; before, it is only not written yet.
    #[must_use]
    pub fn unreadable_lines(&self, k6_has_ended: bool) -> u64 {
        let cut = k6_has_ended && self.tail.has_partial_line();
        self.unreadable_lines + self.tail.skipped() + u64::from(cut)
    }
}
