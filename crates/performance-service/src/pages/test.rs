//! `/tests/{name}`: one measure of a test over its runs.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::Response;
use performance_store::RunAddress;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::{ValidPath, ValidQuery};
use service_defaults::problem::Problem;
use tenancy::TenantId;
use url::form_urlencoded;

use super::baselines::{Listed, Which, listed};
use super::new::forbidden;
use super::{page, see_other};
use crate::app::App;
use crate::presentation::interval_bar::percent;
use crate::presentation::numbers::number;
use crate::presentation::trend_chart::{self, Along, TrendChart};
use crate::presentation::words;
use crate::problems;
use crate::runs::trends::{self, ChangePointBody, TrendBody, TrendsQuery};

#[derive(Deserialize)]
pub(super) struct NameInPath {
    name: String,
}

/// Which runs of the test, and how they are shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageQuery {
    measure: Option<String>,
    /// That of the latest run when both are absent; all when it is empty.
    environment: Option<String>,
    scenario: Option<String>,
    along: Option<String>,
}

/// What the form of a step sends: the note, and the page that it came from.
#[derive(Debug, Deserialize)]
pub(super) struct NoteForm {
    run: String,
    #[serde(default)]
    text: String,
    #[serde(flatten)]
    page: PageQuery,
}

#[derive(Template)]
#[template(path = "test.html")]
struct TestPage {
    name: String,
    measure: String,
    /// Names, and whether one is shown.
    measures: Vec<(String, bool)>,
    environments: Vec<(String, bool)>,
    scenarios: Vec<(String, bool)>,
    environment: String,
    scenario: String,
    along: Along,
    /// The same page along the other axis.
    other_axis: String,
    /// Absent where no run fits.
    chart: Option<TrendChart>,
    rows: Vec<Row>,
    baselines: Vec<Listed>,
    /// Where a baseline is proposed.
    proposal: Option<String>,
    /// Why the caller may change nothing.
    forbidden: Option<String>,
}

struct Row {
    id: String,
    number: u64,
    at: String,
    level: &'static str,
    counts: bool,
    revision: String,
    value: String,
    /// The run before it, to compare with.
    before: Option<String>,
    /// What begins with it.
    step: Option<String>,
    /// Why, and who says so.
    note: Option<(String, String)>,
}

/// The page of a test.
pub(super) async fn test(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
    ValidQuery(query): ValidQuery<PageQuery>,
) -> Result<Response, Problem> {
    let along = Along::read(query.along.as_deref());
    let along = along.ok_or_else(|| Problem::invalid_field("along", "must be runs or dates"))?;
    let asked = query.of_latest(&app, &caller.tenant, &path.name).await?;
    let trend = trends::trend(&app, &caller.tenant, &asked).await?;
    let baselines = app.store.baselines(&caller.tenant).await;
    let baselines = baselines.map_err(problems::from_store)?.into_iter();
    let baselines = baselines.filter(|version| version.name.test == trend.test);
    let shown = |name: &String, chosen: &Option<String>| {
        let is_shown = chosen.as_deref() == Some(name.as_str());
        (name.clone(), is_shown)
    };
    let shapes = |of: fn(&trends::ShapeBody) -> &String| {
        let mut names: Vec<String> = trend.shapes.iter().map(of).cloned().collect();
        names.sort();
        names.dedup();
        names
    };
    let (environments, scenarios) = (shapes(|it| &it.environment), shapes(|it| &it.scenario));
    let measures = trend.measures.iter();
    page(&TestPage {
        rows: rows(&trend),
        chart: trend_chart::draw(&trend, along),
        baselines: baselines.map(listed).collect(),
        measures: measures
            .map(|name| (name.clone(), *name == trend.measure))
            .collect(),
        environments: environments
            .iter()
            .map(|name| shown(name, &asked.environment))
            .collect(),
        scenarios: scenarios
            .iter()
            .map(|name| shown(name, &asked.scenario))
            .collect(),
        proposal: trend
            .shapes
            .iter()
            .find(|shape| fits(shape, &asked))
            .map(|shape| {
                let (environment, scenario) = (shape.environment.clone(), shape.scenario.clone());
                Which::new(trend.test.clone(), environment, scenario).address()
            }),
        along,
        other_axis: PageQuery::of(&asked, along.other()).address(&trend.test),
        environment: asked.environment.unwrap_or_default(),
        scenario: asked.scenario.unwrap_or_default(),
        forbidden: forbidden(&caller),
        name: trend.test,
        measure: trend.measure,
    })
}

/// Whether runs of a shape are asked for.
fn fits(shape: &trends::ShapeBody, asked: &TrendsQuery) -> bool {
    let fits = |asked: &Option<String>, name: &String| {
        asked
            .as_ref()
            .is_none_or(|asked| asked.is_empty() || asked == name)
    };
    fits(&asked.environment, &shape.environment) && fits(&asked.scenario, &shape.scenario)
}

/// The form that explains a step.
pub(super) async fn explain(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
    Form(form): Form<NoteForm>,
) -> Result<Response, Problem> {
    let run = RunAddress {
        tenant: caller.tenant.clone(),
        id: form.run.parse().map_err(|_| problems::no_such_run())?,
    };
    let measure = form.page.measure.as_deref().unwrap_or_default();
    trends::explain(&app, &caller, &run, (measure, &form.text)).await?;
    Ok(see_other(&form.page.address(&path.name)))
}

impl PageQuery {
    fn of(asked: &TrendsQuery, along: Along) -> Self {
        Self {
            measure: asked.measure.clone(),
            environment: asked.environment.clone(),
            scenario: asked.scenario.clone(),
            along: Some(along.name().to_owned()),
        }
    }

    /// What is asked for. Runs of other targets and scenarios make no series with the latest one,
    /// so that they are shown to whoever asks for them only.
    async fn of_latest(
        self,
        app: &App,
        tenant: &TenantId,
        test: &str,
    ) -> Result<TrendsQuery, Problem> {
        let asked = TrendsQuery {
            test: Some(test.to_owned()),
            measure: self.measure,
            environment: self.environment,
            scenario: self.scenario,
        };
        if asked.environment.is_some() || asked.scenario.is_some() {
            return Ok(asked);
        }
        let shape = trends::latest_shape(app, tenant, test).await?;
        let (environment, scenario) = shape
            .map(|shape| (shape.environment, shape.scenario))
            .unzip();
        Ok(TrendsQuery {
            environment,
            scenario,
            ..asked
        })
    }

    /// The address of the page of a test.
    fn address(&self, test: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("measure", &self.measure),
            ("environment", &self.environment),
            ("scenario", &self.scenario),
            ("along", &self.along),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        format!("{}?{}", trends::page_of(test), query.finish())
    }
}

/// All runs, the latest first.
fn rows(trend: &TrendBody) -> Vec<Row> {
    let step = |id: &str| trend.change_points.iter().find(|step| step.test_id == id);
    let before = std::iter::once(None).chain(trend.points.iter().map(Some));
    let before: Vec<_> = trend.points.iter().zip(before).collect();
    let mut points: Vec<_> = trend.points.iter().chain(&trend.not_counted).collect();
    points.sort_by_key(|point| std::cmp::Reverse(point.number));
    let row = |point: &trends::PointBody| {
        let mut pairs = before.iter();
        let pair = pairs.find(|(one, _)| one.test_id == point.test_id);
        let note = point.note.as_ref();
        Row {
            id: point.test_id.clone(),
            number: point.number,
            at: words::clock_of(&point.at),
            level: point.level,
            counts: trend.counts(point),
            revision: point.revision.clone().unwrap_or_default(),
            value: number(point.value),
            before: pair.and_then(|(_, before)| Some((*before)?.test_id.clone())),
            step: step(&point.test_id).map(step_sentence),
            note: note.map(|note| {
                let who = format!("{}, {}", note.author, words::clock_of(&note.at));
                (note.text.clone(), who)
            }),
        }
    };
    points.into_iter().map(row).collect()
}

fn step_sentence(step: &ChangePointBody) -> String {
    let builds = match (&step.revision_before, &step.revision) {
        (Some(before), Some(first)) => format!(", between {before} and {first}"),
        (None, Some(first)) => format!(", first seen with {first}"),
        (_, None) => String::new(),
    };
    format!(
        "{} ({} to {}) from here on{builds}",
        percent(step.effect),
        percent(step.low),
        percent(step.high)
    )
}
