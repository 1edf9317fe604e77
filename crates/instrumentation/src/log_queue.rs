//! Log lines on their way to the terminal, pipe or file.
//!
//! A thread of its own writes them, so that what reads slowly stops no request. It lets lines come
//! together before it writes them: to be woken for each would cost a request more than its line.

use std::{
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait before new ones are dropped, in bytes: some eight thousand.
const MOST: usize = 4 * 1_024 * 1_024;

/// So many are written at once.
const MANY: usize = MOST / 4;

/// Memory that is kept for the next lines.
const KEPT: usize = 256 * 1_024;

/// How long a line waits for company.
const DELAY: Duration = Duration::from_millis(10);

/// How long the end of the process waits for what reads slowly.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the module; clones are the same queue.
#[derive(Clone)]
pub(crate) struct LogQueue(Arc<Shared>);

/// Dropped, it has the last lines written.
pub(crate) struct LogGuard(LogQueue);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    lost: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// No more will come.
    closed: bool,
    /// All is written.
    done: bool,
}

impl LogQueue {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(writer: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        let queue = Self(Arc::default());
        let shared = Arc::clone(&queue.0);
        let name = thread::Builder::new().name("log".to_owned());
        name.spawn(move || shared.write_all(writer))?;
        Ok((queue.clone(), LogGuard(queue)))
    }

    /// Takes a line, or counts that there is no room for it. Never waits for what reads.
    pub(crate) fn push(&self, line: &[u8]) {
        let Self(shared) = self;
        let mut waiting = shared.lock();
        let before = waiting.text.len();
        let after = before + line.len();
        if after > MOST || waiting.closed {
            shared.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.text.extend_from_slice(line);
        drop(waiting);
        if before == 0 || (before < MANY && after >= MANY) {
            shared.changed.notify_all();
        }
    }

    /// Lines that were lost so far.
    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut writer: impl Write) {
        let mut text = Vec::new();
        loop {
            let closed = self.take(&mut text);
            let written = writer.write_all(&text).and_then(|()| writer.flush());
            if written.is_err() {
                // Some may have been written; nobody knows how many.
                let lines = text.iter().filter(|byte| **byte == b'\n').count();
                self.lost.fetch_add(lines as u64, Ordering::Relaxed);
            }
            text.clear();
            text.shrink_to(KEPT);
            if closed {
                self.lock().done = true;
                self.changed.notify_all();
                return;
            }
        }
    }

    /// Waits for lines and then for their company; whether these are the last ones.
    fn take(&self, text: &mut Vec<u8>) -> bool {
        let waiting = self.lock();
        let waiting = self
            .changed
            .wait_while(waiting, |waiting| {
                waiting.text.is_empty() && !waiting.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) = self
            .changed
            .wait_timeout_while(waiting, DELAY, |waiting| {
                waiting.text.len() < MANY && !waiting.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.text, text);
        waiting.closed
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let Self(LogQueue(shared)) = self;
        let mut waiting = shared.lock();
        waiting.closed = true;
        shared.changed.notify_all();
        let written = shared
            .changed
            .wait_timeout_while(waiting, PATIENCE, |waiting| !waiting.done);
        drop(written);
    }
}

/// For lines that are formatted elsewhere, each in one piece.
impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogQueue {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};

    use super::*;

    impl LogQueue {
        /// One that nobody reads, and what is in it.
        pub(crate) fn of_test() -> (Self, impl Fn() -> String) {
            let queue = Self(Arc::default());
            let shared = Arc::clone(&queue.0);
            let text = move || String::from_utf8(shared.lock().text.clone()).unwrap();
            (queue, text)
        }

        /// How many lines of this length have room.
        pub(crate) fn room(length: usize) -> usize {
            MOST / length
        }
    }

    /// A terminal on which somebody holds the scroll bar until the sender is gone.
    struct Held(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _released = self.0.recv();
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_last_lines_are_written_in_their_order() {
        let (release, held) = mpsc::channel();
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (queue, guard) = LogQueue::start(Held(held, Arc::clone(&shown))).unwrap();
        for number in 0..10_000 {
            queue.push(format!("{number}\n").as_bytes());
        }
        drop(release);
        drop(guard);
        let shown = String::from_utf8(shown.lock().unwrap().clone()).unwrap();
        assert!(
            shown
                .lines()
                .eq((0..10_000).map(|number| number.to_string()))
        );
        queue.push(b"late");
        assert_eq!(queue.lost(), 1);
    }

    #[test]
    fn what_reads_nothing_holds_up_nobody() {
        let (release, held) = mpsc::channel();
        let (queue, guard) = LogQueue::start(Held(held, Arc::default())).unwrap();
        let line = [b'x'; 1_024];
        let room = LogQueue::room(line.len());
        for _ in 0..3 * room {
            queue.push(&line);
        }
        // What was being written has made room once.
        let lost = usize::try_from(queue.lost()).unwrap();
        assert!((room..=2 * room).contains(&lost), "{lost} of {room}");
        drop(guard);
        drop(release);
    }
}
