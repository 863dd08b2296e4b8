//! Brazil's tax numbers, which growers have for logins: CPF of persons, CNPJ of companies.
//!
//! Both end in two check digits. Source: Receita Federal's rules for CPF and (numeric) CNPJ, the weighted sum modulo 11.

/// Whether `digits` are the eleven of a CPF.
pub(super) fn is_cpf(digits: &[u8]) -> bool {
    digits.len() == 11
        && is_varied(digits)
        && check_digits(digits, |place| u32::try_from(place).unwrap_or(0) + 2)
}

/// Whether `digits` are the fourteen of a CNPJ.
pub(super) fn is_cnpj(digits: &[u8]) -> bool {
    let weight = |place: usize| u32::try_from(place % 8).unwrap_or(0) + 2;
    digits.len() == 14 && is_varied(digits) && check_digits(digits, weight)
}

/// Whether these are digits, and not one of them repeated: that fulfils the sums, and is never given out.
fn is_varied(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|digit| Some(digit) != digits.first())
}

/// Whether the last two digits are the check digits of those before. `weight` is that of a digit by its place from the
/// right, from 0.
fn check_digits(digits: &[u8], weight: impl Fn(usize) -> u32) -> bool {
    [digits.len() - 2, digits.len() - 1].into_iter().all(|at| {
        let weighted = digits[..at].iter().rev().enumerate();
        let sum: u32 = weighted.map(|(place, digit)| u32::from(digit - b'0') * weight(place)).sum();
        let check = match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        };
        u32::from(digits[at] - b'0') == check
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_checked() {
        // The worked examples that the rules are mostly explained with.
        assert!(is_cpf(b"11144477735"));
        assert!(is_cpf(b"52998224725"));
        assert!(!is_cpf(b"11144477736"));
        assert!(!is_cpf(b"11111111111"));
        assert!(!is_cpf(b"1114447773"));
        assert!(!is_cpf(b"111444777-3"));
        assert!(is_cnpj(b"11222333000181"));
        assert!(is_cnpj(b"11444777000161"));
        assert!(!is_cnpj(b"11222333000182"));
    }
}
