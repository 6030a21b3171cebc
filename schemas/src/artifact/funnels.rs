//! `funnels`: who came how far in a funnel, by the day on which the chain of steps began.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Funnels, sorted by [App, Funnel, Date, Step, Shard];
    what "who came how far in a funnel, by the day on which the chain of steps began.";
    note "Who is in a step is in every step before it. A step that nobody reached has no row. Only of a day that is `final` can nobody come further; one that is not `complete` may lack users, because rows of a day on which its chains could go on were not there.";
    App "app": DataType::Utf8 => "the app";
    Funnel "funnel": DataType::Utf8 => "the funnel's name";
    Date "date": DataType::Date32 => "the local day of the chain's first event";
    Step "step": DataType::UInt32 => "from 1";
    Event "event": DataType::Utf8 => "the step's event";
    Definition "definition": DataType::Utf8 => "a hash of the funnel's steps and window: a changed funnel begins anew";
    Final "final": DataType::Boolean => "whether the window of the day's last chain is over";
    Complete "complete": DataType::Boolean => "whether all rows were there that could be part of the day's chains";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
