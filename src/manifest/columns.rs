//! Which column holds which field.

use super::export::{Export, shown};
use super::header_name::{Certainty, comparable, field_of, is_nearly};
use super::{ClientColumn, Field, ManifestProblem, ReadOptions, Wanted};
use crate::model::LeafUserId;

/// Where the fields stand, as indices from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// The columns that have a name, counted to the last one.
    pub(super) width: usize,
    /// The leafUserId's column.
    pub(super) leaf_user_id: usize,
    /// What the lines are to say.
    pub(super) wanted: Wanted,
    /// The login's column; there is none where only users are wanted.
    pub(super) login: Option<usize>,
    /// The password's column; there is none where only users are wanted.
    pub(super) password: Option<usize>,
    /// The headers of the login's and the password's column.
    pub(super) login_headers: [String; 2],
    /// The accessTokenClient's column, where there is one.
    pub(super) access_token_client: Option<usize>,
    /// Whether its cells must be filled.
    pub(super) is_client_required: bool,
    /// The kept columns, in the order in which they were asked for.
    pub(super) kept: Vec<usize>,
}

impl Columns {
    /// Finds the fields among the headers.
    pub(super) fn find(headers: &[&str], options: &ReadOptions) -> Result<Self, ManifestProblem> {
        if headers.iter().any(|header| header.trim().parse::<LeafUserId>().is_ok()) {
            return Err(ManifestProblem::NoHeader);
        }
        if headers.iter().any(|header| header.contains('\0')) {
            return Err(ManifestProblem::NulInHeader);
        }
        let asked = asked_columns(headers, options)?;
        let mut found = [None; Field::ALL.len()];
        for (slot, field) in found.iter_mut().zip(Field::ALL) {
            let by_flag = asked.iter().find(|(of, _)| *of == field).map(|(_, at)| *at);
            *slot = match by_flag {
                Some(at) => Some(at),
                // Whatever else such a list holds is nobody's business.
                None if options.wanted == Wanted::Users && field != Field::LeafUserId => None,
                None => by_name(headers, field, &asked)?,
            };
        }
        let need = |at: Option<usize>, field| at.ok_or_else(|| missing(headers, field));
        let [leaf_user_id, login, password, access_token_client] = found;
        let wants_growers = options.wanted == Wanted::Growers;
        let is_client_required = wants_growers && options.access_token_client == ClientColumn::Required;
        let leaf_user_id = need(leaf_user_id, Field::LeafUserId)?;
        if wants_growers {
            need(login, Field::Login)?;
            need(password, Field::Password)?;
        }
        let columns = Self {
            width: headers.iter().rposition(|header| !header.is_empty()).map_or(0, |last| last + 1),
            leaf_user_id,
            login,
            password,
            login_headers: [login, password].map(|at| at.map_or("", |at| headers[at]).to_owned()),
            wanted: options.wanted,
            access_token_client,
            is_client_required,
            kept: Vec::new(),
        };
        if is_client_required {
            need(access_token_client, Field::AccessTokenClient)?;
        }
        columns.with_kept(headers, options)
    }

    fn with_kept(mut self, headers: &[&str], options: &ReadOptions) -> Result<Self, ManifestProblem> {
        for header in &options.keep_columns {
            let at = by_wish(headers, header, "--keep-column")?;
            let is_secret_by_name = field_of(headers[at]).is_some_and(|(field, _)| field.is_secret());
            if is_secret_by_name || [self.password, self.access_token_client].contains(&Some(at)) {
                return Err(ManifestProblem::SecretKept { header: header.clone() });
            }
            self.kept.push(at);
        }
        Ok(self)
    }
}

/// The columns that `--column` names.
fn asked_columns(headers: &[&str], options: &ReadOptions) -> Result<Vec<(Field, usize)>, ManifestProblem> {
    let mut asked: Vec<(Field, usize)> = Vec::with_capacity(options.columns.len());
    for (field, header) in &options.columns {
        let at = by_wish(headers, header, "--column")?;
        for &(other, taken) in &asked {
            if other == *field && taken != at {
                return Err(ManifestProblem::TwoColumns {
                    field: *field,
                    first: headers[taken].to_owned(),
                    second: header.clone(),
                });
            }
            if other != *field && taken == at {
                return Err(ManifestProblem::OneColumnTwice {
                    header: header.clone(),
                    first: other,
                    second: *field,
                });
            }
        }
        asked.push((*field, at));
    }
    Ok(asked)
}

/// The column people asked for: the one of exactly this name, or else the only one of a comparable name.
fn by_wish(headers: &[&str], wish: &str, asked_by: &'static str) -> Result<usize, ManifestProblem> {
    let wished = comparable(wish);
    let exact: Vec<usize> = (0..headers.len()).filter(|&at| headers[at] == wish).collect();
    let alike: Vec<usize> =
        (0..headers.len()).filter(|&at| !wished.is_empty() && comparable(headers[at]) == wished).collect();
    match (exact.as_slice(), alike.as_slice()) {
        (&[at], _) | (&[], &[at]) => Ok(at),
        (&[], &[]) => {
            let nearest = nearest(headers, &wished).map(|at| headers[at].trim().to_owned());
            Err(ManifestProblem::NoSuchColumn { header: wish.to_owned(), asked_by, nearest })
        }
        _ => Err(ManifestProblem::SeveralColumns { header: wish.to_owned(), asked_by }),
    }
}

/// The column that was meant by a slip of the fingers: only one letter in four may differ. Whoever wrote nearly the same knows
/// the name, so that it may be shown.
fn nearest(headers: &[&str], wished: &str) -> Option<usize> {
    let most = (wished.chars().count() / 4).max(1);
    let distance = |at: usize| strsim::damerau_levenshtein(wished, &comparable(headers[at]));
    (0..headers.len()).map(|at| (distance(at), at)).filter(|(far, _)| *far <= most).min().map(|(_, at)| at)
}

/// The column whose name says the field.
fn by_name(
    headers: &[&str],
    field: Field,
    asked: &[(Field, usize)],
) -> Result<Option<usize>, ManifestProblem> {
    for certainty in [Certainty::Named, Certainty::Fallback] {
        let mut matching = (0..headers.len()).filter(|&at| {
            field_of(headers[at]) == Some((field, certainty)) && asked.iter().all(|(_, taken)| *taken != at)
        });
        match (matching.next(), matching.next()) {
            (Some(first), Some(second)) => {
                return Err(ManifestProblem::TwoColumns {
                    field,
                    first: headers[first].trim().to_owned(),
                    second: headers[second].trim().to_owned(),
                });
            }
            (Some(at), None) => return Ok(Some(at)),
            (None, _) => {}
        }
    }
    Ok(None)
}

/// Names the missing field. Of the headers only those are shown whose names are known, and the others are counted: where the
/// end of the header line is missing, the first grower's password stands among them.
fn missing(headers: &[&str], field: Field) -> ManifestProblem {
    let (known, others) = shown(headers);
    ManifestProblem::MissingColumn {
        field,
        known: known.into_iter().map(str::to_owned).collect(),
        others,
        export: Export::of(headers),
        nearly: headers.iter().position(|header| is_nearly(field, header)).map(|at| at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(headers: &[&str], options: &ReadOptions) -> Result<Columns, String> {
        Columns::find(headers, options).map_err(|problem| problem.to_string())
    }

    fn with_columns(columns: &[(Field, &str)]) -> ReadOptions {
        ReadOptions {
            columns: columns.iter().map(|(field, header)| (*field, (*header).to_owned())).collect(),
            ..ReadOptions::default()
        }
    }

    #[test]
    fn fields_are_found_by_name_in_any_order() {
        let columns =
            find(&["Senha", "nome", "Usuário", "ID Usuário Leaf", "token cliente"], &ReadOptions::default())
                .unwrap();
        assert_eq!((columns.password, columns.login, columns.leaf_user_id), (Some(0), Some(2), 3));
        assert_eq!(columns.access_token_client, Some(4));
        assert_eq!(columns.width, 5);
    }

    #[test]
    fn two_headers_for_one_field_are_an_error_that_names_both() {
        let error = find(&["leafUserId", "User", "Usuário", "pwd"], &ReadOptions::default()).unwrap_err();
        assert_eq!(
            error,
            "two columns are named for login: \"User\" and \"Usuário\"; say --column login=HEADER"
        );
    }

    #[test]
    fn a_flag_beats_the_match_by_name() {
        let options = with_columns(&[(Field::Login, "conta")]);
        let columns = find(&["leafUserId", "user", "usuário", "Conta", "senha"], &options).unwrap();
        assert_eq!(columns.login, Some(3));
        // A column that a flag gives away no longer stands for the field its name says.
        let options = with_columns(&[(Field::Login, "senha")]);
        let columns = find(&["leafUserId", "senha", "pwd"], &options).unwrap();
        assert_eq!((columns.login, columns.password), (Some(1), Some(2)));
    }

    #[test]
    fn an_email_column_is_the_login_only_when_no_other_column_is() {
        let options = ReadOptions::default();
        assert_eq!(find(&["leafUserId", "email", "login", "pwd"], &options).unwrap().login, Some(2));
        assert_eq!(find(&["leafUserId", "email", "pwd"], &options).unwrap().login, Some(1));
    }

    #[test]
    fn a_missing_column_is_named_with_the_headers_and_the_flag_that_helps() {
        let error = find(&["leafUserId", "login", "segredo"], &ReadOptions::default()).unwrap_err();
        assert_eq!(
            error,
            "no column is named for password; the header has \"leafUserId\", \"login\", 1 name not shown here; \
             say --column password=HEADER"
        );
    }

    #[test]
    fn a_first_line_of_data_is_never_shown() {
        let id = "0a1b2c3d-0000-4000-8000-00000000abcd";
        let error = find(&[id, "ana@example.com", "hunter2"], &ReadOptions::default()).unwrap_err();
        assert!(error.contains("looks like data"), "{error}");
        let error = find(&["not-a-uuid", "ana@example.com", "hunter2"], &ReadOptions::default()).unwrap_err();
        assert!(!error.contains("hunter2") && !error.contains("ana@"), "{error}");
        let error = find(&["not-a-uuid", "user", "hunter2"], &ReadOptions::default()).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_row_that_runs_into_the_header_is_never_shown() {
        let id = "0a1b2c3d-0000-4000-8000-00000000abcd";
        for between in ["", "\u{2028}"] {
            let last = format!("password{between}{id}");
            let headers = ["leafUserId", "login", &last, "ana@example.com", "hunter2"];
            let error = find(&headers, &ReadOptions::default()).unwrap_err();
            assert!(error.starts_with("no column is named for password"), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("ana@"), "{error}");
        }
    }

    #[test]
    fn wishes_that_cannot_be_met_are_told() {
        let headers = ["leafUserId", "login", "senha", "nome", "Nome"];
        let error = |options: ReadOptions| find(&headers, &options).unwrap_err();
        assert_eq!(
            error(with_columns(&[(Field::Login, "conta")])),
            "no column is called \"conta\", as --column says"
        );
        assert_eq!(
            error(with_columns(&[(Field::Login, "NOME")])),
            "several columns are called \"NOME\", so --column can't choose one"
        );
        assert_eq!(
            error(with_columns(&[(Field::Login, "nome"), (Field::Password, "nome")])),
            "--column names \"nome\" both for login and for password"
        );
        assert_eq!(
            error(with_columns(&[(Field::Login, "nome"), (Field::Login, "login")])),
            "two columns are named for login: \"nome\" and \"login\"; say --column login=HEADER"
        );
        assert_eq!(
            error(ReadOptions { access_token_client: ClientColumn::Required, ..ReadOptions::default() }),
            "no column is named for accessTokenClient; the header has \"leafUserId\", \"login\", \"senha\", \
             \"nome\", \"Nome\"; say --column accessTokenClient=HEADER"
        );
    }

    #[test]
    fn kept_columns_are_found_and_secrets_are_never_kept() {
        let headers = ["leafUserId", "login", "senha", "pwd", "Nome da fazenda"];
        let keep = |header: &str| ReadOptions {
            keep_columns: vec![header.to_owned()],
            ..with_columns(&[(Field::Password, "pwd")])
        };
        assert_eq!(find(&headers, &keep("nome_da_fazenda")).unwrap().kept, [4]);
        for secret in ["pwd", "senha"] {
            let error = find(&headers, &keep(secret)).unwrap_err();
            assert!(error.contains("secrets"), "{error}");
        }
    }

    #[test]
    fn names_that_end_in_empty_headers_are_as_wide_as_their_last_name() {
        let columns = find(&["leafUserId", "login", "senha", "", ""], &ReadOptions::default()).unwrap();
        assert_eq!(columns.width, 3);
    }
}
