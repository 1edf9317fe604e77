//! The second family of clients, `/api/performance`: tests that are configured once and executed
//! under one id, on the same conductor as every other run.

pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod environments;
pub(crate) mod requests;

use http::StatusCode;
use instrumentation::request::current;
use performance_store::{
    Configuration, ConfigurationName, NewAuditRecord, NewConfiguration, ObjectHashes, Run,
    RunAddress, StoreError,
};
use service_defaults::problem::Problem;
use tenancy::{Principal, Role};

use self::body::{ExecuteBody, TestBody, TestType};
use self::environments::Stage;
use crate::app::App;
use crate::audit::{self, changes};
use crate::problems;
use crate::runs::request::{StartBody, Word};

/// Keeps a configuration and queues a run of it. One of the same type, environment and name is
/// replaced and keeps its id.
///
/// # Errors
/// As for a start; 403 also for an environment without a target, and for a test of somebody else.
pub(crate) async fn execute(
    app: &App,
    caller: &Principal,
    body: ExecuteBody,
) -> Result<(Configuration, Run), Problem> {
    let kind = TestType::parse(&body.test_type)
        .ok_or_else(|| Problem::invalid_field("testType", TestType::RULE))?;
    let stage = Stage::parse(&body.environment)
        .ok_or_else(|| Problem::invalid_field("environment", Stage::RULE))?;
    let document = named(kind, body.configuration).map_err(below)?;
    let start = start(app, kind, stage, document.clone())?;
    let new = new(caller, (kind, stage), &document)?;
    let replaced = replaced(app, caller, &new.name).await?;
    let is_repeated = app.conductor.made_before(&caller.tenant).await?.is_some();
    // The limits that a run is held to are decided on once, before anything is written.
    let run = app.conductor.submit_keeping(caller, start, new.clone());
    let run = run.await.map_err(below)?;
    if !is_repeated {
        note_execution(app, &run, (replaced.as_ref(), &new)).await;
    }
    let stored = named_like(app, &new.name).await?;
    let stored = stored.ok_or(StoreError::Absent { what: "test" });
    Ok((stored.map_err(problems::from_store)?, run))
}

/// The record of the call is that of the test; the run that it made has one of its own.
async fn note_execution(
    app: &App,
    run: &Run,
    (replaced, new): (Option<&Configuration>, &NewConfiguration),
) {
    match replaced {
        None => changes::made(&new.document),
        Some(replaced) => changes::changed(&replaced.document, &new.document),
    }
    let entry = NewAuditRecord {
        tenant: Some(run.tenant.clone()),
        user: run.started_by.clone(),
        action: format!("test {}", new.name.name),
        object: format!("/api/v1/performancetest/{}", run.id),
        outcome: "done".to_owned(),
        status: StatusCode::ACCEPTED.as_u16(),
        request_id: current().map_or_else(String::new, |call| call.request_id().to_owned()),
        hashes: ObjectHashes {
            before: None,
            after: changes::hash(&run.request),
        },
    };
    audit::keep(&app.store, entry).await;
}

/// Where clients of this family wrote what is wrong.
fn below(problem: Problem) -> Problem {
    problem.below("configuration")
}

/// Keeps a configuration; its id.
async fn keep(
    app: &App,
    caller: &Principal,
    (kind, stage): (TestType, Stage),
    configuration: StartBody,
) -> Result<String, Problem> {
    let document = checked(app, caller, (kind, stage), configuration).await?;
    let new = new(caller, (kind, stage), &document)?;
    let replaced = replaced(app, caller, &new.name).await?;
    let json = new.document.clone();
    let id = app.store.put_configuration(new).await;
    let id = id.map_err(problems::from_change)?;
    match replaced {
        None => changes::made(&json),
        Some(replaced) => changes::changed(&replaced.document, &json),
    }
    Ok(id)
}

/// What is to be kept of a caller's configuration.
fn new(
    caller: &Principal,
    (kind, stage): (TestType, Stage),
    document: &StartBody,
) -> Result<NewConfiguration, Problem> {
    Ok(NewConfiguration {
        name: ConfigurationName {
            tenant: caller.tenant.clone(),
            test_type: kind.as_str().to_owned(),
            environment: stage.as_str().to_owned(),
            name: document.test_name.clone().unwrap_or_default(),
        },
        document: json(document)?,
        changed_by: caller.user.to_string(),
    })
}

/// The test in whose place another one is kept.
///
/// # Errors
/// 403 for somebody else's.
async fn replaced(
    app: &App,
    caller: &Principal,
    name: &ConfigurationName,
) -> Result<Option<Configuration>, Problem> {
    let replaced = named_like(app, name).await?;
    if let Some(replaced) = &replaced {
        may_change(caller, replaced)?;
    }
    Ok(replaced)
}

async fn named_like(app: &App, name: &ConfigurationName) -> Result<Option<Configuration>, Problem> {
    let kept = app.store.configurations(&name.tenant).await;
    let mut kept = kept.map_err(problems::from_store)?.into_iter();
    Ok(kept.find(|one| one.name == *name))
}

/// Replaces what a test asks for.
///
/// # Errors
/// As for a start; 403 for somebody else's, 404 when there is none.
pub(crate) async fn configure(
    app: &App,
    caller: &Principal,
    id: &str,
    body: StartBody,
) -> Result<TestBody, Problem> {
    let before = own(app, caller, id).await?;
    let (kind, stage) = kind_and_stage(&before)?;
    let mut body = body;
    // Its name is a part of what tells it apart.
    if body
        .test_name
        .as_ref()
        .is_some_and(|name| *name != before.name.name)
    {
        return Err(Problem::invalid_field("testName", "cannot be changed"));
    }
    body.test_name = Some(before.name.name.clone());
    let document = checked(app, caller, (kind, stage), body).await;
    let document = document.map_err(below)?;
    let user = caller.user.to_string();
    let json = json(&document)?;
    let changed = app
        .store
        .change_configuration(&caller.tenant, id, json.clone(), user);
    changed.await.map_err(problems::from_change)?;
    changes::changed(&before.document, &json);
    let stored = app.store.configuration(&caller.tenant, id).await;
    told(app, stored.map_err(problems::from_store)?).await
}

/// Removes a test; its runs stay.
///
/// # Errors
/// 403 for somebody else's, 404 when there is none.
pub(crate) async fn remove(app: &App, caller: &Principal, id: &str) -> Result<(), Problem> {
    let before = own(app, caller, id).await?;
    let removed = app.store.remove_configuration(&caller.tenant, id).await;
    removed.map_err(problems::from_change)?;
    changes::removed(&before.document);
    Ok(())
}

/// A test with its latest results.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn told(app: &App, one: Configuration) -> Result<TestBody, Problem> {
    let Some(id) = one.run else {
        return TestBody::new(one, None, None);
    };
    let address = RunAddress {
        tenant: one.name.tenant.clone(),
        id,
    };
    let run = match app.store.get(&address).await {
        Ok(run) => Some(run),
        Err(StoreError::NotFound) => None,
        Err(error) => return Err(problems::from_store(error)),
    };
    let results = match app.store.results(&address).await {
        Ok(results) => results,
        Err(StoreError::NotFound) => None,
        Err(error) => return Err(problems::from_store(error)),
    };
    TestBody::new(one, run.as_ref(), results)
}

/// A test that the caller may change: his own, or any as an administrator.
async fn own(app: &App, caller: &Principal, id: &str) -> Result<Configuration, Problem> {
    let found = app.store.configuration(&caller.tenant, id).await;
    let found = found.map_err(problems::from_store)?;
    may_change(caller, &found)?;
    Ok(found)
}

fn may_change(caller: &Principal, test: &Configuration) -> Result<(), Problem> {
    if caller.role < Role::Admin && *test.changed_by != *caller.user {
        let detail = "the test of somebody else is changed by an administrator only";
        return Err(Problem::forbidden(detail).with_kind("role-needed"));
    }
    Ok(())
}

/// Checks a configuration as if it were started; it comes back as it was given, with a name.
async fn checked(
    app: &App,
    caller: &Principal,
    (kind, stage): (TestType, Stage),
    configuration: StartBody,
) -> Result<StartBody, Problem> {
    let document = named(kind, configuration)?;
    let start = start(app, kind, stage, document.clone())?;
    app.conductor.rehearse(caller, start).await?;
    Ok(document)
}

/// A configuration with one place for each thing and a name.
fn named(kind: TestType, configuration: StartBody) -> Result<StartBody, Problem> {
    let mut document = configuration.canonical();
    if document.environment.contains_key("BASE_URL") {
        let field = "environment.BASE_URL";
        return Err(Problem::invalid_field(
            field,
            "is what the environment stands for",
        ));
    }
    let name = document.test_name.take();
    document.test_name = Some(name.unwrap_or_else(|| format!("{} test", kind.as_str())));
    Ok(document)
}

/// The request that a configuration stands for.
fn start(
    app: &App,
    kind: TestType,
    stage: Stage,
    mut document: StartBody,
) -> Result<StartBody, Problem> {
    document.scenario = Some(Word(kind.scenario().name().to_owned()));
    if let Some(address) = app.environments.address(stage)? {
        document
            .environment
            .insert("BASE_URL".to_owned(), Word(address));
    }
    Ok(document)
}

fn kind_and_stage(one: &Configuration) -> Result<(TestType, Stage), Problem> {
    let kind = TestType::parse(&one.name.test_type);
    let stage = Stage::parse(&one.name.environment);
    kind.zip(stage).ok_or_else(|| {
        let corrupt = StoreError::Corrupt(format!("configured test {}", one.id));
        problems::from_store(corrupt)
    })
}

/// What a test asks for.
fn document(one: &Configuration) -> Result<StartBody, Problem> {
    serde_json::from_str(&one.document).map_err(|error| {
        let corrupt = StoreError::Corrupt(format!("configured test {}: {error}", one.id));
        problems::from_store(corrupt)
    })
}

fn json(document: &StartBody) -> Result<String, Problem> {
    serde_json::to_string(document).map_err(|_| Problem::internal())
}
