//! The server's side of a call, as Prometheus would read it.

use instrumentation::{
    LogFormat, Switches, Telemetry, TelemetryConfig,
    http::{HttpTelemetry, RouteClass, Sampling},
};
use llm_simulator::{FaultRule, Simulator, SimulatorConfig};
use serde_json::json;
use service_defaults::router::with_defaults;

use crate::client::{DEADLINE, prompt, with_key};

fn config() -> TelemetryConfig {
    TelemetryConfig {
        service_name: "llm-simulator".to_owned(),
        service_version: "0",
        environment: String::new(),
        otlp_endpoint: None,
        otlp_http: Vec::new(),
        trace_query: None,
        log_filter: "off".to_owned(),
        log_format: LogFormat::Json,
        switches: Switches::default(),
    }
}

#[tokio::test]
async fn calls_and_faults_are_counted() {
    let telemetry = Telemetry::start(&config()).unwrap();
    let simulator = Simulator::build(SimulatorConfig::standard());
    let measured = HttpTelemetry {
        classify: |_| RouteClass::Ai,
        sampling: Sampling::default(),
    };
    let router = with_defaults(simulator.router(), measured, telemetry.metrics());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(DEADLINE)
        .build()
        .unwrap();

    let body = prompt(json!({"model": "claude-measured", "max_tokens": 9}));
    let call = || {
        with_key(client.post(format!("{base}/v1/messages")))
            .json(&body)
            .send()
    };
    assert_eq!(call().await.unwrap().status(), 200);
    let rule: FaultRule =
        serde_json::from_value(json!({"fault": {"status": {"code": 429}}})).unwrap();
    simulator.control().set_faults(vec![rule]).unwrap();
    assert_eq!(call().await.unwrap().status(), 429);

    check_request_id(&client, &base).await;
    let page = client.get(format!("{base}/metrics")).send();
    let text = page.await.unwrap().text().await.unwrap();
    let labels = r#"gen_ai_operation_name="chat",gen_ai_provider_name="anthropic",gen_ai_request_model="claude-measured",gen_ai_response_model="claude-measured""#;
    for line in [
        format!("gen_ai_server_request_duration_seconds_count{{{labels},error_type=\"\"}} 1"),
        format!("gen_ai_server_request_duration_seconds_count{{{labels},error_type=\"429\"}} 1"),
        format!("gen_ai_server_time_to_first_token_seconds_count{{{labels}}} 1"),
        format!("gen_ai_server_time_per_output_token_seconds_count{{{labels}}} 1"),
    ] {
        assert!(text.contains(&line), "{line} is not in:\n{text}");
    }
    let fault = r#"simulator_faults_total{gen_ai_provider_name="anthropic",fault="status"}"#;
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix(fault))
        .unwrap();
    assert!(count.trim().parse::<u64>().unwrap() >= 1);
    telemetry.shutdown().await;
}

/// What stands around the routes leaves the dialect's own id alone.
async fn check_request_id(client: &reqwest::Client, base: &str) {
    let request = client
        .post(format!("{base}/v1/responses"))
        .header("authorization", "Bearer k")
        .json(&json!({"model": "gpt-4.1", "input": "Hello"}));
    let reply = request.send().await.unwrap();
    let id = reply.headers()["x-request-id"].to_str().unwrap();
    assert!(id.starts_with("req_"), "{id} is not the dialect's own");
}
