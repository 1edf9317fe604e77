//! One more try after an answer that is no summary.

use llm::{ChatRequest, ChatResponse, Cost, Message, MessageRole, Usage};
use money::PicoUsd;

use super::output_check::OutputFault;

/// Characters of the rejected answer that the model is shown: enough to see what was wrong.
const SHOWN_CHARACTERS: usize = 2_000;

/// The same question with the answer and what is wrong with it; a call of its own in the ledger.
pub(super) fn request(first: &ChatRequest, answer: &str, fault: OutputFault) -> ChatRequest {
    let mut request = first.clone();
    request.context.begin_another_call();
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

/// Adds what the rejected answer took: who gets the second one has caused both. Where a simulator
/// gave one of them, and a fallback the other, the second stands alone: real and simulated money
/// never meet in one sum, and the ledger has both.
pub(super) fn add_cost(response: &mut ChatResponse, first: &ChatResponse) {
    if response.simulated != first.simulated {
        return;
    }
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

#[cfg(test)]
mod tests {
    use llm::{CallContext, LatencySplit};
    use tenancy::TenantId;

    use super::*;

    fn answer(simulated: bool, cost: i64) -> ChatResponse {
        let total = PicoUsd::new(cost);
        let cost = Cost {
            input: total,
            cache_read: PicoUsd::new(0),
            cache_write: PicoUsd::new(0),
            output: PicoUsd::new(0),
            total,
            price_version: "v".into(),
        };
        ChatResponse {
            text: "text".to_owned(),
            model: "m".to_owned(),
            response_id: None,
            request_id: None,
            finish_reason: None,
            usage: Usage {
                input_tokens: 5,
                ..Usage::default()
            },
            service_tier: None,
            latency: LatencySplit::default(),
            call_id: None,
            cost: Some(cost),
            simulated,
            fallback: None,
        }
    }

    #[test]
    fn real_and_simulated_money_are_not_added() {
        for (second, first, total, tokens) in [
            (false, false, 12, 10),
            (true, true, 12, 10),
            (true, false, 5, 5),
            (false, true, 5, 5),
        ] {
            let mut response = answer(second, 5);
            add_cost(&mut response, &answer(first, 7));
            let cost = response.cost.map(|cost| cost.total.get());
            assert_eq!((cost, response.usage.input_tokens), (Some(total), tokens));
        }
    }

    #[test]
    fn the_second_try_is_a_call_of_its_own_within_the_same_time() {
        let mut first = ChatRequest {
            model: None,
            system: None,
            messages: vec![Message::user("Summarize.")],
            max_tokens: 1,
            temperature: None,
            context: CallContext::new(TenantId::development(), "summary", None),
        };
        first.context.deadline = Some(tokio::time::Instant::now());
        let second = request(&first, "<b>", OutputFault::Markup);
        assert_ne!(second.context.call_id, first.context.call_id);
        assert_eq!(second.context.deadline, first.context.deadline);
    }
}
