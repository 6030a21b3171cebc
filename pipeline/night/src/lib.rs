//! The one-pass operator: everything a shard does between the exchange and its files.
//!
//! ```text
//! batches ─► shard (interner, seats, attributes, labels, events) ─► finish (cutter, behaviour, tag_sets, atoms) ─► output
//! ```

pub mod codec;
mod end;
pub mod exchange;
mod exec;
mod plan;
pub mod scan;
mod take;

pub use end::report::{DimensionReport, GroupReport, ShardReport, TagReport};
pub use exec::{NightExec, report_schema};
pub use plan::audience::AppNames;
pub use plan::kept_values::KeptValues;
pub use plan::shape::{EventShape, MeasureShape};
pub use plan::spec::{
    AppRules, BehaviourLimits, CustomEvent, EventShapes, Keeps, LabelSpec, ListSpec, NightLimits,
    NightSpec, ParentFiles, RowsSpec, Slot, SourceSpec, TagSpec, Undeclared, UnusedLabel, Withheld,
};
pub use take::accounting::Count;
pub use take::claims::OTHER_SOURCE;
pub use take::typed_values::TypedValues;
