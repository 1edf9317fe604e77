//! What runs and what waits, row by row.

use load_analysis::spend::Spend;
use load_analysis::verdict::Level;

use crate::presentation::numbers::{number, run_time, share};
use crate::presentation::words;
use crate::runs::under_way::{Figure, HeldFigure, UnderWay, Wait};

/// A run that is not over.
pub(super) struct NowRow {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) scenario: String,
    pub(super) script: String,
    pub(super) state: String,
    /// Percent of the load that is done, and what is left of it.
    pub(super) progress: Option<(String, String)>,
    /// How far its load is, where nobody knows its end.
    pub(super) at: Option<String>,
    pub(super) figures: Vec<FigureText>,
    pub(super) cost: String,
    pub(super) when: String,
}

/// A figure of the latest second.
pub(super) struct FigureText {
    pub(super) text: String,
    /// The level of its limit, and the same in words.
    pub(super) limit: Option<(&'static str, &'static str)>,
}

pub(super) fn rows(all: &[UnderWay]) -> Vec<NowRow> {
    all.iter().map(row).collect()
}

fn row(one: &UnderWay) -> NowRow {
    let run = &one.run;
    let percent = one.share().map(|share| format!("{:.0}", share * 100.0));
    let left = one.left().map(|left| format!("{} left", seconds(left)));
    let progress = percent.zip(left);
    let at = one.latest.filter(|_| progress.is_none());
    let cost = one.spend.as_ref().map(Spend::in_words);
    NowRow {
        id: run.id.to_string(),
        number: run.number,
        name: run.test_name.clone(),
        scenario: run.scenario.clone(),
        script: run.script.clone(),
        state: match one.waits {
            Some(wait) => waiting(wait),
            None => words::state(run.status).to_owned(),
        },
        progress,
        at: at.map(|second| format!("at {}", run_time(second.t))),
        figures: figures(one),
        cost: cost.unwrap_or_else(|| "–".to_owned()),
        when: words::clock(run.started_at.unwrap_or(run.queued_at)),
    }
}

fn waiting(wait: Wait) -> String {
    if wait.runs == 0 {
        return "queued: waits for its turn".to_owned();
    }
    let runs = words::runs(wait.runs);
    match wait.seconds {
        Some(left) => format!("queued: waits for {runs}, about {}", seconds(left)),
        None => format!("queued: waits for {runs}"),
    }
}

fn figures(one: &UnderWay) -> Vec<FigureText> {
    let rate = one.latest.map(|second| FigureText {
        text: format!("{}/s", number(second.requests_per_second)),
        limit: None,
    });
    one.held.iter().map(figure).chain(rate).collect()
}

fn figure(held: &HeldFigure) -> FigureText {
    FigureText {
        text: match held.figure {
            Figure::P95 => format!("p95 {} ms", number(held.value)),
            Figure::Errors => format!("failed {}", share(held.value)),
        },
        limit: held.level.map(|level| (level.as_str(), within(level))),
    }
}

/// A second alone decides nothing.
const fn within(level: Level) -> &'static str {
    match level {
        Level::Pass => "within its limit",
        Level::Warning => "beyond its target, within its limit",
        Level::Fail | Level::Critical => "beyond its limit",
        Level::Inconclusive | Level::Invalid => "not judged",
    }
}

/// Whole seconds; a forecast is no finer.
fn seconds(seconds: f64) -> String {
    run_time(
        crate::timeline::whole(seconds)
            .try_into()
            .unwrap_or(u32::MAX),
    )
}
