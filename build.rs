//! Notes of what the program is built, for `--version`. Nothing here decides how it behaves.

#[path = "build/commit.rs"]
mod commit;
#[path = "build/locked.rs"]
mod locked;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program is made of, beside its dependencies.
const SOURCES: [&str; 5] = ["src", "build", "build.rs", "Cargo.toml", "Cargo.lock"];

fn main() {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    note_commit(&package);
    note("BUILT_AS_PROFILE", &profile());
    note("BUILT_FOR_TARGET", &env::var("TARGET").unwrap_or_default());
    note("BUILT_BY_COMPILER", &compiler());
    note("BUILT_WITH_FEATURES", &features());
    let lock = std::fs::read_to_string(package.join("Cargo.lock")).unwrap_or_default();
    for (variable, name) in [("LOCKED_RUSTLS", "rustls"), ("LOCKED_AWS_LC_RS", "aws-lc-rs")] {
        if let Some(version) = locked::version(&lock, name) {
            note(variable, version);
        }
    }
}

fn note(variable: &str, value: &str) {
    println!("cargo::rustc-env={variable}={value}");
}

/// The commit, as whoever packages the program says, else as the repository or the packed crate does.
///
/// Builds for debugging don't ask the repository: with each commit everything would be compiled anew.
fn note_commit(package: &Path) {
    let variable = "BUILT_OF_COMMIT";
    println!("cargo::rerun-if-env-changed={variable}");
    let said = env::var(variable).ok().filter(|said| commit::is_plausible(said));
    let commit = said.or_else(|| commit::of_packed(package)).or_else(|| {
        if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
            return None;
        }
        for file in commit::files(package) {
            println!("cargo::rerun-if-changed={}", file.display());
        }
        commit::of_repository(package, &SOURCES)
    });
    if let Some(commit) = commit {
        note(variable, &commit);
    }
}

/// The profile's name. Cargo tells which of the two it knows a profile of one's own inherits, but names its folder after it:
/// `target/[TARGET/]PROFILE/build/PACKAGE-HASH/out`.
fn profile() -> String {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let folder =
        out.ancestors().nth(3).and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    folder.filter(|name| name != "debug").or_else(|| env::var("PROFILE").ok()).unwrap_or_default()
}

/// As `rustc 1.95.0`.
fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// As `age, object-store`.
fn features() -> String {
    let names = env::vars().filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase()));
    let mut names: Vec<String> =
        names.filter(|name| name != "default").map(|name| name.replace('_', "-")).collect();
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
