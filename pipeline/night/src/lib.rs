//! One shard of the night: the plan that reads raw files, the exchange, and the one-pass operator
//! with everything that a shard does before its files are written.
//!
//! ```text
//! files ─► scan ─► exchange ─► take (seats, attributes, labels, events, properties) ─► end (app by app: tags, groups, behaviour) ─► output
//!                  └ plan::columns: what scan hands to take
//! ```

pub mod codec;
mod end;
pub mod exchange;
mod exec;
mod funnels;
mod plan;
pub mod scan;
mod shared;
mod take;
mod windows;

pub use end::report::{
    DimensionReport, GroupReport, MOST_EVENT_NAMES, ShardReport, TagReport, WindowReport,
    report_schema,
};
pub use exec::{NightExec, ShardNumbers};
pub use plan::audience::{Audience, AudienceSpec, ListSpec};
pub use plan::columns::FAILED_EXPRESSION;
pub use plan::funnels::{MissingDay, NightFunnel, NightFunnels};
pub use plan::kept_values::{EVENTS, KeptValues};
pub use plan::shape::{EventShape, MeasureShape};
pub use plan::spec::{
    BehaviourLimits, CustomEvent, EventShapes, Keeps, LabelSpec, NightLimits, NightSpec,
    ParentFiles, RowsSpec, Slot, SourceSpec, TagSpec, Undeclared, UnusedLabel, Withheld,
};
pub use plan::windows::NightWindows;
pub use take::accounting::Count;
pub use take::claims::OTHER_SOURCE;
pub use take::typed_values::TypedValues;
