//! How many rows of a source may be rejected, and how few it may have, before a night is refused.

use serde::Serialize;

use crate::config::entry::Entry;
use crate::config::section::Section;
use crate::config::unit::parse_percent;
use crate::error::Result;

/// The key of the share of all reasons together.
const SHARE: &str = "share";

/// When the rows of a source are too many that are wrong, or too few. The shares decide which apps
/// are set aside, so they are part of what a run is named by; fewest rows only refuse a night.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowLimits {
    /// The fraction of rejected rows above which an app is set aside, or the night refused; 0.2 when
    /// not given.
    pub max_rejected: f64,
    /// The same of single reasons, by reason.
    pub max_by_reason: Vec<(String, f64)>,
    /// The fewest rows to be read; `None`: a snapshot that had rows before needs one, others none.
    #[serde(skip)]
    pub min_rows: Option<u64>,
    /// The fewest rows to be read, as a fraction of those that were read last.
    #[serde(skip)]
    pub min_of_last: Option<f64>,
}

impl Default for RowLimits {
    fn default() -> Self {
        Self {
            max_rejected: 0.2,
            max_by_reason: Vec::new(),
            min_rows: None,
            min_of_last: None,
        }
    }
}

impl RowLimits {
    /// Rows from which on a share is judged: of fewer, one producer's mistake is a large one.
    pub const JUDGED_FROM: u64 = 1_000;

    /// Whether the shares are those of a source that says nothing: its hash is as it was before they
    /// decided what is computed.
    pub(super) fn are_usual(&self) -> bool {
        let usual = Self::default();
        self.max_rejected == usual.max_rejected && self.max_by_reason.is_empty()
    }

    pub(super) fn read(section: &Section<'_>) -> Result<Self> {
        let mut limits = Self::default();
        let min_rows = section.optional("min_rows", |entry| entry.integer(0..=u64::MAX));
        let min_of_last = section.optional("min_of_last", |entry| entry.parsed(parse_percent));
        match section.get("max_rejected") {
            Some(entry) if entry.value.is_table() => limits.read_reasons(section)?,
            Some(_) => {
                let share = section.required("max_rejected", |entry| entry.parsed(parse_percent));
                limits.max_rejected = share?;
            }
            None => {}
        }
        (limits.min_rows, limits.min_of_last) = (min_rows?, min_of_last?);
        Ok(limits)
    }

    /// `{ share = "20%", no_time = "1%" }`.
    fn read_reasons(&mut self, section: &Section<'_>) -> Result<()> {
        let share = |entry: &Entry<'_>| Ok((entry.key_name()?, entry.parsed(parse_percent)?));
        for (name, share) in section.each_of("max_rejected", share)? {
            match name {
                name if name == SHARE => self.max_rejected = share,
                name => self.max_by_reason.push((name, share)),
            }
        }
        self.max_by_reason
            .sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(())
    }
}
