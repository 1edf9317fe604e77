//! What came of a search, in a sentence.

use super::{CapacitySearch, End, Trial};
use crate::notation::number;

impl CapacitySearch {
    /// The highest rate, the runs that it took, and what broke first beyond it.
    pub(super) fn sentence(&self, rate: Option<f64>, beyond: Option<f64>, end: End) -> String {
        let found = match (rate, end) {
            (Some(rate), End::AtHighest) => {
                format!(
                    "{}/s is carried, the highest rate that was asked for",
                    number(rate)
                )
            }
            (Some(rate), _) => format!("{}/s is the highest confirmed rate", number(rate)),
            (None, End::BelowLowest) if self.trials.iter().any(Trial::broke) => {
                format!("Not even {}/s is carried", number(self.plan.lowest))
            }
            (None, End::BelowLowest) => {
                format!("No run at {}/s could be judged", number(self.plan.lowest))
            }
            (None, _) => "No rate was confirmed".to_owned(),
        };
        let runs = self.trials.len();
        let early = match end {
            End::OutOfTrials => ", all that there were",
            End::OutOfTime => ", all that there was time for",
            End::OutOfMoney => ", all that there was money for",
            End::Stopped => " until it was stopped",
            End::Found | End::AtHighest | End::BelowLowest => "",
        };
        let broke = beyond.map(|beyond| {
            let at = |trial: &&Trial| trial.rate.to_bits() == beyond.to_bits();
            let told = self
                .trials
                .iter()
                .filter(at)
                .find_map(|it| it.reasons.first());
            let why = told.map_or_else(String::new, |reason| format!(": {reason}"));
            format!(" At {}/s it broke{why}", number(beyond))
        });
        let broke = broke.map(|it| it.trim_end_matches('.').to_owned() + ".");
        format!(
            "{found}, by {runs} runs{early}.{}",
            broke.unwrap_or_default()
        )
    }
}
