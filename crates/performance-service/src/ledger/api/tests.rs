//! Targets of all makes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response as Reply};
use axum::routing::get;
use http::header;
use serde_json::json;

use super::*;

type Seen = Arc<Mutex<Vec<String>>>;

/// A target that answers as the base path says; gives its address and what it was sent.
async fn target() -> (String, Seen) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let router = Router::new()
        .route("/{make}/api/v1/llm/costs", get(answer))
        .with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

async fn answer(
    State(seen): State<Seen>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Reply {
    let token = request.headers().get(header::AUTHORIZATION);
    let token = token.map_or("nothing", |token| token.to_str().unwrap());
    seen.lock().unwrap().push(format!("{query:?} {token}"));
    let path = request.uri().path().to_owned();
    match path.split('/').nth(1).unwrap() {
        "ours" => group("0.000412000001").into_response(),
        "wrong" => group("much").into_response(),
        "changed" => r#"{"groups":[{"key":"sonnet","simulated":false}]}"#.into_response(),
        "page" => "<html>welcome</html>".into_response(),
        "endless" => vec![b' '; 2 * MOST_BYTES].into_response(),
        "silent" => std::future::pending().await,
        status => StatusCode::from_bytes(status.as_bytes())
            .unwrap()
            .into_response(),
    }
}

fn group(cost: &str) -> String {
    let group = |simulated: bool| {
        json!({"key": "sonnet", "simulated": simulated, "attempts": 3, "unpricedAttempts": 1,
               "estimatedAttempts": 0, "inputTokens": 30, "outputTokens": 10,
               "costPicoUsd": 412_000_001, "costUsd": cost})
    };
    json!({"by": "model", "groups": [group(false), group(true)], "totals": {}}).to_string()
}

fn ledger(addresses: &str) -> ApiLedger {
    let client = test_support::http::client().unwrap();
    let settings = LedgerSettings {
        addresses: addresses.parse().unwrap(),
        token: Some("viewer-of-the-ledger".to_owned().into()),
    };
    ApiLedger::new(client, settings)
}

fn billed(base_url: String) -> BilledTarget {
    BilledTarget {
        name: "local".to_owned(),
        base_url,
    }
}

#[tokio::test]
async fn every_answer_is_an_amount_an_absence_or_a_silence() {
    let (address, _) = target().await;
    let ledger = ledger("");
    for (make, expected) in [
        ("ours", None),
        ("404", Some(LedgerError::Absent)),
        ("405", Some(LedgerError::Absent)),
        ("page", Some(LedgerError::Absent)),
        (
            "401",
            Some(LedgerError::Silent(
                "it answers 401 Unauthorized".to_owned(),
            )),
        ),
        (
            "307",
            Some(LedgerError::Silent(
                "it answers 307 Temporary Redirect".to_owned(),
            )),
        ),
        (
            "silent",
            Some(LedgerError::Silent("nothing within 2 s".to_owned())),
        ),
    ] {
        let answer = ledger
            .spend(&billed(format!("{address}/{make}")), "1f")
            .await;
        assert_eq!(answer.err(), expected, "{make}");
    }
    for make in ["wrong", "changed", "endless", "500"] {
        let answer = ledger
            .spend(&billed(format!("{address}/{make}")), "1f")
            .await;
        assert!(
            matches!(answer, Err(LedgerError::Silent(_))),
            "{make}: {answer:?}"
        );
    }
    let nobody = ledger
        .spend(&billed("http://127.0.0.1:1".to_owned()), "1f")
        .await;
    assert!(matches!(nobody, Err(LedgerError::Silent(_))), "{nobody:?}");

    let spend = ledger
        .spend(&billed(format!("{address}/ours")), "1f")
        .await
        .unwrap();
    for amount in [spend.real, spend.simulated] {
        assert_eq!(amount.cost.pico(), 412_000_001);
        assert_eq!((amount.calls, amount.unpriced_calls), (Some(3), 1));
    }
}

#[tokio::test]
async fn the_token_goes_to_listed_ledgers_only() {
    let (address, seen) = target().await;
    let elsewhere = format!("local={address}/ours/");
    let target = billed(format!("{address}/404"));
    assert!(ledger(&elsewhere).spend(&target, "1f").await.is_ok());
    let unlisted = ledger("").spend(&target, "1f").await;
    assert_eq!(unlisted, Err(LedgerError::Absent));
    let query = r#"[("by", "model"), ("testId", "1f")]"#;
    let expected = [
        format!("{query} Bearer viewer-of-the-ledger"),
        format!("{query} nothing"),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn further_models_are_one() {
    let group = |number: usize| Group {
        key: format!("model-{number}"),
        simulated: true,
        attempts: 1,
        unpriced_attempts: 0,
        input_tokens: 1,
        output_tokens: 1,
        cost_usd: "0.5".to_owned(),
    };
    let models = models((0..MOST_MODELS + 7).map(group).collect()).unwrap();
    assert_eq!(models.len(), MOST_MODELS + 1);
    assert_eq!(models[MOST_MODELS].model, OTHERS);
    assert_eq!(models[MOST_MODELS].amount.calls, Some(7));
    assert_eq!(
        Spend::of_models(models).simulated.cost,
        "28.5".parse().unwrap()
    );
}
