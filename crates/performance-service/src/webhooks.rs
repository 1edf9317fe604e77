//! Who is told of runs: the calls of `/api/v1/performancetest/webhooks`, and the [`courier`] that
//! sends.
//!
//! A webhook names a target of the settings, never an address, so that no request decides where
//! this service sends to, and no address that holds a token is stored or shown. Its signing
//! secret is made from the service's own and is told once.

pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod courier;
mod message;
mod retry;
mod signature;
pub(crate) mod targets;

use performance_store::{StoreError, Webhook, WebhookEvent, WebhookFormat};
use serde::Serialize;
use service_defaults::problem::{FieldError, Problem};
use tenancy::Principal;

use self::body::WebhookRequest;
use crate::app::App;
use crate::audit::changes;
use crate::idempotency;
use crate::names;
use crate::problems;

/// What a webhook may ask for.
const EVENTS: [WebhookEvent; 2] = [WebhookEvent::RunStarted, WebhookEvent::RunCompleted];

/// Keeps a new webhook; it comes with its secret, which is told this once.
///
/// # Errors
/// 400 names every field that is refused, 409 for a name that is taken, 429 beyond the number
/// that is kept.
pub(crate) async fn add(
    app: &App,
    caller: &Principal,
    request: WebhookRequest,
) -> Result<(Webhook, String), Problem> {
    let mut webhook = checked(app, caller, &request).map_err(Problem::invalid)?;
    match app.store.add_webhook(webhook.clone()).await {
        Ok(()) => changes::made(&object(&webhook)),
        Err(StoreError::Exists { .. }) if idempotency::id_of_made().is_some() => {
            webhook = made_before(app, webhook).await?;
        }
        Err(error) => return Err(problems::from_change(error)),
    }
    let secret = app.webhook_targets.secret_of(&webhook.salt);
    Ok((webhook, secret))
}

/// The webhook that the present request made before nobody knew: of the same user, as it is asked
/// for now. Nobody was told its secret.
async fn made_before(app: &App, asked: Webhook) -> Result<Webhook, Problem> {
    let there = app.store.webhook(&asked.tenant, &asked.name).await;
    let there = there.map_err(problems::from_store)?;
    let same = Webhook {
        salt: there.salt,
        created_at: there.created_at,
        ..asked
    };
    if there == same {
        return Ok(there);
    }
    Err(problems::from_change(StoreError::Exists {
        what: "webhook",
    }))
}

/// Removes a webhook; what waits is not sent any more.
///
/// # Errors
/// 404 when there is none.
pub(crate) async fn remove(app: &App, caller: &Principal, name: &str) -> Result<(), Problem> {
    let before = app.store.webhook(&caller.tenant, name).await;
    let before = before.map_err(problems::from_store)?;
    let removed = app.store.remove_webhook(&caller.tenant, name).await;
    removed.map_err(problems::from_change)?;
    changes::removed(&object(&before));
    Ok(())
}

/// What a webhook is, without its salt.
fn object(webhook: &Webhook) -> impl Serialize {
    let events: Vec<&str> = webhook.events.iter().map(|event| event.as_str()).collect();
    let texts = [&webhook.name, &webhook.target].map(String::clone);
    (texts, webhook.format.as_str(), events.join(","))
}

/// Has a webhook be told that it works; the number of the delivery.
///
/// # Errors
/// 404 when there is none, 409 when it is switched off.
pub(crate) async fn test(app: &App, caller: &Principal, name: &str) -> Result<u64, Problem> {
    let webhook = app.store.webhook(&caller.tenant, name).await;
    let webhook = webhook.map_err(problems::from_store)?;
    if let Some(reason) = webhook.switched_off {
        return Err(Problem::conflict(format!("it is switched off: {reason}")));
    }
    let added = app.store.add_test_delivery(&caller.tenant, name).await;
    let id = added.map_err(problems::from_change)?;
    app.courier.called();
    Ok(id)
}

fn checked(
    app: &App,
    caller: &Principal,
    request: &WebhookRequest,
) -> Result<Webhook, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, reason: String| errors.push(FieldError::new(field, reason));
    if let Some(reason) = names::refusal(&request.name) {
        refuse("name", reason.to_owned());
    }
    let known = app.webhook_targets.names();
    if !known.contains(&request.target.as_str()) {
        let reason = if known.is_empty() {
            "there is none; set PERFORMANCE_WEBHOOK_TARGETS".to_owned()
        } else {
            format!("must be one of {}", known.join(", "))
        };
        refuse("target", reason);
    }
    let format = WebhookFormat::parse(&request.format);
    if format.is_none() {
        refuse("format", "must be json or slack".to_owned());
    }
    let mut events = Vec::new();
    for word in &request.events {
        match WebhookEvent::parse(word).filter(|event| EVENTS.contains(event)) {
            Some(event) if !events.contains(&event) => events.push(event),
            Some(_) => {}
            None => refuse("events", "must be run.started or run.completed".to_owned()),
        }
    }
    if request.events.is_empty() {
        refuse("events", "must name one event or more".to_owned());
    }
    match format {
        Some(format) if errors.is_empty() => Ok(Webhook {
            tenant: caller.tenant.clone(),
            name: request.name.clone(),
            target: request.target.clone(),
            format,
            events,
            salt: *uuid::Uuid::new_v4().as_bytes(),
            created_by: caller.user.to_string(),
            created_at: app.store.clock().stored_now(),
            switched_off: None,
        }),
        _ => Err(errors),
    }
}
