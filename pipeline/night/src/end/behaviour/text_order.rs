//! The values of one dimension as texts, in the order in which the artifact is sorted.
//!
//! A value has two positions: its *rank* in typed order, where 5 comes before 14, by which users'
//! combinations are numbered; and its *text rank* in order of the bytes of its text, by which rows
//! are sorted.

use crate::take::values::{Values, positions};

/// The texts of one dimension's values, in order.
pub struct TextOrder {
    /// By text rank; the first is null.
    texts: Vec<Option<String>>,
    /// By rank.
    text_ranks: Vec<u32>,
}

impl TextOrder {
    /// The order of these values, null included.
    pub fn of(values: &Values) -> Self {
        let typed = values.sorted_codes();
        let mut texts: Vec<(Option<String>, u32)> = typed
            .iter()
            .enumerate()
            .map(|(rank, &code)| (values.value(code).map(|v| v.to_string()), rank as u32))
            .collect();
        texts.sort();
        let by_text: Vec<u32> = texts.iter().map(|(_, rank)| *rank).collect();
        Self {
            text_ranks: positions(&by_text),
            texts: texts.into_iter().map(|(text, _)| text).collect(),
        }
    }

    /// How many values there are, null included.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// The text rank of the value with this rank.
    #[inline]
    pub fn text_rank(&self, rank: u32) -> u32 {
        self.text_ranks[rank as usize]
    }

    /// The text at a text rank; `None` for null.
    pub fn text(&self, text_rank: u32) -> Option<&str> {
        self.texts[text_rank as usize].as_deref()
    }
}
