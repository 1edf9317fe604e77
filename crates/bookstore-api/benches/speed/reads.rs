//! Reading one book: from the first cache level, and from Redis.

use std::time::Duration;

use test_support::{
    jaeger, port,
    process::{Process, Program},
};
use tokio::net::TcpStream;

use crate::{
    api::Api, bare, cores::Cores, load::Target, options::Options, role, rounds::take_turns,
    row::Bar,
};

/// The route, as the bare handlers have it too.
pub(crate) const ROUTE: &str = "/api/v1/books/{id}";

/// What a bare server's start may take.
const START: Duration = Duration::from_secs(10);

/// A read that the first level answers, with traces going to a collector, against a handler that
/// returns the same bytes.
pub(crate) async fn first_level(cores: &Cores, options: &Options) -> anyhow::Result<()> {
    let measure = "GET one book, first level";
    if !options.wants(measure) {
        return Ok(());
    }
    let collector = jaeger().await?;
    let endpoint = collector.otlp_endpoint();
    let api = Api::start(cores, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await?;
    let (path, body) = api.one_book().await?;
    let program = cores.serving("bare", &role::program()?)?;
    let file = program.directory().join("body.json");
    std::fs::write(&file, body)?;
    let program = program.arg("serve-bytes");
    let file = file.to_string_lossy().into_owned();
    let bare = Bare::start(program, &file).await?;
    let (ours, theirs) = (api.reads(&path), bare.reads(&path));
    contest(measure, Bar::AtLeast(0.85), (&ours, &theirs), options).await
}

/// A read that Redis answers, the first level being off, against a handler that asks Redis too.
pub(crate) async fn second_level(cores: &Cores, options: &Options) -> anyhow::Result<()> {
    let measure = "GET one book, Redis";
    if !options.wants(measure) {
        return Ok(());
    }
    let (collector, cache) = (jaeger().await?, test_support::redis().await?);
    let (endpoint, url) = (collector.otlp_endpoint(), cache.url());
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("REDIS_URL", &url),
        ("BOOKSTORE_CACHE_LEVEL1_BYTES", "0"),
    ];
    let api = Api::start(cores, &settings).await?;
    let (path, body) = api.one_book().await?;
    store_in_redis(cache.port(), &body).await?;
    let program = cores.serving("bare", &role::program()?)?.arg("serve-redis");
    let bare = Bare::start(program, &url).await?;
    let (ours, theirs) = (api.reads(&path), bare.reads(&path));
    contest(measure, Bar::AtLeast(0.9), (&ours, &theirs), options).await?;
    let hits = api
        .metric(
            "bookstore_cache_requests_total",
            &["\"book\"", "\"l2\"", "\"hit\""],
        )
        .await?;
    let first = api
        .metric(
            "bookstore_cache_requests_total",
            &["\"book\"", "\"l1\"", "\"hit\""],
        )
        .await?;
    anyhow::ensure!(
        hits > 1_000.0 && first < 1.0,
        "Redis answered {hits} reads and the first level {first}: it is not off"
    );
    Ok(())
}

/// Puts load on both in turn, and prints the row.
pub(crate) async fn contest(
    measure: &str,
    bar: Bar,
    (ours, theirs): (&Target<'_>, &Target<'_>),
    options: &Options,
) -> anyhow::Result<()> {
    let outcome = take_turns(
        async || ours.round(options.round).await,
        async || theirs.round(options.round).await,
    )
    .await?;
    outcome.print(measure, Some(bar));
    outcome.print_processor(measure);
    Ok(())
}

/// A running bare server.
struct Bare {
    process: Process,
    port: u16,
}

impl Bare {
    /// Starts `program` with its address and `source` as further arguments.
    async fn start(program: Program, source: &str) -> anyhow::Result<Self> {
        let port = port::free()?;
        let process = program
            .args([format!("127.0.0.1:{port}").as_str(), source])
            .start()?;
        let listens = async || {
            drop(TcpStream::connect(("127.0.0.1", port)).await?);
            Ok(())
        };
        process.ready(START, listens).await?;
        Ok(Self { process, port })
    }

    fn reads(&self, path: &str) -> Target<'_> {
        Target::get(&self.process, self.port, path)
    }
}

async fn store_in_redis(port: u16, body: &str) -> anyhow::Result<()> {
    use deadpool_redis::redis::{AsyncCommands, Client};
    let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    connection.set::<_, _, ()>(bare::KEY, body).await?;
    Ok(())
}
