//! Whether the books agree, and in which calls they do not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::books::{Books, Key, Line, Row, Sums};

/// Differences that are shown when a test fails.
const SHOWN: usize = 20;

/// What came of a comparison.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) differences: Vec<Difference>,
    /// Unfinished calls with more tokens on the invoice than in our books, within what may be.
    pub(super) excesses: Vec<Excess>,
}

/// Something that is not as it should be.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) call_ids: Vec<String>,
    /// With the ids and both figures.
    pub(super) text: String,
}

/// An unfinished call that generated more than was seen of it.
#[derive(Debug)]
pub(super) struct Excess {
    /// Places in the ledger and on the invoice.
    pub(super) row: usize,
    pub(super) line: usize,
    /// How long before the provider's end the first of those tokens was sent; unknown of an answer
    /// that the provider had sent to its end.
    pub(super) age: Option<SignedDuration>,
}

/// Compares every book with the ledger.
pub(super) fn compare(books: &Books) -> Comparison {
    let mut result = Comparison::default();
    compare_spans(books, &mut result);
    compare_metrics(books, &mut result);
    for pair in pairs(books) {
        compare_call(books, pair, &mut result);
    }
    result
}

/// The line of the invoice that belongs to a row of the ledger.
pub(super) fn line_of(books: &Books, row: usize) -> Option<usize> {
    let mut pairs = pairs(books).into_iter();
    pairs.find(|(found, _)| *found == Some(row))?.1
}

impl Comparison {
    /// The first of them, a line each.
    pub(super) fn first_differences(&self) -> String {
        let texts = self.differences.iter().take(SHOWN);
        let texts: Vec<&str> = texts.map(|difference| difference.text.as_str()).collect();
        texts.join("\n")
    }

    fn differ(&mut self, rows: &[&Row], text: &str) {
        let call_ids: Vec<String> = rows.iter().map(|row| row.call_id.clone()).collect();
        let text = format!("calls {call_ids:?}: {text}");
        self.differences.push(Difference { call_ids, text });
    }
}

fn compare_spans(books: &Books, result: &mut Comparison) {
    let mut traces: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &books.ledger {
        traces.entry(&row.trace_id).or_default().push(row);
    }
    let ids: BTreeSet<&str> = traces
        .keys()
        .copied()
        .chain(books.spans.keys().map(String::as_str))
        .collect();
    for id in ids {
        let rows = traces.remove(id).unwrap_or_default();
        let mut booked: Vec<_> = rows.iter().map(|row| row.attempt.as_span()).collect();
        booked.sort();
        let spans = books.spans.get(id).map(Vec::as_slice).unwrap_or_default();
        if booked != spans {
            let text = format!("trace {id}: spans {spans:?}, ledger {booked:?}");
            result.differ(&rows, &text);
        }
    }
}

fn compare_metrics(books: &Books, result: &mut Comparison) {
    let mut booked: BTreeMap<Key, Sums> = BTreeMap::new();
    for row in &books.ledger {
        booked.entry(row.key()).or_default().add(&row.attempt);
    }
    let keys: BTreeSet<&Key> = booked.keys().chain(books.metrics.keys()).collect();
    for key in keys {
        let (metrics, booked) = (books.metrics.get(key), booked.get(key));
        if metrics != booked {
            let text = format!("metrics of {key:?}: {metrics:?}, ledger {booked:?}");
            result.differ(&[], &text);
        }
    }
}

/// Of a row in the ledger, and of a line on the invoice.
type Pair = (Option<usize>, Option<usize>);
/// The places of rows, and of lines.
type Group = (Vec<usize>, Vec<usize>);

/// The places of rows and lines that belong together: those of the same test id and model, in the
/// order in which they were made.
pub(super) fn pairs(books: &Books) -> Vec<Pair> {
    let mut groups: BTreeMap<(&str, &str), Group> = BTreeMap::new();
    for (place, row) in books.ledger.iter().enumerate() {
        let key = (row.test_id.as_str(), row.attempt.model.as_str());
        groups.entry(key).or_default().0.push(place);
    }
    for (place, line) in books.invoice.iter().enumerate() {
        let key = (line.test_id.as_str(), line.model.as_str());
        groups.entry(key).or_default().1.push(place);
    }
    let in_order = |(mut rows, mut lines): Group| {
        rows.sort_by_key(|row| {
            let row = &books.ledger[*row];
            (row.began, row.attempt.number)
        });
        lines.sort_by_key(|line| books.invoice[*line].number);
        pair(books, &rows, &lines)
    };
    groups.into_values().flat_map(in_order).collect()
}

fn pair(books: &Books, rows: &[usize], lines: &[usize]) -> Vec<Pair> {
    let mut rows = rows.to_vec();
    let mut pairs = Vec::new();
    // An attempt that was given up before its request had left is unknown to the provider.
    while rows.len() > lines.len() {
        let unknown = rows.iter().rposition(|row| !books.ledger[*row].is_whole());
        let unknown = unknown.unwrap_or(rows.len() - 1);
        pairs.push((Some(rows.remove(unknown)), None));
    }
    for (place, line) in lines.iter().enumerate() {
        pairs.push((rows.get(place).copied(), Some(*line)));
    }
    pairs
}

fn compare_call(books: &Books, (row, line): Pair, result: &mut Comparison) {
    let found = (
        row.map(|row| &books.ledger[row]),
        line.map(|line| &books.invoice[line]),
    );
    match found {
        (Some(row), Some(line)) if row.is_whole() => compare_whole(row, line, result),
        (Some(unfinished), Some(invoiced)) => {
            let exceeds = compare_unfinished(unfinished, invoiced, result);
            let places = row.zip(line).filter(|_| exceeds);
            result.excesses.extend(places.map(|(row, line)| Excess {
                row,
                line,
                age: age(unfinished, invoiced),
            }));
        }
        (Some(row), None) if row.is_whole() => {
            result.differ(&[row], &format!("no line on the invoice for {row:?}"));
        }
        (None, Some(line)) => result.differ(&[], &format!("no row in the ledger for {line:?}")),
        _ => {}
    }
}

fn compare_whole(row: &Row, line: &Line, result: &mut Comparison) {
    let attempt = &row.attempt;
    // A provider that did not say what it counted cannot be followed to the token.
    if attempt.estimated && line.fault == "usage" {
        return;
    }
    let differs = attempt.tokens != line.tokens
        || attempt.cost != line.cost
        || attempt.service_tier != line.service_tier;
    if differs || attempt.estimated || line.outcome != "completed" {
        let text = format!(
            "ledger {:?} {:?}, invoice {:?} {:?} ({row:?} {line:?})",
            attempt.cost, attempt.tokens, line.cost, line.tokens
        );
        result.differ(&[row], &text);
    }
}

/// Whether the invoice has more tokens than our books, and no more than was sent in the last 250 ms
/// before the provider knew of the end. That is the provider's clock alone: reading late what it
/// sent, and being late to tell it that nobody reads on, have to fit into one quarter of a second.
fn compare_unfinished(row: &Row, line: &Line, result: &mut Comparison) -> bool {
    let (booked, invoiced) = (&row.attempt.tokens, &line.tokens);
    if booked.input > 0 && !row.attempt.estimated {
        result.differ(&[row], &format!("not marked as estimated: {row:?}"));
    }
    if invoiced.input > booked.input || invoiced.output > booked.output + line.unseen {
        let text = format!(
            "an unfinished call is invoiced with more than was unseen: ledger {booked:?}, \
             invoice {invoiced:?}, unseen {}, the first sent {:?} before the provider's end, which was \
             {:?} after ours ({row:?} {line:?})",
            line.unseen,
            age(row, line),
            line.ended.duration_since(row.ended),
        );
        result.differ(&[row], &text);
        return false;
    }
    invoiced.output > booked.output
}

fn age(row: &Row, line: &Line) -> Option<SignedDuration> {
    let lacking = line.tokens.output.saturating_sub(row.attempt.tokens.output);
    let mut sent = line.sent.iter().rev().scan(0, |sum, (at, tokens)| {
        *sum += tokens;
        Some((*sum, *at))
    });
    let (_, first) = sent.find(|(sum, _)| *sum >= lacking)?;
    Some(line.ended.duration_since(first))
}
