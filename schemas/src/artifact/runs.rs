//! `runs`: the attempts that made the release.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Runs, sorted by [Run, Attempt];
    what "the attempts that made the release.";
    note "";
    Run "run": DataType::Utf8 => "the run's name";
    Attempt "attempt": DataType::UInt32 => "from 1";
    Date "date": DataType::Date32 => "the date it ran for";
    Outcome "outcome": DataType::Utf8 => "how it ended";
    Release "release": DataType::UInt64, null "when nothing was published" => "the release it made";
}
