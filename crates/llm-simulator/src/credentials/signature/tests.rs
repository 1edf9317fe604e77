//! Signatures that botocore 1.44 made, with the secret of AWS' documentation.

use http::{HeaderMap, HeaderValue, Method, Uri, header::HOST};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{Invalid, Signature, Signed};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const BODY: &[u8] = br#"{"messages":[]}"#;
const ENCODED_PATH: &str = "/model/us.anthropic.claude-sonnet-5-5-v1%3A0/converse";
const ENCODED: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date, \
    Signature=cfc0d52e1594efbceb728e20b5a9f926eed8fbeb87f86e8c893eebbecc6f4b64";
const BARE_PATH: &str = "/model/us.anthropic.claude-sonnet-5-5-v1:0/converse?b=2&a=1";
const BARE: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
    Signature=ee3def137df362a27d363356e36b64807be93d9169ade68ec7d7b4bf3ce3cc64";

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-amz-date", HeaderValue::from_static("20261121T120000Z"));
    headers.insert("x-amz-security-token", HeaderValue::from_static("session"));
    headers.insert(HOST, HeaderValue::from_static("127.0.0.1:7010"));
    headers
}

/// How a request looks from where it is verified.
struct Case {
    authorization: &'static str,
    uri: &'static str,
    headers: HeaderMap,
    body: &'static [u8],
    secret: &'static str,
    seconds_later: i64,
}

impl Case {
    fn right(authorization: &'static str, uri: &'static str) -> Self {
        Self {
            authorization,
            uri,
            headers: headers(),
            body: BODY,
            secret: SECRET,
            seconds_later: 30,
        }
    }

    fn verify(&self) -> Result<(), Invalid> {
        let signature = Signature::read(self.authorization, &self.headers).unwrap();
        assert_eq!(signature.access_key, "AKIDEXAMPLE");
        let uri: Uri = self.uri.parse().unwrap();
        let signed = Signed {
            method: &Method::POST,
            uri: &uri,
            headers: &self.headers,
            body: self.body,
        };
        let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let now = at + SignedDuration::from_secs(self.seconds_later);
        signature.verify(&SecretString::from(self.secret), &signed, now)
    }
}

#[test]
fn right_signatures_hold_for_encoded_and_bare_paths() {
    assert_eq!(Case::right(ENCODED, ENCODED_PATH).verify(), Ok(()));
    assert_eq!(Case::right(BARE, BARE_PATH).verify(), Ok(()));
}

#[test]
fn http_2_names_the_host_in_the_address() {
    let mut case = Case::right(
        ENCODED,
        "http://127.0.0.1:7010/model/us.anthropic.claude-sonnet-5-5-v1%3A0/converse",
    );
    case.headers.remove(HOST);
    assert_eq!(case.verify(), Ok(()));
}

/// The official JavaScript client over HTTP/2, taken from the wire.
#[test]
fn an_authority_is_signed_in_place_of_a_host() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-length", "59"),
        ("x-amz-user-agent", "aws-sdk-js/3.1161.0"),
        (
            "amz-sdk-invocation-id",
            "512f3cd7-aed8-49fa-9e86-413b8cb683ac",
        ),
        ("amz-sdk-request", "attempt=1; max=1"),
        ("x-amz-date", "20261121T200203Z"),
        (
            "x-amz-content-sha256",
            "7421da8d1a0949a481724fee62d5886aacde03836bf58248adb73e8b61ac0d54",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let case = Case {
        authorization: "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request, \
            SignedHeaders=:authority;amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;\
            x-amz-content-sha256;x-amz-date;x-amz-user-agent, \
            Signature=48ebdb52de2a72d296ecde53ecb335b0e5f665162b2c8391a1199652327c19c4",
        uri: "http://127.0.0.1:7010/model/us.anthropic.claude-sonnet-5-5-v1%3A0/converse",
        headers,
        body: br#"{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}"#,
        secret: SECRET,
        seconds_later: 8 * 3600 + 130,
    };
    assert_eq!(case.verify(), Ok(()));
    let elsewhere = Case {
        uri: "http://127.0.0.1:7011/model/us.anthropic.claude-sonnet-5-5-v1%3A0/converse",
        ..case
    };
    assert_eq!(elsewhere.verify(), Err(Invalid::Mismatch));
}

#[test]
fn whatever_is_changed_spoils_the_signature() {
    let right = || Case::right(ENCODED, ENCODED_PATH);
    let mut other_type = right();
    other_type
        .headers
        .insert("content-type", HeaderValue::from_static("text/plain"));
    let cases = [
        Case {
            body: b"{}",
            ..right()
        },
        Case {
            secret: "other",
            ..right()
        },
        Case {
            uri: "/model/other/converse",
            ..right()
        },
        Case {
            uri: "/model/us.anthropic.claude-sonnet-5-5-v1%3A0/converse?a=1",
            ..right()
        },
        other_type,
    ];
    for case in cases {
        assert_eq!(case.verify(), Err(Invalid::Mismatch), "{}", case.uri);
    }
}

#[test]
fn old_and_early_signatures_are_refused() {
    for (seconds_later, expected) in [
        (-301, Err(Invalid::Expired)),
        (-299, Ok(())),
        (299, Ok(())),
        (301, Err(Invalid::Expired)),
    ] {
        let case = Case {
            seconds_later,
            ..Case::right(ENCODED, ENCODED_PATH)
        };
        assert_eq!(case.verify(), expected, "{seconds_later}");
    }
    for date in ["yesterday", "20261120T120000Z", "\u{7f}"] {
        let mut case = Case::right(ENCODED, ENCODED_PATH);
        let Ok(value) = HeaderValue::from_str(date) else {
            continue;
        };
        case.headers.insert("x-amz-date", value);
        assert_eq!(case.verify(), Err(Invalid::Expired), "{date}");
    }
}
