//! The Indexed Job and the Job of its report, taken by Kubernetes' schema, and carried out as their pods would be.

use std::collections::{BTreeMap, BTreeSet};

use stara_onboard::cli::ExitCode;
use yaml_rust2::{Yaml, YamlLoader};

use super::{deployed, has, prepared_of, read, say};
use crate::support::{Bench, Grower, Invocation};

const SHARDS: &str = "kubernetes/indexed-job.yaml";
const REPORT: &str = "kubernetes/shards-report-job.yaml";

/// Source: the documentation of Kubernetes' Job, "completion mode".
const INDEX: &str = "JOB_COMPLETION_INDEX";

fn job(file: &str) -> Yaml {
    let objects = YamlLoader::load_from_str(&read(file)).unwrap();
    objects.into_iter().find(|object| object["kind"].as_str() == Some("Job")).unwrap()
}

fn list(yaml: &Yaml) -> &[Yaml] {
    yaml.as_vec().unwrap()
}

fn pod(job: &Yaml) -> &Yaml {
    &job["spec"]["template"]["spec"]
}

/// What the pod starts, with its folders in the bench's: `index` as the Job's controller sets it.
fn started(bench: &Bench, job: &Yaml, index: Option<i64>) -> Invocation {
    let container = &list(&pod(job)["containers"])[0];
    let folder = bench.folder().to_str().unwrap();
    let mut mounts = BTreeMap::new();
    for mount in list(&container["volumeMounts"]) {
        let path = mount["mountPath"].as_str().unwrap();
        mounts.insert(path, mount["readOnly"].as_bool() == Some(true));
        std::fs::create_dir_all(bench.path(&path[1..])).unwrap();
    }
    let place = |text: &str| {
        let text = match index {
            Some(index) => text.replace(&format!("$({INDEX})"), &index.to_string()),
            None => text.to_owned(),
        };
        let mounts = mounts.keys().filter(|mount| **mount != "/tmp");
        mounts.fold(text, |text, mount| text.replace(&format!("{mount}/"), &format!("{folder}{mount}/")))
    };
    let arguments = list(&container["args"]).iter().map(|word| place(word.as_str().unwrap()));
    let mut program = bench.program().env_remove("LEAF_TOKEN").args(arguments);
    program = program.env("TMPDIR", bench.path("tmp"));
    if let Some(index) = index {
        program = program.env(INDEX, index.to_string());
    }
    for variable in container["env"].as_vec().into_iter().flatten() {
        program = program.env(variable["name"].as_str().unwrap(), place(variable["value"].as_str().unwrap()));
    }
    program
}

/// A folder with what the pods mount, and its growers, of whom the eighth has a wrong password.
fn laid_out(rows: usize) -> (Bench, Vec<Grower>) {
    let (bench, mut rows) = prepared_of(rows);
    rows[7] = rows[7].with_password("sandbox:wrong-password");
    bench.write_manifest(&rows);
    std::fs::create_dir_all(bench.path("manifest")).unwrap();
    std::fs::create_dir_all(bench.path("secrets")).unwrap();
    let packed = zstd::encode_all(&*std::fs::read(bench.path("growers.csv")).unwrap(), 0).unwrap();
    bench.write("manifest/growers.csv.zst", packed);
    std::fs::remove_file(bench.path("growers.csv")).unwrap();
    std::fs::rename(bench.path("leaf-token"), bench.path("secrets/leaf-token")).unwrap();
    (bench, rows)
}

#[test]
fn the_jobs_are_of_kubernetes_schema_to_the_last_field() {
    if !has("kubernetes-validate", "the schema of the Jobs") {
        return;
    }
    for file in [SHARDS, REPORT] {
        let (is_content, said) = say("kubernetes-validate", &["--strict", deployed(file).to_str().unwrap()]);
        assert!(is_content, "{said}");
    }
    // A mistake would be found.
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("job.yaml");
    std::fs::write(&damaged, read(SHARDS).replace("backoffLimitPerIndex:", "backoffLimitsPerIndex:"))
        .unwrap();
    let (is_content, said) = say("kubernetes-validate", &["--strict", damaged.to_str().unwrap()]);
    assert!(!is_content && said.contains("backoffLimitsPerIndex"), "{said}");
}

#[test]
fn the_lines_for_the_rates_are_of_kubernetes_schema_once_they_are_filled_in() {
    if !has("kubernetes-validate", "the lines for the rates") {
        return;
    }
    for file in [SHARDS, "kubernetes/cronjob.yaml"] {
        let text = read(file);
        let lines = text.lines().map(|line| {
            let is_setting = line.contains("# - name: ") || line.contains("#   value: ");
            if is_setting { line.replacen("# ", "", 1) } else { line.to_owned() }
        });
        let filled_in = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(
            filled_in.matches("- name: STARA_ONBOARD_").count()
                - text.matches("  - name: STARA_ONBOARD_").count(),
            super::SPEEDS.len()
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.yaml");
        std::fs::write(&path, filled_in).unwrap();
        let (is_content, said) = say("kubernetes-validate", &["--strict", path.to_str().unwrap()]);
        assert!(is_content, "{said}");
    }
}

#[test]
fn there_are_as_many_pods_as_shards_and_they_write_nowhere_but_to_their_volume() {
    let shards = job(SHARDS);
    let count = shards["spec"]["completions"].as_i64().unwrap();
    assert_eq!(shards["spec"]["completionMode"].as_str(), Some("Indexed"));
    assert_eq!(shards["spec"]["parallelism"].as_i64(), Some(count));
    let arguments = &list(&pod(&shards)["containers"])[0]["args"];
    assert!(list(arguments).contains(&Yaml::String(format!("--shard=auto/{count}"))));
    for job in [shards, job(REPORT)] {
        let pod = pod(&job);
        assert_eq!(pod["restartPolicy"].as_str(), Some("Never"));
        assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false));
        assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
        let security = &list(&pod["containers"])[0]["securityContext"];
        assert_eq!(security["readOnlyRootFilesystem"].as_bool(), Some(true));
        assert_eq!(security["allowPrivilegeEscalation"].as_bool(), Some(false));
        assert_eq!(list(&security["capabilities"]["drop"])[0].as_str(), Some("ALL"));
        // What outlives a pod is a claim: nothing that dies with the pod holds a ledger.
        let state = list(&pod["volumes"]).iter().find(|volume| volume["name"].as_str() == Some("state"));
        assert_eq!(
            state.unwrap()["persistentVolumeClaim"]["claimName"].as_str(),
            Some("stara-onboard-shards")
        );
    }
}

#[test]
fn of_the_exit_codes_exactly_those_are_tried_again_after_which_a_run_goes_on() {
    let job = job(SHARDS);
    let mut rules = BTreeMap::new();
    for rule in list(&job["spec"]["podFailurePolicy"]["rules"]) {
        if rule["onExitCodes"].is_badvalue() {
            continue;
        }
        for code in list(&rule["onExitCodes"]["values"]) {
            let before = rules.insert(code.as_i64().unwrap(), rule["action"].as_str().unwrap().to_owned());
            assert_eq!(before, None, "{code:?}");
        }
    }
    // 137 is a kill by the system, which is no code of ours.
    assert_eq!(rules.remove(&137).as_deref(), Some("Count"));
    let of = |action: &str| -> Vec<i64> {
        rules.iter().filter(|(_, named)| *named == action).map(|(code, _)| *code).collect()
    };
    assert_eq!(of("Count"), [5, 11, 129, 130, 143]);
    assert_eq!(of("FailIndex"), [1, 8]);
    assert_eq!(of("FailJob"), [2, 4, 7]);
    // Only what `run` never says, and what the pods pardon, is named nowhere.
    let named: BTreeSet<i64> = rules.into_keys().collect();
    let all = ExitCode::ALL.map(|code| i64::from(code.number()));
    let unnamed: Vec<i64> = all.into_iter().filter(|code| !named.contains(code)).collect();
    assert_eq!(unnamed, [0, 3, 6]);
}

#[test]
fn what_the_pods_start_onboards_everybody_once_and_the_last_job_writes_one_report() {
    let (bench, rows) = laid_out(40);
    // A grower whose login is refused is a row of the report, and no failure of a pod.
    let refused = &rows[7];
    let shards = job(SHARDS);
    let count = shards["spec"]["completions"].as_i64().unwrap();
    let pods: Vec<_> = (0..count).map(|index| started(&bench, &shards, Some(index)).start()).collect();
    for pod in pods {
        pod.end().with_code(0);
    }
    let attached: Vec<_> = rows.iter().filter(|row| row.id != refused.id).cloned().collect();
    bench.expect_one_effect_each(&attached);
    for index in 0..count {
        assert!(bench.path(&format!("state/ledger.{index}-of-{count}.db")).exists());
        assert!(bench.path(&format!("state/run.{index}.prom")).exists());
    }
    started(&bench, &job(REPORT), None).end().with_code(0);
    let report = std::fs::read_to_string(bench.path("state/results.csv")).unwrap();
    assert_eq!(report.lines().count(), rows.len() + 1);
    let line = report.lines().find(|line| line.contains(&refused.id.to_string())).unwrap();
    assert!(line.contains("stara-login-rejected"), "{line}");
    // The Job is applied once more: nobody is asked again.
    let calls = bench.calls();
    let pods: Vec<_> = (0..count).map(|index| started(&bench, &shards, Some(index)).start()).collect();
    for pod in pods {
        pod.end().with_code(0);
    }
    assert_eq!(bench.calls(), calls);
}
