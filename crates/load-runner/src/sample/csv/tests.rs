//! Records of k6's CSV, right and wrong.

use load_analysis::metric::{Contains, MetricKind};

use super::*;
use crate::runner::RunArtifacts;
use crate::sample::SampleFormat;

const HEADER: &str =
    "metric_name,timestamp,metric_value,check,group,name,status,extra_tags,metadata";

fn files(run: &tempfile::TempDir) -> ProcessArtifacts {
    RunArtifacts::within(run.path(), 1, SampleFormat::Csv)
        .processes
        .remove(0)
}

fn decoder(run: &tempfile::TempDir) -> CsvDecoder {
    let mut decoder = CsvDecoder::new(&files(run));
    assert_eq!(decoder.decode(HEADER.as_bytes()), Ok(None));
    decoder
}

fn names(sample: &Sample<'_>) -> Vec<(String, String)> {
    let tags = sample.tags.0.iter();
    tags.map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

#[test]
fn records_become_samples() {
    let run = tempfile::tempdir().unwrap();
    let mut decoder = decoder(&run);
    let record = b"http_req_duration,1795275970323289,1.500000,,::a,\"x, \"\"y\"\"\nz\",200,\
                   journey=reader&route_class=a&b,trace_id=0af7651916cd43dd8448eb211c80319c";
    let sample = decoder.decode(record).unwrap().unwrap();
    assert_eq!((sample.time, sample.value), (1_795_275_970_323_289, 1.5));
    assert_eq!(
        (sample.kind, sample.contains),
        (MetricKind::Trend, Contains::Time)
    );
    assert_eq!(sample.trace_id, Some("0af7651916cd43dd8448eb211c80319c"));
    let expected = [
        ("group", "::a"),
        ("name", "x, \"y\"\nz"),
        ("status", "200"),
        ("journey", "reader"),
        ("route_class", "a&b"),
    ];
    assert_eq!(
        names(&sample),
        expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    // Tags of the record before do not stay.
    let sample = decoder.decode(b"vus,1,2.000000,,,,,,").unwrap().unwrap();
    assert_eq!((names(&sample), sample.trace_id), (Vec::new(), None));
}

#[test]
fn what_k6_does_not_write_is_unreadable() {
    let run = tempfile::tempdir().unwrap();
    for record in [
        "",
        "vus",
        "vus,1,2",
        "vus,1,2.0,,,,",
        "vus,1,2.0,,,,,,,",
        "vus,1.5,2.0,,,,,,",
        "vus,1,NaN,,,,,,",
        "vus,1,+Inf,,,,,,",
        "vus,1,2.0,\"a,,,,,",
        "vus,1,2.0,\"a\"b,,,,,",
        "a metric,1,2.0,,,,,,",
        "a{b:c},1,2.0,,,,,,",
    ] {
        let found = decoder(&run).decode(record.as_bytes()).map(|_| ());
        assert_eq!(found, Err(NoSample::Unreadable), "{record}");
    }
    for header in [
        "",
        "vus,1,2.0,,",
        "metric_name,timestamp,metric_value,metadata",
    ] {
        let found = CsvDecoder::new(&files(&run))
            .decode(header.as_bytes())
            .map(|_| ());
        assert_eq!(found, Err(NoSample::Unreadable), "{header}");
    }
}

#[test]
fn a_metric_of_the_script_waits_until_k6_has_named_it() {
    let run = tempfile::tempdir().unwrap();
    let files = files(&run);
    std::fs::create_dir(&files.directory).unwrap();
    let mut decoder = decoder(&run);
    let record = b"numbers,1,2.500000,,,,,,";
    assert_eq!(decoder.decode(record), Err(NoSample::NotYet));
    let summary = r#"{"metrics":{"numbers":{"type":"counter","contains":"data","values":{}}},
                      "state":{"testRunDurationMs":1}}"#;
    std::fs::write(&files.summary, summary).unwrap();
    let sample = decoder.decode(record).unwrap().unwrap();
    assert_eq!(
        (sample.kind, sample.contains),
        (MetricKind::Counter, Contains::Data)
    );
    // Nobody names others after the end.
    let others = b"others,1,2.5,,,,,,";
    assert_eq!(decoder.decode(others), Err(NoSample::NotYet));
    decoder.note_end();
    assert_eq!(decoder.decode(others), Err(NoSample::Unreadable));
    assert!(decoder.decode(record).unwrap().is_some());
}

#[test]
fn what_an_earlier_reader_was_told_is_known_after_a_k6_without_a_summary() {
    let run = tempfile::tempdir().unwrap();
    let files = files(&run);
    std::fs::create_dir(&files.directory).unwrap();
    let told = r#"[{"name":"numbers","type":"trend","contains":"time"}]"#;
    std::fs::write(run.path().join("k6-1.metrics.json"), told).unwrap();
    let mut decoder = decoder(&run);
    decoder.note_end();
    let sample = decoder.decode(b"numbers,1,2.5,,,,,,").unwrap().unwrap();
    assert_eq!(
        (sample.kind, sample.contains),
        (MetricKind::Trend, Contains::Time)
    );
    let others = decoder.decode(b"others,1,2.5,,,,,,").map(|_| ());
    assert_eq!(others, Err(NoSample::Unreadable));
}
