//! A strict reader of Prometheus' text format 0.0.4, written from the format's documentation. What the documentation leaves
//! to the reader is refused.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a sample.
type Labels = BTreeMap<String, String>;

/// A page of metrics: each family's samples.
#[derive(Debug, Default)]
pub(super) struct Page {
    families: BTreeMap<String, BTreeMap<Labels, f64>>,
}

impl Page {
    /// Whether the family is there at all.
    pub(super) fn has(&self, family: &str) -> bool {
        self.families.contains_key(&format!("stara_onboard_{family}"))
    }

    /// The value of the one sample of a family that has these labels among its own.
    #[track_caller]
    pub(super) fn value(&self, family: &str, labels: &[(&str, &str)]) -> f64 {
        let samples = self.samples(family);
        let is_meant =
            |of: &Labels| labels.iter().all(|(name, value)| of.get(*name).is_some_and(|of| of == value));
        let found: Vec<f64> =
            samples.iter().filter(|(of, _)| is_meant(of)).map(|(_, value)| *value).collect();
        assert_eq!(found.len(), 1, "{family} {labels:?} in {samples:?}");
        found[0]
    }

    /// The samples of a family.
    #[track_caller]
    pub(super) fn samples(&self, family: &str) -> &BTreeMap<Labels, f64> {
        self.families.get(&format!("stara_onboard_{family}")).unwrap_or_else(|| panic!("no {family}"))
    }

    /// The labels of each family's samples, which all have the same.
    pub(super) fn labels(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut labels = BTreeMap::new();
        for (name, samples) in &self.families {
            let of_samples: BTreeSet<BTreeSet<String>> =
                samples.keys().map(|labels| labels.keys().cloned().collect()).collect();
            assert_eq!(of_samples.len(), 1, "{name}");
            let name = name.strip_prefix("stara_onboard_").unwrap().to_owned();
            labels.insert(name, of_samples.into_iter().next().unwrap());
        }
        labels
    }

    /// The samples that aren't zero, by the value of one label.
    #[track_caller]
    pub(super) fn by(&self, family: &str, label: &str) -> BTreeMap<&str, f64> {
        let samples = self.samples(family).iter().filter(|(_, value)| **value != 0.0);
        samples.map(|(labels, value)| (labels[label].as_str(), *value)).collect()
    }
}

/// Reads a page.
pub(super) fn read(text: &str) -> Result<Page, String> {
    let mut page = Page::default();
    let (mut helped, mut current) = (BTreeSet::new(), None::<String>);
    if !text.ends_with('\n') {
        return Err("the last line doesn't end".to_owned());
    }
    for line in text.lines() {
        let wrong = |what: &str| format!("{what}: {line:?}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').ok_or_else(|| wrong("HELP without a text"))?;
            check_escapes(help, "\\n").map_err(|what| wrong(&what))?;
            if !is_name(name, true) || !helped.insert(name.to_owned()) {
                return Err(wrong("a second HELP, or of no metric"));
            }
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').ok_or_else(|| wrong("TYPE without a type"))?;
            if !helped.contains(name) || !["counter", "gauge", "untyped"].contains(&kind) {
                return Err(wrong("TYPE before HELP, or of no known type"));
            }
            if page.families.insert(name.to_owned(), BTreeMap::new()).is_some() {
                return Err(wrong("a second TYPE, or a family in two groups"));
            }
            current = Some(name.to_owned());
        } else if line.starts_with('#') || line.is_empty() {
            return Err(wrong("a comment or an empty line, which we don't write"));
        } else {
            let (name, labels, value) = sample(line).map_err(|what| wrong(&what))?;
            if current.as_deref() != Some(name) {
                return Err(wrong("a sample outside of its family"));
            }
            let samples = page.families.get_mut(name).ok_or_else(|| wrong("no such family"))?;
            if samples.insert(labels, value).is_some() {
                return Err(wrong("the same sample twice"));
            }
        }
    }
    Ok(page)
}

fn sample(line: &str) -> Result<(&str, Labels, f64), String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err("no name of a metric".to_owned());
    }
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, value) = rest.split_once("=\"").ok_or("a label without a value")?;
            if !is_name(label, false) {
                return Err(format!("no name of a label: {label}"));
            }
            let (value, behind) = quoted(value)?;
            if labels.insert(label.to_owned(), value).is_some() {
                return Err("a label twice".to_owned());
            }
            rest = behind.strip_prefix(',').unwrap_or(behind);
            if !behind.starts_with([',', '}']) || behind.starts_with(",}") {
                return Err("labels that aren't parted by a comma".to_owned());
            }
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte));
    if !is_plain {
        return Err("a value that is no finite number, or with something behind it".to_owned());
    }
    Ok((name, labels, value.parse().map_err(|_| "a value that is no number")?))
}

/// The text up to the closing quote, and what stands behind that.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[place + 1..])),
            '\\' => value.push(match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, escaped @ ('"' | '\\'))) => escaped,
                _ => return Err("an escape that doesn't exist".to_owned()),
            }),
            letter => value.push(letter),
        }
    }
    Err("a label's value that doesn't end".to_owned())
}

fn check_escapes(text: &str, allowed: &str) -> Result<(), String> {
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\\' && !letters.next().is_some_and(|escaped| allowed.contains(escaped)) {
            return Err("an escape that doesn't exist".to_owned());
        }
    }
    Ok(())
}

fn is_name(text: &str, may_have_colons: bool) -> bool {
    let is_of_name =
        |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || may_have_colons && letter == ':';
    !text.is_empty()
        && text.chars().all(is_of_name)
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

#[test]
fn the_reader_refuses_what_is_not_of_the_format() {
    let head = "# HELP m Text.\n# TYPE m gauge\n";
    for sound in ["m 1\n", "m{a=\"x\"} 1.5e9\n", "m{a=\"\\\"\\\\\\n}\",b=\"\"} -3\n", ""] {
        read(&format!("{head}{sound}")).unwrap();
    }
    for damaged in [
        "m 1",
        "m  1\n",
        "m 1 \n",
        "m one\n",
        "m NaN\n",
        "m{a=x} 1\n",
        "m{a=\"x\"}1\n",
        "m{a=\"x\"b=\"y\"} 1\n",
        "m{a=\"x\",} 1\n",
        "m{a=\"x\",a=\"y\"} 1\n",
        "m{a=\"\\t\"} 1\n",
        "m{1=\"x\"} 1\n",
        "m{a=\"x} 1\n",
        "n 1\n",
        "m 1\nm 2\n",
        "\n",
        "# TYPE m gauge\n",
        "# HELP m Again.\n",
        "# TYPE n gauge\n",
        "m 1 1795269800\n",
    ] {
        assert!(read(&format!("{head}{damaged}")).is_err(), "{damaged:?}");
    }
}
