//! `/compare`: two groups of runs, held against each other.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use load_analysis::comparison::{Comparison, Direction};
use performance_store::Run;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::page;
use crate::app::App;
use crate::comparing::Measured;
use crate::presentation::interval_bar::{self, IntervalBar};
use crate::presentation::numbers::number;
use crate::presentation::words::{self, Badge};
use crate::runs::compare::{CompareQuery, groups};

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage {
    badge: Badge,
    runs: Vec<Listed>,
    differs: Vec<String>,
    steady: bool,
    told: Vec<Row>,
    /// Measures that only inform, and without a difference that can be told.
    rest: Vec<Row>,
}

struct Listed {
    side: &'static str,
    id: String,
    number: u64,
    name: String,
    started: String,
    badge: Option<Badge>,
}

struct Row {
    name: String,
    reference: String,
    candidate: String,
    effect: String,
    interval: String,
    bar: Option<IntervalBar>,
    level: &'static str,
    reading: &'static str,
    sentence: String,
}

/// The page that compares runs.
pub(super) async fn compare(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<CompareQuery>,
) -> Result<Response, Problem> {
    let groups = groups(&app, &caller.tenant, &query).await?;
    let body = groups.compared();
    let of_side = |side, runs: &[Measured]| {
        let listed = |measured: &Measured| listed(side, &measured.run);
        runs.iter().map(listed).collect::<Vec<_>>()
    };
    let mut runs = of_side("A, reference", &groups.reference);
    runs.extend(of_side("B, candidate", &groups.candidate));
    let decided = |one: &&Comparison| {
        let differs = matches!(one.direction, Direction::Better | Direction::Worse);
        one.level.is_some() || differs
    };
    let (mut told, rest): (Vec<_>, Vec<_>) = body.comparisons.iter().partition(decided);
    // What decides stands first, the worst of it on top.
    told.sort_by_key(|one| std::cmp::Reverse(one.level));
    page(&ComparePage {
        badge: Badge {
            level: body.level,
            reason: String::new(),
        },
        runs,
        differs: body.differs,
        steady: body.phase == "steady",
        told: told.into_iter().map(row).collect(),
        rest: rest.into_iter().map(row).collect(),
    })
}

fn listed(side: &'static str, run: &Run) -> Listed {
    Listed {
        side,
        id: run.id.to_string(),
        number: run.number,
        name: run.test_name.clone(),
        started: words::clock(run.started_at.unwrap_or(run.queued_at)),
        badge: words::badge(run.verdict.as_ref()),
    }
}

fn row(comparison: &Comparison) -> Row {
    let interval = comparison.interval.map(|interval| {
        let percent = interval_bar::percent;
        format!("{} to {}", percent(interval.low), percent(interval.high))
    });
    Row {
        name: comparison.name.clone(),
        reference: number(comparison.reference.centre),
        candidate: number(comparison.candidate.centre),
        effect: interval_bar::percent(comparison.effect),
        interval: interval.unwrap_or_else(|| "–".to_owned()),
        bar: comparison
            .effect
            .is_finite()
            .then(|| interval_bar::draw(comparison)),
        level: level(comparison),
        reading: match comparison.direction {
            Direction::Better => "better",
            Direction::Worse => "worse",
            Direction::Same => "same",
            Direction::Inconclusive => "cannot tell",
        },
        sentence: comparison.sentence.clone(),
    }
}

/// Measures that only inform have the look of their direction.
fn level(comparison: &Comparison) -> &'static str {
    match (comparison.level, comparison.direction) {
        (Some(level), _) => level.as_str(),
        (None, Direction::Better | Direction::Same) => "PASS",
        (None, Direction::Worse) => "WARNING",
        (None, Direction::Inconclusive) => "INCONCLUSIVE",
    }
}
