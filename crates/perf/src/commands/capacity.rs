//! `perf capacity`: the highest rate that a target carries within all limits.

use std::time::{Duration, Instant};

use clap::Args;
use load_analysis::notation::number;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::service::{Search, SearchRun, Service};
use crate::start::LoadArguments;
use crate::table::{Column, table};

/// Between two looks at a search; its runs take seconds.
const LOOK: Duration = Duration::from_secs(1);

/// For a service that does not answer while it is started anew.
const PATIENCE: Duration = Duration::from_secs(60);

/// No rate was confirmed: like a run that fails.
const NOTHING_HELD: u8 = 2;

const COLUMNS: [Column; 5] = [
    Column::Right("arrivals/s"),
    Column::Left("run"),
    Column::Left("for"),
    Column::Left("verdict"),
    Column::Left("why"),
];

#[derive(Debug, Args)]
pub(crate) struct CapacityArguments {
    /// A scenario such as smoke or load, or a script such as tests/load.js.
    #[arg(value_name = "SCENARIO|SCRIPT")]
    what: String,
    /// Name of the test. [default: the scenario's or the script's]
    #[arg(long)]
    name: Option<String>,
    /// The lowest rate, in arrivals per second. [default: 1]
    #[arg(long, value_name = "RATE")]
    from: Option<f64>,
    /// The highest rate, in arrivals per second.
    #[arg(long, value_name = "RATE")]
    to: f64,
    /// How long each run holds its rate. [default: 20s]
    #[arg(long, value_name = "DURATION")]
    step: Option<String>,
    /// How close the search goes, as a share of the rate. [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    precision: Option<f64>,
    /// How often the highest rate that held must hold again. [default: 2]
    #[arg(long, value_name = "N")]
    confirmations: Option<u32>,
    /// The most runs. [default: 30]
    #[arg(long, value_name = "N")]
    max_runs: Option<u32>,
    /// The most minutes. [default: 240]
    #[arg(long, value_name = "N")]
    max_minutes: Option<u32>,
    /// The most that a call of a model may cost on average, for scripts that report it.
    #[arg(long, value_name = "DOLLARS")]
    dollars_per_call: Option<f64>,
    /// The most that the whole search may cost, for scripts that report it.
    #[arg(long, value_name = "DOLLARS")]
    max_search_dollars: Option<f64>,
    /// Limits by `--threshold`; load and duration are the search's.
    #[command(flatten)]
    load: LoadArguments,
}

/// Starts a search and waits for its end; an interrupt stops it.
///
/// # Errors
/// It is refused, or could not go on.
pub(crate) async fn capacity(
    service: &Service,
    arguments: &CapacityArguments,
    live: bool,
) -> Result<Answer, Failure> {
    let mut interrupt = Interrupt::listen()?;
    let search = service.search(&arguments.body()).await?;
    let mut progress = Progress::new(live, None);
    progress.say(&format!(
        "capacity: {}",
        service.search_page(&search.search_id)
    ));
    let ended = tokio::select! {
        ended = to_end(service, &search.search_id, &mut progress) => ended?,
        () = interrupt.received() => {
            progress.say("stopping the search");
            service.stop_search(&search.search_id).await?;
            service.searched(&search.search_id).await?
        }
    };
    if let Some(error) = &ended.error {
        return Err(Failure::Broken(format!(
            "the search could not go on: {error}"
        )));
    }
    let held = ended
        .result
        .as_ref()
        .is_some_and(|result| result.rate.is_some());
    let answer = Answer::new(&text(service, &ended), json!(ended));
    Ok(answer.with_exit_code(if held { 0 } else { NOTHING_HELD }))
}

impl CapacityArguments {
    fn body(&self) -> Value {
        let mut body = self.load.body(&self.what, self.name.as_deref());
        body["toRate"] = json!(self.to);
        let asked = [
            ("fromRate", self.from.map(Value::from)),
            ("stepDuration", self.step.clone().map(Value::from)),
            ("precision", self.precision.map(Value::from)),
            ("confirmations", self.confirmations.map(Value::from)),
            ("maxRuns", self.max_runs.map(Value::from)),
            ("maxMinutes", self.max_minutes.map(Value::from)),
            ("dollarsPerCall", self.dollars_per_call.map(Value::from)),
            ("maxSearchDollars", self.max_search_dollars.map(Value::from)),
        ];
        for (name, value) in asked {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        body
    }
}

async fn to_end(service: &Service, id: &str, progress: &mut Progress) -> Result<Search, Failure> {
    let mut told = 0;
    let mut answered = Instant::now();
    loop {
        match service.searched(id).await {
            Ok(search) => {
                answered = Instant::now();
                for run in search.probes.iter().skip(told) {
                    progress.say(&line(run));
                }
                told = search.probes.len();
                if search.is_over() {
                    return Ok(search);
                }
            }
            Err(failure) if failure.may_pass() && answered.elapsed() < PATIENCE => {}
            Err(failure) => return Err(failure),
        }
        pause().await;
    }
}

fn line(run: &SearchRun) -> String {
    let rate = number(run.rate);
    format!("{rate}/s  #{}  {}  {}", run.number, run.purpose, run.level)
}

fn text(service: &Service, search: &Search) -> String {
    let rows: Vec<Vec<String>> = search
        .probes
        .iter()
        .map(|run| {
            vec![
                number(run.rate),
                format!("#{}", run.number),
                run.purpose.clone(),
                run.level.clone(),
                run.reasons.first().cloned().unwrap_or_default(),
            ]
        })
        .collect();
    let sentence = search
        .result
        .as_ref()
        .map(|result| result.sentence.as_str());
    format!(
        "{}: {}\n\n{}  {}\n",
        search.test_name,
        sentence.unwrap_or(&search.status),
        table(&COLUMNS, &rows),
        service.search_page(&search.search_id)
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pause between two looks at a search, which tells nothing by itself"
)]
async fn pause() {
    tokio::time::sleep(LOOK).await;
}
