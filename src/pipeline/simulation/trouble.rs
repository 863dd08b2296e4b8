//! What can go wrong with one request.

use super::arrived::Asked;
use super::setting::Climate;
use crate::model::simulated::Dice;

/// What becomes of one request, drawn when it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing goes wrong.
    None,
    /// No connection comes about.
    Unreachable,
    /// It is lost on its way, and no answer ever comes.
    LostBefore,
    /// The connection breaks before it is processed.
    BrokenBefore,
    /// It is processed, and no answer ever comes.
    LostAfter,
    /// It is processed, and the connection breaks.
    BrokenAfter,
    /// It takes effect later, and what comes back meanwhile is this.
    Late(Meanwhile),
    /// This status, with or without the effect.
    Status { status: u16, processed: bool },
    /// Slow down, with or without a time.
    SlowDown { status: u16, retry_after: Option<u64>, processed: bool },
    /// It is processed, but the body of the answer is cut off.
    CutOff,
    /// It is processed, but the body of the answer never ends.
    EndlessBody,
    /// It is processed, but a proxy answers with a web page and a status of success.
    WebPage,
    /// Somewhere else, please.
    Redirect,
    /// A gateway sends it twice, and passes on the second answer.
    Twice,
    /// It is processed and no answer ever comes, and a gateway sends it once more later.
    Again,
    /// It is processed and answered 404.
    Gone,
}

/// What comes back while an effect is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meanwhile {
    Nothing,
    Break,
    ServerError,
}

impl Trouble {
    /// Draws what goes wrong with this request.
    pub(super) fn draw(asked: &Asked, climate: &Climate, dice: &mut Dice) -> Self {
        if *asked == Asked::Remove && dice.chance(40) {
            return dice.pick(&[Self::Twice, Self::Again, Self::Gone, Self::LostAfter]);
        }
        if matches!(asked, Asked::MagicLink { .. }) && dice.chance(40) {
            let refused = |status| Self::Status { status, processed: false };
            return dice.pick(&[
                Self::LostAfter,
                Self::WebPage,
                Self::Late(Meanwhile::Nothing),
                Self::Late(Meanwhile::ServerError),
                refused(401),
                refused(403),
                refused(404),
                refused(422),
            ]);
        }
        match dice.roll(if asked.is_write() { 24 } else { 18 }) {
            0 | 1 => Self::Unreachable,
            2 => Self::LostBefore,
            3 => Self::BrokenBefore,
            5 => Self::BrokenAfter,
            6 => Self::Status { status: dice.pick(&[500, 502, 503, 504, 408]), processed: false },
            7 => Self::Status { status: dice.pick(&[500, 502, 504, 408]), processed: true },
            8 => Self::SlowDown { status: 429, retry_after: None, processed: false },
            9 | 10 => {
                let retry_after = Some(dice.pick(&[0, 1, 2, 7, 30, 60, 300]));
                Self::SlowDown { status: 429, retry_after, processed: false }
            }
            11 => {
                let (retry_after, processed) = (Some(dice.pick(&[1, 5, 40])), dice.chance(30));
                Self::SlowDown { status: 503, retry_after, processed }
            }
            12 | 13 => Self::CutOff,
            14 => Self::EndlessBody,
            15 => Self::WebPage,
            16 if dice.chance(25) => Self::Redirect,
            17 if dice.chance(10) => {
                Self::SlowDown { status: 429, retry_after: Some(1_200), processed: false }
            }
            18 | 19 => Self::Late(Meanwhile::Nothing),
            20 => Self::Late(Meanwhile::Break),
            21 => Self::Late(Meanwhile::ServerError),
            22 if climate.may_double => Self::Twice,
            _ => Self::LostAfter,
        }
    }
}
