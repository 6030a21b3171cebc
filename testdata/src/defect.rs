//! What can be wrong with a generated row. A row has at most one defect, so the order of checks
//! never decides its fate. Reads a draw, writes nothing.

use crate::draw::Draw;

/// One defect of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The user id is null.
    NullUser,
    /// The user id is the empty string.
    EmptyUser,
    /// The user id is a null token.
    UnknownUser,
    /// The app is null.
    NullApp,
    /// The source's own: a birth date to come, a missing event time, a value that is not of its
    /// tag's type.
    BadValue,
}

impl Defect {
    /// The defect of a row, if it has one.
    #[inline]
    pub fn draw(row: Draw, share: f64) -> Option<Self> {
        if share == 0.0 {
            return None;
        }
        let draw = row.at(0xd1f7);
        draw.chance(share).then(|| {
            [
                Self::NullUser,
                Self::EmptyUser,
                Self::UnknownUser,
                Self::NullApp,
                Self::BadValue,
            ][draw.at(0).below(5) as usize]
        })
    }
}
