//! What a run bought, as a table.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{
    books::{Books, Key, Row},
    comparison::{Comparison, pairs},
    traffic::Seen,
};

#[derive(Default)]
struct Amounts {
    attempts: u64,
    whole: u64,
    estimated: u64,
    ledger: i128,
    spans: i128,
    metrics: i128,
    /// On either side for answers that came to their end and were counted by the provider.
    whole_ledger: i128,
    whole_invoice: i128,
    /// For all others.
    other_ledger: i128,
    other_invoice: i128,
}

/// The figures of each provider's model, in pico-dollars, and every excess.
pub(super) fn render(seed: u64, books: &Books, result: &Comparison, seen: &Seen) -> String {
    let mut text = format!(
        "\nbilling oracle, seed {seed}: {} requests ({} as streams) in {:.0} s, {} answered, \
         {} failed, {} left; {} kept, {} shared, {} by a fallback; {} attempts, {} lines of the invoice\n",
        seen.traces.len(),
        seen.streamed,
        seen.took.as_secs_f64(),
        seen.answered,
        seen.failed,
        seen.left,
        seen.kept,
        seen.shared,
        seen.fallbacks,
        books.ledger.len(),
        books.invoice.len(),
    );
    let heads = [
        "attempts",
        "whole",
        "estimated",
        "ledger",
        "spans",
        "metrics",
        "whole: ledger",
        "whole: invoice",
        "other: ledger",
        "other: invoice",
    ];
    line(&mut text, "pico-dollars", &heads.map(str::to_owned));
    for ((provider, model), sums) in amounts(books) {
        let figures = [
            sums.attempts.to_string(),
            sums.whole.to_string(),
            sums.estimated.to_string(),
            sums.ledger.to_string(),
            sums.spans.to_string(),
            sums.metrics.to_string(),
            sums.whole_ledger.to_string(),
            sums.whole_invoice.to_string(),
            sums.other_ledger.to_string(),
            sums.other_invoice.to_string(),
        ];
        line(&mut text, &format!("{provider} {model}"), &figures);
    }
    excesses(&mut text, books, result);
    text.push_str(&format!("{} differences\n", result.differences.len()));
    text
}

/// Every unfinished call with more on the invoice than in our books.
fn excesses(text: &mut String, books: &Books, result: &Comparison) {
    let is_unfinished = |row: &&Row| !row.is_whole();
    let unfinished = books.ledger.iter().filter(is_unfinished).count();
    let oldest = result.excesses.iter().filter_map(|excess| excess.age).max();
    text.push_str(&format!(
        "{unfinished} unfinished calls, {} of them invoiced with tokens that our books lack, \
         the first of these sent at most {} before the provider's end\n",
        result.excesses.len(),
        milliseconds(oldest),
    ));
    text.push_str(&format!(
        "  {:<36}  {:<42}  {:<19}  {:>8} {:>8} {:>8} {:>12} {:>8}  {:>14} {:>14}\n",
        "call",
        "provider and model",
        "ledger, invoice",
        "ledger",
        "invoice",
        "more",
        "last 250 ms",
        "first",
        "ledger, pico-$",
        "invoice, pico-$",
    ));
    for excess in &result.excesses {
        let (row, line) = (&books.ledger[excess.row], &books.invoice[excess.line]);
        let (booked, invoiced) = (row.attempt.tokens.output, line.tokens.output);
        let amount = |cost: Option<i64>| cost.map_or("unpriced".to_owned(), |it| it.to_string());
        text.push_str(&format!(
            "  {:<36}  {:<42}  {:<19}  {booked:>8} {invoiced:>8} {:>8} {:>12} {:>8}  {:>14} {:>14}\n",
            row.call_id,
            format!("{} {}", row.attempt.provider, row.attempt.model),
            format!("{}, {}", row.attempt.outcome, line.outcome),
            invoiced - booked,
            line.unseen,
            milliseconds(excess.age),
            amount(row.attempt.cost),
            amount(line.cost),
        ));
    }
}

fn milliseconds(time: Option<SignedDuration>) -> String {
    time.map_or("-".to_owned(), |time| format!("{} ms", time.as_millis()))
}

fn line(text: &mut String, name: &str, figures: &[String; 10]) {
    let mut line = format!("  {name:<44}");
    for figure in figures {
        line.push_str(&format!("{figure:>16}"));
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn amounts(books: &Books) -> BTreeMap<Key, Amounts> {
    let mut amounts: BTreeMap<Key, Amounts> = BTreeMap::new();
    for (row, line) in pairs(books) {
        let Some(row) = row.map(|row| &books.ledger[row]) else {
            continue;
        };
        let sums = amounts.entry(row.key()).or_default();
        let booked = i128::from(row.attempt.cost.unwrap_or_default());
        let line = line.map(|line| &books.invoice[line]);
        let invoiced = i128::from(line.and_then(|line| line.cost).unwrap_or_default());
        sums.attempts += 1;
        sums.whole += u64::from(row.is_whole());
        sums.estimated += u64::from(row.attempt.estimated);
        sums.ledger += booked;
        if row.is_whole() && !row.attempt.estimated {
            sums.whole_ledger += booked;
            sums.whole_invoice += invoiced;
        } else {
            sums.other_ledger += booked;
            sums.other_invoice += invoiced;
        }
    }
    for span in books.spans.values().flatten() {
        let key = (span.provider.clone(), span.model.clone());
        let cost = span.cost.unwrap_or_default();
        amounts.entry(key).or_default().spans += i128::from(cost);
    }
    for (key, sums) in &books.metrics {
        amounts.entry(key.clone()).or_default().metrics += sums.cost;
    }
    amounts
}
