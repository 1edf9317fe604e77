//! Reading a file of lines while another process still writes it.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How much is read at once.
const CHUNK: usize = 1024 * 1024;

/// What is handed out as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A line.
    Line,
    /// A record of CSV: newlines between quotation marks are part of it.
    Record,
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is done with.
    Whole,
    /// It is no record: a mark that nobody closed made several lines one. Its first line is done
    /// with, the others are handed out again.
    FirstLine,
    /// It is to be handed out again at the next reading, with all that follows.
    Not,
}

/// Hands out whole lines; what stands after the last newline waits for its rest.
#[derive(Debug)]
pub(crate) struct LineTail {
    path: PathBuf,
    file: Option<File>,
    /// Where the first byte of `buffer` stands in the file.
    offset: u64,
    buffer: Vec<u8>,
    unit: Unit,
    longest: usize,
    /// True inside a line that is too long, until its end is found.
    skipping: bool,
    skipped: u64,
}

/// What one reading brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read from the file. Zero: nothing new, or no file yet.
    pub bytes: usize,
    /// Whether more can be read at once: the file had a full chunk to give.
    pub more: bool,
}

impl LineTail {
    /// Reads `path` from its beginning; lines of more than `longest` bytes are skipped and counted.
    pub(crate) const fn new(path: PathBuf, longest: usize) -> Self {
        Self {
            path,
            file: None,
            offset: 0,
            buffer: Vec::new(),
            unit: Unit::Line,
            longest,
            skipping: false,
            skipped: 0,
        }
    }

    /// The same in other units.
    pub(crate) const fn in_units(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Lines that were too long.
    pub(crate) const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether a line without its end is waiting.
    pub(crate) const fn has_partial_line(&self) -> bool {
        !self.buffer.is_empty() || self.skipping
    }

    /// Reads at most 1 MiB and hands out the units that are complete, without their newlines.
    pub(crate) fn read(&mut self, mut each: impl FnMut(&[u8]) -> Taken) -> io::Result<Progress> {
        let waiting = self.buffer.len();
        let bytes = self.fill()?;
        let mut start = 0;
        while let Some(length) = self.end_of_unit(start) {
            let unit = &self.buffer[start..start + length];
            let taken = if self.skipping {
                self.skipping = false;
                Taken::Whole
            } else if length > self.longest {
                self.skipped += 1;
                Taken::Whole
            } else {
                each(unit)
            };
            match taken {
                Taken::Whole => start += length + 1,
                Taken::FirstLine => {
                    let line = memchr::memchr(b'\n', unit);
                    start += line.unwrap_or(length) + 1;
                }
                Taken::Not => {
                    self.discard(start);
                    return Ok(Progress { bytes, more: false });
                }
            }
        }
        self.discard(start);
        if self.buffer.len() > self.longest {
            self.skipped += u64::from(!self.skipping);
            self.skipping = true;
        }
        if self.skipping {
            self.discard(self.buffer.len());
        }
        Ok(Progress {
            bytes,
            more: waiting + bytes >= CHUNK,
        })
    }

    /// How long the unit is that begins here; `None` when its end is not there yet.
    fn end_of_unit(&self, start: usize) -> Option<usize> {
        let text = &self.buffer[start..];
        // What is skipped ends with its line.
        if self.unit == Unit::Line || self.skipping {
            return memchr::memchr(b'\n', text);
        }
        let mut first_line = None;
        let mut is_quoted = false;
        for at in memchr::memchr2_iter(b'\n', b'"', text) {
            if at > self.longest && first_line.is_some() {
                break;
            }
            match text[at] {
                b'"' => is_quoted = !is_quoted,
                _ if is_quoted => first_line = first_line.or(Some(at)),
                _ => return Some(at),
            }
        }
        // No record is that long: its first line is one by itself.
        first_line.filter(|_| text.len() > self.longest)
    }

    fn discard(&mut self, length: usize) {
        self.buffer.drain(..length);
        self.offset += length as u64;
    }

    /// Appends what is new in the file to the buffer.
    fn fill(&mut self) -> io::Result<usize> {
        if self.file.is_none() {
            self.file = open(&self.path)?;
        }
        let Some(file) = &mut self.file else {
            return Ok(0);
        };
        let end = self.offset + self.buffer.len() as u64;
        if file.metadata()?.len() < end {
            // The writer has started over: so does the reader.
            self.offset = 0;
            self.buffer.clear();
            return Ok(0);
        }
        file.seek(SeekFrom::Start(end))?;
        let room = CHUNK.saturating_sub(self.buffer.len());
        file.take(room as u64).read_to_end(&mut self.buffer)
    }
}

/// The file, once it exists.
fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
