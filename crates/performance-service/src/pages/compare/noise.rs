//! Whether what was seen is noise, in sentences.

use load_analysis::comparison::{Comparison, Direction, Interval, Method};

use crate::presentation::interval_bar::percent;

/// Answers for the measure that decides, which is the first of those that were told: how much runs
/// of unchanged code differ, how much these do, and what chance has to do with it. `deciding` is
/// how many measures the probability was corrected for.
pub(super) fn sentences(comparison: &Comparison, deciding: usize) -> Vec<String> {
    if !comparison.effect.is_finite() {
        return vec![format!("{} cannot be compared.", comparison.name)];
    }
    let mut told = vec![usual(comparison), seen(comparison)];
    told.extend(chance(comparison, deciding));
    told.push(answer(comparison));
    told
}

fn usual(comparison: &Comparison) -> String {
    let runs = comparison.reference.runs;
    match comparison.noise {
        Some(noise) => format!(
            "Runs of the reference differ among themselves by ± {:.1} % (n = {runs}).",
            noise * 100.0
        ),
        None if comparison.method == Method::FisherExact => {
            "Failures are counted, and counts vary by chance as their number says.".to_owned()
        }
        None => "One run of the reference does not say how much runs of unchanged code differ \
                 (n = 1)."
            .to_owned(),
    }
}

fn seen(comparison: &Comparison) -> String {
    let (first, second) = (comparison.reference.runs, comparison.candidate.runs);
    let points = if comparison.method == Method::FisherExact {
        " points"
    } else {
        ""
    };
    let interval = match comparison.interval {
        Some(Interval { low, high }) => {
            format!(
                ", 95 % interval {} to {}{points}",
                percent(low),
                percent(high)
            )
        }
        None => ", without an interval".to_owned(),
    };
    let times = comparison
        .noise
        .filter(|noise| *noise > 0.0)
        .map(|noise| format!(", {:.1} times that", comparison.effect.abs() / noise));
    format!(
        "{} differs by {}{points}{}{interval}, in {first} v {second} runs.",
        comparison.name,
        percent(comparison.effect),
        times.unwrap_or_default()
    )
}

fn chance(comparison: &Comparison, deciding: usize) -> Option<String> {
    let p = comparison.corrected_p.or(comparison.p)?;
    let corrected = match comparison.corrected_p {
        Some(_) if deciding > 1 => format!(", corrected for {deciding} deciding measures"),
        _ => String::new(),
    };
    let p = p.min(1.0);
    let often = if p >= 0.5 {
        "more often than not".to_owned()
    } else {
        format!("about once in {:.0} times", 1.0 / p.max(1e-9))
    };
    let digits = if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {p:.3}")
    };
    Some(format!(
        "Chance alone would do as much {often} ({digits}{corrected})."
    ))
}

fn answer(comparison: &Comparison) -> String {
    let tested = comparison.p.is_some();
    match (comparison.direction, tested) {
        (Direction::Better | Direction::Worse | Direction::Changed, true) => {
            "No, this is not noise.".to_owned()
        }
        (Direction::Better | Direction::Worse | Direction::Changed, false) => {
            "It is far out of that noise; few runs make a test of it impossible.".to_owned()
        }
        (Direction::Same, _) => {
            "Yes: it is within that noise, and a difference that counts is ruled out.".to_owned()
        }
        (Direction::Inconclusive, _) => match comparison.runs_needed {
            Some(runs) => format!("Nobody can tell yet: {runs} runs on each side could."),
            None => "Nobody can tell: no affordable number of runs could.".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use load_analysis::comparison::{Subject, compare};
    use load_analysis::objective::{Better, Priority};
    use load_analysis::unit::Unit;

    use super::*;

    fn told(reference: &[f64], candidate: &[f64]) -> String {
        let subject = Subject::of_figures(
            ("p95", Unit::Milliseconds),
            Better::Lower,
            Priority::P0,
            (reference.to_vec(), candidate.to_vec()),
        );
        sentences(&compare(&[subject])[0], 1).join(" ")
    }

    const UNCHANGED: [f64; 6] = [200.0, 204.0, 196.0, 199.0, 203.0, 198.0];

    #[test]
    fn a_difference_of_many_runs_is_no_noise() {
        let slower = UNCHANGED.map(|value| value * 1.2);
        let told = told(&UNCHANGED, &slower);
        assert!(
            told.contains("(n = 6)") && told.contains("in 6 v 6 runs"),
            "{told}"
        );
        assert!(
            told.contains("95 % interval +1") && told.contains("about once in"),
            "{told}"
        );
        assert!(told.ends_with("No, this is not noise."), "{told}");
    }

    #[test]
    fn the_same_code_is_noise_and_two_runs_cannot_tell() {
        let other = [201.0, 203.0, 197.0, 198.0, 202.0, 200.0];
        let same = told(&UNCHANGED, &other);
        assert!(same.contains("Yes: it is within that noise"), "{same}");
        let two = told(&UNCHANGED[..1], &[240.0]);
        assert!(
            two.contains("(n = 1)") && two.contains("1 v 1 runs"),
            "{two}"
        );
        assert!(two.ends_with("4 runs on each side could."), "{two}");
    }
}
