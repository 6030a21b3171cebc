//! What is told while something is looked at, kept as problems instead of printed.

use std::sync::{Mutex, PoisonError};

use tagmill_schemas::Problem;
use tagmill_schemas::problem::Code;

use super::Observer;

/// Keeps what is said; stages and progress go on to another one.
pub struct Heard<'o> {
    observer: &'o dyn Observer,
    problems: Mutex<Vec<Problem>>,
}

impl<'o> Heard<'o> {
    /// In front of an observer.
    pub fn new(observer: &'o dyn Observer) -> Self {
        Self {
            observer,
            problems: Mutex::default(),
        }
    }

    /// All that was said, in order.
    pub fn into_problems(self) -> Vec<Problem> {
        let problems = self.problems.into_inner();
        problems.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Heard<'_> {
    fn stage(&self, name: &'static str, detail: &str) {
        self.observer.stage(name, detail);
    }

    fn progress(&self, done: u64, total: u64) {
        self.observer.progress(done, total);
    }

    fn warn(&self, line: &str) {
        self.problem(&Problem::new(Code::Note, line));
    }

    fn problem(&self, problem: &Problem) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.push(problem.clone());
    }
}
