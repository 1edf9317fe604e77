//! What runs cost, and what they were expected to, as the pages and reports show it.

use load_analysis::dollars::Dollars;
use load_analysis::forecast::{Forecast, ForecastLine, against, not_forecast};
use load_analysis::results::Results;
use load_analysis::spend::{Amount, Spend, SpendSource};

use super::numbers::whole;
use crate::runs::spend::{BudgetStopBody, SpendGroupBody};

/// A row of a table of spend.
pub(crate) struct SpendRow {
    pub(crate) name: String,
    pub(crate) runs: String,
    pub(crate) calls: String,
    pub(crate) unpriced: String,
    pub(crate) input: String,
    pub(crate) output: String,
    /// `$1.8700`, `sim $1.8700`, `≥ $1.8700` or `unpriced`.
    pub(crate) cost: String,
    /// To the last pico-dollar.
    pub(crate) exact: String,
}

/// A run that was stopped for its money.
pub(crate) struct StopRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) at: String,
    pub(crate) allowed: String,
    pub(crate) overshoot: String,
}

/// The money of one run.
pub(crate) struct MoneyPanel {
    /// Rows by model; the sums where nobody knows the models.
    pub(crate) rows: Vec<SpendRow>,
    /// Who counted, and the cap that was reached.
    pub(crate) sentence: String,
}

/// The money of a run with model calls.
pub(crate) fn panel(spend: &Spend) -> MoneyPanel {
    let counted = match spend.source {
        SpendSource::Ledger => "Counted by the target's ledger: every attempt, answered or not.",
        SpendSource::Samples => {
            "Counted by the load script, from the answers that it got; the target keeps no ledger \
             that could be asked."
        }
    };
    let reached = spend.reached.map(|reached| {
        let stopped = if reached.stopped {
            "It was stopped by its budget"
        } else {
            "It reached its budget"
        };
        format!(" {stopped}: {}.", reached.sentence())
    });
    MoneyPanel {
        rows: parts(spend)
            .into_iter()
            .map(|(name, simulated, amount)| row(name, String::new(), simulated, &amount))
            .collect(),
        sentence: format!("{counted}{}", reached.unwrap_or_default()),
    }
}

fn parts(spend: &Spend) -> Vec<(String, bool, Amount)> {
    if spend.models.is_empty() {
        let sums = [(false, spend.real), (true, spend.simulated)];
        let some = sums.into_iter().filter(|(_, amount)| !amount.is_nothing());
        return some
            .map(|(simulated, amount)| ("all models".to_owned(), simulated, amount))
            .collect();
    }
    let models = spend.models.iter();
    models
        .map(|part| (part.model.clone(), part.simulated, part.amount))
        .collect()
}

/// A row of the page of all runs.
pub(crate) fn spend_row(group: &SpendGroupBody) -> SpendRow {
    let name = match group.key.as_str() {
        "" => "not known".to_owned(),
        key => key.to_owned(),
    };
    row(name, whole(group.runs), group.simulated, &group.amount)
}

/// A row of the runs that were stopped.
pub(crate) fn stop_row(stop: &BudgetStopBody) -> StopRow {
    let sim = if stop.simulated { "sim " } else { "" };
    StopRow {
        id: stop.test_id.clone(),
        name: format!("#{} {}", stop.number, stop.test_name),
        user: stop.started_by.clone(),
        at: stop.at.clone(),
        allowed: format!("{sim}{}", stop.allowed),
        overshoot: format!("{sim}{}", stop.overshoot),
    }
}

/// The width of a bar in percent.
pub(crate) fn bar(part: Dollars, of: Dollars) -> String {
    let share = if of.is_zero() {
        1.0
    } else {
        (part.approximate_pico() / of.approximate_pico()).min(1.0)
    };
    format!("{:.1}", share * 100.0)
}

/// What was expected of a run, and what came.
#[derive(Default)]
pub(crate) struct ForecastTable {
    pub(crate) lines: Vec<ForecastLine>,
    /// What nothing is known of, in one sentence.
    pub(crate) note: Option<String>,
}

/// The lines with a figure; the others take one sentence.
pub(crate) fn known_lines(lines: Vec<ForecastLine>) -> ForecastTable {
    let (lines, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.has_figure);
    let others = others.iter().map(|line| (line.figure, line.basis.as_str()));
    ForecastTable {
        note: not_forecast(others),
        lines,
    }
}

/// What was expected of a run, with what came once there are results. A forecast that cannot be
/// read any more is none.
pub(crate) fn forecast(json: Option<&str>, results: Option<&Results>) -> Vec<ForecastLine> {
    let forecast = json.and_then(|json| serde_json::from_str::<Forecast>(json).ok());
    let lines = forecast.map(|forecast| against(&forecast, results));
    lines.unwrap_or_default()
}

/// The same as a table.
pub(crate) fn forecast_table(json: Option<&str>, results: Option<&Results>) -> ForecastTable {
    known_lines(forecast(json, results))
}

fn row(name: String, runs: String, simulated: bool, amount: &Amount) -> SpendRow {
    let sim = if simulated { "sim " } else { "" };
    SpendRow {
        name,
        runs,
        calls: amount.calls.map_or_else(|| "–".to_owned(), whole),
        unpriced: whole(amount.unpriced_calls),
        input: whole(amount.input_tokens),
        output: whole(amount.output_tokens),
        cost: format!("{sim}{}", amount.cost_in_words()),
        exact: format!("{sim}{} USD", amount.cost.decimal()),
    }
}
