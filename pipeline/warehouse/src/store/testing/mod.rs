//! Object stores for tests: one counts the bytes that are fetched, one fails on purpose. Both stand
//! in front of a real one.

mod counting;
mod faulty;

pub use counting::{CountingStore, Fetched};
pub use faulty::{Fault, FaultyStore, When};

/// Makes `memory://<name>` mean this store in this process: a whole run then goes through it.
pub fn mount(name: &str, objects: std::sync::Arc<dyn object_store::ObjectStore>) {
    super::open::mount(name, objects);
}
