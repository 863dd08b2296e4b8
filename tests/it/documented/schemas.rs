//! Everything that is printed as JSON is what `docs/schemas` says, to the last field, and no field of a schema is made up.
//!
//! The schemas let readers pass over fields that they don't know. Here no such field is borne: what is added to the output
//! is added to its schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stara_onboard::cli::ExitCode;
use stara_onboard::manifest::{Field, LintKind};
use stara_onboard::model::{Finding, Origin, OutcomeCode, Sign, Stage};
use stara_onboard::sandbox::CallKind;

use super::pages::{page, root};
use crate::support::{Bench, Grower, growers, user};

/// Each schema, and the page that describes its fields.
const SCHEMAS: [(&str, &str); 10] = [
    ("audit", "docs/SCRIPTING.md"),
    ("check", "docs/CHECK.md"),
    ("doctor", "docs/DOCTOR.md"),
    ("events", "docs/SCRIPTING.md"),
    ("explain", "docs/SCRIPTING.md"),
    ("plan", "docs/SCRIPTING.md"),
    ("progress", "docs/PROGRESS.md"),
    ("report", "README.md"),
    ("status-user", "docs/SCRIPTING.md"),
    ("status", "docs/SCRIPTING.md"),
];

/// Fields for which nothing below surely brings a value, only `null` or nothing: they take a list of users, a rare stop, or
/// longer than a test should take.
const RARELY_SEEN: [&str; 11] = [
    "plan: expectedSeconds",
    "plan: listPages",
    "plan: wouldStop",
    "progress: by",
    "progress: heldSeconds",
    "progress: leftSeconds",
    "progress: listPages",
    "progress: shard",
    "status-user: credentialId",
    "status-user: credentialStatus",
    "status: apart",
];

fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join(format!("docs/schemas/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Calls this with every schema within a schema.
fn within(schema: &mut Value, change: &mut impl FnMut(&mut serde_json::Map<String, Value>)) {
    match schema {
        Value::Object(object) => {
            change(object);
            object.values_mut().for_each(|value| within(value, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| within(item, change)),
        _ => {}
    }
}

/// A schema that bears no field but its own.
fn strict(name: &str) -> Value {
    let mut schema = schema(name);
    within(&mut schema, &mut |object| {
        // A field named `properties` would be an object, too; there is none.
        if object.contains_key("properties") && !object.contains_key("additionalProperties") {
            object.insert("additionalProperties".into(), json!(false));
        }
    });
    schema
}

/// The names of all fields of a schema.
fn fields(name: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    within(&mut schema(name), &mut |object| {
        if let Some(Value::Object(properties)) = object.get("properties") {
            fields.extend(properties.keys().cloned());
        }
    });
    fields
}

/// The names of fields that have a value somewhere.
fn names(value: &Value, seen: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                seen.insert(name.clone());
                names(value, seen);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, seen)),
        _ => {}
    }
}

/// What was printed so far, by schema.
#[derive(Default)]
struct Printed(BTreeMap<&'static str, Vec<Value>>);

impl Printed {
    fn object(&mut self, schema: &'static str, text: &str) {
        let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{schema}: {error}: {text}"));
        self.0.entry(schema).or_default().push(value);
    }

    fn lines(&mut self, schema: &'static str, text: &str) {
        text.lines().for_each(|line| self.object(schema, line));
    }

    /// What the program prints with these arguments, which may end with any code.
    fn by(&mut self, bench: &Bench, schema: &'static str, arguments: &[&str]) {
        let ended = bench.program().args(arguments).end();
        assert!(ended.stdout.starts_with('{'), "{arguments:?}: {}", ended.stderr);
        self.object(schema, &ended.stdout);
    }
}

/// Some growers of whom each meets something else, from the first run to the audits after it.
fn lived_through(printed: &mut Printed) {
    let rows = growers(8);
    let bench = Bench::new(&rows);
    let manifest = |rows: &[Grower]| {
        let line = |row: &Grower| {
            format!("{},{},\"{}\",Boa Vista\n", row.id, row.login, row.password.replace('"', "\"\""))
        };
        let header = "leafUserId,login,password,farm\n".to_owned();
        std::iter::once(header).chain(rows.iter().map(line)).collect::<Vec<_>>().concat()
    };
    let mut written = rows.clone();
    written[1] = rows[1].with_password("wrong ");
    bench.write("growers.csv", manifest(&written) + "not-a-uuid,x,y,z\n");
    printed.by(&bench, "plan", &["plan", "growers.csv", "--json"]);
    printed.by(&bench, "check", &["check", "growers.csv", "--json"]);
    bench.write("latin.csv", b"leafUserId;login;password\n0a1b2c3d-0000-4000-8000-000000000001;jos\xe9;x\n");
    printed.by(&bench, "check", &["check", "latin.csv", "--json"]);
    printed.by(&bench, "doctor", &["doctor", "growers.csv", "--json", "--canary", "2"]);
    printed.by(&bench, "doctor", &["doctor", "growers.csv", "--json", "--leaf-token-file", "nowhere"]);
    let ended = bench
        .run_of("growers.csv", &["--keep-column", "farm", "--progress", "json", "--magic-links", "links.csv"])
        .end()
        .with_code(3);
    printed.lines("progress", &ended.stdout);
    printed.lines("report", &std::fs::read_to_string(bench.path("results.jsonl")).unwrap());
    printed.by(&bench, "status", &["status", "--json"]);
    printed.by(&bench, "status-user", &["status", "--json", &user(0).to_string()]);
    printed.by(&bench, "status-user", &["status", "--json", &user(1).to_string()]);
    printed.by(&bench, "events", &["events", "--json", &user(0).to_string()]);
    printed.by(
        &bench,
        "events",
        &["events", "--json", &user(0).to_string(), "--leaf-url", "http://127.0.0.1:9"],
    );
    // What others do in the meantime.
    bench.world().set_status(user(2), "invalid");
    bench.world().set_status(user(3), "expired-soon");
    bench.world().remove_credential(user(4));
    bench.world().delete_user(user(5));
    bench.world().attach_from_elsewhere(user(6), &rows[6].login());
    printed.by(&bench, "audit", &["audit", "--json"]);
    let repair =
        ["audit", "growers.csv", "--repair", "--json", "--accept", "all", "--magic-links", "links.csv"];
    printed.by(&bench, "audit", &repair);
    printed.by(&bench, "audit", &["audit", "growers.csv", "--repair", "--json"]);
    printed.by(&bench, "status-user", &["status", "--json", &user(2).to_string()]);
    printed.by(&bench, "status-user", &["status", "--json", &user(4).to_string()]);
    printed.by(&bench, "plan", &["plan", "growers.csv", "--json", "--refresh"]);
    printed.by(&bench, "status", &["status", "--json"]);
    printed.by(&bench, "explain", &["explain", "--json"]);
}

/// A run that is throttled, at work while it is looked at, and stopped in its middle.
fn stopped(printed: &mut Printed) {
    use stara_onboard::sandbox::{Fault, SandboxOptions};
    let rows = growers(40);
    let bench = Bench::with_options(
        SandboxOptions { latency: std::time::Duration::from_millis(20), ..Default::default() },
        &rows,
    );
    let fault = Fault::parse("leaf:429:nth=9:retry-after=1s").unwrap();
    bench.inject(fault);
    bench.inject(Fault::parse("attach:hang-after-effect:nth=12").unwrap());
    let arguments =
        ["--progress", "json", "--concurrency", "4", "--grace", "100ms", "--stara-rate", "auto:50/s"];
    let running = bench.run_of("growers.csv", &arguments).start();
    bench.until(|world| world.attach_effects_in_all() >= 12);
    printed.by(&bench, "status", &["status", "--json"]);
    running.signal(rustix::process::Signal::TERM);
    printed.lines("progress", &running.end().with_code(143).stdout);
    let open = bench
        .seen()
        .iter()
        .filter(|call| call.call == CallKind::CreateCredential)
        .filter_map(|call| call.leaf_user_id)
        .collect::<Vec<_>>();
    for id in open {
        printed.by(&bench, "status-user", &["status", "--json", &id.to_string()]);
    }
}

/// The same manifest in two parts.
fn divided(printed: &mut Printed) {
    let bench = Bench::new(&growers(12));
    for shard in ["0/2", "1/2", "0/2"] {
        bench
            .program()
            .args(["run", "growers.csv", "--shard", shard, "--stara-rate", "auto:100/s"])
            .end()
            .with_code(0);
    }
    let ledgers = ["state/ledger.0-of-2.db", "state/ledger.1-of-2.db"];
    printed.by(&bench, "status", &["status", "--json", "--state", ledgers[0], ledgers[1]]);
    printed.by(&bench, "plan", &["plan", "growers.csv", "--json", "--shard", "0/2"]);
}

#[test]
fn whatever_is_printed_as_json_is_what_the_schemas_say_to_the_last_field() {
    let mut printed = Printed::default();
    lived_through(&mut printed);
    stopped(&mut printed);
    divided(&mut printed);
    let mut wrong = Vec::new();
    let mut unseen = BTreeSet::new();
    for (name, _) in SCHEMAS {
        let validator = jsonschema::validator_for(&strict(name)).unwrap();
        let values = printed.0.get(name).unwrap_or_else(|| panic!("nothing is printed of {name}"));
        let mut seen = BTreeSet::new();
        for value in values {
            names(value, &mut seen);
            let errors = validator.iter_errors(value);
            wrong.extend(errors.map(|error| format!("{name}: {}: {error}", error.instance_path())));
        }
        unseen.extend(fields(name).difference(&seen).map(|field| format!("{name}: {field}")));
    }
    wrong.dedup();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{wrong:#?}");
    unseen.retain(|field| !RARELY_SEEN.contains(&field.as_str()));
    assert!(
        unseen.is_empty(),
        "these fields are in a schema and were never printed with a value: {unseen:?}"
    );
}

#[test]
fn every_schema_is_one_and_is_described() {
    let mut files: Vec<String> = std::fs::read_dir(root().join("docs/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, SCHEMAS.map(|(name, _)| format!("{name}.json")));
    for (name, described) in SCHEMAS {
        let mut schema = schema(name);
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        let text = page(described).text;
        assert!(text.contains(&format!("schemas/{name}.json")), "{described} doesn't link to {name}.json");
        // The codes' own words are theirs; everything else stands in a table, an example or a sentence of the page.
        let missed: Vec<String> = fields(name)
            .into_iter()
            .filter(|field| !["`", "\""].iter().any(|mark| text.contains(&format!("{mark}{field}{mark}"))))
            .collect();
        assert!(missed.is_empty(), "{described} doesn't describe {missed:?} of {name}.json");
        within(&mut schema, &mut |object| {
            if let (Some(Value::Object(properties)), Some(Value::Array(required))) =
                (object.get("properties"), object.get("required"))
            {
                let optional: Vec<&String> =
                    properties.keys().filter(|name| !required.contains(&json!(name))).collect();
                let is_of_shards = optional.is_empty() || optional == ["apart", "behind", "shards"];
                assert!(is_of_shards, "{name}: {optional:?} may be missing; a missing value is null");
            }
        });
    }
}

#[test]
fn the_codes_in_the_schemas_are_those_of_the_program() {
    let words = |codes: &[&str]| codes.iter().map(|code| json!(code)).collect::<Vec<_>>();
    let known: BTreeMap<&str, Vec<Value>> = [
        ("outcome", words(&OutcomeCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>())),
        ("stage", words(&Stage::ALL.map(stara_onboard::Stage::as_str))),
        ("origin", words(&Origin::ALL.map(stara_onboard::Origin::as_str))),
        ("finding", words(&Finding::ALL.map(stara_onboard::model::Finding::as_str))),
        ("sign", words(&Sign::ALL.map(stara_onboard::model::Sign::as_str))),
        ("field", words(&Field::ALL.map(Field::as_str))),
        ("lintKind", words(&LintKind::ALL.map(stara_onboard::manifest::LintKind::as_str))),
        ("exitCode", ExitCode::ALL.iter().map(|code| json!(code.number())).collect()),
    ]
    .into();
    let mut compared = BTreeSet::new();
    for (name, _) in SCHEMAS {
        let schema = schema(name);
        for (definition, codes) in &known {
            if let Some(listed) = schema["$defs"].get(definition) {
                assert_eq!(listed["enum"].as_array().unwrap(), codes, "{definition} in {name}.json");
                compared.insert(*definition);
            }
        }
    }
    assert_eq!(compared, known.keys().copied().collect());
}
