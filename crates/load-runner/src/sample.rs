//! k6's samples, read while they are written.

mod csv;
mod decoder;
mod format;
mod kinds;
mod of_run;
mod owned_tags;

use std::io;

use load_analysis::metric::MetricDefinition;
use load_analysis::sample::Sample;
use serde::{Deserialize, Serialize};

use self::csv::{CsvDecoder, NoSample};
pub use self::decoder::{Decoder, Unreadable};
pub use self::format::{CSV_ABOVE_RATE, SampleFormat};
pub use self::of_run::RunSamples;
use crate::runner::ProcessArtifacts;
pub use crate::tail::Progress;
use crate::tail::{LineTail, Taken, Unit};

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
    /// The tags that have a column in CSV, which only its first line names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Lines so far that could not be read.
    pub unreadable_lines: u64,
}

/// Reads the sample file of one k6 by offset. Blocking: call it where blocking is allowed.
#[derive(Debug)]
pub struct SampleReader {
    tail: LineTail,
    decoder: FormatDecoder,
    unreadable_lines: u64,
}

/// From the lines of either format to samples.
#[derive(Debug)]
enum FormatDecoder {
    Json(Decoder),
    Csv(CsvDecoder),
}

impl SampleReader {
    /// Reads a file from its beginning; it need not exist yet.
    #[must_use]
    pub fn new(files: &ProcessArtifacts) -> Self {
        Self::resume(files, Position::default())
    }

    /// Goes on where another reader stood.
    #[must_use]
    pub fn resume(files: &ProcessArtifacts, position: Position) -> Self {
        let tail = LineTail::new(files.samples.clone(), position.offset, MAX_LINE_LENGTH);
        let (unit, decoder) = match files.format {
            SampleFormat::Json => {
                let decoder = Decoder::new(position.metrics);
                (Unit::Line, FormatDecoder::Json(decoder))
            }
            SampleFormat::Csv => {
                let decoder = CsvDecoder::new(files, position.columns, position.metrics);
                (Unit::Record, FormatDecoder::Csv(decoder))
            }
        };
        Self {
            tail: tail.in_units(unit),
            decoder,
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
            Ok(sample) => {
                sample.iter().for_each(&mut each);
                Taken::Whole
            }
            Err(NoSample::NotYet) => Taken::Not,
            Err(NoSample::Unreadable) => {
                *unreadable_lines += 1;
                Taken::FirstLine
            }
        })
    }

    /// Where the next reading begins.
    #[must_use]
    pub fn position(&self) -> Position {
        let (metrics, columns) = match &self.decoder {
            FormatDecoder::Json(decoder) => (decoder.definitions(), None),
            FormatDecoder::Csv(decoder) => (decoder.definitions(), decoder.columns().cloned()),
        };
        Position {
            offset: self.tail.offset(),
            metrics,
            columns,
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

impl FormatDecoder {
    /// Reads one line; `None` for one that only introduces others.
    fn decode<'a>(&'a mut self, line: &'a [u8]) -> Result<Option<Sample<'a>>, NoSample> {
        match self {
            Self::Json(decoder) => {
                let decoded = decoder.decode(line);
                decoded.map_err(|Unreadable| NoSample::Unreadable)
            }
            Self::Csv(decoder) => decoder.decode(line),
        }
    }
}
