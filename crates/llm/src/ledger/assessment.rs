//! What was thought of answers: by the checks they went through, and by those who read them.

use tenancy::TenantId;
use uuid::Uuid;

/// What one assessor thinks of the answer of one call. The last word of each counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Whose call.
    pub tenant: TenantId,
    /// The call.
    pub call_id: Uuid,
    /// Who.
    pub assessor: Assessor,
    /// The variant of an experiment that the call was made for; empty outside of one.
    pub variant: String,
    /// 1 (bad) to 5 (good); a check gives one of these two.
    pub score: u8,
}

/// Who assesses an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assessor {
    /// The checks of this program.
    Checks,
    /// A reader, by name.
    Reader(String),
}

/// How often a variant got a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreCount {
    /// Whether the checks gave it; else readers did.
    pub by_checks: bool,
    /// The score.
    pub score: u8,
    /// How many answers and assessors.
    pub count: u64,
}

impl Assessor {
    /// The key in the store; no reader's name can be the checks'.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Checks => CHECKS.to_owned(),
            Self::Reader(name) => format!("reader:{name}"),
        }
    }
}

/// The key of the checks.
pub(super) const CHECKS: &str = "checks";
