//! What sticks to a user: up to three cities, two devices, three channels. Reads a user's index and
//! an event's draw, writes nothing.

use crate::draw::{Draw, Stream};
use crate::spec::{Preset, Spec};
use crate::vocabulary;

const FIRST_SECOND_THIRD: [f64; 3] = [0.85, 0.96, 1.0];
const FIRST_SECOND: [f64; 2] = [0.92, 1.0];
const SYSTEM_SHARES: [f64; 5] = [0.46, 0.80, 0.90, 0.95, 1.0];

/// Where, on what and from where an event came: indices into the vocabulary; channel 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstance {
    /// Index of a city.
    pub city: u16,
    /// Index of a system.
    pub system: u8,
    /// 0 for no channel, otherwise one more than the index of a channel.
    pub channel: u8,
}

/// The habits of all users.
#[derive(Debug)]
pub struct Habits {
    draw: Draw,
    city_steps: Vec<f64>,
    channel_steps: Vec<f64>,
    is_random: bool,
}

impl Habits {
    /// The habits of a spec's users.
    pub fn new(spec: &Spec) -> Self {
        Self {
            draw: Draw::root(spec.seed, Stream::Habit),
            city_steps: vocabulary::falling_shares(vocabulary::CITIES, 25.0),
            channel_steps: vocabulary::falling_shares(vocabulary::CHANNELS + 1, 5.0),
            is_random: spec.preset == Preset::BenchRandom,
        }
    }

    /// The city a user lives in.
    pub fn home(&self, user: u64) -> u16 {
        self.city(user, 0)
    }

    fn city(&self, user: u64, which: usize) -> u16 {
        self.draw.at(user).at(which as u64).pick(&self.city_steps) as u16
    }

    /// The circumstances of one event of a user.
    #[inline]
    pub fn circumstance(&self, user: u64, event: Draw) -> Circumstance {
        let (city, system, channel) = (event.at(1), event.at(2), event.at(3));
        if self.is_random {
            return Circumstance {
                city: city.below(vocabulary::CITIES as u64) as u16,
                system: system.below(5) as u8,
                channel: channel.below(vocabulary::CHANNELS as u64 + 1) as u8,
            };
        }
        let habit = self.draw.at(user);
        let device = habit.at(8 + system.pick(&FIRST_SECOND) as u64);
        let source = habit.at(16 + channel.pick(&FIRST_SECOND_THIRD) as u64);
        Circumstance {
            city: self.city(user, city.pick(&FIRST_SECOND_THIRD)),
            system: device.pick(&SYSTEM_SHARES) as u8,
            channel: source.pick(&self.channel_steps) as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn tuples_of_a_busy_user(preset: Preset) -> usize {
        let spec = Spec::preset(preset);
        let (habits, events) = (Habits::new(&spec), Draw::root(1, Stream::Event));
        let seen: BTreeSet<_> = (0..500)
            .map(|i| habits.circumstance(5, events.at(i)))
            .map(|c| (c.city, c.system, c.channel))
            .collect();
        seen.len()
    }

    #[test]
    fn dimension_values_stick_to_users() {
        assert!(tuples_of_a_busy_user(Preset::Bench) <= 18);
        assert!(tuples_of_a_busy_user(Preset::BenchRandom) > 490);
    }
}
