//! Who exists, in which app, on which day, and how busy: all of it computed from a user's index.
//! Reads a spec, writes nothing.
//!
//! Users `0..users` are there on day 0, `users * new_share` more join each day. A share leaves for
//! good each day. Activity has a Pareto tail with exponent 4/3, cut at a thousand times the least
//! active user.

use crate::draw::{Draw, Stream};
use crate::openid;
use crate::spec::{Preset, Spec};
use crate::vocabulary;

const WEIGHTS: usize = 1 << 16;
const HEAVIEST: f64 = 1000.0;
const LARGEST_APP_SHARE: f64 = 0.6;
const IDS_OF_OTHER_APP: f64 = 0.5;

/// All users of a spec.
#[derive(Debug)]
pub struct Population {
    users: u64,
    joining: u64,
    churn: f64,
    active_first: f64,
    active_later: f64,
    second_app: f64,
    app_steps: Vec<f64>,
    app_names: Vec<String>,
    weights: Vec<f32>,
    mean_weight: f64,
    app_draw: Draw,
    id_draw: Draw,
    weight_draw: Draw,
    presence_draw: Draw,
}

impl Population {
    /// The users of `spec`.
    pub fn new(spec: &Spec) -> Self {
        let weights: Vec<f32> = (0..WEIGHTS).map(weight_at).collect();
        let mean_weight = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / WEIGHTS as f64;
        let root = |stream| Draw::root(spec.seed, stream);
        let is_hostile = spec.preset == Preset::Dirty;
        Self {
            users: spec.users,
            joining: (spec.users as f64 * spec.new_share) as u64,
            churn: spec.churn,
            active_first: spec.active_first,
            active_later: spec.active_later,
            second_app: if spec.apps > 1 { spec.second_app } else { 0.0 },
            app_steps: app_steps(spec.apps),
            app_names: (0..spec.apps)
                .map(|app| vocabulary::app_name(app, is_hostile))
                .collect(),
            weights,
            mean_weight,
            app_draw: root(Stream::App),
            id_draw: root(Stream::Id),
            weight_draw: root(Stream::Weight),
            presence_draw: root(Stream::Presence),
        }
    }

    /// Number of users that have ever joined by `day`.
    pub fn count(&self, day: u32) -> u64 {
        self.users + self.joining * u64::from(day)
    }

    /// Names of the apps, by app number.
    pub fn app_names(&self) -> &[String] {
        &self.app_names
    }

    /// The app a user belongs to.
    #[inline]
    pub fn app(&self, user: u64) -> u32 {
        if self.app_steps.len() == 1 {
            0
        } else {
            self.app_draw.at(user).pick(&self.app_steps) as u32
        }
    }

    /// A second app that knows the user under the same id, if any; never the first.
    pub fn second_app(&self, user: u64) -> Option<u32> {
        if self.second_app == 0.0 {
            return None;
        }
        let draw = self.app_draw.at(user).at(1);
        let other = draw.at(1).below(self.app_steps.len() as u64) as u32;
        (draw.chance(self.second_app) && other != self.app(user)).then_some(other)
    }

    /// The apps of a user, its own first.
    pub fn apps_of(&self, user: u64) -> impl Iterator<Item = u32> {
        std::iter::once(self.app(user)).chain(self.second_app(user))
    }

    /// Whether a user has joined by `day` and not left.
    #[inline]
    pub fn is_present(&self, user: u64, day: u32) -> bool {
        user < self.count(day)
            && !self
                .presence_draw
                .at(user)
                .chance(self.churn * f64::from(day))
    }

    /// Whether a present user does anything on `day`.
    #[inline]
    pub fn is_active(&self, user: u64, day: u32) -> bool {
        let share = if day == 0 {
            self.active_first
        } else {
            self.active_later
        };
        self.is_present(user, day)
            && (share >= 1.0 || self.presence_draw.at(user).at(u64::from(day)).chance(share))
    }

    /// Expected rows of `user` when all active users of `day` together have `total`.
    #[inline]
    pub fn rate(&self, user: u64, day: u32, total: f64) -> f64 {
        let weight = f64::from(self.weights[(self.weight_draw.at(user).bits() >> 48) as usize]);
        total * weight / (self.mean_weight * self.active_count(day))
    }

    fn active_count(&self, day: u32) -> f64 {
        let share = if day == 0 {
            self.active_first
        } else {
            self.active_later
        };
        self.count(day) as f64 * (1.0 - self.churn * f64::from(day)) * share
    }

    /// Writes a user's id.
    #[inline]
    pub fn write_id(&self, user: u64, out: &mut [u8; openid::LENGTH]) {
        let app = u64::from(self.app(user));
        openid::write(
            self.id_draw.at(u64::MAX).at(app),
            self.id_draw.at(user),
            out,
        );
    }

    /// A user's id.
    pub fn id(&self, user: u64) -> String {
        let mut bytes = [0; openid::LENGTH];
        self.write_id(user, &mut bytes);
        bytes.iter().map(|&byte| char::from(byte)).collect()
    }

    /// A few users of one app, found by trying indices in a fixed order; fewer when the app is
    /// tiny.
    pub fn some_users_of(&self, app: u32, wanted: usize) -> Vec<u64> {
        let tries = self.users.min(200_000);
        (0..tries)
            .filter(|&user| self.app(user) == app)
            .take(wanted)
            .collect()
    }

    /// How often a share of a user's actions in its apps happens in the second one.
    pub fn acts_elsewhere(draw: Draw) -> bool {
        draw.chance(IDS_OF_OTHER_APP)
    }
}

/// The weight at a quantile: `x^(-3/4)`, from square roots alone so that every machine agrees to
/// the bit.
fn weight_at(index: usize) -> f32 {
    let x = (index as f64 + 0.5) / WEIGHTS as f64;
    (1.0 / (x.sqrt() * x.sqrt().sqrt())).min(HEAVIEST) as f32
}

/// The first app has most users, the others share the rest as 1 / rank.
fn app_steps(apps: u32) -> Vec<f64> {
    if apps <= 1 {
        return vec![1.0];
    }
    let others = vocabulary::falling_shares(apps as usize - 1, 0.0);
    std::iter::once(LARGEST_APP_SHARE)
        .chain(
            others
                .iter()
                .map(|step| LARGEST_APP_SHARE + (1.0 - LARGEST_APP_SHARE) * step),
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            users: 50_000,
            apps: 100,
            ..Spec::preset(Preset::Demo)
        }
    }

    #[test]
    fn one_app_has_most_users() {
        let population = Population::new(&spec());
        let mut counts = vec![0; 100];
        (0..50_000).for_each(|user| counts[population.app(user) as usize] += 1);
        assert!((29_000..31_000).contains(&counts[0]), "{}", counts[0]);
        assert!(counts[99] > 0 && counts[99] < counts[1] / 10, "{counts:?}");
    }

    #[test]
    fn activity_has_a_heavy_tail_and_the_asked_mean() {
        let population = Population::new(&spec());
        let mut rates: Vec<f64> = (0..50_000)
            .filter(|&u| population.is_active(u, 0))
            .map(|u| population.rate(u, 0, 500_000.0))
            .collect();
        let sum: f64 = rates.iter().sum();
        assert!((470_000.0..530_000.0).contains(&sum), "{sum}");
        rates.sort_by(|a, b| b.total_cmp(a));
        let top: f64 = rates[..rates.len() / 100].iter().sum();
        assert!(top > sum * 0.2, "{top} of {sum}");
    }

    #[test]
    fn second_day_has_new_and_fewer_active_users() {
        let population = Population::new(&spec());
        assert_eq!(population.count(1), 51_000);
        let left = (0..50_000)
            .filter(|&user| !population.is_present(user, 1))
            .count();
        assert!((150..350).contains(&left), "{left}");
        let active = (0..51_000)
            .filter(|&user| population.is_active(user, 1))
            .count();
        assert!((29_500..31_500).contains(&active), "{active}");
    }
}
