//! The `CronJob`, taken by Kubernetes' schema, and carried out as its container would be.

use std::collections::BTreeMap;

use yaml_rust2::{Yaml, YamlLoader};

use super::{deployed, has, prepared, read, say};

const FILE: &str = "kubernetes/cronjob.yaml";

/// The object of this kind.
fn object(kind: &str) -> Yaml {
    let objects = YamlLoader::load_from_str(&read(FILE)).unwrap();
    objects.into_iter().find(|object| object["kind"].as_str() == Some(kind)).unwrap()
}

fn pod(job: &Yaml) -> &Yaml {
    &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
}

fn list(yaml: &Yaml) -> &[Yaml] {
    yaml.as_vec().unwrap()
}

#[test]
fn the_objects_are_of_kubernetes_schema_to_the_last_field() {
    let path = deployed(FILE);
    let path = path.to_str().unwrap();
    if !has("kubernetes-validate", "the CronJob's schema") {
        return;
    }
    let (is_content, said) = say("kubernetes-validate", &["--strict", path]);
    assert!(is_content, "{said}");
    // A mistake would be found.
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("cronjob.yaml");
    std::fs::write(&damaged, read(FILE).replace("concurrencyPolicy:", "concurencyPolicy:")).unwrap();
    let (is_content, said) = say("kubernetes-validate", &["--strict", damaged.to_str().unwrap()]);
    assert!(!is_content && said.contains("concurencyPolicy"), "{said}");
}

#[test]
fn one_run_at_a_time_which_kubernetes_neither_repeats_nor_lets_write_anywhere_else() {
    let job = object("CronJob");
    assert_eq!(job["spec"]["concurrencyPolicy"].as_str(), Some("Forbid"));
    assert_eq!(job["spec"]["jobTemplate"]["spec"]["backoffLimit"].as_i64(), Some(0));
    let pod = pod(&job);
    assert_eq!(pod["restartPolicy"].as_str(), Some("Never"));
    assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false));
    assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    let container = &list(&pod["containers"])[0];
    let security = &container["securityContext"];
    assert_eq!(security["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(security["allowPrivilegeEscalation"].as_bool(), Some(false));
    assert_eq!(list(&security["capabilities"]["drop"])[0].as_str(), Some("ALL"));
    // No secret stands in the object itself.
    let values = list(&container["env"]).iter().filter(|variable| !variable["value"].is_badvalue());
    for variable in values {
        assert!(variable["value"].as_str().unwrap().starts_with('/'), "{variable:?}");
    }
    let claimed = object("PersistentVolumeClaim");
    let volumes = list(&pod["volumes"]).iter();
    let claims: Vec<_> =
        volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str()).collect();
    assert_eq!(claims, [claimed["metadata"]["name"].as_str().unwrap()]);
}

#[test]
fn what_the_container_starts_onboards_and_writes_to_its_volume_only() {
    let (bench, rows) = prepared();
    let job = object("CronJob");
    let pod = pod(&job);
    let container = &list(&pod["containers"])[0];
    let volumes: Vec<&str> =
        list(&pod["volumes"]).iter().map(|volume| volume["name"].as_str().unwrap()).collect();
    let mut mounts = BTreeMap::new();
    for mount in list(&container["volumeMounts"]) {
        assert!(volumes.contains(&mount["name"].as_str().unwrap()), "{mount:?}");
        mounts.insert(mount["mountPath"].as_str().unwrap(), mount["readOnly"].as_bool() == Some(true));
        std::fs::create_dir_all(bench.path(&mount["mountPath"].as_str().unwrap()[1..])).unwrap();
    }
    std::fs::rename(bench.path("growers.csv"), bench.path("manifest/growers.csv")).unwrap();
    std::fs::rename(bench.path("leaf-token"), bench.path("secrets/leaf-token")).unwrap();
    let folder = bench.folder().to_str().unwrap();
    let place = |text: &str| if text.starts_with('/') { format!("{folder}{text}") } else { text.to_owned() };
    let arguments = list(&container["args"]).iter().map(|word| place(word.as_str().unwrap()));
    let mut program = bench.program().env_remove("LEAF_TOKEN").args(arguments);
    for variable in list(&container["env"]) {
        let value = variable["value"].as_str().unwrap();
        let mount = mounts.iter().find(|(path, _)| value.starts_with(&format!("{path}/"))).unwrap();
        let name = variable["name"].as_str().unwrap();
        assert_eq!(*mount.1, name.ends_with("TOKEN_FILE"), "{name} is in {}", mount.0);
        program = program.env(name, place(value));
    }
    program.end().with_code(0);
    bench.expect_one_effect_each(&rows);
    for name in ["ledger.db", "results.csv", "run.prom"] {
        assert!(bench.path("state").join(name).exists(), "{name}");
    }
    let left: Vec<_> =
        std::fs::read_dir(bench.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), mounts.len(), "{left:?}");
}
