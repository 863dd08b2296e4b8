//! Every block of commands on every page is run as it stands there, or stands on a short list with the reason why not.
//!
//! A line is expected to succeed, unless a comment behind it says `exit code 3`. New blocks are run without further ado;
//! what a page takes for granted is prepared in its test below.

use std::collections::BTreeSet;
use std::process::Command;

use super::pages::{page, pages};
use super::reader::Reader;
use crate::support::user;

/// Blocks that are not run here: the page, words that stand in them, and why.
const NOT_RUN: [(&str, &str, &str); 24] = [
    ("README.md", "cargo test", "it is the command that runs this test"),
    (
        "docs/CONTAINER.md",
        "docker ",
        "needs Docker; deploy::container builds what the image holds and runs it",
    ),
    ("docs/CRON.md", "crontab ", "would change this machine; deploy::cron runs the lines of the crontab"),
    ("docs/DEBIAN.md", "sudo ", "would change this machine; .ci/deb does it in a copy of it"),
    ("docs/DEBIAN.md", ".ci/musl", "builds the program once more; .ci/full runs it"),
    ("docs/LIBRARY.md", "cargo run --example", "tests/examples runs them"),
    ("docs/KUBERNETES.md", "kubectl ", "needs a cluster; deploy::kubernetes checks and runs the CronJob"),
    (
        "docs/OBJECT_STORES.md",
        "cargo install ",
        "builds the program once more; .ci/run builds it with that feature",
    ),
    ("docs/OBJECT_STORES.md", "s3://", "needs that feature and a store; tests/object_stores runs both"),
    (
        "docs/PERFORMANCE.md",
        "cargo ",
        "takes minutes of the whole machine; sets checks that the benches are there",
    ),
    ("docs/PROOFS.md", "cargo test ", "takes minutes; .ci/full runs them"),
    ("docs/REHEARSAL.md", "", "rehearsal_page follows that page, Ctrl-C included"),
    ("docs/RELEASING.md", "git tag", "makes a release"),
    ("docs/RELEASING.md", ".ci/run", "takes the whole machine, and publishes; .ci/full runs each script"),
    ("docs/SCALING.md", "--shard $shard/4", "deploy::scaling_page runs it"),
    ("docs/SCALING.md", "sed -e", "deploy::scaling_page runs it but for kubectl"),
    ("docs/SCALING.md", "shards-night.sh", "needs a cluster; deploy::shards_night runs the script"),
    ("docs/SCALING.md", "sbatch ", "needs Slurm; deploy::slurm runs the batch script"),
    ("docs/SCALING.md", "aws ", "needs an account at AWS; deploy::aws_batch checks the files"),
    ("docs/SYSTEMD.md", "systemctl ", "would change this machine; deploy::systemd checks and runs the units"),
    ("docs/SYSTEMD.md", "ln -s ", "would change this machine"),
    ("docs/SYSTEMD.md", "sudo ", "needs the service's user; status of a ledger is run on other pages"),
    ("docs/COMPARISON.md", "interrupted.sh", "needs all the programs that it compares"),
    (
        "docs/COMPARISON.md",
        "cargo bench ",
        "takes minutes of the whole machine; sets checks that the bench is there",
    ),
];

/// Programs that not every machine has. Where one is missing, its blocks are left out and that is said.
const BORROWED: [&str; 5] = ["jq", "script", "gzip", "age", "age-keygen"];

fn is_not_run(page: &str, text: &str) -> bool {
    NOT_RUN.iter().any(|(name, words, _)| *name == page && text.contains(words))
}

fn is_there(program: &str) -> bool {
    let look = format!("command -v {program}");
    Command::new("bash").args(["-c", &look]).output().is_ok_and(|output| output.status.success())
}

/// The words that may be names of programs.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || "-_.".contains(letter))).collect()
}

/// Follows a page from its first block to its last.
fn follow(name: &str, mut reader: Reader) {
    let page = page(name);
    let mut count = 0;
    for block in page.blocks().iter().filter(|block| block.language == "sh") {
        if is_not_run(name, &block.text) {
            continue;
        }
        let words = words(&block.text);
        if let Some(missing) = BORROWED.iter().find(|program| words.contains(*program) && !is_there(program))
        {
            let said = format!("SKIPPED: there is no {missing}, so that {name}:{} isn't run\n", block.line);
            std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
            continue;
        }
        reader.follow(&page, block);
        count += 1;
    }
    assert!(count > 0, "{name} has no block that is run");
}

/// A test for each page with commands, each with what its reader has done before, and the list of them all.
macro_rules! followed {
    ($($test:ident: $name:literal $(after $before:literal)? $(where $world:expr)?;)*) => {
        const FOLLOWED: &[&str] = &[$($name),*];
        $(#[test]
        fn $test() {
            let reader = Reader::new();
            $(reader.prepare($before);)?
            $(let happens: fn(&Reader) = $world; happens(&reader);)?
            follow($name, reader);
        })*
    };
}

followed! {
    the_readme_is_followed: "README.md"
        after "stara-onboard run newcomers.csv --report none; head -2 newcomers.csv > leavers.csv";
    checking_is_followed: "docs/CHECK.md";
    comparing_is_followed: "docs/COMPARISON.md";
    configuring_is_followed: "docs/CONFIGURATION.md";
    the_doctor_is_followed: "docs/DOCTOR.md";
    the_links_are_followed: "docs/MAGIC_LINKS.md" after "sed -i s/trigo-2026/errado/ growers.csv";
    the_manifests_are_followed: "docs/MANIFESTS.md";
    the_metrics_are_followed: "docs/METRICS.md";
    the_migration_is_followed: "docs/MIGRATION.md";
    the_nights_are_followed: "docs/NIGHTLY.md" after "stara-onboard run growers.csv --limit 4" where somebody_else_attaches;
    offboarding_is_followed: "docs/OFFBOARDING.md"
        after "for night in 1 2 3 4 5; do stara-onboard run growers.csv --limit $night; done
               stara-onboard run growers.csv --limit 5; stara-onboard run growers.csv";
    progress_is_followed: "docs/PROGRESS.md" after "stara-onboard run growers.csv --sandbox";
    reporting_is_followed: "docs/REPORT.md";
    resuming_is_followed: "docs/RESUME.md";
    the_sandbox_is_followed: "docs/SANDBOX.md";
    the_shards_are_followed: "docs/SCALING.md"
        after "for shard in 0 1 2 3 4 5 6 7; do stara-onboard run growers.csv --shard $shard/8; done";
    scripting_is_followed: "docs/SCRIPTING.md"
        after "stara-onboard run manifests/growers.csv --sandbox
               for shard in 0 1 2 3 4 5 6 7; do
                 stara-onboard run growers.csv --sandbox --shard $shard/8 --state shards/ledger.$shard-of-8.db --report none
               done
               for shard in 0 1; do
                 stara-onboard run growers.csv --sandbox --shard $shard/2 --state elsewhere/ledger.$shard-of-2.db --report none
               done";
    security_is_followed: "docs/SECURITY.md";
    watching_is_followed: "docs/PROGRESS.md" after "stara-onboard run manifests/growers.csv --sandbox";
    trouble_is_followed: "docs/TROUBLESHOOTING.md" after "stara-onboard run growers.csv";
}

/// The credential of a user that pages name is replaced by one of somebody else's.
fn somebody_else_attaches(reader: &Reader) {
    let login = stara_onboard::model::Login::new("grower1@agro.example");
    reader.bench().world().attach_from_elsewhere(user(1), &login);
}

#[test]
fn every_page_with_commands_is_followed_or_not_run_at_all() {
    for page in pages() {
        let blocks = page.blocks();
        let mut commands = blocks.iter().filter(|block| block.language == "sh");
        if commands.any(|block| !is_not_run(&page.name, &block.text)) {
            assert!(FOLLOWED.contains(&page.name.as_str()), "{} has commands and no test above", page.name);
        }
    }
}

#[test]
fn what_is_not_run_is_still_there_and_is_the_shells() {
    for (name, words, why) in NOT_RUN {
        assert!(why.len() > 10, "{name}");
        let blocks = page(name).blocks();
        let mut found = blocks.iter().filter(|block| block.language == "sh" && block.text.contains(words));
        assert!(found.next().is_some(), "{name} has no block with {words:?} any more");
    }
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.language == "sh") {
            let read = Command::new("bash").args(["-n", "-c", &block.text]).output().unwrap();
            let said = String::from_utf8_lossy(&read.stderr).into_owned();
            assert!(read.status.success() && said.is_empty(), "{}:{}: {said}", page.name, block.line);
        }
    }
}

#[test]
fn no_block_hides_commands_under_another_name() {
    // Blocks of Rust are doctests.
    for page in pages() {
        for block in page.blocks() {
            let is_known = ["sh", "text", "json", "toml", "yaml", "ini", "csv", "rust"]
                .contains(&block.language.as_str());
            assert!(is_known, "{}:{}: a block of {:?}", page.name, block.line, block.language);
        }
    }
}
