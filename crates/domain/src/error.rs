//! The one error of this crate.

/// A field whose value breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct InvalidField {
    /// The field's name as clients spell it.
    pub field: &'static str,
    /// What a valid value would be, as the end of a sentence about the field.
    pub reason: String,
}

impl InvalidField {
    /// A broken rule of `field`.
    pub fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self {
            field,
            reason: reason.into(),
        }
    }
}
