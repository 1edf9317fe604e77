//! Which model an address names, and whose it is.

use super::error::Error;

/// Longest id or ARN, by the vendor's own rule.
const MAX_MODEL_ID: usize = 2048;
/// What may stand before the vendor's name: the regions that may answer.
const REGION_CLASSES: [&str; 8] = ["global", "us", "us-gov", "eu", "apac", "jp", "au", "ca"];

/// Whose shape a model's requests and replies have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Anthropic,
    Nova,
    Llama,
}

impl Family {
    pub(super) fn of(model: &str) -> Result<Self, Error> {
        match name(model) {
            name if name.starts_with("anthropic.") => Ok(Self::Anthropic),
            name if name.starts_with("amazon.nova") => Ok(Self::Nova),
            name if name.starts_with("meta.llama") => Ok(Self::Llama),
            _ => Err(Error::invalid(format!(
                "The simulator knows the shape of anthropic, amazon.nova and meta.llama models, \
                 not that of {model:?}. Converse takes every model."
            ))),
        }
    }
}

/// The id without what says where it runs: `us.anthropic.x` or an ARN of it is
/// `anthropic.x`.
pub(super) fn name(model: &str) -> &str {
    let id = model.rsplit('/').next().unwrap_or(model);
    match id.split_once('.') {
        Some((class, name)) if REGION_CLASSES.contains(&class) => name,
        _ => id,
    }
}

pub(super) fn check(model: &str) -> Result<(), Error> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".:/_-".contains(&byte);
    if (1..=MAX_MODEL_ID).contains(&model.len()) && model.bytes().all(known) {
        Ok(())
    } else {
        Err(Error::invalid("The provided model identifier is invalid."))
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, check, name};

    #[test]
    fn ids_profiles_and_arns_name_the_same_model() {
        for (id, expected) in [
            ("anthropic.claude-sonnet-5-5", "anthropic.claude-sonnet-5-5"),
            (
                "us.anthropic.claude-opus-5-5-v1:0",
                "anthropic.claude-opus-5-5-v1:0",
            ),
            ("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0"),
            (
                "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.meta.llama3-3-70b",
                "meta.llama3-3-70b",
            ),
        ] {
            assert_eq!(name(id), expected);
            assert!(check(id).is_ok() && Family::of(id).is_ok(), "{id}");
        }
        assert!(Family::of("mistral.mistral-large-3").is_err());
        for wrong in ["", "a b", "a\u{e9}", &"a".repeat(2049)] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
