//! The first stage: what the night builds on, and what it takes from each source.

use datafusion::prelude::SessionContext;
use tagmill_night::scan::register_store;
use tagmill_schemas::{Error, Result};
use tagmill_warehouse::release::{Parents, choose_parents};

use crate::failing_rows::mark_failing;
use crate::invalid_text::mark_invalid_text;
use crate::registry::check_types;
use crate::row_limits::check_rows;
use crate::sources::{Decision, SourceInput, find_inputs};
use crate::tonight::Tonight;

/// What is decided before anything is planned.
pub struct Inputs<'n> {
    pub(super) night: &'n Tonight<'n>,
    /// The releases that the night builds on.
    pub(super) parents: Parents,
    /// One for each source, in the order of the configuration.
    pub(super) sources: Vec<SourceInput<'n>>,
}

impl<'n> Inputs<'n> {
    /// Chooses the parents and decides for every source.
    ///
    /// # Errors
    /// As [`find_inputs`] and [`check_rows`]; setup for a tag that changes its type.
    pub async fn find(night: &'n Tonight<'n>) -> Result<Self> {
        let parents = choose_parents(night.store(), night.request().date).await?;
        check_types(night.config(), parents.newest.as_ref())?;
        let sources = find_inputs(night.request(), &parents, night.observer()).await?;
        check_rows(&sources, parents.state.as_ref())?;
        Ok(Self {
            night,
            parents,
            sources,
        })
    }

    /// Whether nothing has been published before.
    pub(crate) fn is_first(&self) -> bool {
        self.parents.newest.is_none()
    }

    /// Rows that will be read.
    pub(super) fn rows(&self) -> u64 {
        self.sources.iter().map(SourceInput::rows).sum()
    }

    /// A plan was made in another session: the one that runs it must find the same stores.
    pub(super) fn register_stores(&self, session: &SessionContext) -> Result<()> {
        for source in &self.sources {
            if let Decision::Read(files) = &source.decision {
                register_store(&files.store, &session.runtime_env())?;
            }
        }
        Ok(())
    }

    /// Has files read as bytes that have text which is no UTF-8, if that may be why something failed;
    /// whether there are such files.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn read_text_as_bytes(&mut self, error: &Error) -> Result<bool> {
        mark_invalid_text(error, &mut self.sources, self.night.observer()).await
    }

    /// Has rows rejected on which an expression fails, if that is why something failed; whether there
    /// are sources whose rows were not.
    pub(super) fn reject_failures(&mut self, error: &Error) -> bool {
        mark_failing(error, &mut self.sources, self.night.observer())
    }

    /// Whether the files that are read are still those that were found.
    ///
    /// # Errors
    /// Retry for a file that changed; those of the store.
    pub(super) async fn check_unchanged(&self) -> Result<()> {
        for source in &self.sources {
            if let Decision::Read(files) = &source.decision {
                files.check_unchanged().await?;
            }
        }
        Ok(())
    }
}
