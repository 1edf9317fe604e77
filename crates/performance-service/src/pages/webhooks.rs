//! `/webhooks`: who is told of runs, what became of the messages, and the forms that change it.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::Response;
use performance_store::{Delivery, Webhook, WebhookEvent};
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;
use tenancy::Principal;

use super::{page, see_other};
use crate::app::App;
use crate::presentation::words;
use crate::problems;
use crate::webhooks::{self, body::WebhookRequest};

/// Deliveries of each webhook on the page; all that are kept are in the JSON list.
const SHOWN: u32 = 5;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    webhooks: Vec<Listed>,
    targets: Vec<String>,
    /// Name and secret of the one that was just made.
    made: Option<(String, String)>,
    /// What is wrong with the form, and the name that was typed.
    errors: Vec<String>,
    name: String,
}

struct Listed {
    name: String,
    target: String,
    format: &'static str,
    events: String,
    switched_off: Option<String>,
    deliveries: Vec<Sent>,
}

struct Sent {
    id: u64,
    when: String,
    event: &'static str,
    run: Option<String>,
    words: String,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(super) struct AddForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    target: String,
    #[serde(default)]
    format: String,
    /// Whether it is told of starts as well.
    #[serde(default)]
    starts: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WebhookAction {
    name: String,
    action: String,
}

/// The page of all webhooks.
pub(super) async fn webhooks(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Response, Problem> {
    show(&app, &caller, None).await
}

/// The form that makes a webhook. Its secret is shown on the page that answers, and never again.
pub(super) async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    Form(form): Form<AddForm>,
) -> Result<Response, Problem> {
    let mut events = vec![WebhookEvent::RunCompleted.as_str().to_owned()];
    if !form.starts.is_empty() {
        events.push(WebhookEvent::RunStarted.as_str().to_owned());
    }
    let name = form.name.trim().to_owned();
    let request = WebhookRequest {
        name: name.clone(),
        target: form.target,
        format: form.format,
        events,
    };
    match webhooks::add(&app, &caller, request).await {
        Ok((webhook, secret)) => show(&app, &caller, Some(Ok((webhook.name, secret)))).await,
        Err(problem) => {
            let status = problem.status();
            let mut response = show(&app, &caller, Some(Err((name, problem)))).await?;
            *response.status_mut() = status;
            Ok(response)
        }
    }
}

/// The buttons of a webhook.
pub(super) async fn act(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<WebhookAction>,
) -> Result<Response, Problem> {
    match path.action.as_str() {
        "test" => drop(webhooks::test(&app, &caller, &path.name).await?),
        "delete" => webhooks::remove(&app, &caller, &path.name).await?,
        _ => return Err(Problem::not_found("there is nothing at this address")),
    }
    Ok(see_other("/webhooks"))
}

async fn show(
    app: &App,
    caller: &Principal,
    added: Option<Result<(String, String), (String, Problem)>>,
) -> Result<Response, Problem> {
    let mut listed = Vec::new();
    let found = app.store.webhooks(&caller.tenant).await;
    for webhook in found.map_err(problems::from_store)? {
        let sent = app.store.deliveries(&caller.tenant, &webhook.name, SHOWN);
        let sent = sent.await.map_err(problems::from_store)?;
        listed.push(row(webhook, &sent));
    }
    let (made, refused) = match added {
        Some(Ok(made)) => (Some(made), None),
        Some(Err(refused)) => (None, Some(refused)),
        None => (None, None),
    };
    let (name, errors) = refused.map_or_else(Default::default, |(name, problem)| {
        let errors = problem.errors().iter();
        let mut errors: Vec<String> = errors
            .map(|error| format!("{} {}", error.field, error.reason))
            .collect();
        if errors.is_empty() {
            errors.push(problem.detail().to_owned());
        }
        (name, errors)
    });
    let targets = app.webhook_targets.names().into_iter();
    page(&WebhooksPage {
        webhooks: listed,
        targets: targets.map(str::to_owned).collect(),
        made,
        errors,
        name,
    })
}

fn row(webhook: Webhook, sent: &[Delivery]) -> Listed {
    let events: Vec<&str> = webhook.events.iter().map(|one| one.as_str()).collect();
    Listed {
        events: events.join(", "),
        format: webhook.format.as_str(),
        name: webhook.name,
        target: webhook.target,
        switched_off: webhook.switched_off,
        deliveries: sent.iter().map(told).collect(),
    }
}

fn told(delivery: &Delivery) -> Sent {
    let mut said = delivery.state.as_str().to_owned();
    if delivery.attempts > 1 {
        said = format!("{said} after {} attempts", delivery.attempts);
    }
    if let Some(error) = &delivery.error {
        said = format!("{said}: {error}");
    }
    Sent {
        id: delivery.id,
        when: words::clock(delivery.created_at),
        event: delivery.event.as_str(),
        run: delivery.run.map(|run| run.to_string()),
        words: said,
    }
}
