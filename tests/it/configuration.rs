//! The settings file: where it is found, what wins, what is refused, and what is shown.

mod found;
mod rehearsed;

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use stara_onboard::cli::Cli;

use crate::support::{Bench, Ended, growers};

/// The default file.
const FILE: &str = "stara-onboard.toml";

/// How the settings of a verb are shown: name, value and source of each.
fn shown(ended: Ended) -> Vec<[String; 3]> {
    let stdout = ended.with_code(0).stdout;
    let rows = stdout.lines().filter(|line| !line.starts_with('#'));
    let columns = rows.map(|line| line.split("  ").map(str::trim).filter(|part| !part.is_empty()));
    columns
        .map(|columns| {
            let columns: Vec<String> = columns.map(ToOwned::to_owned).collect();
            columns.try_into().unwrap_or_else(|columns| panic!("{columns:?} in\n{stdout}"))
        })
        .collect()
}

/// Value and source of one setting.
#[track_caller]
fn setting(shown: &[[String; 3]], name: &str) -> [String; 2] {
    let found = shown.iter().find(|[setting, ..]| setting == name);
    let [_, value, source] = found.unwrap_or_else(|| panic!("{name} isn't in {shown:?}")).clone();
    [value, source]
}

#[test]
fn a_run_takes_its_settings_from_the_file_in_its_folder() {
    let growers = growers(4);
    let bench = Bench::new(&growers);
    bench.write(
        FILE,
        "report = ['from-the-top.jsonl']\nmagic-links = 'links.csv'\n[run]\nreport = ['from-the-table.jsonl']\n",
    );
    let ended = bench.program().args(["run", "growers.csv"]).end();
    assert_eq!(ended.with_code(0).signal, None);
    assert_eq!(bench.world().attach_effects_in_all(), 4);
    assert!(bench.path("from-the-table.jsonl").exists() && bench.path("links.csv").exists());
    assert!(!bench.path("from-the-top.jsonl").exists());
}

#[test]
fn flags_win_over_variables_these_over_the_file_and_it_over_the_defaults() {
    let bench = Bench::new(&growers(1));
    bench.write(FILE, "report = 'file.jsonl'\n");
    let written = |arguments: &[&str], variable: Option<&str>| {
        let run = bench.program().args(["run", "growers.csv"]).args(arguments);
        variable.into_iter().fold(run, |run, name| run.env("STARA_ONBOARD_REPORT", name)).end().with_code(0);
        let names = ["file.jsonl", "variable.jsonl", "flag.jsonl", "state/growers.results.csv"];
        let found: Vec<&str> = names.into_iter().filter(|name| bench.path(name).exists()).collect();
        for name in &found {
            std::fs::remove_file(bench.path(name)).unwrap();
        }
        found
    };
    assert_eq!(written(&[], None), ["file.jsonl"]);
    assert_eq!(written(&[], Some("variable.jsonl")), ["variable.jsonl"]);
    assert_eq!(written(&["--report", "flag.jsonl"], Some("variable.jsonl")), ["flag.jsonl"]);
    assert_eq!(written(&["--config", "none"], None), ["state/growers.results.csv"]);
}

#[test]
fn what_a_flag_requires_may_stand_in_the_file() {
    let bench = Bench::new(&growers(1));
    bench.run(&["--new-links"]).with_code(2).saying("run needs --magic-links here");
    bench.write(FILE, "magic-links = 'links.csv'\n");
    bench.run(&["--new-links"]).with_code(0);
    assert!(bench.path("links.csv").exists());
}

#[test]
fn a_file_elsewhere_means_its_own_folder_by_relative_paths() {
    let bench = Bench::new(&growers(1));
    std::fs::create_dir(bench.path("etc")).unwrap();
    bench.write(
        "etc/onboard.toml",
        "state = 'there/ledger.db'\nreport = ['there.jsonl', 'none']\nlog-file = '/dev/null'\n",
    );
    bench.write(FILE, "this is no TOML and isn't read\n");
    for named in [
        &["--config", "etc/onboard.toml", "run", "growers.csv"],
        &["run", "growers.csv", "--config", "etc/onboard.toml"],
    ] {
        bench.program().args(named).end().with_code(0);
    }
    let by_variable =
        bench.program().args(["run", "growers.csv"]).env("STARA_ONBOARD_CONFIG", "etc/onboard.toml");
    by_variable.end().with_code(0);
    assert!(bench.path("etc/there/ledger.db").exists());
    assert!(!bench.path("state").exists());
    assert_eq!(bench.world().attach_effects_in_all(), 1);
}

#[test]
fn a_file_that_cant_be_used_exits_with_2_and_nothing_is_sent() {
    for (text, told) in [
        ("leaf_rate = '5/s'\n", "line 1: write `leaf-rate` instead of `leaf_rate`"),
        ("\nSTARA_ONBOARD_LEAF_RATE = '5/s'\n", "line 2: write `leaf-rate` instead of"),
        ("# x\nleaf-rat = '5/s'\n", "line 2: there is no setting `leaf-rat`; did you mean leaf-rate?"),
        ("leaf-rate = '5'\n", "line 1: `leaf-rate` is no rate: write 10/s"),
        ("concurrency = 0\n", "line 1: `concurrency` isn't right: 0 is not in 1..=10000"),
        ("log-format = 'xml'\n", "line 1: `log-format` must be one of text, json"),
        ("strict = 1\n", "line 1: `strict` must be true or false"),
        ("state = true\n", "line 1: `state` must be a text in quotes"),
        ("[runs]\nsettle = '1s'\n", "line 1: there is no verb `runs`; did you mean [run]?"),
        ("[status]\nprecheck = 'row'\n", "line 2: `precheck` is no setting of status, but of run, plan"),
        ("[state]\nkeep-runs = 1\n", "the settings of `state` stand under [state.forget] and [state.prune]"),
        ("yes = true\n", "line 1: `yes` belongs to one call: give it on the command line as --yes"),
        ("[run]\nretry-rejected = true\n", "line 2: `retry-rejected` belongs to one call"),
        ("retry-failed = true\n", "line 1: `retry-failed` belongs to one call"),
        ("relearn = false\n", "line 1: `relearn` belongs to one call"),
        ("only = []\n", "line 1: `only` belongs to one call"),
        ("STARA_ONBOARD_LIMIT = 5\n", "line 1: `limit` belongs to one call: give it on the command line"),
        ("config = 'x'\n", "line 1: `config` belongs to one call"),
        ("manifest = 'x.csv'\n", "line 1: `manifest` is no setting: it is given on the command line"),
        ("settle = '1s'\nsettle = '2s'\n", "line 2: the key or table is there already"),
        ("settle =\n", "line 1: this is no TOML"),
    ] {
        let bench = Bench::new(&growers(1));
        bench.write(FILE, text);
        let ended = bench.run(&[]).with_code(2).saying(FILE).saying(told);
        assert!(
            ended.stderr.starts_with("error: ") && ended.stderr.contains("\nhint: nothing was done"),
            "{text}"
        );
        assert_eq!(bench.calls(), 0, "{text}");
        assert!(!bench.path("state").exists(), "{text}");
    }
}

#[test]
fn everything_wrong_with_a_file_is_told_at_once_for_whichever_verb() {
    let bench = Bench::new(&[]);
    bench.write(FILE, "settle = 'long'\n[audit]\nlok = 'auto'\n");
    let status = bench.program().args(["status"]).end().with_code(2);
    status
        .saying("line 1: `settle` is no duration: write ")
        .saying("line 3: there is no setting `lok`; did you mean look?");
}

#[test]
fn a_file_that_isnt_there_or_isnt_text_is_told() {
    let bench = Bench::new(&[]);
    let named = |file: &str| bench.run(&["--config", file]).with_code(2);
    named("nowhere.toml").saying("the settings file nowhere.toml can't be read caused by: No such file");
    bench.write("latin.toml", b"# caf\xe9\n");
    named("latin.toml").saying("the settings file latin.toml isn't UTF-8 text");
    std::fs::File::create(bench.path("huge.toml")).unwrap().set_len(2 << 20).unwrap();
    named("huge.toml").saying("is larger than 1048576 bytes");
    std::os::unix::fs::symlink("nowhere", bench.path(FILE)).unwrap();
    bench.run(&[]).with_code(2).saying("the settings file stara-onboard.toml can't be read");
}

#[test]
fn explain_and_init_answer_whatever_is_the_matter_with_the_file() {
    let bench = Bench::new(&[]);
    bench.write(FILE, "this is no TOML\n");
    bench.program().args(["explain", "5"]).end().with_code(0);
    bench.program().args(["init", "-"]).end().with_code(0);
    bench.program().args(["run", "--help"]).end().with_code(0);
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let bench = Bench::new(&growers(1));
    let secret = "eyJhbGciOiJIUzI1NiJ9-hunter2-hunter2";
    for (text, told) in [
        (format!("leaf-token = '{secret}'\n"), "`leaf-token` is a secret"),
        (format!("[run]\nLEAF_PASSWORD = '{secret}'\n"), "set the environment variable LEAF_PASSWORD"),
        (
            format!("fingerprint-key = '{secret}'\n"),
            "set the environment variable STARA_ONBOARD_FINGERPRINT_KEY",
        ),
        (format!("api_key = '{secret}'\n"), "`api_key` is a secret"),
        (format!("concurrency = '{secret}'\n"), "`concurrency` isn't right"),
        (format!("leaf-rate = ['{secret}']\n"), "`leaf-rate` takes one value"),
        (format!("x = {secret}\n"), "line 1"),
    ] {
        bench.write(FILE, &text);
        for arguments in [&["run", "growers.csv"][..], &["run", "--show-settings"]] {
            let ended = bench.program().args(arguments).end().with_code(2).saying(told);
            assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("hunter2"), "{text}");
        }
    }
}

#[test]
fn no_setting_repeats_a_value_that_it_refuses() {
    let bench = Bench::new(&[]);
    let program = Cli::command();
    let below = program.get_subcommands().flat_map(|verb| verb.get_subcommands().chain([verb]));
    let flags = below.flat_map(clap::Command::get_arguments).filter(|argument| argument.get_env().is_some());
    let keys: BTreeSet<&str> = flags.filter_map(|argument| argument.get_long()).collect();
    let mut said = String::new();
    // As many as are listed one by one.
    for keys in keys.into_iter().collect::<Vec<_>>().chunks(20) {
        let lines: String = keys.iter().flat_map(|key| [key, " = 'hunter2-hunter2'\n"]).collect();
        bench.write(FILE, lines);
        said.push_str(&bench.run(&[]).with_code(2).stderr);
    }
    assert!(said.contains("`leaf-rate` is no rate") && said.contains("`settle` is no duration"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_file_in_which_nearly_everything_is_wrong_is_not_listed_to_its_end() {
    let bench = Bench::new(&[]);
    bench
        .write(FILE, (0..3_000).map(|number| format!("unknown-{number} = 1\n")).collect::<Vec<_>>().concat());
    let ended = bench.run(&[]).with_code(2).saying("line 20: ").saying("and 2980 more");
    assert!(ended.stderr.lines().count() < 30, "{}", ended.stderr);
}

#[test]
fn a_log_file_has_a_name() {
    let bench = Bench::new(&growers(1));
    bench.run(&["--log-file", "-"]).with_code(2).saying("without --log-file the log goes to stderr");
    assert!(!bench.path("-").exists());
}

#[test]
fn settings_are_shown_with_their_sources_and_nothing_is_done() {
    let bench = Bench::new(&growers(1));
    bench.write(FILE, "settle = '90s'\n\n[run]\nstrict = true\ncolumn = []\nlog-file = 'x.log'\n");
    let show = |arguments: &[&str]| {
        let program = bench.program().args(arguments).args(["--show-settings"]);
        program
            .env("LEAF_PASSWORD", "hunter2-hunter2")
            .env("STARA_URL", "https://me:hunter2-hunter2@stara.example")
            .end()
    };
    let ended =
        show(&["run", "growers.csv", "--limit", "5", "--only", "2e416788-f5ec-42ed-8108-847512e1bc76"]);
    assert!(ended.stdout.starts_with("# stara-onboard run; settings file: stara-onboard.toml\n"));
    assert!(!ended.stdout.contains("hunter2") && !ended.stdout.contains("leaf-token-of-the-bench"));
    let run = shown(ended);
    for (name, value, source) in [
        ("limit", "5", "flag"),
        ("only", "2e416788-f5ec-42ed-8108-847512e1bc76", "flag"),
        ("leaf-rate", "none", "environment STARA_ONBOARD_LEAF_RATE"),
        ("stara-url", "https://me:***@stara.example/", "environment STARA_URL"),
        ("settle", "90s", "file stara-onboard.toml:1"),
        ("strict", "true", "file stara-onboard.toml:4"),
        ("column", "not set", "file stara-onboard.toml:5"),
        ("log-file", "x.log", "file stara-onboard.toml:6"),
        ("concurrency", "32", "default"),
        ("state", "state/ledger.db; state/sandbox.db with --sandbox", "default"),
        ("relearn", "false", "default"),
        ("max-duration", "not set", "default"),
        ("LEAF_TOKEN", "set", "environment"),
        ("LEAF_PASSWORD", "set", "environment"),
        ("LEAF_USERNAME", "not set", "environment"),
    ] {
        assert_eq!(setting(&run, name), [value, source], "{name}");
    }
    let plan = shown(show(&["plan"]));
    assert_eq!(setting(&plan, "strict"), ["false", "default"]);
    assert_eq!(setting(&plan, "settle"), ["90s", "file stara-onboard.toml:1"]);
    let status = shown(show(&["status"]));
    assert!(!status.iter().any(|[name, ..]| name == "LEAF_TOKEN"), "{status:?}");
    assert_eq!(bench.calls(), 0);
    assert!(!bench.path("state").exists() && !bench.path("x.log").exists());
}

#[test]
fn what_is_wrong_on_the_command_line_is_told_though_settings_are_to_be_shown() {
    let bench = Bench::new(&[]);
    for arguments in [&["run", "--limt", "5"][..], &["run", "--limit", "x"], &["run", "-q", "-v"]] {
        let ended = bench.program().args(arguments).args(["--show-settings"]).end().with_code(2);
        assert!(ended.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_file_that_init_writes_is_accepted_as_it_is_and_with_every_setting_switched_on() {
    let bench = Bench::new(&[]);
    let ended = bench.program().args(["init"]).end().with_code(0);
    assert_eq!(ended.stdout, format!("{FILE}\n"));
    let written = std::fs::read_to_string(bench.path(FILE)).unwrap();
    assert_eq!(bench.program().args(["init", "-"]).end().with_code(0).stdout, written);
    let before = shown(bench.program().args(["run", "--show-settings"]).end());
    assert!(before.iter().all(|[.., source]| !source.starts_with("file")), "{before:?}");
    let is_setting = |line: &str| {
        line.starts_with('#') && line[1..].starts_with(|letter: char| letter.is_ascii_lowercase())
    };
    let switched_on: Vec<&str> =
        written.lines().map(|line| if is_setting(line) { &line[1..] } else { line }).collect();
    bench.write(FILE, switched_on.join("\n"));
    for verb in
        [&["run"][..], &["plan"], &["audit"], &["detach"], &["status"], &["report"], &["state", "prune"]]
    {
        let shown = shown(bench.program().args(verb).args(["--show-settings"]).end());
        assert_eq!(
            setting(&shown, "state")[1].split(':').next(),
            Some("file stara-onboard.toml"),
            "{verb:?}"
        );
    }
}

#[test]
fn init_overwrites_nobodys_settings() {
    let bench = Bench::new(&[]);
    bench.write("mine.toml", "settle = '9s'\n");
    bench.program().args(["init", "mine.toml"]).end().with_code(2).saying("name a file that isn't there yet");
    assert_eq!(std::fs::read(bench.path("mine.toml")).unwrap(), b"settle = '9s'\n");
}

#[test]
fn a_variable_that_sets_nothing_is_told_and_the_run_goes_on() {
    let bench = Bench::new(&growers(1));
    let run = bench.run_of("growers.csv", &[]).env("STARA_ONBOARD_LEAF_RAT", "5/s").end().with_code(0);
    run.saying("warning: the environment variable STARA_ONBOARD_LEAF_RAT sets nothing; did you mean STARA_ONBOARD_LEAF_RATE?");
    assert_eq!(bench.world().attach_effects_in_all(), 1);
    let run = bench.run_of("growers.csv", &[]).end().with_code(0);
    assert!(!run.stderr.contains("environment variable"), "{}", run.stderr);
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let bench = Bench::new(&growers(3));
    bench.write(FILE, "settle = '9s'\n");
    let names = ["SETTLE", "LIMIT", "CONFIG", "STRICT", "LEAF_TOKEN_FILE", "ONLY", "MAX_DURATION", "COLOUR"];
    let run = |arguments: &[&str]| {
        let run = bench.run_of("growers.csv", arguments);
        names.iter().fold(run, |run, name| run.env(&format!("STARA_ONBOARD_{name}"), ""))
    };
    let shown = shown(run(&["--show-settings"]).env("LEAF_USERNAME", "").end());
    assert_eq!(setting(&shown, "settle"), ["9s", "file stara-onboard.toml:1"]);
    assert_eq!(setting(&shown, "strict"), ["false", "default"]);
    assert_eq!(setting(&shown, "LEAF_USERNAME"), ["not set", "environment"]);
    run(&[]).end().with_code(0);
    assert_eq!(bench.world().attach_effects_in_all(), 3);
}

#[test]
fn flags_of_one_call_may_stand_in_the_environment() {
    let bench = Bench::new(&growers(3));
    bench.run_of("growers.csv", &[]).env("STARA_ONBOARD_LIMIT", "2").end().with_code(0);
    assert_eq!(bench.world().attach_effects_in_all(), 2);
}

#[test]
fn the_command_to_go_on_with_repeats_neither_the_file_nor_the_environment() {
    let bench = Bench::new(&growers(3));
    bench.write("mine.toml", "max-changes = 2\n");
    let plan = bench.program().args(["plan", "growers.csv", "--config", "mine.toml"]);
    let told = plan.env("STARA_ONBOARD_SETTLE", "5s").end().with_code(0).stdout;
    let command =
        told.lines().find(|line| line.contains(" run growers.csv")).unwrap_or_else(|| panic!("{told}"));
    assert!(command.contains(" run growers.csv --config mine.toml"), "{command}");
    assert!(!command.contains("max-changes") && !command.contains("settle"), "{command}");
}
