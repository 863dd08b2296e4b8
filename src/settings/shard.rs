//! `--shard`: which part of the manifest a process carries out, said outright or by whoever started it.

use std::ffi::OsString;
use std::str::FromStr;

use crate::model::{ParseShardError, Shard};

/// The variables in which schedulers tell each process of an array its index from 0: Kubernetes in an Indexed Job, Slurm in a
/// job array, AWS Batch in an array job. Source: the documentation of each.
pub const INDEX_VARIABLES: [&str; 3] =
    ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX"];

/// The value of `--shard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardFlag {
    /// `I/N`: this shard.
    Of(Shard),
    /// `auto/N`: the scheduler's variable holds the index.
    Auto {
        /// How many shards there are.
        count: u32,
    },
}

/// A value of `--shard` that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}; or auto/N, where a scheduler tells the index")]
pub struct ParseShardFlagError(ParseShardError);

impl FromStr for ShardFlag {
    type Err = ParseShardFlagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("auto/") {
            None => text.parse().map(Self::Of).map_err(ParseShardFlagError),
            // Judged as the first shard of so many: there is one whatever the number.
            Some(count) => format!("0/{count}")
                .parse::<Shard>()
                .map(|first| Self::Auto { count: first.count() })
                .map_err(ParseShardFlagError),
        }
    }
}

/// Why `--shard auto/N` is no shard. Nothing was done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AutoShardError {
    /// No scheduler says anything.
    #[error("--shard auto/{count} needs an index, and none of {} is set", INDEX_VARIABLES.join(", "))]
    NoIndex {
        /// How many shards there are to be.
        count: u32,
    },
    /// One that is set holds no number.
    #[error("--shard auto/{count} needs an index, and {variable} is {value:?}")]
    NoNumber {
        /// How many shards there are to be.
        count: u32,
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: String,
    },
    /// There are fewer shards.
    #[error("{variable} is {index}, and of {count} shards the last one is {}", count - 1)]
    TooLarge {
        /// How many shards there are to be.
        count: u32,
        /// The variable.
        variable: &'static str,
        /// What it holds.
        index: u32,
    },
    /// Two of them say different things.
    #[error("{} is {}, but {} is {}", .one.0, .one.1, .other.0, .other.1)]
    Disagreement {
        /// A variable and its index.
        one: (&'static str, u32),
        /// Another one.
        other: (&'static str, u32),
    },
}

impl ShardFlag {
    /// The shard it means, in an environment in which `read` looks a variable up.
    ///
    /// # Errors
    ///
    /// When it is to be found there, and isn't.
    pub fn resolve(self, read: impl Fn(&str) -> Option<OsString>) -> Result<Shard, AutoShardError> {
        let count = match self {
            Self::Of(shard) => return Ok(shard),
            Self::Auto { count } => count,
        };
        let mut found: Option<(&'static str, u32)> = None;
        for variable in INDEX_VARIABLES {
            let Some(value) = read(variable).filter(|value| !value.is_empty()) else { continue };
            let value = value.to_string_lossy().into_owned();
            let Ok(index) = value.parse::<u32>() else {
                return Err(AutoShardError::NoNumber { count, variable, value });
            };
            match found {
                Some(one) if one.1 != index => {
                    return Err(AutoShardError::Disagreement { one, other: (variable, index) });
                }
                _ => found = Some((variable, index)),
            }
        }
        let (variable, index) = found.ok_or(AutoShardError::NoIndex { count })?;
        Shard::new(index, count).map_err(|_| AutoShardError::TooLarge { count, variable, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(flag: &str, environment: &[(&str, &str)]) -> Result<String, String> {
        let read = |name: &str| {
            environment.iter().find(|(other, _)| *other == name).map(|(_, value)| OsString::from(*value))
        };
        let flag: ShardFlag = flag.parse().unwrap();
        flag.resolve(read).map(|shard| shard.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_shard_is_said_outright_or_taken_from_a_scheduler() {
        assert_eq!(resolve("3/8", &[("JOB_COMPLETION_INDEX", "5")]).as_deref(), Ok("3/8"));
        for variable in INDEX_VARIABLES {
            assert_eq!(resolve("auto/8", &[(variable, "7")]).as_deref(), Ok("7/8"), "{variable}");
        }
        let alike =
            [("SLURM_ARRAY_TASK_ID", "0"), ("JOB_COMPLETION_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_INDEX", "")];
        assert_eq!(resolve("auto/1", &alike).as_deref(), Ok("0/1"));
    }

    #[test]
    fn an_index_that_is_missing_unreadable_too_large_or_in_doubt_is_refused_by_its_variable() {
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[], "none of JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX is set"),
            (&[("SLURM_ARRAY_TASK_ID", "")], "none of"),
            (&[("SLURM_ARRAY_TASK_ID", "-1")], "SLURM_ARRAY_TASK_ID is \"-1\""),
            (&[("SLURM_ARRAY_TASK_ID", "8")], "SLURM_ARRAY_TASK_ID is 8, and of 8 shards the last one is 7"),
            (
                &[("SLURM_ARRAY_TASK_ID", "1"), ("JOB_COMPLETION_INDEX", "2")],
                "JOB_COMPLETION_INDEX is 2, but SLURM_ARRAY_TASK_ID is 1",
            ),
        ];
        for (environment, expected) in cases {
            let error = resolve("auto/8", environment).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["auto", "auto/", "auto/0", "auto/1025", "auto/08", "AUTO/8", "8/8", "x"] {
            assert!(text.parse::<ShardFlag>().is_err(), "{text}");
        }
    }
}
