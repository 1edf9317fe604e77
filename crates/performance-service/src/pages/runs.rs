//! `/runs`: finding runs.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use load_analysis::verdict::Level;
use performance_store::{Run, RunStatus};
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::home::{Row, rows};
use super::page;
use crate::app::App;
use crate::presentation::numbers::whole;
use crate::problems;
use crate::runs::list::ListQuery;
use crate::scenarios::Scenario;

/// Runs of a page.
const SHOWN: u32 = 50;

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    test: String,
    environment: String,
    scenarios: Vec<Choice>,
    states: Vec<Choice>,
    levels: Vec<Choice>,
    rows: Vec<Row>,
    shown: String,
    total: String,
    /// The number to go on from, when there are more.
    before: Option<u64>,
}

struct Choice {
    name: &'static str,
    chosen: bool,
}

/// The page that lists runs.
pub(super) async fn runs(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<ListQuery>,
) -> Result<Response, Problem> {
    let mut wanted = query.read()?;
    wanted.limit = SHOWN;
    let found = app.store.find(&caller.tenant, wanted).await;
    let found = found.map_err(problems::from_store)?;
    let is_full = u32::try_from(found.runs.len()).is_ok_and(|shown| shown == SHOWN);
    let last = found.runs.last().map(|run: &Run| run.number);
    let choices = |names: &[&'static str], chosen: &Option<String>| {
        let choice = |name: &&'static str| Choice {
            name,
            chosen: chosen.as_deref() == Some(*name),
        };
        names.iter().map(choice).collect::<Vec<_>>()
    };
    page(&RunsPage {
        test: query.test.clone().unwrap_or_default(),
        environment: query.environment.clone().unwrap_or_default(),
        scenarios: choices(&Scenario::ALL.map(Scenario::name), &query.scenario),
        states: choices(&RunStatus::ALL.map(RunStatus::as_str), &query.status),
        levels: choices(&Level::ALL.map(Level::as_str), &query.level),
        rows: rows(&app, &caller.tenant, &found.runs).await?,
        shown: whole(found.runs.len() as u64),
        total: whole(found.total),
        before: last.filter(|number| is_full && *number > 1),
    })
}
