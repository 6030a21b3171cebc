//! The columns that an answer tells groups apart by: dimensions of the event, or tags of its users.

use std::collections::BTreeSet;

use tagmill_rules::Names;
use tagmill_schemas::{Error, Result, ValueType};

use super::super::STAGE;
use super::question::Scope;

/// Before the name of a tag that is one of a dimension, too.
const TAG: &str = "tag.";

/// A column that groups are told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    /// A dimension of the event.
    Dimension(String),
    /// A tag of the user.
    Tag(String, ValueType),
}

/// The columns of these names: dimensions, and where there is none, tags. Of groups that are united
/// afterwards each event has to be in one.
///
/// # Errors
/// Setup for a name that is neither, with the nearest, for a tag without published values, and for a
/// tag with several values a user where groups are united.
pub(super) async fn resolve(
    names: &[String],
    scope: &Scope,
    is_united: bool,
) -> Result<Vec<Column>> {
    let mut columns = Vec::with_capacity(names.len());
    let app = scope.question.event.app.as_str();
    let tags = match names.iter().all(|name| scope.dimensions.contains(name)) {
        true => None,
        false => Some(scope.release.names(app).await?),
    };
    for name in names {
        if scope.dimensions.contains(name) {
            columns.push(Column::Dimension(name.clone()));
            continue;
        }
        let Some(tags) = &tags else { continue };
        let tag = name.strip_prefix(TAG).unwrap_or(name);
        let Some(info) = tags.tag(tag) else {
            let known: BTreeSet<&str> = tags.tag_names().into_iter().collect();
            let dimensions = scope.dimensions.iter().map(String::as_str);
            let known: Vec<&str> = dimensions.chain(known).collect();
            let of = format!("event {:?} of app {app:?}", scope.question.event.event);
            return Err(scope.release.unknown("dimension or tag", name, &of, &known));
        };
        if tags.withheld(tag).is_some() {
            let what = format!("the values of tag {tag:?} are not published: it is beyond a limit");
            let fix = "raise limits.values_per_tag or limits.tags for the nights to come";
            return Err(Error::setup(STAGE, what).fix(fix));
        }
        if is_united && info.multi {
            let what = format!(
                "top: a user has several values of {tag:?}, and their events would count in the \
                 row of the others once for each"
            );
            let fix = "leave top out, and write ORDER BY users DESC LIMIT n";
            return Err(Error::setup(STAGE, what).fix(fix));
        }
        columns.push(Column::Tag(tag.to_owned(), info.value_type));
    }
    Ok(columns)
}
