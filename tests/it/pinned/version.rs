//! `-V` and `--version`, and what the build script finds out for them.

use std::path::Path;
use std::process::Command;

use super::program;

#[path = "../../../build/commit.rs"]
mod commit;
#[path = "../../../build/locked.rs"]
mod locked;

const NAMED: &str = concat!("stara-onboard ", env!("CARGO_PKG_VERSION"));

/// A commit that nobody has.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn the_short_version_is_one_line_and_the_long_one_begins_with_it() {
    let short = program(&["-V"]).end().with_code(0).stdout;
    assert_eq!(short, format!("{NAMED}\n"));
    let long = program(&["--version"]).end().with_code(0).stdout;
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], NAMED);
    let labels: Vec<&str> = lines[1..].iter().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(labels, ["commit", "build", "features", "SQLite", "TLS"]);
}

#[test]
fn the_long_version_tells_what_is_compiled_in() {
    let long = program(&["--version"]).end().with_code(0).stdout;
    let said = |label: &str| {
        let line = long.lines().find(|line| line.starts_with(label)).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(said("SQLite"), rusqlite::version());
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let pinned = |name| locked::version(&lock, name).unwrap();
    assert_eq!(said("TLS"), format!("rustls {}, aws-lc-rs {}", pinned("rustls"), pinned("aws-lc-rs")));
    assert_eq!(said("features").contains("object-store"), cfg!(feature = "object-store"));
    let [profile, target, compiler] =
        <[String; 3]>::try_from(said("build").split(", ").map(str::to_owned).collect::<Vec<_>>()).unwrap();
    // Where cargo puts the program tells of the profile, too: target/[TARGET/]PROFILE/stara-onboard.
    let folder = Path::new(env!("CARGO_BIN_EXE_stara-onboard")).parent().unwrap();
    assert_eq!(folder.file_name().unwrap().to_str().unwrap(), profile);
    assert!(target.contains(std::env::consts::ARCH) && target.contains(std::env::consts::OS), "{target}");
    assert!(compiler.starts_with("rustc 1."), "{compiler}");
}

#[test]
fn the_commit_of_a_packed_crate_is_what_cargo_noted() {
    let folder = tempfile::tempdir().unwrap();
    let noted = |text: &str| {
        std::fs::write(folder.path().join(".cargo_vcs_info.json"), text).unwrap();
        commit::of_packed(folder.path())
    };
    let clean = format!("{{\n  \"git\": {{\n    \"sha1\": \"{COMMIT}\"\n  }},\n  \"path_in_vcs\": \"\"\n}}");
    assert_eq!(noted(&clean).as_deref(), Some(COMMIT));
    let changed = clean.replace(&format!("\"{COMMIT}\""), &format!("\"{COMMIT}\",\n    \"dirty\": true"));
    assert_eq!(noted(&changed), Some(format!("{COMMIT} (and changes)")));
    for broken in ["", "{}", "{\"git\":{\"sha1\"", "{\"git\":{\"sha1\":\"\\ncargo::error=x\"}}"] {
        assert_eq!(noted(broken), None, "{broken}");
    }
}

#[test]
fn without_a_repository_of_its_own_the_sources_have_no_commit() {
    let repository = repository();
    let inside = repository.path().join("unpacked");
    std::fs::create_dir(&inside).unwrap();
    assert_eq!(commit::of_repository(&inside, &["src"]), None);
    assert_eq!(commit::of_packed(&inside), None);
    assert!(commit::files(&inside).is_empty());
}

#[test]
fn the_commit_of_a_repository_says_whether_the_sources_were_changed_since() {
    let repository = repository();
    let folder = repository.path();
    let head = git(folder, &["rev-parse", "HEAD"]);
    assert_eq!(commit::of_repository(folder, &["src", "build.rs"]), Some(head.clone()));
    // What the program isn't made of doesn't matter.
    std::fs::write(folder.join("growers.csv"), "x").unwrap();
    assert_eq!(commit::of_repository(folder, &["src"]), Some(head.clone()));
    std::fs::write(folder.join("src/new.rs"), "x").unwrap();
    assert_eq!(commit::of_repository(folder, &["src"]), Some(format!("{head} (and changes)")));
}

#[test]
fn a_further_worktree_has_the_commit_that_is_checked_out_there() {
    let repository = repository();
    let first = git(repository.path(), &["rev-parse", "HEAD"]);
    let worktree = tempfile::tempdir().unwrap();
    let place = worktree.path().join("beside");
    git(repository.path(), &["worktree", "add", "--detach", place.to_str().unwrap()]);
    git(repository.path(), &["commit", "--allow-empty", "-m", "second"]);
    assert_eq!(commit::of_repository(&place, &["src"]), Some(first));
    let files = commit::files(&place);
    assert!(files.iter().all(|file| file.exists()) && !files.is_empty(), "{files:?}");
}

#[test]
fn of_several_versions_of_a_crate_the_highest_is_named_and_no_other_crate() {
    let lock = "[[package]]\nname = \"rustls\"\nversion = \"0.21.1\"\n\n[[package]]\nname = \"rustls\"\nversion = \"0.23.9\"\n\n\
                [[package]]\nname = \"rustls-pki\"\nversion = \"9.0.0\"\n";
    assert_eq!(locked::version(lock, "rustls"), Some("0.23.9"));
    assert_eq!(locked::version(lock, "ring"), None);
}

/// A repository with one file in `src`.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    git(folder.path(), &["add", "src"]);
    git(folder.path(), &["commit", "--quiet", "-m", "first"]);
    folder
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
