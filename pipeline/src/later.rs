//! What a later version will do: an option is refused, a key of the configuration is told.

use tagmill_schemas::{Config, Error, Result};

use super::{Observer, Request};

/// Refuses options of a run that this version does not have.
///
/// # Errors
/// Setup, naming the option.
pub fn refuse_later(request: &Request) -> Result<()> {
    let later = [
        (request.stage_only, "--stage-only"),
        (request.force, "--force"),
    ];
    match later.iter().find(|(asked, _)| *asked) {
        Some((_, option)) => Err(Error::setup(
            "usage",
            format!("{option} is not in this version"),
        )),
        None => Ok(()),
    }
}

/// What the configuration asks for and this version does not do, without being wrong for it.
pub fn tell_later(config: &Config, observer: &dyn Observer) {
    if config.retention.releases.is_some() {
        observer.warn(
            "retention.releases is not in this version: no release and no file is ever removed",
        );
    }
}
