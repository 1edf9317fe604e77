//! The rows that `make bench` puts into one table.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

/// One result.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// What was measured.
    pub(crate) measure: &'a str,
    /// What came out, with units.
    pub(crate) value: String,
    /// What is asked for; `None` where the issue names no bar.
    pub(crate) bar: Option<Bar>,
    /// What is compared with the bar: a ratio, or the value itself.
    pub(crate) figure: f64,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Row<'_> {
    /// Prints the row.
    pub(crate) fn print(&self) {
        let (bar, share, verdict) = match self.bar {
            None => ("-".to_owned(), self.figure, "-"),
            Some(Bar::AtLeast(least)) => (
                format!(">= {least}"),
                self.figure,
                met(self.figure >= least),
            ),
            Some(Bar::AtMost(most)) => {
                let share = self.figure / most;
                (format!("<= {most}"), share, met(self.figure <= most))
            }
        };
        let (measure, value) = (self.measure, &self.value);
        println!("{measure}\t{value}\t{bar}\t{share:.3}\t{verdict}");
    }
}

/// Prints what is no result but helps to read one.
pub(crate) fn note(text: &str) {
    println!("{text}");
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
