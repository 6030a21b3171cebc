//! What ARCHITECTURE.md says about structure, against the tree itself.
//!
//! Reads the repository as text, with the standard library alone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Made by building and running; never part of the repository.
const MADE: [&str; 2] = ["target", "demo"];
const LIMIT: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Names in a folder, those of folders with a slash behind them; nothing hidden but `.ci`.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let name = |entry: fs::DirEntry| {
        format!(
            "{}{}",
            entry.file_name().to_string_lossy(),
            if entry.path().is_dir() { "/" } else { "" }
        )
    };
    entries
        .map(name)
        .filter(|name| !name.starts_with('.') || name == ".ci/")
        .collect()
}

/// Every file of the repository, relative to its root.
fn files() -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for name in names(&root().join(&folder)) {
            match name.strip_suffix('/') {
                Some("__pycache__") => {}
                Some(name) if MADE.contains(&name) => {}
                Some(name) => folders.push(folder.join(name)),
                None => found.push(folder.join(name)),
            }
        }
    }
    found
}

fn sources(extension: &str) -> Vec<PathBuf> {
    files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect()
}

/// The lines under a heading of ARCHITECTURE.md, up to the next one.
fn section(heading: &str) -> Vec<String> {
    let page = read("ARCHITECTURE.md");
    let lines = page
        .lines()
        .skip_while(|line| *line != format!("## {heading}"))
        .skip(1);
    let lines: Vec<_> = lines
        .take_while(|line| !line.starts_with("## "))
        .map(str::to_owned)
        .collect();
    assert!(
        !lines.is_empty(),
        "ARCHITECTURE.md has no section {heading:?}"
    );
    lines
}

/// The cells of the rows of a section's first table.
fn table(heading: &str) -> Vec<Vec<String>> {
    let rows = section(heading)
        .into_iter()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let cells = |row: String| {
        row.replace("\\|", "or")
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.skip(2).map(cells).collect()
}

struct Crate {
    name: String,
    folder: String,
    uses: BTreeSet<String>,
}

fn crates() -> Vec<Crate> {
    let of = |row: Vec<String>| Crate {
        name: row[0].clone(),
        folder: row[1].trim_end_matches('/').to_owned(),
        uses: row[2]
            .split(", ")
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    table("Crates").into_iter().map(of).collect()
}

/// Lines of one section of a manifest, without comments.
fn manifest(folder: &str, name: &str) -> Vec<String> {
    let text = read(Path::new(folder).join("Cargo.toml"));
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let lines = lines
        .skip_while(|line| *line != format!("[{name}]"))
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn dependencies(folder: &str, kind: &str) -> BTreeSet<String> {
    manifest(folder, kind)
        .iter()
        .map(|line| {
            line.split(['.', ' ', '='])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

fn ours(dependencies: BTreeSet<String>) -> BTreeSet<String> {
    dependencies
        .into_iter()
        .filter(|name| name.starts_with("tagmill"))
        .collect()
}

#[test]
fn crates_are_the_members_of_the_workspace() {
    let members: BTreeSet<_> = manifest("", "workspace")
        .into_iter()
        .skip_while(|line| !line.starts_with("members"))
        .take_while(|line| !line.starts_with(']'))
        .collect::<String>()
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(
        crates()
            .into_iter()
            .map(|c| c.folder)
            .collect::<BTreeSet<_>>(),
        members
    );
    for Crate { name, folder, .. } in crates() {
        assert!(
            manifest(&folder, "package").contains(&format!("name = \"{name}\"")),
            "{folder} is not {name}"
        );
    }
}

#[test]
fn crates_use_only_crates_above_them() {
    let mut above = BTreeSet::new();
    for Crate { name, folder, uses } in crates() {
        assert!(
            uses.is_subset(&above),
            "{name} uses {uses:?}, above it stand {above:?}"
        );
        assert_eq!(
            ours(dependencies(&folder, "dependencies")),
            uses,
            "{folder}/Cargo.toml"
        );
        let for_tests: BTreeSet<_> = ours(dependencies(&folder, "dev-dependencies"));
        assert!(
            for_tests
                .iter()
                .all(|used| used == "tagmill-testdata" || above.contains(used)),
            "tests of {name} use {for_tests:?}"
        );
        above.insert(name);
    }
}

#[test]
fn versions_stand_in_the_root_only() {
    for Crate { folder, .. } in crates() {
        let lines = ["dependencies", "dev-dependencies", "build-dependencies"]
            .into_iter()
            .flat_map(|kind| manifest(&folder, kind));
        let own: Vec<_> = lines
            .filter(|line| !line.contains("workspace = true"))
            .collect();
        assert!(own.is_empty(), "{folder}/Cargo.toml: {own:?}");
    }
}

#[test]
fn folders_exist_and_are_all_named() {
    let named: BTreeSet<String> = section("Folders")
        .iter()
        .filter_map(|line| line.split_once("/  "))
        .map(|(path, _)| format!("{path}/"))
        .collect();
    // What a person keeps beside them is nobody's business.
    let top = names(&root());
    let top = top.into_iter().filter(|name| named.contains(name));
    let mut found: BTreeSet<String> = top.collect();
    for Crate { folder, .. } in crates() {
        // A folder without a file is what a branch of before has left.
        let source = root().join(&folder).join("src");
        let inner = names(&source)
            .into_iter()
            .filter(|name| name.ends_with('/') && !names(&source.join(name)).is_empty());
        found.extend(inner.map(|name| format!("{folder}/src/{name}")));
    }
    assert_eq!(named, found, "left: ARCHITECTURE.md, right: the tree");
}

/// The lines of a section's fenced block, as (first word, rest).
fn fenced(heading: &str) -> Vec<(String, String)> {
    let lines = section(heading);
    let lines = lines
        .iter()
        .skip_while(|line| !line.starts_with("```"))
        .skip(1);
    let lines = lines.take_while(|line| !line.starts_with("```"));
    let pair = |line: &String| {
        let (name, rest) = line.split_once(' ').unwrap();
        (name.to_owned(), rest.trim().to_owned())
    };
    lines.map(pair).collect()
}

/// The top-level modules that a file's `use` declarations and paths name, however they are written:
/// `crate::x`, `crate::{x, y::z}`, `super::super::x`. `depth` is how deep the file's module stands.
fn modules_used(text: &str, own: &str, depth: usize) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let heads = |rest: &str, used: &mut BTreeSet<String>| {
        let Some(list) = rest.strip_prefix('{') else {
            let name = rest
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next();
            used.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
            return;
        };
        let mut open = 1;
        let mut item = String::new();
        for c in list.chars() {
            open += i32::from(c == '{') - i32::from(c == '}');
            if open == 0 || (open == 1 && c == ',') {
                let name = item.trim().split("::").next().unwrap_or_default();
                used.extend(Some(name.to_owned()).filter(|name| !name.is_empty()));
                item.clear();
                if open == 0 {
                    return;
                }
            } else {
                item.push(c);
            }
        }
    };
    for rest in text.split("crate::").skip(1) {
        heads(rest, &mut used);
    }
    // One `super` leads out of the file; as many as it is deep lead to the root.
    for line in text.lines().filter(|line| line.starts_with("use super")) {
        let path = line.trim_start_matches("use ");
        let ups = path.matches("super::").count();
        if ups >= depth {
            heads(path.trim_start_matches("super::"), &mut used);
        } else {
            used.insert(own.to_owned());
        }
    }
    used
}

#[test]
fn modules_use_only_modules_before_them() {
    let folders: BTreeMap<_, _> = crates().into_iter().map(|c| (c.name, c.folder)).collect();
    for (name, order) in fenced("Modules") {
        let order: Vec<&str> = order.split(", ").collect();
        let place: BTreeMap<_, _> = order.iter().enumerate().map(|(at, m)| (*m, at)).collect();
        let source = format!("{}/src", folders[&name]);
        let declared = read(format!("{source}/lib.rs"));
        let declared: BTreeSet<_> = declared
            .lines()
            .filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'))
            .collect();
        assert_eq!(
            place.keys().copied().collect::<BTreeSet<_>>(),
            declared,
            "{name}"
        );
        for path in sources("rs") {
            let Ok(inner) = path.strip_prefix(&source) else {
                continue;
            };
            let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
            let module = parts[0].trim_end_matches(".rs").to_owned();
            let Some(own) = place.get(module.as_str()) else {
                continue;
            };
            let depth = parts.len() - usize::from(inner.ends_with("mod.rs"));
            for used in modules_used(&read(&path), &module, depth) {
                assert!(
                    place.get(used.as_str()).is_none_or(|used| used <= own),
                    "{}: {module} uses {used}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn every_form_of_use_is_read() {
    let text =
        "use crate::a;\nuse crate::{b::{c, d}, e};\nuse super::super::f::G;\nuse super::h;\n";
    let used: Vec<_> = modules_used(text, "own", 2).into_iter().collect();
    assert_eq!(used, ["a", "b", "e", "f", "own"]);
}

#[test]
fn walls_without_an_engine_have_none() {
    for (folder, absent) in [
        ("udfs/bitmap", &["arrow", "datafusion", "tokio"][..]),
        ("pipeline/warehouse", &["datafusion"]),
        ("pipeline/rules", &["datafusion", "tokio", "object_store"]),
        (
            "schemas",
            &["datafusion", "object_store", "parquet", "tokio", "futures"],
        ),
    ] {
        let used = dependencies(folder, "dependencies");
        for name in absent {
            assert!(!used.contains(*name), "{folder} uses {name}");
        }
    }
}

#[test]
fn only_the_binary_and_the_probe_read_the_wall_clock() {
    let clocks = ["SystemTime::now", "Utc::now", "Local::now"];
    let reads = |path: &&PathBuf| clocks.iter().any(|clock| read(path).contains(clock));
    let sources = sources("rs");
    let found = sources
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "src"))
        .filter(reads);
    let elsewhere: Vec<_> = found
        .filter(|path| !path.starts_with("jobs/src") && !path.ends_with("release/probe.rs"))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn artifacts_are_all_named() {
    let row = table("Promises on disk")
        .into_iter()
        .find(|row| row[0] == "artifacts")
        .unwrap();
    let named: BTreeSet<_> = row[1].split(' ').map(str::to_owned).collect();
    let found = names(&root().join("schemas/src/artifact"))
        .into_iter()
        .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()));
    assert_eq!(
        named,
        found
            .filter(|name| !matches!(name.as_str(), "mod" | "columns" | "place"))
            .collect()
    );
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for path in sources("rs").iter().chain(&sources("py")) {
        let (text, shown) = (read(path), path.display());
        let lines = text.lines().count();
        assert!(lines < LIMIT, "{shown} has {lines} lines");
        assert!(
            text.starts_with("//! ") || text.starts_with("\"\"\""),
            "{shown} does not begin with what it is"
        );
    }
}
