//! What runs may spend on model calls.

use load_analysis::dollars::Dollars;
use load_analysis::spend::Cap;
use service_defaults::environment::Environment;
use service_defaults::problem::Problem;

use crate::runs::request::{StartBody, Word};

/// The settings of money.
#[derive(Debug, Clone, Copy)]
pub struct MoneyLimits {
    /// Real dollars of a run that asks for no cap of its own.
    pub run: Dollars,
    /// Real dollars that a run may be expected to spend without somebody's confirmation.
    pub confirm: Dollars,
    /// What happens to a run whose spend nobody can tell.
    pub unknown: UnknownSpend,
}

/// What happens to a run with a cap of its own, or with real dollars spent, while its target's
/// ledger does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownSpend {
    /// It is stopped: nobody spends blindly.
    Stop,
    /// It goes on, and what the load script counts is all that is known.
    Continue,
}

/// What a run may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunBudget {
    pub(crate) cap: Cap,
    /// Whether the request named it.
    pub(crate) asked: bool,
    pub(crate) unknown: UnknownSpend,
}

impl MoneyLimits {
    /// Reads the settings. By default a mistake costs as much as a lunch.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let unknown = environment.choice(
            "PERFORMANCE_UNKNOWN_SPEND",
            "stop",
            &["stop", "continue"],
            "A run with a cap of its own, or with real dollars spent, whose spend nobody can tell",
        );
        Self {
            run: environment.parsed(
                "PERFORMANCE_RUN_MAX_USD",
                "10",
                "Real dollars after which a run is stopped, unless it asks for another cap",
            ),
            confirm: environment.parsed(
                "PERFORMANCE_CONFIRM_USD",
                "1",
                "Real dollars that a run may be forecast to spend without a confirmation",
            ),
            unknown: match unknown {
                "continue" => UnknownSpend::Continue,
                _ => UnknownSpend::Stop,
            },
        }
    }

    /// The budget of a request. A cap that is asked for holds for either kind of dollars by
    /// itself; the usual one holds for real dollars, since simulated ones cost nothing.
    ///
    /// # Errors
    /// 400 for a cap that is no amount of money, or none.
    pub(crate) fn budget(&self, body: &StartBody) -> Result<RunBudget, Problem> {
        let asked = dollars("maxDollars", body.max_dollars.as_ref())?;
        if asked.is_some_and(Dollars::is_zero) {
            return Err(Problem::invalid_field("maxDollars", "must be above 0"));
        }
        Ok(RunBudget {
            cap: Cap {
                real: Some(asked.unwrap_or(self.run)),
                simulated: asked,
            },
            asked: asked.is_some(),
            unknown: self.unknown,
        })
    }
}

impl Default for MoneyLimits {
    fn default() -> Self {
        Self::read(&mut Environment::of_pairs([]))
    }
}

impl RunBudget {
    /// That of a run which is over: it spends nothing any more.
    pub(crate) const fn none() -> Self {
        Self {
            cap: Cap {
                real: None,
                simulated: None,
            },
            asked: false,
            unknown: UnknownSpend::Continue,
        }
    }

    /// The same with no more real dollars than these.
    pub(crate) fn within(self, left: Dollars) -> Self {
        let real = self.cap.real.map_or(left, |cap| cap.min(left));
        Self {
            cap: Cap {
                real: Some(real),
                ..self.cap
            },
            ..self
        }
    }
}

/// Reads an amount of money of a request.
///
/// # Errors
/// 400 names the field.
pub(crate) fn dollars(field: &str, text: Option<&Word>) -> Result<Option<Dollars>, Problem> {
    let read = |Word(text): &Word| {
        let amount: Result<Dollars, _> = text.parse();
        amount.map_err(|error| Problem::invalid_field(field, error.to_string()))
    };
    text.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(max_dollars: &str) -> StartBody {
        StartBody {
            max_dollars: Some(Word(max_dollars.to_owned())),
            ..StartBody::default()
        }
    }

    #[test]
    fn a_cap_that_is_asked_for_holds_for_either_kind_of_dollars() {
        let limits = MoneyLimits::default();
        let usual = limits.budget(&StartBody::default()).unwrap();
        assert_eq!(usual.cap.real, Some("10".parse().unwrap()));
        assert_eq!(usual.cap.simulated, None);
        let asked = limits.budget(&body("0.25")).unwrap();
        let quarter = Some("0.25".parse().unwrap());
        assert_eq!((asked.cap.real, asked.cap.simulated), (quarter, quarter));
        let left = asked.within(Dollars::ZERO);
        assert_eq!(
            (left.cap.real, left.cap.simulated),
            (Some(Dollars::ZERO), quarter)
        );
    }

    #[test]
    fn what_is_no_money_is_refused() {
        for text in ["0", "-1", "much", "1e99", "0.0000000000001"] {
            let refused = MoneyLimits::default().budget(&body(text)).unwrap_err();
            assert_eq!(refused.status().as_u16(), 400, "{text}");
            assert!(
                refused.detail().starts_with("maxDollars"),
                "{}",
                refused.detail()
            );
        }
    }
}
