//! Spans and metrics of an attempt say the same as its answer.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use futures_util::StreamExt;
use llm::{ChatEvent, Deadlines, LlmProvider, ProviderName};
use metrics_exporter_prometheus::PrometheusBuilder;
use test_support::{llm_simulator, simulator};
use tracing::{Instrument, Subscriber, field::Field, field::Visit, span};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt, registry::LookupSpan};

use crate::fixture::{Accounts, collect, provider, request};

type Fields = HashMap<String, String>;

/// The fields of every closed span named `chat`.
#[derive(Clone, Default)]
struct Chats(Arc<Mutex<Vec<Fields>>>);

impl Chats {
    fn closed(&self) -> Vec<Fields> {
        self.0.lock().expect("not poisoned").clone()
    }
}

struct Recorder<'a>(&'a mut Fields);

impl Visit for Recorder<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        self.0
            .insert(field.name().to_owned(), text.trim_matches('"').to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Chats {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        let mut fields = Fields::new();
        attributes.record(&mut Recorder(&mut fields));
        let span = context.span(id).expect("a new span");
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("an open span");
        let mut extensions = span.extensions_mut();
        if let Some(fields) = extensions.get_mut::<Fields>() {
            values.record(&mut Recorder(fields));
        }
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("a closing span");
        if span.name() == "chat" {
            let fields = span.extensions_mut().remove::<Fields>();
            let mut closed = self.0.lock().expect("not poisoned");
            closed.push(fields.expect("its fields"));
        }
    }
}

#[tokio::test]
async fn a_span_tells_what_the_answer_tells() {
    let chats = Chats::default();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(chats.clone()));
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let base = simulator.base_url();
    let provider = provider(ProviderName::Claude, &base, Deadlines::default());
    let measured = accounts.measured(provider);
    let mut request = request();
    request.context.attempt = 2;
    request.context.retry_reason = Some("upstream");
    let response = async { collect(measured.stream(&request).await.expect("a stream")).await }
        .instrument(tracing::info_span!("request"))
        .await;

    let closed = chats.closed();
    assert_eq!(closed.len(), 1);
    let field = |name: &str| closed[0].get(name).map(String::as_str);
    let cost = response.cost.expect("a price");
    for (name, expected) in [
        ("otel.name", "chat claude-sonnet-5-5".to_owned()),
        ("otel.kind", "client".to_owned()),
        ("gen_ai.operation.name", "chat".to_owned()),
        ("gen_ai.provider.name", "anthropic".to_owned()),
        ("gen_ai.request.stream", "true".to_owned()),
        ("gen_ai.request.max_tokens", "300".to_owned()),
        ("gen_ai.response.model", response.model.clone()),
        (
            "gen_ai.response.id",
            response.response_id.clone().expect("an id"),
        ),
        (
            "gen_ai.usage.input_tokens",
            response.usage.input_tokens.to_string(),
        ),
        (
            "gen_ai.usage.output_tokens",
            response.usage.output_tokens.to_string(),
        ),
        ("server.address", "127.0.0.1".to_owned()),
        ("server.port", simulator.address().port().to_string()),
        (
            "bookstore.gen_ai.cost.pico_usd",
            cost.total.get().to_string(),
        ),
        ("bookstore.gen_ai.cost.usd", cost.total.to_string()),
        ("bookstore.gen_ai.simulated", "true".to_owned()),
        (
            "bookstore.gen_ai.price_version",
            cost.price_version.to_string(),
        ),
        ("bookstore.gen_ai.attempt", "2".to_owned()),
        ("bookstore.gen_ai.retry.reason", "upstream".to_owned()),
    ] {
        assert_eq!(field(name), Some(expected.as_str()), "{name}");
    }
    assert!(field("gen_ai.response.time_to_first_chunk").is_some());
    assert_eq!(field("error.type"), None);
    let all = format!("{closed:?}");
    assert!(
        !all.contains("test-key") && !all.contains("Gatsby"),
        "{all}"
    );
}

#[tokio::test]
async fn the_span_of_an_abandoned_stream_ends_with_what_was_read() {
    let chats = Chats::default();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(chats.clone()));
    let simulator = simulator().await.expect("a simulator");
    let slow = llm_simulator::Profile::standard();
    simulator.control().set_profile(slow);
    let accounts = Accounts::open();
    let provider = provider(
        ProviderName::Ollama,
        &simulator.base_url(),
        Deadlines::default(),
    );
    let measured = accounts.measured(provider);
    let work = async {
        let mut stream = measured.stream(&request()).await.expect("a stream");
        while !matches!(stream.next().await, Some(Ok(ChatEvent::Delta(_)))) {}
        assert_eq!(chats.closed().len(), 0);
    };
    work.instrument(tracing::info_span!("request")).await;
    let closed = chats.closed();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0]["error.type"], "cancelled");
    assert_eq!(closed[0]["bookstore.gen_ai.usage.estimated"], "true");
    assert_ne!(closed[0]["gen_ai.usage.input_tokens"], "0");
}

#[tokio::test]
async fn a_request_that_is_not_sampled_has_no_span() {
    let chats = Chats::default();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(chats.clone()));
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let base = simulator.base_url();
    let provider = provider(ProviderName::Ollama, &base, Deadlines::default());
    let measured = accounts.measured(provider);
    measured.complete(&request()).await.expect("an answer");
    assert_eq!(chats.closed().len(), 0);
}

#[tokio::test]
async fn counters_and_histograms_agree_with_the_answers() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let rendered = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let base = simulator.base_url();
    let provider = provider(ProviderName::Claude, &base, Deadlines::default());
    let measured = accounts.measured(provider);
    let whole = measured.complete(&request()).await.expect("an answer");
    let streamed = collect(measured.stream(&request()).await.expect("a stream")).await;
    let mut unknown = request();
    unknown.model = Some("no-such-price".to_owned());
    measured.complete(&unknown).await.expect("an answer");

    let text = rendered.render();
    let value = |series: &[&str]| {
        let mut lines = text
            .lines()
            .filter(|line| series.iter().all(|part| line.contains(part)));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("{series:?} in {text}"));
        assert_eq!(lines.next(), None, "{series:?}");
        let (_, value) = line.rsplit_once(' ').expect("a value");
        value.parse::<i64>().expect("an integer")
    };
    let known = "gen_ai_request_model=\"claude-sonnet-5-5\"";
    let cost = |response: &llm::ChatResponse| response.cost.clone().expect("a price");
    for (part, expected) in [
        (
            "input",
            cost(&whole).input.get() + cost(&streamed).input.get(),
        ),
        (
            "output",
            cost(&whole).output.get() + cost(&streamed).output.get(),
        ),
    ] {
        let part = format!("cost_part=\"{part}\"");
        let series = [
            "bookstore_gen_ai_cost_pico_usd_total{",
            known,
            &part,
            "simulated=\"true\"",
        ];
        assert_eq!(value(&series), expected, "{part}");
    }
    let output = whole.usage.output_tokens + streamed.usage.output_tokens;
    let tokens = [
        "bookstore_gen_ai_tokens_total{",
        known,
        "token_kind=\"output\"",
    ];
    assert_eq!(u64::try_from(value(&tokens)), Ok(output));
    let calls = ["gen_ai_client_operation_duration_seconds_count{", known];
    assert_eq!(value(&calls), 2);
    let first = [
        "gen_ai_client_operation_time_to_first_chunk_seconds_count{",
        known,
    ];
    assert_eq!(value(&first), 1);
    let unpriced = ["bookstore_gen_ai_unpriced_calls_total{", "no-such-price"];
    assert_eq!(value(&unpriced), 1);
    let attempts = [
        "bookstore_gen_ai_attempts_total{",
        known,
        "outcome=\"succeeded\"",
    ];
    assert_eq!(value(&attempts), 2);
    assert_eq!(value(&["bookstore_gen_ai_in_flight{", "\"anthropic\""]), 0);
}
