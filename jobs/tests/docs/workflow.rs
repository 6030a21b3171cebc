//! Continuous integration runs make targets, the same everywhere, and nothing else.

use crate::markdown::read;

/// The targets of `.ci/run`.
fn targets() -> Vec<String> {
    let script = read(".ci/run");
    let line = script
        .lines()
        .find_map(|line| line.strip_prefix("for target in "));
    let names = line
        .and_then(|line| line.strip_suffix("; do"))
        .expect("a loop over targets");
    names.split(' ').map(str::to_owned).collect()
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
