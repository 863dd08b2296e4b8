//! Which page of Leaf's list of users a call asks for.

use std::ops::RangeInclusive;

/// The size of a page when the call names none.
const USUAL_SIZE: u64 = 20;

/// Sizes beyond these are taken for the nearest of them.
const SIZES: RangeInclusive<u64> = 1..=100;

/// A page of Leaf's list of users, as Leaf understands the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPage {
    /// The page's number; the first is 0.
    pub number: u64,
    /// How many users a page holds, 1 to 100.
    pub size: u64,
}

impl ListPage {
    /// The page that the parameters `page` and `size` ask for; what is missing or no number counts as not said.
    pub(super) fn of_parameters(page: Option<&str>, size: Option<&str>) -> Self {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
        let size = number(size).unwrap_or(USUAL_SIZE).clamp(*SIZES.start(), *SIZES.end());
        Self { number: number(page).unwrap_or(0), size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_20_users_unless_told_otherwise_and_100_at_most() {
        for (page, size, expected) in [
            (None, None, (0, 20)),
            (Some("3"), Some("50"), (3, 50)),
            (Some("-1"), Some("many"), (0, 20)),
            (Some("18446744073709551615"), Some("1000"), (u64::MAX, 100)),
            (Some("0"), Some("0"), (0, 1)),
        ] {
            let read = ListPage::of_parameters(page, size);
            assert_eq!((read.number, read.size), expected);
        }
    }
}
