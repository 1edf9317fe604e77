//! What a run cost and how far it is from its baseline, in the few words that a list has room for.

use load_analysis::comparison::Direction;
use load_analysis::spend::Spend;

use super::interval_bar::percent;
use crate::runs::standing::{Against, Standing};

/// A difference to the baseline.
pub(crate) struct Difference {
    /// Whose symbol it has; none for what is no difference.
    pub(crate) level: Option<&'static str>,
    /// `slower`, or `same`.
    pub(crate) word: &'static str,
    /// `+18.2 % [+11.2 %, +26.0 %]`; empty for a run of the baseline.
    pub(crate) figures: String,
    /// All of it in a sentence.
    pub(crate) sentence: String,
}

/// The difference, where there is a baseline.
pub(crate) fn difference(standing: &Standing) -> Option<Difference> {
    let compared = match standing.against.as_ref()? {
        Against::PartOfIt => {
            return Some(Difference {
                level: None,
                word: "part of it",
                figures: String::new(),
                sentence: "The run is one of the baseline's.".to_owned(),
            });
        }
        Against::Compared(compared) => compared,
    };
    // A sign of percent stays on the line of its figure.
    let percent = |share: f64| percent(share).replace(' ', "\u{a0}");
    let interval = compared.interval.map(|interval| {
        let (low, high) = (percent(interval.low), percent(interval.high));
        format!(" [{low}, {high}]")
    });
    let (level, word) = match compared.direction {
        Direction::Worse => (Some("WARNING"), "slower"),
        Direction::Better => (Some("PASS"), "faster"),
        Direction::Changed => (None, "other"),
        Direction::Same => (None, "same"),
        Direction::Inconclusive => (Some("INCONCLUSIVE"), "cannot tell"),
    };
    Some(Difference {
        level,
        word,
        figures: percent(compared.effect) + &interval.unwrap_or_default(),
        sentence: compared.sentence.clone(),
    })
}

/// `$1.8700`, `sim $2.9310` or both, never in one sum; `–` without a call of a model.
pub(crate) fn cost(standing: &Standing) -> String {
    let cost = standing.cost.as_ref().map(Spend::in_words);
    cost.unwrap_or_else(|| "–".to_owned())
}
