//! The text format of Prometheus, version 0.0.4 (source: its documentation, "Exposition formats").

use std::fmt::{Display, Write as _};

/// A page of metrics in the making: family after family, each with its samples behind it.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    family: String,
    /// The labels of every sample, rendered.
    common: Vec<String>,
}

impl Exposition {
    /// A page whose samples all have these labels before their own.
    pub(super) fn about(labels: &[(&str, &str)]) -> Self {
        Self { common: rendered(labels).collect(), ..Self::default() }
    }

    /// Begins a family of gauges. Its samples follow it.
    pub(super) fn gauge(&mut self, name: &str, help: &str) {
        name.clone_into(&mut self.family);
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        // Writing into a string can't fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    /// Adds a sample to the family that was begun last.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = self.common.iter().cloned().chain(rendered(labels)).collect();
        let _ = writeln!(self.text, "{}{{{}}} {value}", self.family, labels.join(","));
    }

    /// The page.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn rendered(labels: &[(&str, &str)]) -> impl Iterator<Item = String> {
    labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
}

/// The labels as they stand at the head of a sample's.
pub(super) fn head(labels: &[(&str, &str)]) -> String {
    rendered(labels).collect::<Vec<_>>().join(",")
}

/// A label's value as it stands between the quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_hold_whatever_a_file_is_called() {
        let mut page = Exposition::default();
        page.gauge("rows", "Lines.\nAnd \\ more.");
        page.sample(&[("file", "a\"b\\c\nd.csv"), ("verb", "run")], 3);
        let expected = "# HELP rows Lines.\\nAnd \\\\ more.\n# TYPE rows gauge\n\
                        rows{file=\"a\\\"b\\\\c\\nd.csv\",verb=\"run\"} 3\n";
        assert_eq!(page.into_text(), expected);
    }
}
