//! What helps when a file of a release is lost or damaged.

use tagmill_schemas::Artifact;
use tagmill_schemas::artifact::FilePlace;

/// What helps against damage of a file at `path`, which is relative to the warehouse: a run writes
/// its night's files anew, but never what users and values were numbered by before.
pub fn cure_of(path: &str) -> String {
    match FilePlace::of(path) {
        Some(place) if is_written_anew(place.artifact) => format!(
            "restore the file from a copy, or run its night again: tagmill run --date {}",
            place.date
        ),
        _ => "restore the file from a copy: no run writes it again".to_owned(),
    }
}

/// Whether another run of the file's night writes all that is in it.
fn is_written_anew(artifact: Artifact) -> bool {
    match artifact {
        Artifact::Users | Artifact::UserIndex | Artifact::TagValues | Artifact::Universe => false,
        Artifact::Tags
        | Artifact::TagNumbers
        | Artifact::Behaviour
        | Artifact::BehaviourMeasures
        | Artifact::KeptValues
        | Artifact::Windows
        | Artifact::Funnels
        | Artifact::FunnelState
        | Artifact::Groups
        | Artifact::GroupStatus
        | Artifact::Rejects
        | Artifact::Quality
        | Artifact::Runs => true,
    }
}
