//! That clap's defaults do what a settings file is to do, for every kind of flag.

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::super::declared::vocabulary;
use super::super::matching::{with_file, without_file};
use super::*;

#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Program {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Sow(Sow),
    Field(Field),
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Sow {
    seeds: PathBuf,
    #[arg(long, env = "TEST_OF_SETTINGS_SWITCH", value_parser = BoolishValueParser::new())]
    switch: bool,
    #[arg(long, env = "TEST_OF_SETTINGS_PLAIN")]
    plain: bool,
    #[arg(long, env = "TEST_OF_SETTINGS_DEPTH", default_value_t = 32)]
    depth: u32,
    #[arg(long, env = "TEST_OF_SETTINGS_MOST")]
    most: Option<u64>,
    #[arg(long, env = "TEST_OF_SETTINGS_OUT")]
    out: Vec<PathBuf>,
    #[arg(long, env = "TEST_OF_SETTINGS_ROWS", value_delimiter = ',')]
    rows: Vec<u8>,
    #[arg(long, env = "TEST_OF_SETTINGS_TRIAL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    trial: Option<String>,
    #[arg(long, env = "TEST_OF_SETTINGS_LOUD", conflicts_with = "soft")]
    loud: bool,
    #[arg(long, env = "TEST_OF_SETTINGS_SOFT")]
    soft: bool,
    #[arg(long, requires = "most", requires = "switch", requires = "out")]
    again: bool,
}

#[derive(Debug, Args)]
struct Field {
    #[command(subcommand)]
    verb: FieldVerb,
}

#[derive(Debug, Subcommand)]
enum FieldVerb {
    Plough(Plough),
}

#[derive(Debug, Args)]
struct Plough {
    #[arg(long, env = "TEST_OF_SETTINGS_DEPTH", default_value_t = 5)]
    depth: u32,
    #[arg(long, env = "TEST_OF_SETTINGS_SPEED")]
    speed: Option<String>,
}

fn file(text: &str) -> SettingsFile {
    SettingsFile::parse(Path::new("folder/x.toml"), text).unwrap()
}

/// What the words and the text of a file come to.
fn try_parse(words: &[&str], text: &str) -> Result<Verb, clap::Error> {
    let program = Program::command();
    let file = file(text);
    assert_eq!(judge(&program, &vocabulary(&program), &file), []);
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let said = without_file(&program, &words)?;
    let mut said = &said;
    let mut path = Vec::new();
    while let Some((name, below)) = said.subcommand() {
        path.push(name);
        said = below;
    }
    let verb = DeclaredVerb::all(&program).into_iter().find(|verb| verb.path() == path).unwrap();
    let matches = with_file(&program, verb, &words, &defaults(verb, &file, said), false)?;
    Ok(Program::from_arg_matches(&matches)?.verb)
}

fn parse(words: &[&str], text: &str) -> Verb {
    try_parse(words, text).unwrap()
}

fn sow(words: &[&str], text: &str) -> Sow {
    let words: Vec<&str> = ["sow", "wheat.csv"].iter().chain(words).copied().collect();
    match parse(&words, text) {
        Verb::Sow(sow) => sow,
        Verb::Field(_) => panic!("another verb"),
    }
}

#[test]
fn each_kind_of_flag_takes_its_value_from_the_file() {
    let said = sow(
        &[],
        "switch = true\nplain = true\ndepth = 7\nmost = 100\nout = ['a.csv', '/b.csv', 'none']\nrows = [1, 2]\ntrial = 'storm'\n",
    );
    assert!(said.switch && said.plain);
    assert_eq!((said.depth, said.most, said.rows.as_slice()), (7, Some(100), &[1, 2][..]));
    assert_eq!(said.out, ["folder/a.csv", "/b.csv", "none"].map(PathBuf::from));
    assert_eq!(said.trial.as_deref(), Some("storm"));
    assert_eq!(said.seeds, PathBuf::from("wheat.csv"));
    assert!(!said.again);
    assert_eq!(sow(&[], "trial = true").trial.as_deref(), Some("true"));
    assert!(!sow(&[], "switch = false").switch);
}

#[test]
fn flags_win_over_the_file_and_never_add_to_it() {
    let text =
        "switch = false\ndepth = 7\nmost = 100\nout = ['a.csv', 'b.csv']\nrows = '1,2'\ntrial = 'storm'\n";
    let said =
        sow(&["--switch", "--depth", "8", "--most", "9", "--out", "c.csv", "--rows", "3", "--trial"], text);
    assert!(said.switch);
    assert_eq!((said.depth, said.most, said.rows.as_slice()), (8, Some(9), &[3][..]));
    assert_eq!(said.out, ["c.csv"].map(PathBuf::from));
    assert_eq!(said.trial.as_deref(), Some("true"));
}

#[test]
fn without_a_value_in_the_file_the_defaults_stand() {
    let said = sow(&[], "[field.plough]\ndepth = 9\nspeed = 'slow'\n");
    assert_eq!((said.depth, said.most), (32, None));
    assert!(!said.switch && said.out.is_empty() && said.trial.is_none());
}

#[test]
fn a_verbs_own_table_wins_over_the_top_and_reaches_no_other_verb() {
    let text = "depth = 7\nout = ['a.csv']\n[sow]\ndepth = 8\nout = []\n[field.plough]\ndepth = 9\n";
    assert_eq!((sow(&[], text).depth, sow(&[], text).out.len()), (8, 0));
    let Verb::Field(Field { verb: FieldVerb::Plough(plough) }) = parse(&["field", "plough"], text) else {
        panic!("another verb")
    };
    assert_eq!((plough.depth, plough.speed), (9, None));
    let Verb::Field(Field { verb: FieldVerb::Plough(plough) }) = parse(&["field", "plough"], "depth = 7")
    else {
        panic!("another verb")
    };
    assert_eq!(plough.depth, 7);
}

#[test]
fn what_a_flag_requires_may_stand_in_the_file() {
    let text = "most = 5\nswitch = true\nout = ['a.csv', 'b.csv']\n";
    let said = sow(&["--again"], text);
    assert!(said.again && said.switch);
    assert_eq!((said.most, said.out.len()), (Some(5), 2));
    let said = sow(&["--again", "--most", "6"], text);
    assert_eq!((said.most, said.out.len()), (Some(6), 2));
    assert!(sow(&["--again", "--out", "c.csv"], text).out.len() == 1);
    for lacking in ["most = 5\nswitch = false\nout = 'a.csv'\n", "most = 5\nswitch = true\n", ""] {
        let error = try_parse(&["sow", "wheat.csv", "--again"], lacking).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument, "{lacking}");
    }
    let error = try_parse(&["sow", "--again"], text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
}

#[test]
fn what_the_command_line_rules_out_is_dropped_from_the_file() {
    let said = sow(&["--soft"], "loud = true");
    assert!(said.soft && !said.loud);
    let said = sow(&["--loud"], "soft = true");
    assert!(said.loud && !said.soft);
}

#[test]
fn two_settings_that_rule_each_other_out_are_refused_unless_one_is_off() {
    let program = Program::command();
    let refused = |text: &str| judge(&program, &vocabulary(&program), &file(text));
    let found = refused("loud = true\n[sow]\nsoft = true\n");
    let complaint = Complaint::Conflict { key: "soft".to_owned(), other: "loud".to_owned() };
    assert_eq!(found, [Refused { line: 3, complaint }]);
    assert_eq!(refused("loud = true\nsoft = false\n"), []);
}

#[test]
fn a_value_is_judged_for_every_verb_that_would_have_it() {
    let program = Program::command();
    let said = |text: &str| -> Vec<String> {
        let refused = judge(&program, &vocabulary(&program), &file(text));
        refused.iter().map(|refused| format!("{}: {}", refused.line, refused.complaint)).collect()
    };
    assert_eq!(
        said("depth = 'deep'\nspeed = 5\n"),
        ["1: `depth` isn't right: invalid digit found in string", "2: `speed` must be a text in quotes"]
    );
    assert_eq!(
        said("again = true"),
        ["1: `again` belongs to one call: give it on the command line as --again"]
    );
    assert_eq!(said("seeds = 'x'"), ["1: `seeds` is no setting: it is given on the command line"]);
}
