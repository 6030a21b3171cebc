//! Runs the fenced blocks of a page in order.
//!
//! ```text
//! sh                  run by the shell; has to end well
//! sql                 run by tagmill sql
//! sql ENGINE, python  statements for other engines: not run here
//! toml FILE           a whole configuration, written to FILE and validated by being parsed
//! json FILE           written to FILE
//! crontab             its command is run from another folder
//! text                right behind sh or sql: what was printed; else a drawing
//! ```

use std::fs;
use std::path::Path;
use std::process::Output;

use tagmill_schemas::Config;

use crate::compare::is_as_said;
use crate::lab::Lab;
use crate::markdown::{Block, Page, guides, root};

/// What stands for the folder of the configuration in a line for cron.
const CRON_FOLDER: &str = "/srv/audience";

/// README.md is first: its commands make the warehouse that the other pages ask.
#[test]
fn every_example_does_what_its_page_says() {
    let lab = Lab::new();
    let wrong: Vec<String> = guides()
        .iter()
        .flat_map(|page| wrong_examples(&lab, page))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as said; with `UPDATE_DOCS` the page says it afterwards.
fn wrong_examples(lab: &Lab, page: &Page) -> Vec<String> {
    let folder = lab.page(&page.name);
    let mut printed: Option<String> = None;
    let (mut wrong, mut corrections) = (Vec::new(), Vec::new());
    for block in page.blocks() {
        if block.language == "text" {
            let expected = printed.take().filter(|_| block.is_next);
            if let Some(found) = expected.filter(|found| !is_as_said(&block.text, found)) {
                wrong.push(format!(
                    "{}: said\n{}found\n{found}",
                    block.place(page),
                    block.text
                ));
                corrections.push((block, found));
            }
            continue;
        }
        printed = run(lab, &folder, page, &block);
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        correct(page, &corrections);
        wrong.clear();
    }
    wrong
}

/// Runs a block and gives what it printed.
fn run(lab: &Lab, folder: &Path, page: &Page, block: &Block) -> Option<String> {
    let place = block.place(page);
    match (block.language.as_str(), block.subject.as_deref()) {
        ("sh", None) => Some(success(lab, &place, &lab.shell(folder, &block.text))),
        ("sql", None) => Some(success(lab, &place, &lab.sql(folder, &block.text))),
        ("sql", Some("clickhouse" | "duckdb")) | ("python", None) => None,
        ("toml", Some(file)) => {
            Config::parse(&block.text, file).unwrap_or_else(|e| panic!("{place}: {e}"));
            write(folder, file, &block.text)
        }
        ("json", Some(file)) => write(folder, file, &block.text),
        ("crontab", None) => {
            run_from_cron(lab, folder, &place, &block.text);
            None
        }
        other => panic!("{place}: {other:?} is no kind of example, see {}", file!()),
    }
}

fn write(folder: &Path, file: &str, text: &str) -> Option<String> {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    None
}

fn success(lab: &Lab, place: &str, output: &Output) -> String {
    let (out, err) = (lab.shown(&output.stdout), lab.shown(&output.stderr));
    assert!(
        output.status.success(),
        "{place}: {}\n{out}{err}",
        output.status
    );
    out
}

/// cron starts a command elsewhere and gives `%` a meaning of its own. The line runs with the
/// configuration of the demonstration for a day that has no data, so that it has to end with 3: the
/// configuration was found.
fn run_from_cron(lab: &Lab, folder: &Path, place: &str, text: &str) {
    fs::copy(
        folder.join("demo/warehouse.toml"),
        folder.join("warehouse.toml"),
    )
    .unwrap();
    let here = folder.to_str().unwrap();
    for line in text.lines() {
        let command = line
            .splitn(6, ' ')
            .nth(5)
            .expect("five fields and a command");
        let command = command.replace("\\%", "%").replace(CRON_FOLDER, here);
        let command = command.replace("-d yesterday", "-d 2020-01-01");
        let output = lab.shell(Path::new("/"), &command.replace("--wait 90m", "--wait 1s"));
        let err = lab.shown(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{place}: {command}\n{err}");
    }
}

/// Writes what was printed into the page.
fn correct(page: &Page, corrections: &[(Block, String)]) {
    let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
    for (block, found) in corrections.iter().rev() {
        let inside = block.line + 1..block.line + 1 + block.text.lines().count();
        lines.splice(inside, found.trim_end().lines().map(str::to_owned));
    }
    fs::write(root().join(&page.name), lines.join("\n") + "\n").unwrap();
}
