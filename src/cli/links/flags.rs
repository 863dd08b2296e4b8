//! The flags of every verb that makes magic links.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::file::LinkFile;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::pipeline::LinkRules;
use crate::report::check_link_columns;
use crate::settings::parse_duration;

/// How long Leaf lets a link live, at the least and at the most. Source: Leaf's documentation of magic links.
const SHORTEST: Duration = Duration::from_secs(15 * 60);
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// The flags of every verb that makes magic links.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Magic links")]
pub(in crate::cli) struct LinkFlags {
    /// Write to this CSV file, for each grower whose login was refused, a link to a page of Leaf's on which they sign in
    /// themselves; or none
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_MAGIC_LINKS")]
    pub(in crate::cli) magic_links: Option<PathBuf>,
    /// How long a new link works, from 15m to 365d
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_LINK_EXPIRES", default_value = "30d", value_parser = parse_lifetime)]
    pub(in crate::cli) link_expires: Duration,
    /// Make new links even where one works yet: a grower used theirs up
    #[arg(long, requires = "magic_links")]
    pub(in crate::cli) new_links: bool,
}

impl LinkFlags {
    /// Where the links are written, with these columns of the manifest behind their own; `None` where none are asked for.
    /// Checked before anything is sent.
    ///
    /// # Errors
    ///
    /// When the path names no such file, or the columns can't be told from each other.
    pub(in crate::cli) fn file(&self, kept_columns: &[String]) -> Result<Option<LinkFile>, Failure> {
        let Some(path) = self.asked() else { return Ok(None) };
        let usage = |error: anyhow::Error, hint: &str| Err(Failure::new(ExitCode::Usage, error, hint));
        if !is_csv(path) {
            let error =
                anyhow::anyhow!("magic links are written as CSV, and {} names no such file", path.display());
            return usage(error, "nothing was sent; write --magic-links FILE.csv, or --magic-links none");
        }
        if let Err(error) = check_link_columns(kept_columns) {
            let hint = "nothing was sent; the file of magic links can't have two columns of one name";
            return usage(error.into(), hint);
        }
        Ok(Some(LinkFile { path: path.to_owned(), kept_columns: kept_columns.to_vec() }))
    }

    /// How links are made; `None` where none are asked for.
    pub(in crate::cli) fn rules(&self) -> Option<LinkRules> {
        self.asked().map(|_| LinkRules { lifetime: self.link_expires, anew: self.new_links })
    }

    /// The file that was asked for, be it usable or not.
    pub(in crate::cli) fn asked(&self) -> Option<&PathBuf> {
        self.magic_links.as_ref().filter(|path| path.as_os_str() != "none")
    }
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = parse_duration(text).map_err(|error| error.to_string())?;
    if (SHORTEST..=LONGEST).contains(&lifetime) {
        Ok(lifetime)
    } else {
        Err("must be from 15m to 365d, as Leaf wants it".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_lives_as_long_as_leaf_lets_it() {
        for text in ["15m", "900s", "30d", "365d", "8760h"] {
            assert!(parse_lifetime(text).is_ok(), "{text}");
        }
        for text in ["899s", "0s", "366d", "30", "", "1y"] {
            assert!(parse_lifetime(text).is_err(), "{text}");
        }
    }

    #[test]
    fn links_are_written_to_a_file_whose_name_says_csv() {
        for name in ["-", "links", "links.jsonl", "links.PARQUET", "links.csv.gz", "state/ledger.key"] {
            assert!(!is_csv(Path::new(name)), "{name}");
        }
        for name in ["links.csv", "LINKS.CSV", "out/links.2026-11-21.csv"] {
            assert!(is_csv(Path::new(name)), "{name}");
        }
    }
}
