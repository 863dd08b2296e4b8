//! The workflows for a public forge: what they start is there, and nothing in them moves by itself.

use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use super::tell_aloud;

fn package(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Each workflow with its name. A packed crate has none, and says so.
fn workflows() -> Vec<(String, Yaml)> {
    let Ok(entries) = std::fs::read_dir(package(".github/workflows")) else {
        tell_aloud("this is a packed crate, so that there are no workflows to be checked");
        return Vec::new();
    };
    let mut workflows: Vec<(String, Yaml)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                YamlLoader::load_from_str(&text).unwrap().remove(0),
            )
        })
        .collect();
    workflows.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        workflows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["ci.yml", "release.yml"]
    );
    workflows
}

/// Every step of every job.
fn steps(workflow: &Yaml) -> Vec<&Yaml> {
    let jobs = workflow["jobs"].as_hash().unwrap();
    jobs.values().flat_map(|job| job["steps"].as_vec().unwrap()).collect()
}

#[test]
fn everything_that_is_used_is_pinned_to_a_version() {
    for (name, workflow) in workflows() {
        for step in steps(&workflow) {
            let Some(used) = step["uses"].as_str() else { continue };
            let (_, version) = used.split_once("@v").unwrap_or_else(|| panic!("{name}: {used}"));
            assert_eq!(
                version.split('.').filter(|part| part.parse::<u32>().is_ok()).count(),
                3,
                "{name}: {used}"
            );
        }
        for job in workflow["jobs"].as_hash().unwrap().values() {
            let system = job["runs-on"].as_str().unwrap();
            assert!(!system.contains("latest"), "{name}: {system}");
            assert!(job["timeout-minutes"].as_i64().is_some(), "{name}: a job without a limit");
        }
    }
}

#[test]
fn every_script_that_is_called_is_there_and_every_script_is_called_somewhere() {
    let workflows = workflows();
    let mut called = String::new();
    for (name, workflow) in &workflows {
        for step in steps(workflow) {
            let Some(commands) = step["run"].as_str() else { continue };
            for word in commands.split_whitespace().filter(|word| word.starts_with(".ci/")) {
                assert!(package(word).is_file(), "{name}: {word}");
            }
            called.push_str(commands);
            called.push('\n');
        }
    }
    let scripts = if workflows.is_empty() {
        &[][..]
    } else {
        &[".ci/run", ".ci/deb", ".ci/musl", ".ci/publish", ".ci/version"]
    };
    for script in scripts {
        assert!(called.contains(script), "{script}");
    }
}

/// Asks `.ci/left-out` what it makes of these, where `CI` and the list of what may be left out are set so.
fn left_out(what: &[&str], ci: Option<&str>, may_leave_out: &str) -> std::process::Output {
    let mut script = std::process::Command::new(package(".ci/left-out"));
    script.args(what).env_remove("CI").envs(ci.map(|ci| ("CI", ci))).env("MAY_LEAVE_OUT", may_leave_out);
    script.output().unwrap()
}

#[test]
fn what_is_left_out_is_a_failure_on_a_forge_unless_the_workflow_names_it() {
    if !package(".ci").exists() {
        tell_aloud("this is a packed crate, so that there are no scripts to be tried");
        return;
    }
    let both = ["encrypted manifests with age", "the page in a browser"];
    for (what, ci, may_leave_out, code) in [
        (&both[..], None, "", 0),
        (&both[..], Some("true"), "", 1),
        (&both[..], Some("true"), "the page in a browser", 1),
        (&both[..], Some("true"), "the page in a browser\nencrypted manifests with age\n", 0),
        (&both[1..], Some("true"), "the page", 1),
        (&[][..], Some("true"), "", 0),
    ] {
        let said = left_out(what, ci, may_leave_out);
        assert_eq!(said.status.code(), Some(code), "{what:?} {ci:?} {may_leave_out:?}");
        let text = String::from_utf8(said.stdout).unwrap();
        assert!(what.iter().all(|what| text.contains(&format!("LEFT OUT: the check of {what}\n"))), "{text}");
    }
    for script in [".ci/run", ".ci/deb"] {
        let text = std::fs::read_to_string(package(script)).unwrap();
        assert!(text.contains(".ci/left-out "), "{script} asks it");
    }
    // What packs a release changes only when somebody changes it.
    let deb = std::fs::read_to_string(package(".ci/deb")).unwrap();
    assert!(deb.contains("cargo install cargo-deb --version"), "{deb}");
}

#[test]
fn who_calls_the_fast_set_installs_first_what_its_tests_ask_for() {
    for (name, workflow) in workflows() {
        for job in workflow["jobs"].as_hash().unwrap().values() {
            let commands: Vec<&str> =
                job["steps"].as_vec().unwrap().iter().filter_map(|step| step["run"].as_str()).collect();
            let Some(set) = commands.iter().position(|command| *command == ".ci/run") else { continue };
            let before = commands[..set].join("\n");
            let words: Vec<&str> = before.split_whitespace().collect();
            for needed in ["strace", "tmux", "age", "gnupg", "bsdutils", "venv", "/usr/local/bin/chromium"] {
                assert!(words.contains(&needed), "{name}: {needed}");
            }
        }
    }
}

#[test]
fn nobody_may_write_but_who_drafts_the_release_and_the_oldest_rust_is_the_promised_one() {
    let manifest = include_str!("../../../Cargo.toml");
    let (_, rest) = manifest.split_once("rust-version = \"").unwrap();
    let (promised, _) = rest.split_once('"').unwrap();
    for (name, workflow) in workflows() {
        assert_eq!(workflow["permissions"]["contents"].as_str(), Some("read"), "{name}");
        for (job, what) in workflow["jobs"].as_hash().unwrap() {
            let may_write = what["permissions"]["contents"].as_str() == Some("write");
            assert_eq!(may_write, job.as_str() == Some("draft"), "{name}: {job:?}");
        }
        let check = &workflow["jobs"]["oldest-rust"];
        if !check.is_badvalue() {
            let commands: Vec<&str> =
                check["steps"].as_vec().unwrap().iter().filter_map(|step| step["run"].as_str()).collect();
            assert!(commands.iter().all(|command| command.contains(promised)), "{commands:?}");
        }
    }
}

#[test]
fn the_shell_can_read_every_script_to_its_end() {
    let mut read = 0;
    for folder in [".ci", "tests/mutants", "deploy/kubernetes", "deploy/slurm", "deploy/debian"] {
        let Ok(entries) = std::fs::read_dir(package(folder)) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let Some(first) = text.lines().next().filter(|line| line.starts_with("#!")) else { continue };
            let shell = if first.contains("bash") { "bash" } else { "sh" };
            if !first.ends_with("sh") {
                continue;
            }
            let said = std::process::Command::new(shell).arg("-n").arg(&path).output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
            read += 1;
        }
    }
    assert!(read > 0 || !package(".ci").exists());
}
