//! What is known of a search: its runs, what they cost, how it ended.

use load_analysis::capacity::{Capacity, CapacitySearch, End, Purpose, Trial};
use load_analysis::results::Results;
use load_analysis::verdict::Level;
use performance_store::{Run, SearchRecord};
use serde::{Deserialize, Serialize};

use super::request::Wanted;

/// Reasons of a verdict that are kept as evidence; the page of the run has all.
const MAX_REASONS: usize = 3;

/// All that is known, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    pub(crate) search: CapacitySearch,
    /// More of each trial, in the same order.
    pub(crate) probes: Vec<Probe>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Capacity>,
    /// Why it could not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What a trial was for and what it cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Probe {
    /// The run's number.
    pub(crate) number: u64,
    pub(crate) purpose: Purpose,
    /// Pico-dollars of real and of simulated money.
    pub(crate) costs: [u64; 2],
}

impl Document {
    /// Of a search that begins.
    pub(crate) const fn new(wanted: &Wanted) -> Self {
        Self {
            search: CapacitySearch::new(wanted.plan),
            probes: Vec::new(),
            result: None,
            error: None,
        }
    }

    /// # Errors
    /// It cannot be read any more, with the reason.
    pub(crate) fn of(search: &SearchRecord) -> Result<Self, String> {
        serde_json::from_str(&search.document)
            .map_err(|error| format!("what is known of the search cannot be read: {error}"))
    }

    /// As it is stored.
    pub(crate) fn json(&self) -> String {
        // A struct of texts and numbers always is JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes the end of the run that was tried.
    pub(crate) fn record(&mut self, run: &Run, rate: f64, purpose: Purpose, results: Option<&str>) {
        let verdict = run.verdict.as_ref();
        let reasons = match verdict {
            Some(verdict) => verdict.reasons.iter().take(MAX_REASONS).cloned().collect(),
            None => run.error.iter().cloned().collect(),
        };
        let trial = Trial {
            run: run.id.to_string(),
            rate,
            level: verdict.map_or(Level::Invalid, |verdict| verdict.level),
            reasons,
        };
        if self.search.record(trial) {
            self.probes.push(Probe {
                number: run.number,
                purpose,
                costs: results.map(costs).unwrap_or_default(),
            });
        }
    }

    /// What all runs cost: pico-dollars of real and of simulated money.
    pub(crate) fn spent(&self) -> [u64; 2] {
        [0, 1].map(|kind| {
            let costs = self.probes.iter().map(|probe| probe.costs[kind]);
            costs.fold(0, u64::saturating_add)
        })
    }

    /// The search ends before its own end.
    pub(crate) fn end(&mut self, end: End) {
        self.result = Some(self.search.ended(end));
    }
}

fn costs(results: &str) -> [u64; 2] {
    let Ok(results) = serde_json::from_str::<Results>(results) else {
        return [0; 2];
    };
    let spent = results.spent();
    [spent.real, spent.simulated]
        .map(|amount| u64::try_from(amount.cost.pico()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use load_analysis::capacity::Plan;
    use load_analysis::dollars::Dollars;
    use load_analysis::spend::{Amount, ModelSpend, Spend};

    use super::*;

    /// Its script counts nothing.
    #[test]
    fn what_the_ledger_says_counts() {
        let amount = Amount {
            cost: Dollars::of_pico(7),
            ..Amount::default()
        };
        let results = Results {
            spend: Some(Spend::of_models(vec![ModelSpend {
                model: "sonnet".to_owned(),
                simulated: true,
                amount,
            }])),
            ..Results::default()
        };
        let json = serde_json::to_string(&results).unwrap();
        assert_eq!(costs(&json), [0, 7]);
    }

    #[test]
    fn sums_of_absurd_costs_end_at_their_bound() {
        let probe = Probe {
            number: 1,
            purpose: Purpose::Probe,
            costs: [u64::MAX, 1],
        };
        let document = Document {
            search: CapacitySearch::new(Plan::new((1.0, 2.0), 0.1, 1, 10).unwrap()),
            probes: vec![probe.clone(), probe],
            result: None,
            error: None,
        };
        assert_eq!(document.spent(), [u64::MAX, 2]);
    }
}
