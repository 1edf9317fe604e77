//! The class of service: asked for by a setting, said by the reply, booked and priced.

use std::sync::Arc;

use llm::{
    Bedrock, BudgetLimits, BudgetRefusal, Budgeted, Claude, Deadlines, LlmError, LlmProvider,
    OpenAi, OpenAiStyle,
};
use money::PicoUsd;
use test_support::simulator;

use crate::{
    dialects::{DIALECTS, Dialect, bedrock_frame},
    fixture::{
        Accounts, SHORT, access_key, bedrock_config, claude_config, client, collect, drain,
        openai_config, request,
    },
    responder::{Responder, Script, response},
};

/// A client of the server at `base` that asks for a class of service.
fn asking(dialect: Dialect, base: &str, word: &'static str) -> Arc<dyn LlmProvider> {
    let key = "test-key".to_owned().into();
    let word = Some(word).filter(|word| !word.is_empty());
    match dialect {
        Dialect::Claude => {
            let mut config = claude_config(base);
            config.service_tier = word;
            Arc::new(Claude::new(client(), &config, &key, SHORT).expect("a usable key"))
        }
        Dialect::OpenAiChat | Dialect::OpenAiResponses => {
            let style = match dialect {
                Dialect::OpenAiChat => OpenAiStyle::Chat,
                _ => OpenAiStyle::Responses,
            };
            let mut config = openai_config(base, style);
            config.service_tier = word;
            Arc::new(OpenAi::new(client(), &config, SHORT).expect("a usable key"))
        }
        Dialect::Bedrock => {
            let mut config = bedrock_config(base);
            config.service_tier = word;
            let bedrock = Bedrock::new(client(), &config, &access_key(), SHORT);
            Arc::new(bedrock.expect("a usable key"))
        }
        Dialect::Ollama => dialect.provider(base, Deadlines::default()),
        Dialect::LmStudio => dialect.provider(&format!("{base}/lmstudio"), Deadlines::default()),
    }
}

/// Dollars for a million tokens of input and of output are millions of pico-dollars for a token.
type Prices = Option<[u64; 2]>;

const NOVA_PRO: &str = "amazon.nova-pro-v1:0";
const TERRA: &str = "gpt-6.1-terra";

/// Who is asked for which model with which word; what is answered, and what it costs.
type Case = (Dialect, &'static str, &'static str, &'static str, Prices);

const CASES: [Case; 15] = [
    (
        Dialect::Claude,
        "claude-sonnet-5-5",
        "",
        "standard",
        Some([2_000_000, 10_000_000]),
    ),
    (
        Dialect::Claude,
        "claude-sonnet-5-5",
        "auto",
        "standard",
        Some([2_000_000, 10_000_000]),
    ),
    (
        Dialect::Claude,
        "claude-sonnet-5-5",
        "standard_only",
        "standard",
        Some([2_000_000, 10_000_000]),
    ),
    (
        Dialect::OpenAiChat,
        TERRA,
        "",
        "standard",
        Some([1_000_000, 5_000_000]),
    ),
    (
        Dialect::OpenAiChat,
        TERRA,
        "flex",
        "flex",
        Some([500_000, 2_500_000]),
    ),
    (
        Dialect::OpenAiChat,
        TERRA,
        "priority",
        "priority",
        Some([2_000_000, 10_000_000]),
    ),
    (Dialect::OpenAiChat, TERRA, "scale", "scale", None),
    (Dialect::OpenAiChat, "gpt-4o-mini", "flex", "flex", None),
    (
        Dialect::OpenAiResponses,
        TERRA,
        "default",
        "standard",
        Some([1_000_000, 5_000_000]),
    ),
    (
        Dialect::OpenAiResponses,
        TERRA,
        "flex",
        "flex",
        Some([500_000, 2_500_000]),
    ),
    (
        Dialect::Bedrock,
        NOVA_PRO,
        "priority",
        "priority",
        Some([1_400_000, 5_600_000]),
    ),
    (
        Dialect::Bedrock,
        NOVA_PRO,
        "flex",
        "flex",
        Some([400_000, 1_600_000]),
    ),
    (Dialect::Bedrock, NOVA_PRO, "reserved", "reserved", None),
    (Dialect::Ollama, "llama3.2", "", "standard", Some([0, 0])),
    (Dialect::LmStudio, "local", "", "standard", Some([0, 0])),
];

#[tokio::test]
async fn the_class_that_is_asked_for_is_answered_booked_and_priced_on_both_sides() {
    for case in CASES {
        for streamed in [false, true] {
            check(case, streamed).await;
        }
    }
}

async fn check((dialect, model, word, tier, prices): Case, streamed: bool) {
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let measured = accounts.measured(asking(dialect, &simulator.base_url(), word));
    let mut request = request();
    request.model = Some(model.to_owned());
    let response = if streamed {
        collect(measured.stream(&request).await.expect("a stream")).await
    } else {
        measured.complete(&request).await.expect("an answer")
    };
    let case = format!("{dialect} {model} '{word}' {streamed}");
    let said = response.service_tier.as_ref().map(ToString::to_string);
    assert_eq!(said.as_deref(), Some(tier), "{case}");
    let row = accounts.rows().await.remove(0);
    assert_eq!(row.service_tier, tier, "{case}");
    let usage = response.usage;
    let expected = prices.map(|[input, output]| {
        let cost = input * usage.input_tokens + output * usage.output_tokens;
        PicoUsd::new(i64::try_from(cost).expect("a small sum"))
    });
    assert_eq!(row.cost, expected, "{case}");
    assert_eq!(response.cost.map(|cost| cost.total), expected, "{case}");
    let invoiced = simulator.control().calls(1)[0].pico_usd();
    let expected = expected.map(|cost| cost.get().unsigned_abs());
    assert_eq!(invoiced, expected, "{case}");
}

/// The same answer with a class of service in it, whole and as the bytes of a stream.
fn saying(dialect: Dialect, word: &str) -> Option<(String, Vec<u8>)> {
    let member = format!(r#","service_tier":"{word}""#);
    let frames = dialect.frames();
    let stream = |from: &str, to: &str| {
        let text = String::from_utf8(frames.concat()).expect("text");
        assert!(text.contains(from), "{text}");
        text.replace(from, to).into_bytes()
    };
    Some(match dialect {
        Dialect::Claude => {
            let usage = format!(r#","usage":{{"input_tokens":15,"output_tokens":3{member}}}"#);
            let counted = r#""output_tokens":1}"#;
            let told = format!(r#""output_tokens":1{member}}}"#);
            (dialect.whole(&usage), stream(counted, &told))
        }
        Dialect::OpenAiChat => {
            let usage = format!(r#","usage":{{"prompt_tokens":15,"completion_tokens":3}}{member}"#);
            let named = r#""id":"chatcmpl-1""#;
            (
                dialect.whole(&usage),
                stream(named, &format!("{named}{member}")),
            )
        }
        Dialect::OpenAiResponses => {
            let usage = format!(r#","usage":{{"input_tokens":15,"output_tokens":3}}{member}"#);
            let named = r#""id":"resp_1","model":"gpt-6.1-terra","status":"completed""#;
            (
                dialect.whole(&usage),
                stream(named, &format!("{named}{member}")),
            )
        }
        Dialect::Bedrock => {
            let usage = r#""usage":{"inputTokens":15,"outputTokens":3,"totalTokens":18}"#;
            let tier = format!(r#""serviceTier":{{"type":"{word}"}}"#);
            let [first, second, _] = frames;
            let stop = bedrock_frame("event", "messageStop", r#"{"stopReason":"end_turn"}"#);
            let metadata = format!(r#"{{{usage},{tier},"metrics":{{"latencyMs":7}}}}"#);
            let metadata = bedrock_frame("event", "metadata", &metadata);
            let stream = [first, second, stop, metadata].concat();
            (dialect.whole(&format!(",{usage},{tier}")), stream)
        }
        Dialect::Ollama | Dialect::LmStudio => return None,
    })
}

#[tokio::test]
async fn what_the_reply_says_goes_before_what_was_asked() {
    for dialect in DIALECTS {
        for (asked, said, expected) in [
            ("", "priority", "priority"),
            ("flex", "default", "standard"),
            ("flex", "auto", "flex"),
            ("flex", "brand-new", "brand-new"),
            ("priority", "\\u0000", "unknown"),
        ] {
            let Some((whole, stream)) = saying(dialect, said) else {
                continue;
            };
            let json = response(
                "200 OK",
                &[("content-type", "application/json")],
                whole.as_bytes(),
            );
            let stream = response("200 OK", &[dialect.stream_type()], &stream);
            let scripts = vec![Script::Close(json), Script::Close(stream)];
            let server = Responder::start(scripts).await;
            let accounts = Accounts::open();
            let measured = accounts.measured(asking(dialect, server.base(), asked));
            measured.complete(&request()).await.expect("an answer");
            collect(measured.stream(&request()).await.expect("a stream")).await;
            for row in accounts.rows().await {
                let case = format!("{dialect} '{asked}' '{said}' {}", row.streamed);
                assert_eq!(row.service_tier, expected, "{case}");
                let is_priced = row.cost.is_some();
                let known = expected == "standard" || dialect.has_price_of(expected);
                assert_eq!(is_priced, known, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_booked_at_what_is_known_of_it() {
    for (dialect, asked, expected) in [
        // It says so at the start.
        (Dialect::Claude, "", "priority"),
        (Dialect::OpenAiChat, "flex", "priority"),
        // They say so at the end only.
        (Dialect::OpenAiResponses, "flex", "flex"),
        (Dialect::Bedrock, "flex", "flex"),
    ] {
        let (_, stream) = saying(dialect, "priority").expect("a stream");
        let [first, ..] = dialect.frames();
        let cut = match dialect {
            Dialect::Bedrock => first.len(),
            // Before the last frame, behind the first.
            _ => stream.len() / 2,
        };
        let body = stream.get(..cut).expect("a part of it");
        let script = Script::Close(response("200 OK", &[dialect.stream_type()], body));
        let server = Responder::start(vec![script]).await;
        let accounts = Accounts::open();
        let measured = accounts.measured(asking(dialect, server.base(), asked));
        let (_, error) = drain(measured.stream(&request()).await.expect("a stream")).await;
        assert!(
            matches!(error, Some(LlmError::Interrupted { .. })),
            "{dialect} {error:?}"
        );
        let row = accounts.rows().await.remove(0);
        assert_eq!(row.service_tier, expected, "{dialect}");
    }
}

#[tokio::test]
async fn a_budget_reserves_what_the_asked_class_costs() {
    // 300 tokens of output: 1,500 millionths of a dollar at the usual class.
    let limit = PicoUsd::new(1_000_000_000);
    for (model, word, refused) in [
        ("gpt-6.1-terra", "", Some("reached")),
        ("gpt-6.1-terra", "priority", Some("reached")),
        ("gpt-6.1-terra", "flex", None),
        ("gpt-4o-mini", "", None),
        ("gpt-4o-mini", "flex", Some("unpriced")),
    ] {
        let simulator = simulator().await.expect("a simulator");
        let accounts = Accounts::open();
        let budgets = accounts.budgets();
        let mut request = request();
        request.model = Some(model.to_owned());
        let limits = BudgetLimits {
            day: Some(limit),
            ..BudgetLimits::default()
        };
        let set = budgets.set(&request.context.tenant, limits).await;
        assert!(set.expect("a ledger"));
        let provider = asking(Dialect::OpenAiChat, &simulator.base_url(), word);
        let measured = Arc::new(accounts.measured(provider));
        let prices = Arc::clone(&accounts.prices);
        let budgeted = Budgeted::new(measured, true, prices, budgets);
        let said = match budgeted.complete(&request).await {
            Ok(_) => None,
            Err(LlmError::Budget(refusal)) => Some(match *refusal {
                BudgetRefusal::Unpriced => "unpriced",
                BudgetRefusal::Reached { .. } => "reached",
                other @ BudgetRefusal::Unavailable { .. } => panic!("{other:?}"),
            }),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(said, refused, "{model} '{word}'");
    }
}
