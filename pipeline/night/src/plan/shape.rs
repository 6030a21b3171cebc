//! What an event is made of: which slot of the event columns holds which dimension or measure.

use serde::{Deserialize, Serialize};

/// Scaled doubles from here on do not fit into 64 bits.
pub const LARGEST_SCALED: f64 = 9.2e18;

/// The dimensions and measures of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventShape {
    /// (name, slot), in order of the name.
    pub dimensions: Vec<(String, usize)>,
    /// In order of the name.
    pub measures: Vec<MeasureShape>,
}

/// One measure of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureShape {
    /// Name of the measure.
    pub name: String,
    /// Its slot.
    pub slot: usize,
    /// Decimal digits kept.
    pub scale: u8,
}
