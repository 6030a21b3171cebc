//! The tags of a night: what every shard said of one tag of one app, together.

use hashbrown::HashMap;
use tagmill_schemas::ValueType;

use tagmill_night::{ShardReport, TagReport, TypedValues};

/// One tag of one app from one source, in all shards.
pub struct TagOfNight<'r> {
    /// The app.
    pub app: &'r str,
    /// The tag.
    pub tag: &'r str,
    /// Type of its values.
    pub value_type: ValueType,
    /// The source that has it.
    pub source: &'r str,
    reports: Vec<&'r TagReport>,
    /// How many tags were seen before.
    place: usize,
}

impl<'r> TagOfNight<'r> {
    /// What the codes of values belong to.
    pub fn key(&self) -> (&'r str, &'r str, ValueType) {
        (self.app, self.tag, self.value_type)
    }

    /// What the first shard that has it says.
    pub fn first(&self) -> Option<&'r TagReport> {
        self.reports.first().copied()
    }

    /// Whether its values are not published.
    pub fn is_withheld(&self) -> bool {
        self.first().is_some_and(|tag| tag.is_withheld)
    }

    /// The values of every shard.
    pub fn values(&self) -> impl Iterator<Item = &'r TypedValues> {
        self.reports.iter().map(|tag| &tag.values)
    }

    /// Tags with a smaller place were seen first, in the order of shards.
    pub fn place(&self) -> usize {
        self.place
    }
}

/// All tags, in order of app, name, name of the type, and source.
pub fn tags_of(reports: &[ShardReport]) -> Vec<TagOfNight<'_>> {
    let mut at: HashMap<(&str, &str, ValueType, &str), usize> = HashMap::new();
    let mut tags: Vec<TagOfNight<'_>> = Vec::new();
    for report in reports.iter().flat_map(|report| &report.tags) {
        let TagReport {
            app,
            tag,
            value_type,
            source,
            ..
        } = report;
        let place = *at
            .entry((app, tag, *value_type, source))
            .or_insert_with(|| {
                tags.push(TagOfNight {
                    app,
                    tag,
                    value_type: *value_type,
                    source,
                    reports: Vec::new(),
                    place: tags.len(),
                });
                tags.len() - 1
            });
        tags[place].reports.push(report);
    }
    tags.sort_unstable_by_key(|tag| (tag.app, tag.tag, tag.value_type.name(), tag.source));
    tags
}
