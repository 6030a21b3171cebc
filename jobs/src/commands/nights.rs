//! What is printed of one night or of several: as text each when it is done, as JSON one line at the
//! end.

use chrono::NaiveDate;
use serde::Serialize;
use tagmill_pipeline::Report;
use tagmill_schemas::Result;

use crate::global::Output;
use crate::output;

/// The nights of a run of several dates.
pub struct Nights {
    output: Output,
    asked: usize,
    done: Vec<Report>,
}

/// The reports of several nights.
#[derive(Serialize)]
struct Reports<'n> {
    nights: &'n [Report],
}

impl Nights {
    /// None is done yet, of so many.
    pub fn new(output: Output, asked: usize) -> Self {
        Self {
            output,
            asked,
            done: Vec::new(),
        }
    }

    /// A night is published.
    pub fn add(&mut self, night: Report) {
        if self.output == Output::Text {
            let gap = if self.done.is_empty() { "" } else { "\n" };
            tell(&[&night], output::print_line(&format!("{gap}{night}")));
        }
        self.done.push(night);
    }

    /// The next night, of this date, did not end well.
    pub fn stop(self, date: NaiveDate) {
        match self.done.len() {
            0 => return,
            1 => log::warn!("stopped at {date}; the night before it is done"),
            nights => log::warn!("stopped at {date}; the {nights} nights before it are done"),
        }
        self.end();
    }

    /// No other night follows.
    pub fn end(self) {
        if self.output == Output::Text {
            return;
        }
        let printed = match self.done.as_slice() {
            [night] if self.asked == 1 => output::print(self.output, night),
            nights => output::print_json(&Reports { nights }),
        };
        tell(&self.done.iter().collect::<Vec<_>>(), printed);
    }
}

/// The nights are published: a result that nobody can read is a warning, and no reason to run them
/// again.
fn tell(nights: &[&Report], printed: Result<()>) {
    if let Err(error) = printed {
        let released = nights.iter().filter_map(|night| night.release);
        let released: Vec<String> = released.map(|number| number.to_string()).collect();
        let released = released.join(", ");
        log::warn!("release {released} is published, but the result is not printed: {error}");
    }
}
