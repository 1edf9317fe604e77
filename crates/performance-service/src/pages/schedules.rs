//! `/schedules`: what starts by the clock, and the forms that change it.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::Response;
use jiff::Zoned;
use performance_store::{RunAddress, Schedule, ScheduledStart};
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::{FieldError, Problem};
use tenancy::Principal;

use super::{page, see_other};
use crate::app::App;
use crate::presentation::words::{self, Badge};
use crate::problems;
use crate::runs::request::{OptionsBody, StartBody, Word};
use crate::scenarios::Scenario;
use crate::schedules::body::{ScheduleDocument, WhenBusy};
use crate::schedules::cost::{self, MonthlyCost};
use crate::schedules::{self, list::NameInPath};

/// Times to come that are shown.
const SHOWN_TIMES: usize = 3;

#[derive(Template)]
#[template(path = "schedules.html")]
struct SchedulesPage {
    schedules: Vec<Listed>,
    scenarios: Vec<(&'static str, bool)>,
    form: AddForm,
    errors: Vec<FieldError>,
}

struct Listed {
    name: String,
    expression: String,
    details: String,
    /// By the clock of the zone, with its offset, and UTC.
    next: Vec<(String, String)>,
    paused: bool,
    last: Option<LastStart>,
    owner: String,
    cost: MonthlyCost,
}

/// The latest start.
struct LastStart {
    when: String,
    words: String,
    run: Option<String>,
    badge: Option<Badge>,
}

/// What the form sends; it comes back with what is wrong in it.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AddForm {
    name: String,
    cron: String,
    time_zone: String,
    jitter_seconds: String,
    when_busy: String,
    catch_up: String,
    test_name: String,
    scenario: String,
    test_script: String,
    virtual_users: String,
    duration: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ActionInPath {
    action: String,
}

/// The page of all schedules.
pub(super) async fn schedules(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Response, Problem> {
    let form = AddForm {
        time_zone: "UTC".to_owned(),
        ..AddForm::default()
    };
    show(&app, &caller, form, Vec::new()).await
}

/// The form that makes a schedule. What is refused is said beside what was typed.
pub(super) async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    Form(form): Form<AddForm>,
) -> Result<Response, Problem> {
    let added = match form.document() {
        Ok(document) => schedules::add(&app, &caller, &form.name, document).await,
        Err(errors) => Err(Problem::invalid(errors)),
    };
    let Err(problem) = added else {
        return Ok(see_other("/schedules"));
    };
    let mut errors = problem.errors().to_vec();
    if errors.is_empty() {
        errors.push(FieldError::new("", problem.detail()));
    }
    let mut response = show(&app, &caller, form, errors).await?;
    *response.status_mut() = problem.status();
    Ok(response)
}

/// The buttons of a schedule.
pub(super) async fn act(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(NameInPath { name }): ValidPath<NameInPath>,
    ValidPath(path): ValidPath<ActionInPath>,
) -> Result<Response, Problem> {
    match path.action.as_str() {
        "pause" => drop(schedules::pause(&app, &caller, &name).await?),
        "resume" => drop(schedules::resume(&app, &caller, &name).await?),
        "delete" => schedules::remove(&app, &caller, &name).await?,
        "run" => {
            let schedule = schedules::find(&app, &caller, &name).await?;
            let run = app.scheduler.start_now(&schedule, &caller).await?;
            return Ok(see_other(&format!("/runs/{}", run.id)));
        }
        _ => return Err(Problem::not_found("there is nothing at this address")),
    }
    Ok(see_other("/schedules"))
}

async fn show(
    app: &App,
    caller: &Principal,
    form: AddForm,
    errors: Vec<FieldError>,
) -> Result<Response, Problem> {
    let found = app.store.schedules(&caller.tenant).await;
    let mut listed = Vec::new();
    for schedule in found.map_err(problems::from_store)? {
        listed.push(row(app, schedule).await?);
    }
    let chosen = form.scenario.clone();
    let scenarios = Scenario::ALL.map(|one| (one.name(), one.name() == chosen));
    page(&SchedulesPage {
        schedules: listed,
        scenarios: scenarios.into(),
        form,
        errors,
    })
}

async fn row(app: &App, schedule: Schedule) -> Result<Listed, Problem> {
    let document = ScheduleDocument::stored(&schedule)?;
    let now = app.store.clock().now();
    let next = match document.timetable(&schedule.name) {
        Ok(timetable) if !schedule.paused => timetable.upcoming(now, SHOWN_TIMES),
        _ => Vec::new(),
    };
    let starts = app.store.starts(&schedule.tenant, &schedule.name, 1);
    let start = starts.await.map_err(problems::from_store)?.pop();
    let last = match start {
        Some(start) => Some(last_start(app, &schedule, start).await),
        None => None,
    };
    Ok(Listed {
        cost: cost::in_a_month(app, &schedule, &document).await?,
        expression: format!("{} {}", document.cron, document.time_zone),
        details: details(&document),
        next: next.iter().map(told).collect(),
        name: schedule.name,
        paused: schedule.paused,
        owner: schedule.owner,
        last,
    })
}

fn details(document: &ScheduleDocument) -> String {
    let busy = match document.when_busy {
        WhenBusy::Queue => "waits when busy",
        WhenBusy::Skip => "skipped when busy",
    };
    let mut parts = vec![busy.to_owned()];
    if document.jitter_seconds > 0 {
        parts.push(format!("up to {} s later", document.jitter_seconds));
    }
    if document.catch_up {
        parts.push("one missed start is caught up".to_owned());
    }
    parts.join(" · ")
}

fn told(time: &Zoned) -> (String, String) {
    let local = time.strftime("%a %Y-%m-%d %H:%M %:z").to_string();
    (local, words::clock(time.timestamp()))
}

async fn last_start(app: &App, schedule: &Schedule, start: ScheduledStart) -> LastStart {
    let address = start.run.map(|id| RunAddress {
        tenant: schedule.tenant.clone(),
        id,
    });
    // A run may be gone when its schedule is not.
    let run = match address {
        Some(address) => app.store.get(&address).await.ok(),
        None => None,
    };
    let mut said = start.outcome.as_str().to_owned();
    if start.starts > 1 {
        said = format!("{said} {} times", start.starts);
    }
    if !start.cause.is_empty() {
        said = format!("{said}: {}", start.cause);
    }
    LastStart {
        when: words::clock(start.due),
        words: said,
        badge: run
            .as_ref()
            .and_then(|run| words::badge(run.verdict.as_ref())),
        run: run.map(|run| run.id.to_string()),
    }
}

impl SchedulesPage {
    /// What is wrong with a field of the form.
    fn reasons(&self, field: &str) -> Vec<&str> {
        let of = self.errors.iter().filter(|error| error.field == field);
        of.map(|error| error.reason.as_str()).collect()
    }

    /// What is wrong beside the fields of the form.
    fn others(&self) -> Vec<String> {
        const FIELDS: [&str; 8] = [
            "name",
            "cron",
            "timeZone",
            "jitterSeconds",
            "run.testName",
            "run.testScript",
            "run.options.virtualUsers",
            "run.options.duration",
        ];
        let other = |error: &&FieldError| !FIELDS.contains(&error.field.as_str());
        let others = self.errors.iter().filter(other);
        others
            .map(|error| format!("{} {}", error.field, error.reason))
            .collect()
    }
}

impl AddForm {
    fn document(&self) -> Result<ScheduleDocument, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut number = |field: &str, text: &str| {
            let text = text.trim();
            let number = text.parse::<u32>().ok();
            if number.is_none() && !text.is_empty() {
                errors.push(FieldError::new(field, "must be a whole number"));
            }
            number
        };
        let jitter = number("jitterSeconds", &self.jitter_seconds);
        let users = number("run.options.virtualUsers", &self.virtual_users);
        if !errors.is_empty() {
            return Err(errors);
        }
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(ScheduleDocument {
            name: None,
            cron: self.cron.trim().to_owned(),
            time_zone: self.time_zone.trim().to_owned(),
            jitter_seconds: jitter.unwrap_or(0),
            when_busy: if self.when_busy == "skip" {
                WhenBusy::Skip
            } else {
                WhenBusy::Queue
            },
            catch_up: !self.catch_up.is_empty(),
            expected: None,
            run: StartBody {
                test_name: given(&self.test_name).or_else(|| given(&self.name)),
                scenario: given(&self.scenario).map(Word),
                test_script: given(&self.test_script),
                options: OptionsBody {
                    virtual_users: users.map(u64::from),
                    duration: given(&self.duration),
                    ..OptionsBody::default()
                },
                ..StartBody::default()
            },
        })
    }
}
