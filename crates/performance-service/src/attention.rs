//! What needs a person: tests that do not pass or that changed and nobody knows why, starts that
//! were missed, webhooks that reach nobody, money that comes to its end. What is all right is not
//! told.

mod steps;

use load_analysis::dollars::Dollars;
use load_analysis::verdict::Level;
use performance_store::{
    Delivery, DeliveryState, Passed, RunStore, ScheduledStart, StartOutcome, StoreError,
    TestSummary, Webhook,
};
use service_defaults::problem::Problem;
use tenancy::TenantId;

use crate::app::App;
use crate::presentation::words;
use crate::problems;
use crate::tenant_limits;

/// From this share of what may be spent on, money is told of: there is time to do something then.
const NEARLY_SPENT: f64 = 0.8;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matter {
    /// What it is about.
    pub(crate) subject: String,
    /// What is the matter with it, as the rest of a sentence.
    pub(crate) says: String,
    /// The page where it is seen.
    pub(crate) page: String,
    /// The verdict, where there is one.
    pub(crate) level: Option<&'static str>,
}

/// What of a tenant needs a person, the most pressing first.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn matters(
    app: &App,
    tenant: &TenantId,
    tests: &[TestSummary],
) -> Result<Vec<Matter>, Problem> {
    let mut matters: Vec<Matter> = tests.iter().filter_map(of_test).collect();
    let others = of_stored(&app.store, tenant, app.daily_dollars).await;
    matters.extend(others.map_err(problems::from_store)?);
    matters.extend(steps::unexplained(app, tenant, tests).await?);
    Ok(matters)
}

async fn of_stored(
    store: &RunStore,
    tenant: &TenantId,
    daily_dollars: Dollars,
) -> Result<Vec<Matter>, StoreError> {
    let midnight = tenant_limits::midnight(store.clock().now());
    let spent = store.spent_since(tenant, midnight).await?;
    let mut matters = Vec::from_iter(of_money(spent, daily_dollars));
    let starts = store.latest_starts(tenant).await?;
    matters.extend(
        starts
            .iter()
            .filter_map(|(name, start)| of_start(name, start)),
    );
    let webhooks = store.webhooks(tenant).await?;
    let deliveries = store.latest_deliveries(tenant).await?;
    let last = |webhook: &Webhook| {
        let mut all = deliveries.iter();
        all.find(|(name, _)| *name == webhook.name)
            .map(|(_, sent)| sent)
    };
    matters.extend(
        webhooks
            .iter()
            .filter_map(|webhook| of_webhook(webhook, last(webhook))),
    );
    Ok(matters)
}

/// A test whose latest run did not pass, and for how long that has been so. Whoever cancels a run
/// knows of it, so that the one before decides.
fn of_test(test: &TestSummary) -> Option<Matter> {
    let run = test.decisive.as_ref()?;
    let level = run.verdict.as_ref().map(|verdict| verdict.level);
    let what = match level {
        Some(Level::Pass | Level::Warning) => return None,
        Some(level) => level.as_str(),
        None => "not carried out",
    };
    Some(Matter {
        subject: test.name.clone(),
        says: format!("is {what}: {}", since(test.passed, test.runs_since)),
        page: format!("/runs/{}", run.id),
        level: level.map(Level::as_str),
    })
}

fn since(passed: Option<Passed>, runs_since: u64) -> String {
    let runs = words::runs(runs_since);
    match passed {
        Some(Passed { number, at, .. }) => {
            format!(
                "{runs} since it last passed, #{number} of {}",
                words::clock(at)
            )
        }
        None => format!("{runs}, and none has passed"),
    }
}

fn of_money(spent: Dollars, allowed: Dollars) -> Option<Matter> {
    if allowed.is_zero() {
        return None;
    }
    let share = spent.approximate_pico() / allowed.approximate_pico();
    (share >= NEARLY_SPENT).then(|| Matter {
        subject: "Real dollars of today".to_owned(),
        says: format!("{:.0} % are spent, {spent} of {allowed}", share * 100.0),
        page: "/spend".to_owned(),
        level: None,
    })
}

fn of_start(schedule: &str, start: &ScheduledStart) -> Option<Matter> {
    let outcome = match start.outcome {
        StartOutcome::Missed => "missed its start",
        StartOutcome::Refused => "was refused its start",
        StartOutcome::Taken | StartOutcome::Started | StartOutcome::Skipped => return None,
    };
    let times = match start.starts {
        0 | 1 => String::new(),
        several => format!(", the first of {several}"),
    };
    let cause = match start.cause.as_str() {
        "" => String::new(),
        cause => format!(": {cause}"),
    };
    Some(Matter {
        subject: format!("Schedule {schedule}"),
        says: format!("{outcome} of {}{times}{cause}", words::clock(start.due)),
        page: "/schedules".to_owned(),
        level: None,
    })
}

fn of_webhook(webhook: &Webhook, last: Option<&Delivery>) -> Option<Matter> {
    let undelivered =
        |sent: &&Delivery| matches!(sent.state, DeliveryState::Failed | DeliveryState::Dropped);
    let says = match (&webhook.switched_off, last.filter(undelivered)) {
        (Some(reason), _) => format!("is switched off: {reason}"),
        (None, Some(sent)) => {
            let reason = sent.error.as_deref().unwrap_or("too many messages wait");
            format!("was not reached: {reason}")
        }
        (None, None) => return None,
    };
    Some(Matter {
        subject: format!("Webhook {}", webhook.name),
        says,
        page: "/webhooks".to_owned(),
        level: None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use performance_store::{WebhookEvent, WebhookFormat};

    use super::*;

    fn dollars(text: &str) -> Dollars {
        text.parse().unwrap()
    }

    #[test]
    fn money_is_told_of_while_some_is_left() {
        assert_eq!(of_money(dollars("3.99"), dollars("5")), None);
        let matter = of_money(dollars("4.1"), dollars("5")).unwrap();
        assert_eq!(matter.says, "82 % are spent, $4.1000 of $5.0000");
        // Where nothing may be spent, no run spends anything.
        assert_eq!(of_money(Dollars::ZERO, Dollars::ZERO), None);
    }

    #[test]
    fn a_start_is_told_of_when_it_is_lost() {
        let due: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
        let start = |outcome, starts| ScheduledStart {
            due,
            at: due,
            outcome,
            run: None,
            cause: "the service was not running".to_owned(),
            starts,
        };
        let missed = of_start("nightly", &start(StartOutcome::Missed, 3)).unwrap();
        assert_eq!(
            missed.says,
            "missed its start of 2026-11-22 01:00:00 UTC, the first of 3: the service was not \
             running"
        );
        for outcome in [StartOutcome::Skipped, StartOutcome::Started] {
            assert_eq!(of_start("nightly", &start(outcome, 1)), None);
        }
    }

    #[test]
    fn a_webhook_is_told_of_when_it_reaches_nobody() {
        let at = Timestamp::UNIX_EPOCH;
        let webhook = |switched_off: Option<&str>| Webhook {
            tenant: TenantId::development(),
            name: "ci".to_owned(),
            target: "team".to_owned(),
            format: WebhookFormat::Json,
            events: vec![WebhookEvent::RunCompleted],
            salt: [7; 16],
            created_by: "ana".to_owned(),
            created_at: at,
            switched_off: switched_off.map(str::to_owned),
        };
        let sent = |state| Delivery {
            id: 1,
            event: WebhookEvent::RunCompleted,
            run: None,
            state,
            attempts: 5,
            created_at: at,
            next_at: at,
            ended_at: Some(at),
            status: None,
            error: Some("connection refused".to_owned()),
        };
        let told = |webhook: &Webhook, state| Some(of_webhook(webhook, Some(&sent(state)))?.says);
        let (on, off) = (webhook(None), webhook(Some("410 Gone")));
        assert_eq!(told(&on, DeliveryState::Delivered), None);
        assert_eq!(of_webhook(&on, None), None);
        let failed = told(&on, DeliveryState::Failed);
        assert_eq!(
            failed.as_deref(),
            Some("was not reached: connection refused")
        );
        let off = told(&off, DeliveryState::Delivered);
        assert_eq!(off.as_deref(), Some("is switched off: 410 Gone"));
    }

    #[test]
    fn how_long_a_test_has_not_passed_is_told_in_runs() {
        assert_eq!(since(None, 1), "one run, and none has passed");
        let run = performance_store::RunId::generate();
        let at = "2026-11-22T01:00:00Z".parse().unwrap();
        let passed = Passed { run, number: 7, at };
        let told = since(Some(passed), 3);
        assert_eq!(
            told,
            "3 runs since it last passed, #7 of 2026-11-22 01:00:00 UTC"
        );
    }
}
