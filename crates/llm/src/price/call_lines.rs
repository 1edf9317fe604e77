//! Pricing calls that are written as JSON lines: the same lines out, with their exact cost. One
//! line is held at a time.

use std::io::{self, BufRead, Read, Write};

use serde::Deserialize;

use super::{PriceCatalogue, PriceQuery, day_or_moment, json_members::Members};
use crate::{ProviderName, Usage, usage::MAX_TOKENS};

/// Longest line: a call's counts take some 300 bytes, the rest is for members of the caller's own.
const MAX_LINE: usize = 64 << 10;

/// The member that is added.
const COST: &str = "cost_pico_usd";

impl PriceCatalogue {
    /// Writes each good line with its cost and tells `refuse` the number and the mistake of each
    /// bad one; empty lines are passed over.
    ///
    /// # Errors
    /// Those of reading and writing; never a bad line.
    pub fn price_lines(
        &self,
        mut input: impl BufRead,
        output: &mut impl Write,
        mut refuse: impl FnMut(u64, &str),
    ) -> io::Result<()> {
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX) + 1;
            if (&mut input).take(limit).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.len() > MAX_LINE && line.last() != Some(&b'\n') {
                skip_rest(&mut input)?;
                refuse(number, &format!("has more than {MAX_LINE} bytes"));
                continue;
            }
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            match priced(text, self) {
                Ok(members) => members.write(output)?,
                Err(reason) => refuse(number, &reason),
            }
        }
        Ok(())
    }
}

/// Reads to the end of the line, and keeps nothing of it.
fn skip_rest(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffered = input.fill_buf()?;
        if buffered.is_empty() {
            return Ok(());
        }
        let end = buffered.iter().position(|byte| *byte == b'\n');
        let (used, done) = match end {
            Some(end) => (end + 1, true),
            None => (buffered.len(), false),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn priced<'a>(line: &'a [u8], catalogue: &PriceCatalogue) -> Result<Members<'a>, String> {
    let members: Members<'a> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let call: Call = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let cost = call.cost(catalogue)?;
    Ok(members.with(COST, cost))
}

/// One call as a line has it; members that are not known are kept and not looked at.
#[derive(Deserialize)]
struct Call {
    provider: String,
    model: String,
    at: String,
    /// Cached ones included.
    input_tokens: u64,
    #[serde(default)]
    cache_read: Option<u64>,
    #[serde(default)]
    cache_write_5m: Option<u64>,
    #[serde(default)]
    cache_write_1h: Option<u64>,
    /// Reasoning included.
    output_tokens: u64,
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(default)]
    region_class: Option<String>,
    #[serde(default)]
    service_tier: Option<String>,
}

impl Call {
    fn cost(&self, catalogue: &PriceCatalogue) -> Result<Option<i64>, String> {
        let provider: ProviderName = self
            .provider
            .parse()
            .map_err(|error| format!("provider {:?} {error}", self.provider))?;
        let at = day_or_moment(&self.at)
            .ok_or_else(|| format!("at {:?} must be an RFC 3339 time", self.at))?;
        let usage = self.usage()?;
        let query = PriceQuery {
            provider,
            model: &self.model,
            at,
            region_class: self.region_class.as_deref().unwrap_or_default(),
            service_tier: self.service_tier.as_deref().unwrap_or_default(),
        };
        let cost = catalogue.cost_of(&query, &usage);
        Ok(cost.map(|cost| cost.total.get()))
    }

    fn usage(&self) -> Result<Usage, String> {
        let usage = Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cache_read_tokens: self.cache_read.unwrap_or_default(),
            cache_write_5m_tokens: self.cache_write_5m.unwrap_or_default(),
            cache_write_1h_tokens: self.cache_write_1h.unwrap_or_default(),
            reasoning_tokens: self.reasoning_tokens.unwrap_or_default(),
            estimated: false,
        };
        let cached = usage
            .cache_read_tokens
            .saturating_add(usage.cache_write_tokens());
        if usage.input_tokens.max(usage.output_tokens) > MAX_TOKENS {
            return Err(format!("a count of tokens is above {MAX_TOKENS}"));
        }
        if cached > usage.input_tokens {
            return Err(format!(
                "input_tokens {} must include the {cached} cached ones",
                usage.input_tokens
            ));
        }
        if usage.reasoning_tokens > usage.output_tokens {
            return Err(format!(
                "output_tokens {} must include the {} of reasoning",
                usage.output_tokens, usage.reasoning_tokens
            ));
        }
        Ok(usage)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn run(input: impl Read) -> (Vec<u8>, Vec<(u64, String)>) {
        let catalogue = PriceCatalogue::built_in().unwrap();
        let (mut output, mut refused) = (Vec::new(), Vec::new());
        let refuse = |line, reason: &str| refused.push((line, reason.to_owned()));
        catalogue
            .price_lines(BufReader::new(input), &mut output, refuse)
            .unwrap();
        (output, refused)
    }

    #[test]
    fn a_line_keeps_what_it_has_and_gets_its_cost() {
        let line = r#"{"z":[1, 2],"provider":"anthropic","model":"claude-sonnet-5-5","at":"2026-11-20T00:00:00Z","input_tokens":5,"cache_read":1,"output_tokens":2,"note":"a \"b\" ä","region_class":null}"#;
        let (output, refused) = run(format!("\n{line}\r\n").as_bytes());
        assert_eq!(refused, []);
        let expected = 4 * 2_000_000 + 100_000 + 2 * 10_000_000;
        let priced = line.replace("null}", &format!("null,\"cost_pico_usd\":{expected}}}\n"));
        assert_eq!(String::from_utf8(output.clone()).unwrap(), priced);
        // A line that has a cost already gets the new one in its place.
        assert_eq!(run(&*output).0, output);
        // Whatever costs it has, and however they are spelled, it leaves with one.
        let costs = r#""cost_pico_usd":1,"a":2,"cost_pico_us\u0064":3}"#;
        let twice = line.replace("}", &format!(",{costs}"));
        let once = format!("null,\"cost_pico_usd\":{expected},\"a\":2}}\n");
        assert_eq!(
            run(twice.as_bytes()).0,
            line.replace("null}", &once).into_bytes()
        );
        let unknown = line.replace("sonnet-5-5", "sonnet-99");
        let (output, _) = run(unknown.as_bytes());
        assert!(output.ends_with(b"\"cost_pico_usd\":null}\n"));
    }

    #[test]
    fn a_bad_line_is_named_and_left_out() {
        let good = r#"{"provider":"openai","model":"o3","at":"2026-11-20","input_tokens":1,"output_tokens":0}"#;
        for (from, to, reason) in [
            ("openai", "nobody", "is not one of"),
            ("2026-11-20", "soon", "RFC 3339"),
            ("\"input_tokens\":1,", "", "input_tokens"),
            (":1,", ":-1,", "input_tokens\" or -1: invalid value"),
            (":1,", ":1.5,", "1.5"),
            (":1,", ":1e30,", "1e+30"),
            (":1,", ":100000001,", "above"),
            (":1,", ":1,\"cache_read\":2,", "must include"),
            (":0}", ":0,\"reasoning_tokens\":1}", "must include"),
            (":0}", ":0}}", "trailing"),
            ("{", "[", "expected"),
            (":0}", ":0,\"model\":\"o3\"}", "duplicate"),
        ] {
            let bad = good.replacen(from, to, 1);
            let (output, refused) = run(format!("{good}\n{bad}\n{good}\n").as_bytes());
            assert_eq!(output.iter().filter(|byte| **byte == b'\n').count(), 2);
            let [(2, said)] = &refused[..] else {
                panic!("{bad}: {refused:?}")
            };
            let reason = reason.split(" or ").next().unwrap();
            assert!(
                said.contains(reason) || said.contains("-1"),
                "{said} of {bad}"
            );
        }
    }

    #[test]
    fn a_long_line_is_passed_over_without_being_held() {
        let good = "{\"provider\":\"ollama\",\"model\":\"x\",\"at\":\"2026-11-20\",\"input_tokens\":1,\"output_tokens\":0}\n";
        let long = io::repeat(b'x').take(10 << 20);
        let input = good
            .as_bytes()
            .chain(long)
            .chain(&b"\n"[..])
            .chain(good.as_bytes());
        let (output, refused) = run(input);
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].0, 2);
        assert!(refused[0].1.contains("more than"));
        assert_eq!(output.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}
