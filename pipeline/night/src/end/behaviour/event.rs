//! The rows of one event of one app: its users, its dimensions, its count and measures.

use datafusion::error::Result;

use super::app_event::AppEvent;
use super::dimension::Dimension;
use super::items::{EventItems, Sum};
use super::slices::Measured;
use super::writer::{BehaviourOutput, BehaviourWriter};
use crate::end::cutter::Cutter;
use crate::plan::shape::EventShape;
use crate::take::measure::NO_SUM;

/// The name of the measure that counts events.
const COUNT: &str = "*";

impl BehaviourWriter<'_> {
    /// Writes one event of an app. Returns how many sums do not fit into 64 bits and are left out.
    ///
    /// # Errors
    /// As [`Self::write_dimension`], and those of the rows.
    pub fn write_event(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        items: &EventItems,
        shape: &EventShape,
        output: &mut BehaviourOutput<'_>,
    ) -> Result<u64> {
        self.write_users(cutter, event, items, output)?;
        for (name, slot) in &shape.dimensions {
            let dimension = Dimension { name, slot: *slot };
            self.write_dimension(cutter, event, items, &dimension, output)?;
        }
        self.write_counts(cutter, event, items, output)?;
        let mut left_out = 0;
        for shape in &shape.measures {
            let Some(sums) = items.sums.get(shape.slot) else {
                continue;
            };
            let fitting = sums.iter().copied().filter(|item| item.sum != NO_SUM);
            let fit = fitting.clone().count();
            left_out += (sums.len() - fit) as u64;
            if fit > 0 {
                let measure = Measured {
                    name: &shape.name,
                    scale: shape.scale,
                    most: items.most,
                };
                self.write_slices(cutter, event, &measure, fitting, output)?;
            }
        }
        Ok(left_out)
    }

    fn write_counts(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        items: &EventItems,
        output: &mut BehaviourOutput<'_>,
    ) -> Result<()> {
        let counts = items.combinations.iter().filter(|item| item.count > 0);
        let counts = counts.map(|item| Sum {
            ordinal: item.ordinal,
            number: item.number,
            sum: i64::from(item.count),
        });
        let measure = Measured {
            name: COUNT,
            scale: 0,
            most: items.most,
        };
        self.write_slices(cutter, event, &measure, counts, output)
    }
}
