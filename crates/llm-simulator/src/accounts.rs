//! Everything that is counted; one lock guards it, so that it always agrees.

use crate::{
    invoice::{Invoice, Sums},
    journal::{CallFilter, CallRecord, Journal},
    meter::{Meter, MeterReading},
};

/// Meter, bill and journal.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    meter: Meter,
    billed: Sums,
    journal: Journal,
}

impl Accounts {
    pub(crate) fn book(&mut self, call: CallRecord) {
        self.meter.add(&call);
        self.billed.add(&call);
        self.journal.add(call);
    }

    pub(crate) fn reading(&self) -> MeterReading {
        self.meter.reading()
    }

    pub(crate) fn last_calls(&self, filter: &CallFilter, limit: usize) -> Vec<CallRecord> {
        self.journal.last(filter, limit)
    }

    /// The bill for the calls that are asked for. Without a filter its sums are
    /// over all calls since the last reset, else over those in the journal.
    pub(crate) fn invoice(&self, filter: &CallFilter, lines: &Lines) -> Invoice {
        let asked = || self.journal.calls(filter);
        let sums = if filter.is_everything() {
            self.billed.clone()
        } else {
            let mut sums = Sums::default();
            asked().for_each(|call| sums.add(call));
            sums
        };
        let listed = asked().skip(lines.offset).take(lines.limit);
        Invoice::new(&sums, listed.cloned().collect(), self.journal.forgotten())
    }
}

/// Which lines of an invoice are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

#[cfg(test)]
mod tests {
    use super::{Accounts, Lines};
    use crate::{
        dialect::Dialect,
        journal::{CallFilter, CallRecord, JOURNAL_CALLS, Operation, Outcome},
        meter::METER_ROWS,
        price_list::Charge,
        service_tier::ServiceTier,
    };

    pub(crate) fn record(number: u64, model: String) -> CallRecord {
        CallRecord {
            number,
            request_id: String::new(),
            dialect: Dialect::Ollama,
            operation: Operation::Chat,
            model,
            service_tier: ServiceTier::default(),
            caller: String::new(),
            test_id: number.is_multiple_of(2).then(|| "even".to_owned()),
            streamed: false,
            outcome: Outcome::Completed,
            status: 200,
            fault: None,
            input_tokens: 3,
            cache_read_tokens: 0,
            cache_write_5m_tokens: 0,
            cache_write_1h_tokens: 0,
            output_tokens: 5,
            reasoning_tokens: 0,
            arrived_at: jiff::Timestamp::UNIX_EPOCH,
            queued_ms: 0.0,
            first_token_due_ms: None,
            time_to_first_token_ms: None,
            first_token_sent_ms: None,
            duration_ms: 1.0,
            sent_last: Vec::new(),
            tokens_in_last_250_ms: 0,
            replayed: false,
            unmetered: false,
            charge: (!number.is_multiple_of(5)).then(|| Charge {
                output: 10,
                ..Charge::default()
            }),
        }
    }

    #[test]
    fn journal_and_rows_are_bounded_and_the_sums_are_not_lost() {
        let mut accounts = Accounts::default();
        let calls = JOURNAL_CALLS as u64 + 5;
        for number in 0..calls {
            accounts.book(record(number, format!("model-{}", number % 1000)));
        }
        let reading = accounts.reading();
        assert_eq!(reading.total.calls, calls);
        assert_eq!(reading.total.output_tokens, 5 * calls);
        let rows = &reading.rows;
        assert_eq!(rows.iter().map(|row| row.usage.calls).sum::<u64>(), calls);
        assert_eq!(rows.len(), METER_ROWS + 1);
        let everything = CallFilter::default();
        let journal = accounts.last_calls(&everything, usize::MAX);
        assert_eq!((journal.len(), journal[0].number), (JOURNAL_CALLS, 5));
        let last = accounts.last_calls(&everything, 2);
        assert_eq!(
            last.iter().map(|call| call.number).collect::<Vec<_>>(),
            [calls - 2, calls - 1]
        );

        let lines = Lines {
            offset: 0,
            limit: 1,
        };
        let invoice = accounts.invoice(&everything, &lines);
        assert_eq!((invoice.total.calls, invoice.forgotten_calls), (calls, 5));
        assert_eq!(invoice.total.unpriced_calls, calls / 5);
        assert_eq!(invoice.total.pico_usd, 10 * (calls - calls / 5));
    }

    #[test]
    fn an_invoice_can_be_for_some_calls_and_show_some_lines() {
        let mut accounts = Accounts::default();
        for number in 0..20 {
            accounts.book(record(number, "m".to_owned()));
        }
        let filter = CallFilter {
            test_id: Some("even".to_owned()),
            ..CallFilter::default()
        };
        let lines = Lines {
            offset: 3,
            limit: 2,
        };
        let invoice = accounts.invoice(&filter, &lines);
        let shown: Vec<u64> = invoice.lines.iter().map(|line| line.number).collect();
        assert_eq!(shown, [6, 8]);
        assert_eq!((invoice.total.calls, invoice.total.unpriced_calls), (10, 2));
        assert_eq!(invoice.total.pico_usd, 80);
        let later = CallFilter {
            from: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            ..CallFilter::default()
        };
        assert_eq!(accounts.invoice(&later, &lines).total.calls, 0);
    }
}
