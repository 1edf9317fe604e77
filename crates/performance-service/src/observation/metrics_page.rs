//! When a process began, from the text of its metrics.

use instrumentation::catalogue::PROCESS_UPTIME;
use reqwest::Client;

use super::now;

/// A page of metrics larger than this is a mistake in its labels.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// When it began, as Prometheus' own clients tell it.
const START_TIME: &str = "process_start_time_seconds";

/// When the process behind this address began, in seconds since the Unix epoch.
pub(super) async fn start(client: &Client, base_url: &str) -> Result<f64, String> {
    let url = format!("{}/metrics", base_url.trim_end_matches('/'));
    let sent = client.get(url).send().await;
    // The address is the run's target, which whoever reads this knows.
    let mut reply = sent.map_err(|error| error.without_url().to_string())?;
    let status = reply.status();
    if !status.is_success() {
        return Err(format!("it answers {}", status.as_u16()));
    }
    let mut page = Vec::new();
    while let Some(part) = reply.chunk().await.map_err(|error| error.to_string())? {
        page.extend_from_slice(&part);
        if page.len() > MAX_BYTES {
            return Err(format!("it is longer than {MAX_BYTES} bytes"));
        }
    }
    let page = String::from_utf8_lossy(&page);
    // An uptime is by any clock, a start by the target's.
    let uptime = value(&page, PROCESS_UPTIME.prometheus).map(|uptime| now() - uptime);
    uptime.or_else(|| value(&page, START_TIME)).ok_or_else(|| {
        format!(
            "it has neither {} nor {START_TIME}",
            PROCESS_UPTIME.prometheus
        )
    })
}

/// The first sample of a metric; Prometheus' text format.
fn value(page: &str, metric: &str) -> Option<f64> {
    page.lines().find_map(|line| {
        let rest = line.strip_prefix(metric)?;
        let value = match rest.strip_prefix('{') {
            Some(labels) => labels.rsplit_once('}')?.1,
            None if rest.starts_with(' ') => rest,
            None => return None,
        };
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        value.is_finite().then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_text_format() {
        let page = "# HELP process_uptime_seconds x\n# TYPE process_uptime_seconds gauge\n\
                    process_uptime_seconds_total 9\nprocess_uptime_seconds 12.5\n\
                    process_start_time_seconds{job=\"a } b\"} 1.7e9 123\n";
        assert_eq!(value(page, PROCESS_UPTIME.prometheus), Some(12.5));
        assert_eq!(value(page, START_TIME), Some(1.7e9));
        assert_eq!(value(page, "process"), None);
        assert_eq!(
            value("process_uptime_seconds NaN", PROCESS_UPTIME.prometheus),
            None
        );
    }
}
