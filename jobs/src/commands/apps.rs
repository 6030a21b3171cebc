//! `tagmill apps`: the apps of a release.

use std::fmt;

use clap::Args;
use serde::Serialize;
use tagmill_query::contents::{self, App};
use tagmill_schemas::{ReleaseName, Result};

use crate::global::Global;
use crate::output::{self, columns, grouped};
use crate::warehouse::Warehouse;

const AFTER: &str = "\
Next:
  tagmill tags --app tea_shop        what is known of its users
  tagmill groups --app tea_shop      its rules, and how many users each selects";

/// List the apps of a release
///
/// Users, tags and groups of each, and the rows of the newest night that were read for it.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// A number, current, or the night it is of: @2026-11-19
    #[arg(long, default_value = "current")]
    release: ReleaseName,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "apps").await?;
    let manifest = warehouse.release(arguments.release).await?;
    let ctx = warehouse.tables(&manifest).await?;
    let apps = contents::apps(&ctx, &manifest).await?;
    output::print(
        global.output,
        &Apps {
            release: manifest.release,
            apps,
        },
    )
}

#[derive(Serialize)]
struct Apps {
    release: u64,
    apps: Vec<App>,
}

impl fmt::Display for Apps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.apps.is_empty() {
            return write!(f, "release {} has no app", self.release);
        }
        let heading = ["app", "users", "tags", "groups", "rows", "rejected"];
        let cells = |app: &App| {
            vec![
                app.app.clone(),
                grouped(app.users),
                grouped(app.tags),
                groups(app),
                grouped(app.rows),
                grouped(app.rejected),
            ]
        };
        let rows: Vec<_> = std::iter::once(heading.map(str::to_owned).to_vec())
            .chain(self.apps.iter().map(cells))
            .collect();
        f.write_str(&columns(&rows, &[1, 2, 4, 5]))
    }
}

/// `12 ok, 1 invalid`: those that are ok first.
fn groups(app: &App) -> String {
    let others = app.groups.iter().filter(|(status, _)| *status != "ok");
    let ok = app.groups.get_key_value("ok");
    let counts = ok.into_iter().chain(others);
    let counts: Vec<String> = counts
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    match counts.is_empty() {
        true => "none".to_owned(),
        false => counts.join(", "),
    }
}
