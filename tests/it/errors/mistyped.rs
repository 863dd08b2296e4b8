//! Slips of the fingers, answered with what was meant.

use super::refused;
use crate::support::{Bench, Ended, growers};

fn typed(bench: &Bench, words: &str) -> Ended {
    bench.program().args(words.split(' ')).end()
}

#[test]
fn a_verb_is_answered_with_the_nearest() {
    let bench = Bench::new(&[]);
    refused(
        typed(&bench, "rnu growers.csv"),
        "there is no verb \"rnu\"",
        "did you mean `stara-onboard run`?",
    );
    refused(typed(&bench, "help chek"), "there is no verb \"chek\"", "did you mean `stara-onboard check`?");
    refused(
        typed(&bench, "state frget"),
        "there is no verb \"frget\"",
        "did you mean `stara-onboard state forget`?",
    );
    refused(typed(&bench, "sing"), "there is no verb \"sing\"", "`stara-onboard --help` says what there is");
}

#[test]
fn a_flag_is_answered_with_the_nearest_or_the_verb_that_takes_it() {
    let bench = Bench::new(&[]);
    for (words, what, hint) in [
        ("run g.csv --leaf-rat 3/s", "run takes no flag --leaf-rat", "did you mean --leaf-rate?"),
        ("run g.csv --leaf_rate 3/s", "run takes no flag --leaf_rate", "did you mean --leaf-rate?"),
        ("run g.csv --leaf-tokn t", "run takes no flag --leaf-tokn", "did you mean --leaf-token-file?"),
        ("run g.csv --repair", "run takes no flag --repair", "it is a flag of audit;"),
        ("state prune --keep-run 3", "state prune takes no flag --keep-run", "did you mean --keep-runs?"),
        ("check g.csv --leaf-ulr u", "check takes no flag --leaf-ulr", "did you mean --leaf-url, a flag of "),
        ("--vresion", "there is no flag --vresion before the verb", "did you mean --version?"),
        ("run g.csv --zzz", "run takes no flag --zzz", "`stara-onboard run --help` says what there is"),
        ("run one.csv two.csv", "\"two.csv\" is one word too many", "call it once for each manifest"),
    ] {
        refused(typed(&bench, words), what, hint);
    }
}

#[test]
fn a_secret_on_the_command_line_is_answered_with_where_it_belongs_and_not_repeated() {
    let bench = Bench::new(&[]);
    for (flag, place) in [
        ("--token", "set LEAF_TOKEN, or name a file that holds it with --leaf-token-file"),
        ("--leaf-token", "set LEAF_TOKEN"),
        ("--password", "set LEAF_USERNAME and LEAF_PASSWORD"),
        ("--access-token-client", "set STARA_ACCESS_TOKEN_CLIENT"),
    ] {
        for words in
            [format!("run g.csv {flag} hunter2-hunter2"), format!("run g.csv {flag}=hunter2-hunter2")]
        {
            let ended = typed(&bench, &words);
            assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
            refused(ended, &format!("run takes no flag {flag}"), place);
        }
    }
}

#[test]
fn the_part_of_a_value_that_is_right_is_not_taken_for_the_slip() {
    let bench = Bench::new(&[]);
    let ended = bench.program().args(["sandbox", "--fault", "attach:hang:sometimes"]).end();
    assert!(!ended.stderr.contains("did you mean"), "{}", ended.stderr);
    refused(ended, "--fault can't be \"attach:hang:sometimes\"", "");
}

#[test]
fn a_value_is_answered_with_the_nearest_choice_and_with_what_can_be_written() {
    let bench = Bench::new(&[]);
    for (words, what, hint) in [
        (
            "run g.csv --sandbox=strom",
            "--sandbox can't be \"strom\"",
            "did you mean storm? write clean, flaky",
        ),
        ("sandbox --profile lost-replys", "--profile can't be \"lost-replys\"", "did you mean lost-replies?"),
        ("sandbox --fault reply-lots:20%", "--fault can't be", "did you mean reply-lost?"),
        ("run g.csv --column logn=nome", "--column can't be \"logn=nome\"", "did you mean login?"),
        ("run g.csv --on-existing keeep", "--on-existing can't be \"keeep\"", "did you mean keep?"),
        ("run g.csv --format CVS", "--format can't be \"CVS\"", "did you mean csv?"),
        (
            "run g.csv --timeout 30",
            "--timeout can't be \"30\": it is no duration",
            "write 500ms, 30s, 15m, 2h or 90d",
        ),
        ("run g.csv --leaf-rate 10", "--leaf-rate can't be \"10\": it is no rate", "write 10/s, 300/min"),
        ("run g.csv --concurrency many", "it is no whole number", "run --help"),
        ("run g.csv --concurrency 0", "--concurrency can't be \"0\": 0 is not in 1..=10000", "run --help"),
        ("run g.csv --stara-rate", "--stara-rate has no value", "run --help"),
        ("run g.csv -v -q", "--verbose can't go together with --quiet", "leave one of them out"),
        ("run g.csv --timeout 3s --timeout 4s", "--timeout is given more than once", "give it once"),
        ("status growers.csv", "LEAF_USER_ID can't be \"growers.csv\": it is not a UUID", "status --help"),
        ("events", "events needs LEAF_USER_ID here", "write `stara-onboard events [OPTIONS] <LEAF_USER_ID>`"),
        ("explain atached", "there is no code \"atached\"", "did you mean attached?"),
    ] {
        refused(typed(&bench, words), what, hint);
    }
}

#[test]
fn a_column_is_answered_with_the_nearest_of_the_file() {
    let bench = Bench::new(&growers(1));
    bench.write("named.csv", "leafUserId,conta,senha,fazenda\nx,y,z,w\n");
    refused(
        typed(&bench, "check named.csv --column login=cnta"),
        "no column is called \"cnta\", as --column says; did you mean \"conta\"?",
        "as the file's first line has it",
    );
    refused(
        typed(&bench, "run named.csv --column login=conta --keep-column fazend"),
        "as --keep-column says; did you mean \"fazenda\"?",
        "as the file's first line has it",
    );
}

#[test]
fn a_key_of_the_settings_file_is_answered_with_the_nearest() {
    let bench = Bench::new(&growers(1));
    bench.write("slip.toml", "leaf-rat = \"3/s\"\n");
    bench
        .program()
        .args(["run", "growers.csv", "--config", "slip.toml"])
        .end()
        .with_code(2)
        .saying("leaf-rate");
}
