//! Checked rules: from a request, or from a TOML file with `[[rules]]`.

use std::str::FromStr;

use serde::Deserialize;

use super::{Fault, FaultRule, FaultRuleError, check};

/// Longest file: 64 rules of a dozen lines.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// How long connections are refused unless a rule says otherwise: long enough to open a circuit
/// breaker, and soon over, since the controls are usually behind the same port.
const REFUSED_MS: u64 = 10_000;

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

impl FaultRule {
    fn end_refusal(&mut self) {
        if self.fault == (Fault::Refused {}) {
            let window = self.window.get_or_insert_default();
            let end = window.from_ms.saturating_add(REFUSED_MS);
            window.to_ms.get_or_insert(end);
        }
    }
}

impl FaultRules {
    /// Checks rules, and gives each refusal of connections an end.
    ///
    /// # Errors
    /// Names the field of the first rule that is wrong.
    pub fn check(mut rules: Vec<FaultRule>) -> Result<Self, FaultRuleError> {
        rules.iter_mut().for_each(FaultRule::end_refusal);
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
