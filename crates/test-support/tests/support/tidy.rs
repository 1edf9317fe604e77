//! The rules of the workspace that neither the compiler nor clippy can see.
//!
//! Each rule is a function from text or names to violations, tested on an
//! example that breaks it, and then applied to the checkout. A failure lists
//! every place at once, as `path:line: what is wrong`.

#![expect(
    clippy::string_slice,
    reason = "positions come from searches in the same text; a panic fails the test, loudly"
)]

mod crates;
mod metrics;
mod rust_text;
mod settings;
mod source;
mod tree;

use std::fmt;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    path: String,
    /// Counted from 1; 0 for the file as a whole.
    line: usize,
    rule: String,
}

impl Violation {
    fn at(path: &str, line: usize, rule: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule: rule.into(),
        }
    }

    fn of(path: &str, rule: impl Into<String>) -> Self {
        Self::at(path, 0, rule)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.rule),
            line => write!(f, "{}:{line}: {}", self.path, self.rule),
        }
    }
}

#[track_caller]
fn assert_none(mut violations: Vec<Violation>) {
    violations.sort();
    let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(
        list.is_empty(),
        "{} violations:\n{}",
        list.len(),
        list.join("\n")
    );
}
