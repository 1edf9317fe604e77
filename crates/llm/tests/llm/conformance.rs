//! What every provider must do, against the simulator over HTTP.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use llm::{ChatEvent, Deadlines, LlmError, LlmProvider, Outcome, Usage};
use test_support::{llm_simulator, simulator};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    dialects::{DIALECTS, Dialect},
    fixture::{Accounts, collect, drain, request},
};

#[tokio::test]
async fn answers_tokens_and_money_agree_with_the_simulators_own_meter() {
    for dialect in DIALECTS {
        for streamed in [false, true] {
            let simulator = simulator().await.expect("a simulator");
            let accounts = Accounts::open();
            let provider = dialect.provider(&simulator.base_url(), Deadlines::default());
            let measured = accounts.measured(provider);
            let response = if streamed {
                collect(measured.stream(&request()).await.expect("a stream")).await
            } else {
                measured.complete(&request()).await.expect("an answer")
            };

            assert!(!response.text.is_empty(), "{dialect}");
            assert_eq!(response.model, measured.model());
            assert!(response.finish_reason.is_some(), "{dialect}");
            assert!(response.simulated);
            assert!(!response.usage.estimated, "{dialect}");
            assert_eq!(response.latency.time_to_first_token.is_some(), streamed);
            assert!(response.latency.total >= response.latency.decode.unwrap_or_default());
            assert!(
                response.request_id.is_some() || dialect == Dialect::Ollama,
                "{dialect}"
            );

            let meter = simulator.control().meter().total;
            assert_eq!((meter.calls, meter.completed), (1, 1), "{dialect}");
            assert_eq!(response.usage.input_tokens, meter.input_tokens, "{dialect}");
            assert_eq!(
                response.usage.output_tokens, meter.output_tokens,
                "{dialect}"
            );

            let rows = accounts.rows().await;
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].outcome, Outcome::Succeeded);
            assert_eq!(rows[0].usage, response.usage);
            assert_eq!(rows[0].streamed, streamed);
            assert_eq!(rows[0].test_id.as_deref(), Some("run-7"));
            let cost = response.cost.expect("a price");
            assert_eq!(rows[0].cost, Some(cost.total));
            let [input, output] = pico_usd_per_token(dialect);
            let expected = input * meter.input_tokens + output * meter.output_tokens;
            assert_eq!(u64::try_from(cost.total.get()), Ok(expected), "{dialect}");
        }
    }
}

/// What the default models cost: dollars per million tokens are millions of pico-dollars per token.
fn pico_usd_per_token(dialect: Dialect) -> [u64; 2] {
    match dialect {
        Dialect::Claude => [2_000_000, 10_000_000],
        Dialect::OpenAiChat | Dialect::OpenAiResponses => [1_000_000, 5_000_000],
        Dialect::Bedrock => [60_000, 240_000],
        Dialect::Ollama | Dialect::LmStudio => [0, 0],
    }
}

#[tokio::test]
async fn a_stream_starts_flows_and_finishes_in_this_order() {
    for dialect in DIALECTS {
        let simulator = simulator().await.expect("a simulator");
        let provider = dialect.provider(&simulator.base_url(), Deadlines::default());
        let stream = provider.stream(&request()).await.expect("a stream");
        let (events, error) = drain(stream).await;
        assert_eq!(error, None);
        let [
            ChatEvent::Started { model, .. },
            deltas @ ..,
            ChatEvent::Finished(response),
        ] = &events[..]
        else {
            panic!("{dialect}: {events:?}");
        };
        assert_eq!(model, provider.model());
        let text: String = deltas
            .iter()
            .map(|event| match event {
                ChatEvent::Delta(text) => text.as_str(),
                other => panic!("{dialect}: {other:?}"),
            })
            .collect();
        assert!(deltas.len() > 1, "{dialect} came in one piece");
        assert_eq!(text, response.text, "{dialect}");
    }
}

#[tokio::test]
async fn a_model_of_the_request_wins_over_the_configured_one() {
    for dialect in DIALECTS {
        let simulator = simulator().await.expect("a simulator");
        let provider = dialect.provider(&simulator.base_url(), Deadlines::default());
        let mut request = request();
        request.model = Some("claude-haiku-4-5".to_owned());
        let response = provider.complete(&request).await.expect("an answer");
        assert_eq!(response.model, "claude-haiku-4-5", "{dialect}");
        let calls = simulator.control().calls(1);
        assert_eq!(calls[0].model, "claude-haiku-4-5", "{dialect}");
    }
}

#[tokio::test]
async fn leaving_a_stream_cancels_the_call_and_books_what_was_read() {
    for dialect in DIALECTS {
        let simulator = simulator().await.expect("a simulator");
        let slow = llm_simulator::Profile::standard();
        simulator.control().set_profile(slow);
        let accounts = Accounts::open();
        let provider = dialect.provider(&simulator.base_url(), Deadlines::default());
        let measured = accounts.measured(provider);
        let mut stream = measured.stream(&request()).await.expect("a stream");
        let mut read = String::new();
        while read.is_empty() {
            if let Some(Ok(ChatEvent::Delta(text))) = stream.next().await {
                read = text;
            }
        }
        drop(stream);

        let rows = accounts.rows().await;
        assert_eq!(rows.len(), 1, "{dialect}");
        assert_eq!(rows[0].outcome, Outcome::Cancelled);
        assert!(rows[0].usage.estimated);
        assert!(rows[0].usage.input_tokens > 0, "{dialect}");
        assert!(rows[0].usage.output_tokens > 0, "{dialect}");
        test_support::wait::until(
            "the simulator sees the client leave",
            Duration::from_secs(5),
            async || match simulator.control().meter().total.cancelled {
                1 => Ok(()),
                other => Err(anyhow::anyhow!("{other} cancelled calls")),
            },
        )
        .await
        .expect("the upstream call ends");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable_and_costs_nothing() {
    for dialect in DIALECTS {
        let port = test_support::port::free().expect("a free port");
        let accounts = Accounts::open();
        let base = format!("http://127.0.0.1:{port}");
        let measured = accounts.measured(dialect.provider(&base, Deadlines::default()));
        for streamed in [false, true] {
            let error = if streamed {
                measured.stream(&request()).await.map(|_| ()).unwrap_err()
            } else {
                measured.complete(&request()).await.map(|_| ()).unwrap_err()
            };
            assert!(matches!(error, LlmError::Unreachable { .. }), "{error:?}");
        }
        for row in accounts.rows().await {
            assert_eq!(row.outcome, Outcome::Failed);
            assert_eq!(row.error_type.as_deref(), Some("unreachable"));
            assert_eq!(row.usage, Usage::default());
        }
    }
}

#[tokio::test]
async fn a_call_that_opens_a_connection_tells_how_long_that_took() {
    for dialect in DIALECTS {
        let simulator = simulator().await.expect("a simulator");
        let provider = dialect.provider(&simulator.base_url(), Deadlines::default());
        let first = provider.complete(&request()).await.expect("an answer");
        let connect = first.latency.connect.expect("a new connection");
        assert!(
            connect > Duration::ZERO && connect <= first.latency.total,
            "{dialect}"
        );
        let second = provider.complete(&request()).await.expect("an answer");
        assert_eq!(second.latency.connect, None, "{dialect}");
        let stream = provider.stream(&request()).await.expect("a stream");
        assert_eq!(collect(stream).await.latency.connect, None, "{dialect}");
    }
}

#[tokio::test]
async fn streams_one_after_another_share_a_connection() {
    for dialect in DIALECTS {
        let simulator = simulator().await.expect("a simulator");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let accepted = Arc::new(AtomicUsize::new(0));
        let upstream = simulator.address();
        let forwarding = tokio::spawn(forward(listener, upstream, Arc::clone(&accepted)));
        let provider = dialect.provider(&base, Deadlines::default());
        for _ in 0..5 {
            let stream = provider.stream(&request()).await.expect("a stream");
            collect(stream).await;
            // The rest of the body is read by a task of its own.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        assert!(
            accepted.load(Ordering::SeqCst) < 5,
            "{dialect}: {accepted:?}"
        );
        forwarding.abort();
    }
}

/// Passes connections on to `upstream`, and counts them.
async fn forward(listener: TcpListener, upstream: SocketAddr, accepted: Arc<AtomicUsize>) {
    while let Ok((mut near, _)) = listener.accept().await {
        accepted.fetch_add(1, Ordering::SeqCst);
        let mut far = TcpStream::connect(upstream).await.expect("the simulator");
        tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
    }
}
