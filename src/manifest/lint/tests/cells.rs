//! Cells by themselves.

use super::super::super::test_support::open_csv;
use proptest::prelude::*;

use super::super::super::Field;
use super::super::LintKind::{self, *};
use super::super::cell::lint_cell;
use super::fixtures::{found, growers, id, lint};

/// The kinds found in a login, in their order.
fn in_login(login: &str) -> Vec<LintKind> {
    found(&growers([(login, "Safra2041")])).into_iter().map(|(_, _, kind)| kind).collect()
}

fn in_password(password: &str) -> Vec<LintKind> {
    found(&growers([("ana@agro.example", password)])).into_iter().map(|(_, _, kind)| kind).collect()
}

#[test]
fn what_other_tools_put_into_a_cell_is_found_in_logins_and_passwords() {
    for (cell, kind) in [
        (" Safra", LeadingSpace),
        ("\tSafra", LeadingSpace),
        ("Safra ", TrailingSpace),
        ("Safra\n", TrailingSpace),
        ("Safra\u{a0}", NonBreakingSpace),
        ("\u{a0}Safra", NonBreakingSpace),
        ("Sa\u{202f}fra", NonBreakingSpace),
        ("Safra\u{200b}", ZeroWidth),
        ("\u{feff}Safra", ZeroWidth),
        ("Sa\u{ad}fra", ZeroWidth),
        ("\u{202a}Safra", ZeroWidth),
        ("O\u{2019}Hara", SmartQuotes),
        ("\u{201c}Safra\u{201d}", SmartQuotes),
        ("soja\u{2013}milho", SmartQuotes),
        ("soja\u{2026}", SmartQuotes),
        ("Sa\nfra", ControlCharacter),
        ("Sa\tfra", ControlCharacter),
        ("Sa\u{7f}fra", ControlCharacter),
        ("Sa\u{85}fra", ControlCharacter),
        ("ma\u{303}e", DecomposedAccent),
        ("mÃ£e", Mojibake),
        ("Ã\u{a0} mesa", Mojibake),
        ("SÃƒO", Mojibake),
        ("itâ€™s", Mojibake),
        ("m\u{fffd}e", Mojibake),
        ("1.23E+11", ScientificNotation),
        ("1,23457E+13", ScientificNotation),
        ("5E+15", ScientificNotation),
        ("1234567.0", DecimalNumber),
        ("#N/A", SpreadsheetError),
        ("#VALOR!", SpreadsheetError),
        ("null", Placeholder),
        ("NaN", Placeholder),
        ("=\"007123\"", TextMarker),
    ] {
        assert_eq!(in_login(cell), [kind], "{cell:?}");
        assert_eq!(in_password(cell), [kind], "{cell:?}");
    }
}

#[test]
fn some_things_are_wrong_in_a_login_only() {
    for (cell, kind) in [
        ("'007123", TextMarker),
        ("\"ana\"", TextMarker),
        ("ana silva@agro.example", MalformedEmail),
        ("a@agro.example; b@agro.example", MalformedEmail),
        ("ana@@agro.example", MalformedEmail),
        ("0a1b2c3d-0000-4000-8000-00000000abcd", UuidAsLogin),
        ("########", SpreadsheetError),
    ] {
        assert_eq!(in_login(cell), [kind], "{cell:?}");
        assert_eq!(in_password(cell), [], "{cell:?}");
    }
    for cell in ["********", "••••••", "●●●●"] {
        assert_eq!(in_password(cell), [MaskedPassword], "{cell:?}");
    }
}

#[test]
fn each_kind_is_told_once_a_cell_and_several_kinds_side_by_side() {
    assert_eq!(
        in_password("\u{a0}a\u{a0}b\u{2019}c\u{2018} "),
        [TrailingSpace, NonBreakingSpace, SmartQuotes]
    );
    assert_eq!(
        in_password("  "),
        [LeadingSpace],
        "nothing but spaces has one beginning and no end of its own"
    );
    assert_eq!(in_login(" 1.23E+11"), [LeadingSpace, ScientificNotation]);
}

#[test]
fn a_sample_shows_nothing_but_the_name_of_the_character() {
    for (cell, sample) in [
        ("hunter2 ", "••••••<U+0020>"),
        (" hunter2", "<U+0020>••••••"),
        ("hun\u{a0}ter2", "•••<U+00A0>•••"),
        ("hÃºnter2", "•••<U+00C3><U+00BA>•••"),
        ("hunte\u{301}r2", "•••<U+0301>•••"),
        ("1.23E+11", "••••••"),
        ("=\"hunter2\"", "<U+003D><U+0022>••••••"),
    ] {
        let report = lint(&open_csv(growers([("ana@agro.example", cell)])).unwrap()).unwrap();
        let samples: Vec<&str> = report.findings.iter().map(|finding| finding.sample.as_str()).collect();
        assert_eq!(samples, [sample], "{cell:?}");
    }
}

#[test]
fn what_people_type_is_left_alone() {
    for cell in [
        "Safra 2041",
        "soja-milho88",
        "trigo;\"da\",serra|x",
        "=1+1",
        "'tis",
        "1e5",
        "2E+5",
        "v1.0",
        "12.0",
        "p@ss, w@rd",
        "#hashtag!",
        "nulo",
        "Nancy",
        "***",
        "JOSÉ",
        "SÃO JOÃO",
        "IRMÃ",
        "Âncora",
        "«safra»",
        "senha€5",
        "´`~^",
        "№ 5",
        "😀👨\u{200d}👩\u{200d}👧",
        "❤\u{fe0f}",
        "Ünïcödé",
        "日本",
        "-Safra",
        "@safra",
    ] {
        assert_eq!(in_password(cell), [], "{cell:?}");
    }
    for cell in
        ["007123", "joão.souza@fazenda.com.br", "ZSCHMIDT", "ana silva", "@ana", "ana@fazenda", "1.0", "a'b"]
    {
        assert_eq!(in_login(cell), [], "{cell:?}");
    }
}

#[test]
fn an_access_token_client_is_looked_at_for_characters() {
    let text = format!("leafUserId,login,senha,token cliente\n{},a,b,abc\u{200b}\n", id(1));
    assert_eq!(found(&text), [(2, 4, ZeroWidth)]);
}

proptest! {
    #[test]
    fn no_cell_makes_the_lint_fail_or_shows_more_than_names_of_characters_that_are_not_typed(
        cell in ".{0,12}|[a-z@ .;\u{a0}\u{2019}\u{303}\u{200b}Ãâ€™£\t]{0,12}",
    ) {
        for field in Field::ALL {
            lint_cell(&cell, field, &mut |kind, sample| {
                let shown: Vec<&str> = sample.split(['•', '<', '>']).filter(|part| !part.is_empty()).collect();
                let is_name = |part: &&str| part.starts_with("U+") && part[2..].bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(shown.iter().all(is_name) && shown.len() <= 4, "{kind}: {sample}");
                let letters = shown.iter().filter(|name| {
                    let code = u32::from_str_radix(&name[2..], 16).unwrap();
                    char::from_u32(code).is_some_and(|letter| letter.is_ascii_alphanumeric())
                });
                assert_eq!(letters.count(), 0, "{kind}: {sample}");
            });
        }
    }
}
