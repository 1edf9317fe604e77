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
use crate::listening::listen;

pub(crate) type Fields = HashMap<String, String>;

/// The fields of every closed span named `chat`.
#[derive(Clone, Default)]
pub(crate) struct Chats(Arc<Mutex<Vec<Fields>>>);

impl Chats {
    pub(crate) fn closed(&self) -> Vec<Fields> {
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

/// What a span says of the request below, and at which service it was answered.
const SAID_BEFORE: [(&str, &str); 11] = [
    ("otel.name", "chat claude-sonnet-5-5"),
    ("otel.kind", "client"),
    ("gen_ai.operation.name", "chat"),
    ("gen_ai.provider.name", "anthropic"),
    ("gen_ai.request.stream", "true"),
    ("gen_ai.request.max_tokens", "300"),
    ("server.address", "127.0.0.1"),
    ("bookstore.gen_ai.simulated", "true"),
    ("bookstore.gen_ai.attempt", "2"),
    ("bookstore.gen_ai.service_tier", "standard"),
    ("bookstore.gen_ai.retry.reason", "upstream"),
];

#[tokio::test]
async fn a_span_tells_what_the_answer_tells() {
    let chats = Chats::default();
    let _listening = listen(tracing_subscriber::registry().with(chats.clone()));
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
    for (name, expected) in SAID_BEFORE {
        assert_eq!(field(name), Some(expected), "{name}");
    }
    let cost = response.cost.expect("a price");
    for (name, expected) in [
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
        ("server.port", simulator.address().port().to_string()),
        (
            "bookstore.gen_ai.cost.pico_usd",
            cost.total.get().to_string(),
        ),
        ("bookstore.gen_ai.cost.usd", cost.total.to_string()),
        (
            "bookstore.gen_ai.price_version",
            cost.price_version.to_string(),
        ),
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
    let _listening = listen(tracing_subscriber::registry().with(chats.clone()));
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
    assert_eq!(closed[0].get("otel.status_code"), None);
    assert_eq!(closed[0]["bookstore.gen_ai.usage.estimated"], "true");
    assert_ne!(closed[0]["gen_ai.usage.input_tokens"], "0");
}

#[tokio::test]
async fn a_request_that_is_not_sampled_has_no_span() {
    let chats = Chats::default();
    let _listening = listen(tracing_subscriber::registry().with(chats.clone()));
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let base = simulator.base_url();
    let provider = provider(ProviderName::Ollama, &base, Deadlines::default());
    let measured = accounts.measured(provider);
    measured.complete(&request()).await.expect("an answer");
    assert_eq!(chats.closed().len(), 0);
}

/// What `/metrics` would show.
struct Rendered(String);

impl Rendered {
    /// The value of the one series whose line has all these parts.
    fn value(&self, parts: &[&str]) -> i64 {
        let matches = |line: &&str| parts.iter().all(|part| line.contains(part));
        let lines: Vec<&str> = self.0.lines().filter(matches).collect();
        let [line] = lines[..] else {
            panic!("{parts:?} matches {lines:?} in {}", self.0);
        };
        let (_, value) = line.rsplit_once(' ').expect("a value");
        value.parse().expect("an integer")
    }
}

#[tokio::test]
async fn counters_and_histograms_agree_with_the_answers() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let base = simulator.base_url();
    let provider = provider(ProviderName::Claude, &base, Deadlines::default());
    let measured = accounts.measured(provider);
    let before = Rendered(handle.render());
    let spend = ["bookstore_gen_ai_spend_pico_usd_total{", "anthropic"];
    let requests = ["bookstore_gen_ai_request_cost_usd_count{", "anthropic"];
    for begun in [&spend, &requests] {
        assert_eq!(before.value(begun), 0, "{begun:?}");
    }
    let whole = measured.complete(&request()).await.expect("an answer");
    let streamed = collect(measured.stream(&request()).await.expect("a stream")).await;
    let mut unknown = request();
    unknown.model = Some("no-such-price".to_owned());
    measured.complete(&unknown).await.expect("an answer");

    let rendered = Rendered(handle.render());
    let known = "gen_ai_request_model=\"claude-sonnet-5-5\"";
    let mut parts = [0, 0];
    for response in [&whole, &streamed] {
        let cost = response.cost.as_ref().expect("a price");
        parts[0] += cost.input.get();
        parts[1] += cost.output.get();
    }
    for (part, expected) in ["cost_part=\"input\"", "cost_part=\"output\""]
        .into_iter()
        .zip(parts)
    {
        let cost = "bookstore_gen_ai_cost_pico_usd_total{";
        let series = [cost, known, part, "simulated=\"true\""];
        assert_eq!(rendered.value(&series), expected, "{part}");
    }
    assert_eq!(rendered.value(&spend), parts[0] + parts[1]);
    assert_eq!(rendered.value(&requests), 2);
    let output = whole.usage.output_tokens + streamed.usage.output_tokens;
    let tokens = ["bookstore_gen_ai_tokens_total{", known, "=\"output\""];
    assert_eq!(u64::try_from(rendered.value(&tokens)), Ok(output));
    for (metric, part, expected) in [
        ("gen_ai_client_operation_duration_seconds_count{", known, 2),
        (
            "gen_ai_client_operation_time_to_first_chunk_seconds_count{",
            known,
            1,
        ),
        ("bookstore_gen_ai_operation_cost_usd_count{", known, 2),
        ("bookstore_gen_ai_attempts_total{", known, 2),
        ("bookstore_gen_ai_unpriced_calls_total{", "no-such-price", 1),
        ("bookstore_gen_ai_in_flight{", "anthropic", 0),
    ] {
        assert_eq!(rendered.value(&[metric, part]), expected, "{metric}");
    }
}

#[tokio::test]
async fn the_cost_of_a_request_has_all_of_its_attempts() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let base = simulator.base_url();
    let provider = provider(ProviderName::Claude, &base, Deadlines::default());
    let measured = accounts.measured(provider);
    let requests = |count| {
        let count_of = ["bookstore_gen_ai_request_cost_usd_count{"];
        assert_eq!(Rendered(handle.render()).value(&count_of), count);
    };
    let first = request();
    measured.complete(&first).await.expect("an answer");
    let mut second = first.clone();
    second.context.begin_another_call();
    measured.complete(&second).await.expect("an answer");
    drop(first);
    requests(0);
    drop(second);
    requests(1);
    let attempts = ["bookstore_gen_ai_operation_cost_usd_count{"];
    assert_eq!(Rendered(handle.render()).value(&attempts), 2);
}
