//! Checked rules: from a request, or from a TOML file with `[[rules]]`.

use std::str::FromStr;

use serde::Deserialize;

use super::{FaultRule, FaultRuleError, check};

/// Longest file: 64 rules of a dozen lines.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Rules that were checked, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FaultRules(Vec<FaultRule>);

/// Why a file of rules was refused.
#[derive(Debug, thiserror::Error)]
pub enum FaultFileError {
    /// It is missing, too long, or not TOML of this form.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A rule is wrong.
    #[error(transparent)]
    Rule(#[from] FaultRuleError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesInFile {
    #[serde(default)]
    rules: Vec<FaultRule>,
}

impl FaultRules {
    /// Checks rules.
    ///
    /// # Errors
    /// Names the field of the first rule that is wrong.
    pub fn check(rules: Vec<FaultRule>) -> Result<Self, FaultRuleError> {
        check::rules(&rules)?;
        Ok(Self(rules))
    }

    pub(super) fn into_inner(self) -> Vec<FaultRule> {
        self.0
    }
}

/// From the path of a file.
impl FromStr for FaultRules {
    type Err = FaultFileError;

    fn from_str(path: &str) -> Result<Self, Self::Err> {
        let text = crate::file::read(path, MAX_FILE_BYTES).map_err(FaultFileError::Unreadable)?;
        let file: RulesInFile =
            toml::from_str(&text).map_err(|error| FaultFileError::Unreadable(error.to_string()))?;
        Ok(Self::check(file.rules)?)
    }
}
