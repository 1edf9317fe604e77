//! `prices check` and `prices show`.

use std::{
    io::{self, Write},
    path::Path,
};

use jiff::Timestamp;
use llm::{Price, Prices, day_or_moment};
use money::PicoUsd;

use super::{Outcome, prices_in_use, say};

const USAGE: &str = "use prices check [FILE] or prices show MODEL [--at DATE]";

/// A price is kept per token and shown per million of them.
const TOKENS_SHOWN: i128 = 1_000_000;

pub(super) fn run(arguments: &[&str]) -> io::Result<Outcome> {
    match arguments {
        ["check"] => match prices_in_use() {
            Ok(prices) => report(&prices),
            Err(outcome) => Ok(outcome),
        },
        ["check", file] => match Prices::load(Some(Path::new(file))) {
            Ok(prices) => report(&prices),
            Err(error) => {
                say(&error.to_string());
                Ok(Outcome::Refused)
            }
        },
        ["show", model] => show(model, Timestamp::now()),
        ["show", model, "--at", date] | ["show", "--at", date, model] => {
            match day_or_moment(date) {
                Some(at) => show(model, at),
                None => Ok(Outcome::Misused(format!(
                    "--at {date}: must be a date such as 2026-11-20 or an RFC 3339 time"
                ))),
            }
        }
        _ => Ok(Outcome::Misused(USAGE.to_owned())),
    }
}

fn report(prices: &Prices) -> io::Result<Outcome> {
    let catalogue = prices.current();
    writeln!(
        io::stdout(),
        "{} prices, version {}, checked on {}",
        catalogue.len(),
        catalogue.version(),
        catalogue.checked_on()
    )?;
    Ok(Outcome::Done)
}

fn show(model: &str, at: Timestamp) -> io::Result<Outcome> {
    let prices = match prices_in_use() {
        Ok(prices) => prices,
        Err(outcome) => return Ok(outcome),
    };
    let catalogue = prices.current();
    let lines = catalogue.prices_of(model, at);
    if lines.is_empty() {
        say(&format!("no price of {model} holds at {at}"));
        return Ok(Outcome::Refused);
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "US dollars per million tokens at {at}, price list {}",
        catalogue.version()
    )?;
    for price in lines {
        write_price(&mut out, price)?;
    }
    Ok(Outcome::Done)
}

fn write_price(out: &mut impl Write, price: &Price) -> io::Result<()> {
    write!(out, "\n{} {}", price.provider, price.model)?;
    if !price.region_class.is_empty() {
        write!(out, ", region {}", price.region_class)?;
    }
    write!(out, ", {}", price.service_tier)?;
    if price.context_over > 0 {
        write!(out, ", above {} input tokens", price.context_over)?;
    }
    writeln!(out)?;
    for (name, amount) in [
        ("input", Some(price.input)),
        ("cache read", price.cache_read),
        ("cache write 5m", price.cache_write_5m),
        ("cache write 1h", price.cache_write_1h),
        ("output", Some(price.output)),
        ("reasoning", price.reasoning),
    ] {
        if let Some(amount) = amount {
            writeln!(out, "  {name:<15}{}", per_million(amount))?;
        }
    }
    let day = |time: Option<Timestamp>, open: &str| {
        time.map_or(open.to_owned(), |time| {
            time.strftime("%Y-%m-%d").to_string()
        })
    };
    writeln!(
        out,
        "  {:<15}{} to {}",
        "holds",
        day(price.effective_from, "ever"),
        day(price.effective_to, "further notice")
    )?;
    writeln!(
        out,
        "  {:<15}{}, {}",
        "source", price.source, price.checked_on
    )?;
    if let Some(dispute) = &price.disputed {
        writeln!(out, "  {:<15}{dispute}", "disputed")?;
    }
    Ok(())
}

fn per_million(amount: PicoUsd) -> String {
    money::format_usd(i128::from(amount.get()) * TOKENS_SHOWN)
}
