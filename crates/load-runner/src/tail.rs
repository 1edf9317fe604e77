//! Reading a file of lines while another process still writes it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How much is read at once.
const CHUNK: usize = 1024 * 1024;

/// Hands out whole lines; what stands after the last newline waits for its rest.
#[derive(Debug)]
pub(crate) struct LineTail {
    path: PathBuf,
    file: Option<File>,
    /// Where the first byte of `buffer` stands in the file.
    offset: u64,
    buffer: Vec<u8>,
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
    /// Reads `path` from `offset`; lines of more than `longest` bytes are skipped and counted.
    pub(crate) const fn new(path: PathBuf, offset: u64, longest: usize) -> Self {
        Self {
            path,
            file: None,
            offset,
            buffer: Vec::new(),
            longest,
            skipping: false,
            skipped: 0,
        }
    }

    /// Where the first line stands that was not handed out yet.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Lines that were too long.
    pub(crate) const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether a line without its end is waiting.
    pub(crate) const fn has_partial_line(&self) -> bool {
        !self.buffer.is_empty() || self.skipping
    }

    /// Reads at most 1 MiB and hands out the lines that are complete, without their newlines.
    pub(crate) fn read(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<Progress> {
        let waiting = self.buffer.len();
        let bytes = self.fill()?;
        let mut start = 0;
        while let Some(length) = memchr::memchr(b'\n', &self.buffer[start..]) {
            if self.skipping {
                self.skipping = false;
            } else if length > self.longest {
                self.skipped += 1;
            } else {
                each(&self.buffer[start..start + length]);
            }
            start += length + 1;
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(tail: &mut LineTail) -> Vec<String> {
        let mut lines = Vec::new();
        tail.read(|line| lines.push(String::from_utf8_lossy(line).into_owned()))
            .unwrap();
        lines
    }

    #[test]
    fn lines_come_when_they_are_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        let mut tail = LineTail::new(path.clone(), 0, 10);
        assert_eq!(read(&mut tail), [""; 0], "no file yet");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(read(&mut tail), ["one"]);
        assert_eq!((tail.offset(), tail.has_partial_line()), (4, true));
        file.write_all(b"o\n\n").unwrap();
        assert_eq!(read(&mut tail), ["two", ""]);
        assert!(!tail.has_partial_line());

        let mut later = LineTail::new(path, 4, 10);
        assert_eq!(
            read(&mut later),
            ["two", ""],
            "another reader goes on at an offset"
        );
    }

    #[test]
    fn lines_that_are_too_long_are_skipped_and_counted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        let mut file = File::create(&path).unwrap();
        let mut tail = LineTail::new(path, 0, 10);
        file.write_all(b"12345678901\nok\n123456789012").unwrap();
        assert_eq!(read(&mut tail), ["ok"]);
        assert_eq!(tail.skipped(), 2);
        file.write_all(b"345\nyes\n").unwrap();
        assert_eq!(read(&mut tail), ["yes"]);
        assert_eq!((tail.skipped(), tail.offset()), (2, 35));
    }

    #[test]
    fn a_file_that_starts_over_is_read_from_its_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        std::fs::write(&path, "first\nsecond\n").unwrap();
        let mut tail = LineTail::new(path.clone(), 0, 10);
        assert_eq!(read(&mut tail).len(), 2);
        std::fs::write(&path, "new\n").unwrap();
        assert_eq!(read(&mut tail), [""; 0]);
        assert_eq!(read(&mut tail), ["new"]);
    }
}
