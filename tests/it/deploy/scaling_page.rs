//! The commands of `docs/SCALING.md`, run as they stand there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::{has, prepared_of, say};

const PAGE: &str = include_str!("../../../docs/SCALING.md");

/// The blocks of commands under a heading.
fn blocks(heading: &str) -> Vec<&'static str> {
    let (_, rest) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    section.split("```sh\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect()
}

fn bash(commands: &str, folder: &Path) -> (bool, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_stara-onboard")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", commands])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn four_shards_by_hand_onboard_everybody_and_make_one_report() {
    let (bench, rows) = prepared_of(30);
    // Before it, the page begins services; here they are there.
    let [_, commands] = blocks("Try it by hand")[..] else { panic!() };
    let [stara, leaf] = bench.urls();
    let commands = commands.replace("http://127.0.0.1:18081", stara).replace("http://127.0.0.1:18082", leaf);
    let (is_content, said) = bash(&commands, bench.folder());
    assert!(is_content, "{said}");
    bench.expect_one_effect_each(&rows);
    let report = std::fs::read_to_string(bench.path("results.csv")).unwrap();
    let lines: Vec<&str> = report.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let expected: Vec<String> = (2..rows.len() + 2).map(|line| line.to_string()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_job_for_each_shard_is_made_of_the_one_for_all_and_shares_nothing_with_the_others() {
    let blocks = blocks("Kubernetes: an Indexed Job");
    let commands = blocks.iter().find(|block| block.contains("sed ")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let source = super::deployed("kubernetes/indexed-job.yaml");
    let commands = commands
        .replace("deploy/kubernetes/indexed-job.yaml", source.to_str().unwrap())
        .replace("kubectl apply -f -", "cat >$shard.yaml");
    assert_eq!(bash(&commands, folder.path()), (true, String::new()));
    let mut claims = BTreeSet::new();
    for shard in 0..8 {
        let path = folder.path().join(format!("{shard}.yaml"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("--shard={shard}/8")), "{text}");
        assert!(text.contains("completions: 1\n") && text.contains("parallelism: 1\n"), "{text}");
        let claim = text.lines().find(|line| line.contains("claimName: ")).unwrap();
        claims.insert(claim.to_owned());
        if has("kubernetes-validate", "the Jobs of single shards") {
            let (is_content, said) = say("kubernetes-validate", &["--strict", path.to_str().unwrap()]);
            assert!(is_content, "{said}");
        }
    }
    assert_eq!(claims.len(), 8);
}

#[test]
fn every_file_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_end = |character: char| character.is_whitespace() || "`,;()".contains(character);
    let named: BTreeSet<&str> = PAGE.split(is_end).filter(|word| word.starts_with("deploy/")).collect();
    assert!(named.len() >= 4, "{named:?}");
    for name in named {
        assert!(root.join(name).exists(), "{name}");
    }
}
