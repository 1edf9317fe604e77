//! The price catalogue in force, and its replacement while the process runs.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use instrumentation::catalogue;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::{PriceCatalogue, PriceError};

/// Largest price file that is read: forty times the built-in one.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// How often the file is looked at. Prices change once in weeks; whoever edits the file waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The prices of this process: a catalogue that is replaced as a whole, so that an attempt is
/// priced by one version from its beginning to its end.
#[derive(Debug)]
pub struct Prices {
    current: RwLock<Arc<PriceCatalogue>>,
    file: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    seen: Mutex<Option<Stamp>>,
}

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// Why a price file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PriceFileError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is no valid catalogue.
    #[error(transparent)]
    Wrong(#[from] PriceError),
}

impl Prices {
    /// One catalogue for good.
    #[must_use]
    pub fn fixed(catalogue: PriceCatalogue) -> Self {
        Self {
            current: RwLock::new(Arc::new(catalogue)),
            file: None,
        }
    }

    /// The catalogue in `file`, or the built-in one.
    ///
    /// # Errors
    /// A file that cannot be read or is no valid catalogue.
    pub fn load(file: Option<&Path>) -> Result<Self, PriceFileError> {
        let Some(path) = file else {
            return Ok(Self::fixed(PriceCatalogue::built_in()?));
        };
        let stamp = Stamp::of(path).ok();
        Ok(Self {
            current: RwLock::new(Arc::new(read(path)?)),
            file: Some(Watched {
                path: path.to_owned(),
                seen: Mutex::new(stamp),
            }),
        })
    }

    /// The catalogue in force.
    #[must_use]
    pub fn current(&self) -> Arc<PriceCatalogue> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says in the metrics which catalogue is in force.
    pub(crate) fn announce(&self) {
        show(&self.current(), 1.0);
    }

    /// Reads the file again if it has changed since it was last looked at; whether other prices
    /// hold now. A file that is wrong is refused once, and the prices stay as they are.
    ///
    /// # Errors
    /// As [`Prices::load`].
    pub fn reload_if_changed(&self) -> Result<bool, PriceFileError> {
        let Some(file) = &self.file else {
            return Ok(false);
        };
        let stamp = Stamp::of(&file.path).ok();
        let seen = file.seen.lock();
        let seen = std::mem::replace(&mut *seen.unwrap_or_else(PoisonError::into_inner), stamp);
        if seen == stamp {
            return Ok(false);
        }
        let changed = read(&file.path)?;
        let before = self.current();
        if before.version() == changed.version() {
            return Ok(false);
        }
        show(&before, 0.0);
        show(&changed, 1.0);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(changed);
        Ok(true)
    }

    /// Looks after the file from now on, until the task is aborted.
    pub fn watch(self: &Arc<Self>) -> JoinHandle<()> {
        let prices = Arc::clone(self);
        tokio::spawn(async move {
            if prices.file.is_none() {
                return;
            }
            let mut look = interval(LOOK_EVERY);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                look.tick().await;
                let reading = Arc::clone(&prices);
                let read = tokio::task::spawn_blocking(move || reading.reload_if_changed());
                match read.await {
                    Ok(Ok(false)) | Err(_) => {}
                    Ok(Ok(true)) => {
                        let version = prices.current().version().to_string();
                        tracing::info!(version, "other model prices hold now");
                    }
                    Ok(Err(error)) => {
                        tracing::error!(%error, "the price file is refused; the prices before it hold");
                    }
                }
            }
        })
    }
}

fn show(catalogue: &PriceCatalogue, value: f64) {
    catalogue::PRICE_CATALOGUE_INFO
        .gauge(&[
            ("version", catalogue.version()),
            ("checked_on", catalogue.checked_on()),
        ])
        .set(value);
}

fn read(path: &Path) -> Result<PriceCatalogue, PriceFileError> {
    let unreadable = |error| PriceFileError::Unreadable {
        path: path.display().to_string(),
        error,
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        let reason = format!("has more than {MAX_FILE_BYTES} bytes");
        return Err(unreadable(std::io::Error::other(reason)));
    }
    Ok(PriceCatalogue::parse(&text)?)
}

impl Stamp {
    fn of(path: &Path) -> std::io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            modified: metadata.modified().ok(),
            bytes: metadata.len(),
        })
    }
}
