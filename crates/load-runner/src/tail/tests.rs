//! Lines and records of a file that is still written.

use std::io::Write;

use super::*;

fn read(tail: &mut LineTail) -> Vec<String> {
    let mut lines = Vec::new();
    tail.read(|line| {
        lines.push(String::from_utf8_lossy(line).into_owned());
        Taken::Whole
    })
    .unwrap();
    lines
}

fn tail_of(text: &str, longest: usize) -> (tempfile::TempDir, LineTail) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records");
    std::fs::write(&path, text).unwrap();
    (
        directory,
        LineTail::new(path, longest).in_units(Unit::Record),
    )
}

#[test]
fn a_record_may_have_several_lines() {
    let (_directory, mut tail) = tail_of("a,\"b\n\"\"c\"\"\n\",d\ne\n\"f\n", 100);
    assert_eq!(read(&mut tail), ["a,\"b\n\"\"c\"\"\n\",d", "e"]);
    assert!(tail.has_partial_line(), "a quotation without its end");
}

#[test]
fn a_mark_that_nobody_closes_costs_its_own_line_alone() {
    let (_directory, mut tail) = tail_of("a\"\nbcd\nefgh\nijklm\n", 10);
    assert_eq!(read(&mut tail), ["a\"", "bcd", "efgh", "ijklm"]);

    let (_directory, mut tail) = tail_of("a\"\nb\n\"c\",\"d\"\ne\n", 100);
    let mut records = Vec::new();
    let mut each = |record: &[u8]| {
        records.push(String::from_utf8_lossy(record).into_owned());
        if record.starts_with(b"a") {
            Taken::FirstLine
        } else {
            Taken::Whole
        }
    };
    // As long as a later mark may close it, it is not known to be broken.
    tail.read(&mut each).unwrap();
    std::fs::OpenOptions::new()
        .append(true)
        .open(&tail.path)
        .and_then(|mut file| file.write_all(b"\"f\"\"\n"))
        .unwrap();
    tail.read(&mut each).unwrap();
    assert_eq!(records[1..], ["b", "\"c\",\"d\"", "e"]);
}

#[test]
fn what_is_not_taken_comes_again() {
    let (_directory, mut tail) = tail_of("a\nb\nc\n", 2);
    let mut left = 1;
    let mut each = |record: &[u8]| {
        if record == b"b" && left > 0 {
            left -= 1;
            return Taken::Not;
        }
        Taken::Whole
    };
    let progress = tail.read(&mut each).unwrap();
    assert_eq!((progress.more, tail.offset), (false, 2));
    assert!(tail.has_partial_line());
    assert_eq!(read(&mut tail), ["b", "c"]);
    assert_eq!((tail.offset, tail.skipped()), (6, 0));
}

#[test]
fn lines_come_when_they_are_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lines");
    let mut tail = LineTail::new(path.clone(), 10);
    assert_eq!(read(&mut tail), [""; 0], "no file yet");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"one\ntw").unwrap();
    assert_eq!(read(&mut tail), ["one"]);
    assert_eq!((tail.offset, tail.has_partial_line()), (4, true));
    file.write_all(b"o\n\n").unwrap();
    assert_eq!(read(&mut tail), ["two", ""]);
    assert!(!tail.has_partial_line());
}

#[test]
fn lines_that_are_too_long_are_skipped_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lines");
    let mut file = File::create(&path).unwrap();
    let mut tail = LineTail::new(path, 10);
    file.write_all(b"12345678901\nok\n123456789012").unwrap();
    assert_eq!(read(&mut tail), ["ok"]);
    assert_eq!(tail.skipped(), 2);
    file.write_all(b"345\nyes\n").unwrap();
    assert_eq!(read(&mut tail), ["yes"]);
    assert_eq!((tail.skipped(), tail.offset), (2, 35));
}

#[test]
fn a_file_that_starts_over_is_read_from_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lines");
    std::fs::write(&path, "first\nsecond\n").unwrap();
    let mut tail = LineTail::new(path.clone(), 10);
    assert_eq!(read(&mut tail).len(), 2);
    std::fs::write(&path, "new\n").unwrap();
    assert_eq!(read(&mut tail), [""; 0]);
    assert_eq!(read(&mut tail), ["new"]);
}
