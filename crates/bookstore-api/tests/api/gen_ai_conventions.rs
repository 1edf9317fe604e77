//! What real calls of every provider tell, held against OpenTelemetry's conventions for generative
//! AI: each attribute of their spans and each label of their metrics.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::{
    Jaeger,
    conventions::{self, AttributeType, Conventions},
    exposition::Exposition,
    jaeger,
    jaeger::Span,
};

use crate::{
    event_stream::open,
    llm_fixture::{PROVIDERS, SimulatedLlm},
    test_api::Setup,
};

/// What the exporter and Jaeger add to each span.
const OF_THE_EXPORTER: [&str; 4] = ["otel.", "span.", "internal.", "error"];

async fn traced(setup: Setup) -> anyhow::Result<(Jaeger, SimulatedLlm)> {
    let jaeger = jaeger().await?;
    let setup = setup.with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint());
    Ok((jaeger, SimulatedLlm::start_with_all(setup).await?))
}

/// The call's span of a trace.
async fn chat(jaeger: &Jaeger, trace: &str) -> anyhow::Result<Span> {
    let called = |trace: &jaeger::Trace| trace.span("chat ").is_some();
    let trace = jaeger.trace_where(trace, "has a call", called).await?;
    trace.span("chat ").cloned().context("a call")
}

/// How a call's span differs from what the conventions say of it.
fn differences(span: &Span, conventions: &Conventions) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in &span.tags {
        match conventions.attributes.get(name) {
            Some(expected) if !is(value, *expected) => {
                found.push(format!("{name} is {value}, no {expected:?}"));
            }
            Some(_) => {}
            None if name.starts_with("bookstore.")
                || conventions.span.stable.contains(name)
                || OF_THE_EXPORTER.iter().any(|start| name.starts_with(start)) => {}
            None => found.push(format!(
                "{name} is no attribute of the conventions, nor ours"
            )),
        }
    }
    let (required, known) = (&conventions.span.required, &conventions.span.if_known);
    for name in required.iter().chain(known) {
        if !span.tags.contains_key(name) {
            found.push(format!("{name} is missing"));
        }
    }
    let operation = span.tag("gen_ai.operation.name").unwrap_or_default();
    let model = span.tag("gen_ai.request.model").unwrap_or_default();
    if span.name != format!("{operation} {model}") {
        found.push(format!("its name is {}", span.name));
    }
    if span.tag("span.kind").as_deref() != Some("client") {
        found.push("it is no client's".to_owned());
    }
    found
}

fn is(value: &Value, expected: AttributeType) -> bool {
    match expected {
        AttributeType::Text => value.is_string(),
        AttributeType::Integer => value.is_u64(),
        AttributeType::Number => value.is_number(),
        AttributeType::Flag => value.is_boolean(),
        // Jaeger's query API shows lists as JSON, and so do spans for what is structured.
        AttributeType::Texts => json_in(value).is_some_and(|list| {
            let texts = list.as_array();
            texts.is_some_and(|texts| !texts.is_empty() && texts.iter().all(Value::is_string))
        }),
        AttributeType::Any => json_in(value).is_some(),
    }
}

fn json_in(value: &Value) -> Option<Value> {
    serde_json::from_str(value.as_str()?).ok()
}

#[tokio::test]
async fn spans_of_every_provider_have_the_conventions_attributes() -> anyhow::Result<()> {
    let conventions = conventions::gen_ai()?;
    let (jaeger, llm) = traced(Setup::default()).await?;
    let mut told = BTreeSet::new();
    for (provider, name) in PROVIDERS {
        let query = format!("provider={provider}");
        let whole = llm.ask(&llm.book().await?, &query).await?;
        let mut stream = open(&llm.caller, &llm.book().await?, &query).await?;
        let streamed = stream.header("traceresponse").to_owned();
        stream.rest().await?;
        llm.break_by(&json!([{"fault": {"status": {"code": 400}}}]))?;
        let failed = llm.ask(&llm.book().await?, &query).await?;
        failed.problem(502)?;
        llm.break_by(&json!([]))?;
        let streamed = streamed.split('-').nth(1).context("a trace")?;
        for (trace, fails) in [
            (whole.expect(200)?.trace_id()?, false),
            (streamed, false),
            (failed.trace_id()?, true),
        ] {
            let span = chat(&jaeger, trace).await?;
            let found = differences(&span, &conventions);
            assert!(found.is_empty(), "{provider}: {found:#?}");
            assert_eq!(span.tag("gen_ai.provider.name").as_deref(), Some(name));
            assert_eq!(span.tags.contains_key("error.type"), fails, "{provider}");
            let known = conventions.attributes.contains_key("gen_ai.response.id");
            assert!(known && !span.tags.contains_key("gen_ai.input.messages"));
            told.extend(span.tags.into_keys());
        }
    }
    // What the conventions recommend and we know is told by some provider.
    for name in [
        "gen_ai.request.max_tokens",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "server.address",
    ] {
        assert!(told.contains(name), "nobody told {name}");
    }
    Ok(())
}

#[test]
fn every_difference_is_found() -> anyhow::Result<()> {
    let conventions = conventions::gen_ai()?;
    let tags = [
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.provider.name", json!("anthropic")),
        ("gen_ai.request.model", json!("m")),
        ("gen_ai.request.stream", json!(true)),
        ("gen_ai.response.finish_reasons", json!("[\"stop\"]")),
        ("server.port", json!(443)),
        ("span.kind", json!("client")),
    ];
    let sound = Span {
        id: String::new(),
        parent_id: None,
        name: "chat m".to_owned(),
        service: String::new(),
        resource: BTreeMap::new(),
        tags: tags.map(|(name, value)| (name.to_owned(), value)).into(),
        events: Vec::new(),
        duration: 0,
    };
    assert_eq!(differences(&sound, &conventions), Vec::<String>::new());
    for (name, value) in [
        ("gen_ai.system", json!("anthropic")),
        ("llm.latency", json!(1)),
        ("gen_ai.request.stream", json!("true")),
        ("gen_ai.response.finish_reasons", json!("stop")),
        ("gen_ai.usage.input_tokens", json!(1.5)),
        ("span.kind", json!("internal")),
        ("gen_ai.request.model", json!("another")),
    ] {
        let mut broken = sound.clone();
        broken.tags.insert(name.to_owned(), value);
        assert!(!differences(&broken, &conventions).is_empty(), "{name}");
    }
    let mut without = sound;
    without.tags.remove("server.port");
    assert!(!differences(&without, &conventions).is_empty());
    Ok(())
}

#[tokio::test]
async fn metrics_of_every_provider_have_the_conventions_names() -> anyhow::Result<()> {
    let conventions = conventions::gen_ai()?;
    let llm = SimulatedLlm::start_with_all(Setup::default()).await?;
    for (provider, _) in PROVIDERS {
        let query = format!("provider={provider}");
        llm.summary(&llm.book().await?, &query).await?;
    }
    let text = llm.caller.get("/metrics").await?.expect(200)?.text();
    let shown = Exposition::read(&text)?;
    let spelled: BTreeMap<String, &str> = conventions
        .metrics
        .iter()
        .map(|(name, metric)| {
            let unit = if metric.unit == "s" { "_seconds" } else { "" };
            (format!("{}{unit}", name.replace('.', "_")), name.as_str())
        })
        .collect();
    let mut providers = BTreeSet::new();
    let families = shown.families.keys().filter(|it| it.starts_with("gen_ai_"));
    for family in families {
        let name = spelled
            .get(family)
            .with_context(|| format!("{family} is in no convention"))?;
        let metric = &conventions.metrics[*name];
        for series in shown.series(family) {
            let labels = &series.labels;
            let required = metric.required.iter().map(|name| name.replace('.', "_"));
            for label in required {
                let value = labels.get(&label).map_or("", String::as_str);
                ensure!(!value.is_empty(), "{family} without {label}: {labels:?}");
            }
            let known: BTreeSet<String> = metric
                .required
                .iter()
                .chain(&metric.other)
                .map(|name| name.replace('.', "_"))
                .collect();
            let foreign = labels.keys().find(|label| !known.contains(*label));
            ensure!(foreign.is_none(), "{family} has {foreign:?}");
            providers.insert(labels["gen_ai_provider_name"].clone());
        }
    }
    assert_eq!(providers, PROVIDERS.map(|(_, name)| name.to_owned()).into());
    Ok(())
}

#[tokio::test]
async fn messages_are_told_to_whoever_wants_them_without_keys_and_bounded() -> anyhow::Result<()> {
    let setup = Setup::default().with(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "span_only",
    );
    let (jaeger, llm) = traced(setup).await?;
    let conventions = conventions::gen_ai()?;
    let body = json!({
        "title": "A Book with a Key",
        "author": "An Author",
        "description": format!("The key is {} and {}", llm.key(), "long ".repeat(1_500)),
    });
    let book = llm.caller.create("/api/v1/books", &body).await?;
    let book = crate::caller::address("/api/v1/books", &book)?;
    let reply = llm.ask(&book, "provider=claude").await?;
    let summary = reply.expect(200)?.json()?;
    let span = chat(&jaeger, reply.trace_id()?).await?;
    assert_eq!(differences(&span, &conventions), Vec::<String>::new());
    let part = |name: &str| -> anyhow::Result<Value> {
        let text = span.tag(name).with_context(|| format!("no {name}"))?;
        Ok(serde_json::from_str(&text)?)
    };
    let input = part("gen_ai.input.messages")?;
    assert_eq!(input[0]["role"], "user");
    let asked = input[0]["parts"][0]["content"].as_str().context("a text")?;
    assert!(
        asked.contains("A Book with a Key") && asked.contains("***"),
        "{asked}"
    );
    assert!(asked.ends_with("… (cut)") && asked.len() < 2_100, "{asked}");
    let output = part("gen_ai.output.messages")?;
    let said = output[0]["parts"][0]["content"]
        .as_str()
        .context("a text")?;
    assert_eq!(said.trim(), summary["aiGeneratedSummary"]);
    assert_eq!(output[0]["finish_reason"], "end_turn");
    assert!(part("gen_ai.system_instructions")?[0]["content"].is_string());
    let all = format!("{:?}", span.tags);
    assert!(!all.contains(llm.key()), "{all}");
    let log = llm.api.process().log();
    assert!(log.contains("have prompts and answers"), "{log}");
    Ok(())
}
