//! The flags as they are where nobody gives any.

use clap::{Args, Command};

/// A group of flags with the defaults that they declare. No command line, environment or file is asked.
///
/// # Errors
///
/// When one of them has no default, which none of the groups here does.
pub fn defaults<T: Args>() -> Result<T, clap::Error> {
    let command = T::augment_args(Command::new("")).mut_args(|flag| flag.env(None::<&'static str>));
    T::from_arg_matches(&command.try_get_matches_from([""])?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::{DEFAULT_LEAF_URL, RateFlags, RowFlags, SelectionFlags, TargetFlags};

    #[test]
    fn every_group_that_a_run_takes_has_defaults() {
        let target: TargetFlags = defaults().unwrap();
        assert_eq!((target.leaf_url.as_str(), target.timeout), (DEFAULT_LEAF_URL, Duration::from_secs(30)));
        assert_eq!(defaults::<RateFlags>().unwrap().concurrency, 32);
        assert_eq!(defaults::<RowFlags>().unwrap().limits.max_changes, 50);
        assert!(defaults::<SelectionFlags>().unwrap().only.is_empty());
    }
}
