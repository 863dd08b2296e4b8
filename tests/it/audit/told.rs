//! What an audit prints, and which mistakes it tells before anything is sent.

use super::*;

#[test]
fn an_audit_is_compared_with_the_last_one_of_the_same_users() {
    let (bench, rows) = attached(5);
    assert_eq!(audited(&bench, 0, &[])["previous"], json!(null));
    break_credentials(&bench, &rows[..2]);
    audited(&bench, 0, &["growers.csv"]);
    let audit = audited(&bench, 0, &[]);
    assert_eq!(audit["previous"]["counts"], counts(5, 0, 0, 0, 0), "that of the manifest is another matter");
    bench.world().set_status(rows[0].id, "OK");
    let ended = audit_of(&bench, &[]);
    assert!(ended.contains("-1 unhealthy, +1 healthy"), "{ended}");
    assert!(ended.contains(&format!("{}", rows[1].id)), "{ended}");
    assert!(ended.contains("status invalid, ours") && ended.contains("last events"), "{ended}");
    assert!(!ended.contains(&format!("{}", rows[0].id)), "{ended}");
}

#[test]
fn mistakes_are_told_before_anything_is_sent() {
    let (bench, _) = attached(1);
    let calls = bench.calls();
    audit(&bench, &["--repair"]).with_code(2).saying("--repair needs a manifest");
    audit(&bench, &["--now"]).with_code(2);
    audit(&bench, &["--accept", "nobody"]).with_code(2);
    audit(&bench, &["--state", "elsewhere.db"]).with_code(2).saying("elsewhere.db");
    bench.program().env("LEAF_URL", "http://localhost.:1").args(["audit"]).end().with_code(2);
    bench.program().env_remove("LEAF_TOKEN").args(["audit"]).end().with_code(2).saying("no token");
    assert_eq!(bench.calls(), calls);
    assert!(!bench.path("elsewhere.db").exists());
}

#[test]
fn quiet_says_nothing_while_everybody_is_well_and_one_line_as_soon_as_somebody_is_not() {
    let (bench, rows) = attached(30);
    let ended = audit(&bench, &["-q"]).with_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    break_credentials(&bench, &rows[..25]);
    let ended = audit(&bench, &["-q"]).with_code(0);
    let line = "Audit of everybody in the ledger: 5 healthy, 25 unhealthy; exit code 0\n";
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", line));
    let ended = audit(&bench, &["-q", "--detailed-exitcode", "--log-file", "audit.log"]).with_code(6);
    assert!(ended.stderr.ends_with("25 unhealthy; exit code 6\n"), "{}", ended.stderr);
    let log = std::fs::read_to_string(bench.path("audit.log")).unwrap();
    assert_eq!(log.matches(ended.stderr.trim_end()).count(), 1, "{log}");
    let told = audit_of(&bench, &[]);
    assert!(told.contains("… and 5 more; --json has all of them"), "{told}");
    assert_eq!(told.lines().filter(|line| line.contains("status invalid, ours")).count(), 20);
}

#[test]
fn a_quiet_audit_that_repaired_everything_is_silent_and_one_that_could_not_says_one_line() {
    let (bench, rows) = attached(3);
    break_credentials(&bench, &rows[..2]);
    let repair = ["growers.csv", "--repair", "--now", "-q", "--log-file", "audit.log"];
    let ended = audit(&bench, &[&repair[..], &["--max-changes", "1"]].concat());
    let line = "Audit of growers.csv: 1 healthy, 2 unhealthy; repair by run 2: 1 replaced, 1 left; exit code";
    assert!(ended.stderr.starts_with(line) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
    let ended = audit(&bench, &repair).with_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let log = std::fs::read_to_string(bench.path("audit.log")).unwrap();
    assert!(log.contains("repair by run 3: 1 replaced, 0 left; exit code 0"), "{log}");
}

#[test]
fn where_progress_is_json_every_line_is_and_the_last_one_is_the_audit() {
    let (bench, rows) = attached(2);
    break_credentials(&bench, &rows[..1]);
    let ended = audit(&bench, &["growers.csv", "--repair", "--now", "--progress", "json"]).with_code(0);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["type"] == "ended"), "{lines:#?}");
    let last = lines.last().unwrap();
    assert_eq!((&last["counts"]["unhealthy"], &last["repair"]["replaced"]), (&json!(1), &json!(1)));
}

#[test]
fn what_an_audit_found_of_a_user_stands_in_its_status_until_it_is_well() {
    let (bench, rows) = attached(2);
    bench.world().set_status(rows[0].id, "invalid");
    audit(&bench, &[]).with_code(0);
    let id = rows[0].id.to_string();
    let status = bench.status(&[&id]);
    assert_eq!(status["finding"]["finding"], "unhealthy");
    assert_eq!(status["finding"]["credentialStatus"], "invalid");
    let text = bench.program().args(["status", &id]).end().with_code(0).stdout;
    assert!(text.contains("last audit  unhealthy on"), "{text}");
    assert_eq!(bench.status(&[&rows[1].id.to_string()])["finding"], Value::Null);
    bench.world().set_status(rows[0].id, "OK");
    audit(&bench, &[]).with_code(0);
    assert_eq!(bench.status(&[&id])["finding"], Value::Null);
}

#[test]
fn statuses_that_nobody_documents_are_told_word_for_word_and_never_called_broken() {
    let (bench, rows) = attached(3);
    for row in &rows[..2] {
        bench.world().set_status(row.id, "Zombie 7");
    }
    let audit = audited(&bench, 0, &["--detailed-exitcode"]);
    assert_eq!(audit["counts"], counts(3, 0, 0, 0, 0));
    assert_eq!(audit["otherStatuses"], json!({"Zombie 7": 2}));
    let text = super::audit(&bench, &[]).with_code(0).stdout;
    assert!(text.contains("2 Zombie 7"), "{text}");
}
