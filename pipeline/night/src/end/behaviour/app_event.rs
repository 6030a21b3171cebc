//! One event of one app, and what the night says of it.

use crate::plan::spec::{BehaviourLimits, NightSpec};

/// One event of one app.
pub struct AppEvent<'a> {
    /// The app.
    pub app: &'a str,
    /// The event.
    pub event: &'a str,
    /// The app's limits.
    pub limits: BehaviourLimits,
    /// The night, for the values that dimensions keep.
    pub spec: &'a NightSpec,
}
