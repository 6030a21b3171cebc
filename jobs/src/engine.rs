//! What this program uses of the pipeline, named in one place.

pub use tagmill_wip_catalog::catalog;
pub use tagmill_wip_publish::{publish, store};

pub use tagmill_pipeline::job;
