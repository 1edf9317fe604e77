//! What the model calls of a run cost. Real and simulated dollars never meet in one sum.

use serde::{Deserialize, Serialize};

use crate::dollars::Dollars;
use crate::notation::{self, whole};

/// Counters of our suites: units of 10⁻¹² USD.
const SAMPLED_COST: [&str; 2] = ["ai_cost_real_pico_usd", "ai_cost_simulated_pico_usd"];

/// Counters of our suites: tokens in and out, calls without a price.
const SAMPLED_TOKENS: [&str; 2] = ["ai_tokens_input", "ai_tokens_output"];
const SAMPLED_UNPRICED: &str = "ai_unpriced_calls";

/// What a run cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spend {
    /// Who counted.
    pub source: SpendSource,
    /// Dollars that somebody pays.
    pub real: Amount,
    /// What simulated calls would have cost.
    pub simulated: Amount,
    /// The same by model, each with one kind of dollars.
    pub models: Vec<ModelSpend>,
    /// The cap that was reached, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<ReachedCap>,
}

/// Who counted the money of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SpendSource {
    /// The target's own ledger: every attempt, also those whose answer nobody got.
    #[default]
    Ledger,
    /// The load script: what the answers said that it got.
    Samples,
}

/// A sum of model calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Amount {
    /// Attempts, each of which is paid; absent where the script does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// Attempts without a known price; the cost leaves them out.
    pub unpriced_calls: u64,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// The cost.
    pub cost: Dollars,
}

/// What the calls of one model cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelSpend {
    /// The model.
    pub model: String,
    /// Whether these dollars are simulated.
    pub simulated: bool,
    /// The sum.
    #[serde(flatten)]
    pub amount: Amount,
}

/// A cap of a run that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReachedCap {
    /// Which dollars reached it.
    pub simulated: bool,
    /// What might be spent.
    pub allowed: Dollars,
    /// What was spent beyond it: calls under way when it was seen.
    pub overshoot: Dollars,
    /// Whether the run was stopped for it. A run may end by itself before that.
    pub stopped: bool,
}

/// What a run may spend of each kind of dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cap {
    /// Of real ones; any when absent.
    pub real: Option<Dollars>,
    /// Of simulated ones; any when absent.
    pub simulated: Option<Dollars>,
}

impl Spend {
    /// A spend from its parts by model, of which the sums are made.
    #[must_use]
    pub fn of_models(models: Vec<ModelSpend>) -> Self {
        let sum = |simulated| {
            let parts = models.iter().filter(|part| part.simulated == simulated);
            parts
                .map(|part| part.amount)
                .fold(Amount::default(), Amount::plus)
        };
        Self {
            source: SpendSource::Ledger,
            real: sum(false),
            simulated: sum(true),
            models,
            reached: None,
        }
    }

    /// What the script counted: `counted` gives the sum of a counter. Tokens belong to the kind of
    /// dollars that the script counted; with both in one run, to the real ones.
    #[must_use]
    pub fn of_samples(counted: impl Fn(&str) -> Option<f64>) -> Self {
        let number = |metric: &str| crate::number::whole(counted(metric).unwrap_or(0.0).round());
        let [real, simulated] =
            SAMPLED_COST.map(|metric| Dollars::of_pico(i128::from(number(metric))));
        let [input_tokens, output_tokens] = SAMPLED_TOKENS.map(number);
        let counts = Amount {
            calls: None,
            unpriced_calls: number(SAMPLED_UNPRICED),
            input_tokens,
            output_tokens,
            cost: Dollars::ZERO,
        };
        let is_simulated = real.is_zero() && !simulated.is_zero();
        let of = |own: bool, cost| Amount {
            cost,
            ..if own { counts } else { Amount::default() }
        };
        Self {
            source: SpendSource::Samples,
            real: of(!is_simulated, real),
            simulated: of(is_simulated, simulated),
            models: Vec::new(),
            reached: None,
        }
    }

    /// Whether no model was called, as far as is known.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        [self.real, self.simulated].iter().all(Amount::is_nothing)
    }

    /// The cap that is reached, real dollars first. What spends nothing reaches no cap, not even
    /// one of nothing.
    #[must_use]
    pub fn reached(&self, cap: Cap) -> Option<ReachedCap> {
        let kinds = [
            (false, cap.real, self.real.cost),
            (true, cap.simulated, self.simulated.cost),
        ];
        kinds.into_iter().find_map(|(simulated, allowed, spent)| {
            let allowed = allowed?;
            (spent >= allowed && !spent.is_zero()).then(|| ReachedCap {
                simulated,
                allowed,
                overshoot: spent.saturating_sub(allowed),
                stopped: false,
            })
        })
    }

    /// Attempts without a price.
    #[must_use]
    pub const fn unpriced_calls(&self) -> u64 {
        let real = self.real.unpriced_calls;
        real.saturating_add(self.simulated.unpriced_calls)
    }

    /// The cost in words: `$1.8700`, `sim $1.8700`, or both with a word between; `≥ $1.8700` with
    /// further calls whose price nobody knows, `unpriced` with such calls alone.
    #[must_use]
    pub fn in_words(&self) -> String {
        let simulated = format!("sim {}", self.simulated.cost_in_words());
        match (self.real.is_nothing(), self.simulated.is_nothing()) {
            (_, true) => self.real.cost_in_words(),
            (true, false) => simulated,
            (false, false) => format!("{} and {simulated}", self.real.cost_in_words()),
        }
    }

    /// What the sums are made of: `7,202 calls, 3,900 tokens in, 900 out, 2 unpriced`.
    #[must_use]
    pub fn made_of(&self) -> String {
        let both = self.real.plus(self.simulated);
        let calls = both
            .calls
            .map(|calls| notation::counted(calls, "call") + ", ");
        let tokens = format!(
            "{} tokens in, {} out",
            whole(both.input_tokens),
            whole(both.output_tokens)
        );
        let unpriced = match both.unpriced_calls {
            0 => String::new(),
            some => format!(", {} unpriced", whole(some)),
        };
        calls.unwrap_or_default() + &tokens + &unpriced
    }
}

impl Amount {
    /// Both together. Only for counts of calls and tokens of both kinds, and for dollars of one.
    /// Others say what was counted, so that a sum may reach the end of 64 bits: it stays there.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            calls: match (self.calls, other.calls) {
                (None, None) => None,
                (one, two) => Some(one.unwrap_or(0).saturating_add(two.unwrap_or(0))),
            },
            unpriced_calls: self.unpriced_calls.saturating_add(other.unpriced_calls),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cost: self.cost + other.cost,
        }
    }

    /// The cost in words, as [`Spend::in_words`] has it for one kind of dollars.
    #[must_use]
    pub fn cost_in_words(&self) -> String {
        match (self.unpriced_calls, self.cost) {
            (0, cost) => cost.to_string(),
            (_, cost) if cost.is_zero() => "unpriced".to_owned(),
            (_, cost) => format!("≥ {cost}"),
        }
    }

    /// Whether there was no call.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.calls.unwrap_or(0) == 0
            && self.unpriced_calls == 0
            && self.input_tokens == 0
            && self.output_tokens == 0
            && self.cost.is_zero()
    }
}

impl ReachedCap {
    /// What was spent, the cap and the overshoot as a sentence without its stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let sim = if self.simulated { "sim " } else { "" };
        let spent = self.allowed + self.overshoot;
        format!(
            "it spent {sim}{spent} of the {sim}{} that it may spend, {sim}{} too much",
            self.allowed, self.overshoot
        )
    }
}
