//! The crate from outside: promises pinned by fixtures of `testdata/`, and laws.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where its premise does not hold"
)]

mod artifacts;
mod configuration;
mod configuration_errors;
mod configuration_mistakes;
mod manifests;
mod older_manifests;
mod pages;
mod registries;
mod shards;
mod values;

/// A fixture's text.
fn fixture(name: &str) -> String {
    let path = format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of a table fixture, cut at tabs; comments left out.
fn table(name: &str) -> Vec<Vec<String>> {
    let text = fixture(name);
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}
