//! The events of an app, their dimensions and measures, as a release has them.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use chrono::NaiveDate;
use datafusion::logical_expr::{ident, lit};
use datafusion::prelude::SessionContext;
use tagmill_rules::EventInfo;
use tagmill_schemas::Result;

use super::behaviour::between;
use crate::catalog::failed;

/// Events by name.
pub(super) type KnownEvents = BTreeMap<String, EventInfo>;

/// The events of an app from one day to another; without bitmaps.
///
/// # Errors
/// Those of reading.
pub(super) async fn known_events(
    ctx: &SessionContext,
    app: &str,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<KnownEvents> {
    let pairs = async |table: &str, column: &str| {
        let rows = ident("app").eq(lit(app)).and(between(from, to));
        let rows = ctx.table(table).await?.filter(rows)?;
        let pairs = rows.select([ident("event"), ident(column)])?.distinct()?;
        pairs.collect().await
    };
    let mut events = KnownEvents::new();
    let mut add = |batches: &[arrow::record_batch::RecordBatch],
                   names: fn(&mut EventInfo) -> &mut Vec<String>| {
        for batch in batches {
            let of_event = batch.column(0).as_string_view().iter().flatten();
            for (event, name) in of_event.zip(batch.column(1).as_string_view()) {
                let info = events.entry(event.to_owned()).or_default();
                names(info).extend(name.map(str::to_owned));
            }
        }
    };
    let dimensions = pairs("behaviour", "dimension").await.map_err(failed)?;
    add(&dimensions, |info| &mut info.dimensions);
    let measures = pairs("behaviour_measures", "measure")
        .await
        .map_err(failed)?;
    add(&measures, |info| &mut info.measures);
    for info in events.values_mut() {
        info.dimensions.sort_unstable();
        info.measures.retain(|measure| measure != "*");
        info.measures.sort_unstable();
    }
    Ok(events)
}
