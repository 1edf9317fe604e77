//! One more try after an answer that is no summary.

use llm::{ChatRequest, ChatResponse, Cost, Message, MessageRole, Usage};
use money::PicoUsd;
use uuid::Uuid;

use super::output_check::OutputFault;

/// Characters of the rejected answer that the model is shown: enough to see what was wrong.
const SHOWN_CHARACTERS: usize = 2_000;

/// The same question with the answer and what is wrong with it; a call of its own in the ledger.
pub(super) fn request(first: &ChatRequest, answer: &str, fault: OutputFault) -> ChatRequest {
    let mut request = first.clone();
    request.context.call_id = Uuid::now_v7();
    let shown: String = answer.trim().chars().take(SHOWN_CHARACTERS).collect();
    // Vendors refuse a message without text.
    if !shown.is_empty() {
        request.messages.push(Message {
            role: MessageRole::Assistant,
            content: shown,
        });
    }
    request.messages.push(Message::user(format!(
        "That answer cannot be used: {}. Answer once more, with the summary alone, as plain text \
         without markup or links.",
        fault.reason()
    )));
    request
}

/// Adds what the rejected answer took: who gets the second one has caused both.
pub(super) fn add_cost(response: &mut ChatResponse, first: &ChatResponse) {
    response.usage = sum(&response.usage, &first.usage);
    let costs = response.cost.take().zip(first.cost.as_ref());
    response.cost = costs.map(|(second, first)| {
        let add =
            |one: PicoUsd, other: PicoUsd| PicoUsd::new(one.get().saturating_add(other.get()));
        Cost {
            input: add(second.input, first.input),
            cache_read: add(second.cache_read, first.cache_read),
            cache_write: add(second.cache_write, first.cache_write),
            output: add(second.output, first.output),
            total: add(second.total, first.total),
            price_version: second.price_version,
        }
    });
}

const fn sum(one: &Usage, other: &Usage) -> Usage {
    Usage {
        input_tokens: one.input_tokens + other.input_tokens,
        output_tokens: one.output_tokens + other.output_tokens,
        cache_read_tokens: one.cache_read_tokens + other.cache_read_tokens,
        cache_write_5m_tokens: one.cache_write_5m_tokens + other.cache_write_5m_tokens,
        cache_write_1h_tokens: one.cache_write_1h_tokens + other.cache_write_1h_tokens,
        reasoning_tokens: one.reasoning_tokens + other.reasoning_tokens,
        estimated: one.estimated || other.estimated,
    }
}
