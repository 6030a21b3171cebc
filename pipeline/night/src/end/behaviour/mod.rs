//! The behaviour of one app on the day: counted events in, rows of `behaviour` and
//! `behaviour_measures` out.
//!
//! Combinations of one user and event are numbered 0, 1, 2 ... in order of their typed values.
//! Those from the limit on share the limit as their number and are marked `overflow`.

mod app_event;
mod dimension;
mod event;
mod items;
mod kept;
mod keys;
mod numbering;
mod slices;
mod steps;
mod text_order;
mod users;
mod writer;

pub(crate) use app_event::AppEvent;
pub(crate) use items::EventItems;
pub(crate) use writer::{BehaviourOutput, BehaviourWriter};
