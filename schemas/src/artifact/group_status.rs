//! `group_status`: how every group's night went: one row per group, published or not.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    GroupStatus, sorted by [App, Group];
    what "how every group's night went: one row per group, published or not.";
    note "";
    App "app": DataType::Utf8 => "the app";
    Group "group": DataType::Utf8 => "the group's name";
    Status "status": DataType::Utf8 => "ok, stale, incomplete, invalid, expired, disabled, over_limit, lost (the row can not be read; the last members are kept for a while) or removed (the row is gone; told for one night)";
    RuleHash "rule_hash": DataType::Utf8, null "without a rule that parses" => "of the rule's canonical form";
    AsOf "as_of": DataType::Date32, null "when not published" => "the date its members are of";
    Cardinality "cardinality": DataType::UInt64, null "when not published" => "members in all shards; 0 is ok";
    Reason "reason": DataType::Utf8, null "with ok, unless an empty group is noticeable, or a number of behaviour not exact or younger than its window" => "why not ok, or what is noticeable";
    Line "line": DataType::UInt32, null "without a position" => "line in the rule, from 1";
    Column "column": DataType::UInt32, null "without a position" => "column in the rule, from 1";
    Place "place": DataType::Utf8, null "when not known" => "`file:line` of the row";
}
