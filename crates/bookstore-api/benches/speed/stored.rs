//! Listing and creating books over HTTP, against the same calls of the store without HTTP.

use std::{path::Path, time::Duration};

use anyhow::{Context, ensure};

use crate::{
    api::{self, Api},
    cores::Cores,
    load::{Round, Target},
    options::Options,
    role,
    rounds::take_turns,
};

/// Books that are stored before the first round.
const BOOKS: usize = 1_000;

/// What a round without HTTP may take beside its calls.
const ROOM: Duration = Duration::from_secs(20);

/// Lists the first ten of a thousand books.
pub(crate) async fn list(cores: &Cores, options: &Options) -> anyhow::Result<()> {
    let measure = "GET ten of 1,000 books, SQLite";
    if !options.wants(measure) {
        return Ok(());
    }
    let api = Api::start(cores, &[]).await?;
    api.fill(BOOKS).await?;
    let path = "/api/v1/books?page=1&pageSize=10";
    let lists = Target::get(api.process(), api.port(), path);
    let outcome = take_turns(
        async || lists.round(options.round).await,
        async || without_http(cores, "list", &api.database(), options.round).await,
    );
    outcome.await?.print(measure, None);
    Ok(())
}

/// Creates books.
pub(crate) async fn create(cores: &Cores, options: &Options) -> anyhow::Result<()> {
    let measure = "POST a book, SQLite";
    if !options.wants(measure) {
        return Ok(());
    }
    let (api, other) = (Api::start(cores, &[]).await?, Api::start(cores, &[]).await?);
    other.fill(BOOKS).await?;
    api.fill(BOOKS).await?;
    // The store without HTTP writes into a file of its own, which nobody else has open.
    other.process().terminate(ROOM).await?;
    let creations = Target::post(api.process(), api.port(), "/api/v1/books", &api::book());
    let outcome = take_turns(
        async || creations.round(options.round).await,
        async || without_http(cores, "create", &other.database(), options.round).await,
    );
    outcome.await?.print(measure, None);
    Ok(())
}

/// The calls of the store in a process of their own on the server's core.
async fn without_http(
    cores: &Cores,
    role: &str,
    database: &Path,
    duration: Duration,
) -> anyhow::Result<Round> {
    let program = cores.serving("store", &role::program()?)?;
    let seconds = duration.as_secs().to_string();
    let process = program.arg(role).arg(database).arg(seconds).start()?;
    let status = process.wait(duration + ROOM).await?;
    let log = process.log();
    ensure!(status.success(), "{role} without HTTP: {status}: {log}");
    let rate = log.trim().parse().with_context(|| log.clone())?;
    Ok(Round {
        rate,
        cpu_micros: 0.0,
        busy: 1.0,
    })
}
