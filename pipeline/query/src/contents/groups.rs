//! The groups of a release.

use datafusion::prelude::SessionContext;
use serde::Serialize;
use tagmill_schemas::Result;

use super::rows::Rows;

/// A group of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The app.
    pub app: String,
    /// Its name.
    pub group: String,
    /// ok, stale, invalid, ...: see `group_status`.
    pub status: String,
    /// Members; `None` when it is not published.
    pub users: Option<u64>,
    /// Members who were not in it at the newest release of an earlier date.
    pub came: u64,
    /// Members then who are not now.
    pub went: u64,
    /// The date its members are of; `None` when it is not published.
    pub as_of: Option<String>,
    /// Why it is not ok, or why nobody is in it.
    pub reason: Option<String>,
    /// `file:line` of its row.
    pub place: Option<String>,
}

/// The groups of a release, or of one app of it, by app and name.
///
/// # Errors
/// Those of reading the release.
pub async fn groups(ctx: &SessionContext, app: Option<&str>) -> Result<Vec<Group>> {
    let only = app.map_or("", |_| "WHERE app = $app");
    let sql = format!(
        "SELECT s.app, s.\"group\", s.status, s.cardinality, coalesce(m.came, 0), \
         coalesce(m.went, 0), s.as_of, s.reason, s.place \
         FROM (SELECT * FROM group_status {only}) AS s \
         LEFT JOIN (SELECT app, \"group\", sum(entered) AS came, sum(\"left\") AS went FROM groups \
         {only} GROUP BY app, \"group\") AS m ON s.app = m.app AND s.\"group\" = m.\"group\" \
         ORDER BY s.app, s.\"group\""
    );
    let rows = Rows::ask(ctx, &sql, app).await?;
    let (apps, names, statuses) = (rows.texts(0)?, rows.texts(1)?, rows.texts(2)?);
    let (users, came, went) = (rows.numbers(3)?, rows.numbers(4)?, rows.numbers(5)?);
    let (dates, reasons, places) = (rows.texts(6)?, rows.texts(7)?, rows.texts(8)?);
    let group = |row: usize| Group {
        app: apps[row].clone().unwrap_or_default(),
        group: names[row].clone().unwrap_or_default(),
        status: statuses[row].clone().unwrap_or_default(),
        users: users[row],
        came: came[row].unwrap_or(0),
        went: went[row].unwrap_or(0),
        as_of: dates[row].clone(),
        reason: reasons[row].clone(),
        place: places[row].clone(),
    };
    Ok((0..apps.len()).map(group).collect())
}
