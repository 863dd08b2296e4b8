//! The files for AWS Batch, put to what AWS' own client demands, and carried out as its containers would be.

use std::process::Command;

use serde_json::Value;

use super::{deployed, prepared_of, read, say};
use crate::support::{Bench, Invocation};

fn json(name: &str) -> Value {
    serde_json::from_str(&read(&format!("aws-batch/{name}"))).unwrap()
}

fn pairs(list: &Value) -> impl Iterator<Item = (&str, &str)> {
    list.as_array().into_iter().flatten().map(|pair| (text(&pair["name"]), text(&pair["value"])))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What a container of the job definition starts, with what a submission overrides.
fn started(bench: &Bench, overrides: &Value, index: Option<u64>) -> Invocation {
    let definition = json("job-definition.json");
    let container = &definition["containerProperties"];
    let folder = bench.folder().to_str().unwrap();
    let place = |text: &str| {
        let mounts = ["/state/", "/manifest/"];
        mounts
            .into_iter()
            .fold(text.to_owned(), |text, mount| text.replace(mount, &format!("{folder}{mount}")))
    };
    for mount in container["mountPoints"].as_array().unwrap() {
        std::fs::create_dir_all(bench.path(&text(&mount["containerPath"])[1..])).unwrap();
    }
    let command = overrides.get("command").unwrap_or(&container["command"]);
    let mut program = bench.program().args(command.as_array().unwrap().iter().map(|word| place(text(word))));
    // The services of a test have no quota, and are its own.
    let is_filled_in = |(name, _): &(&str, &str)| !super::SPEEDS.contains(name);
    let environment = pairs(&container["environment"]).chain(pairs(&overrides["environment"]));
    for (name, value) in environment.filter(is_filled_in) {
        program = program.env(name, place(value));
    }
    if let Some(index) = index {
        program = program.env("AWS_BATCH_JOB_ARRAY_INDEX", index.to_string());
    }
    program.env("TMPDIR", bench.path("tmp"))
}

#[test]
fn the_files_have_the_shape_that_aws_own_client_demands() {
    let has_client = Command::new("python3").args(["-c", "import botocore"]).output();
    if !has_client.is_ok_and(|output| output.status.success()) {
        super::tell_aloud("there is no botocore, so that the files for AWS Batch aren't checked");
        return;
    }
    let check = deployed("aws-batch/check.py");
    let check = check.to_str().unwrap();
    assert_eq!(say("python3", &[check]), (true, String::new()));
    // A mistake would be found.
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("job.json");
    std::fs::write(&damaged, read("aws-batch/job-definition.json").replace("onExitCode", "onExitCodes"))
        .unwrap();
    let (is_content, said) = say("python3", &[check, damaged.to_str().unwrap(), "RegisterJobDefinition"]);
    assert!(!is_content && said.contains("onExitCodes"), "{said}");
}

#[test]
fn what_a_machine_does_at_its_start_passes_shellcheck_and_takes_no_job_unless_the_volume_is_there() {
    let parts = read("aws-batch/user-data.mime");
    let boundary = parts.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let pieces: Vec<&str> = parts.split(&format!("--{boundary}")).collect();
    assert_eq!(pieces.len(), 3, "one part, and the mark of the end");
    assert_eq!(pieces[2], "--\n");
    let script = pieces[1].split_once("\n\n").unwrap().1;
    assert!(script.starts_with("#!/bin/bash\n"));
    let at = |words: &str| script.find(words).unwrap();
    let order =
        ["set -e", "systemctl mask", "attach-volume", "cmp -s", "mkfs", "mount -o", "systemctl unmask"];
    assert!(order.map(at).is_sorted(), "{script}");
    if super::has("shellcheck", "what a machine of AWS Batch does at its start") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("user-data.sh");
        std::fs::write(&path, script).unwrap();
        assert_eq!(say("shellcheck", &[path.to_str().unwrap()]), (true, String::new()));
    }
}

#[test]
fn the_files_name_each_other_by_the_same_names() {
    let environment = json("compute-environment.json");
    let queue = json("job-queue.json");
    let definition = json("job-definition.json");
    assert_eq!(
        queue["computeEnvironmentOrder"][0]["computeEnvironment"],
        environment["computeEnvironmentName"]
    );
    for submitted in ["submit-shards.json", "submit-report.json"] {
        assert_eq!(json(submitted)["jobQueue"], queue["jobQueueName"]);
        assert_eq!(json(submitted)["jobDefinition"], definition["jobDefinitionName"]);
    }
    let secret = text(&definition["containerProperties"]["secrets"][0]["valueFrom"]);
    let granted = json("execution-policy.json");
    // What AWS adds to a secret's name is covered by the star.
    assert_eq!(text(&granted["Statement"][0]["Resource"]), format!("{secret}-*"));
    let volume = json("instance-policy.json");
    let volume = text(&volume["Statement"][1]["Resource"][0]).rsplit('/').next().unwrap();
    assert!(read("aws-batch/user-data.mime").contains(&format!("volume={volume}\n")));
}

#[test]
fn a_container_may_write_to_its_folders_only_and_is_tried_again_only_where_a_run_goes_on() {
    let definition = json("job-definition.json");
    let container = &definition["containerProperties"];
    assert_eq!(container["readonlyRootFilesystem"], true);
    assert_eq!(container["user"], "65532:65532");
    let rules = definition["retryStrategy"]["evaluateOnExit"].as_array().unwrap();
    let again: Vec<&str> = rules
        .iter()
        .filter(|rule| rule["action"] == "RETRY" && rule.get("onExitCode").is_some())
        .map(|rule| text(&rule["onExitCode"]))
        .collect();
    assert_eq!(again, ["5", "137", "143"]);
    // Without a last rule for all others Batch would try those again, too.
    assert_eq!(rules.last().unwrap()["onExitCode"], "*");
    assert_eq!(rules.last().unwrap()["action"], "EXIT");
    assert!(rules.len() <= 5, "Batch takes no more");
}

#[test]
fn what_the_array_starts_onboards_everybody_once_and_the_last_job_writes_one_report() {
    let (bench, rows) = prepared_of(24);
    std::fs::create_dir_all(bench.path("manifest")).unwrap();
    let packed = zstd::encode_all(&*std::fs::read(bench.path("growers.csv")).unwrap(), 0).unwrap();
    bench.write("manifest/growers.csv.zst", packed);
    let size = json("submit-shards.json")["arrayProperties"]["size"].as_u64().unwrap();
    let jobs: Vec<_> = (0..size).map(|index| started(&bench, &Value::Null, Some(index)).start()).collect();
    for job in jobs {
        job.end().with_code(0);
    }
    bench.expect_one_effect_each(&rows);
    started(&bench, &json("submit-report.json")["containerOverrides"], None).end().with_code(0);
    let report = std::fs::read_to_string(bench.path("state/results.csv")).unwrap();
    assert_eq!(report.lines().count(), rows.len() + 1);
}
