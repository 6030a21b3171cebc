//! `tagmill tags`: the tags of a release's apps, with types, sizes and usual values.

use std::fmt;

use clap::Args;
use serde::Serialize;
use tagmill_query::contents::{self, Sample, Tag};
use tagmill_schemas::outside::Shown;
use tagmill_schemas::{ReleaseName, Result};

use crate::global::Global;
use crate::output::{self, columns, grouped};
use crate::warehouse::Warehouse;

const AFTER: &str = "\
Examples:
  tagmill tags --app tea_shop
  tagmill estimate --app tea_shop \"city = 'Beijing'\"        how many users a rule selects

Values are case-sensitive: city = 'beijing' is another one than city = 'Beijing'.";

/// List the tags of a release
///
/// The type of each, how many users have it, how many distinct values it has, and those that most
/// users have.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// Only this app's; all apps' when not given
    #[arg(long)]
    app: Option<String>,
    /// A number, current, or the night it is of: @2026-11-19
    #[arg(long, default_value = "current")]
    release: ReleaseName,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "tags").await?;
    let manifest = warehouse.release(arguments.release).await?;
    let app = arguments.app.as_deref();
    if let Some(app) = app.filter(|app| !contents::app_names(&manifest).contains(app)) {
        return Err(contents::unknown_app("tags", &manifest, app));
    }
    let ctx = warehouse.tables(&manifest).await?;
    let tags = contents::tags(&ctx, &manifest, app).await?;
    output::print(
        global.output,
        &Tags {
            release: manifest.release,
            tags,
        },
    )
}

#[derive(Serialize)]
struct Tags {
    release: u64,
    tags: Vec<Tag>,
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tags.is_empty() {
            return write!(f, "release {} has no tag", self.release);
        }
        let heading = ["app", "tag", "type", "users", "values", "most users have"];
        let rows: Vec<_> = std::iter::once(heading.map(str::to_owned).to_vec())
            .chain(self.tags.iter().map(cells))
            .collect();
        f.write_str(&columns(&rows, &[3, 4]))
    }
}

fn cells(tag: &Tag) -> Vec<String> {
    let value_type = match tag.multi {
        true => format!("{}, several", tag.value_type),
        false => tag.value_type.to_string(),
    };
    let usual: Vec<String> = tag.samples.iter().map(sample).collect();
    let usual = match (&tag.range, tag.is_withheld) {
        (_, true) => "withheld: over a limit of the app".to_owned(),
        (Some((low, high)), _) => format!("{}; {low} to {high}", usual.join(", ")),
        (None, _) => usual.join(", "),
    };
    vec![
        tag.app.clone(),
        tag.tag.clone(),
        value_type,
        grouped(tag.users),
        grouped(tag.values),
        usual,
    ]
}

/// `Beijing (975)`.
fn sample(sample: &Sample) -> String {
    format!("{} ({})", Shown(&sample.value), grouped(sample.users))
}
