//! Lines of one kind are told twenty times, then counted: a registry may have a hundred thousand bad
//! rows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tagmill_schemas::Problem;

use super::Observer;

/// Lines of one kind that are told.
const MOST_LINES: u64 = 20;
/// Words that two lines of one kind begin with.
const WORDS: usize = 2;

/// Hands on the first lines of each kind, and at its end how many more there were.
pub struct Bounded<'o> {
    observer: &'o dyn Observer,
    told: Mutex<BTreeMap<String, u64>>,
}

impl<'o> Bounded<'o> {
    /// In front of an observer.
    pub fn new(observer: &'o dyn Observer) -> Self {
        Self {
            observer,
            told: Mutex::default(),
        }
    }
}

impl Bounded<'_> {
    /// Whether another one of a kind is told; it is counted.
    fn may_tell(&self, kind: String) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let count = told.entry(kind).or_default();
        *count += 1;
        *count <= MOST_LINES
    }
}

impl Observer for Bounded<'_> {
    fn stage(&self, name: &'static str, detail: &str) {
        self.observer.stage(name, detail);
    }

    fn progress(&self, done: u64, total: u64) {
        self.observer.progress(done, total);
    }

    fn warn(&self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().take(WORDS).collect();
        if self.may_tell(format!("lines that begin with {:?}", words.join(" "))) {
            self.observer.warn(line);
        }
    }

    fn problem(&self, problem: &Problem) {
        if self.may_tell(format!("problems of the kind {:?}", problem.code)) {
            self.observer.problem(problem);
        }
    }
}

impl Drop for Bounded<'_> {
    fn drop(&mut self) {
        let told = self.told.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (kind, count) in told {
            if *count > MOST_LINES {
                let more = *count - MOST_LINES;
                self.observer.warn(&format!("... and {more} more {kind}"));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Observer for Heard {
        fn stage(&self, _: &'static str, _: &str) {}
        fn progress(&self, _: u64, _: u64) {}
        fn warn(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    #[test]
    fn lines_of_a_kind_are_told_twenty_times_and_then_counted() {
        let heard = Heard::default();
        let bounded = Bounded::new(&heard);
        for row in 0..200_000 {
            bounded.warn(&format!("registry row a:{row} is not used"));
        }
        bounded.warn("source profiles is late");
        drop(bounded);
        let lines = heard.0.into_inner().unwrap();
        assert_eq!(lines.len(), 22);
        assert_eq!(lines[20], "source profiles is late");
        assert_eq!(
            lines[21],
            "... and 199980 more lines that begin with \"registry row\""
        );
    }
}
