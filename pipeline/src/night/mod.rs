//! The one-pass operator: everything a shard does between the exchange and its files.
//!
//! ```text
//! batches ─► shard (interner, seats, attributes, labels, events) ─► finish (cutter, behaviour, tag_sets, atoms) ─► output
//! ```

mod accounting;
mod app_order;
mod app_writer;
mod atoms;
mod attributes;
mod audience;
mod batch;
mod behaviour;
mod bsi;
mod claims;
mod cutter;
mod events;
mod exec;
mod finish;
mod interner;
mod kept;
mod label_sets;
mod labels;
mod load;
mod measure;
mod members;
mod narrow;
mod new_users;
mod numbers;
mod output;
mod properties;
mod radix;
mod random_access;
mod report;
mod rows;
mod seating;
mod seats;
mod shape;
mod shard;
mod spec;
mod tag_sets;
mod tuples;
mod typed_values;
mod values;

pub use accounting::{Count, FILTERED};
pub use audience::AppNames;
pub use behaviour::{BehaviourLimits, COUNT};
pub use claims::OTHER_SOURCE;
pub use events::NO_KEY;
pub use exec::{NightExec, external, report_schema};
pub use kept::{DimensionReport, KeptValues};
pub use measure::LARGEST_SCALED;
pub use report::{GroupReport, ShardReport, TagReport};
pub use rows::{Rows, typed_value};
pub use shape::{EventShape, MeasureShape};
pub use spec::{
    AppRules, CustomEvent, EventShapes, Keeps, LabelSpec, ListSpec, NightLimits, NightSpec,
    ParentFiles, RowsSpec, Slot, SourceSpec, TagSpec, Undeclared, UnusedLabel, Withheld,
};
pub use typed_values::TypedValues;
pub use values::is_same;
