//! What pages refer to exists: files, headings, make targets, paths in the tree.

use std::collections::BTreeSet;
use std::path::Path;

use crate::markdown::{Page, every_page, read, root};

/// A link's target, as written.
fn links(page: &Page) -> Vec<&str> {
    let lines = page.prose().into_iter();
    lines
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://"))
        .collect()
}

/// A heading's anchor, as the usual renderers make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches(['#', ' ']).chars();
    kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| {
            if c == ' ' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    for page in every_page() {
        let folder = Path::new(&page.name).parent().unwrap();
        for link in links(&page) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.name.clone().into(),
                file => folder.join(file),
            };
            assert!(root().join(&target).exists(), "{}: {link}", page.name);
            if !heading.is_empty() {
                let text = read(target.to_str().unwrap());
                let mut anchors = text.lines().filter(|l| l.starts_with('#')).map(anchor);
                assert!(anchors.any(|a| a == heading), "{}: {link}", page.name);
            }
        }
    }
}

#[test]
fn make_targets_that_pages_name_exist() {
    let makefile = read("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|l| l.split_once(":"))
        .map(|l| l.0)
        .collect();
    for page in every_page() {
        for line in page.prose() {
            let spans = line.split('`').skip(1).step_by(2);
            let spans = spans.chain(line.strip_prefix("    "));
            for command in spans.filter_map(|span| span.strip_prefix("make ")) {
                let target = command.split_whitespace().next().unwrap_or_default();
                assert!(targets.contains(target), "{}: make {target}", page.name);
            }
        }
    }
}

/// Paths in code spans of the pages for contributors; `<name>` stands for a choice.
#[test]
fn paths_that_contributors_are_sent_to_exist() {
    for page in every_page()
        .iter()
        .filter(|page| page.name == "CONTRIBUTING.md")
    {
        for line in page.prose() {
            let spans = line.split('`').skip(1).step_by(2);
            let is_path = |span: &&str| span.contains('/') && !span.contains(['<', ' ', '*', '{']);
            for span in spans.filter(is_path) {
                assert!(root().join(span).exists(), "{}: {span}", page.name);
            }
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
}
