//! How much memory a night is expected to take, and how many shards run at once within a limit of
//! it.

use tagmill_schemas::Artifact;
use tagmill_schemas::config::SourceKind;

use super::Observer;
use super::session::Resources;
use super::sources::{Decision, SourceInput};
use tagmill_warehouse::release::Parents;

/// Bytes a raw row takes in a shard at most: (held, more while it is sorted and counted). What is
/// held of an event is mostly 6 bytes.
const EVENT: (u64, u64) = (10, 30);
const GROUP_TAG: (u64, u64) = (50, 80);
/// A row of attributes, or a user of the dictionary.
const USER: (u64, u64) = (160, 0);
/// Tables that a shard has for its first rows.
const SHARD: u64 = 6 << 20;
/// The part of the memory that the shards of one wave may reserve at least; the rest is the
/// exchange's and the scan's.
const SHARD_SHARE: f64 = 0.45;
/// Exchange and scan get this much per thread, and at least a quarter of the memory; the shards get
/// the rest.
const EXCHANGE_PER_THREAD: u64 = 300 << 20;

/// Bytes that the largest shard is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// From its first row on.
    held: u64,
    /// More, while it is finished: only so many shards are at once as there are threads.
    finishing: u64,
}

/// Rows by what they take.
#[derive(Default)]
struct Rows {
    events: u64,
    group_tags: u64,
    users: u64,
}

impl Forecast {
    /// From the rows of the footers and of the dictionary: an average shard and an eighth.
    pub fn of(sources: &[SourceInput<'_>], parents: &Parents, shards: u32) -> Self {
        let mut rows = Rows {
            users: parents
                .newest
                .iter()
                .flat_map(|m| m.direct_files(Artifact::Users))
                .map(|file| file.rows)
                .sum(),
            ..Rows::default()
        };
        for input in sources {
            let Decision::Read(files) = &input.decision else {
                continue;
            };
            *match &input.source.kind {
                SourceKind::GroupTags { .. } => &mut rows.group_tags,
                kind if kind.events().is_some() => &mut rows.events,
                _ => &mut rows.users,
            } += files.rows();
        }
        Self::of_rows(&rows, shards)
    }

    fn of_rows(rows: &Rows, shards: u32) -> Self {
        let kinds = [
            (rows.events, EVENT),
            (rows.group_tags, GROUP_TAG),
            (rows.users, USER),
        ];
        let of_shard = |bytes: u64| bytes / u64::from(shards) * 9 / 8;
        Self {
            held: SHARD + of_shard(kinds.iter().map(|(rows, (held, _))| rows * held).sum()),
            finishing: of_shard(kinds.iter().map(|(rows, (_, sorted))| rows * sorted).sum()),
        }
    }

    /// Of so many shards at once.
    pub fn of_wave(self, shards: usize, threads: usize) -> u64 {
        self.held * shards as u64 + self.finishing * shards.min(threads) as u64
    }

    /// As many shards at once as their part of the memory holds; at least one.
    pub fn wave(self, resources: &Resources) -> usize {
        let shards = resources.shards as usize;
        let Some(memory) = resources.memory else {
            return shards;
        };
        let share = share_of_shards(memory, resources.threads);
        (1..=shards)
            .take_while(|wave| self.of_wave(*wave, resources.threads) <= share)
            .last()
            .unwrap_or(1)
    }

    /// With what a shard was seen to hold, as far as the memory has room for one such shard.
    pub fn at_least(self, held: u64, memory: u64, threads: usize) -> Self {
        Self {
            held: held.min(share_of_shards(memory, threads)).max(self.held),
            ..self
        }
    }
}

fn share_of_shards(memory: u64, threads: usize) -> u64 {
    let others = (EXCHANGE_PER_THREAD * threads as u64).max(memory / 4);
    memory
        .saturating_sub(others)
        .max((memory as f64 * SHARD_SHARE) as u64)
}

/// The resources; without a limit of memory, and if the night may need more than the machine has,
/// with four fifths of that as limit.
pub fn within_machine(
    resources: Resources,
    forecast: Forecast,
    machine: Option<u64>,
    observer: &dyn Observer,
) -> Resources {
    let expected = forecast.of_wave(resources.shards as usize, resources.threads);
    let limit = machine
        .map(|bytes| bytes / 5 * 4)
        .filter(|limit| resources.memory.is_none() && expected > *limit);
    let Some(limit) = limit else { return resources };
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    observer.warn(&format!(
        "the night may take {:.1} GB with all shards at once, more than this machine has: \
         run.memory is not set, {:.1} GB are taken as its limit",
        gigabytes(expected),
        gigabytes(limit)
    ));
    Resources {
        memory: Some(limit),
        ..resources
    }
}

/// The memory of this machine, or of the container that the process is in; `None` where nothing
/// tells.
pub fn memory_of_machine() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| total_of(&text));
    let container = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .iter()
    .find_map(|path| read(path)?.trim().parse().ok());
    machine.into_iter().chain(container).min()
}

fn total_of(meminfo: &str) -> Option<u64> {
    let kilobytes = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?
        .split_whitespace()
        .next()?;
    Some(kilobytes.parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Silent;

    const MB: u64 = 1 << 20;

    const ROWS: Rows = Rows {
        events: 50_000_000,
        group_tags: 0,
        users: 5_000_000,
    };

    fn resources(memory: Option<u64>) -> Resources {
        Resources {
            memory,
            threads: 2,
            shards: 16,
            spill: "spill".into(),
        }
    }

    #[test]
    fn more_memory_holds_more_shards_and_never_more_than_its_share() {
        let forecast = Forecast::of_rows(&ROWS, 16);
        let waves: Vec<usize> = [64, 1000, 1500, 2000, 3000, 4000]
            .map(|memory| forecast.wave(&resources(Some(memory * MB))))
            .into();
        assert!(
            waves.is_sorted() && waves[0] == 1 && waves[5] == 16,
            "{waves:?}"
        );
        for (memory, wave) in [1500, 2000, 3000].into_iter().zip(&waves[2..]) {
            assert!(forecast.of_wave(*wave, 2) <= memory * MB * 3 / 4);
        }
        assert_eq!(forecast.wave(&resources(None)), 16);
        // A shard that was seen to be larger, even one that no memory could hold.
        let seen = forecast.at_least(1 << 50, 2000 * MB, 2);
        assert_eq!(seen.wave(&resources(Some(2000 * MB))), 1);
        assert!(seen.of_wave(1, 2) < 2000 * MB && forecast.at_least(0, 2000 * MB, 2) == forecast);
    }

    #[test]
    fn a_night_larger_than_the_machine_has_a_limit_and_no_other() {
        let forecast = Forecast::of_rows(&ROWS, 16);
        let limited = |memory, machine: Option<u64>| {
            within_machine(resources(memory), forecast, machine, &Silent).memory
        };
        assert_eq!(limited(None, Some(1000 * MB)), Some(800 * MB));
        for unchanged in [limited(None, Some(8000 * MB)), limited(None, None)] {
            assert_eq!(unchanged, None);
        }
        assert_eq!(limited(Some(5000 * MB), Some(1000 * MB)), Some(5000 * MB));
    }

    #[test]
    fn meminfo_is_in_units_of_1024_bytes() {
        assert_eq!(
            total_of("MemTotal:       24684092 kB\nMemFree:        14720112 kB\n"),
            Some(24_684_092 << 10)
        );
        assert_eq!(total_of("MemFree: 1 kB"), None);
    }
}
