//! The command `run`: one night, stage by stage, from its inputs to its release.

use std::time::Instant;

use tagmill_schemas::Result;

use super::bounded::Bounded;
use super::later::{refuse_later, tell_later};
use super::pitfalls::hints;
use super::report::Report;
use super::stages::Inputs;
use super::tonight::Tonight;
use super::{Observer, Request};

/// Runs one night and publishes it.
///
/// # Errors
/// Refused: the data can not be used. Setup: a person must change something. Retry: later. Nothing
/// is published then.
pub async fn run(request: &Request, observer: &dyn Observer) -> Result<Report> {
    let published = Box::pin(run_night(request, observer)).await;
    published.map_err(|error| request.config.located(error))
}

async fn run_night(request: &Request, observer: &dyn Observer) -> Result<Report> {
    refuse_later(request)?;
    let observer = &Bounded::new(observer);
    tell_later(&request.config, observer);
    let mut clock = Clock::new(observer);
    clock.stage(
        "inputs",
        &format!("looking for the data of {}", request.date),
    );
    let night = Tonight::open(request, observer).await?;
    night.probe().await?;
    let inputs = Inputs::find(&night).await?;
    if inputs.is_first() {
        let hints = hints(&request.config);
        hints.iter().for_each(|problem| observer.problem(problem));
    }

    clock.stage("plan", "checking columns, registries and rules");
    let claimed = inputs.plan().await?.claim().await?;

    clock.stage("shards", &claimed.summary());
    let done = Box::pin(claimed.run_shards()).await?;
    let done = Box::pin(done.set_aside()).await?;

    clock.stage("roll-up", "adding up over shards");
    let staged = done.roll_up().await?.stage().await?;

    clock.stage("publish", "committing the release");
    let released = staged.judge().await?.commit().await?;
    Ok(Report {
        seconds: clock.stop(),
        ..released.into_report()
    })
}

/// Measures the stages of a run.
struct Clock<'a> {
    observer: &'a dyn Observer,
    seconds: Vec<(String, f64)>,
    since: Instant,
}

impl<'a> Clock<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            seconds: Vec::new(),
            since: Instant::now(),
        }
    }

    fn stage(&mut self, name: &'static str, detail: &str) {
        self.end();
        self.observer.stage(name, detail);
        self.seconds.push((name.to_owned(), 0.0));
        self.since = Instant::now();
    }

    fn end(&mut self) {
        if let Some((_, seconds)) = self.seconds.last_mut() {
            *seconds = self.since.elapsed().as_secs_f64();
        }
    }

    /// Seconds of each stage, in order.
    fn stop(mut self) -> Vec<(String, f64)> {
        self.end();
        self.seconds
    }
}
