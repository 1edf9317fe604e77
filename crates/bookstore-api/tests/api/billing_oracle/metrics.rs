//! The counters of `/metrics`. The process is new, so they began at zero.

use std::collections::BTreeMap;

use anyhow::Context;

use super::books::{Key, Sums};
use crate::caller::Caller;

const TOKENS: &str = "bookstore_gen_ai_tokens_total";
const COST: &str = "bookstore_gen_ai_cost_pico_usd_total";
const ATTEMPTS: &str = "bookstore_gen_ai_attempts_total";
const UNPRICED: &str = "bookstore_gen_ai_unpriced_calls_total";

/// The sums by provider and model.
pub(super) async fn read(caller: &Caller) -> anyhow::Result<BTreeMap<Key, Sums>> {
    let text = caller.get("/metrics").await?.expect(200)?.text();
    let mut sums: BTreeMap<Key, Sums> = BTreeMap::new();
    for line in text.lines() {
        let Some((family, rest)) = line.split_once('{') else {
            continue;
        };
        if ![TOKENS, COST, ATTEMPTS, UNPRICED].contains(&family) {
            continue;
        }
        let (labels, value) = rest.rsplit_once("} ").context("a value")?;
        let label = |name: &str| label(labels, name).with_context(|| format!("{name} in {line}"));
        let provider = label("gen_ai_provider_name")?.to_owned();
        let model = label("gen_ai_request_model")?.to_owned();
        let sums = sums.entry((provider, model)).or_default();
        let whole = || value.parse::<u64>().with_context(|| line.to_owned());
        match family {
            COST => sums.cost += i128::from(whole()?),
            UNPRICED => sums.unpriced += whole()?,
            ATTEMPTS => {
                *sums
                    .attempts
                    .entry(label("outcome")?.to_owned())
                    .or_default() += whole()?;
            }
            _ => {
                let tokens = &mut sums.tokens;
                *match label("token_kind")? {
                    "input" => &mut tokens.input,
                    "cache_read" => &mut tokens.cache_read,
                    "cache_write" => &mut tokens.cache_write,
                    "output" => &mut tokens.output,
                    "reasoning" => &mut tokens.reasoning,
                    other => anyhow::bail!("tokens of the kind {other}"),
                } += whole()?;
            }
        }
    }
    Ok(sums)
}

/// The value of a label; none of ours holds a quotation mark.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split("\",").find_map(|pair| {
        let (key, value) = pair.split_once("=\"")?;
        (key == name).then(|| value.trim_end_matches('"'))
    })
}
