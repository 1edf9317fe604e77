//! Shares of counts: intervals and an exact test.

use super::NORMAL_95;
use super::special::ln_binomial;
use crate::number::from_count;

/// Probabilities this much larger than the observed one count as equal, as in R's
/// `fisher.test`: they are the same number, computed another way.
const EQUAL: f64 = 1.0 + 1e-7;

/// Wilson's interval of 95 % for a share (J. Amer. Statist. Assoc. 22 (1927) 209), without
/// continuity correction. Everything from 0 to 1 when nothing was counted.
pub(crate) fn wilson(hits: u64, of: u64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, z2) = (from_count(of), NORMAL_95 * NORMAL_95);
    let share = from_count(hits) / n;
    let centre = share + z2 / (2.0 * n);
    let reach = NORMAL_95 * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (
        ((centre - reach) / scale).max(0.0),
        ((centre + reach) / scale).min(1.0),
    )
}

/// The interval of 95 % for the second share minus the first, made of both Wilson intervals:
/// Newcombe, Statist. Med. 17 (1998) 873, method 10.
pub(crate) fn newcombe_difference(first: (u64, u64), second: (u64, u64)) -> (f64, f64) {
    if first.1 == 0 || second.1 == 0 {
        return (-1.0, 1.0);
    }
    let share = |(hits, of): (u64, u64)| from_count(hits) / from_count(of);
    let (a, b) = (share(first), share(second));
    let (a_low, a_high) = wilson(first.0, first.1);
    let (b_low, b_high) = wilson(second.0, second.1);
    let difference = b - a;
    (
        difference - (b - b_low).hypot(a_high - a),
        difference + (b_high - b).hypot(a - a_low),
    )
}

/// Fisher's exact test of two shares, two-sided: the probability of all tables with the same
/// sums that are at most as probable as this one (R's `fisher.test`). 1 when nothing was counted.
///
/// Millions of requests have millions of tables. Those to be summed are found by halving, since
/// tables get less probable on both ways from the most probable one, and are summed outwards
/// until they add nothing.
pub(crate) fn fisher_exact(first: (u64, u64), second: (u64, u64)) -> f64 {
    let table = Table::new(first, second);
    let observed = table.probability(second.0) * EQUAL;
    let (least, most) = (*table.range().start(), *table.range().end());
    let mode = table.most_probable();
    let rare = |hits: u64| table.probability(hits) <= observed;
    let below = halved((least, mode + 1), rare);
    let above = halved((mode + 1, most + 1), |hits| !rare(hits));
    let sum = table.sum_until_nothing((least..below).rev()) + table.sum_until_nothing(above..=most);
    sum.min(1.0)
}

/// The first of a range for which `holds` turns false; its end when it never does.
fn halved((mut begin, mut end): (u64, u64), holds: impl Fn(u64) -> bool) -> u64 {
    while begin < end {
        let middle = begin + (end - begin) / 2;
        if holds(middle) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    begin
}

/// The sums of a table of two groups by hit or miss.
struct Table {
    first: u64,
    second: u64,
    hits: u64,
    ln_all: f64,
}

impl Table {
    fn new(first: (u64, u64), second: (u64, u64)) -> Self {
        let hits = first.0 + second.0;
        Self {
            first: first.1,
            second: second.1,
            hits,
            ln_all: ln_binomial(first.1 + second.1, hits),
        }
    }

    /// The hits that the second group can have.
    fn range(&self) -> std::ops::RangeInclusive<u64> {
        self.hits.saturating_sub(self.first)..=self.hits.min(self.second)
    }

    /// The mode of the hypergeometric distribution.
    fn most_probable(&self) -> u64 {
        let wide = |number: u64| u128::from(number);
        let all = wide(self.first) + wide(self.second) + 2;
        let mode = (wide(self.hits) + 1) * (wide(self.second) + 1) / all;
        let mode = u64::try_from(mode).unwrap_or(u64::MAX);
        mode.clamp(*self.range().start(), *self.range().end())
    }

    /// The probability of ever less probable tables, until one adds nothing to those before it.
    fn sum_until_nothing(&self, tables: impl Iterator<Item = u64>) -> f64 {
        let mut sum = 0.0;
        for hits in tables {
            let before = sum;
            sum += self.probability(hits);
            if sum <= before {
                break;
            }
        }
        sum
    }

    /// Hypergeometric: the probability that so many of the hits are in the second group.
    fn probability(&self, hits: u64) -> f64 {
        let ways = ln_binomial(self.second, hits) + ln_binomial(self.first, self.hits - hits);
        (ways - self.ln_all).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(ours: (f64, f64), theirs: (f64, f64), error: f64) {
        let off = (ours.0 - theirs.0).abs().max((ours.1 - theirs.1).abs());
        assert!(off < error, "{ours:?} is not {theirs:?}");
    }

    /// Newcombe, Statist. Med. 17 (1998) 857, table I, method 3: 15 of 148 gives 0.0624 to
    /// 0.1605 and 0 of 20 gives 0 to 0.1611. Digits by
    /// `scipy.stats.binomtest(15, 148).proportion_ci(method="wilson")`.
    #[test]
    fn wilson_as_published() {
        near(
            wilson(15, 148),
            (0.062_386_399_530_736_29, 0.160_487_241_723_308_03),
            1e-12,
        );
        near(wilson(0, 20), (0.0, 0.161_125_158_052_819_35), 1e-12);
        near(wilson(0, 0), (0.0, 1.0), 1e-15);
    }

    /// Newcombe, Statist. Med. 17 (1998) 873, table II, method 10: 56/70 − 48/80 lies between
    /// 0.0524 and 0.3339.
    #[test]
    fn a_difference_as_published() {
        near(
            newcombe_difference((48, 80), (56, 70)),
            (0.0524, 0.3339),
            5e-5,
        );
        near(newcombe_difference((0, 0), (1, 2)), (-1.0, 1.0), 1e-15);
    }

    /// Fisher's tea tasting and the convictions of twins are the examples of R's manual page of
    /// `fisher.test`: 0.4857 and 0.0005367. The large table is of `scipy.stats.fisher_exact`.
    #[test]
    fn fisher_as_in_r() {
        for (first, second, expected, error) in [
            ((3, 4), (1, 4), 0.485_714_285_714_285_65, 1e-9),
            ((2, 12), (15, 18), 0.000_536_724_119_143_435_7, 1e-9),
            (
                (112, 35_940),
                (160, 35_940),
                0.004_216_733_193_724_012,
                1e-7,
            ),
            ((0, 100), (0, 100), 1.0, 1e-12),
            ((0, 0), (0, 0), 1.0, 1e-12),
        ] {
            let p = fisher_exact(first, second);
            assert!((p - expected).abs() < error, "{first:?} {second:?}: {p}");
        }
    }

    /// The sum over all tables, as the definition has it.
    fn summed(first: (u64, u64), second: (u64, u64)) -> f64 {
        let table = Table::new(first, second);
        let observed = table.probability(second.0) * EQUAL;
        let each = table.range().map(|hits| table.probability(hits));
        each.filter(|p| *p <= observed).sum::<f64>().min(1.0)
    }

    #[test]
    fn halving_leaves_no_table_out() {
        for of in [(1, 1), (3, 8), (12, 12), (30, 7)] {
            for first in 0..=of.0 {
                for second in 0..=of.1 {
                    let (first, second) = ((first, of.0), (second, of.1));
                    let (ours, all) = (fisher_exact(first, second), summed(first, second));
                    assert!(
                        (ours - all).abs() < 1e-12,
                        "{first:?} {second:?}: {ours}, not {all}"
                    );
                }
            }
        }
    }

    /// Half of two times 150 million: the walk over all tables would take minutes.
    #[test]
    fn millions_of_hits_are_no_work() {
        let of = 150_000_000;
        let p = fisher_exact((of / 2, of), (of / 2 + 10_000, of));
        // The normal approximation: z = 10,000 / sqrt(of / 2) = 1.1547, p = 0.2482.
        assert!((p - 0.2482).abs() < 2e-4, "{p}");
    }
}
