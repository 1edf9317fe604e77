//! The name under which a price list has a model.

/// Bedrock's areas; `global` costs what the list says, and no list has the prices of `us-gov`.
const AREAS: [&str; 6] = ["us", "eu", "apac", "jp", "au", "ca"];
const GLOBAL: &str = "global";
/// Whom Bedrock names before a model's own name.
const MAKERS: [&str; 6] = [
    "anthropic",
    "amazon",
    "meta",
    "mistral",
    "deepseek",
    "openai",
];

/// A model's name as a price list has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListName<'a> {
    pub(super) name: &'a str,
    /// Whether the call stays within an area, which costs extra for some models.
    pub(super) is_regional: bool,
}

impl<'a> ListName<'a> {
    pub(super) fn of(model: &'a str) -> Self {
        // The name of a resource ends with the model's.
        let model = model.rsplit('/').next().unwrap_or(model);
        let (is_regional, model) = match model.split_once('.') {
            Some((area, rest)) if AREAS.contains(&area) => (true, rest),
            Some((GLOBAL, rest)) => (false, rest),
            _ => (false, model),
        };
        let name = match model.split_once('.') {
            Some((maker, rest)) if MAKERS.contains(&maker) => rest,
            _ => model,
        };
        Self {
            name: without_release(name),
            is_regional,
        }
    }
}

/// Takes off what says which release of a model it is: a date, a version, `latest`.
fn without_release(name: &str) -> &str {
    let name = match name.rsplit_once(':') {
        Some((rest, number)) if is_number(number) => rest,
        _ => name,
    };
    let mut end = name;
    // The parts of a dashed date come off one by one, but only all three of them.
    let parts: Vec<&str> = name.rsplit('-').take(3).collect();
    if let [day, month, year] = parts[..]
        && [day, month]
            .iter()
            .all(|part| part.len() == 2 && is_number(part))
        && year.len() == 4
        && is_number(year)
    {
        end = end.get(..end.len() - "-YYYY-MM-DD".len()).unwrap_or(end);
    }
    while let Some((rest, last)) = end.rsplit_once(['-', '@']) {
        let is_version = last.strip_prefix('v').is_some_and(is_number);
        let is_date = last.len() == 8 && is_number(last);
        if !(is_version || is_date || last == "latest") {
            break;
        }
        end = rest;
    }
    end
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::ListName;

    #[test]
    fn names_are_read_as_the_vendors_write_them() {
        for (model, name, is_regional) in [
            ("claude-sonnet-5-5", "claude-sonnet-5-5", false),
            ("claude-opus-4-5-20251101", "claude-opus-4-5", false),
            ("claude-haiku-4-5-latest", "claude-haiku-4-5", false),
            ("claude-haiku-4-5@20251001", "claude-haiku-4-5", false),
            ("gpt-4o-2024-08-06", "gpt-4o", false),
            ("gpt-5.6-luna", "gpt-5.6-luna", false),
            ("o3", "o3", false),
            (
                "us.anthropic.claude-sonnet-5-5-v1:0",
                "claude-sonnet-5-5",
                true,
            ),
            (
                "global.anthropic.claude-haiku-4-5-20251001-v1:0",
                "claude-haiku-4-5",
                false,
            ),
            ("amazon.nova-micro-v1:0", "nova-micro", false),
            (
                "eu.meta.llama3-3-70b-instruct-v1:0",
                "llama3-3-70b-instruct",
                true,
            ),
            ("openai.gpt-oss-20b-1:0", "gpt-oss-20b-1", false),
            ("deepseek.r1-v1:0", "r1", false),
            (
                "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0",
                "nova-pro",
                true,
            ),
            ("", "", false),
            ("-", "-", false),
        ] {
            assert_eq!(
                ListName::of(model),
                ListName { name, is_regional },
                "{model}"
            );
        }
    }
}
