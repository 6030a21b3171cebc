//! `tagmill verify`: is everything a release promises still there, byte for byte?

use std::fmt;

use clap::Args;
use serde::Serialize;
use tagmill_schemas::{Error, ReleaseName, Result};
use tagmill_warehouse::artifact::cure_of;
use tagmill_warehouse::release as publish;
use tagmill_warehouse::release::Depth;

use crate::global::Global;
use crate::output::{self, grouped, sized};
use crate::warehouse::Warehouse;

/// Check that a release is still there, byte for byte
///
/// Reads and hashes every file of the release; with --quick only looks at presence and size. Damage
/// is exit 1.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A number, current, or the night it is of: @2026-11-19
    #[arg(default_value = "current")]
    release: ReleaseName,
    /// Presence and size only
    #[arg(long)]
    quick: bool,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "verify").await?;
    let manifest = warehouse.release(arguments.release).await?;
    let depth = if arguments.quick {
        Depth::Sizes
    } else {
        Depth::Checksums
    };
    let verified = publish::verify(&warehouse.store, &manifest, depth).await?;
    let problems: Vec<_> = verified
        .problems
        .into_iter()
        .map(|problem| Damage {
            path: problem.path,
            what: problem.what,
        })
        .collect();
    let count = problems.len();
    let first = problems
        .first()
        .map(|problem: &Damage| cure_of(&problem.path));
    output::print(
        global.output,
        &Findings {
            release: manifest.release,
            files: verified.files,
            bytes: verified.bytes,
            is_quick: arguments.quick,
            problems,
        },
    )?;
    match count {
        0 => Ok(()),
        _ => Err(Error::refused(
            "verify",
            format!("{count} of {} files are damaged", verified.files),
        )
        .at(format!("release {}", manifest.release))
        .fix(match first {
            Some(cure) if count == 1 => cure,
            cure => format!("one by one; the first: {}", cure.unwrap_or_default()),
        })),
    }
}

#[derive(Serialize)]
struct Findings {
    release: u64,
    files: u64,
    bytes: u64,
    is_quick: bool,
    problems: Vec<Damage>,
}

#[derive(Serialize)]
struct Damage {
    path: String,
    what: String,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{}: {}", problem.path, problem.what)?;
        }
        let looked = if self.is_quick { "sizes" } else { "checksums" };
        write!(
            f,
            "release {}: {} of {} in {} files, {} damaged",
            self.release,
            looked,
            sized(self.bytes),
            grouped(self.files),
            self.problems.len()
        )
    }
}
