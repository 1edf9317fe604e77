//! Who pays what of an answer that several asked for.

use instrumentation::catalogue;
use money::PicoUsd;

use crate::ChatResponse;

/// One caller's part of an answer's cost.
///
/// The cost is divided by the callers who were there at the end of the answer, to the pico-dollar.
/// The remainder goes, a pico-dollar each, to those of them who came first, so the parts add up to
/// the cost exactly. Who left before the end pays nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostShare {
    /// Among how many the cost was divided.
    pub callers: usize,
    /// This caller's part; `None` when the model has no known price.
    pub cost: Option<PicoUsd>,
}

impl CostShare {
    /// The part of the caller with `number`, of those `present`; `None` when it was not there.
    pub(super) fn of(response: &ChatResponse, present: &[u64], number: u64) -> Option<Self> {
        let place = present.iter().position(|caller| *caller == number)?;
        let total = response.cost.as_ref().map(|cost| cost.total);
        Some(Self {
            callers: present.len(),
            cost: total.map(|total| part(total, present.len(), place)),
        })
    }
}

fn part(total: PicoUsd, callers: usize, place: usize) -> PicoUsd {
    // At least one, and far fewer than an i64 can count.
    let divisor = i64::try_from(callers).unwrap_or(i64::MAX).max(1);
    let remainder = usize::try_from(total.get() % divisor).unwrap_or(0);
    PicoUsd::new(total.get() / divisor + i64::from(place < remainder))
}

/// Counts what the callers would have paid beyond the one answer: its cost for each but one.
pub(super) fn count_saved(response: &ChatResponse, callers: usize) {
    let others = u64::try_from(callers.saturating_sub(1)).unwrap_or(0);
    let cost = response.cost.as_ref().map(|cost| cost.total.get());
    let Some(cost) = cost.and_then(|cost| u64::try_from(cost).ok()) else {
        return;
    };
    if others > 0 {
        let simulated = if response.simulated { "true" } else { "false" };
        catalogue::GEN_AI_SAVED_COST
            .counter(&[("reason", "coalesced"), ("simulated", simulated)])
            .increment(cost.saturating_mul(others));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_comers_take_the_remainder() {
        let parts: Vec<i64> = (0..3).map(|n| part(PicoUsd::new(11), 3, n).get()).collect();
        assert_eq!(parts, [4, 4, 3]);
        assert_eq!(part(PicoUsd::new(2), 3, 2).get(), 0);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_differ_by_one_at_most(total in 0_i64..i64::MAX, callers in 1_usize..300) {
            let parts: Vec<i64> = (0..callers)
                .map(|place| part(PicoUsd::new(total), callers, place).get())
                .collect();
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            prop_assert!(parts[0] - parts[callers - 1] <= 1);
            prop_assert!(parts.is_sorted_by(|a, b| a >= b));
        }
    }
}
