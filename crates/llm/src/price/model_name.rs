//! Model names with and without what a provider hangs on them.

use crate::ProviderName;

/// Geographies of Bedrock's inference profiles, as they stand before a model id
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>).
const PROFILES: [&str; 8] = ["global", "us", "eu", "apac", "au", "jp", "ca", "us-gov"];

/// Takes a name apart into the geography that it asks for, empty for none, and the rest. Only
/// Bedrock's ids have one, also inside an ARN.
pub(super) fn split_region(provider: ProviderName, model: &str) -> (&str, &str) {
    if provider != ProviderName::Bedrock {
        return ("", model);
    }
    let id = match model.strip_prefix("arn:") {
        Some(arn) => arn.rsplit_once('/').map_or(model, |(_, id)| id),
        None => model,
    };
    match id.split_once('.') {
        Some((region, rest)) if PROFILES.contains(&region) => (region, rest),
        _ => ("", id),
    }
}

/// The name without a snapshot's date or version: `claude-opus-5-20260101`, `gpt-4o-2024-08-06`,
/// `claude-opus-5@20260101`, `claude-opus-5-latest`, `amazon.nova-pro-v1:0`.
pub(super) fn without_snapshot(model: &str) -> &str {
    let model = without_revision(model);
    if let Some((name, _)) = model
        .split_once('@')
        .filter(|(_, date)| is_compact_date(date))
    {
        return name;
    }
    if let Some(name) = model.strip_suffix("-latest") {
        return name;
    }
    without_dashed_date(model)
        .or_else(|| {
            model
                .rsplit_once('-')
                .filter(|(_, date)| is_compact_date(date))
                .map(|(name, _)| name)
        })
        .unwrap_or(model)
}

/// Bedrock's `-v1`, `-v1:0` or `-1:0`.
fn without_revision(model: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_revision = |text: &str| match (text.strip_prefix('v').unwrap_or(text), text) {
        (rest, _) if rest.contains(':') => {
            rest.split(':').count() == 2 && rest.split(':').all(digits)
        }
        (rest, whole) => rest.len() < whole.len() && digits(rest),
    };
    match model.rsplit_once('-') {
        Some((name, revision)) if is_revision(revision) => name,
        _ => model,
    }
}

fn without_dashed_date(model: &str) -> Option<&str> {
    let mut rest = model;
    for length in [2, 2, 4] {
        let (before, digits) = rest.rsplit_once('-')?;
        if digits.len() != length || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        rest = before;
    }
    Some(rest)
}

fn is_compact_date(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_taken_off_bedrocks_ids_only() {
        for (model, expected) in [
            (
                "us.anthropic.claude-opus-5",
                ("us", "anthropic.claude-opus-5"),
            ),
            (
                "global.amazon.nova-2-lite-v1:0",
                ("global", "amazon.nova-2-lite-v1:0"),
            ),
            (
                "us-gov.openai.gpt-oss-20b-1:0",
                ("us-gov", "openai.gpt-oss-20b-1:0"),
            ),
            ("amazon.nova-pro-v1:0", ("", "amazon.nova-pro-v1:0")),
            (
                "arn:aws:bedrock:eu-west-1:7:inference-profile/eu.amazon.nova-lite-v1:0",
                ("eu", "amazon.nova-lite-v1:0"),
            ),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/deepseek.r1-v1:0",
                ("", "deepseek.r1-v1:0"),
            ),
            ("arn:", ("", "arn:")),
            ("us", ("", "us")),
            ("", ("", "")),
        ] {
            assert_eq!(split_region(ProviderName::Bedrock, model), expected);
            assert_eq!(split_region(ProviderName::Ollama, model), ("", model));
        }
    }

    #[test]
    fn only_dates_and_versions_are_taken_off() {
        for (model, expected) in [
            ("claude-opus-5-20260101", "claude-opus-5"),
            ("claude-opus-5@20260101", "claude-opus-5"),
            ("claude-opus-5-latest", "claude-opus-5"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
            ("amazon.nova-pro-v1:0", "amazon.nova-pro"),
            ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b"),
            ("gpt-oss-20b-1", "gpt-oss-20b-1"),
            (
                "anthropic.claude-opus-5-20260101-v1:0",
                "anthropic.claude-opus-5",
            ),
            ("claude-opus-4-5", "claude-opus-4-5"),
            ("claude-opus-4-56", "claude-opus-4-56"),
            ("o3", "o3"),
            ("", ""),
            ("-", "-"),
            ("x-v", "x-v"),
            ("x-v1:0:0", "x-v1:0:0"),
        ] {
            assert_eq!(without_snapshot(model), expected);
        }
    }
}
