//! Runs a command until it is done or a signal stops it.
//!
//! The command has a thread of its own, so that signals are seen however busy it is. A signal drops
//! its future: what it staged stays unpublished, what it spilled is removed. A second signal does
//! not wait for that.

use std::future::Future;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::Duration;

use tagmill_schemas::{Error, Result};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::oneshot;

use crate::failure::{Failure, Signal};

/// Planning recurses as deep as queries are nested.
const STACK_BYTES: usize = 32 << 20;
/// Evaluating an expression recurses as deep as it is.
const WORKER_STACK_BYTES: usize = 8 << 20;
/// How long a stopped command may take to let go of its threads and files.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the command that `start` makes.
///
/// # Errors
/// The command's, or the signal that stopped it.
pub fn run<F: Future<Output = Result<()>>>(
    stage: &'static str,
    start: impl FnOnce() -> F + Send + 'static,
) -> Result<(), Failure> {
    run_on(0, stage, start)
}

/// Runs the command that `start` makes on so many threads; 0: all.
///
/// # Errors
/// The command's, or the signal that stopped it.
pub fn run_on<F: Future<Output = Result<()>>>(
    threads: usize,
    stage: &'static str,
    start: impl FnOnce() -> F + Send + 'static,
) -> Result<(), Failure> {
    let runtime = runtime(threads)?;
    let ended = runtime.block_on(watched(stage, runtime.handle().clone(), start));
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

/// SIGXFSZ.
#[cfg(target_os = "linux")]
const FILE_TOO_LARGE: i32 = 25;

/// Runs a command that takes signals for itself.
///
/// # Errors
/// The command's.
pub fn run_unwatched(command: impl Future<Output = Result<()>>) -> Result<(), Failure> {
    Ok(runtime(0)?.block_on(command)?)
}

async fn watched<F: Future<Output = Result<()>>>(
    stage: &'static str,
    runtime: Handle,
    start: impl FnOnce() -> F + Send + 'static,
) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(not_started)?;
    // A limit on the size of files is an error of the write, as a full disk is: a signal that is
    // handled does not end the process.
    #[cfg(target_os = "linux")]
    let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE)).map_err(not_started)?;
    let (cancel, cancelled) = oneshot::channel::<()>();
    let (done, mut ended) = oneshot::channel();
    let work = move || {
        let result = runtime.block_on(async {
            tokio::select! {
                result = start() => result,
                _ = cancelled => Err(Error::interrupted(stage)),
            }
        });
        // Nobody listens once the grace is over.
        let _ = done.send(result);
    };
    thread::Builder::new()
        .name(stage.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map_err(not_started)?;
    tokio::select! {
        result = &mut ended => Ok(result.unwrap_or_else(|_| Err(defect(stage)))?),
        signal = signals.next() => {
            let _ = cancel.send(());
            tokio::select! { _ = ended => (), _ = signals.next() => (), () = tokio::time::sleep(GRACE) => () }
            Err(stopped(stage, signal))
        }
    }
}

/// The thread of the command ended without an answer.
fn defect(stage: &'static str) -> Error {
    Error::setup(stage, "stopped by a defect of this program")
        .because(crate::logging::newest_panic())
        .fix("report it, with the data if it can be shown")
}

fn runtime(threads: usize) -> Result<Runtime, Failure> {
    let mut builder = Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
        // What is added up at the end of a night runs on threads of its own.
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| not_started(io::Error::other(e)))?;
    }
    builder.thread_stack_size(WORKER_STACK_BYTES).enable_all();
    // A thread that the system refuses is a panic of the library.
    let built = panic::catch_unwind(AssertUnwindSafe(|| builder.build()));
    built
        .unwrap_or_else(|_| Err(io::Error::other(crate::logging::newest_panic())))
        .map_err(not_started)
}

fn not_started(cause: io::Error) -> Failure {
    Failure::Error(Error::retry("start", "threads or signals are not to be had").because(cause))
}

fn stopped(stage: &'static str, signal: Signal) -> Failure {
    Failure::Signal(
        signal,
        Error::interrupted(stage)
            .fix("the warehouse is as before, or the release is complete: run it again"),
    )
}

struct Signals {
    interrupts: Stream,
    terminations: Stream,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupts: signal(SignalKind::interrupt())?,
            terminations: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupts.recv() => Signal::Interrupt,
            _ = self.terminations.recv() => Signal::Terminate,
        }
    }
}
