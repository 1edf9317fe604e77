//! What a rule may say.

use super::{Fault, FaultRule, ResetAt};
use crate::dialect::Dialect;

/// Every call is matched against every rule.
pub const MAX_RULES: usize = 64;
/// A header value is copied into a reply, whatever it says.
const MAX_HEADER_VALUE: usize = 128;
/// Longest text that is searched for in a header, or compared with a model.
const MAX_TEXT: usize = 256;
/// Longest delay that a rule adds: longer than any client waits.
const MAX_DELAY_MS: u64 = 600_000;
/// Longest time without a listener, of all rules together: the controls are not
/// reachable either.
const MAX_REFUSED_MS: u64 = 600_000;
/// Longest huge line: it is sent piece by piece, but a client may keep it.
const MAX_LINE_BYTES: u64 = 64 * 1024 * 1024;
/// Headers that carry credentials, which are never looked at or shown.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "x-api-key",
    "cookie",
    "x-amz-security-token",
];

/// Why a rule was refused.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FaultRuleError {
    /// The field, with the rule's index.
    pub field: String,
    /// What would be accepted.
    pub reason: &'static str,
}

type Refused = (&'static str, &'static str);

/// Checks all rules.
pub(super) fn rules(rules: &[FaultRule]) -> Result<(), FaultRuleError> {
    if rules.len() > MAX_RULES {
        return Err(FaultRuleError {
            field: "rules".to_owned(),
            reason: "at most 64 rules",
        });
    }
    let mut refused_ms = 0;
    for (index, rule) in rules.iter().enumerate() {
        let checked = conditions(rule)
            .and_then(|()| fault(&rule.fault))
            .and_then(|()| expressible(rule))
            .and_then(|()| ends_soon(rule, &mut refused_ms));
        checked.map_err(|(name, reason)| FaultRuleError {
            field: format!("rules[{index}].{name}"),
            reason,
        })?;
    }
    Ok(())
}

fn conditions(rule: &FaultRule) -> Result<(), Refused> {
    if rule.nth == Some(0) {
        return Err(("nth", "counts from 1"));
    }
    if rule
        .probability
        .is_some_and(|probability| !(0.0..=1.0).contains(&probability))
    {
        return Err(("probability", "must be between 0 and 1"));
    }
    if rule
        .model
        .as_ref()
        .is_some_and(|model| model.len() > MAX_TEXT)
    {
        return Err(("model", "must have at most 256 bytes"));
    }
    if let Some(header) = &rule.header {
        let name = http::HeaderName::try_from(header.name.as_str())
            .map_err(|_| ("header.name", "must be a header's name"))?;
        if SECRET_HEADERS.contains(&name.as_str()) {
            return Err(("header.name", "must not be a header with a credential"));
        }
        if header
            .contains
            .as_ref()
            .is_some_and(|text| text.len() > MAX_TEXT)
        {
            return Err(("header.contains", "must have at most 256 bytes"));
        }
    }
    match rule.window {
        Some(window) if window.to_ms.is_some_and(|end| end <= window.from_ms) => {
            Err(("window.toMs", "must be after fromMs"))
        }
        _ => Ok(()),
    }
}

fn fault(fault: &Fault) -> Result<(), Refused> {
    match fault {
        Fault::Status {
            code,
            retry_after,
            retry_after_ms,
        } => {
            if !(400..=599).contains(code) {
                return Err(("fault.status.code", "must be between 400 and 599"));
            }
            let reason = "must be at most 128 bytes that a header can carry";
            if !retry_after.as_deref().is_none_or(is_sendable) {
                return Err(("fault.status.retryAfter", reason));
            }
            if !retry_after_ms.as_deref().is_none_or(is_sendable) {
                return Err(("fault.status.retryAfterMs", reason));
            }
            Ok(())
        }
        Fault::Slow {
            factor,
            first_token_ms,
            gap_ms,
        } => {
            if !(1.0..=1000.0).contains(factor) {
                return Err(("fault.slow.factor", "must be between 1 and 1000"));
            }
            if *first_token_ms > MAX_DELAY_MS {
                return Err(("fault.slow.firstTokenMs", "must be at most 600000"));
            }
            if *gap_ms > MAX_DELAY_MS {
                return Err(("fault.slow.gapMs", "must be at most 600000"));
            }
            Ok(())
        }
        Fault::Silence {
            after_tokens: Some(_),
            after_head: true,
        } => Err(("fault.silence.afterHead", "does not go with afterTokens")),
        Fault::HugeLine { bytes, .. } if !(1024..=MAX_LINE_BYTES).contains(bytes) => {
            Err(("fault.hugeLine.bytes", "must be between 1024 and 67108864"))
        }
        Fault::WrongContentType { content_type } if !is_sendable(content_type) => Err((
            "fault.wrongContentType.contentType",
            "must be at most 128 bytes that a header can carry",
        )),
        _ => Ok(()),
    }
}

/// A fault that the replies in question cannot have would never be seen.
fn expressible(rule: &FaultRule) -> Result<(), Refused> {
    if rule.fault.is_of_connections() {
        return of_connections(rule);
    }
    let dialects = match rule.dialect {
        Some(dialect) => vec![dialect],
        None => Dialect::ALL.to_vec(),
    };
    let kinds = match rule.streamed {
        Some(streamed) => vec![streamed],
        None => vec![false, true],
    };
    let possible = dialects.iter().any(|dialect| {
        let mut kinds = kinds.iter();
        kinds.any(|streamed| rule.fault.can_happen_to(*dialect, *streamed))
    });
    if possible {
        return Ok(());
    }
    match rule.fault {
        Fault::WrongCrc { .. } => Err((
            "fault.wrongCrc",
            "only Bedrock's streams have checksums: use the dialect bedrock, streamed",
        )),
        _ => Err((
            "fault.cut.within",
            "this reply has nothing around its JSON: use json, or a stream of another dialect",
        )),
    }
}

fn of_connections(rule: &FaultRule) -> Result<(), Refused> {
    let asked = [
        ("dialect", rule.dialect.is_some()),
        ("model", rule.model.is_some()),
        ("streamed", rule.streamed.is_some()),
        ("header", rule.header.is_some()),
    ];
    if let Some((name, _)) = asked.into_iter().find(|(_, is_asked)| *is_asked) {
        return Err((
            name,
            "nothing of a request is known when a connection is made",
        ));
    }
    if rule.fault
        == (Fault::Reset {
            at: ResetAt::Accept,
        })
    {
        return Ok(());
    }
    let counted = [
        ("nth", rule.nth.is_some()),
        ("probability", rule.probability.is_some()),
        ("times", rule.times.is_some()),
    ];
    if let Some((name, _)) = counted.into_iter().find(|(_, is_asked)| *is_asked) {
        return Err((
            name,
            "the kernel refuses connections without telling of them",
        ));
    }
    Ok(())
}

/// Adds up how long connections are refused.
fn ends_soon(rule: &FaultRule, refused_ms: &mut u64) -> Result<(), Refused> {
    if rule.fault != (Fault::Refused {}) {
        return Ok(());
    }
    let window = rule.window.unwrap_or_default();
    let lasts = window.to_ms.map(|end| end.saturating_sub(window.from_ms));
    *refused_ms = refused_ms.saturating_add(lasts.unwrap_or(u64::MAX));
    if *refused_ms <= MAX_REFUSED_MS {
        return Ok(());
    }
    let reason = "all refusals together may last 600000 ms: the controls are not reachable either";
    Err(("window.toMs", reason))
}

fn is_sendable(text: &str) -> bool {
    text.len() <= MAX_HEADER_VALUE && http::HeaderValue::try_from(text).is_ok()
}
