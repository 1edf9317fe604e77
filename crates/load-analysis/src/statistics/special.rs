//! Functions that have no closed form: Γ, the incomplete beta function, Student's t.

use crate::number::from_count;

/// Where Stirling's series is exact to the last digits of a float.
const STIRLING_FROM: f64 = 12.0;

/// Steps of the continued fraction; it settles within a few dozen for the degrees of freedom of
/// real groups.
const MAX_STEPS: u32 = 500;

/// Keeps Lentz's quotients off zero.
const TINY: f64 = 1e-300;

/// ln Γ(x) for x > 0: Stirling's series, NIST Digital Library of Mathematical Functions (DLMF)
/// 5.11.1, after Γ(x + 1) = x·Γ(x) has led far enough up.
pub(super) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < STIRLING_FROM {
        below += x.ln();
        x += 1.0;
    }
    let square = (x * x).recip();
    // B(2k) / (2k(2k − 1)) of the Bernoulli numbers, highest first.
    let series = [
        -691.0 / 360_360.0,
        1.0 / 1_188.0,
        -1.0 / 1_680.0,
        1.0 / 1_260.0,
        -1.0 / 360.0,
        1.0 / 12.0,
    ];
    let tail = series
        .iter()
        .fold(0.0, |sum: f64, term| sum.mul_add(square, *term))
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail - below
}

/// ln of n over k.
pub(super) fn ln_binomial(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| ln_gamma(from_count(n) + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// The probability that Student's t with so many degrees of freedom is beyond ±`t`, both sides:
/// I(ν/(ν + t²); ν/2, 1/2), DLMF 8.17.2.
pub(super) fn student_two_sided(t: f64, degrees: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let x = degrees / t.mul_add(t, degrees);
    incomplete_beta(x, degrees / 2.0, 0.5)
}

/// The t beyond which ± lies the probability `p`, for 0 < p < 1, by bisection.
pub(crate) fn student_quantile(p: f64, degrees: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_two_sided(high, degrees) > p {
        (low, high) = (high, high * 2.0);
    }
    // Each step gives one more binary digit of 53.
    for _ in 0..60 {
        let middle: f64 = low.midpoint(high);
        if student_two_sided(middle, degrees) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.midpoint(high)
}

/// The regularized incomplete beta function by its continued fraction, DLMF 8.17.22, evaluated
/// as Lentz does (Thompson & Barnett, J. Comput. Phys. 64 (1986) 490). Beyond the mean the
/// fraction settles quicker for the other tail, DLMF 8.17.4.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let ln_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp() / a;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = away(1.0 - (a + b) * x / (a + 1.0)).recip();
    let mut fraction = d;
    for step in 1..=MAX_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for numerator in [even, odd] {
            d = away(numerator.mul_add(d, 1.0)).recip();
            c = away(1.0 + numerator / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() <= f64::EPSILON * fraction.abs() {
            break;
        }
    }
    front * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(ours: f64, theirs: f64) {
        let off = (ours - theirs).abs();
        assert!(
            off <= 1e-12 * theirs.abs().max(1.0),
            "{ours} is not {theirs}"
        );
    }

    /// `scipy.special.gammaln`.
    #[test]
    fn logarithms_of_gamma() {
        for (x, expected) in [
            (0.1, 2.252_712_651_734_206),
            (0.5, 0.572_364_942_924_7),
            (1.0, 0.0),
            (3.7, 1.428_072_326_665_388),
            (12.5, 18.734_347_511_936_45),
            (1_000.0, 5_905.220_423_209_181),
            (70_000.0, 710_932.877_286_667_8),
        ] {
            near(ln_gamma(x), expected);
        }
        near(ln_binomial(52, 5), 2_598_960_f64.ln());
    }

    /// `2 * scipy.stats.t.sf(t, df)`.
    #[test]
    fn tails_of_student() {
        for (t, degrees, expected) in [
            (0.5, 1.0, 0.704_832_764_699_133_5),
            (
                1.860_813_467_486_852_6,
                17.776_473_516_178_488,
                0.079_394_140_187_358_3,
            ),
            (2.5, 3.3, 0.080_052_836_308_354_47),
            (6.0, 10.0, 0.000_132_108_860_354_785_57),
            (2.0, 58.0, 0.050_190_468_041_448_34),
            (12.0, 4.5, 0.000_137_831_976_532_730_45),
        ] {
            near(student_two_sided(t, degrees), expected);
        }
        near(student_two_sided(f64::INFINITY, 3.0), 0.0);
        near(student_two_sided(0.0, 3.0), 1.0);
    }

    /// `scipy.stats.t.isf(p / 2, df)`.
    #[test]
    fn quantiles_of_student() {
        for (p, degrees, expected) in [
            (0.05, 1.0, 12.706_204_736_174_705),
            (0.05, 9.0, 2.262_157_162_798_205_3),
            (0.05, 19.0, 2.093_024_054_408_31),
            (0.01, 4.2, 4.457_770_305_318_88),
            (0.05, 10_000.0, 1.960_201_239_890_626_3),
        ] {
            let off = (student_quantile(p, degrees) - expected).abs() / expected;
            assert!(off < 1e-11, "{p} {degrees}: {off}");
        }
    }
}
