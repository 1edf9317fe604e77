//! Fault rules: which calls go wrong, and how. There are none unless asked for.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;

/// Every call is matched against every rule.
pub const MAX_RULES: usize = 64;
/// A `Retry-After` is copied into a header, whatever it says.
const MAX_RETRY_AFTER: usize = 128;

/// One rule: the calls it looks at, the ones among them that it hits, and what
/// happens to those. The first rule that hits decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// Only calls in this dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Only calls for exactly this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Hits only the call of this number among those looked at, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Hits each call with this probability (0 to 1), drawn from the call's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Hits at most so many calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What happens.
    pub fault: Fault,
}

/// What can happen to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Fault {
    /// An error reply in the dialect's own shape.
    Status {
        /// 400 to 599.
        code: u16,
        /// The `Retry-After` header, sent as it is: seconds, a date or nonsense.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
    },
    /// The connection breaks after so many tokens; a reply that is not streamed
    /// breaks in the middle of its body.
    Cut {
        /// Tokens sent before.
        #[serde(default)]
        after_tokens: u64,
    },
    /// Nothing more is sent, while the connection stays open.
    Silence {
        /// Tokens sent before. Left out: not even the head of the reply is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_tokens: Option<u64>,
    },
    /// A stream reports an error in its own shape after so many tokens; a reply
    /// that is not streamed is the same error with a status.
    StreamError {
        /// Tokens sent before.
        #[serde(default)]
        after_tokens: u64,
    },
}

/// Why a rule was refused.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FaultRuleError {
    /// The field, with the rule's index.
    pub field: String,
    /// What would be accepted.
    pub reason: &'static str,
}

/// The rules in force, with what each has seen.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    rules: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    seen: AtomicU64,
    hit: AtomicU64,
}

impl Fault {
    /// The fault's name on the `simulator.faults` counter and in the journal.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Cut { .. } => "cut",
            Self::Silence { .. } => "silence",
            Self::StreamError { .. } => "stream_error",
        }
    }
}

impl FaultPlan {
    pub(crate) fn new(rules: Vec<FaultRule>) -> Result<Self, FaultRuleError> {
        if rules.len() > MAX_RULES {
            return Err(refuse("rules".to_owned(), "at most 64 rules"));
        }
        for (index, rule) in rules.iter().enumerate() {
            check(index, rule)?;
        }
        let arm = |rule| Armed {
            rule,
            seen: AtomicU64::new(0),
            hit: AtomicU64::new(0),
        };
        Ok(Self {
            rules: rules.into_iter().map(arm).collect(),
        })
    }

    pub(crate) fn rules(&self) -> Vec<FaultRule> {
        self.rules.iter().map(|armed| armed.rule.clone()).collect()
    }

    /// The fault of this call, if one is due. Every rule counts the calls that
    /// it looks at, also when an earlier rule decides.
    pub(crate) fn decide(
        &self,
        dialect: Dialect,
        model: &str,
        generator: &mut fastrand::Rng,
    ) -> Option<Fault> {
        let mut decided = None;
        for armed in &self.rules {
            if armed.hits(dialect, model, generator) && decided.is_none() && armed.may_hit() {
                decided = Some(armed.rule.fault.clone());
            }
        }
        decided
    }
}

impl Armed {
    fn hits(&self, dialect: Dialect, model: &str, generator: &mut fastrand::Rng) -> bool {
        let rule = &self.rule;
        if rule.dialect.is_some_and(|only| only != dialect)
            || rule.model.as_deref().is_some_and(|only| only != model)
        {
            return false;
        }
        let place = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        rule.nth.is_none_or(|nth| nth == place)
            && rule
                .probability
                .is_none_or(|probability| generator.f64() < probability)
    }

    fn may_hit(&self) -> bool {
        let limit = self.rule.times.unwrap_or(u64::MAX);
        self.hit
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |hit| {
                (hit < limit).then_some(hit + 1)
            })
            .is_ok()
    }
}

fn check(index: usize, rule: &FaultRule) -> Result<(), FaultRuleError> {
    let field = |name: &str| format!("rules[{index}].{name}");
    if rule.nth == Some(0) {
        return Err(refuse(field("nth"), "counts from 1"));
    }
    if rule
        .probability
        .is_some_and(|probability| !(0.0..=1.0).contains(&probability))
    {
        return Err(refuse(field("probability"), "must be between 0 and 1"));
    }
    let Fault::Status { code, retry_after } = &rule.fault else {
        return Ok(());
    };
    if !(400..=599).contains(code) {
        return Err(refuse(
            field("fault.status.code"),
            "must be between 400 and 599",
        ));
    }
    let sendable = |text: &String| {
        text.len() <= MAX_RETRY_AFTER && http::HeaderValue::try_from(text.as_str()).is_ok()
    };
    if !retry_after.as_ref().is_none_or(sendable) {
        let reason = "must be at most 128 bytes that a header can carry";
        return Err(refuse(field("fault.status.retryAfter"), reason));
    }
    Ok(())
}

fn refuse(field: String, reason: &'static str) -> FaultRuleError {
    FaultRuleError { field, reason }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultPlan, FaultRule};
    use crate::{dialect::Dialect, seed::generator};

    fn rules(json: &str) -> Vec<FaultRule> {
        serde_json::from_str(json).unwrap()
    }

    fn hits(json: &str, calls: u64) -> Vec<u64> {
        let plan = FaultPlan::new(rules(json)).unwrap();
        let hit = |number: &u64| {
            plan.decide(
                Dialect::Anthropic,
                "claude-sonnet-5-5",
                &mut generator(1, *number),
            )
            .is_some()
        };
        (1..=calls).filter(hit).collect()
    }

    #[test]
    fn rules_hit_the_calls_they_name() {
        let status = r#""fault":{"status":{"code":503}}"#;
        assert_eq!(hits(&format!("[{{\"nth\":3,{status}}}]"), 9), [3]);
        assert_eq!(hits(&format!("[{{\"times\":2,{status}}}]"), 9), [1, 2]);
        assert_eq!(
            hits(&format!("[{{\"dialect\":\"ollama\",{status}}}]"), 9),
            [0; 0]
        );
        assert_eq!(
            hits(&format!("[{{\"model\":\"other\",{status}}}]"), 9),
            [0; 0]
        );
        assert_eq!(
            hits(&format!("[{{\"probability\":0,{status}}}]"), 9),
            [0; 0]
        );
        let share = hits(&format!("[{{\"probability\":0.2,{status}}}]"), 1000).len();
        assert!((150..250).contains(&share), "{share}");
    }

    #[test]
    fn the_first_rule_that_hits_decides() {
        let plan = FaultPlan::new(rules(
            r#"[{"nth":2,"fault":{"cut":{"afterTokens":5}}},{"fault":{"silence":{}}}]"#,
        ))
        .unwrap();
        let decide = |n| {
            plan.decide(Dialect::Ollama, "llama3.2", &mut generator(1, n))
                .unwrap()
        };
        assert_eq!(decide(1), Fault::Silence { after_tokens: None });
        assert_eq!(decide(2), Fault::Cut { after_tokens: 5 });
    }

    #[test]
    fn wrong_rules_are_refused_with_their_field() {
        for (rule, field) in [
            (r#"{"nth":0,"fault":{"silence":{}}}"#, "rules[0].nth"),
            (
                r#"{"probability":1.5,"fault":{"silence":{}}}"#,
                "rules[0].probability",
            ),
            (
                r#"{"fault":{"status":{"code":200}}}"#,
                "rules[0].fault.status.code",
            ),
            (
                "{\"fault\":{\"status\":{\"code\":429,\"retryAfter\":\"1\\n2\"}}}",
                "rules[0].fault.status.retryAfter",
            ),
        ] {
            let refused = FaultPlan::new(rules(&format!("[{rule}]"))).unwrap_err();
            assert_eq!(refused.field, field);
        }
        assert!(serde_json::from_str::<FaultRule>(r#"{"fault":{"explode":{}}}"#).is_err());
    }
}
