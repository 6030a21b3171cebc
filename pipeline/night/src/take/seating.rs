//! Users and seats of a batch: taken only for rows that stay, so that nobody is known by rejected
//! rows alone.

use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::IdScope;
use tagmill_schemas::shard::append_scoped;

use super::batch::AcceptedRows;
use super::seats::{Dictionary, FirstSeat, Seats};
use super::values::Values;
use crate::plan::spec::NightSpec;

/// Users of one batch at most: numbers that are kept free.
const MOST_BATCH_USERS: usize = 1 << 24;

/// The seat of a row that was rejected.
const NO_SEAT: u32 = u32::MAX;

/// Memory that batches use one after the other.
#[derive(Default)]
pub struct SeatingBuffers {
    users: Vec<(u32, FirstSeat)>,
    seats: Vec<u32>,
    /// Seats of rows that stay, before they are put beside the others.
    others: Vec<u32>,
    /// Id bytes of rows whose id is scoped by app.
    scoped: Vec<u8>,
    ends: Vec<usize>,
}

/// Gives rows their seats.
pub struct Seating<'a> {
    /// The night.
    pub spec: &'a NightSpec,
    /// Which shard.
    pub shard: u32,
    /// Where users are numbered.
    pub ids: &'a mut Dictionary,
    /// Where seats are taken.
    pub seats: &'a mut Seats,
    /// Names of apps.
    pub apps: &'a Values,
    /// Memory.
    pub buffers: &'a mut SeatingBuffers,
}

impl Seating<'_> {
    /// The provisional seat of every row.
    ///
    /// # Errors
    /// More users than 32 bits can number.
    pub fn seat(&mut self, rows: &AcceptedRows<'_>) -> Result<&[u32]> {
        self.number_users(rows)?;
        let SeatingBuffers { users, seats, .. } = &mut *self.buffers;
        seats.clear();
        self.seats.take_batch(self.ids, rows.apps, users, seats);
        Ok(&self.buffers.seats)
    }

    /// The same without the rows `rejected`, which ascend: their places hold no seat.
    ///
    /// # Errors
    /// As [`Self::seat`].
    pub fn seat_others(&mut self, rows: &AcceptedRows<'_>, rejected: &[usize]) -> Result<&[u32]> {
        if rejected.is_empty() {
            return self.seat(rows);
        }
        let (batch, apps) = rows.without(rejected)?;
        self.seat(&AcceptedRows {
            apps: &apps,
            batch: &batch,
        })?;
        let SeatingBuffers { seats, others, .. } = &mut *self.buffers;
        std::mem::swap(seats, others);
        let (mut taken, mut rejected) = (others.iter(), rejected.iter().peekable());
        let seat_of = |row| {
            if rejected.next_if(|rejected| **rejected == row).is_some() {
                None
            } else {
                taken.next()
            }
        };
        seats.clear();
        seats.extend(
            (0..rows.apps.len())
                .map(seat_of)
                .map(|seat| seat.copied().unwrap_or(NO_SEAT)),
        );
        Ok(seats)
    }

    fn number_users(&mut self, rows: &AcceptedRows<'_>) -> Result<()> {
        let ids = rows.batch.ids()?;
        let hashes = rows.batch.hashes()?.values();
        let SeatingBuffers {
            users,
            scoped,
            ends,
            ..
        } = &mut self.buffers;
        users.clear();
        users.reserve(hashes.len());
        let found = |user, first| users.push((user, first));
        match self.spec.id_scope {
            IdScope::Global => {
                self.ids
                    .intern_batch(hashes, |row| ids.value(row).as_bytes(), found)
            }
            IdScope::App => {
                scoped.clear();
                ends.clear();
                ends.push(0);
                for (row, &app) in rows.apps.iter().enumerate() {
                    append_scoped(self.apps.bytes(app), ids.value(row).as_bytes(), scoped);
                    ends.push(scoped.len());
                }
                self.ids
                    .intern_batch(hashes, |row| &scoped[ends[row]..ends[row + 1]], found);
            }
        }
        if self.ids.is_full(MOST_BATCH_USERS) {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "shard {} has {} users, more than 32 bits can number; a warehouse with more \
                 shards is needed",
                self.shard,
                self.ids.len()
            )));
        }
        Ok(())
    }
}
