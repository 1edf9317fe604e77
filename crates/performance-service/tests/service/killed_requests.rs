//! `Idempotency-Key` where the service is killed amid the request.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::idempotency::{FAMILY, START, makers, smoke, webhook_service};
use crate::test_service::TestService;

/// Kills of the service at moments that nobody chose, while it carries a request out.
const KILLS: u32 = 10;

/// What a request takes on an idle machine; on a busy one the kills come earlier in it.
const WHOLE_REQUEST: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_request_whose_service_is_killed_makes_one_thing() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let mut random = fastrand::Rng::with_seed(7);
    let (mut answered, mut made) = (0, 0);
    for number in 1..=u64::from(KILLS) {
        let key = format!("k-{number}");
        let body = smoke();
        let moment = WHOLE_REQUEST.mul_f64(random.f64());
        let kill = async {
            until(moment).await;
            service.process.kill();
        };
        let (first, ()) = tokio::join!(service.keyed(&key, START, &body), kill);
        service.process.start_again()?;
        service.ready().await?;
        made += u64::from(service.count_runs().await? == usize::try_from(number)?);
        let id = again(&service, &key, START, &body).await?["testId"].take();
        // A connection may be cut in the middle of its answer.
        if let Ok(first) = first
            && let Ok(told) = first.json::<Value>().await
        {
            assert_eq!(told["testId"], id, "killed after {moment:?}");
            answered += 1;
        }
        assert_eq!(
            service.count_runs().await?,
            usize::try_from(number)?,
            "killed after {moment:?}"
        );
        let id = id.as_str().context("an id")?;
        service
            .post(&format!("/api/v1/performancetest/{id}/cancel"))
            .await?;
    }
    println!("{KILLS} kills: {made} runs were made before, {answered} of them told");
    Ok(())
}

/// What each route makes is found again where the service was killed between making it and keeping
/// the answer: a moment that no kill hits for sure.
#[tokio::test]
async fn what_was_made_before_the_kill_is_found() -> anyhow::Result<()> {
    let service = webhook_service().await?;
    let mut first = Vec::new();
    for (path, body, status) in makers() {
        let reply = service.keyed(&path, &path, &body).await?;
        assert_eq!(reply.status(), status, "{path}");
        first.push(reply.json::<Value>().await?);
    }
    service.process.kill();
    let file = service.state.path().join("data/performance.sqlite");
    let forgotten = rusqlite::Connection::open(file)?.execute(
        "UPDATE idempotency_keys SET state = 'open', status = NULL, body = NULL",
        [],
    )?;
    assert_eq!(forgotten, first.len());
    service.process.start_again()?;
    service.ready().await?;
    let runs = service.count_runs().await?;
    for ((path, body, status), first) in makers().into_iter().zip(&first) {
        let reply = service.keyed(&path, &path, &body).await?;
        assert_eq!(reply.status(), status, "{path}");
        assert!(
            !reply.headers().contains_key("idempotent-replayed"),
            "{path}"
        );
        let again: Value = reply.json().await?;
        for name in [
            "testId",
            "searchId",
            "name",
            "createdAt",
            "changedAt",
            "signingSecret",
            "deliveryId",
            "testScript",
        ] {
            assert_eq!(first[name], again[name], "{path}: {name}");
        }
        // From then on the answer is kept.
        let kept = service.keyed(&path, &path, &body).await?;
        assert_eq!(kept.headers()["idempotent-replayed"], "true", "{path}");
    }
    assert_eq!(service.count_runs().await?, runs);
    for list in ["schedules", "webhooks", "capacity"] {
        let list = service.get_json(&format!("{FAMILY}/{list}")).await?;
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    }
    Ok(())
}

/// The answer to a request that is sent again after a restart.
async fn again(
    service: &TestService,
    key: &str,
    path: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    let reply = service.keyed(key, path, body).await?;
    let status = reply.status();
    let told: Value = reply.json().await?;
    anyhow::ensure!(status == 201, "{status}: {told}");
    Ok(told)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of a crash is no event that could be awaited"
)]
async fn until(moment: Duration) {
    tokio::time::sleep(moment).await;
}
