//! Paths with placeholders: `s3://raw/dt={date}/*.parquet`.

use super::entry::Entry;
use crate::error::Result;
use crate::nearest::nearest;
use crate::outside::secret_in;

/// Reads a path whose placeholders are all known.
///
/// # Errors
/// A url with credentials, a brace without its partner, or a placeholder that is not known here.
pub(super) fn path(entry: &Entry<'_>, known: &[&str]) -> Result<String> {
    let path = entry.text()?;
    check_url(entry, &path)?;
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

/// A manifest lists the inputs that were read, and errors name them: no secret may be part of one.
fn check_url(entry: &Entry<'_>, path: &str) -> Result<()> {
    match secret_in(path) {
        None => Ok(()),
        Some(secret) => Err(entry
            .refuse(format!(
                "found {secret} in {}, expected a url without credentials",
                entry.key
            ))
            .fix(
                "give them by environment variables (AWS_ACCESS_KEY_ID, \
                 AWS_SECRET_ACCESS_KEY, GOOGLE_SERVICE_ACCOUNT), and change those that were in the \
                 file",
            )),
    }
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
