//! Which files a rehearsal writes: with the settings of a real job, none of that job's.

use std::path::{Path, PathBuf};

use super::arguments::Verb;

impl Verb {
    /// In a rehearsal, keeps from the files of a real job whatever isn't named on the command line: reports and links are
    /// written beside them, and metrics, of which a collector would see two, not at all. A log is only added to, and stays.
    /// `is_named` says of a flag's id whether the command line names it.
    pub(super) fn spare_real_files(&mut self, is_named: impl Fn(&str) -> bool) {
        match self {
            Self::Run(arguments) if arguments.rehearsal.rehearsal().is_some() => {
                if !is_named("report") {
                    arguments.report.iter_mut().for_each(set_aside);
                }
                if !is_named("magic_links") {
                    arguments.links.magic_links.iter_mut().for_each(set_aside);
                }
                if !is_named("metrics") {
                    arguments.scheduler.forgo_metrics();
                }
            }
            Self::Report(arguments) if arguments.sandbox.is_on() && !is_named("report") => {
                arguments.report.iter_mut().for_each(set_aside);
            }
            _ => {}
        }
    }
}

/// `NAME.csv` becomes `NAME.sandbox.csv`. What has no ending is no file's name, or is refused as one.
fn set_aside(path: &mut PathBuf) {
    if let Some(aside) = aside(path) {
        *path = aside;
    }
}

fn aside(path: &Path) -> Option<PathBuf> {
    let (mut name, ending) = (path.file_stem()?.to_owned(), path.extension()?);
    name.push(".sandbox.");
    name.push(ending);
    Some(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_rehearsal_stands_beside_the_real_one() {
        for (real, expected) in [
            ("results.csv", Some("results.sandbox.csv")),
            ("out/links.2026-11-21.csv", Some("out/links.2026-11-21.sandbox.csv")),
            ("/var/lib/x/RESULTS.PARQUET", Some("/var/lib/x/RESULTS.sandbox.PARQUET")),
            ("none", None),
            ("-", None),
            ("", None),
            ("..", None),
        ] {
            assert_eq!(aside(Path::new(real)), expected.map(PathBuf::from), "{real}");
        }
    }
}
