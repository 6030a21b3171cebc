//! The rules of one app on their way to the shards: compiled, as one program.

use serde::{Deserialize, Serialize};

use crate::Program;

/// The groups of one app that are computed tonight. As JSON it is flat, however deep rules are
/// nested; what was read is checked before it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct AppRules {
    app: String,
    groups: Vec<String>,
    program: Program,
}

/// Rules as they were read, before the program is compared with the names.
#[derive(Deserialize)]
struct Parts {
    app: String,
    groups: Vec<String>,
    program: Program,
}

impl TryFrom<Parts> for AppRules {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        let names = parts.groups.len();
        let beyond = parts.program.groups().find(|group| *group >= names);
        match beyond {
            Some(group) => Err(format!(
                "found group number {group} of app {:?}, expected one below {names}",
                parts.app
            )),
            None => Ok(Self::new(parts.app, parts.groups, parts.program)),
        }
    }
}

impl AppRules {
    /// `program` was built of `groups`, in this order.
    pub(super) fn new(app: String, groups: Vec<String>, program: Program) -> Self {
        Self {
            app,
            groups,
            program,
        }
    }

    /// The app.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Names by the numbers that the program emits; ascending.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Evaluates all groups.
    pub fn program(&self) -> &Program {
        &self.program
    }
}
