//! The units, taken by systemd and carried out as it would.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{deployed, has, prepared, read, say};
use crate::support::{Bench, Invocation};

const SERVICE: &str = "systemd/stara-onboard.service";

/// The values of a setting of the service, in their order.
fn settings(name: &str) -> Vec<String> {
    settings_in(&read(SERVICE), name)
}

fn settings_in(service: &str, name: &str) -> Vec<String> {
    let values = service.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values.map(str::to_owned).collect()
}

/// The service of the weekly audit, made of the nightly one as the manual says.
fn audit_service() -> String {
    let manual = include_str!("../../../docs/SYSTEMD.md");
    let (_, rest) = manual.split_once("## The weekly audit").unwrap();
    let (_, rest) = rest.split_once("```ini\n").unwrap();
    let (changes, _) = rest.split_once("```").unwrap();
    let mut service = read(SERVICE);
    for change in changes.lines() {
        let is_same = |line: &&str| match change.strip_prefix("Environment=") {
            Some(variable) => {
                let (name, _) = variable.split_once('=').unwrap();
                line.starts_with(&format!("Environment={name}="))
            }
            None => line.starts_with("ExecStart="),
        };
        let line = service.lines().find(is_same).unwrap().to_owned();
        service = service.replace(&line, change);
    }
    service
}

/// A copy of the units that names the program of this build.
fn copied(folder: &Path) -> [PathBuf; 2] {
    copied_with(folder, &read(SERVICE))
}

fn copied_with(folder: &Path, service: &str) -> [PathBuf; 2] {
    let service = service.replace("/usr/local/bin/stara-onboard", env!("CARGO_BIN_EXE_stara-onboard"));
    let paths = ["stara-onboard.service", "stara-onboard.timer"].map(|name| folder.join(name));
    std::fs::write(&paths[0], service).unwrap();
    std::fs::copy(deployed("systemd/stara-onboard.timer"), &paths[1]).unwrap();
    paths
}

/// What a service starts, with its environment, in the bench's folder.
fn started(bench: &Bench, service: &str) -> Invocation {
    let settings = |name: &str| settings_in(service, name);
    let folder = bench.folder().to_str().unwrap();
    for name in ["stara-onboard", "credentials"] {
        std::fs::create_dir_all(bench.path(name)).unwrap();
    }
    for line in settings("LoadCredential") {
        let (name, path) = line.split_once(':').unwrap();
        assert!(path.starts_with("/etc/stara-onboard/"));
        std::fs::copy(bench.path(name), bench.path("credentials").join(name)).unwrap();
    }
    let place = |text: &str| {
        let text = text.replace("%S", folder).replace("%C", folder).replace("/etc/stara-onboard", folder);
        text.replace("%d", &format!("{folder}/credentials"))
    };
    let command = place(&settings("ExecStart")[0]);
    let mut words = command.split(' ');
    assert_eq!(words.next(), Some("/usr/local/bin/stara-onboard"));
    let environment = settings("Environment").into_iter().map(|line| place(&line));
    let invocation = bench.program().env_remove("LEAF_TOKEN").args(words);
    environment.fold(invocation, |invocation, line| {
        let (name, value) = line.split_once('=').unwrap();
        invocation.env(name, value)
    })
}

#[test]
fn the_units_pass_systemds_own_verification_without_a_word() {
    if !has("systemd-analyze", "whether the units are sound") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let paths = copied(folder.path());
    let paths = paths.each_ref().map(|path| path.to_str().unwrap());
    assert_eq!(say("systemd-analyze", &["verify", paths[0], paths[1]]), (true, String::new()));
    // A mistake would be found.
    let text = std::fs::read_to_string(paths[0]).unwrap();
    std::fs::write(paths[0], text.replace("ProtectHome=", "ProtectHouse=")).unwrap();
    let (_, said) = say("systemd-analyze", &["verify", paths[0]]);
    assert!(said.contains("ProtectHouse"), "{said}");
}

#[test]
fn the_service_is_little_exposed() {
    if !has("systemd-analyze", "how exposed the service is") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = copied(folder.path())[0].to_str().unwrap().to_owned();
    // In tenths: from 0, which is best, to 100.
    let (is_content, said) = say("systemd-analyze", &["security", "--offline=true", "--threshold=15", &path]);
    assert!(is_content, "{said}");
}

#[test]
fn what_the_service_starts_onboards_and_writes_only_into_its_own_folders() {
    let (bench, rows) = prepared();
    started(&bench, &read(SERVICE)).end().with_code(0);
    bench.expect_one_effect_each(&rows);
    let named =
        |name: &str| std::fs::read_dir(bench.path(name)).unwrap().map(|entry| entry.unwrap().file_name());
    let written: BTreeSet<String> = named("stara-onboard").map(|name| name.into_string().unwrap()).collect();
    assert!(
        written.is_superset(&["ledger.db", "results.csv", "run.prom"].map(str::to_owned).into()),
        "{written:?}"
    );
    assert!(!bench.path("state").exists());
}

#[test]
fn the_weekly_audit_of_the_manual_is_verified_and_audits() {
    let (bench, rows) = prepared();
    started(&bench, &read(SERVICE)).end().with_code(0);
    let audit = audit_service();
    started(&bench, &audit).end().with_code(0);
    assert!(bench.path("stara-onboard/audit.prom").exists());
    bench.world().set_status(rows[0].id, "invalid");
    started(&bench, &audit).end().with_code(6);
    if has("systemd-analyze", "whether the audit's service is sound") {
        let folder = tempfile::tempdir().unwrap();
        let paths = copied_with(folder.path(), &audit);
        let path = paths[0].to_str().unwrap();
        assert_eq!(say("systemd-analyze", &["verify", path]), (true, String::new()));
    }
}

#[test]
fn of_the_exit_codes_exactly_incomplete_is_tried_again_by_itself() {
    let kept: BTreeSet<u8> =
        settings("RestartPreventExitStatus")[0].split(' ').map(|code| code.parse().unwrap()).collect();
    let fine: BTreeSet<u8> =
        settings("SuccessExitStatus")[0].split(' ').map(|code| code.parse().unwrap()).collect();
    let all = stara_onboard::cli::ExitCode::ALL.map(stara_onboard::cli::ExitCode::number);
    let again: Vec<u8> =
        all.into_iter().filter(|code| *code != 0 && !kept.contains(code) && !fine.contains(code)).collect();
    assert_eq!(again, [5]);
}

#[test]
fn a_run_needs_no_system_call_that_the_service_forbids() {
    let what = "whether a run gets along with the service's filter";
    if !has("systemd-analyze", what) || !has("strace", what) {
        return;
    }
    let (bench, _) = prepared();
    let environment = bench.environment();
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "calls", env!("CARGO_BIN_EXE_stara-onboard"), "run", "growers.csv", "-q"])
        .args(["--metrics", "run.prom", "--log-file", "run.log"])
        .current_dir(bench.folder())
        .envs(environment)
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", String::from_utf8_lossy(&status.stderr));
    let traced = std::fs::read_to_string(bench.path("calls")).unwrap();
    let name = |line: &str| {
        let name = line.split_whitespace().nth(1)?.split('(').next()?.to_owned();
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
    };
    let used: BTreeSet<String> = traced.lines().filter(|line| line.contains('(')).filter_map(name).collect();
    assert!(used.len() > 30, "{used:?}");
    let mut allowed = BTreeSet::new();
    for set in settings("SystemCallFilter") {
        match set.strip_prefix('~') {
            None => allowed.extend(members(&set)),
            Some(forbidden) => {
                let forbidden = members(forbidden);
                allowed.retain(|call| !forbidden.contains(call));
            }
        }
    }
    // SQLite gives its files to the ledger's owner where it is root; the service isn't.
    let is_of_root = |call: &&String| rustix::process::geteuid().is_root() && **call == "fchown";
    let forbidden: Vec<_> = used.difference(&allowed).filter(|call| !is_of_root(call)).collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
}

/// The system calls of a set, and of those that it is made of.
fn members(set: &str) -> BTreeSet<String> {
    let (_, said) = say("systemd-analyze", &["syscall-filter", set]);
    let mut all = BTreeSet::new();
    for word in
        said.lines().map(str::trim).filter(|word| !word.is_empty() && !word.starts_with('#') && *word != set)
    {
        if word.starts_with('@') {
            all.extend(members(word));
        } else {
            all.insert(word.to_owned());
        }
    }
    all
}
