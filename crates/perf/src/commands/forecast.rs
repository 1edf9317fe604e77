//! `perf forecast`: what a run would take.

use clap::Args;
use load_analysis::forecast::not_forecast;
use load_analysis::notation::{counted, number};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::service::Service;
use crate::start::LoadArguments;
use crate::table::{Column, table};

const COLUMNS: [Column; 4] = [
    Column::Left("figure"),
    Column::Right("expected"),
    Column::Right("range"),
    Column::Left("rests on"),
];

/// What the service writes where it expects nothing.
const UNKNOWN: &str = "–";

#[derive(Debug, Args)]
pub(crate) struct ForecastArguments {
    /// A scenario such as smoke or load, or a script such as tests/load.js.
    #[arg(value_name = "SCENARIO|SCRIPT")]
    what: String,
    #[command(flatten)]
    load: LoadArguments,
}

/// The part of the service's answer that is shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Forecast {
    lines: Vec<Line>,
    remarks: Vec<String>,
    peak_virtual_users: u64,
    max_real: Option<Dollars>,
    max_simulated: Option<Dollars>,
    left_today: Dollars,
    confirm_dollars: Option<String>,
    held: Option<Held>,
}

#[derive(Debug, Deserialize)]
struct Line {
    figure: String,
    expected: String,
    range: String,
    basis: String,
}

#[derive(Debug, Deserialize)]
struct Dollars {
    usd: String,
}

#[derive(Debug, Deserialize)]
struct Held {
    rate: f64,
    run: u64,
}

/// Asks what a run would take. Nothing is started.
///
/// # Errors
/// It would be refused, or the service does not answer.
pub(crate) async fn forecast(
    service: &Service,
    arguments: &ForecastArguments,
) -> Result<Answer, Failure> {
    let body = arguments.load.body(&arguments.what, None);
    let document: Value = service.forecast(&body).await?;
    let forecast: Forecast = serde_json::from_value(document.clone()).map_err(|error| {
        Failure::Broken(format!(
            "the forecast is one that this version cannot read: {error}"
        ))
    })?;
    Ok(Answer::new(&text(&forecast), document))
}

fn text(forecast: &Forecast) -> String {
    let row = |line: &Line| {
        let cells = [&line.figure, &line.expected, &line.range, &line.basis];
        cells.map(Clone::clone).into()
    };
    let lines = forecast.lines.iter();
    let (known, unknown): (Vec<_>, Vec<_>) = lines.partition(|line| line.expected != UNKNOWN);
    let rows: Vec<Vec<String>> = known.into_iter().map(row).collect();
    let mut text = table(&COLUMNS, &rows);
    let mut say = |sentence: String| text.push_str(&format!("  {sentence}\n"));
    let unknown = unknown.iter();
    let unknown = unknown.map(|line| (line.figure.as_str(), line.basis.as_str()));
    not_forecast(unknown).into_iter().for_each(&mut say);
    let users = counted(forecast.peak_virtual_users, "virtual user");
    say(format!("up to {users}"));
    if let Some(held) = &forecast.held {
        let rate = number(held.rate);
        say(format!(
            "the target has held {rate} requests/s in run #{}",
            held.run
        ));
    }
    let cap = |kind: &str, cap: &Option<Dollars>| {
        cap.as_ref()
            .map(|cap| format!("${} of {kind} money", cap.usd))
    };
    let caps = [
        cap("real", &forecast.max_real),
        cap("simulated", &forecast.max_simulated),
    ];
    let caps: Vec<String> = caps.into_iter().flatten().collect();
    if !caps.is_empty() {
        say(format!("it is stopped at {}", caps.join(" or ")));
    }
    say(format!(
        "${} of real money are left today",
        forecast.left_today.usd
    ));
    if let Some(dollars) = &forecast.confirm_dollars {
        say(format!("to start it: --confirm-dollars {dollars}"));
    }
    for remark in &forecast.remarks {
        say(remark.clone());
    }
    text
}
