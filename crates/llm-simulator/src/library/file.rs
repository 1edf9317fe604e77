//! Reading and writing a library.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Header, KEPT_HEADERS, MAX_RECORDED_BYTES, RecordedFrame, Recording, VERSION};

/// Recordings in a library: all of them are in memory while it is replayed.
const MAX_RECORDINGS: usize = 100_000;
/// Longest line: a body in base64, with its frames' times.
const MAX_LINE_BYTES: u64 = 2 * MAX_RECORDED_BYTES as u64;
/// Largest library.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// A checked library.
#[derive(Debug, Clone, Default)]
pub struct Library {
    pub(super) recordings: Vec<Recording>,
}

/// Why a library was refused.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The file is missing, or too large.
    #[error("{path}: {reason}")]
    File {
        /// The file that was asked for.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A line is wrong.
    #[error("{path}, line {line}: {reason}")]
    Line {
        /// The file that was asked for.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl Library {
    /// Reads and checks a library.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn load(path: &str) -> Result<Self, LibraryError> {
        let refused = |reason: String| LibraryError::File {
            path: path.to_owned(),
            reason,
        };
        let file = File::open(path).map_err(|error| refused(error.to_string()))?;
        let length = file
            .metadata()
            .map_err(|error| refused(error.to_string()))?;
        if length.len() > MAX_FILE_BYTES {
            return Err(refused(format!("longer than {MAX_FILE_BYTES} bytes")));
        }
        Self::parse(BufReader::new(file)).map_err(|(line, reason)| LibraryError::Line {
            path: path.to_owned(),
            line,
            reason,
        })
    }

    fn parse(mut lines: impl BufRead) -> Result<Self, (usize, String)> {
        let mut library = Self::default();
        let mut number = 0;
        while let Some(line) = next_line(&mut lines).map_err(|reason| (number + 1, reason))? {
            number += 1;
            let checked = if number == 1 {
                check_header(&line)
            } else if library.recordings.len() >= MAX_RECORDINGS {
                Err(format!("there are more than {MAX_RECORDINGS} recordings"))
            } else {
                recording(&line).map(|recording| library.recordings.push(recording))
            };
            checked.map_err(|reason| (number, reason))?;
        }
        if number == 0 {
            return Err((1, "the header is missing".to_owned()));
        }
        Ok(library)
    }
}

/// From the path of a file.
impl std::str::FromStr for Library {
    type Err = LibraryError;

    fn from_str(path: &str) -> Result<Self, Self::Err> {
        Self::load(path)
    }
}

/// Opens a library to add to it; a new file gets its header.
///
/// # Errors
/// The file cannot be written, or is no library.
pub(super) fn open_to_append(path: &str) -> Result<File, LibraryError> {
    let refused = |reason: String| LibraryError::File {
        path: path.to_owned(),
        reason,
    };
    let is_new = !Path::new(path).exists();
    if !is_new {
        Library::load(path)?;
    }
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| refused(error.to_string()))?;
    if is_new {
        let header = serde_json::to_string(&Header::current()).unwrap_or_default();
        writeln!(file, "{header}").map_err(|error| refused(error.to_string()))?;
    }
    Ok(file)
}

fn next_line(lines: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut line = String::new();
    let read = lines
        .by_ref()
        .take(MAX_LINE_BYTES)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    match read {
        0 => Ok(None),
        _ if line.ends_with('\n') => Ok(Some(line)),
        _ => Err("is too long, or the file ends within it".to_owned()),
    }
}

fn check_header(line: &str) -> Result<(), String> {
    let header: Header =
        serde_json::from_str(line).map_err(|_| "is not the header of a library".to_owned())?;
    if header == Header::current() {
        return Ok(());
    }
    Err(format!(
        "is of version {}, and only version {VERSION} is known",
        header.version
    ))
}

fn recording(line: &str) -> Result<Recording, String> {
    let recording: Recording = serde_json::from_str(line).map_err(|error| error.to_string())?;
    recording.check()?;
    Ok(recording)
}

impl Recording {
    fn check(&self) -> Result<(), String> {
        if !(200..=599).contains(&self.status) {
            return Err("status must be between 200 and 599".to_owned());
        }
        if self.digest.len() != 64 || !self.digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("digest must have 64 hexadecimal digits".to_owned());
        }
        let sendable = |(name, value): &(String, String)| {
            KEPT_HEADERS.contains(&name.as_str())
                && http::HeaderValue::try_from(value.as_str()).is_ok()
        };
        if !self.headers.iter().all(sendable) {
            return Err(format!("headers can only be {}", KEPT_HEADERS.join(", ")));
        }
        let times = std::iter::once(self.head_ms).chain(self.frames.iter().map(|f| f.at_ms));
        let times: Vec<f64> = times.collect();
        if !times.is_sorted() || !times.iter().all(|time| (0.0..=86_400_000.0).contains(time)) {
            return Err("times must not go backwards, nor beyond a day".to_owned());
        }
        for frame in &self.frames {
            frame.bytes()?;
        }
        Ok(())
    }
}

impl RecordedFrame {
    pub(super) fn new(at_ms: f64, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self {
                at_ms,
                text: Some(text),
                base64: None,
            },
            Err(binary) => Self {
                at_ms,
                text: None,
                base64: Some(STANDARD.encode(binary.as_bytes())),
            },
        }
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, String> {
        match (&self.text, &self.base64) {
            (Some(text), None) => Ok(text.clone().into_bytes()),
            (None, Some(base64)) => STANDARD
                .decode(base64)
                .map_err(|_| "a frame is not valid base64".to_owned()),
            _ => Err("a frame needs either text or base64".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Library, RecordedFrame};

    const HEADER: &str = r#"{"library":"llm-simulator","version":1}"#;

    fn line(fields: &str) -> String {
        let digest = "ab".repeat(32);
        format!(
            r#"{{"method":"POST","path":"/","digest":"{digest}","status":200,"headers":[],"headMs":1.0,"whole":true,{fields}}}"#
        )
    }

    fn parse(lines: &[String]) -> Result<Library, (usize, String)> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Library::parse(text.as_bytes())
    }

    #[test]
    fn a_library_is_read_line_by_line() {
        let good = line(r#""frames":[{"atMs":1.0,"text":"a"},{"atMs":2.5,"base64":"AAE="}]"#);
        let library = parse(&[HEADER.to_owned(), good.clone(), good]).unwrap();
        assert_eq!(library.recordings.len(), 2);
        assert_eq!(library.recordings[0].frames[1].bytes().unwrap(), [0, 1]);
        assert_eq!(RecordedFrame::new(2.5, vec![0xff]).bytes().unwrap(), [0xff]);
    }

    #[test]
    fn wrong_lines_are_named() {
        let header = HEADER.to_owned();
        let old = HEADER.replace('1', "2");
        for (lines, wrong, reason) in [
            (vec![], 1, "header"),
            (vec!["{}".to_owned()], 1, "header"),
            (vec![old], 1, "version 2"),
            (vec![header.clone(), "{".to_owned()], 2, "EOF"),
            (
                vec![header.clone(), line(r#""frames":[{"atMs":0.5,"text":""}]"#)],
                2,
                "backwards",
            ),
            (
                vec![header.clone(), line(r#""frames":[{"atMs":2.0}]"#)],
                2,
                "either",
            ),
            (
                vec![
                    header.clone(),
                    line(r#""frames":[{"atMs":2.0,"base64":"?"}]"#),
                ],
                2,
                "base64",
            ),
            (
                vec![header.clone(), line(r#""frames":[]"#).replace("200", "99")],
                2,
                "status",
            ),
            (
                vec![
                    header.clone(),
                    line(r#""frames":[]"#).replace("abab", "xxxx"),
                ],
                2,
                "digest",
            ),
            (
                vec![
                    header,
                    line(r#""frames":[]"#)
                        .replace("[],\"headMs", "[[\"set-cookie\",\"a\"]],\"headMs"),
                ],
                2,
                "headers",
            ),
        ] {
            let (number, said) = parse(&lines).unwrap_err();
            assert!(said.contains(reason), "{said}");
            assert_eq!(number, wrong);
        }
        let torn = format!("{HEADER}\n{}", line(r#""frames":[]"#));
        assert_eq!(Library::parse(torn.as_bytes()).unwrap_err().0, 2);
    }
}
