//! A shard while rows stream in: exchanged batches become users, seats and fixed-width columns.

pub(crate) mod accounting;
pub(crate) mod attributes;
pub(crate) mod batch;
pub(crate) mod claims;
pub(crate) mod earlier_behaviour;
pub(crate) mod events;
pub(crate) mod interner;
pub(crate) mod labels;
pub(crate) mod load;
pub(crate) mod measure;
pub(crate) mod narrow;
pub(crate) mod number_codes;
pub(crate) mod numbers;
pub(crate) mod properties;
pub(crate) mod random_access;
pub(crate) mod seating;
pub(crate) mod seats;
pub(crate) mod shard;
pub(crate) mod sort_events;
pub(crate) mod sorted_events;
pub(crate) mod source_state;
pub(crate) mod step_times;
pub(crate) mod tuple_order;
pub(crate) mod tuples;
pub(crate) mod typed_values;
pub(crate) mod values;
