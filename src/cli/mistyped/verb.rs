//! A word where a verb should stand.

use super::asked::Asked;
use super::words::Told;
use crate::settings::closest;

/// Endings of what people give for a manifest.
const MANIFEST_ENDINGS: [&str; 11] =
    ["csv", "tsv", "txt", "gz", "zst", "parquet", "xlsx", "xls", "json", "age", "gpg"];

/// Tells of a verb that there isn't. Whoever leaves the verb out begins with the manifest.
pub(super) fn unknown(word: &str, asked: &Asked<'_>) -> Told {
    let program = asked.program.get_name();
    if asked.path.is_empty() && looks_like_manifest(word) {
        let what = format!("{word} is no verb, but looks like a manifest: nothing says what to do with it");
        let hint = format!(
            "`{program} check {word}` looks it through offline, `{program} run {word} --sandbox` rehearses, and \
             `{program} run {word}` onboards"
        );
        return (what, hint);
    }
    let verbs = asked.command().get_subcommands().map(clap::Command::get_name).chain(["help"]);
    let nearest = closest(&word.to_ascii_lowercase(), verbs);
    let hint = match nearest {
        Some(near) => format!("did you mean `{} {near}`? {}", asked.call(), asked.help()),
        None => asked.help(),
    };
    (format!("there is no verb {word:?}"), hint)
}

fn looks_like_manifest(word: &str) -> bool {
    let path = std::path::Path::new(word);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let is_known = ending.is_some_and(|ending| MANIFEST_ENDINGS.contains(&ending.as_str()));
    is_known || word == "-" || word.starts_with("s3://") || path.is_file()
}
