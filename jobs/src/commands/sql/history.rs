//! Keeps the prompt's history in one place. The DataFusion CLI loads and saves `.history` in the
//! working directory; this lends it the person's own there and takes it back afterwards, so that no
//! file is left behind.

use std::fs;
use std::path::{Path, PathBuf};

/// The name the DataFusion CLI uses, in the working directory.
const LENT: &str = ".history";

/// A history lent to the working directory.
pub(super) struct History {
    /// `None` when the directory has a `.history` of its own, which is left alone.
    kept: Option<PathBuf>,
}

impl History {
    /// Puts the kept history where the prompt looks for it, unless one is there.
    pub(super) fn borrow_working_directory() -> Self {
        let kept = state_folder()
            .filter(|_| !Path::new(LENT).exists())
            .map(|folder| folder.join("sql_history"));
        if let Some(kept) = &kept {
            // No history yet, or a folder that can not be written: the prompt works without.
            let _ = fs::copy(kept, LENT);
        }
        Self { kept }
    }

    /// Takes the history back; false when there was none to take.
    pub(super) fn give_back(self) -> bool {
        let Some(kept) = self.kept else {
            return Path::new(LENT).exists();
        };
        if let Some(folder) = kept.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let is_kept = fs::copy(LENT, &kept).is_ok();
        let _ = fs::remove_file(LENT);
        is_kept
    }
}

/// `$XDG_STATE_HOME/tagmill`, or `~/.local/state/tagmill`.
fn state_folder() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    from("XDG_STATE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("tagmill"))
}
