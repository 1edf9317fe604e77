//! The faults that one press of a button sets.

use crate::faults::{Fault, FaultRule, FaultRules, Reported};

/// A button.
pub(super) struct Preset {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
}

/// All buttons, in their order.
pub(super) const ALL: [Preset; 8] = [
    preset("none", "No faults"),
    preset("rate-limit", "429 for the next 10 calls"),
    preset("overloaded", "503 for half of the calls"),
    preset("slow", "Five times slower"),
    preset("silent-stream", "Silent after 5 tokens"),
    preset("cut-stream", "Cut after 5 tokens"),
    preset("garbage", "Garbage after 5 tokens"),
    preset("no-usage", "No usage"),
];

/// The rules of a button; `None` when there is no such button.
pub(super) fn rules(slug: &str) -> Option<FaultRules> {
    let after_tokens = 5;
    let rule = match slug {
        "none" => return Some(FaultRules::default()),
        "rate-limit" => FaultRule {
            times: Some(10),
            ..status(429, Some("2"))
        },
        "overloaded" => FaultRule {
            probability: Some(0.5),
            ..status(503, None)
        },
        "slow" => FaultRule::always(Fault::Slow {
            factor: 5.0,
            first_token_ms: 0,
            gap_ms: 0,
        }),
        "silent-stream" => FaultRule::always(Fault::Silence {
            after_tokens: Some(after_tokens),
            after_head: false,
        }),
        "cut-stream" => FaultRule::always(Fault::Cut {
            after_tokens,
            within: None,
        }),
        "garbage" => FaultRule::always(Fault::Garbage { after_tokens }),
        "no-usage" => FaultRule::always(Fault::Usage {
            reported: Reported::Missing,
        }),
        _ => return None,
    };
    FaultRules::check(vec![rule]).ok()
}

const fn preset(slug: &'static str, name: &'static str) -> Preset {
    Preset { slug, name }
}

fn status(code: u16, retry_after: Option<&str>) -> FaultRule {
    FaultRule::always(Fault::Status {
        code,
        retry_after: retry_after.map(str::to_owned),
        retry_after_ms: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{ALL, rules};

    #[test]
    fn every_button_has_valid_rules() {
        for preset in ALL {
            assert!(rules(preset.slug).is_some(), "{}", preset.slug);
        }
        assert!(rules("everything").is_none());
    }
}
