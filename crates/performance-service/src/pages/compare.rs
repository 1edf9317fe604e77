//! `/compare`: two to five runs beside each other, or two groups of runs.

mod noise;
mod picture;
mod table;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use load_analysis::comparison::Comparison;
use performance_store::{RunId, RunQuery};
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use self::picture::Align;
use self::table::{Column, MeasureRow};
pub(super) use self::table::{Row, row};
use super::{page, see_other};
use crate::app::App;
use crate::baselines;
use crate::comparing::{Measured, is_told};
use crate::faults;
use crate::presentation::overlay::Overlay;
use crate::presentation::words::{self, Badge};
use crate::problems;
use crate::runs::compare::{CompareQuery, Groups, ids, of_groups};

/// Runs beside each other: more have no room on a screen.
const MOST_COLUMNS: usize = 5;

/// Runs that are offered to be added, the latest of the test.
const OFFERED: u32 = 30;

/// Characters of a value that differs: a variable may be as long as a book.
const SHOWN_OF_VALUE: usize = 60;

/// Which runs, and how they are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageQuery {
    /// Ids with commas between, in the order in which they are shown.
    runs: Option<String>,
    /// As for the API.
    reference: Option<String>,
    candidate: Option<String>,
    /// A run to show after the others.
    add: Option<String>,
    /// `steady` (usual) or `start`: where the time axis begins in each run.
    align: Option<String>,
}

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage {
    badge: Badge,
    columns: Vec<Column>,
    /// Ids in their order, as the address has them; empty for groups.
    runs: String,
    /// The same the other way round.
    swapped: Option<String>,
    /// Runs that may be added: id and name.
    offered: Vec<(String, String)>,
    align: Align,
    /// What differs, with what it was in each run.
    differs: Vec<(String, Vec<String>)>,
    steady: bool,
    overlay: Option<Overlay>,
    noise: Vec<String>,
    /// The runs that could tell more, with their time and cost.
    rerun: Option<String>,
    told: Vec<Row>,
    /// Measures that only inform, and without a difference that can be told.
    rest: Vec<Row>,
    /// The same for more than two runs, one column each.
    told_beside: Vec<MeasureRow>,
    rest_beside: Vec<MeasureRow>,
}

/// The page that compares runs.
pub(super) async fn compare(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<PageQuery>,
) -> Result<Response, Problem> {
    let align = Align::read(query.align.as_deref())?;
    if let Some(address) = query.with_added(align)? {
        return Ok(see_other(&address));
    }
    let listed = query.runs.is_some();
    let asked = CompareQuery {
        runs: query.runs,
        reference: query.reference,
        candidate: query.candidate,
    };
    let look = move |groups: &Groups| {
        let shown = groups.reference.len() + groups.candidate.len();
        let beside = shown == 2 || (listed && shown <= MOST_COLUMNS);
        let columns = (beside && shown > 2).then(|| table::beside(groups));
        (groups.compared(), beside, columns.unwrap_or_default())
    };
    let found = of_groups(&app, &caller.tenant, &asked, look).await?;
    let (groups, (body, beside, (told_beside, rest_beside))) = found;
    let (mut told, rest): (Vec<_>, Vec<_>) = body.comparisons.iter().partition(is_told);
    // What decides stands first, the worst of it on top.
    told.sort_by_key(|one| std::cmp::Reverse(one.level));
    let deciding = body.comparisons.iter().filter(|one| one.level.is_some());
    let noise = told
        .first()
        .map(|one| noise::sentences(one, deciding.count()));
    let rows = |of: Vec<&Comparison>| match told_beside.is_empty() && rest_beside.is_empty() {
        true => of.into_iter().map(row).collect(),
        false => Vec::new(),
    };
    let order: Vec<RunId> = runs_of(&groups).map(|one| one.run.id).collect();
    page(&ComparePage {
        badge: Badge {
            level: body.level,
            reason: String::new(),
        },
        columns: columns(&app, &groups, beside).await?,
        runs: if beside {
            joined(order.iter())
        } else {
            String::new()
        },
        swapped: swapped(&groups, beside),
        offered: offered(&app, &groups, beside).await?,
        align,
        differs: differs(&groups),
        steady: body.phase == "steady",
        overlay: if beside {
            picture::overlay(&app, &groups, align).await?
        } else {
            None
        },
        noise: noise.unwrap_or_default(),
        rerun: body.rerun.map(|rerun| rerun.sentence),
        told: rows(told),
        rest: rows(rest),
        told_beside,
        rest_beside,
    })
}

impl PageQuery {
    /// The address with the run that is to be added, if there is one.
    fn with_added(&self, align: Align) -> Result<Option<String>, Problem> {
        let Some(add) = self.add.as_deref().filter(|add| !add.is_empty()) else {
            return Ok(None);
        };
        let runs = self.runs.as_deref().unwrap_or_default();
        let mut all = ids("add", runs.split(',').chain([add]))?;
        let mut seen = std::collections::HashSet::new();
        all.retain(|id| seen.insert(*id));
        if all.len() > MOST_COLUMNS {
            let reason = format!("at most {MOST_COLUMNS} runs are shown beside each other");
            return Err(Problem::invalid_field("add", reason));
        }
        let (runs, align) = (joined(all.iter()), align.name());
        Ok(Some(format!("/compare?runs={runs}&align={align}")))
    }
}

fn runs_of(groups: &Groups) -> impl Iterator<Item = &Measured> {
    groups.reference.iter().chain(&groups.candidate)
}

fn joined<'a>(ids: impl Iterator<Item = &'a RunId>) -> String {
    ids.map(RunId::to_string).collect::<Vec<_>>().join(",")
}

/// `A`, `B` and so on.
fn letter(index: usize) -> char {
    u8::try_from(index).map_or('Z', |index| char::from(b'A' + index.min(25)))
}

async fn columns(app: &App, groups: &Groups, beside: bool) -> Result<Vec<Column>, Problem> {
    let baseline = match groups.reference.first() {
        Some(first) => app.store.baseline(&baselines::name_of(&first.run)).await,
        None => Ok(None),
    };
    let baseline = baseline.map_err(problems::from_store)?;
    let in_baseline = |id: &str| {
        let runs = baseline.iter().flat_map(|version| &version.baseline.runs);
        runs.into_iter().any(|one| one.run == id)
    };
    let order: Vec<RunId> = runs_of(groups).map(|one| one.run.id).collect();
    let references = groups.reference.len();
    let column = |(index, measured): (usize, &Measured)| {
        let run = &measured.run;
        let id = run.id.to_string();
        let side = if beside {
            index
        } else {
            usize::from(index >= references)
        };
        let without = || joined(order.iter().filter(|other| **other != run.id));
        Column {
            letter: letter(side),
            is_reference: index < references,
            first: (beside && index > 0).then(|| format!("{id},{}", without())),
            without: (beside && order.len() > 2).then(without),
            in_baseline: in_baseline(&id),
            id,
            number: run.number,
            name: run.test_name.clone(),
            started: words::clock(run.started_at.unwrap_or(run.queued_at)),
            badge: words::badge(run.verdict.as_ref()),
            faults: Vec::new(),
        }
    };
    let mut columns: Vec<Column> = runs_of(groups).enumerate().map(column).collect();
    for (column, measured) in columns.iter_mut().zip(runs_of(groups)) {
        let faults = faults::of_run(&app.store, &measured.run.address()).await;
        let faults = faults.map_err(problems::from_store)?.into_iter();
        column.faults = faults.map(|fault| fault.name).collect();
    }
    Ok(columns)
}

/// The address with the sides the other way round.
fn swapped(groups: &Groups, beside: bool) -> Option<String> {
    let ids = |runs: &[Measured]| joined(runs.iter().map(|one| &one.run.id));
    let (reference, candidate) = (ids(&groups.reference), ids(&groups.candidate));
    match (beside, groups.candidate.len()) {
        (true, 1) => Some(format!("runs={candidate},{reference}")),
        (true, _) => None,
        (false, _) => Some(format!("reference={candidate}&candidate={reference}")),
    }
}

async fn offered(
    app: &App,
    groups: &Groups,
    beside: bool,
) -> Result<Vec<(String, String)>, Problem> {
    let shown: Vec<RunId> = runs_of(groups).map(|one| one.run.id).collect();
    let Some(first) = groups
        .reference
        .first()
        .filter(|_| beside && shown.len() < MOST_COLUMNS)
    else {
        return Ok(Vec::new());
    };
    let wanted = RunQuery {
        test: Some(first.run.test_name.clone()),
        limit: OFFERED,
        ..RunQuery::default()
    };
    let found = app.store.find(&first.run.tenant, wanted).await;
    let runs = found.map_err(problems::from_store)?.runs.into_iter();
    let runs = runs.filter(|run| run.status.is_final() && !shown.contains(&run.id));
    let offer = runs.map(|run| {
        let began = words::clock(run.started_at.unwrap_or(run.queued_at));
        let level = run
            .verdict
            .as_ref()
            .map_or("no verdict", |it| it.level.as_str());
        (
            run.id.to_string(),
            format!("#{} {level} {began}", run.number),
        )
    });
    Ok(offer.collect())
}

fn differs(groups: &Groups) -> Vec<(String, Vec<String>)> {
    let shorter = |value: String| match value.chars().count() {
        0 => "–".to_owned(),
        long if long > SHOWN_OF_VALUE => {
            let start: String = value.chars().take(SHOWN_OF_VALUE).collect();
            format!("{start}…")
        }
        _ => value,
    };
    let differences = groups.differences().into_iter();
    differences
        .map(|it| (it.what, it.values.into_iter().map(shorter).collect()))
        .collect()
}
