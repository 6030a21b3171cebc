//! Runs a command on a runtime until it is done or a signal stops it.
//!
//! A signal drops the command's future: what it staged stays unpublished, what it spilled is removed. A second signal does not wait.

use std::future::Future;
use std::io;
use std::time::Duration;

use tagmill_schemas::{Error, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::failure::Failure;

/// How long a stopped command may take to let go of its threads and files.
const GRACE: Duration = Duration::from_secs(5);

/// What stopped a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// 128 and the signal's number.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Runs a command as a task of its own, so that signals are seen however busy it is.
///
/// # Errors
/// The command's, or the signal that stopped it.
pub fn run(stage: &'static str, command: impl Future<Output = Result<()>> + Send + 'static) -> Result<(), Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(no_runtime)?;
        let mut work = tokio::spawn(command);
        tokio::select! {
            ended = &mut work => Ok(ended.unwrap_or_else(|e| Err(Error::setup(stage, "stopped by a defect of this program").because(e)))?),
            signal = signals.next() => {
                work.abort();
                tokio::select! { _ = work => (), _ = signals.next() => (), () = tokio::time::sleep(GRACE) => () }
                Err(stopped(stage, signal))
            }
        }
    });
    let is_stopped = matches!(ended, Err(Failure::Signal(..)));
    runtime.shutdown_timeout(if is_stopped { Duration::from_millis(100) } else { GRACE });
    ended
}

/// Runs a command that can not move between threads.
///
/// # Errors
/// The command's, or the signal that stopped it.
pub fn run_here(stage: &'static str, command: impl Future<Output = Result<()>>) -> Result<(), Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(no_runtime)?;
        tokio::select! {
            ended = command => Ok(ended?),
            signal = signals.next() => Err(stopped(stage, signal)),
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

/// Runs a command that takes signals for itself.
///
/// # Errors
/// The command's.
pub fn run_unwatched(command: impl Future<Output = Result<()>>) -> Result<(), Failure> {
    Ok(runtime()?.block_on(command)?)
}

fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(no_runtime)
}

fn no_runtime(cause: io::Error) -> Failure {
    Failure::Error(Error::retry("start", "threads or signals are not to be had").because(cause))
}

fn stopped(stage: &'static str, signal: Signal) -> Failure {
    Failure::Signal(signal, Error::interrupted(stage).fix("the warehouse is as before, or the release is complete: run it again"))
}

struct Signals {
    interrupts: Stream,
    terminations: Stream,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupts: signal(SignalKind::interrupt())?, terminations: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupts.recv() => Signal::Interrupt,
            _ = self.terminations.recv() => Signal::Terminate,
        }
    }
}
