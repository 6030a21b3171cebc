//! The order of a shard's apps by name: codes come by arrival, files are written by name.

use crate::take::values::{Values, positions};

/// The order of the shard's apps by name.
pub struct AppOrder {
    names: Vec<String>,
    /// By app code its position.
    pub rank: Vec<u32>,
    codes: Vec<u32>,
}

impl AppOrder {
    /// The order of these names.
    pub fn of(apps: &Values) -> Self {
        let codes = apps.sorted_codes();
        let names = codes
            .iter()
            .map(|&code| apps.value(code).map(|v| v.to_string()).unwrap_or_default())
            .collect();
        Self {
            names,
            rank: positions(&codes),
            codes,
        }
    }

    /// The name at this position.
    pub fn name(&self, rank: u32) -> &str {
        &self.names[rank as usize]
    }

    /// The code of the app at this position.
    pub fn code(&self, rank: u32) -> u32 {
        self.codes[rank as usize]
    }
}
