//! The Debian package: what Cargo.toml says of it, and the scripts of its maintainer. `.ci/deb` builds and tries the real one.

use std::path::Path;
use std::process::Command;

use super::{deployed, has, read, say};

const MANIFEST: &str = include_str!("../../../Cargo.toml");

/// Each asset's source and where it goes.
fn assets() -> Vec<(String, String)> {
    let (_, rest) = MANIFEST.split_once("\nassets = [\n").unwrap();
    let (listed, _) = rest.split_once("\n]").unwrap();
    let asset = |line: &str| {
        let words: Vec<&str> = line.split('"').collect();
        (words[1].to_owned(), words[3].to_owned())
    };
    listed.lines().map(asset).collect()
}

#[test]
fn everything_that_is_packed_is_there_or_is_made_by_the_script_that_packs() {
    let assets = assets();
    assert!(assets.len() > 10, "{assets:?}");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/deb");
    // A packed crate has no such script; what it would make can't be looked up then.
    let makes = std::fs::read_to_string(script).ok();
    for (source, _) in assets {
        match source.strip_prefix("target/package-files/") {
            Some(made) => {
                let name = made.split(['/', '*']).next().unwrap();
                assert!(makes.as_ref().is_none_or(|makes| makes.contains(&format!("$files/{name}")) || makes.contains(name)), "{source}");
            }
            None if source.starts_with("target/release/") => {}
            None => {
                let folder = source.split('*').next().unwrap();
                assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).exists(), "{source}");
            }
        }
    }
}

#[test]
fn the_scripts_of_the_maintainer_are_sound() {
    if !has("shellcheck", "the scripts of the Debian package") {
        return;
    }
    for name in ["postinst", "prerm", "postrm"] {
        let path = deployed("debian/scripts").join(name);
        assert_eq!(say("shellcheck", &[path.to_str().unwrap()]), (true, String::new()));
    }
}

#[test]
fn the_page_says_how_the_ledger_is_purged_and_the_script_does_it_only_then() {
    let page = include_str!("../../../docs/DEBIAN.md");
    let script = read("debian/scripts/postrm");
    assert!(
        page.contains("STARA_ONBOARD_PURGE=ledger") && script.contains("STARA_ONBOARD_PURGE:-}\" = ledger")
    );
    let folder = tempfile::tempdir().unwrap();
    let kept = |purge: &str| {
        let place = |path: &str| format!("{}{path}", folder.path().display());
        for path in ["/var/lib/stara-onboard", "/var/cache/stara-onboard", "/etc/stara-onboard"] {
            std::fs::create_dir_all(place(path)).unwrap();
        }
        std::fs::write(place("/var/lib/stara-onboard/ledger.db"), "").unwrap();
        let script = ["/var/lib/", "/var/cache/", "/etc/"].iter().fold(script.clone(), |script, path| {
            script.replace(&format!("{path}stara-onboard"), &place(&format!("{path}stara-onboard")))
        });
        // Nothing of this machine's own units.
        let script =
            script.replace("deb-systemd-helper", "no-such-helper").replace("/run/systemd/system", "/nowhere");
        let output = Command::new("sh")
            .args(["-c", &script, "postrm", "purge"])
            .env("STARA_ONBOARD_PURGE", purge)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!Path::new(&place("/var/cache/stara-onboard")).exists());
        let is_kept = Path::new(&place("/var/lib/stara-onboard/ledger.db")).exists();
        (is_kept, String::from_utf8(output.stdout).unwrap().contains("only the ledger knows"))
    };
    assert_eq!(kept(""), (true, true));
    assert_eq!(kept("yes"), (true, true));
    assert_eq!(kept("ledger"), (false, false));
}
