//! The controls over HTTP.

use llm_simulator::{JOURNAL_CALLS, Profile};
use serde_json::{Value, json};

use crate::client::{TestSimulator, chat, json, prompt};

fn written_profile() -> Value {
    json!({
        "name": "steady",
        "timeToFirstTokenMs": {"p50": 1.0, "p95": 1.0},
        "interTokenGapMs": {"p50": 0.0, "p95": 0.0},
        "outputTokens": {"min": 7, "max": 7},
    })
}

#[tokio::test]
async fn a_profile_is_chosen_by_name_or_written_out() {
    let simulator = TestSimulator::instant().await;
    let (status, shown) = json(simulator.put("/control/profile", &written_profile())).await;
    assert_eq!((status, &shown), (200, &written_profile()));
    assert_eq!(json(simulator.get("/control/profile")).await.1, shown);
    let (_, message) = json(simulator.messages(&prompt(json!({})))).await;
    assert_eq!(message["usage"]["output_tokens"], 7);

    let (_, shown) = json(simulator.put("/control/profile", &json!({"name": "default"}))).await;
    assert_eq!(shown["timeToFirstTokenMs"]["p50"], 40.0);
    for (wrong, field) in [
        (json!({"name": "fastest"}), "name"),
        (json!({"name": "/etc/passwd.toml"}), "name"),
        (json!({"speed": 1}), "body"),
    ] {
        let (status, problem) = json(simulator.put("/control/profile", &wrong)).await;
        assert_eq!(status, 400);
        assert!(problem["errors"].get(field).is_some(), "{problem}");
    }
    let mut wrong = written_profile();
    wrong["outputTokens"]["min"] = json!(0);
    let (status, problem) = json(simulator.put("/control/profile", &wrong)).await;
    assert_eq!(status, 400);
    assert!(problem["errors"]["outputTokens"].is_array(), "{problem}");
}

#[tokio::test]
async fn meter_and_journal_show_every_call_and_a_reset_empties_them() {
    let simulator = TestSimulator::instant().await;
    for _ in 0..3 {
        json(simulator.messages(&prompt(json!({})))).await;
    }
    json(simulator.post("/api/chat", &chat(json!({"stream": false})))).await;

    let (_, meter) = json(simulator.get("/control/meter")).await;
    let (_, journal) = json(simulator.get("/control/calls")).await;
    let calls = journal["calls"].as_array().unwrap();
    let sum = |name: &str| {
        calls
            .iter()
            .map(|call| call[name].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!((calls.len(), &meter["total"]["calls"]), (4, &json!(4)));
    assert_eq!(meter["total"]["outputTokens"], sum("outputTokens"));
    assert_eq!(meter["total"]["inputTokens"], sum("inputTokens"));
    assert_eq!(meter["rows"][0]["model"], "claude-sonnet-5-5");
    assert_eq!(meter["rows"][1]["dialect"], "ollama");
    let (_, last) = json(simulator.get("/control/calls?limit=1")).await;
    assert_eq!(last["calls"], json!([calls[3]]));
    for limit in [0, JOURNAL_CALLS + 1] {
        let (status, _) = json(simulator.get(&format!("/control/calls?limit={limit}"))).await;
        assert_eq!(status, 400);
    }

    simulator.control().set_profile(Profile::standard());
    json(simulator.put("/control/seed", &json!({"seed": 9}))).await;
    let reset = simulator
        .post("/control/reset", &Value::Null)
        .send()
        .await
        .unwrap();
    assert_eq!(reset.status(), 204);
    let (_, meter) = json(simulator.get("/control/meter")).await;
    assert_eq!(
        (&meter["total"]["calls"], &meter["rows"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(
        json(simulator.get("/control/profile")).await.1["name"],
        "instant"
    );
    let (_, first) = json(simulator.messages(&prompt(json!({})))).await;
    assert!(first["id"].is_string());
    assert_eq!(simulator.call(1).await.number, 1);
}

#[tokio::test]
async fn wrong_rules_and_addresses_are_problems() {
    let simulator = TestSimulator::instant().await;
    let rule = json!({"rules": [{"fault": {"status": {"code": 200}}}]});
    let (status, problem) = json(simulator.put("/control/faults", &rule)).await;
    assert_eq!(status, 400);
    assert!(
        problem["errors"]["rules[0].fault.status.code"].is_array(),
        "{problem}"
    );
    let rules: Vec<Value> = (0..65).map(|_| json!({"fault": {"cut": {}}})).collect();
    let (status, _) = json(simulator.put("/control/faults", &json!({"rules": rules}))).await;
    assert_eq!(status, 400);
    assert_eq!(
        json(simulator.get("/control/faults")).await.1,
        json!({"rules": [], "hits": []})
    );
    assert_eq!(json(simulator.get("/nothing")).await.0, 404);
}

#[tokio::test]
async fn single_models_can_have_a_profile_of_their_own() {
    let simulator = TestSimulator::instant().await;
    let models = json!({"models": [
        {"model": "claude-*", "profile": written_profile()},
        {"model": "llama3.2", "profile": {"name": "local-7b-cpu"}},
    ]});
    let (status, shown) = json(simulator.put("/control/profiles", &models)).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["default"]["name"], "instant");
    assert_eq!(shown["models"][1]["profile"]["load"]["slots"], 4);
    assert_eq!(json(simulator.get("/control/profiles")).await.1, shown);
    let (_, message) = json(simulator.messages(&prompt(json!({})))).await;
    assert_eq!(message["usage"]["output_tokens"], 7);
    for (wrong, field) in [
        (
            json!({"models": [{"model": "a*b", "profile": {"name": "instant"}}]}),
            "models",
        ),
        (
            json!({"models": [{"model": "a", "profile": {"name": "fastest"}}]}),
            "models[0].profile.name",
        ),
    ] {
        let (status, problem) = json(simulator.put("/control/profiles", &wrong)).await;
        assert_eq!(status, 400);
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    assert_eq!(
        json(simulator.get("/control/seed")).await.1,
        json!({"seed": 1})
    );
}
