//! `/capacity`: searches for the highest rate within all limits, and `/capacity/{id}`: one of them
//! with every run that it rests on.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;

use super::{page, see_other};
use crate::app::App;
use crate::capacity::SearchInPath;
use crate::capacity::body::{ProbeBody, SearchBody};
use crate::capacity::cancel::stop;
use crate::capacity::get::found;
use crate::capacity::request::{self, CapacityBody};
use crate::capacity::start::begin;
use crate::presentation::numbers::number;
use crate::presentation::words::{self, Badge};
use crate::runs::request::{Expressions, StartBody};

#[derive(Template)]
#[template(path = "capacity-list.html")]
struct SearchesPage {
    searches: Vec<Row>,
}

struct Row {
    id: String,
    name: String,
    target: String,
    status: String,
    rate: String,
    sentence: String,
    when: String,
}

#[derive(Template)]
#[template(path = "capacity.html")]
struct SearchPage {
    id: String,
    name: String,
    target: String,
    started_by: String,
    status: String,
    when: String,
    live: bool,
    /// What came of it, or what it does.
    sentence: String,
    error: Option<String>,
    rate: String,
    beyond: String,
    runs: usize,
    spent: Option<String>,
    under_way: Option<(String, String, &'static str)>,
    probes: Vec<Probe>,
}

struct Probe {
    id: String,
    number: u64,
    rate: String,
    purpose: &'static str,
    badge: Option<Badge>,
}

/// What the form sends; a field that is left empty is not asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SearchForm {
    test_name: String,
    test_script: String,
    from_rate: String,
    to_rate: String,
    step_duration: String,
    p95: String,
    failed: String,
    max_runs: String,
}

/// The page of all searches, with the form that starts one.
pub(super) async fn searches(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Response, Problem> {
    let found = app.store.searches(&caller.tenant).await;
    let found = found.map_err(request::from_store)?;
    let bodies: Result<Vec<_>, _> = found.iter().map(SearchBody::new).collect();
    page(&SearchesPage {
        searches: bodies?.iter().map(row).collect(),
    })
}

/// The form's button.
pub(super) async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    Form(form): Form<SearchForm>,
) -> Result<Response, Problem> {
    let search = begin(&app, &caller, form.body()?).await?;
    Ok(see_other(&format!("/capacity/{}", search.id)))
}

/// The page of one search.
pub(super) async fn search(
    State(app): State<App>,
    search: SearchInPath,
) -> Result<Response, Problem> {
    let search = found(&app, &search).await?;
    let result = search.result.as_ref();
    let rate =
        |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), |it| format!("{}/s", number(it)));
    page(&SearchPage {
        live: search.completed_at.is_none(),
        sentence: sentence(&search),
        rate: rate(result.and_then(|it| it.rate)),
        beyond: rate(result.and_then(|it| it.beyond)),
        runs: search.probes.len(),
        spent: search.spent.text(),
        under_way: search
            .under_way
            .map(|it| (it.test_id, number(it.rate), it.purpose)),
        probes: search.probes.into_iter().map(probe).collect(),
        id: search.search_id,
        name: search.test_name,
        target: search.target,
        started_by: search.started_by,
        status: search.status.to_lowercase(),
        when: words::clock_of(&search.created_at),
        error: search.error,
    })
}

/// The button that stops a search.
pub(super) async fn cancel(
    State(app): State<App>,
    search: SearchInPath,
) -> Result<Response, Problem> {
    let address = format!("/capacity/{}", search.id);
    stop(&app, search).await?;
    Ok(see_other(&address))
}

fn row(search: &SearchBody) -> Row {
    let rate = search.result.as_ref().and_then(|result| result.rate);
    Row {
        id: search.search_id.clone(),
        name: search.test_name.clone(),
        target: search.target.clone(),
        status: search.status.to_lowercase(),
        rate: rate.map_or_else(|| "–".to_owned(), |rate| format!("{}/s", number(rate))),
        sentence: sentence(search),
        when: words::clock_of(&search.created_at),
    }
}

fn sentence(search: &SearchBody) -> String {
    let result = search.result.as_ref().map(|result| result.sentence.clone());
    let runs = search.probes.len();
    result.unwrap_or_else(|| format!("It goes on; {runs} runs are over."))
}

fn probe(probe: ProbeBody) -> Probe {
    Probe {
        id: probe.test_id,
        number: probe.number,
        rate: number(probe.rate),
        purpose: probe.purpose,
        badge: Some(Badge {
            level: probe.level,
            reason: probe.reasons.into_iter().next().unwrap_or_default(),
        }),
    }
}

impl SearchForm {
    /// # Errors
    /// 400 for a number that is none.
    fn body(&self) -> Result<CapacityBody, Problem> {
        let mut run = StartBody {
            test_name: text(&self.test_name),
            test_script: text(&self.test_script),
            ..StartBody::default()
        };
        let thresholds = [
            (
                "http_req_duration",
                text(&self.p95).map(|ms| format!("p(95)<{ms}")),
            ),
            (
                "http_req_failed",
                text(&self.failed).map(|share| format!("rate<{share}")),
            ),
        ];
        for (metric, expression) in thresholds {
            let expressions = expression.map(|it| Expressions(vec![it]));
            let of_metric = expressions.map(|it| (metric.to_owned(), it));
            run.options.thresholds.extend(of_metric);
        }
        Ok(CapacityBody {
            run,
            from_rate: parsed("fromRate", &self.from_rate)?,
            to_rate: parsed("toRate", &self.to_rate)?,
            step_duration: text(&self.step_duration),
            max_runs: parsed("maxRuns", &self.max_runs)?,
            ..CapacityBody::default()
        })
    }
}

fn text(field: &str) -> Option<String> {
    let field = field.trim();
    (!field.is_empty()).then(|| field.to_owned())
}

fn parsed<T: std::str::FromStr>(name: &'static str, field: &str) -> Result<Option<T>, Problem> {
    let parsed = text(field).map(|text| text.parse()).transpose();
    parsed.map_err(|_| Problem::invalid_field(name, "must be a number"))
}
