//! Numbers that users have of behaviour over days, for the night and for whoever asks a release.
//!
//! Reads rows of `behaviour` and `behaviour_measures`, a row at a time, from whom reads files; gives
//! users for whom a test of the number holds.
//!
//! ```text
//! rows of a day ──► EventDay ──► DayNumbers ──► WindowNumbers ──► users who pass, users who are not certain
//!                   by seat      a condition     days come in,
//!                                within events   and go out
//! ```

mod day;
mod numbers;
mod seats;
mod window;

pub use day::{DayNumbers, EventDay, MeasureRow};
pub use numbers::WindowNumbers;
pub use seats::{AppSeatWords, read_members};
pub use window::{AppWindow, Step};
