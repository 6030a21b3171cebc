//! Everything that is written app by app: universe, tags, tag numbers, groups, behaviour.

mod audiences;
mod behaviour;
mod event_limit;
mod funnels;
mod groups;
mod numbers;
mod tags;
mod windows;
mod writer;

pub(crate) use audiences::Audiences;
pub(crate) use writer::AppWriter;
