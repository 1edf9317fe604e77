//! What the run of the form would take, beside its button.

use std::time::Duration;

use load_analysis::dollars::Dollars;
use load_analysis::forecast::{BoundForecast, ForecastLine, against};
use load_analysis::verdict::Level;
use service_defaults::problem::FieldError;
use tenancy::Principal;
use tokio::time::timeout;

use super::typed::Typed;
use crate::app::App;
use crate::conductor::Expected;
use crate::presentation::money::{self, ForecastTable};
use crate::presentation::numbers::number;

/// How long the page waits for it: k6 reads a script in 0.03 s.
const DEADLINE: Duration = Duration::from_secs(3);

/// A forecast as the page shows it.
pub(super) struct ForecastPanel {
    pub(super) lines: Vec<ForecastLine>,
    /// What its limits will say.
    pub(super) bounds: Vec<BoundRow>,
    /// What it is held against, in sentences.
    pub(super) against: Vec<String>,
    /// What the button promises.
    pub(super) promise: String,
}

/// A limit or threshold of the run.
pub(super) struct BoundRow {
    pub(super) forecast: BoundForecast,
    /// Whose symbol it has, where anything is expected.
    pub(super) level: Option<&'static str>,
}

/// Why there is none.
#[derive(Default)]
pub(super) struct NoForecast {
    /// In words.
    pub(super) reason: String,
    /// What is wrong with fields.
    pub(super) errors: Vec<FieldError>,
}

/// Forecasts the run that was typed.
///
/// # Errors
/// Why there is no forecast.
pub(super) async fn of_typed(
    app: &App,
    caller: &Principal,
    typed: &Typed,
) -> Result<ForecastPanel, NoForecast> {
    let none = |reason: &str, errors: &[FieldError]| NoForecast {
        reason: reason.to_owned(),
        errors: errors.to_vec(),
    };
    let request = typed.request();
    let request = request.map_err(|errors| none("the fields above are not right yet", &errors))?;
    match timeout(DEADLINE, app.conductor.forecast(caller, request)).await {
        Ok(Ok(expected)) => Ok(panel(&expected)),
        Ok(Err(problem)) => Err(none(problem.detail(), problem.errors())),
        Err(_) => Err(none("k6 did not read the script in time", &[])),
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
    let ForecastTable { lines, note } = money::known_lines(lines);
    sentences.extend(note);
    let part = |figure: &str, before: &str| {
        let line = lines.iter().find(|line| line.figure == figure)?;
        Some(format!("{before}{}", line.expected))
    };
    let parts = [part("time", ""), part("real dollars", "real ")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    ForecastPanel {
        promise: parts.join(", "),
        against: sentences,
        bounds: expected.bounds.iter().cloned().map(bound_row).collect(),
        lines,
    }
}

fn bound_row(forecast: BoundForecast) -> BoundRow {
    BoundRow {
        level: forecast.level.map(Level::as_str),
        forecast,
    }
}
