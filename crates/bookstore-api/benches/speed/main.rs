//! The speed of the API, as ratios to what its parts cost by themselves.
//!
//! `make bench` runs it. Each measure prints one row of five fields between tabs: what, value, bar,
//! ratio, verdict; other lines are notes. A missed bar is a result; a failed measurement ends the
//! bench with an error. Options: `--seconds N` of one round, `--filter TEXT` for rows with this text.
//!
//! The process also plays the bare programs that the API is measured against, in processes of their
//! own: see [`role`].

mod api;
mod bare;
mod cores;
mod direct;
mod footprint;
mod generator;
mod load;
mod options;
mod reads;
mod role;
mod rounds;
mod row;
mod stored;
mod telemetry;

use options::Options;
use role::Role;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(role) = Role::parse(&arguments)? {
        return runtime_of_a_server()?.block_on(role.play());
    }
    let options = Options::parse(&arguments)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure(&options))
}

/// As `#[tokio::main]` and the API have it.
fn runtime_of_a_server() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let cores = cores::Cores::take()?;
    api::print_settings(&cores).await?;
    reads::first_level(&cores, options).await?;
    reads::second_level(&cores, options).await?;
    telemetry::cost(&cores, options).await?;
    stored::list(&cores, options).await?;
    stored::create(&cores, options).await?;
    footprint::measure(&cores, options).await
}
