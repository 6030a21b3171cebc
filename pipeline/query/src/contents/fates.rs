//! What became of a night's rows, by source and reason.

use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use serde::Serialize;
use tagmill_schemas::Result;

use super::rows::Rows;

/// Rows of one fate, of all apps together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// The source.
    pub source: String,
    /// `rejected:<reason>` or `duplicates`, as in `quality`.
    pub metric: String,
    /// How many rows.
    pub rows: u64,
}

/// The rejected and duplicate rows of a night, by source, most first; none when the release does not
/// list that night's `quality` any more.
///
/// # Errors
/// Those of reading the release.
pub async fn fates(ctx: &SessionContext, date: NaiveDate) -> Result<Vec<Fate>> {
    let sql = format!(
        "SELECT source, metric, sum(value) AS rows FROM quality WHERE date = DATE '{date}' \
         AND (metric = 'duplicates' OR starts_with(metric, 'rejected:')) \
         GROUP BY source, metric HAVING sum(value) > 0 ORDER BY source, rows DESC, metric"
    );
    let rows = Rows::ask(ctx, &sql, None).await?;
    let names = rows.texts(0)?.into_iter().zip(rows.texts(1)?);
    let fates = names.zip(rows.numbers(2)?);
    let fate = |((source, metric), rows): ((Option<String>, Option<String>), Option<u64>)| {
        Some(Fate {
            source: source?,
            metric: metric?,
            rows: rows?,
        })
    };
    Ok(fates.filter_map(fate).collect())
}
