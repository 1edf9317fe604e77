//! The prompts in force, and their replacement while the process runs. Book text is data in them,
//! never instruction.

mod book_data;
mod set;
mod template;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

pub(crate) use set::{PromptError, PromptSet};
pub(crate) use template::PromptTemplate;

use set::Stamps;

/// How often the directory is looked at; whoever edits a prompt waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The prompts of this process: a set that is replaced as a whole, so that a question is asked by
/// one version from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Prompts {
    current: RwLock<Arc<PromptSet>>,
    directory: Option<Watched>,
    /// Who is asked with outside of experiments: a name, for its newest version, or a name and
    /// version.
    default: String,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    seen: Mutex<Option<Stamps>>,
}

impl Prompts {
    /// The built-in prompts and those of a directory, `default` being the one that is asked with.
    ///
    /// # Errors
    /// A directory or file that cannot be read, a file that is no prompt, no such default.
    pub(crate) fn load(directory: Option<&Path>, default: &str) -> Result<Self, PromptError> {
        let seen = directory.map(set::stamps).transpose()?;
        let current = PromptSet::load(directory)?;
        check_default(&current, default)?;
        Ok(Self {
            current: RwLock::new(Arc::new(current)),
            directory: directory.map(|path| Watched {
                path: path.to_owned(),
                seen: Mutex::new(seen),
            }),
            default: default.to_owned(),
        })
    }

    /// The prompts in force.
    pub(crate) fn current(&self) -> Arc<PromptSet> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The prompt that is asked with; `None` never, since no set without it is taken.
    pub(crate) fn default_prompt(&self) -> Option<Arc<PromptTemplate>> {
        named(&self.current(), &self.default).cloned()
    }

    /// Reads the directory again if it has changed since it was last looked at; whether other
    /// prompts hold now. A set with a wrong file is refused once, and the prompts stay as they are.
    ///
    /// # Errors
    /// As [`Prompts::load`]; and other words under the same version, since what was made with the
    /// words before would pass for what these make.
    pub(crate) fn reload_if_changed(&self) -> Result<bool, PromptError> {
        let Some(directory) = &self.directory else {
            return Ok(false);
        };
        let stamps = set::stamps(&directory.path).ok();
        let seen = directory.seen.lock();
        let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
        if *seen == stamps {
            return Ok(false);
        }
        *seen = stamps;
        drop(seen);
        let (changed, before) = (PromptSet::load(Some(&directory.path))?, self.current());
        check_default(&changed, &self.default)?;
        if let Some(label) = changed.changed_words(&before) {
            return Err(PromptError::Wrong {
                file: label.to_owned(),
                reason: "other words need another version".to_owned(),
            });
        }
        if changed == *before {
            return Ok(false);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(changed);
        Ok(true)
    }

    /// Looks after the directory from now on, until the task is aborted.
    pub(crate) fn watch(self: &Arc<Self>) -> JoinHandle<()> {
        let prompts = Arc::clone(self);
        tokio::spawn(async move {
            if prompts.directory.is_none() {
                return;
            }
            let mut look = interval(LOOK_EVERY);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                look.tick().await;
                let reading = Arc::clone(&prompts);
                let read = tokio::task::spawn_blocking(move || reading.reload_if_changed());
                match read.await {
                    Ok(Ok(false)) | Err(_) => {}
                    Ok(Ok(true)) => tracing::info!("other prompts hold now"),
                    Ok(Err(error)) => {
                        tracing::error!(%error, "a prompt is refused; the prompts before it hold");
                    }
                }
            }
        })
    }
}

fn named<'a>(set: &'a PromptSet, name: &str) -> Option<&'a Arc<PromptTemplate>> {
    set.newest(name).or_else(|| set.get(name))
}

fn check_default(set: &PromptSet, default: &str) -> Result<(), PromptError> {
    if named(set, default).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = set.labels().collect();
    Err(PromptError::NoDefault {
        name: default.to_owned(),
        known: known.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(name: &str, version: u32, words: &str) -> String {
        format!(
            "name = '{name}'\nversion = {version}\nmax_tokens = 9\nsystem = '{words}'\n\
             user = '{{{{ book }}}}'"
        )
    }

    #[test]
    fn a_wrong_file_leaves_the_prompts_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let write = |file: &str, text: String| {
            std::fs::write(directory.path().join(file), text).unwrap();
        };
        let prompts = Prompts::load(Some(directory.path()), "book-summary").unwrap();
        assert!(!prompts.reload_if_changed().unwrap());
        assert_eq!(prompts.default_prompt().unwrap().label(), "book-summary-2");
        write("a.toml", prompt("book-summary", 3, "Newer."));
        assert!(prompts.reload_if_changed().unwrap());
        assert_eq!(prompts.default_prompt().unwrap().label(), "book-summary-3");
        for (text, reason) in [
            ("name = 'x'".to_owned(), "version"),
            (prompt("book-summary", 3, "Other words."), "another version"),
            (prompt("book-pitch", 1, "Twice."), "already"),
        ] {
            write("a.toml", text);
            let refused = prompts.reload_if_changed().unwrap_err().to_string();
            assert!(refused.contains(reason), "{refused}");
            assert!(!prompts.reload_if_changed().unwrap(), "it is said once");
            assert_eq!(prompts.default_prompt().unwrap().label(), "book-summary-3");
        }
        write("a.toml", prompt("book-summary", 4, "Other words."));
        assert!(prompts.reload_if_changed().unwrap());
        assert_eq!(prompts.default_prompt().unwrap().label(), "book-summary-4");
    }

    #[test]
    fn the_default_must_be_there() {
        assert!(Prompts::load(None, "book-pitch-1").is_ok());
        let refused = Prompts::load(None, "nothing").unwrap_err().to_string();
        assert!(
            refused.contains("book-pitch-1, book-summary-2"),
            "{refused}"
        );
        let nowhere = Path::new("/nonexistent/prompts");
        assert!(Prompts::load(Some(nowhere), "book-summary").is_err());
    }
}
