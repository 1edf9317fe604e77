//! The rules that hold between the lines of a price list.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Price,
    file::{Placed, PriceError},
};
use crate::ProviderName;

/// What prices are told apart by, the context tier left out.
type Series<'a> = (ProviderName, &'a str, &'a str, &'a str);

/// At any time at most one line of each region, service and context tier holds, without a hole
/// between the first and the last, and no context tier holds without its base.
pub(super) fn check(lines: &[Placed]) -> Result<(), PriceError> {
    let mut series: BTreeMap<Series<'_>, BTreeMap<u64, Vec<&Placed>>> = BTreeMap::new();
    for line in lines {
        let Price {
            provider,
            model,
            region_class,
            service_tier,
            context_over,
            ..
        } = &line.price;
        let tiers = series
            .entry((*provider, model, region_class, service_tier))
            .or_default();
        tiers.entry(*context_over).or_default().push(line);
    }
    for tiers in series.values_mut() {
        for periods in tiers.values_mut() {
            periods.sort_by_key(|line| line.price.effective_from);
            for pair in periods.windows(2) {
                check_neighbours(pair[0], pair[1])?;
            }
        }
        check_tiers(tiers)?;
    }
    Ok(())
}

fn check_neighbours(earlier: &Placed, later: &Placed) -> Result<(), PriceError> {
    let other = &earlier.place;
    match (earlier.price.effective_to, later.price.effective_from) {
        (Some(end), Some(begin)) if end == begin => Ok(()),
        (Some(end), Some(begin)) if end < begin => Err(invalid(
            later,
            format!("no price from {end} to {begin}; see {other}"),
        )),
        (_, begin) => {
            let begin = begin.map_or("the beginning".to_owned(), |begin| begin.to_string());
            Err(invalid(
                later,
                format!("two prices hold from {begin} on; see {other}"),
            ))
        }
    }
}

/// `tiers` have their periods in order and are without holes.
fn check_tiers(tiers: &BTreeMap<u64, Vec<&Placed>>) -> Result<(), PriceError> {
    let base = tiers.get(&0).map(|periods| span(periods));
    for (context_over, periods) in tiers {
        let Some(first) = periods.first() else {
            continue;
        };
        let Some((base_begins, base_ends)) = base else {
            let reason = format!("the tier above {context_over} tokens has no base");
            return Err(invalid(first, reason));
        };
        let (begins, ends) = span(periods);
        let reason = if begins < base_begins {
            format!("the tier above {context_over} tokens begins before its base")
        } else if ends > base_ends {
            format!("the tier above {context_over} tokens ends after its base")
        } else {
            continue;
        };
        return Err(invalid(first, reason));
    }
    Ok(())
}

/// From the first beginning to the last end.
fn span(periods: &[&Placed]) -> (Timestamp, Timestamp) {
    let begins = periods.first().and_then(|line| line.price.effective_from);
    let ends = periods.last().and_then(|line| line.price.effective_to);
    (
        begins.unwrap_or(Timestamp::MIN),
        ends.unwrap_or(Timestamp::MAX),
    )
}

fn invalid(line: &Placed, reason: String) -> PriceError {
    PriceError::Invalid {
        place: line.place.clone(),
        model: line.price.model.clone(),
        reason,
    }
}
