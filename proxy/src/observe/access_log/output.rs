//! Where lines go: files and standard streams, written by one thread.
//!
//! Workers only push into a bounded queue, so that a slow disk costs lines, which are counted, and never time.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{JoinHandle, Thread};

use xds::model::AccessLogSink;

use super::environment::Environment;
use crate::limits::{ACCESS_LOG_FLUSH, ACCESS_LOG_QUEUE_BYTES, ACCESS_LOG_QUEUE_LINES};
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet};

/// Metrics of access logs.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum AccessLogMetric {
    LinesWritten,
    LinesDropped,
    WriteFailed,
    ReopenFailed,
}

impl MetricSet for AccessLogMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "lines_written", kind: Kind::Counter, help: "Access log lines written." },
        Metric {
            name: "lines_dropped",
            kind: Kind::Counter,
            help: "Access log lines dropped because the queue was full.",
        },
        Metric { name: "write_failed", kind: Kind::Counter, help: "Writes to an access log that failed." },
        Metric {
            name: "reopen_failed",
            kind: Kind::Counter,
            help: "Access logs that could not be reopened.",
        },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// Every output of a process; owns the writing thread and ends it, all lines written, when dropped.
pub struct Outputs {
    shared: Arc<Shared>,
    environment: Environment,
    open: Mutex<HashMap<AccessLogSink, Weak<Target>>>,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    sender: SyncSender<Line>,
    queued_bytes: AtomicUsize,
    ending: AtomicBool,
    counters: Arc<Counters<AccessLogMetric>>,
}

struct Line {
    target: Arc<Target>,
    text: String,
}

/// What the writing thread writes to.
struct Target {
    place: Place,
    /// Whether the last write failed, so that a full disk is told once and not with every line.
    failing: AtomicBool,
}

enum Place {
    File {
        path: String,
        /// `None` while it could not be reopened.
        file: Mutex<Option<File>>,
    },
    Stdout,
    Stderr,
}

/// One log's way to its target; cheap to clone.
#[derive(Clone)]
pub struct Output {
    target: Arc<Target>,
    shared: Arc<Shared>,
    writer: Thread,
}

impl Outputs {
    /// No output yet; the writing thread starts.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(environment: Environment) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(ACCESS_LOG_QUEUE_LINES);
        let shared = Arc::new(Shared {
            sender,
            queued_bytes: AtomicUsize::new(0),
            ending: AtomicBool::new(false),
            counters: Arc::new(Counters::new()),
        });
        let writing = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_until_ended(&receiver, &writing))?;
        Ok(Self { shared, environment, open: Mutex::default(), writer: Some(writer) })
    }

    /// What formats may know about the machine.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Lines written, dropped and failed.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters<AccessLogMetric>> {
        &self.shared.counters
    }

    /// The output for `sink`; the same sink is opened once however many logs write to it.
    ///
    /// # Errors
    /// The file that cannot be opened for appending, and why.
    pub fn open(&self, sink: &AccessLogSink) -> Result<Output, String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.get(sink).and_then(Weak::upgrade);
        let target = match known {
            Some(target) => target,
            None => {
                let target = Arc::new(Target::open(sink)?);
                open.retain(|_, target| target.strong_count() > 0);
                open.insert(sink.clone(), Arc::downgrade(&target));
                target
            }
        };
        let writer = self.writer.as_ref().expect("the writer is taken only in drop").thread().clone();
        Ok(Output { target, shared: Arc::clone(&self.shared), writer })
    }

    /// Opens every file again, after a log rotation. A file that cannot be opened is counted and tried again
    /// by the next call; its lines are dropped until then.
    pub fn reopen(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for target in open.values().filter_map(Weak::upgrade) {
            if let Place::File { path, file } = &target.place {
                let again = append(path);
                if let Err(reason) = &again {
                    self.shared.counters.inc(AccessLogMetric::ReopenFailed);
                    tracing::warn!(%path, %reason, "access log could not be reopened");
                }
                *file.lock().unwrap_or_else(PoisonError::into_inner) = again.ok();
            }
        }
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            // A writer that panicked has nothing left to write.
            let _ended = writer.join();
        }
    }
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outputs").finish_non_exhaustive()
    }
}

impl Output {
    /// Queues a line that ends in whatever the format ends in; a full queue drops and counts it.
    pub fn write(&self, text: String) {
        let bytes = text.len();
        let queued = self.shared.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let line = Line { target: Arc::clone(&self.target), text };
        if queued > ACCESS_LOG_QUEUE_BYTES || self.shared.sender.try_send(line).is_err() {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.shared.counters.inc(AccessLogMetric::LinesDropped);
        }
        // The writer sleeps between flushes instead of being woken for each line, which would cost a system
        // call a request; half full is when it must not sleep on.
        if queued > ACCESS_LOG_QUEUE_BYTES / 2 && queued - bytes <= ACCESS_LOG_QUEUE_BYTES / 2 {
            self.writer.unpark();
        }
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

impl Target {
    fn open(sink: &AccessLogSink) -> Result<Self, String> {
        Ok(Self { place: Place::open(sink)?, failing: AtomicBool::new(false) })
    }

    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let written = self.place.write(bytes);
        let failed = written.is_err();
        if self.failing.swap(failed, Ordering::Relaxed) != failed {
            match &written {
                Ok(()) => tracing::info!(log = self.place.name(), "access log is written again"),
                Err(reason) => {
                    tracing::warn!(log = self.place.name(), %reason, "access log cannot be written; lines are lost");
                }
            }
        }
        written
    }
}

impl Place {
    fn open(sink: &AccessLogSink) -> Result<Self, String> {
        Ok(match sink {
            AccessLogSink::Stdout => Self::Stdout,
            AccessLogSink::Stderr => Self::Stderr,
            AccessLogSink::File(path) if path == "/dev/stdout" => Self::Stdout,
            AccessLogSink::File(path) if path == "/dev/stderr" => Self::Stderr,
            AccessLogSink::File(path) => {
                let file =
                    append(path).map_err(|error| format!("access log {path:?} cannot be opened: {error}"))?;
                Self::File { path: path.clone(), file: Mutex::new(Some(file)) }
            }
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::Stdout => "standard output",
            Self::Stderr => "standard error",
            Self::File { path, .. } => path,
        }
    }

    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Stdout => std::io::stdout().lock().write_all(bytes),
            Self::Stderr => std::io::stderr().lock().write_all(bytes),
            Self::File { file, .. } => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.as_mut().ok_or(std::io::ErrorKind::NotFound)?.write_all(bytes)
            }
        }
    }
}

fn append(path: &str) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn write_until_ended(receiver: &Receiver<Line>, shared: &Shared) {
    loop {
        let ending = shared.ending.load(Ordering::Acquire);
        write_queued(receiver, shared);
        if ending {
            return;
        }
        std::thread::park_timeout(ACCESS_LOG_FLUSH);
    }
}

/// Writes what is queued, lines of one target in one write.
fn write_queued(receiver: &Receiver<Line>, shared: &Shared) {
    let mut batch: Option<(Arc<Target>, String, u64)> = None;
    loop {
        let next = match receiver.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        };
        shared.queued_bytes.fetch_sub(next.text.len(), Ordering::Relaxed);
        match &mut batch {
            Some((target, text, lines)) if Arc::ptr_eq(target, &next.target) && text.len() < 64 * 1024 => {
                text.push_str(&next.text);
                *lines += 1;
            }
            _ => {
                write_batch(batch.take(), shared);
                batch = Some((next.target, next.text, 1));
            }
        }
    }
    write_batch(batch, shared);
}

fn write_batch(batch: Option<(Arc<Target>, String, u64)>, shared: &Shared) {
    let Some((target, text, lines)) = batch else { return };
    match target.write(text.as_bytes()) {
        Ok(()) => shared.counters.add(AccessLogMetric::LinesWritten, lines),
        Err(_) => shared.counters.inc(AccessLogMetric::WriteFailed),
    }
}
