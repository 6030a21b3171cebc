//! Continuous integration runs make targets, the same everywhere, and nothing else.

use crate::markdown::read;

/// The targets of `.ci/run`, what stands behind a colon left out.
fn targets() -> Vec<String> {
    let script = read(".ci/run");
    let line = script
        .lines()
        .find(|line| line.starts_with("for "))
        .expect("a loop over targets");
    let names = line
        .split_once(" in ")
        .and_then(|(_, list)| list.strip_suffix("; do"));
    let names = names.expect("a list of targets").split(' ');
    names
        .map(|name| name.split(':').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_workflow_runs_the_targets_of_ci_run_and_nothing_else() {
    let workflow = read(".github/workflows/ci.yml");
    let steps = workflow.lines().filter_map(|line| line.split_once("run: "));
    let found: Vec<String> = steps.map(|(_, command)| command.to_owned()).collect();
    let expected: Vec<String> = targets()
        .iter()
        .map(|target| format!("make {target}"))
        .collect();
    assert_eq!(found, expected);
}
