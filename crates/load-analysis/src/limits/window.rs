//! Which time of a run a limit looks at.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A day: no run is longer.
const LONGEST: i64 = 86_400;

/// The time that is judged, in seconds since the load began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Window {
    /// `run`: all of the load, with its ramps.
    Run,
    /// `steady`: without warm-up and ramps.
    #[default]
    Steady,
    /// `every 30s`: each such slice of the steady load on its own; the worst one counts. What is
    /// left after the last whole slice is not judged.
    Every(i64),
    /// `60s to 5m`: from then to then.
    Between(i64, i64),
}

impl Window {
    /// Reads a window; `None` when the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "run" => return Some(Self::Run),
            "steady" => return Some(Self::Steady),
            _ => {}
        }
        if let Some(slice) = text.strip_prefix("every ") {
            return seconds(slice).filter(|slice| *slice > 0).map(Self::Every);
        }
        let (from, to) = text.split_once(" to ")?;
        let (from, to) = (seconds(from)?, seconds(to)?);
        (from < to).then_some(Self::Between(from, to))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run => f.write_str("run"),
            Self::Steady => f.write_str("steady"),
            Self::Every(slice) => write!(f, "every {slice}s"),
            Self::Between(from, to) => write!(f, "{from}s to {to}s"),
        }
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no window"))
    }
}

/// `90s` or `5m`, within a day.
fn seconds(text: &str) -> Option<i64> {
    let (digits, scale) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s')?, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let amount: i64 = is_number.then(|| digits.parse().ok()).flatten()?;
    Some(amount.checked_mul(scale)?).filter(|seconds| *seconds <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_kinds() {
        for (text, expected) in [
            ("run", Window::Run),
            ("steady", Window::Steady),
            ("every 30s", Window::Every(30)),
            ("every 2m", Window::Every(120)),
            ("0s to 90s", Window::Between(0, 90)),
            ("1m to 1440m", Window::Between(60, 86_400)),
        ] {
            assert_eq!(Window::parse(text), Some(expected), "{text}");
            assert_eq!(Window::parse(&expected.to_string()), Some(expected));
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "Run",
            "every",
            "every 0s",
            "every -5s",
            "every 5",
            "every 1441m",
            "5s to 5s",
            "9s to 5s",
            "5s",
            "to 5s",
            "1.5s to 3s",
            "every s",
            "every 99999999999999999999m",
        ] {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }
}
