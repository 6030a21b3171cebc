//! Paths with placeholders: `s3://raw/dt={date}/*.parquet`.

use super::entry::Entry;
use crate::error::Result;
use crate::nearest::nearest;

/// Reads a path whose placeholders are all known.
///
/// # Errors
/// A brace without its partner, or a placeholder that is not known here.
pub(super) fn path(entry: &Entry<'_>, known: &[&str]) -> Result<String> {
    let path = entry.text()?;
    for name in placeholders(&path).ok_or_else(|| entry.expected("every { closed by a }"))? {
        if !known.contains(&name) {
            let error = entry.refuse(format!("unknown placeholder {{{name}}} in {}", entry.key));
            return Err(match nearest(name, known.iter().copied()) {
                Some(near) => error.fix(format!("did you mean {{{near}}}")),
                None if known.is_empty() => error.fix("expected a path without any"),
                None => error.fix(format!("expected {{{}}}", known.join("} or {"))),
            });
        }
    }
    Ok(path)
}

/// Whether a path that was read has this placeholder.
pub(super) fn has(path: &str, name: &str) -> bool {
    placeholders(path).is_some_and(|names| names.contains(&name))
}

fn placeholders(path: &str) -> Option<Vec<&str>> {
    let mut parts = path.split('{');
    let is_closed_before = parts.next().is_some_and(|first| !first.contains('}'));
    let names: Option<Vec<_>> = parts
        .map(|part| {
            part.split_once('}')
                .filter(|(_, rest)| !rest.contains('}'))
                .map(|(name, _)| name)
        })
        .collect();
    names.filter(|_| is_closed_before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_placeholders_and_unbalanced_braces() {
        assert_eq!(placeholders("a/{date}/b-{app}"), Some(vec!["date", "app"]));
        assert_eq!(placeholders("a/b"), Some(vec![]));
        for wrong in ["a{", "a}", "{a}}", "{a{b}}"] {
            assert_eq!(placeholders(wrong), None, "{wrong}");
        }
    }
}
