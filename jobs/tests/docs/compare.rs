//! Whether a program printed what a page says.
//!
//! `…` in a line stands for any text, a line of `…` for any lines. Times (`1.4 s`) are not compared.

/// Whether the output is as the page says.
pub fn is_as_said(said: &str, found: &str) -> bool {
    let said: Vec<String> = said.trim_end().lines().map(timeless).collect();
    let found: Vec<String> = found.trim_end().lines().map(timeless).collect();
    lines_match(&said, &found)
}

fn lines_match(said: &[String], found: &[String]) -> bool {
    match said.split_first() {
        None => found.is_empty(),
        Some((line, rest)) if line.trim() == "…" => {
            (0..=found.len()).any(|skipped| lines_match(rest, &found[skipped..]))
        }
        Some((line, rest)) => found
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && lines_match(rest, others)),
    }
}

fn line_matches(said: &str, found: &str) -> bool {
    let Some((start, rest)) = said.split_once('…') else {
        return said == found;
    };
    let tail = found.strip_prefix(start);
    tail.is_some_and(|tail| {
        let ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
        ends.into_iter().any(|at| line_matches(rest, &tail[at..]))
    })
}

/// The line without white space at its end and without figures before a unit of seconds.
fn timeless(line: &str) -> String {
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let unit = |word: &&str| word.trim_matches(|c: char| !c.is_alphanumeric()) == "s";
    let is_time = |at: usize| {
        let number = words[at].trim_start_matches('(');
        number.parse::<f64>().is_ok() && words.get(at + 1).is_some_and(unit)
    };
    let shown = (0..words.len()).map(|at| if is_time(at) { "_" } else { words[at] });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn wildcards_and_times_match_what_differs_from_run_to_run() {
    for (said, found) in [
        ("a\nb", "a \nb\n"),
        ("warehouse …/demo", "warehouse /x/demo"),
        ("release 1 (1.5 s)", "release 1 (12.25 s)"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a\n…", "a"),
    ] {
        assert!(is_as_said(said, found), "{said:?}, {found:?}");
    }
    for (said, found) in [
        ("a", "b"),
        ("a", "a\nb"),
        ("a …", "b c"),
        ("1 a", "2 a"),
        ("a\n…\nd", "a"),
    ] {
        assert!(!is_as_said(said, found), "{said:?}, {found:?}");
    }
}
