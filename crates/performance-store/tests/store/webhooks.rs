//! Webhooks, and the deliveries that come with changes of runs.

use jiff::Timestamp;
use performance_store::{
    Attempt, Delivery, DeliveryState, MAX_DELIVERIES, MAX_WAITING_OF_WEBHOOK, MAX_WEBHOOKS,
    RunStatus, StoreError, Webhook, WebhookEvent, WebhookFormat,
};
use tenancy::TenantId;

use crate::test_store::TestStore;

fn webhook(name: &str, events: &[WebhookEvent]) -> Webhook {
    Webhook {
        tenant: TenantId::development(),
        name: name.to_owned(),
        target: "team".to_owned(),
        format: WebhookFormat::Slack,
        events: events.to_vec(),
        salt: [7; 16],
        created_by: "ana".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        switched_off: None,
    }
}

fn attempt(state: DeliveryState) -> Attempt {
    Attempt {
        state,
        next_at: Timestamp::UNIX_EPOCH,
        status: Some(200),
        error: None,
        switches_off: None,
    }
}

const BOTH: [WebhookEvent; 2] = [WebhookEvent::RunStarted, WebhookEvent::RunCompleted];

#[tokio::test]
async fn changes_of_runs_are_told_to_who_asks_for_them() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    test.store.add_webhook(webhook("all", &BOTH)).await?;
    test.store.add_webhook(webhook("ends", &BOTH[1..])).await?;
    let other = Webhook {
        tenant: TenantId::parse("other")?,
        ..webhook("theirs", &BOTH)
    };
    test.store.add_webhook(other.clone()).await?;
    let run = test.running().await?;
    test.finish(&run, RunStatus::Completed).await?;
    let test = test.reopen().await?;
    let told = async |name: &str| {
        let told = test.store.deliveries(&test.tenant, name, 10).await?;
        let events = told.iter().map(|one| (one.event, one.run));
        anyhow::Ok(events.collect::<Vec<_>>())
    };
    let started = (WebhookEvent::RunStarted, Some(run.id));
    let completed = (WebhookEvent::RunCompleted, Some(run.id));
    assert_eq!(told("all").await?, [completed, started]);
    assert_eq!(told("ends").await?, [completed]);
    let theirs = test.store.deliveries(&other.tenant, "theirs", 10).await?;
    assert_eq!(theirs, []);

    // One thing after the other.
    let first = test.store.first_deliveries().await?;
    let events: Vec<_> = first
        .iter()
        .map(|(hook, one)| (&*hook.name, one.event))
        .collect();
    assert_eq!(
        events,
        [
            ("all", WebhookEvent::RunStarted),
            ("ends", WebhookEvent::RunCompleted)
        ]
    );
    let id = first[0].1.id;
    test.store
        .note_attempt(id, attempt(DeliveryState::Waiting))
        .await?;
    test.store
        .note_attempt(id, attempt(DeliveryState::Delivered))
        .await?;
    let first = test.store.first_deliveries().await?;
    assert_eq!(first[0].1.event, WebhookEvent::RunCompleted);
    let all = test.store.deliveries(&test.tenant, "all", 10).await?;
    assert_eq!(
        (all[1].attempts, all[1].state),
        (2, DeliveryState::Delivered)
    );
    assert!(all[1].ended_at.is_some());
    // What waits says nothing yet.
    let latest = test.store.latest_deliveries(&test.tenant).await?;
    assert_eq!(latest, [("all".to_owned(), all[1].clone())]);
    Ok(())
}

#[tokio::test]
async fn who_is_gone_is_told_nothing_more() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    test.store.add_webhook(webhook("all", &BOTH)).await?;
    let run = test.running().await?;
    test.finish(&run, RunStatus::Completed).await?;
    let id = test.store.first_deliveries().await?[0].1.id;
    let gone = Attempt {
        switches_off: Some("gone".to_owned()),
        ..attempt(DeliveryState::Failed)
    };
    test.store.note_attempt(id, gone).await?;
    assert_eq!(test.store.first_deliveries().await?, []);
    let kept = test.store.webhook(&test.tenant, "all").await?;
    assert_eq!(kept.switched_off.as_deref(), Some("gone"));
    test.running().await?;
    assert_eq!(test.store.first_deliveries().await?, []);
    let tested = test.store.add_test_delivery(&test.tenant, "all").await;
    assert!(
        matches!(tested, Err(StoreError::Absent { .. })),
        "{tested:?}"
    );
    test.store.remove_webhook(&test.tenant, "all").await?;
    assert_eq!(test.store.deliveries(&test.tenant, "all", 10).await?, []);
    Ok(())
}

#[tokio::test]
async fn what_waits_and_what_is_kept_is_bounded() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    test.store.add_webhook(webhook("all", &BOTH)).await?;
    for _ in 0..MAX_WAITING_OF_WEBHOOK {
        let run = test.running().await?;
        test.finish(&run, RunStatus::Completed).await?;
    }
    let all = test.store.deliveries(&test.tenant, "all", 5_000).await?;
    let waits = |one: &&Delivery| one.state == DeliveryState::Waiting;
    let most = usize::try_from(MAX_WAITING_OF_WEBHOOK)?;
    assert_eq!(
        (all.len(), all.iter().filter(waits).count()),
        (2 * most, most)
    );
    // Whom nobody answers for takes no place of others.
    test.store.add_webhook(webhook("ends", &BOTH[1..])).await?;
    let run = test.running().await?;
    test.finish(&run, RunStatus::Completed).await?;
    let ends = test.store.deliveries(&test.tenant, "ends", 10).await?;
    assert_eq!(ends[0].state, DeliveryState::Waiting);

    for _ in 0..MAX_DELIVERIES + 10 {
        let id = test.store.add_test_delivery(&test.tenant, "ends").await?;
        let again = test.store.add_test_delivery(&test.tenant, "ends").await?;
        assert_eq!(id, again, "one that waits is enough");
        let delivered = attempt(DeliveryState::Delivered);
        test.store.note_attempt(id, delivered).await?;
    }
    test.store.add_test_delivery(&test.tenant, "ends").await?;
    let ends = test.store.deliveries(&test.tenant, "ends", 5_000).await?;
    let over = ends.iter().filter(|one| !waits(one));
    assert_eq!(over.count(), MAX_DELIVERIES as usize);
    for number in 2..MAX_WEBHOOKS {
        test.store
            .add_webhook(webhook(&format!("n{number}"), &BOTH))
            .await?;
    }
    let full = test.store.add_webhook(webhook("full", &BOTH)).await;
    assert!(matches!(full, Err(StoreError::TooMany { .. })), "{full:?}");
    Ok(())
}
