//! Paths with placeholders: `s3://raw/dt={date}/*.parquet`, `raw/{date:%Y}/{date:%m}/{date:%d}/*`.
//!
//! ```text
//! {date}            2026-11-19
//! {date-1}          the day before; {date+1} the day after, up to 31 days
//! {date:%Y%m%d}     20261119, of %Y %y %m %d %j and text; {date-1:%Y%m%d} of the day before
//! ```

use chrono::{Days, NaiveDate};

use super::entry::Entry;
use crate::error::Result;
use crate::nearest::nearest;
use crate::outside::secret_in;

/// The name of the placeholder of dates.
pub(super) const DATE: &str = "date";
/// As many days before or after the date can be named.
const MOST_DAYS: u32 = 31;
/// What may follow `%`.
const FIELDS: [char; 6] = ['Y', 'y', 'm', 'd', 'j', '%'];

/// A placeholder of a date: so many days from it, in a form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DatePlaceholder<'p> {
    /// Days from the date; negative: before it.
    pub days: i32,
    /// As chrono writes it; `None`: 2026-11-19.
    form: Option<&'p str>,
}

impl<'p> DatePlaceholder<'p> {
    /// Reads what stands in the braces; `None`: it is no date's, or not as it should be.
    pub fn parse(name: &'p str) -> Option<Self> {
        let rest = name.strip_prefix(DATE)?;
        let (days, form) = match rest.split_once(':') {
            Some((days, form)) => (days, Some(form)),
            None => (rest, None),
        };
        let is_form = |form: &str| form.contains('%') && fields(form).is_some();
        if form.is_some_and(|form| !is_form(form)) {
            return None;
        }
        let digits = days.strip_prefix(['+', '-']);
        let days = match digits {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let count = digits.parse::<u32>().ok()?;
                let count = i32::try_from(count).ok().filter(|_| count <= MOST_DAYS)?;
                if days.starts_with('-') { -count } else { count }
            }
            None if days.is_empty() => 0,
            _ => return None,
        };
        Some(Self { days, form })
    }

    fn write(self, date: NaiveDate) -> String {
        let date = shifted(date, self.days);
        match self.form {
            Some(form) => date.format(form).to_string(),
            None => date.to_string(),
        }
    }
}

/// The letters behind `%`; `None` for another letter than those of [`FIELDS`].
fn fields(form: &str) -> Option<Vec<char>> {
    let mut letters = form.chars();
    let mut found = Vec::new();
    while let Some(letter) = letters.next() {
        if letter == '%' {
            found.push(letters.next().filter(|field| FIELDS.contains(field))?);
        }
    }
    Some(found)
}

/// A date so many days later; the first or last that there is, beyond the calendar.
pub fn shifted(date: NaiveDate, days: i32) -> NaiveDate {
    let by = Days::new(u64::from(days.unsigned_abs()));
    let shifted = match days < 0 {
        true => date.checked_sub_days(by),
        false => date.checked_add_days(by),
    };
    shifted.unwrap_or(date)
}

/// The pattern with a date in place of the placeholders of dates; others stay.
pub fn for_date(pattern: &str, date: NaiveDate) -> String {
    let mut parts = pattern.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let placeholder = part
            .split_once('}')
            .and_then(|(name, rest)| Some((DatePlaceholder::parse(name)?, rest)));
        match placeholder {
            Some((placeholder, rest)) => {
                out += &placeholder.write(date);
                out += rest;
            }
            None => {
                out.push('{');
                out += part;
            }
        }
    }
    out
}

/// Reads a path whose placeholders are all known.
///
/// # Errors
/// A url with credentials, a brace without its partner, or a placeholder that is not known here.
pub(super) fn path(entry: &Entry<'_>, known: &[&str]) -> Result<String> {
    let path = entry.text()?;
    check_url(entry, &path)?;
    for name in placeholders(&path).ok_or_else(|| entry.expected("every { closed by a }"))? {
        let is_date = known.contains(&DATE) && DatePlaceholder::parse(name).is_some();
        if !is_date && !known.contains(&name) {
            let error = entry.refuse(format!("unknown placeholder {{{name}}} in {}", entry.key));
            if known.contains(&DATE) && name.starts_with(DATE) {
                return Err(error.fix(
                    "write {date}, {date-1} for the day before, or {date:%Y%m%d} with %Y %y %m %d \
                     %j",
                ));
            }
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

/// Whether a path that was read is another one for every day.
pub(super) fn names_a_day(path: &str) -> bool {
    let mut letters = Vec::new();
    for name in placeholders(path).unwrap_or_default() {
        match DatePlaceholder::parse(name) {
            Some(DatePlaceholder { form: None, .. }) => return true,
            Some(DatePlaceholder {
                form: Some(form), ..
            }) => letters.extend(fields(form).unwrap_or_default()),
            None => {}
        }
    }
    let has = |field: char| letters.contains(&field);
    (has('Y') || has('y')) && (has('j') || (has('m') && has('d')))
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
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
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

    #[test]
    fn a_date_is_written_in_every_form() {
        let on = |pattern: &str| for_date(pattern, "2026-03-01".parse().unwrap());
        for (pattern, expected) in [
            ("a/dt={date}/*.parquet", "a/dt=2026-03-01/*.parquet"),
            ("{date:%Y}/{date:%m}/{date:%d}/x", "2026/03/01/x"),
            ("dt={date:%Y%m%d}", "dt=20260301"),
            ("{date-1:%y.%j}/{date+31}", "26.059/2026-04-01"),
            ("{app}/{date}/{list}.csv", "{app}/2026-03-01/{list}.csv"),
            ("no/date/%Y", "no/date/%Y"),
        ] {
            assert_eq!(on(pattern), expected);
        }
    }

    #[test]
    fn a_placeholder_that_is_no_date_is_none() {
        for wrong in [
            "dates", "date+", "date-x", "date+32", "date:", "date:dd", "date:%H", "date:%",
            "date 1", "date+-1", "date--1",
        ] {
            assert_eq!(DatePlaceholder::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_path_names_a_day_when_all_of_it_is_there() {
        for path in [
            "{date}",
            "{date-1}/x",
            "{date:%Y%m%d}",
            "{date:%Y}/{date:%m}/{date:%d}",
            "{date:%y-%j}",
        ] {
            assert!(names_a_day(path), "{path}");
        }
        for path in ["x/*.parquet", "{date:%Y-%m}/*", "{app}", "{date:%m%d}"] {
            assert!(!names_a_day(path), "{path}");
        }
    }
}
