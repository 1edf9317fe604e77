//! The other programs that this process can be.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};

use crate::{bare, direct};

/// A program that the API is measured against.
#[derive(Debug)]
pub(crate) enum Role {
    /// `serve-bytes ADDRESS FILE`: a bare axum handler that returns the bytes of a file.
    ServeBytes(SocketAddr, PathBuf),
    /// `serve-redis ADDRESS URL`: one that returns what lies under [`bare::KEY`] in Redis.
    ServeRedis(SocketAddr, String),
    /// `list DATABASE SECONDS`: lists books in this process, without HTTP.
    List(PathBuf, Duration),
    /// `create DATABASE SECONDS`: creates books in this process, without HTTP.
    Create(PathBuf, Duration),
}

impl Role {
    /// Reads the command line; `None` when it is that of the bench itself.
    pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Option<Self>> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok(Some(match words.as_slice() {
            ["serve-bytes", address, file] => Self::ServeBytes(address.parse()?, file.into()),
            ["serve-redis", address, url] => Self::ServeRedis(address.parse()?, (*url).to_owned()),
            ["list", database, seconds] => Self::List(database.into(), duration(seconds)?),
            ["create", database, seconds] => Self::Create(database.into(), duration(seconds)?),
            [first, ..] if !first.starts_with("--") => bail!("unknown role {first}"),
            _ => return Ok(None),
        }))
    }

    /// Plays it to its end.
    pub(crate) async fn play(self) -> anyhow::Result<()> {
        match self {
            Self::ServeBytes(address, file) => bare::serve_bytes(address, &file).await,
            Self::ServeRedis(address, url) => bare::serve_redis(address, &url).await,
            Self::List(database, duration) => direct::list(&database, duration).await,
            Self::Create(database, duration) => direct::create(&database, duration).await,
        }
    }
}

/// The path of this program, to start it in another role.
pub(crate) fn program() -> anyhow::Result<String> {
    let path = std::env::current_exe().context("the path of this program")?;
    Ok(path.to_string_lossy().into_owned())
}

fn duration(seconds: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_secs(seconds.parse()?))
}
