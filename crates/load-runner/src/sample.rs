//! k6's samples, read while they are written.

mod csv;
mod decoder;
mod format;
mod kinds;
mod of_run;
mod owned_tags;

use std::io;

use load_analysis::sample::Sample;

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

/// Reads the sample file of one k6 by offset. Blocking: call it where blocking is allowed.
#[derive(Debug)]
pub struct SampleReader {
    tail: LineTail,
    decoder: FormatDecoder,
    unreadable_lines: u64,
    has_ended: bool,
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
        let (unit, decoder) = match files.format {
            SampleFormat::Json => (Unit::Line, FormatDecoder::Json(Decoder::default())),
            SampleFormat::Csv => (Unit::Record, FormatDecoder::Csv(CsvDecoder::new(files))),
        };
        let tail = LineTail::new(files.samples.clone(), MAX_LINE_LENGTH);
        Self {
            tail: tail.in_units(unit),
            decoder,
            unreadable_lines: 0,
            has_ended: false,
        }
    }

    /// k6 has ended, in whatever way: what it did not say, it will not say any more.
    pub const fn note_end(&mut self) {
        self.has_ended = true;
        if let FormatDecoder::Csv(decoder) = &mut self.decoder {
            decoder.note_end();
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
            ..
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

    /// Lines that could not be read: garbled, too long, or not finite. After the [end](Self::note_end)
    /// of k6 a last line without its newline counts as well; before, it is only not written yet.
    #[must_use]
    pub fn unreadable_lines(&self) -> u64 {
        let cut = self.has_ended && self.tail.has_partial_line();
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
