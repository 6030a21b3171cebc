//! What this program uses of the pipeline, named in one place.

pub use tagmill_pipeline::catalog;
pub use tagmill_pipeline::{publish, store};

pub use tagmill_pipeline::job;
