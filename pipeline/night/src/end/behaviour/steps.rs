//! Which events of the night are steps of a funnel, and when they were.

use datafusion::error::Result;
use tagmill_engine::external;
use tagmill_rules::{Atom, DimensionCondition};
use tagmill_schemas::Value;

use super::items::EventItems;
use super::writer::BehaviourWriter;
use crate::funnels::StepEvent;
use crate::plan::funnels::NightFunnel;
use crate::plan::shape::EventShape;
use crate::take::seats::AppSeats;

impl BehaviourWriter<'_> {
    /// Appends the events of this name that are steps of a funnel.
    ///
    /// # Errors
    /// Those of evaluating conditions.
    pub fn add_steps(
        &self,
        seats: AppSeats,
        (event, items): (&str, &EventItems),
        shape: &EventShape,
        of: &NightFunnel,
        steps: &mut Vec<StepEvent>,
    ) -> Result<()> {
        let Some(first) = items.combinations.first().map(|item| item.tuple) else {
            return Ok(());
        };
        let tuples = self.events.tuples.of_same_event(first);
        let mut masks = vec![0_u32; tuples.len()];
        let conditions = of.funnel.steps.iter().zip(&of.conditions).enumerate();
        for (number, (step, condition)) in conditions {
            if step.event != event {
                continue;
            }
            let holds = match condition {
                Some(condition) => self.tuples_where(tuples.clone(), shape, condition)?,
                None => vec![u64::MAX; masks.len().div_ceil(64)],
            };
            for (at, mask) in masks.iter_mut().enumerate() {
                *mask |= ((holds[at / 64] >> (at % 64) & 1) as u32) << number;
            }
        }
        for &(key, time) in self.events.times(seats.start, seats.end) {
            let tuple = self.events.tuple(key) as usize;
            let mask = tuple.checked_sub(tuples.start).and_then(|at| masks.get(at));
            if let Some(&mask) = mask.filter(|mask| **mask != 0) {
                steps.push(StepEvent {
                    ordinal: self.ordinals[self.events.seat(key)],
                    time,
                    steps: mask,
                });
            }
        }
        Ok(())
    }

    /// The tuples of dimension values for which a condition holds, as bits.
    fn tuples_where(
        &self,
        tuples: std::ops::Range<usize>,
        shape: &EventShape,
        condition: &DimensionCondition,
    ) -> Result<Vec<u64>> {
        let mut fill = |atom: &Atom, words: &mut [u64]| {
            let (Atom::Has { tag } | Atom::Tag { tag, .. }) = atom else {
                return Ok(());
            };
            let mut dimensions = shape.dimensions.iter();
            let Some((_, slot)) = dimensions.find(|(of, _)| of == tag) else {
                return Ok(());
            };
            let (order, ranks) = (&self.orders[*slot], self.events.tuples.dimension(*slot));
            for (at, &rank) in ranks[tuples.clone()].iter().enumerate() {
                let text = order.text(order.text_rank(rank));
                if text.is_some_and(|text| holds(atom, text)) {
                    words[at / 64] |= 1 << (at % 64);
                }
            }
            Ok(())
        };
        condition.select(tuples.len(), &mut fill).map_err(external)
    }
}

/// Whether a test holds for a value that is there.
fn holds(atom: &Atom, text: &str) -> bool {
    match atom {
        Atom::Has { .. } => true,
        Atom::Tag { test, .. } => test.matches(&Value::String(text.to_owned())),
        Atom::Behaviour { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => false,
    }
}
