//! The script for a night of the Indexed Job, with a `kubectl` that writes down what it is asked for.

use std::process::Command;

use super::{deployed, has, read, say};

const SCRIPT: &str = "kubernetes/shards-night.sh";
const POD: &str = "kubernetes/manifest-pod.yaml";

/// A night whose Job of all shards says, look by look, what `conditions` holds. Gives exit code, what was asked for, and what was written
/// into the pod.
fn night(active: &str, conditions: &[&str]) -> (Option<i32>, Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("growers.csv.zst"), "tonight's manifest").unwrap();
    std::fs::write(at("active"), active).unwrap();
    std::fs::write(at("conditions"), conditions.join("\n") + "\n").unwrap();
    let kubectl = r#"#!/bin/sh
cd "${0%/*}"
case "$*" in
  *status.active*) cat active; exit ;;
  'get job stara-onboard-shards -o '*) head -n 1 conditions; sed -i '1{$!d}' conditions; exit ;;
  'get job '*) echo Complete; exit ;;
  'exec '*) cat >written ;;
  'apply -f -') echo "claim: $(grep -c 'kind: ')" >>asked; exit ;;
esac
echo "$1 $2 $3" | sed 's|/[^ ]*/||' >>asked
"#;
    std::fs::write(at("kubectl"), kubectl).unwrap();
    std::fs::set_permissions(at("kubectl"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut script = Command::new("bash");
    script.arg(deployed(SCRIPT)).arg("growers.csv.zst").current_dir(folder.path());
    let output = script.env("PATH", path).env("STARA_ONBOARD_POLL", "0").output().unwrap();
    let text = |name: &str| std::fs::read_to_string(at(name)).unwrap_or_default();
    (output.status.code(), text("asked").lines().map(str::to_owned).collect(), text("written"))
}

const ALL: [&str; 8] = [
    "delete job stara-onboard-shards",
    "claim: 1",
    "apply -f manifest-pod.yaml",
    "wait --for=condition=Ready --timeout=5m",
    "exec -i stara-onboard-manifest",
    "delete pod stara-onboard-manifest",
    "apply -f indexed-job.yaml",
    "apply -f shards-report-job.yaml",
];

#[test]
fn a_night_brings_the_new_manifest_starts_the_jobs_anew_and_waits_for_their_end() {
    let (code, asked, written) = night("", &["", "SuccessCriteriaMet", "SuccessCriteriaMet Complete"]);
    assert_eq!(code, Some(0));
    assert_eq!(asked, ALL);
    assert_eq!(written, "tonight's manifest");
}

#[test]
fn a_night_in_which_a_shard_fails_ends_at_once_with_1_and_has_its_report() {
    let (code, asked, _) = night("", &["", "FailureTarget", "FailureTarget Failed"]);
    assert_eq!(code, Some(1));
    assert_eq!(asked, ALL);
}

#[test]
fn a_night_begins_nothing_beside_shards_that_are_still_at_work() {
    assert_eq!(night("3", &[""]), (Some(11), Vec::new(), String::new()));
}

#[test]
fn the_script_passes_shellcheck_and_its_pod_kubernetes_schema() {
    if has("shellcheck", "the script for a night of shards") {
        assert_eq!(say("shellcheck", &[deployed(SCRIPT).to_str().unwrap()]), (true, String::new()));
    }
    if has("kubernetes-validate", "the pod that takes a manifest") {
        let (is_content, said) = say("kubernetes-validate", &["--strict", deployed(POD).to_str().unwrap()]);
        assert!(is_content, "{said}");
    }
    // What it mounts is what the shards mount.
    for claim in ["stara-onboard-manifest", "stara-onboard-shards"] {
        let name = format!("claimName: {claim}\n");
        assert!(read(POD).contains(&name) && read("kubernetes/indexed-job.yaml").contains(&name), "{claim}");
    }
}
