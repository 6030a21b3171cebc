//! The nearest known name to a mistyped one.

/// The known name closest to `name`, if it is close enough to be a typing mistake: at most a third
/// of its characters differ (and always one may). Ties go to the earlier name.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    let distance =
        |candidate: &str| strsim::osa_distance(&name.to_lowercase(), &candidate.to_lowercase());
    let mut best = None;
    for candidate in known {
        let found = distance(candidate);
        if found <= allowed && best.is_none_or(|(least, _)| found < least) {
            best = Some((found, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_swapped_a_missing_and_a_differently_cased_letter() {
        let known = ["gender", "age", "city"];
        assert_eq!(nearest("gendr", known), Some("gender"));
        assert_eq!(nearest("gedner", known), Some("gender"));
        assert_eq!(nearest("AGE", known), Some("age"));
    }

    #[test]
    fn stays_silent_when_nothing_is_close() {
        assert_eq!(nearest("height", ["gender", "age"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
