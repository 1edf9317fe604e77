//! A judged limit in a sentence.

use super::Limit;
use super::judge::Judged;
use crate::notation::{counted, number};
use crate::objective::Better;
use crate::verdict::Level;

pub(super) fn sentence(
    limit: &Limit,
    judged: &Judged,
    between: Option<(i64, i64)>,
    unassigned: u64,
) -> String {
    let name = limit.name();
    let Some(observed) = judged.observed else {
        return format!("{name} had no sample to be judged by.");
    };
    let value = limit.unit.write(observed);
    let target = limit.unit.write(limit.target);
    let when = between.map_or_else(String::new, |(from, to)| {
        format!(", between {} and {}", clock(from), clock(to))
    });
    let extreme = match limit.better {
        Better::Lower => "largest",
        Better::Higher => "smallest",
    };
    match judged.level {
        Level::Pass if judged.extreme => {
            let of = match judged.samples {
                0 => "sample".to_owned(),
                samples => format!("of {}", counted(samples, "sample")),
            };
            format!("{name} held: the {extreme} {of} is {value}, the target is {target}.")
        }
        Level::Pass => format!("{name} held: {value}, the target is {target}."),
        Level::Inconclusive if unassigned > 0 => {
            let unassigned = counted(unassigned, "sample");
            format!(
                "{name} was {value} in what is known to belong to it; {unassigned} of too many \
                 tag sets may belong to it as well."
            )
        }
        Level::Inconclusive => {
            let samples = counted(judged.samples, "sample");
            format!(
                "{name} cannot be told from {samples}{when}: the {extreme} is {value}, \
                 the target {target}."
            )
        }
        Level::Warning if limit.keeps_to(limit.warning, observed) => {
            let bound = limit.unit.write(limit.warning);
            format!("{name} was {value}, beyond its target of {target} and within {bound}{when}.")
        }
        Level::Warning | Level::Fail | Level::Critical | Level::Invalid => {
            let bound = limit.unit.write(limit.warning);
            format!(
                "{name} was {value}, the limit is {bound}{}{when}.",
                beyond(limit, observed)
            )
        }
    }
}

/// ` (over by 62.0 ms, 31 %)`
fn beyond(limit: &Limit, observed: f64) -> String {
    let by = (observed - limit.warning).abs();
    let word = match limit.better {
        Better::Lower => "over",
        Better::Higher => "under",
    };
    let share = if limit.warning > 0.0 {
        format!(", {} %", number(by / limit.warning * 100.0))
    } else {
        String::new()
    };
    format!(" ({word} by {}{share})", limit.unit.write(by))
}

/// Minutes and seconds since the load began.
fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}
