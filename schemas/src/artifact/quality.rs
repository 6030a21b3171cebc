//! `quality`: exact counts per source and app; read = accepted + filtered + rejected.
//!
//! `over_limit:values` counts dimensions of the app's events with more values than the limit, each once however many shards saw it; `over_limit:tag_values` tags with more; `over_limit:tags` tags beyond the number that an app may have, and `over_limit:tag_rows` the rows of those that are not taken; `over_limit:combinations` (user, event) pairs with more combinations; `over_limit:sums` sums of one user and measure that do not fit into 64 bits and are left out; `disabled_tag` rows of a tag whose registry row is wrong; `tag_of_other_source` tags, in each shard, that an earlier source of the configuration brought as well and that are left out; `unknown_members`, of the source `groups.lists`, ids of lists that are no users; `infinite` infinities, which are no value; `superseded` accepted rows that did not count because another row of the same user, or of the same user and tag, did; `not_in_funnels` accepted rows of a funnel's step whose time is not on the night's day, or missing: no funnel has them.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Quality, sorted by [Date, Source, App, Metric];
    what "exact counts per source and app; read = accepted + filtered + rejected.";
    note "`over_limit:values` counts dimensions of the app's events with more values than the limit, each once however many shards saw it; `over_limit:tag_values` tags with more; `over_limit:tags` tags beyond the number that an app may have, and `over_limit:tag_rows` the rows of those that are not taken; `over_limit:combinations` (user, event) pairs with more combinations; `over_limit:sums` sums of one user and measure that do not fit into 64 bits and are left out; `disabled_tag` rows of a tag whose registry row is wrong; `tag_of_other_source` tags, in each shard, that an earlier source of the configuration brought as well and that are left out; `unknown_members`, of the source `groups.lists`, ids of lists that are no users; `infinite` infinities, which are no value; `superseded` accepted rows that did not count because another row of the same user, or of the same user and tag, did; `not_in_funnels` accepted rows of a funnel's step whose time is not on the night's day, or missing: no funnel has them.";
    Date "date": DataType::Date32 => "the night";
    Source "source": DataType::Utf8 => "the source's name";
    App "app": DataType::Utf8, null "when the row has none" => "the app";
    Metric "metric": DataType::Utf8 => "read, accepted, filtered, `rejected:<reason>`, duplicates, undeclared_event, undeclared_property, undeclared_tag, disabled_tag, tag_of_other_source, unknown_members, infinite, or one of those below";
    Value "value": DataType::UInt64 => "rows, or what the metric counts";
}
