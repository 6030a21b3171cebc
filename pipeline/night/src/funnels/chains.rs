//! The chains of a funnel that begin on one day, user by user.
//!
//! A chain is a first step, then each further step strictly later than the one before, all within the
//! window of the first, both ends included. What else a user does between them does not matter. Of a
//! user it is enough to know, for each step, when the latest chain that reached it began: whatever an
//! earlier one can still reach, the later one can. Events of one time see what was before them: so
//! neither their order nor an event that is two steps at once makes a chain longer.

/// No chain reached the step.
pub(crate) const NONE: i64 = i64::MIN;

/// An event that is a step, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StepEvent {
    /// The user.
    pub ordinal: u32,
    /// Microseconds since 1970.
    pub time: i64,
    /// Bit i: it is the step with number i, from 0.
    pub steps: u32,
}

/// For every user of chains, when the latest chain began that reached each step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chains {
    steps: usize,
    /// Ascending.
    ordinals: Vec<u32>,
    /// `steps` a user; [`NONE`] where no chain reached the step. Never ascending.
    starts: Vec<i64>,
}

impl Chains {
    /// No chains.
    pub fn new(steps: usize) -> Self {
        Self {
            steps,
            ..Self::default()
        }
    }

    /// Appends what is known of a user: one who is there already, or the next one.
    pub fn add(&mut self, ordinal: u32, step: usize, start: i64) {
        if self.ordinals.last() != Some(&ordinal) {
            self.push(ordinal, &vec![NONE; self.steps]);
        }
        let first = self.starts.len().saturating_sub(self.steps);
        if let Some(place) = self.starts.get_mut(first + step) {
            *place = start;
        }
    }

    fn push(&mut self, ordinal: u32, starts: &[i64]) {
        self.ordinals.push(ordinal);
        self.starts.extend_from_slice(starts);
    }

    /// Every user with the starts by step, ascending.
    pub fn users(&self) -> impl Iterator<Item = (u32, &[i64])> {
        let starts = self.starts.chunks_exact(self.steps.max(1));
        self.ordinals.iter().copied().zip(starts)
    }

    /// Users whose chain reached a step, ascending.
    pub fn reached(&self, step: usize) -> impl Iterator<Item = u32> {
        let users = self.users();
        users
            .filter(move |(_, starts)| starts.get(step).is_some_and(|start| *start != NONE))
            .map(|(ordinal, _)| ordinal)
    }

    /// The chains after these events, which ascend; `window` is in microseconds. With `begins` they
    /// are of the chains' own day, else they can only go on.
    pub fn after(&self, events: &[StepEvent], window: i64, begins: bool) -> Self {
        let mut after = Self::new(self.steps);
        let mut known = self.users().peekable();
        let mut starts = vec![NONE; self.steps];
        for of_user in events.chunk_by(|a, b| a.ordinal == b.ordinal) {
            let Some(ordinal) = of_user.first().map(|event| event.ordinal) else {
                continue;
            };
            while let Some((other, untouched)) = known.next_if(|(other, _)| *other < ordinal) {
                after.push(other, untouched);
            }
            match known.next_if(|(other, _)| *other == ordinal) {
                Some((_, before)) => starts.copy_from_slice(before),
                None if !begins => continue,
                None => starts.fill(NONE),
            }
            follow(&mut starts, of_user, window, begins);
            if starts.first().is_some_and(|start| *start != NONE) {
                after.push(ordinal, &starts);
            }
        }
        known.for_each(|(other, untouched)| after.push(other, untouched));
        after
    }

    /// Whether a user's chains can go on at `from` or later: one that is not at its end is not over.
    pub fn is_open(starts: &[i64], window: i64, from: i64) -> bool {
        let is_whole = starts.last().is_none_or(|start| *start != NONE);
        let latest = starts.first().copied().unwrap_or(NONE);
        !is_whole && latest != NONE && latest + window >= from
    }
}

/// Goes on with the chains of one user.
fn follow(starts: &mut [i64], events: &[StepEvent], window: i64, begins: bool) {
    for at_once in events.chunk_by(|a, b| a.time == b.time) {
        let Some(time) = at_once.first().map(|event| event.time) else {
            continue;
        };
        let steps = at_once.iter().fold(0, |steps, event| steps | event.steps);
        // The last step first: each sees what was before this time.
        for step in (1..starts.len()).rev() {
            let start = starts[step - 1];
            if steps >> step & 1 == 1 && start != NONE && time - start <= window {
                starts[step] = start;
            }
        }
        if begins && steps & 1 == 1 {
            starts[0] = time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The most steps of a chain of these events that begins on the day `begins`, tried one by one.
    fn tried(events: &[(i64, u32)], steps: usize, window: i64, day: std::ops::Range<i64>) -> usize {
        let first = events
            .iter()
            .filter(|(time, is)| day.contains(time) && is & 1 == 1);
        first
            .map(|&(start, _)| {
                let mut last = start;
                let mut reached = 1;
                for step in 1..steps {
                    let next = events.iter().filter(|(time, is)| {
                        *time > last && time - start <= window && is >> step & 1 == 1
                    });
                    match next.map(|(time, _)| *time).min() {
                        Some(time) => (last, reached) = (time, step + 1),
                        None => break,
                    }
                }
                reached
            })
            .max()
            .unwrap_or(0)
    }

    fn step_events(ordinal: u32, events: &[(i64, u32)]) -> Vec<StepEvent> {
        let mut all: Vec<StepEvent> = events
            .iter()
            .map(|&(time, steps)| StepEvent {
                ordinal,
                time,
                steps,
            })
            .collect();
        all.sort_unstable();
        all
    }

    fn reached(events: &[(i64, u32)], window: i64) -> usize {
        let chains = Chains::new(3).after(&step_events(7, events), window, true);
        (0..3)
            .filter(|&step| chains.reached(step).count() == 1)
            .count()
    }

    #[test]
    fn steps_at_one_time_do_not_follow_each_other() {
        assert_eq!(reached(&[(1, 1), (1, 2), (1, 4)], 10), 1);
        assert_eq!(reached(&[(1, 1), (2, 2), (2, 4)], 10), 2);
        assert_eq!(reached(&[(1, 1), (2, 2), (3, 4)], 10), 3);
    }

    #[test]
    fn an_event_that_is_two_steps_is_one_of_a_chain() {
        assert_eq!(reached(&[(1, 1), (2, 6)], 10), 2);
        assert_eq!(reached(&[(1, 1), (2, 6), (3, 6)], 10), 3);
        assert_eq!(reached(&[(1, 7)], 10), 1);
    }

    #[test]
    fn a_later_start_at_the_time_of_a_step_hides_no_earlier_chain() {
        assert_eq!(reached(&[(1, 1), (5, 1), (5, 2), (6, 4)], 10), 3);
    }

    #[test]
    fn the_window_ends_with_its_last_moment() {
        assert_eq!(reached(&[(1, 1), (11, 2)], 10), 2);
        assert_eq!(reached(&[(1, 1), (12, 2)], 10), 1);
    }

    proptest! {
        /// Night by night, with the state in between, gives what all events at once give.
        #[test]
        fn nights_with_state_are_as_all_events_at_once(
            users in prop::collection::vec(prop::collection::vec((0i64..40, 0u32..8), 0..25), 1..5),
            window in 1i64..25,
        ) {
            let night = 10;
            for day in 0..4 {
                let mut chains = Chains::new(3);
                let mut best = vec![0; users.len()];
                for tonight in day..4 {
                    let range = tonight * night..(tonight + 1) * night;
                    let events: Vec<StepEvent> = (0..).zip(&users).flat_map(|(user, all)| {
                        let of_night: Vec<_> =
                            all.iter().copied().filter(|(time, _)| range.contains(time)).collect();
                        step_events(user, &of_night)
                    }).collect();
                    chains = chains.after(&events, window, tonight == day);
                    for step in 0..3 {
                        for user in chains.reached(step) {
                            best[user as usize] = best[user as usize].max(step + 1);
                        }
                    }
                    // What is over is left out, as in the artifact.
                    let mut open = Chains::new(3);
                    for (user, starts) in chains.users() {
                        if Chains::is_open(starts, window, range.end) {
                            for (step, start) in starts.iter().enumerate() {
                                if *start != NONE {
                                    open.add(user, step, *start);
                                }
                            }
                        }
                    }
                    chains = open;
                }
                let expected: Vec<usize> = users
                    .iter()
                    .map(|all| tried(all, 3, window, day * night..(day + 1) * night))
                    .collect();
                prop_assert_eq!(best, expected);
            }
        }
    }
}
