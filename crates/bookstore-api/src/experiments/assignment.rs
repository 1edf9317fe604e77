//! Which variant somebody gets: the same at every request, without anything being kept.

use sha2::{Digest, Sha256};
use tenancy::TenantId;

use super::definition::{Experiment, Variant};

/// The variant of a unit, which is a book or a user. A hash spreads units evenly, and another
/// experiment's name spreads them anew, so that no group stays together.
pub(super) fn variant<'a>(
    experiment: &'a Experiment,
    tenant: &TenantId,
    unit: &str,
) -> Option<&'a Variant> {
    let mut hash = Sha256::new();
    // The name has no zero byte, so no two triples are one text.
    for part in [&experiment.name, tenant.as_str(), unit] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let first = digest.iter().take(8);
    let point = first.fold(0_u64, |point, byte| point << 8 | u64::from(*byte));
    let weights = experiment.variants.iter().map(|variant| variant.weight);
    let total: u64 = weights.map(u64::from).sum();
    // The point's place among 2^64, scaled to the weights.
    let mut place = (u128::from(point) * u128::from(total)) >> 64;
    experiment.variants.iter().find(|variant| {
        let weight = u128::from(variant.weight);
        let is_here = place < weight;
        place = place.saturating_sub(weight);
        is_here
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::experiments::definition::{Measure, StickyBy};

    fn experiment(name: &str) -> Experiment {
        let variant = |name: &str, weight| Variant {
            name: name.to_owned(),
            provider: "claude".to_owned(),
            model: "m".to_owned(),
            prompt: "p-1".to_owned(),
            weight,
        };
        Experiment {
            name: name.to_owned(),
            feature: "summary".to_owned(),
            sticky_by: StickyBy::User,
            decide_by: Measure::Checks,
            variants: vec![variant("a", 1), variant("b", 3), variant("c", 6)],
            started_at: 0,
            stopped_at: None,
        }
    }

    fn assigned(experiment: &Experiment, unit: u32) -> String {
        let tenant = TenantId::development();
        let variant = variant(experiment, &tenant, &unit.to_string());
        variant.unwrap().name.clone()
    }

    #[test]
    fn traffic_is_split_by_weight_and_sticks() {
        let tone = experiment("tone");
        let mut counts: HashMap<String, u32> = HashMap::new();
        for unit in 0..10_000 {
            let name = assigned(&tone, unit);
            assert_eq!(assigned(&tone, unit), name);
            *counts.entry(name).or_default() += 1;
        }
        // Four standard deviations of a binomial share: 120, 173, 196.
        for (name, expected, off) in [("a", 1_000, 120), ("b", 3_000, 184), ("c", 6_000, 196)] {
            assert!(counts[name].abs_diff(expected) < off, "{counts:?}");
        }
    }

    #[test]
    fn another_experiment_spreads_anew() {
        let (tone, length) = (experiment("tone"), experiment("length"));
        let same = (0..10_000).filter(|unit| assigned(&tone, *unit) == assigned(&length, *unit));
        // 0.1² + 0.3² + 0.6² of them by chance.
        assert!(same.count().abs_diff(4_600) < 200);
    }
}
