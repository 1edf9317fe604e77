//! What a webhook is told: the event as JSON, or as a message that Slack takes.

use performance_store::{Delivery, Run, Webhook, WebhookEvent, WebhookFormat};
use serde_json::{Value, json};

use crate::runs::body::VerdictBody;

/// Reasons of a verdict in a message for people.
const SHOWN_REASONS: usize = 5;

/// The longest text of a part of a message, in characters: Slack takes 3,000.
const MAX_TEXT: usize = 400;

/// The body of a delivery; `pages` is where links lead.
pub(super) fn render(
    webhook: &Webhook,
    delivery: &Delivery,
    run: Option<&Run>,
    pages: &str,
) -> String {
    let message = match webhook.format {
        WebhookFormat::Json => event(webhook, delivery, run, pages),
        WebhookFormat::Slack => slack(webhook, delivery, run, pages),
    };
    message.to_string()
}

fn event(webhook: &Webhook, delivery: &Delivery, run: Option<&Run>, pages: &str) -> Value {
    let mut message = json!({
        "event": delivery.event.as_str(),
        "deliveryId": delivery.id,
        "webhook": webhook.name,
        "createdAt": delivery.created_at.to_string(),
    });
    if let Some(run) = run {
        message["run"] = facts(run);
        message["link"] = link(run, pages).into();
        if delivery.event == WebhookEvent::RunCompleted {
            message["run"]["status"] = run.status.as_str().into();
            message["run"]["completedAt"] = json!(run.completed_at.map(|at| at.to_string()));
            message["run"]["errorMessage"] = json!(run.error);
            message["verdict"] = json!(run.verdict.as_ref().map(VerdictBody::from));
        }
    }
    message
}

fn facts(run: &Run) -> Value {
    json!({
        "testId": run.id.to_string(),
        "number": run.number,
        "testName": run.test_name,
        "scenario": run.scenario,
        "testScript": run.script,
        "target": run.environment,
        "startedBy": run.started_by,
        "trigger": run.triggered_by,
        "startedAt": run.started_at.map(|at| at.to_string()),
    })
}

fn slack(webhook: &Webhook, delivery: &Delivery, run: Option<&Run>, pages: &str) -> Value {
    let Some(run) = run else {
        let text = format!("The webhook {} works.", webhook.name);
        return json!({"text": text, "blocks": [section(&text)]});
    };
    let name = format!("{} #{}", escaped(&run.test_name), run.number);
    let target = escaped(&run.environment);
    let linked = format!("<{}|{name}>", link(run, pages));
    if delivery.event == WebhookEvent::RunStarted {
        let text = |name: &str| format!("{name} puts load on {target}.");
        return json!({"text": text(&name), "blocks": [section(&text(&linked))]});
    }
    let said = match &run.verdict {
        Some(verdict) => verdict.level.as_str(),
        None => run.status.as_str(),
    };
    let text = |name: &str| format!("{said}: {name} on {target}");
    let mut blocks = vec![section(&format!("*{said}* {linked} on {target}"))];
    let reasons = run.verdict.iter().flat_map(|verdict| &verdict.reasons);
    let reasons: Vec<String> = reasons
        .take(SHOWN_REASONS)
        .map(|reason| format!("• {}", escaped(reason)))
        .collect();
    if !reasons.is_empty() {
        blocks.push(section(&reasons.join("\n")));
    }
    json!({"text": text(&name), "blocks": blocks})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

/// Text of others, in which Slack reads neither a link nor a mention.
fn escaped(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_TEXT).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let shown = shown.replace('&', "&amp;");
    shown.replace('<', "&lt;").replace('>', "&gt;")
}

fn link(run: &Run, pages: &str) -> String {
    format!("{pages}/runs/{}", run.id)
}
