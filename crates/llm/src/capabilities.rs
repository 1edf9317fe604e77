//! What a model takes, where the models of one protocol differ.

/// How the models of a family are to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Whether a sampling temperature is taken; others answer 400 to one.
    pub(crate) temperature: bool,
    /// Whether the bound of the output has to be named `max_completion_tokens`, because it counts
    /// the reasoning as well. `OpenAI` only.
    pub(crate) max_completion_tokens: bool,
    /// Whether it writes tokens that it does not show, unasked: they are paid like the others, and
    /// count in the bound of the output.
    pub(crate) reasons: bool,
}

const NO_TEMPERATURE: Capabilities = Capabilities {
    temperature: false,
    ..Capabilities::PLAIN
};

const REASONING: Capabilities = Capabilities {
    temperature: false,
    max_completion_tokens: true,
    reasons: true,
};

/// Open models that reason, whoever serves them.
const OPEN_REASONING: Capabilities = Capabilities {
    reasons: true,
    ..Capabilities::PLAIN
};

/// Beginnings of model names; the longest one that fits counts. From the vendors' documentation of
/// November 2026.
const FAMILIES: [(&str, Capabilities); 11] = [
    ("claude-sonnet-5", NO_TEMPERATURE),
    ("deepseek-r1", OPEN_REASONING),
    ("r1", OPEN_REASONING),
    ("gpt-oss", OPEN_REASONING),
    ("openai.gpt-oss", OPEN_REASONING),
    ("gpt-5", REASONING),
    ("gpt-5-chat", Capabilities::PLAIN),
    ("gpt-6", REASONING),
    ("o1", REASONING),
    ("o3", REASONING),
    ("o4", REASONING),
];

impl Capabilities {
    /// What a model takes that no family claims.
    pub(crate) const PLAIN: Self = Self {
        temperature: true,
        max_completion_tokens: false,
        reasons: false,
    };

    /// The capabilities of a model, as the vendor, `OpenAI`'s fine-tuning or Bedrock names it.
    pub(crate) fn of(model: &str) -> Self {
        let family = family_name(model);
        FAMILIES
            .into_iter()
            .filter(|(beginning, _)| family.starts_with(beginning))
            .max_by_key(|(beginning, _)| beginning.len())
            .map_or(Self::PLAIN, |(_, capabilities)| capabilities)
    }
}

/// The name without what stands before it: `ft:gpt-4o:ours`, `us.anthropic.claude-sonnet-5-v1:0`,
/// `arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-5`.
fn family_name(model: &str) -> &str {
    let model = model.strip_prefix("ft:").unwrap_or(model);
    let model = model.rsplit_once('/').map_or(model, |(_, name)| name);
    let maker = ["anthropic.", "deepseek."]
        .into_iter()
        .find_map(|maker| model.split_once(maker));
    maker.map_or(model, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Capabilities = Capabilities::PLAIN;

    #[test]
    fn the_longest_beginning_that_fits_counts() {
        for (model, expected) in [
            ("claude-sonnet-5", NO_TEMPERATURE),
            ("claude-sonnet-5-5-20261007", NO_TEMPERATURE),
            ("anthropic.claude-sonnet-5-5-v1:0", NO_TEMPERATURE),
            ("us.anthropic.claude-sonnet-5-5", NO_TEMPERATURE),
            (
                "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-5",
                NO_TEMPERATURE,
            ),
            ("claude-sonnet-4-5", PLAIN),
            ("claude-opus-5", PLAIN),
            ("us.anthropic.claude-haiku-5-5", PLAIN),
            ("gpt-6.1-terra", REASONING),
            ("gpt-5-mini", REASONING),
            ("gpt-5-chat-latest", PLAIN),
            ("o3", REASONING),
            ("ft:o4-mini:ours", REASONING),
            ("gpt-4o-mini", PLAIN),
            ("ft:gpt-4o:ours", PLAIN),
            ("amazon.nova-pro-v1:0", PLAIN),
            ("openai.gpt-oss-120b-1:0", OPEN_REASONING),
            ("openai/gpt-oss-20b", OPEN_REASONING),
            ("us.deepseek.r1-v1:0", OPEN_REASONING),
            ("", PLAIN),
        ] {
            assert_eq!(Capabilities::of(model), expected, "{model}");
        }
    }
}
