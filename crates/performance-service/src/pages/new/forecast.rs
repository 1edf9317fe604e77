//! What the run of the form would take, beside its button.

use std::time::Duration;

use load_analysis::dollars::Dollars;
use load_analysis::forecast::{ForecastLine, against};
use tenancy::Principal;
use tokio::time::timeout;

use super::typed::Typed;
use crate::app::App;
use crate::conductor::Expected;
use crate::presentation::numbers::number;

/// How long the page waits for it: k6 reads a script in 0.03 s.
const DEADLINE: Duration = Duration::from_secs(3);

/// A forecast as the page shows it.
pub(super) struct ForecastPanel {
    pub(super) lines: Vec<ForecastLine>,
    /// What it is held against, in sentences.
    pub(super) against: Vec<String>,
    /// What the button promises.
    pub(super) promise: String,
}

/// Forecasts the run that was typed.
///
/// # Errors
/// Why there is no forecast, in words.
pub(super) async fn of_typed(
    app: &App,
    caller: &Principal,
    typed: &Typed,
) -> Result<ForecastPanel, String> {
    let request = typed
        .request()
        .map_err(|_| "the fields above are not right yet".to_owned())?;
    match timeout(DEADLINE, app.conductor.forecast(caller, request)).await {
        Ok(Ok(expected)) => Ok(panel(&expected)),
        Ok(Err(problem)) => Err(problem.detail().to_owned()),
        Err(_) => Err("k6 did not read the script in time".to_owned()),
    }
}

fn panel(expected: &Expected) -> ForecastPanel {
    let mut sentences = Vec::new();
    let mut cap = |amount: Option<Dollars>, kind| {
        sentences.extend(amount.map(|amount| format!("It is stopped at {amount} {kind}.")));
    };
    cap(expected.budget.cap.real, "of real money");
    cap(expected.budget.cap.simulated, "of simulated money");
    sentences.push(format!("{} are left today.", expected.left_today));
    sentences.extend(expected.held.map(|(run, rate)| {
        let rate = number(rate);
        format!("This target has held {rate} requests a second (run #{run}).")
    }));
    sentences.extend(expected.to_confirm.map(|wanted| {
        let dollars = wanted.decimal();
        format!("It may spend up to {wanted} of real money: confirm {dollars} above to start it.")
    }));
    let lines = against(&expected.forecast, None);
    let (lines, unknown): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_known);
    sentences.extend(unknown.first().map(|first| {
        let figures: Vec<&str> = unknown.iter().map(|line| line.figure).collect();
        format!(
            "Of {} nothing is known: {}.",
            figures.join(", "),
            first.basis
        )
    }));
    let part = |figure: &str, before: &str| {
        let line = lines.iter().find(|line| line.figure == figure)?;
        Some(format!("{before}{}", line.expected))
    };
    let parts = [part("time", ""), part("real dollars", "real ")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    ForecastPanel {
        promise: parts.join(", "),
        against: sentences,
        lines,
    }
}

fn is_known(line: &ForecastLine) -> bool {
    line.expected != "–"
}
