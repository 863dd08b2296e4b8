//! The flags of every verb that makes magic links.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::file::LinkFile;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::model::Shard;
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
    /// Where the links of this shard, or of all users, are written, with these columns of the manifest behind their own;
    /// `None` where none are asked for. Checked before anything is sent.
    ///
    /// # Errors
    ///
    /// When the path names no such file, or not the shard, or the columns can't be told from each other.
    pub(in crate::cli) fn file(
        &self,
        kept_columns: &[String],
        shard: Option<Shard>,
    ) -> Result<Option<LinkFile>, Failure> {
        let Some(path) = self.asked() else { return Ok(None) };
        let usage = |error: anyhow::Error, hint: &str| Err(Failure::new(ExitCode::Usage, error, hint));
        if !is_csv(path) {
            let error =
                anyhow::anyhow!("magic links are written as CSV, and {} names no such file", path.display());
            return usage(error, "nothing was sent; write --magic-links FILE.csv, or --magic-links none");
        }
        if let Some(shard) = shard.filter(|shard| shard.count() > 1 && !names(path, *shard)) {
            // Each shard writes the whole file: the last one's would be all that is left of everybody's links.
            let shown = path.display();
            let error = anyhow::anyhow!(
                "{shown} doesn't say that it is of shard {shard}, and would be every shard's"
            );
            let hint = format!(
                "nothing was sent; put {part} into its name, such as --magic-links links.{part}.csv, or make the links of all \
                 shards at once when they have ended: report --magic-links FILE --state LEDGER…",
                part = shard.infix()
            );
            return usage(error, &hint);
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

/// Whether a file's name holds `I-of-N` of the shard, and not of another one whose numbers are longer.
fn names(path: &Path, shard: Shard) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = shard.infix();
    name.match_indices(&part).any(|(place, _)| {
        let (before, after) = (&name[..place], &name[place + part.len()..]);
        !before.ends_with(|last: char| last.is_ascii_digit())
            && !after.starts_with(|first: char| first.is_ascii_digit())
    })
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
    fn a_file_names_a_shard_where_no_other_one_is_meant() {
        let shard: Shard = "3/8".parse().unwrap();
        for name in ["links.3-of-8.csv", "3-of-8.csv", "links-3-of-8-b.csv", "13-of-8.3-of-8.csv"] {
            assert!(names(Path::new(name), shard), "{name}");
        }
        for name in
            ["links.csv", "links.3.csv", "13-of-8.csv", "3-of-80.csv", "2-of-8.csv", "3-of-8/links.csv"]
        {
            assert!(!names(Path::new(name), shard), "{name}");
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
