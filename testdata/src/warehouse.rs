//! The configuration that fits the generated data. Reads a template, writes `warehouse.toml` with
//! the folder's own path in it.

use std::fs;
use std::path::Path;

use crate::Error;
use crate::spec::{Preset, Spec};

const BENCH: &str = include_str!("../templates/bench.toml");
const DEMO: &str = include_str!("../templates/demo.toml");

/// Writes `warehouse.toml` into `out`.
///
/// # Errors
/// When `out` can not be resolved or written.
pub fn write(spec: &Spec, out: &Path) -> Result<(), Error> {
    let folder = fs::canonicalize(out).map_err(|e| Error::io(out, e))?;
    let path = out.join("warehouse.toml");
    fs::write(&path, text(spec, &toml_text(&folder.to_string_lossy())))
        .map_err(|e| Error::io(&path, e))
}

/// The configuration of `spec` for data under `folder`, which is already escaped for TOML.
pub fn text(spec: &Spec, folder: &str) -> String {
    if !spec.is_rich() {
        return BENCH.replace("@OUT@", folder);
    }
    let (scope, max_invalid) = if spec.preset == Preset::Dirty {
        ("app", "20%")
    } else {
        ("global", "2%")
    };
    DEMO.replace("@SCOPE@", scope)
        .replace("@MAX_INVALID@", max_invalid)
        .replace("@OUT@", folder)
}

fn toml_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_a_configuration_that_parses() {
        for preset in [
            Preset::Demo,
            Preset::Bench,
            Preset::BenchRandom,
            Preset::Apps,
            Preset::Dirty,
        ] {
            let text = text(&Spec::preset(preset), "/data");
            assert!(!text.contains('@'), "{text}");
            let table: toml::Table = text.parse().unwrap();
            assert_eq!(table["version"].as_integer(), Some(1));
        }
    }
}
