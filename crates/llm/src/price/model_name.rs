//! Model names with and without what a provider hangs on them.

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

/// Bedrock's `-v1` or `-v1:0`.
fn without_revision(model: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_revision = |text: &str| {
        text.strip_prefix('v')
            .is_some_and(|rest| rest.split(':').count() <= 2 && rest.split(':').all(digits))
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
    use super::without_snapshot;

    #[test]
    fn only_dates_and_versions_are_taken_off() {
        for (model, expected) in [
            ("claude-opus-5-20260101", "claude-opus-5"),
            ("claude-opus-5@20260101", "claude-opus-5"),
            ("claude-opus-5-latest", "claude-opus-5"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
            ("amazon.nova-pro-v1:0", "amazon.nova-pro"),
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
