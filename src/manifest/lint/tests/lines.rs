//! Lines as a whole, and lines beside each other.

use super::super::super::test_support::open_csv;
use super::super::LintKind::{self, *};
use super::super::{LintOptions, Linter};
use super::fixtures::{csv, found, growers, id, lint};

/// A manifest with these lines below its header; `ID1` to `ID9` stand for leafUserIds.
fn manifest(lines: &str) -> String {
    let text = format!("leafUserId,login,password\n{lines}");
    (1..10).fold(text, |text, number| text.replace(&format!("ID{number}"), &id(number)))
}

fn kinds(text: &str) -> Vec<(u64, LintKind)> {
    found(text).into_iter().map(|(line, _, kind)| (line, kind)).collect()
}

#[test]
fn lines_that_are_no_rows_are_told_apart() {
    let text = manifest(
        "ID1,ana,x1\nleafUserId,login,password\nana,ID2,x1\nID3,bia\nID3,bia,x1,y\nID3,,x1\n ID4,caio,x1\n\
         {ID4},caio,x1\n123,duda,x1\nID5,ed\0u,x1\n,ID6,fabi\nID7,gil,x2,,\n",
    );
    let expected = [
        (3, 1, HeaderInData),
        (4, 1, ShiftedColumns),
        (5, 3, MissingCells),
        (6, 4, SurplusCells),
        (7, 2, EmptyCell),
        (8, 1, PaddedUuid),
        (9, 1, PaddedUuid),
        (10, 1, NotAUuid),
        (11, 2, NulCharacter),
        (12, 1, ShiftedColumns),
    ];
    assert_eq!(found(&text), expected);
}

#[test]
fn a_header_is_recognised_in_another_language_order_and_width() {
    for header in
        ["Leaf User ID,Usuário,Senha", "LOGIN,SENHA,ID Leaf", "leafUserId,login", "id leaf;login;senha;nome"]
    {
        let text = manifest(&format!("ID1,ana,x1\n{}\nID2,bia,x2\n", header.replace(';', ",")));
        assert_eq!(kinds(&text), [(3, HeaderInData)], "{header}");
    }
    // Headers that only --column knows are recognised by the cells of login and password.
    let text = manifest("ID1,ana,x1\nID2,login,password\n");
    assert_eq!(kinds(&text), [], "with a UUID it is a row");
}

#[test]
fn a_row_moved_by_one_cell_is_shifted_and_a_foreign_uuid_further_on_is_no_sign_of_it() {
    let text = manifest("x,ID1,ana,x1\nID2,bia,x2\n");
    assert_eq!(kinds(&text), [(2, ShiftedColumns)]);
    let text = format!("leafUserId,login,password,customer\n123,ana,x1,{}\n", id(1));
    assert_eq!(kinds(&text), [(2, NotAUuid)]);
}

#[test]
fn one_user_with_several_logins_is_a_conflict_on_all_its_lines() {
    let text = manifest("ID1,ana,x1\nID2,bia,x2\nID1,ana,x1\nID1,eva,x1\nID2,bia,x3\nID3,caio,x4\n");
    let expected = [
        (2, ConflictingUser),
        (3, ConflictingUser),
        (4, ConflictingUser),
        (5, ConflictingUser),
        (6, ConflictingUser),
    ];
    assert_eq!(kinds(&text), expected);
}

#[test]
fn identical_lines_are_duplicates_of_the_first_however_the_id_is_written() {
    let text = manifest("ID1,ana,x1\nID2,bia,x2\nID1,ana,x1\nID1,ana,x1\n");
    let text = text.replacen(&id(1), &id(1).to_uppercase(), 1);
    assert_eq!(kinds(&text), [(4, DuplicateLine), (5, DuplicateLine)]);
}

#[test]
fn one_login_for_several_users_is_noted_on_all_its_lines() {
    let text = manifest("ID1,ana,x1\nID2,bia,x2\nID3,ana,x1\nID4,ana,x9\n");
    assert_eq!(found(&text), [(2, 2, SharedLogin), (4, 2, SharedLogin), (5, 2, SharedLogin)]);
    let report = lint(&open_csv(&text).unwrap()).unwrap();
    let samples: Vec<&str> = report.findings.iter().map(|finding| finding.sample.as_str()).collect();
    assert_eq!(samples, ["2 more lines", "first on line 2", "first on line 2"]);
}

#[test]
fn zeros_that_a_spreadsheet_ate_are_missed_where_other_logins_still_have_theirs() {
    let full = ["007123", "081512", "123456", "654321", "222333"];
    let rows =
        |short: &'static [&'static str]| growers(full.iter().chain(short).map(|login| (*login, "Safra1")));
    assert_eq!(found(&rows(&["7124"])), [(7, 2, LostLeadingZeros)]);
    assert_eq!(found(&rows(&["12"])), [], "four zeros are too many to have been there");
    assert_eq!(found(&rows(&["1234567"])), [], "a longer one has lost none");
}

#[test]
fn a_cpf_or_cnpj_without_its_zeros_is_recognised_by_its_check_digits() {
    let cpfs = ["11144477735", "52998224725", "39053344705", "86288366757", "15350946056"];
    // 012.345.678-90 is a CPF, and so it is without its zero; with another last digit it is none.
    let with = |short: &'static str| growers(cpfs.iter().chain([&short]).map(|login| (*login, "Safra1")));
    assert_eq!(found(&with("1234567890")), [(7, 2, LostLeadingZeros)]);
    assert_eq!(found(&with("1234567891")), []);
}

#[test]
fn numbers_of_several_lengths_without_any_leading_zero_are_only_noted() {
    let full = ["4512345678901", "7812345678902", "3312345678903", "9912345678904", "2212345678905"];
    let rows = growers(full.iter().chain(&["812345678906"]).map(|login| (*login, "Safra1")));
    assert_eq!(found(&rows), [(7, 2, MixedLoginLengths)]);
}

#[test]
fn numbers_that_count_up_and_telephone_numbers_have_lost_nothing() {
    let counted: Vec<String> = (1..1_200).map(|number| number.to_string()).collect();
    assert_eq!(found(&growers(counted.iter().map(|login| (login.as_str(), "Safra1")))), []);
    let mobiles = (0..40).map(|number| format!("5599{:07}", 1_234_567 + number * 7_919));
    let phones: Vec<String> = mobiles.chain(["5532223344".to_owned(), "5433221100".to_owned()]).collect();
    assert_eq!(found(&growers(phones.iter().map(|login| (login.as_str(), "Safra1")))), []);
}

#[test]
fn a_swapped_row_is_told_by_what_the_other_logins_look_like() {
    let others =
        ["ana", "bia", "caio", "duda"].map(|name| (format!("{name}@agro.example"), "Safra2041".to_owned()));
    let with = |login: &str, password: &str| {
        let row = (login.to_owned(), password.to_owned());
        let rows: Vec<_> = others.iter().chain([&row]).cloned().collect();
        csv(rows.into_iter().enumerate().map(|(number, (login, password))| [id(number), login, password]))
    };
    assert_eq!(found(&with("Milho77", "edu@agro.example")), [(6, 2, SwappedLogin)]);
    assert_eq!(
        found(&with("edu@agro.example", "ana@agro.example")),
        [],
        "some take an address for a password"
    );
    assert_eq!(found(&with("Milho77", "Milho@2024.1")), []);
    let all = others.map(|(login, password)| (password, login));
    let swapped = csv(all
        .into_iter()
        .enumerate()
        .map(|(number, (login, password))| [id(number), format!("{login}{number}"), password]));
    let expected: Vec<_> = (2..6).map(|line| (line, 2, SwappedColumns)).collect();
    assert_eq!(found(&swapped), expected);
}

#[test]
fn a_column_is_one_of_addresses_only_where_half_of_it_are() {
    // So many addresses among twelve logins, a password that is one, and names.
    let with = |addresses: usize| {
        csv((0..12).map(|number| {
            let login =
                if number < addresses { format!("g{number}@agro.example") } else { format!("g{number}") };
            let password = if number == 11 { "joão@2023.com".to_owned() } else { format!("Safra{number}") };
            [id(number), login, password]
        }))
    };
    for none in [0, 3, 5] {
        assert_eq!(found(&with(none)), [], "{none} of 12");
    }
    assert_eq!(found(&with(6)), [(13, 2, SwappedLogin)]);
}

#[test]
fn numbers_as_passwords_are_no_swap_where_the_logins_are_names() {
    let cpfs = ["11144477735", "52998224725", "39053344705", "86288366757"];
    let names = ["ana", "bia", "caio", "duda"];
    assert_eq!(found(&growers(names.into_iter().zip(cpfs))), [], "many are given their own number at first");
}

#[test]
fn a_cpf_in_the_place_of_a_password_is_swapped_only_where_the_logins_are_such_numbers() {
    let cpfs = ["11144477735", "52998224725", "39053344705", "86288366757"];
    let rows = |login: &'static str| {
        growers(cpfs.iter().map(|cpf| (*cpf, "Safra1")).chain([(login, "15350946056")]))
    };
    assert_eq!(found(&rows("Milho77")), [(6, 2, SwappedLogin)]);
    assert_eq!(found(&rows("edu@agro.example")), [], "many take their own number for a password");
}

#[test]
fn only_so_many_places_are_listed_and_all_are_counted() {
    let text = growers((0..50).map(|_| ("ana ", "Safra1")));
    let manifest = open_csv(text).unwrap();
    let linter = Linter::new(&manifest, LintOptions { most_listed: 3, takes_swapped: false });
    let report = linter.lint_whole(&manifest).unwrap();
    let counts: Vec<(LintKind, u64)> = report.counts.iter().map(|count| (count.kind, count.count)).collect();
    assert_eq!(counts, [(TrailingSpace, 50), (SharedLogin, 50)]);
    let listed: Vec<(u64, LintKind)> =
        report.findings.iter().map(|finding| (finding.line, finding.kind)).collect();
    assert_eq!(
        listed,
        [
            (2, TrailingSpace),
            (2, SharedLogin),
            (3, TrailingSpace),
            (3, SharedLogin),
            (4, TrailingSpace),
            (4, SharedLogin)
        ]
    );
    assert_eq!(report.left_out(), 94);
}

#[test]
fn the_lint_of_one_line_lists_all_of_that_line_and_counts_the_others() {
    let numbers: Vec<String> = (0..50).map(|number| format!("{number:08}")).collect();
    let rows = |cells: &[(&str, &str)]| {
        growers(numbers.iter().map(|login| (login.as_str(), "Safra1 ")).chain(cells.iter().copied()))
    };
    let manifest =
        open_csv(rows(&[("1000001", " Safra1"), ("1000002", "Safra1"), ("1000001", "Safra2")])).unwrap();
    let report = Linter::of_line(&manifest, 52).lint_whole(&manifest).unwrap();
    let listed: Vec<(u64, LintKind)> =
        report.findings.iter().map(|finding| (finding.line, finding.kind)).collect();
    assert_eq!(listed, [(52, LostLeadingZeros), (52, SharedLogin), (52, LeadingSpace)]);
    let counts: Vec<(LintKind, u64)> = report.counts.iter().map(|count| (count.kind, count.count)).collect();
    assert_eq!(counts, [(LeadingSpace, 1), (TrailingSpace, 50), (LostLeadingZeros, 3), (SharedLogin, 2)]);
}
