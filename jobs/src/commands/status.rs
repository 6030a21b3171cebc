//! `tagmill status`: is the newest night fresh?

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use clap::Args;
use serde::Serialize;
use tagmill_pipeline as job;
use tagmill_schemas::config::parse_duration;
use tagmill_schemas::local_day::start_of;
use tagmill_schemas::manifest::CarriedScope;
use tagmill_schemas::{Error, Result};
use tagmill_warehouse::release as publish;

use crate::global::Global;
use crate::output;
use crate::warehouse::Warehouse;

/// Say whether the newest night is fresh
///
/// The age is counted from the end of the head's day in the warehouse's time zone. With 28 hours the
/// next night may be published until four in the morning: where it runs later, or longer, say so
/// with --max-age. Stale, or nothing published: exit 3.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Older than this is stale
    #[arg(long, value_name = "TIME", default_value = "28h", value_parser = parse_duration)]
    max_age: Duration,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "status").await?;
    let releases = publish::list_releases(&warehouse.store).await?;
    let Some(newest) = releases.newest() else {
        return Err(Error::retry("status", "nothing has been published")
            .at(warehouse.store.name_of(""))
            .fix("run tagmill run"));
    };
    let head = publish::load_release(&warehouse.store, newest).await?;
    let mut state = State::of(
        head.release,
        head.head_date,
        warehouse.config.warehouse.time_zone,
        Utc::now(),
        arguments.max_age,
    );
    for before in job::statuses_of(&head, &warehouse.store)
        .await?
        .into_values()
    {
        *state.groups.entry(before.status).or_default() += 1;
    }
    state.carried = head.decisions.carried;
    output::print(global.output, &state)?;
    match state.is_fresh {
        true => Ok(()),
        false => Err(Error::retry(
            "status",
            format!(
                "the head is of {}, {} hours old",
                state.head_date,
                state.age_seconds / 3600
            ),
        )
        .fix("see why the nights since then did not publish")),
    }
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct State {
    release: u64,
    head_date: NaiveDate,
    head_day_ended: String,
    age_seconds: i64,
    max_age_seconds: u64,
    is_fresh: bool,
    groups: BTreeMap<String, u64>,
    /// What of the release is older than it.
    carried: Vec<CarriedScope>,
}

impl State {
    fn of(
        release: u64,
        head_date: NaiveDate,
        zone: Tz,
        now: DateTime<Utc>,
        max_age: Duration,
    ) -> Self {
        let ended = end_of(head_date, zone);
        let age_seconds = (now - ended).num_seconds();
        let is_fresh =
            u64::try_from(age_seconds).is_ok_and(|age| age <= max_age.as_secs()) || age_seconds < 0;
        let head_day_ended = ended.to_rfc3339_opts(SecondsFormat::Secs, true);
        Self {
            release,
            head_date,
            head_day_ended,
            age_seconds,
            max_age_seconds: max_age.as_secs(),
            is_fresh,
            groups: BTreeMap::new(),
            carried: Vec::new(),
        }
    }
}

/// The first instant after a local day.
fn end_of(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    start_of(date.succ_opt().unwrap_or(date), zone)
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_fresh { "fresh" } else { "stale" };
        let (hours, when) = match self.age_seconds {
            age if age < 0 => (-age, "before that day ends"),
            age => (age, "after that day ended"),
        };
        write!(
            f,
            "{word}: release {} of {}, {:.1} hours {when}",
            self.release,
            self.head_date,
            hours as f64 / 3600.0
        )?;
        for of in &self.carried {
            write!(f, "\n{of}")?;
        }
        match self.groups.get("lost") {
            Some(lost) => write!(
                f,
                "\n{lost} groups are lost, their rows can not be read: see group_status"
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(now: &str) -> Option<State> {
        let now = DateTime::parse_from_rfc3339(now).ok()?.to_utc();
        Some(State::of(
            7,
            NaiveDate::from_ymd_opt(2026, 11, 19)?,
            chrono_tz::Asia::Shanghai,
            now,
            Duration::from_secs(26 * 3600),
        ))
    }

    #[test]
    fn age_counts_from_the_end_of_the_local_day() {
        assert_eq!(
            state("2026-11-19T16:00:00Z").map(|s| (s.age_seconds, s.is_fresh)),
            Some((0, true))
        );
        assert_eq!(
            state("2026-11-20T18:00:00Z").map(|s| (s.age_seconds, s.is_fresh)),
            Some((26 * 3600, true))
        );
        assert_eq!(
            state("2026-11-20T18:00:01Z").map(|s| s.is_fresh),
            Some(false)
        );
    }

    #[test]
    fn a_day_that_has_not_ended_is_fresh() {
        assert_eq!(
            state("2026-11-19T10:00:00Z").map(|s| s.is_fresh),
            Some(true)
        );
    }

    #[test]
    fn a_missing_midnight_is_the_next_instant_there_is() {
        let date = NaiveDate::from_ymd_opt(2018, 11, 3);
        let ended = date.map(|date| end_of(date, chrono_tz::America::Sao_Paulo).to_rfc3339());
        assert_eq!(ended.as_deref(), Some("2018-11-04T03:00:00+00:00"));
    }
}
