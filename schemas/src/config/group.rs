//! `[groups]`: where rules and uploaded lists are.

use serde::Serialize;

/// Where rules and uploaded lists are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Groups {
    /// Files of [`crate::registry::GroupRow`]: Parquet, CSV or NDJSON.
    pub rules: String,
    /// Files of user ids, with `{list}` and, where lists are an app's own, `{app}`; `None`: no lists.
    pub lists: Option<String>,
    /// The fraction of newly invalid rules above which the night is refused; 0.02 when not given.
    pub max_new_invalid: f64,
}
