//! What `/metrics` shows, read as Prometheus reads it: the text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;

use anyhow::{Context, ensure};

/// The text of `/metrics`, in its parts.
#[derive(Debug, Clone, Default)]
pub struct Exposition {
    /// The type by family: counter, gauge, histogram.
    pub families: BTreeMap<String, String>,
    /// Every line with a value.
    pub samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The family, with `_bucket`, `_sum` or `_count` behind it for a histogram.
    pub name: String,
    /// Labels, their values as they were before they were written.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Exposition {
    /// Reads the text.
    ///
    /// # Errors
    /// A line that Prometheus would refuse, and two lines for one series.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let mut exposition = Self::default();
        let mut seen = std::collections::BTreeSet::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (family, kind) = rest.split_once(' ').context(line.to_owned())?;
                let before = exposition
                    .families
                    .insert(family.to_owned(), kind.to_owned());
                ensure!(before.is_none(), "{family} stands twice");
            } else if !line.starts_with('#') {
                let sample = Sample::read(line).with_context(|| line.to_owned())?;
                ensure!(
                    seen.insert((sample.name.clone(), sample.labels.clone())),
                    "two lines for one series: {line}"
                );
                exposition.samples.push(sample);
            }
        }
        Ok(exposition)
    }

    /// The series of a family: for a histogram those of its count.
    pub fn series<'a>(&'a self, family: &'a str) -> impl Iterator<Item = &'a Sample> {
        let samples = self.samples.iter();
        samples.filter(move |sample| {
            let rest = sample.name.strip_prefix(family);
            rest == Some("") || rest == Some("_count")
        })
    }
}

impl Sample {
    fn read(line: &str) -> anyhow::Result<Self> {
        let end = line.find(['{', ' ']).context("no value")?;
        let (name, rest) = line.split_at(end);
        let (labels, value) = match rest.strip_prefix('{') {
            Some(labels) => read_labels(labels)?,
            None => (BTreeMap::new(), rest),
        };
        Ok(Self {
            name: name.to_owned(),
            labels,
            value: value.trim().parse()?,
        })
    }
}

/// Labels up to the bracket that ends them, and what follows.
fn read_labels(mut text: &str) -> anyhow::Result<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        text = text.trim_start_matches(',');
        if let Some(rest) = text.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, rest) = text.split_once("=\"").context("a label without a value")?;
        let (value, rest) = read_value(rest)?;
        ensure!(
            labels.insert(name.to_owned(), value).is_none(),
            "the label {name} stands twice"
        );
        text = rest;
    }
}

/// A value up to the quotation mark that ends it, and what follows.
fn read_value(text: &str) -> anyhow::Result<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            '\\' => value.push(match characters.next().context("a lonely backslash")?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                other => anyhow::bail!("\\{other} is no escape"),
            }),
            other => value.push(other),
        }
    }
    anyhow::bail!("a value without an end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_meant() {
        let text = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"q\\\"b\\\\n\\n}\",y=\"\"} 3\n\n\
                    # TYPE b histogram\nb_bucket{le=\"+Inf\"} 1\nb_sum 0.5\nb_count 1\n";
        let read = Exposition::read(text).unwrap();
        assert_eq!(read.families["a_total"], "counter");
        let [first, ..] = &read.samples[..] else {
            panic!("{read:?}")
        };
        assert_eq!(first.labels["x"], "q\"b\\n\n}");
        assert_eq!((first.labels["y"].as_str(), first.value), ("", 3.0));
        let counts: Vec<_> = read.series("b").map(|series| &*series.name).collect();
        assert_eq!(counts, ["b_count"]);
    }

    #[test]
    fn what_prometheus_refuses_is_an_error() {
        for text in [
            "a{x=\"1} 2",
            "a{x=\"\\q\"} 2",
            "a",
            "a{x} 1",
            "a 1\na 2",
            "a{x=\"1\",x=\"2\"} 3",
        ] {
            assert!(Exposition::read(text).is_err(), "{text}");
        }
    }
}
