//! The one error of schemas, pipeline and the binary: what went wrong, where, what to do, and
//! whether a retry can help.

use std::fmt;
use std::sync::Arc;

use crate::outside::Shown;
use crate::problem::{Code, Position, Problem};

/// `Result` with tagmill's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Who has to act, and therefore the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The data was refused and nothing published: exit 1.
    Refused,
    /// Usage, configuration or rights: a person must fix it: exit 2.
    Setup,
    /// The same command may succeed later: exit 3.
    Retry,
    /// Stopped by a signal: exit 130.
    Interrupted,
}

/// Why, for a program to decide by; most errors have none, as only a person can act on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The memory pool has no more to give: fewer shards at once may fit.
    OutOfMemory,
    /// The disk that takes what memory does not hold is full.
    SpillFull,
    /// Another run published first.
    Conflict,
    /// Bytes are not what their format says, or a file that was published is gone.
    Damaged,
    /// Code stopped where none may: ours, or a library's that met bytes it can not stand.
    Defect,
    /// The data of the date is not there yet.
    NotReady,
    /// An expression of a person fails on a row.
    Expression,
}

/// An error with its stage, place and remedy; `Display` is one sentence:
/// `stage: what, at place: cause; fix; a retry can (not) help`.
///
/// A clone shares the cause: what several partitions report is one error.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    reason: Option<Reason>,
    stage: &'static str,
    what: String,
    place: Option<String>,
    fix: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    details: Option<Box<Details>>,
}

/// What few errors have.
#[derive(Debug, Clone, Default)]
struct Details {
    code: Option<Code>,
    position: Option<Position>,
    /// What stands at the position, where the place alone does not say it.
    subject: Option<String>,
    /// Of an error that stands for several.
    problems: Vec<Problem>,
}

impl Error {
    /// Data that can not be published as it is.
    pub fn refused(stage: &'static str, what: impl Into<String>) -> Self {
        Self::new(Kind::Refused, stage, what)
    }

    /// Something a person has to change before another try.
    pub fn setup(stage: &'static str, what: impl Into<String>) -> Self {
        Self::new(Kind::Setup, stage, what)
    }

    /// Something that may be over by itself: a source not ready, a conflict, a store, memory, disk.
    pub fn retry(stage: &'static str, what: impl Into<String>) -> Self {
        Self::new(Kind::Retry, stage, what)
    }

    /// The run was asked to stop.
    pub fn interrupted(stage: &'static str) -> Self {
        Self::new(Kind::Interrupted, stage, "interrupted")
    }

    /// An error of a kind that is chosen elsewhere.
    pub fn new(kind: Kind, stage: &'static str, what: impl Into<String>) -> Self {
        Self {
            kind,
            reason: None,
            stage,
            what: what.into(),
            place: None,
            fix: None,
            source: None,
            details: None,
        }
    }

    /// One error for all that was found: the only one itself, or one that counts them and has each
    /// of them as a problem. `None` for none.
    pub fn of_all(errors: Vec<Self>) -> Option<Self> {
        let mut problems: Vec<Problem> = Vec::new();
        for problem in errors.iter().flat_map(Self::problems) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        let first = errors.into_iter().next()?;
        if problems.len() < 2 {
            return Some(first);
        }
        let what = format!("{} mistakes are found", problems.len());
        let mut all = Self::new(first.kind, first.stage, what).fix("correct each of them");
        all.place = problems.iter().find_map(|problem| problem.file.clone());
        all.details_mut().problems = problems;
        Some(all)
    }

    /// Adds where: `file:line`, a path, an app and group.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds a place in a text file.
    pub fn at_position(mut self, position: Position) -> Self {
        self.place = Some(position.to_string());
        self.details_mut().position = Some(position);
        self
    }

    /// Says where in a text file the place that it has so far is.
    pub fn found_at(mut self, position: Position) -> Self {
        let subject = self.place.take();
        let shown = subject.as_ref().map(|subject| format!(", {subject}"));
        self.place = Some(format!("{position}{}", shown.unwrap_or_default()));
        let details = self.details_mut();
        (details.position, details.subject) = (Some(position), subject);
        self
    }

    /// Adds what kind of mistake it is.
    pub fn with_code(mut self, code: Code) -> Self {
        self.details_mut().code = Some(code);
        self
    }

    fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }

    /// Adds why, for programs.
    pub fn for_reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Adds what to do about it.
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }

    /// Adds the underlying error.
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.source = Some(Arc::from(cause.into()));
        self
    }

    /// Who has to act.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Why, if a program can decide by it.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The process's exit status: 1, 2, 3 or 130.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Refused => 1,
            Kind::Setup => 2,
            Kind::Retry => 3,
            Kind::Interrupted => 130,
        }
    }

    /// The stage that failed.
    pub fn stage(&self) -> &'static str {
        self.stage
    }

    /// What went wrong, without stage and place.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Where, when known.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// The place in a text file, when it is one.
    pub fn position(&self) -> Option<&Position> {
        self.details.as_ref()?.position.as_ref()
    }

    /// What is wrong as objects: one, unless the error stands for several.
    pub fn problems(&self) -> Vec<Problem> {
        let details = self.details.as_deref();
        if let Some(all) = details.filter(|details| !details.problems.is_empty()) {
            return all.problems.clone();
        }
        let position = self.position();
        let cause = self.source.as_ref();
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        let code = details.and_then(|details| details.code);
        let subject = details.and_then(|details| details.subject.as_ref());
        let subject = subject.map_or_else(String::new, |subject| format!("{subject}: "));
        let words = self
            .place
            .as_ref()
            .filter(|place| is_words(place) && position.is_none());
        let words = words.map_or_else(String::new, |words| format!(", at {words}"));
        vec![Problem {
            code: code.map_or(self.stage, Code::name),
            file: match position {
                Some(position) => Some(position.file.clone()),
                None => self.place.clone().filter(|place| !is_words(place)),
            },
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            message: format!("{subject}{}{cause}{words}", self.what),
            fix: self.fix.clone(),
        }]
    }

    /// How many mistakes it stands for.
    pub fn count(&self) -> usize {
        let details = self.details.as_ref();
        details.map_or(1, |details| details.problems.len().max(1))
    }

    /// Whether the same command may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Retry | Kind::Interrupted)
    }
}

/// Whether a place is what a configuration has, in words, and no file.
fn is_words(place: &str) -> bool {
    let kinds = ["source ", "tag ", "group ", "groups ", "warehouse "];
    kinds.iter().any(|kind| place.starts_with(kind))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage, Shown(&self.what))?;
        if let Some(place) = &self.place {
            write!(f, ", at {}", Shown(place))?;
        }
        if let Some(cause) = &self.source {
            write!(f, ": {}", Shown(&cause.to_string()))?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "; {}", Shown(fix))?;
        }
        f.write_str(if self.is_retryable() {
            "; a retry can help"
        } else {
            "; a retry can not help"
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_one_sentence_with_place_cause_and_fix() {
        let cause = std::io::Error::other("permission\ndenied");
        let error = Error::setup("publish", "can not write")
            .at("out/a")
            .because(cause)
            .fix("allow it");
        assert_eq!(
            error.to_string(),
            "publish: can not write, at out/a: permission\\ndenied; allow it; a retry can not help"
        );
    }

    #[test]
    fn kinds_have_their_exit_status_and_say_whether_a_retry_helps() {
        let all = [
            Error::refused("s", ""),
            Error::setup("s", ""),
            Error::retry("s", ""),
            Error::interrupted("s"),
        ];
        assert_eq!(all.each_ref().map(Error::exit_code), [1, 2, 3, 130]);
        assert_eq!(
            all.each_ref().map(Error::is_retryable),
            [false, false, true, true]
        );
    }
}
