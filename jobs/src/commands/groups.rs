//! `tagmill groups`: the groups of a release, with sizes and statuses.

use std::fmt;

use clap::Args;
use serde::Serialize;
use tagmill_query::contents::{self, Group};
use tagmill_schemas::outside::Shown;
use tagmill_schemas::{ReleaseName, Result};

use crate::global::Global;
use crate::output::{self, columns, grouped};
use crate::warehouse::Warehouse;

/// List the groups of a release
///
/// How many users each has, who came and went since the night before, and why one is not ok or
/// empty.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this app's; all apps' when not given
    #[arg(long)]
    app: Option<String>,
    /// A number, current, or the night it is of: @2026-11-19
    #[arg(long, default_value = "current")]
    release: ReleaseName,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "groups").await?;
    let manifest = warehouse.release(arguments.release).await?;
    let app = arguments.app.as_deref();
    let ctx = warehouse.tables(&manifest).await?;
    let groups = contents::groups(&ctx, app).await?;
    let is_unknown =
        |app: &&str| groups.is_empty() && !contents::app_names(&manifest).contains(app);
    if let Some(app) = app.filter(is_unknown) {
        return Err(contents::unknown_app("groups", &manifest, app));
    }
    output::print(
        global.output,
        &Groups {
            release: manifest.release,
            groups,
        },
    )
}

#[derive(Serialize)]
struct Groups {
    release: u64,
    groups: Vec<Group>,
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.groups.is_empty() {
            return write!(f, "release {} has no group", self.release);
        }
        let heading = ["app", "group", "users", "came", "went", "status", "reason"];
        let rows: Vec<_> = std::iter::once(heading.map(str::to_owned).to_vec())
            .chain(self.groups.iter().map(cells))
            .collect();
        f.write_str(&columns(&rows, &[2, 3, 4]))
    }
}

fn cells(group: &Group) -> Vec<String> {
    let place = group.place.as_ref().filter(|_| group.status != "ok");
    let place = place.map_or_else(String::new, |place| format!(" ({})", Shown(place)));
    let reason = group.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!("{}{place}", Shown(reason)));
    vec![
        group.app.clone(),
        group.group.clone(),
        group.users.map_or_else(|| "-".to_owned(), grouped),
        grouped(group.came),
        grouped(group.went),
        group.status.clone(),
        reason,
    ]
}
