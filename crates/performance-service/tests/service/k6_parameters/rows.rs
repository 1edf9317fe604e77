//! The table: what is sent, and what becomes of it.

use serde_json::{Value, json};

use self::Answer::{Data, Refused, Target};

/// What becomes of a value.
pub(super) enum Answer {
    /// It is refused, with this status and the name of this field.
    Refused(u16, &'static str),
    /// It is the seed and the name of a run, and arrives as it is.
    Data(&'static str),
    /// It is another way to write the target's own address.
    Target,
}
/// A value as the table of bad inputs names it, the request, and what becomes of it.
pub(super) type Row = (&'static str, Value, Answer);

pub(super) fn rows(port: u16) -> Vec<Row> {
    let mut rows = refused_scripts();
    rows.extend(refused_variables());
    rows.extend(refused_options());
    rows.extend(refused_targets(port));
    rows.extend(data());
    let itself = json!({"environment": {"BASE_URL": format!("http://2130706433:{port}")}});
    rows.push(("decimal IP of the target itself", itself, Target));
    rows
}

fn refused_scripts() -> Vec<Row> {
    let names = [
        ("script ../x", "../x"),
        ("script ../x.js", "../secret.js"),
        ("script /etc/passwd", "/etc/passwd"),
        ("script -", "-"),
        ("script --out=…", "--out=json=x.js"),
        ("script by symlink", "tests/out.js"),
        ("symlink to /etc/passwd", "tests/passwd.js"),
        ("script with NUL", "tests/told.js\0"),
        ("script with ;", "tests/told.js;id"),
        ("script with $(…)", "tests/$(id).js"),
    ];
    let row = |(what, name): (&'static str, &str)| -> Row {
        (
            what,
            json!({"testScript": name}),
            Refused(400, "testScript"),
        )
    };
    names.map(row).into()
}

fn refused_variables() -> Vec<Row> {
    let variables = [
        ("LD_PRELOAD", "LD_PRELOAD", "x", "environment.LD_PRELOAD"),
        ("HTTP_PROXY", "HTTP_PROXY", "x", "environment.HTTP_PROXY"),
        ("K6_*", "K6_VUS", "x", "environment.K6_VUS"),
        ("K6_*", "K6_OUT", "x", "environment.K6_OUT"),
        ("PATH", "PATH", "x", "environment.PATH"),
        (
            "a second -e",
            "SEED=1 -e K6_VUS",
            "x",
            "environment.SEED=1 -e K6_VUS",
        ),
        ("value with NUL", "SEED", "a\0b", "environment.SEED"),
    ];
    let row = |(what, name, value, field): (&'static str, &str, &str, &'static str)| -> Row {
        (
            what,
            json!({"environment": {name: value}}),
            Refused(400, field),
        )
    };
    variables.map(row).into()
}

fn refused_options() -> Vec<Row> {
    let options = [
        (
            "VUs 1e9",
            json!({"virtualUsers": 1_000_000_000}),
            "options.virtualUsers",
        ),
        (
            "duration 1e9h",
            json!({"duration": "1e9h"}),
            "options.duration",
        ),
        (
            "duration 1e9h",
            json!({"duration": "1000000000h"}),
            "options.duration",
        ),
        (
            "duration with ;",
            json!({"duration": "1s;id"}),
            "options.duration",
        ),
        (
            "duration with $(…)",
            json!({"duration": "$(id)"}),
            "options.duration",
        ),
        (
            "threshold with ');",
            json!({"thresholds": {"http_reqs": "'); throw 1"}}),
            "options.thresholds",
        ),
        (
            "format --out=…",
            json!({"outputFormat": "--out=x"}),
            "options.outputFormat",
        ),
    ];
    let row = |(what, options, field): (&'static str, Value, &'static str)| -> Row {
        (what, json!({"options": options}), Refused(400, field))
    };
    let mut rows = Vec::from(options.map(row));
    let elsewhere = json!({"vus": 1_000_000_000});
    rows.push(("VUs 1e9", elsewhere, Refused(400, "options.virtualUsers")));
    rows
}

fn refused_targets(port: u16) -> Vec<Row> {
    let at = |what, url: String| {
        let body = json!({"environment": {"BASE_URL": url}});
        (what, body, Refused(403, "environment.BASE_URL"))
    };
    vec![
        at(
            "target with userinfo",
            format!("http://user:secret@127.0.0.1:{port}"),
        ),
        at(
            "http://127.0.0.1:27017",
            "http://127.0.0.1:27017".to_owned(),
        ),
        at("decimal IP", "http://2130706433:27017".to_owned()),
        at("octal IP", "http://017700000001:27017".to_owned()),
        at("octal IP in parts", "http://0177.0.0.1:27017".to_owned()),
        at("hex IP", "http://0x7f000001:27017".to_owned()),
        at("[::ffff:…]", format!("http://[::ffff:127.0.0.1]:{port}")),
        at(
            "[::ffff:…] in hex",
            format!("http://[::ffff:7f00:1]:{port}"),
        ),
        at(
            "169.254.169.254",
            "http://169.254.169.254/latest/meta-data".to_owned(),
        ),
        at("169.254.169.254, decimal", "http://2852039166/".to_owned()),
        at(
            "DNS name to a private address",
            format!("http://localhost:{port}"),
        ),
        at(
            "DNS name with the address in it",
            format!("http://127.0.0.1.example:{port}"),
        ),
    ]
}

fn data() -> Vec<Row> {
    let texts = [
        (";", "; id"),
        ("$(…)", "$(id) `id`"),
        ("JS in strings", "'); throw new Error('x'); //"),
        ("JS in templates", "${__ENV.BASE_URL} \"\\"),
        ("U+2028", "a\u{2028}b\u{2029}c"),
        ("</script>", "</script><script>alert(1)</script>"),
        ("--out=…", "--out=json=x"),
    ];
    let row = |(what, text): (&'static str, &'static str)| {
        let body = json!({"testName": text, "environment": {"SEED": text}});
        (what, body, Data(text))
    };
    texts.map(row).into()
}
