//! Whether the samples that were folded are all that the generator counted.

use super::ValidityCheck;
use super::conditions::{failed, held, unknown};
use crate::notation::number;
use crate::verdict::{Counted, Evidence, Seen};

/// k6 ends with 0 also when an output lost what it was given; its own summary is counted before
/// any output.
pub(super) fn complete_samples(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "completeSamples";
    const LIMIT: &str = "as many as k6 counted";
    let all = match &evidence.counted {
        Seen::Value(all) => all,
        Seen::NotApplicable(why) => return held(NAME, (why.clone(), LIMIT.to_owned())),
        Seen::Unknown(why) => return unknown(NAME, LIMIT, why.clone(), ""),
    };
    let words = |one: &Counted| {
        let Counted {
            metric,
            reported,
            folded,
        } = one;
        format!("{} of {} {metric}", number(*folded), number(*reported))
    };
    let value: Vec<String> = all.iter().map(words).collect();
    let seen = (value.join(", "), LIMIT.to_owned());
    let Some(one) = all.iter().find(|one| !one.agrees()) else {
        return held(NAME, seen);
    };
    let sentence = format!(
        "The samples have {}: what k6 counted and what was measured are not the same.",
        words(one)
    );
    let advice = "Samples were lost or doubled on their way: make the run again.".to_owned();
    failed(NAME, seen, sentence, advice)
}
