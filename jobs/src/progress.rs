//! What a run says of itself while it works: a bar on a terminal, log lines without one.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use tagmill_pipeline::Observer;

use crate::global::{Global, LogFormat};
use crate::logging;

/// How often a log line repeats the progress of a stage.
const EVERY: Duration = Duration::from_secs(30);

/// An observer of a run, for a person or a log.
pub struct Progress {
    bar: Option<ProgressBar>,
    now: Mutex<Stage>,
}

struct Stage {
    name: &'static str,
    started: Instant,
    told: Instant,
}

impl Progress {
    /// A bar if standard error is a terminal and logs are text; otherwise lines, which `--quiet`
    /// leaves out.
    pub fn new(global: &Global) -> Self {
        let wants_bar =
            std::io::stderr().is_terminal() && global.log == LogFormat::Text && !global.quiet;
        let bar = logging::bars()
            .filter(|_| wants_bar)
            .map(|bars| drawn(bars.add(ProgressBar::no_length())));
        let now = Instant::now();
        Self {
            bar,
            now: Mutex::new(Stage {
                name: "",
                started: now,
                told: now,
            }),
        }
    }

    fn stage_now(&self) -> MutexGuard<'_, Stage> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_stage(&self, stage: &Stage) {
        if !stage.name.is_empty() {
            log::info!(
                "{} took {:.1} s",
                stage.name,
                stage.started.elapsed().as_secs_f64()
            );
        }
    }
}

/// A bar that is among the others already: one that ticks before would draw a line of its own, which
/// nobody clears.
fn drawn(bar: ProgressBar) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(
        "{spinner} {prefix:<10} [{elapsed_precise}] {wide_bar} {percent:>3} % {msg}",
    ) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Observer for Progress {
    fn stage(&self, name: &'static str, detail: &str) {
        let mut stage = self.stage_now();
        if stage.name != name {
            self.end_stage(&stage);
            let now = Instant::now();
            *stage = Stage {
                name,
                started: now,
                told: now,
            };
        }
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(name);
                bar.set_message(detail.to_owned());
            }
            None => log::info!("{name}: {detail}"),
        }
    }

    fn progress(&self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        let mut stage = self.stage_now();
        if stage.told.elapsed() >= EVERY {
            stage.told = Instant::now();
            log::info!(
                "{}: {done} of {total} ({} %)",
                stage.name,
                done.saturating_mul(100) / total.max(1)
            );
        }
    }

    fn warn(&self, line: &str) {
        log::warn!("{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end_stage(&self.stage_now());
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
