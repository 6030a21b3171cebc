//! What an error of an object store means for the person or scheduler that sees it: fix something,
//! or try again later.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use tagmill_schemas::error::{Error, Reason};

/// Turns an error of an object store into ours.
///
/// Setup: no permission, read-only, an operation or option the store does not have, no credentials,
/// a name it can not hold. Retry: unreachable, timeouts, a full disk, 5xx, 429, and whatever is not
/// known to need a person.
pub fn explain(stage: &'static str, place: &str, what: &str, error: object_store::Error) -> Error {
    let found = cause_of(&error);
    let made = match found {
        Cause::Person(_) => Error::setup(stage, format!("{what}: {}", found.text())),
        Cause::Later(_) => Error::retry(stage, format!("{what}: {}", found.text())),
    };
    let made = made.at(place);
    let made = match found {
        Cause::Person(why) | Cause::Later(why) => why.fix.into_iter().fold(made, Error::fix),
    };
    made.because(Brief(error))
}

/// A published file that is not what its manifest says; `what` is the difference.
pub fn damaged(stage: &'static str, place: &str, what: String) -> Error {
    Error::refused(stage, format!("a published file is damaged: {what}"))
        .for_reason(Reason::Damaged)
        .at(place)
        .fix("restore the file from a copy")
}

/// An error of an object store whose message is cut before the response's body: pages of HTML and
/// XML help nobody.
#[derive(Debug)]
struct Brief(object_store::Error);

const BRIEF_CHARS: usize = 300;

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let brief: String = text
            .split(['<', '\n'])
            .next()
            .unwrap_or(&text)
            .chars()
            .take(BRIEF_CHARS)
            .collect();
        f.write_str(brief.trim_end_matches([' ', ':']))
    }
}

impl StdError for Brief {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// Who can do something about an error of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A person: rights, configuration.
    Person(Why),
    /// Time.
    Later(Why),
}

/// Why, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Why {
    text: &'static str,
    fix: Option<&'static str>,
}

impl Cause {
    /// The reason in a few words.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Person(why) | Self::Later(why) => why.text,
        }
    }
}

const fn person(text: &'static str, fix: &'static str) -> Cause {
    Cause::Person(Why {
        text,
        fix: Some(fix),
    })
}

const fn later(text: &'static str) -> Cause {
    Cause::Later(Why { text, fix: None })
}

const FULL: Cause = Cause::Later(Why {
    text: "no space left",
    fix: Some("make room there"),
});
const DENIED: Cause = person(
    "permission denied",
    "grant the permission, or choose another place",
);
const READ_ONLY: Cause = person("read-only", "choose a place that can be written");
const NO_CREDENTIALS: Cause = person(
    "no credentials",
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the store's own variables",
);
const MISSING: Cause = person("not found", "check the url");
const NOT_SUPPORTED: Cause = person("the store does not support this", "choose another store");
const BAD_NAME: Cause = person("the store can not hold this name", "shorten or change it");
const REFUSED: Cause = person(
    "the store refused the request",
    "check url, region and endpoint",
);

/// Who can do something about this error: by its kind, by an input/output error inside it, or by
/// the status of a response.
pub fn cause_of(error: &object_store::Error) -> Cause {
    use object_store::Error as E;
    match error {
        E::NotFound { .. } => MISSING,
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => DENIED,
        E::NotSupported { .. } | E::NotImplemented { .. } => NOT_SUPPORTED,
        E::InvalidPath { .. } => BAD_NAME,
        E::UnknownConfigurationKey { .. } => REFUSED,
        E::AlreadyExists { .. } | E::Precondition { .. } | E::NotModified { .. } => {
            later("changed meanwhile")
        }
        E::JoinError { .. } => later("the task was stopped"),
        other => io_kind(other)
            .and_then(cause_of_io)
            .unwrap_or_else(|| cause_of_text(&chain_text(other))),
    }
}

/// The kind of the innermost input/output error, if there is one.
pub(super) fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    chain(error)
        .filter_map(|e| e.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .last()
}

fn cause_of_io(kind: io::ErrorKind) -> Option<Cause> {
    use io::ErrorKind as K;
    Some(match kind {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => FULL,
        K::PermissionDenied => DENIED,
        K::NotFound => MISSING,
        K::ReadOnlyFilesystem => READ_ONLY,
        K::NotADirectory | K::IsADirectory | K::InvalidFilename => BAD_NAME,
        K::Unsupported | K::CrossesDevices => NOT_SUPPORTED,
        K::TimedOut
        | K::ConnectionRefused
        | K::ConnectionReset
        | K::NotConnected
        | K::HostUnreachable
        | K::NetworkUnreachable => later("unreachable"),
        _ => return None,
    })
}

/// Responses have no public type in `object_store` 0.13: their status stands in the text.
fn cause_of_text(text: &str) -> Cause {
    let status = ["status code: ", "status: "]
        .iter()
        .find_map(|mark| text.split_once(mark))
        .and_then(|(_, rest)| rest.get(..3)?.parse::<u16>().ok());
    // Without credentials in the environment the vendors' metadata services are asked, whatever
    // they answer.
    if text.contains("169.254.") || text.contains("metadata.google.internal") {
        return NO_CREDENTIALS;
    }
    match status {
        Some(404) => MISSING,
        Some(401 | 403) => DENIED,
        Some(405 | 501) => NOT_SUPPORTED,
        Some(408 | 429 | 500..) => later("the store is overloaded or failing"),
        Some(400..) => REFUSED,
        _ if text.contains("redirect without LOCATION") => REFUSED,
        _ if text.contains("Error performing") => later("unreachable"),
        _ => later("the store failed"),
    }
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&e| e.source())
}

fn chain_text(error: &(dyn StdError + 'static)) -> String {
    chain(error)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(source: impl Into<Box<dyn StdError + Send + Sync>>) -> object_store::Error {
        object_store::Error::Generic {
            store: "test",
            source: source.into(),
        }
    }

    #[test]
    fn a_full_disk_is_for_later_and_a_read_only_one_for_a_person() {
        assert_eq!(
            cause_of(&generic(io::Error::from(io::ErrorKind::StorageFull))),
            FULL
        );
        assert_eq!(
            cause_of(&generic(io::Error::from(io::ErrorKind::ReadOnlyFilesystem))),
            READ_ONLY
        );
        assert_eq!(
            cause_of(&generic(io::Error::from(io::ErrorKind::PermissionDenied))),
            DENIED
        );
    }

    #[test]
    fn a_response_is_judged_by_its_status() {
        let told = |status: &str| {
            cause_of(&generic(format!(
                "Error performing PUT http://x in 1ms - Server returned non-2xx status code: \
                 {status}: "
            )))
        };
        assert!(matches!(told("503 Service Unavailable"), Cause::Later(_)));
        assert!(matches!(told("429 Too Many Requests"), Cause::Later(_)));
        assert_eq!(told("400 Bad Request"), REFUSED);
        assert_eq!(told("501 Not Implemented"), NOT_SUPPORTED);
    }

    #[test]
    fn says_stage_place_and_what_to_do() {
        let error = explain(
            "publish",
            "/data/x",
            "can not write",
            generic(io::Error::from(io::ErrorKind::StorageFull)),
        );
        assert_eq!(
            (error.exit_code(), error.stage(), error.place()),
            (3, "publish", Some("/data/x"))
        );
        assert!(
            error
                .to_string()
                .contains("can not write: no space left, at /data/x"),
            "{error}"
        );
    }

    #[test]
    fn missing_instance_credentials_need_a_person() {
        for answer in [
            "HTTP error: error sending request",
            "Server returned non-2xx status code: 403 Forbidden: ",
        ] {
            let text = format!(
                "Error performing PUT http://169.254.169.254/latest/api/token in 1s - {answer}"
            );
            assert_eq!(cause_of(&generic(text)), NO_CREDENTIALS);
        }
    }
}
