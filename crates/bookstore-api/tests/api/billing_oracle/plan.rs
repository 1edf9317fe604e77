//! Which calls are made: drawn from a seed, so that every run makes the same ones.

use serde_json::{Value, json};

/// The providers, as telemetry calls them.
pub(super) const PROVIDERS: [&str; 5] =
    ["anthropic", "openai", "ollama", "aws.bedrock", "lmstudio"];
/// The model whose price one test changes.
pub(super) const SONNET: &str = "claude-sonnet-5-5";

/// Books of each worker: short ones, and one whose prompt is long enough for prompt caches.
pub(super) const SHORT_BOOKS: usize = 3;

/// Models whose answers may be broken off.
const MODELS: [&str; 12] = [
    "provider=claude&model=claude-sonnet-5-5",
    "provider=claude&model=claude-haiku-4-5",
    "provider=claude&model=claude-opus-5",
    "provider=claude&model=claude-next",
    "provider=openai&model=gpt-4o-mini",
    "provider=openai&model=gpt-6.1-terra",
    "provider=openai&model=gpt-5.5",
    "provider=ollama",
    "provider=bedrock",
    "provider=bedrock&model=amazon.nova-pro-v1:0",
    "provider=bedrock&model=us.anthropic.claude-sonnet-5-5",
    "provider=lmstudio",
];

/// Models that reason: tokens that nobody sees before the provider counts them, so that what a
/// broken answer cost can only be told by its provider.
const REASONING_MODELS: [&str; 2] = ["provider=openai&model=o3", "provider=openai&model=gpt-5.6"];

/// What goes wrong, and how often beside the others. Each is a word in the test id, by
/// which the simulator's rule knows its calls.
const FAULTS: [(&str, usize); 13] = [
    ("unavailable", 500),
    ("limited", 400),
    ("lost", 300),
    ("cut", 250),
    ("torn-json", 150),
    ("torn-text", 150),
    ("error", 200),
    ("garbage", 100),
    ("crc", 100),
    ("silent", 10),
    ("mute", 10),
    ("page", 50),
    ("uncounted", 250),
];

/// One user's doing.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) number: usize,
    /// What the simulator is to do; empty for nothing.
    pub(super) fault: &'static str,
    /// Provider and model; empty for the default and its fallbacks.
    pub(super) query: &'static str,
    pub(super) streamed: bool,
    /// Among its worker's books.
    pub(super) book: usize,
    pub(super) behaviour: Behaviour,
}

/// How a user behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Waits for the end.
    Waits,
    /// Asks again for what was just answered.
    AsksAgain,
    /// Is one of three who ask the same at the same time.
    IsOneOfThree,
    /// Leaves at the first words of a stream.
    LeavesAtText,
    /// Leaves before anything has come, or in the middle of a reply in one piece.
    LeavesEarly,
}

/// All calls of a run.
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) calls: Vec<Call>,
}

impl Plan {
    /// Calls with at least this many requests.
    pub(super) fn draw(seed: u64, requests: u64) -> Self {
        let mut generator = fastrand::Rng::with_seed(seed);
        let (mut calls, mut planned) = (Vec::new(), 0);
        while planned < requests {
            let call = Call::draw(calls.len(), &mut generator);
            planned += u64::from(call.behaviour.requests());
            calls.push(call);
        }
        Self { seed, calls }
    }

    /// Without the calls that their users leave.
    pub(super) fn without_leavers(mut self) -> Self {
        self.calls.retain(|call| !call.behaviour.leaves());
        self
    }
}

impl Call {
    fn draw(number: usize, generator: &mut fastrand::Rng) -> Self {
        let streamed = generator.bool();
        let query = MODELS[generator.usize(..MODELS.len())];
        let book = generator.usize(..SHORT_BOOKS);
        let whole = Self {
            number,
            fault: "",
            query,
            streamed,
            book,
            behaviour: Behaviour::Waits,
        };
        match generator.usize(..100) {
            0..20 => Self {
                query: REASONING_MODELS[generator.usize(..REASONING_MODELS.len())],
                ..whole
            },
            20..30 => Self {
                book: SHORT_BOOKS,
                ..whole
            },
            30..38 => Self {
                behaviour: Behaviour::AsksAgain,
                ..whole
            },
            38..43 => Self {
                behaviour: Behaviour::IsOneOfThree,
                ..whole
            },
            43..48 => Self {
                fault: "away",
                query: "",
                ..whole
            },
            48..52 => Self {
                fault: "slow",
                streamed: true,
                behaviour: Behaviour::LeavesAtText,
                ..whole
            },
            52..55 => Self {
                fault: if generator.bool() { "slow" } else { "late" },
                behaviour: Behaviour::LeavesEarly,
                ..whole
            },
            55..80 => Self {
                fault: fault(generator),
                ..whole
            },
            _ => whole,
        }
    }

    /// The id by which every book knows the call.
    pub(super) fn test_id(&self) -> String {
        format!("oracle-{}.{}.", self.number, self.fault)
    }

    /// The trace of one of its requests.
    pub(super) fn trace_id(&self, request: u32) -> String {
        // The leading digit keeps the id from beginning with zeros, which Jaeger would drop.
        format!("b{:023x}{request:08x}", self.number)
    }
}

impl Behaviour {
    /// Whether the user does not wait for the end.
    pub(super) fn leaves(self) -> bool {
        matches!(self, Self::LeavesAtText | Self::LeavesEarly)
    }

    /// HTTP requests of a call.
    pub(super) fn requests(self) -> u32 {
        match self {
            Self::Waits | Self::LeavesAtText | Self::LeavesEarly => 1,
            Self::AsksAgain => 2,
            Self::IsOneOfThree => 3,
        }
    }
}

fn fault(generator: &mut fastrand::Rng) -> &'static str {
    let all: usize = FAULTS.iter().map(|(_, share)| share).sum();
    let mut place = generator.usize(..all);
    for (word, share) in FAULTS {
        if place < share {
            return word;
        }
        place -= share;
    }
    ""
}

/// The simulator's rules. What is tried again fails half of the time.
pub(super) fn faults() -> Value {
    let rules = [
        ("unavailable", json!({"status": {"code": 503}}), 0.5),
        (
            "limited",
            json!({"status": {"code": 429, "retryAfterMs": "5"}}),
            0.5,
        ),
        ("lost", json!({"cut": {"afterTokens": 0}}), 0.5),
        ("cut", json!({"cut": {"afterTokens": 9}}), 1.0),
        (
            "torn-json",
            json!({"cut": {"afterTokens": 7, "within": "json"}}),
            1.0,
        ),
        (
            "torn-text",
            json!({"cut": {"afterTokens": 5, "within": "utf8"}}),
            1.0,
        ),
        ("error", json!({"streamError": {"afterTokens": 6}}), 1.0),
        ("garbage", json!({"garbage": {"afterTokens": 4}}), 1.0),
        ("crc", json!({"wrongCrc": {"afterTokens": 4}}), 1.0),
        ("silent", json!({"silence": {"afterTokens": 8}}), 1.0),
        ("mute", json!({"silence": {}}), 0.5),
        ("page", json!({"html": {}}), 1.0),
        ("uncounted", json!({"usage": {"reported": "missing"}}), 1.0),
        (
            "slow",
            json!({"slow": {"firstTokenMs": 30, "gapMs": 25}}),
            1.0,
        ),
        ("late", json!({"slow": {"firstTokenMs": 2_000}}), 1.0),
    ];
    let mut rules: Vec<Value> = rules
        .into_iter()
        .map(|(word, fault, probability)| {
            json!({"header": header(word), "probability": probability, "fault": fault})
        })
        .collect();
    let away = json!({"status": {"code": 500}});
    rules.push(json!({"header": header("away"), "dialect": "anthropic", "fault": away}));
    json!({"rules": rules})
}

fn header(word: &str) -> Value {
    json!({"name": "baggage", "contains": format!(".{word}.")})
}

/// Models that reason before they answer, at once like all others.
pub(super) fn profiles() -> Value {
    let at_once = json!({"p50": 0, "p95": 0});
    let profile = json!({"name": "reasons", "timeToFirstTokenMs": at_once,
        "interTokenGapMs": at_once, "outputTokens": {"min": 20, "max": 80},
        "reasoningTokens": {"min": 16, "max": 64}});
    json!({"models": [
        {"model": "o3", "profile": profile},
        {"model": "gpt-5.6", "profile": profile},
    ]})
}
