//! `funnel_state`: chains of funnels that the nights to come can go on with.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    FunnelState, sorted by [App, Funnel, Date, Ordinal, Step, Shard];
    what "chains of funnels that the nights to come can go on with.";
    note "Users whose window is over, and those who came to the last step, have no row.";
    App "app": DataType::Utf8 => "the app";
    Funnel "funnel": DataType::Utf8 => "the funnel's name";
    Date "date": DataType::Date32 => "the local day of the chain's first event";
    Ordinal "ordinal": DataType::UInt32 => "the user, in the shard";
    Step "step": DataType::UInt32 => "from 1";
    Shard "shard": DataType::UInt32 => "which shard";
    Start "start": DataType::Int64 => "when the latest chain of the day that reached the step began: microseconds since 1970-01-01 UTC";
}
