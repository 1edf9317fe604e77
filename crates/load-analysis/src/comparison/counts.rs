//! Shares of failures: counts of all runs of a side together.
//!
//! The formulae take each request as a trial of its own. Failures that come in bursts are fewer
//! independent events than they count, so that a difference of one burst may look certain.

use super::{Basis, Count, Finding, Interval, MAX_RUNS, Method, Side, Test};
use crate::number::{from_count, from_size};
use crate::statistics::{fisher_exact, newcombe_difference, wilson};

pub(super) fn find(reference: &[Count], candidate: &[Count]) -> Finding {
    let (first, second) = (sum(reference), sum(candidate));
    let (from, to) = (side(reference, first), side(candidate, second));
    let (low, high) = newcombe_difference(first, second);
    let difference = to.centre - from.centre;
    let pooled = share((first.0 + second.0, first.1 + second.1));
    let runs = reference.len().min(MAX_RUNS) + candidate.len().min(MAX_RUNS);
    Finding {
        method: Method::FisherExact,
        reference: from,
        candidate: to,
        difference,
        effect: difference,
        interval: Some(Interval { low, high }),
        noise: None,
        basis: if first.1.min(second.1) == 0 {
            Basis::Nothing
        } else {
            Basis::Test(Test {
                p: fisher_exact(first, second),
                // No failure in a million on either side reaches no p below 1, and is the same
                // all the same: what cannot be told shows in the interval.
                smallest_p: 0.0,
                variance: pooled * (1.0 - pooled),
                per_run: from_count(first.1 + second.1) / from_size(runs),
            })
        },
    }
}

fn side(counts: &[Count], sum: (u64, u64)) -> Side {
    let (low, high) = wilson(sum.0, sum.1);
    Side {
        runs: counts.len().min(MAX_RUNS),
        centre: share(sum),
        interval: Some(Interval { low, high }),
    }
}

/// Hits and all, of the latest runs.
fn sum(counts: &[Count]) -> (u64, u64) {
    let latest = &counts[counts.len().saturating_sub(MAX_RUNS)..];
    latest.iter().fold((0, 0), |(hits, of), count| {
        (hits + count.hits.min(count.of), of + count.of)
    })
}

fn share((hits, of): (u64, u64)) -> f64 {
    if of == 0 {
        return 0.0;
    }
    from_count(hits) / from_count(of)
}
