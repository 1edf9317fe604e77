//! A setting, for those who ask what is in force.

/// One setting as it was read, for `--help` and `--check-config`.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The variable.
    pub name: String,
    /// The value without one; empty when there is none.
    pub default: String,
    /// What it is for.
    pub help: &'static str,
    /// The value in force; a secret shows only whether it is set.
    pub effective: String,
    /// Where the value in force comes from.
    pub source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The program.
    Default,
    /// The variable.
    Environment,
    /// The file that another variable names.
    File,
    /// An option of the command line.
    CommandLine,
}

impl Source {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Environment => "environment",
            Self::File => "file",
            Self::CommandLine => "command line",
        }
    }
}
