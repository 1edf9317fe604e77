//! `cost`: JSON lines in, the same lines out with their exact cost.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
};

use super::{Outcome, prices_in_use, say};

const USAGE: &str = "use cost [FILE]";

/// Bad lines that are named one by one; a file of another kind would fill the terminal.
const MAX_NAMED: u64 = 100;

pub(super) fn run(arguments: &[&str]) -> io::Result<Outcome> {
    let input: Box<dyn Read> = match arguments {
        [] | ["-"] => Box::new(io::stdin()),
        [file] => match File::open(file) {
            Ok(file) => Box::new(file),
            Err(error) => {
                say(&format!("{file}: {error}"));
                return Ok(Outcome::Refused);
            }
        },
        _ => return Ok(Outcome::Misused(USAGE.to_owned())),
    };
    let prices = match prices_in_use() {
        Ok(prices) => prices,
        Err(outcome) => return Ok(outcome),
    };
    let mut bad = 0;
    let mut out = BufWriter::new(io::stdout().lock());
    let refuse = |line: u64, reason: &str| {
        bad += 1;
        if bad <= MAX_NAMED {
            say(&format!("line {line}: {reason}"));
        }
    };
    let input = BufReader::new(input);
    prices.current().price_lines(input, &mut out, refuse)?;
    out.flush()?;
    if bad == 0 {
        return Ok(Outcome::Done);
    }
    say(&format!("{bad} lines were left out"));
    Ok(Outcome::Refused)
}
