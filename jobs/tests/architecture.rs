//! What ARCHITECTURE.md says about structure, and the Makefile's and CI's promises, against the
//! tree itself.
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
const TEXT: [&str; 8] = ["rs", "toml", "md", "py", "sh", "sql", "slt", "txt"];
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
fn the_page_has_at_most_150_lines() {
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines <= 150, "ARCHITECTURE.md has {lines} lines");
}

#[test]
fn crates_are_the_members_of_the_workspace() {
    let members = manifest("", "workspace")
        .into_iter()
        .find(|line| line.starts_with("members"))
        .unwrap();
    let members: BTreeSet<_> = members
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
            for_tests.iter().all(|used| used == "tagmill-testdata"),
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
fn nouns_know_no_engine_and_no_store() {
    let used = dependencies("schemas", "dependencies");
    for absent in ["datafusion", "object_store", "parquet", "tokio", "futures"] {
        assert!(!used.contains(absent), "tagmill-schemas uses {absent}");
    }
}

#[test]
fn folders_exist_and_are_all_named() {
    let named: BTreeSet<String> = section("Folders")
        .iter()
        .filter_map(|line| line.split_once("/  "))
        .map(|(path, _)| format!("{path}/"))
        .collect();
    let top = names(&root())
        .into_iter()
        .filter(|name| name.ends_with('/') && !MADE.contains(&name.trim_end_matches('/')));
    let mut found: BTreeSet<String> = top.collect();
    for Crate { folder, .. } in crates() {
        let inner = names(&root().join(&folder).join("src"))
            .into_iter()
            .filter(|name| name.ends_with('/'));
        found.extend(inner.map(|name| format!("{folder}/src/{name}")));
    }
    assert_eq!(named, found, "left: ARCHITECTURE.md, right: the tree");
}

#[test]
fn modules_of_the_pipeline_use_only_modules_before_them() {
    let lines = section("Crates");
    let order = lines
        .iter()
        .skip_while(|line| !line.contains("uses only modules before it"))
        .nth(1)
        .unwrap();
    let order: Vec<&str> = order.trim_end_matches('.').split(", ").collect();
    let source = root().join("pipeline/src");
    let declared = read("pipeline/src/lib.rs");
    let declared: BTreeSet<_> = declared
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(
        order.iter().copied().collect::<BTreeSet<_>>(),
        declared,
        "left: ARCHITECTURE.md, right: pipeline/src/lib.rs"
    );
    let place: BTreeMap<_, _> = order
        .iter()
        .enumerate()
        .map(|(place, module)| (*module, place))
        .collect();
    for path in sources("rs")
        .iter()
        .filter_map(|path| path.strip_prefix("pipeline/src").ok())
    {
        let module = path
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        let Some(own) = place.get(module.as_str()) else {
            continue;
        };
        let text = fs::read_to_string(source.join(path)).unwrap();
        for used in text.split("crate::").skip(1).filter_map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        }) {
            assert!(
                place.get(used).is_none_or(|used| used <= own),
                "pipeline/src/{}: {module} uses {used}",
                path.display()
            );
        }
    }
}

#[test]
fn kernels_know_nothing_of_sql_or_arrow() {
    for path in sources("rs")
        .iter()
        .filter(|path| path.starts_with("udfs/src/bitmap"))
    {
        let text = read(path);
        assert!(
            !text.contains("use arrow") && !text.contains("datafusion::"),
            "{}",
            path.display()
        );
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
        .filter(|path| !path.starts_with("jobs/src") && !path.ends_with("publish/probe.rs"))
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
            .filter(|name| name != "mod" && name != "columns")
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

#[test]
fn nothing_names_a_machine_or_a_registry_host() {
    let paths = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["index", "-url"],
        ["replace", "-with"],
        ["arti", "factory"],
    ]
    .map(|parts| parts.concat());
    let is_text = |path: &&PathBuf| {
        path.extension()
            .is_none_or(|e| TEXT.iter().any(|text| e == *text))
    };
    for path in files().iter().filter(is_text) {
        let text = read(path);
        let found: Vec<_> = paths.iter().filter(|word| text.contains(*word)).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
    let lock = read("Cargo.lock");
    let mut elsewhere = lock.lines().filter(|line| {
        line.starts_with("source = ")
            && *line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
    });
    assert_eq!(elsewhere.next(), None);
}

#[test]
fn ci_runs_make_targets_of_one_to_three_lines() {
    let makefile = read("Makefile");
    let blocks = makefile
        .split("\n\n")
        .filter_map(|block| Some((block.split_once(": ")?.0, block)))
        .filter(|(name, _)| !name.contains(' '));
    let targets: BTreeMap<&str, usize> = blocks
        .map(|(name, block)| {
            (
                name,
                block.lines().filter(|line| line.starts_with('\t')).count(),
            )
        })
        .collect();
    for wanted in [
        "help",
        "run",
        "test",
        "check",
        "bench",
        "fixtures",
        "test-interop",
    ] {
        assert!(
            targets
                .get(wanted)
                .is_some_and(|lines| (1..=3).contains(lines)),
            "{wanted}: {targets:?}"
        );
    }
    let ci = read(".ci/run");
    let run = ci
        .lines()
        .find_map(|line| line.strip_prefix("for target in ")?.strip_suffix("; do"))
        .unwrap();
    assert!(
        run.split(' ').all(|target| targets.contains_key(target)),
        "{run}"
    );
    assert!(!ci.contains("cargo"), "{ci}");
}
