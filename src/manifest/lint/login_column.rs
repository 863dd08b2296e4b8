//! What only the whole column of logins tells: leading zeros that are lost, and logins that are in the place of passwords.

use super::super::Row;
use super::email::is_email;
use super::kind::LintKind;
use super::listing::Listing;
use super::tax_number::{is_cnpj, is_cpf};

/// The longest number that is compared with others.
const MOST_DIGITS: usize = 20;

/// How many digits a number may have lost. One in a thousand random numbers begins with three zeros.
const MOST_LOST: usize = 3;

/// How many cells of one look it takes to call it the look of the column.
const FEWEST_ALIKE: u64 = 3;

/// How many logins of one length it takes to call it the length of the others.
const FEWEST_NUMBERS: u64 = 5;

/// Lines that will be findings if the whole column says so.
#[derive(Debug, Clone, Default)]
struct Suspects {
    count: u64,
    listed: Vec<u64>,
}

impl Suspects {
    fn add(&mut self, line: u64, listing: Listing) {
        self.count += 1;
        if listing.takes(line, self.listed.len()) {
            self.listed.push(line);
        }
    }
}

/// Logins of digits alone, of one length.
#[derive(Debug, Clone, Default)]
struct Length {
    all: Suspects,
    /// Those that are a CPF once the zeros that they lack are put before them.
    as_cpf: Suspects,
    /// The same for a CNPJ.
    as_cnpj: Suspects,
    with_leading_zero: u64,
}

/// A way in which a login can look that a password mostly doesn't.
#[derive(Debug, Default)]
struct Look {
    logins: u64,
    passwords: u64,
    /// Passwords that look so beside a login that doesn't.
    suspects: Suspects,
}

/// Counts what the logins look like.
#[derive(Debug)]
pub(super) struct LoginColumn {
    listing: Listing,
    /// Whether the columns are taken as they are.
    pub(super) takes_swapped: bool,
    rows: u64,
    lengths: Vec<Length>,
    /// Numbers of eleven digits that are a Brazilian mobile number: two of the area, and nine that begin with 9.
    mobiles: u64,
    emails: Look,
    tax_numbers: Look,
}

/// A finding that the column decided.
pub(super) struct Decided {
    pub(super) kind: LintKind,
    pub(super) count: u64,
    /// Those of its lines that are listed.
    pub(super) lines: Vec<u64>,
}

impl LoginColumn {
    /// Nothing was read yet.
    pub(super) fn new(listing: Listing) -> Self {
        Self {
            listing,
            takes_swapped: false,
            rows: 0,
            lengths: vec![Length::default(); MOST_DIGITS + 1],
            mobiles: 0,
            emails: Look::default(),
            tax_numbers: Look::default(),
        }
    }

    /// Takes note of a row.
    pub(super) fn see(&mut self, row: &Row) {
        let (login, password) = (row.login.as_str().trim(), row.password.expose_secret().trim());
        self.rows += 1;
        self.see_number(row.line, login.as_bytes());
        let (is_login, is_password) = (is_email(login), is_email(password));
        let is_number = is_tax_number(login);
        self.emails.see(is_login, is_password, row.line, self.listing);
        // A password may be the grower's own CPF beside an e-mail address, which is no swap.
        self.tax_numbers.see(is_number, is_tax_number(password) && !is_login, row.line, self.listing);
    }

    fn see_number(&mut self, line: u64, login: &[u8]) {
        if login.is_empty() || login.len() > MOST_DIGITS || !login.iter().all(u8::is_ascii_digit) {
            return;
        }
        if login.len() == 11 && login[0] != b'0' && login[2] == b'9' {
            self.mobiles += 1;
        }
        let length = &mut self.lengths[login.len()];
        length.all.add(line, self.listing);
        length.with_leading_zero += u64::from(login[0] == b'0');
        if is_cpf(&padded::<11>(login)) {
            length.as_cpf.add(line, self.listing);
        }
        if is_cnpj(&padded::<14>(login)) {
            length.as_cnpj.add(line, self.listing);
        }
    }

    /// What the column shows, now that all of it was seen.
    pub(super) fn decide(mut self) -> Vec<Decided> {
        let mut decided = self.short_numbers();
        let emails = if self.is_swapped() {
            Some(LintKind::SwappedColumns)
        } else {
            self.emails.is_of_logins(self.rows).then_some(LintKind::SwappedLogin)
        };
        // Where all passwords are tax numbers, growers were given their own ones to begin with.
        let tax_numbers = self.tax_numbers.is_of_logins(self.rows).then_some(LintKind::SwappedLogin);
        for (kind, suspects) in [(emails, self.emails.suspects), (tax_numbers, self.tax_numbers.suspects)] {
            decided.extend(kind.filter(|_| suspects.count > 0).map(|kind| of(kind, suspects)));
        }
        decided
    }

    /// Whether the columns changed places, as far as was seen: the passwords are addresses, and the logins aren't.
    pub(super) const fn is_swapped(&self) -> bool {
        !self.takes_swapped && self.emails.is_of_passwords(self.rows)
    }

    /// Numbers that are shorter than most.
    fn short_numbers(&mut self) -> Vec<Decided> {
        let numbers: u64 = self.lengths.iter().map(|length| length.all.count).sum();
        let most = self.lengths.iter().map(|length| length.all.count).max().unwrap_or(0);
        let usual = self.lengths.iter().position(|length| length.all.count == most).unwrap_or(0);
        if most < FEWEST_NUMBERS || most * 5 < numbers * 4 {
            return Vec::new();
        }
        let nearly_all = |count: u64| count * 10 >= most * 9;
        let full = &self.lengths[usual];
        let is_cpf = usual == 11 && nearly_all(full.as_cpf.count);
        let is_cnpj = usual == 14 && nearly_all(full.as_cnpj.count);
        let keeps_zeros = full.with_leading_zero > 0;
        let is_mobile = usual == 11 && nearly_all(self.mobiles);
        let shorter = usual.saturating_sub(MOST_LOST).max(1)..usual;
        let is_dense = |length: usize, count: u64| {
            // So many that all the smaller numbers are there: they were given out one after another.
            let last = u32::try_from(length).unwrap_or(u32::MAX).saturating_sub(1);
            count >= 10_u64.saturating_pow(last).saturating_mul(9) / 2
        };
        let counts_up = is_dense(usual - 1, self.lengths[usual - 1].all.count) && !keeps_zeros;
        shorter
            .filter_map(|length| {
                let numbers = std::mem::take(&mut self.lengths[length]);
                let (kind, suspects) = if is_cpf {
                    (LintKind::LostLeadingZeros, numbers.as_cpf)
                } else if is_cnpj {
                    (LintKind::LostLeadingZeros, numbers.as_cnpj)
                } else if keeps_zeros {
                    (LintKind::LostLeadingZeros, numbers.all)
                } else if is_mobile || counts_up {
                    return None;
                } else {
                    (LintKind::MixedLoginLengths, numbers.all)
                };
                (suspects.count > 0).then(|| of(kind, suspects))
            })
            .collect()
    }
}

impl Look {
    fn see(&mut self, is_login: bool, is_password: bool, line: u64, listing: Listing) {
        self.logins += u64::from(is_login);
        self.passwords += u64::from(is_password);
        if is_password && !is_login {
            self.suspects.add(line, listing);
        }
    }

    /// Whether the column of logins looks so, and that of passwords doesn't.
    const fn is_of_logins(&self, rows: u64) -> bool {
        is_of_first(self.logins, self.passwords, rows)
    }

    /// Whether the column of passwords looks so, and that of logins doesn't.
    const fn is_of_passwords(&self, rows: u64) -> bool {
        is_of_first(self.passwords, self.logins, rows)
    }
}

/// Whether a look that so many cells of two columns have is that of the first.
const fn is_of_first(first: u64, second: u64, rows: u64) -> bool {
    first >= FEWEST_ALIKE && first * 2 >= rows && second * 3 <= first
}

fn of(kind: LintKind, suspects: Suspects) -> Decided {
    Decided { kind, count: suspects.count, lines: suspects.listed }
}

fn is_tax_number(text: &str) -> bool {
    is_cpf(text.as_bytes()) || is_cnpj(text.as_bytes())
}

/// `digits` with zeros before them; all zeros where they are too many.
fn padded<const LENGTH: usize>(digits: &[u8]) -> [u8; LENGTH] {
    let mut padded = [b'0'; LENGTH];
    if let Some(start) = LENGTH.checked_sub(digits.len()) {
        padded[start..].copy_from_slice(digits);
    }
    padded
}
