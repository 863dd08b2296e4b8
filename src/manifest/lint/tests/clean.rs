//! Nothing is found where nothing is wrong.

use proptest::prelude::*;

use super::fixtures::{csv, found, id};

/// First names as they are written in Brazil, composed.
const FIRST: [&str; 12] = [
    "Ana",
    "João",
    "Márcia",
    "Antônio",
    "Conceição",
    "Luís",
    "Zélia",
    "Vinícius",
    "Íris",
    "Otávio",
    "SEBASTIÃO",
    "ÂNGELA",
];

const LAST: [&str; 9] =
    ["Souza", "Gonçalves", "D'Ávila", "Müller", "Araújo", "Brandão", "Peña", "de Sá", "ASSUNÇÃO"];

/// What people make passwords of.
fn password() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "Safra",
        "soja",
        "Milho",
        "café",
        "açaí",
        "trator",
        "João",
        "É",
        "pão",
        "senha",
        "Fazenda São João",
        "q1w2e3",
    ]);
    let mark = prop::sample::select(vec![
        "", "@", "#", "!", "\"", "'", ";", ",", "|", " ", ": ", "-", "_", ".", "/", "\\", "%", "&", "=", "+",
        "$", "*", "?", "º", "ª", "ç", "«»", "€", "~", "^", "´", "<>", "()", "{}",
    ]);
    let typed = "[!-~]([ -~]{0,18}[!-~])?";
    prop_oneof![
        3 => (word.clone(), mark.clone(), 0..100_000_u32, word, mark).prop_map(|(first, mark, number, last, end)| {
            format!("{first}{mark}{number}{last}{end}").trim().to_owned()
        }),
        1 => typed.prop_filter("it looks like what a spreadsheet writes", |text| !looks_like_a_defect(text)),
        1 => "[0-9]{6,8}",
        1 => "[0-3][0-9]/[01][0-9]/19[0-9]{2}",
    ]
}

/// Passwords that could be addresses.
fn email_like() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["joão", "Safra", "maria.souza", "senha", "milho_", "fazenda-sul"]);
    let domain = prop::sample::select(vec!["gmail.com", "agro.example", "2023.com", "bol.com.br"]);
    (word, 0..3_000_u32, domain).prop_map(|(word, number, domain)| format!("{word}{number}@{domain}"))
}

/// Random ASCII comes to such a thing once in a million times; people don't type it.
fn looks_like_a_defect(text: &str) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with("=\"")
        || text.contains("E+")
        || text.contains("e+")
        || text.strip_suffix(".0").is_some_and(is_number)
        || text.bytes().all(|byte| byte == b'*')
        || text.contains('@') && text.contains('.')
}

/// One way of naming logins; a manifest mostly has one.
fn login(style: u8, number: usize, first: &str, last: &str) -> String {
    let plain: String = format!("{first}.{last}").chars().filter(|letter| !" '".contains(*letter)).collect();
    match style {
        0 => format!("{}{number}@fazenda.example", plain.to_lowercase()),
        1 => format!("{:06}", number * 7_919 % 1_000_000),
        2 => format!("{first} {last} {number}"),
        3 => format!("{}{number}", plain.to_uppercase()),
        4 => cpf(number),
        _ => format!("5599{:07}", number * 7_919 % 10_000_000),
    }
}

/// A CPF with the check digits that it must have.
fn cpf(number: usize) -> String {
    let mut digits = format!("{:09}", number * 104_729 % 1_000_000_000);
    for _ in 0..2 {
        let weighted = digits.bytes().rev().zip(2_u32..);
        let sum: u32 = weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        let check = 11 - sum % 11;
        digits.push(char::from(b'0' + u8::try_from(if check > 9 { 0 } else { check }).unwrap()));
    }
    digits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_clean_manifest_has_no_findings(
        style in 0..6_u8,
        other in 0..6_u8,
        rows in prop::collection::vec((0..12_usize, 0..9_usize, password(), 0..10_u8), 1..60),
    ) {
        let text = csv(rows.iter().enumerate().map(|(number, (first, last, password, turn))| {
            // Numbers of another kind among numbers are what the lint can't tell from lost zeros.
            let is_other = *turn == 0 && other != 1 && other < 4;
            let login = login(if is_other { other } else { style }, number + 1, FIRST[*first], LAST[*last]);
            [id(number), login, password.clone()]
        }));
        prop_assert_eq!(found(&text), [], "{}", text);
    }

    #[test]
    fn passwords_like_e_mail_addresses_are_no_swap_where_most_logins_are_none(
        style in 1..6_u8,
        stride in 3..30_usize,
        mail_stride in 4..60_usize,
        rows in prop::collection::vec((0..12_usize, 0..9_usize, password(), email_like()), 1..90),
    ) {
        let text = csv(rows.iter().enumerate().map(|(number, (first, last, password, email))| {
            let style = if number % mail_stride == 1 { 0 } else { style };
            let password = if number % stride == 0 { email } else { password };
            [id(number), login(style, number + 1, FIRST[*first], LAST[*last]), password.clone()]
        }));
        prop_assert_eq!(found(&text), [], "{}", text);
    }
}
