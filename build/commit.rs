//! Of which commit the sources are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether this could be a commit, with a word of ours behind it or none. It is shown, and goes through cargo line by line.
pub(crate) fn is_plausible(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" ()-".contains(&byte);
    (7..=80).contains(&text.len()) && text.bytes().all(is_plain)
}

/// What cargo notes in a crate that it packs.
pub(crate) fn of_packed(package: &Path) -> Option<String> {
    let noted = std::fs::read_to_string(package.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = noted.split_once("\"sha1\"")?;
    let commit = rest.split('"').nth(1)?.to_owned();
    let changed = rest
        .split_once("\"dirty\"")
        .is_some_and(|(_, rest)| rest.trim_start_matches([':', ' ']).starts_with("true"));
    Some(commit).filter(|commit| is_plausible(commit)).map(|commit| told(commit, changed))
}

/// What git says, where the package is a repository of its own. One around it is about something else.
pub(crate) fn of_repository(package: &Path, sources: &[&str]) -> Option<String> {
    if !package.join(".git").exists() {
        return None;
    }
    let commit = git(package, &["rev-parse", "HEAD"])?;
    let sources = sources.iter().filter(|source| package.join(source).exists()).copied();
    let asked: Vec<&str> = ["status", "--porcelain", "--"].into_iter().chain(sources).collect();
    let changed = git(package, &asked).is_none_or(|changes| !changes.is_empty());
    Some(commit).filter(|commit| is_plausible(commit)).map(|commit| told(commit, changed))
}

/// The files that change when another commit is the current one.
pub(crate) fn files(package: &Path) -> Vec<PathBuf> {
    if !package.join(".git").exists() {
        return Vec::new();
    }
    let path = |name: &str| git(package, &["rev-parse", "--git-path", name]).map(|path| package.join(path));
    ["HEAD", "logs/HEAD", "index"].into_iter().filter_map(path).filter(|path| path.exists()).collect()
}

fn told(commit: String, changed: bool) -> String {
    if changed { commit + " (and changes)" } else { commit }
}

fn git(package: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    // Whoever builds from within a hook has these set, and they would win.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(variable);
    }
    let output = git.arg("--no-optional-locks").args(arguments).current_dir(package).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
