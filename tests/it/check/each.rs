//! A manifest with every defect that a CSV can have, one a line, among growers of whom nothing is wrong.

use super::Place;

/// A manifest in the making.
pub(super) struct EachDefect {
    pub(super) text: String,
    /// What is to be found, by line.
    pub(super) places: Vec<Place>,
    /// The passwords in it, of which none may be told.
    pub(super) passwords: Vec<String>,
    line: u64,
    users: u64,
}

impl EachDefect {
    /// All of it.
    pub(super) fn new() -> Self {
        let text = "leafUserId,login,password,nome\n".to_owned();
        let mut manifest = Self { text, places: Vec::new(), passwords: Vec::new(), line: 1, users: 0 };
        manifest.add_clean();
        manifest.add_bad_cells();
        manifest.add_bad_logins();
        manifest.add_bad_lines();
        manifest.add_repeated_lines();
        manifest
    }

    fn id(&mut self) -> String {
        self.users += 1;
        format!("0a1b2c3d-0000-4000-8000-{:012x}", self.users)
    }

    fn password(&mut self) -> String {
        let password = format!("Segredo{:05}", self.passwords.len());
        self.passwords.push(password.clone());
        password
    }

    /// Adds a line, in which this is to be found. `ID` and `PW` stand for a user and a password of its own.
    fn add(&mut self, row: &str, found: Option<(u64, &str)>) {
        let (id, password) = (self.id(), self.password());
        self.line += 1;
        self.text.push_str(&row.replace("ID", &id).replace("PW", &password));
        self.text.push('\n');
        self.places.extend(found.map(|(column, kind)| (self.line, column, kind.to_owned())));
    }

    fn add_clean(&mut self) {
        for name in ["ana", "joão", "márcia", "antônio", "vinícius", "célia", "otávio", "íris"] {
            self.add(&format!("ID,{name}@agro.example,PW,João"), None);
        }
        // Numbers of a fixed length, with their zeros.
        for login in ["007123", "081512", "123456", "654321", "222333"] {
            self.add(&format!("ID,{login},PW,"), None);
        }
    }

    fn add_bad_cells(&mut self) {
        for (cell, kind) in [
            (" PW", "leading-space"),
            ("PW ", "trailing-space"),
            ("PW\u{a0}", "non-breaking-space"),
            ("\u{200b}PW", "zero-width"),
            ("PW\u{201d}", "smart-quotes"),
            ("a\tPW", "control-character"),
            ("a\u{303}PW", "decomposed-accent"),
            ("JoÃ£oPW", "mojibake"),
            ("=\"\"PW\"\"", "text-marker"),
            ("********", "masked-password"),
        ] {
            let login = format!("grower{}", self.line);
            self.add(&format!("ID,{login}@agro.example,\"{cell}\","), Some((3, kind)));
        }
    }

    fn add_bad_logins(&mut self) {
        for (login, kind) in [
            ("1.23E+11", "scientific-notation"),
            ("7124", "lost-leading-zeros"),
            ("4512.0", "decimal-number"),
            ("#REF!", "spreadsheet-error"),
            ("null", "placeholder"),
            ("rui @agro.example", "malformed-email"),
            ("0a1b2c3d-0000-4000-8000-0000000000ff", "uuid-as-login"),
        ] {
            self.add(&format!("ID,{login},PW,"), Some((2, kind)));
        }
        self.add("ID,PW,lucas@agro.example,", Some((2, "swapped-login")));
    }

    fn add_bad_lines(&mut self) {
        self.add("leafUserId,login,password,nome", Some((1, "header-in-data")));
        self.add("Rui,ID,rui@agro.example,PW", Some((1, "shifted-columns")));
        self.add("ID,eva@agro.example,PW", Some((4, "missing-cells")));
        self.add("ID,gil@agro.example,PW,Gil,x", Some((5, "surplus-cells")));
        self.add("ID,,PW,Eva", Some((2, "empty-cell")));
        self.add("ID ,edu@agro.example,PW,", Some((1, "padded-uuid")));
        self.add("123,eli@agro.example,PW,", Some((1, "not-a-uuid")));
        self.add("ID,e\0li@agro.example,PW,", Some((2, "nul-character")));
    }

    fn add_repeated_lines(&mut self) {
        let (twice, contradicted) = (self.id(), self.id());
        self.add(&format!("{twice},ivo@agro.example,Safra1,Ivo"), None);
        self.add(&format!("{twice},ivo@agro.example,Safra1,Ivo"), Some((1, "duplicate-line")));
        for login in ["lara", "laura"] {
            self.add(&format!("{contradicted},{login}@agro.example,PW,"), Some((1, "conflicting-user")));
        }
        for _ in 0..2 {
            self.add("ID,tio@agro.example,PW,", Some((2, "shared-login")));
        }
    }
}
