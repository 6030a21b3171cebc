//! Memory that one file hands to the next: memory that is touched for the first time is dear.

use std::sync::{Arc, Mutex, PoisonError};

/// Memory of row groups that are written. A clone is the same memory.
#[derive(Debug, Clone, Default)]
pub struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spare {
    /// Empty, with room if there is some.
    pub(super) fn take(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }

    /// Takes the room of `memory` back.
    pub(super) fn give_back(&self, mut memory: Vec<u8>) {
        memory.clear();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(memory);
    }
}
