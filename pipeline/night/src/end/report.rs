//! What a shard returns to the driver: the files it wrote, and what the roll-up adds over shards.

use serde::{Deserialize, Serialize};
use tagmill_schemas::manifest::FileEntry;
use tagmill_schemas::value::ValueType;

use crate::take::accounting::Count;
use crate::take::typed_values::TypedValues;

/// The report of one shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShardReport {
    /// Which shard.
    pub shard: u32,
    /// Files written, each once.
    pub files: Vec<FileEntry>,
    /// Paths of earlier files of the dictionary whose rows are in this shard's new one too.
    pub absorbed: Vec<String>,
    /// Users added to the dictionary.
    pub new_users: u64,
    /// Users in the dictionary.
    pub users: u64,
    /// Tags with their values.
    pub tags: Vec<TagReport>,
    /// Dimensions that may have more values than their limit.
    pub dimensions: Vec<DimensionReport>,
    /// Groups with their sizes.
    pub groups: Vec<GroupReport>,
    /// For every list of the night how many of its members are users of this shard.
    pub lists: Vec<u64>,
    /// Rows by source, app and what became of them.
    pub counts: Vec<Count>,
    /// Seconds in each part of the work, in order.
    pub seconds: Vec<(String, f64)>,
}

/// One tag of one app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagReport {
    /// The app.
    pub app: String,
    /// The tag.
    pub tag: String,
    /// Type of its values.
    pub value_type: ValueType,
    /// Whether a user can have several.
    pub multi: bool,
    /// The source that has it.
    pub source: String,
    /// Distinct values, in order; of a withheld tag only one more than the limit.
    pub values: TypedValues,
    /// Whether its values are not published.
    pub is_withheld: bool,
}

/// What one shard saw of a dimension that may be beyond its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DimensionReport {
    /// The source of the event.
    pub source: String,
    /// The app.
    pub app: String,
    /// The event.
    pub event: String,
    /// The dimension.
    pub dimension: String,
    /// Distinct values in this shard.
    pub distinct: u64,
    /// Values with the number of users' combinations that had them: every value that was chosen
    /// before, and of the others those with most, as many as the limit.
    pub values: Vec<(String, u64)>,
}

/// One group of one app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupReport {
    /// The app.
    pub app: String,
    /// The group.
    pub group: String,
    /// Members.
    pub cardinality: u64,
    /// Members that were not members before.
    pub entered: u64,
    /// Members before that are none now.
    pub left: u64,
}
