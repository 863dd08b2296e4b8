//! Header names: how they are compared, and which ones are known for each field.

use super::Field;

/// How sure a header's name makes us of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The name says it.
    Named,
    /// The name fits when no other column is named for the field. Many exports have an e-mail column beside the login.
    Fallback,
}

/// Known names in the form [`comparable`] gives them, English and Portuguese.
///
/// "User id" and "ID do usuário" are left out on purpose: they could be the user at Leaf as well as the login at Stara.
const LEAF_USER_ID: &[&str] = &[
    "codigoleaf",
    "codigousuarioleaf",
    "iddousuarioleaf",
    "iddousuarionaleaf",
    "iddousuarionoleaf",
    "idleaf",
    "idleafdousuario",
    "idnaleaf",
    "idnoleaf",
    "idusuarioleaf",
    "idusuarionaleaf",
    "idusuarionoleaf",
    "leafid",
    "leafidusuario",
    "leafuser",
    "leafuserid",
    "leafuseruuid",
    "leafusuario",
    "leafusuarioid",
    "leafuuid",
    "useridatleaf",
    "useridinleaf",
    "useridleaf",
    "useridofleaf",
    "userleaf",
    "userleafid",
    "usuarioleaf",
    "usuarioleafid",
    "usuarionaleaf",
    "usuarionoleaf",
    "uuidleaf",
    "uuidusuarioleaf",
];

const LOGIN: &[&str] = &[
    "login",
    "logindeacesso",
    "logindousuario",
    "loginname",
    "loginnastara",
    "loginstara",
    "nomedeusuario",
    "nomedeusuariostara",
    "nomedousuario",
    "nomeusuario",
    "staralogin",
    "starauser",
    "starausername",
    "starausuario",
    "user",
    "userlogin",
    "username",
    "usernamestara",
    "userstara",
    "usuario",
    "usuariodastara",
    "usuariodeacesso",
    "usuarionastara",
    "usuariostara",
];

const LOGIN_FALLBACK: &[&str] = &[
    "email",
    "emailaddress",
    "emaildousuario",
    "emailstara",
    "enderecodeemail",
    "mail",
    "staraemail",
    "useremail",
];

const PASSWORD: &[&str] = &[
    "loginpassword",
    "palavrapasse",
    "pass",
    "passwd",
    "password",
    "passwordstara",
    "pwd",
    "pwdstara",
    "senha",
    "senhadastara",
    "senhadeacesso",
    "senhadousuario",
    "senhanastara",
    "senhastara",
    "senhausuario",
    "starapassword",
    "starapwd",
    "starasenha",
    "userpassword",
];

const ACCESS_TOKEN_CLIENT: &[&str] = &[
    "accesstokenclient",
    "accesstokenclientstara",
    "accesstokencliente",
    "accesstokendocliente",
    "clientaccesstoken",
    "clientetoken",
    "clienttoken",
    "staraaccesstokenclient",
    "staratokenclient",
    "tokenacessocliente",
    "tokenclient",
    "tokencliente",
    "tokendeacessocliente",
    "tokendeacessodocliente",
    "tokendocliente",
];

/// Names that could be two fields, so they are matched to none.
const AMBIGUOUS: &[&str] = &[
    "codigo",
    "codigousuario",
    "id",
    "iddousuario",
    "idusuario",
    "token",
    "userid",
    "useruuid",
    "usuarioid",
    "uuid",
];

/// Whether a header is a known name of this field but for a slip of the fingers. With a digit in it, it may well be somebody's
/// password.
pub(super) fn is_nearly(field: Field, header: &str) -> bool {
    let name = comparable(header);
    let most = name.chars().count() / 4;
    let known = match field {
        Field::LeafUserId => LEAF_USER_ID,
        Field::Login => LOGIN,
        Field::Password => PASSWORD,
        Field::AccessTokenClient => ACCESS_TOKEN_CLIENT,
    };
    let is_word = name.chars().all(char::is_alphabetic);
    is_word
        && field_of(header).is_none()
        && known.iter().any(|known| strsim::damerau_levenshtein(&name, known) <= most)
}

/// A header's name without case, accents, spaces, `_` and `-`.
pub(super) fn comparable(header: &str) -> String {
    header
        .chars()
        .filter(|letter| !is_ignored(*letter))
        .flat_map(char::to_lowercase)
        .filter(|letter| !is_ignored(*letter))
        .map(without_accent)
        .collect()
}

/// The field that a header names.
pub(super) fn field_of(header: &str) -> Option<(Field, Certainty)> {
    let name = comparable(header);
    let is_in = |names: &[&str]| names.contains(&name.as_str());
    if is_in(LEAF_USER_ID) {
        Some((Field::LeafUserId, Certainty::Named))
    } else if is_in(LOGIN) {
        Some((Field::Login, Certainty::Named))
    } else if is_in(LOGIN_FALLBACK) {
        Some((Field::Login, Certainty::Fallback))
    } else if is_in(PASSWORD) {
        Some((Field::Password, Certainty::Named))
    } else if is_in(ACCESS_TOKEN_CLIENT) {
        Some((Field::AccessTokenClient, Certainty::Named))
    } else {
        None
    }
}

/// Whether a header has a name that could mean two fields.
pub(super) fn is_ambiguous(header: &str) -> bool {
    AMBIGUOUS.contains(&comparable(header).as_str())
}

/// Spaces of every kind, `_`, `-` and its typographic kin, combining accents (decomposed text, as macOS writes it), and
/// the byte-order mark and other marks that show nothing.
fn is_ignored(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '_' | '-' | '\u{2010}'..='\u{2015}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{ad}'
        )
}

/// A lower-case Latin letter without its accent; any other character as it is.
fn without_accent(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ª' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' | 'ı' => 'i',
        'ñ' | 'ń' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' | 'º' => 'o',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ś' | 'š' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_accents_spaces_underscores_and_hyphens() {
        for header in [
            "Usuário",
            "USUÁRIO",
            "usuario",
            " Usu\u{e1}rio ",
            "Usua\u{301}rio",
            "U_S-U ario",
            "\u{feff}usuario",
        ] {
            assert_eq!(field_of(header), Some((Field::Login, Certainty::Named)), "{header}");
        }
    }

    #[test]
    fn english_and_portuguese_names_are_known() {
        for (header, field) in [
            ("leafUserId", Field::LeafUserId),
            ("leaf_user_id", Field::LeafUserId),
            ("Leaf User ID", Field::LeafUserId),
            ("ID do usuário na Leaf", Field::LeafUserId),
            ("ID usuário Leaf", Field::LeafUserId),
            ("Usuário Leaf", Field::LeafUserId),
            ("login", Field::Login),
            ("User", Field::Login),
            ("user-name", Field::Login),
            ("Nome de usuário", Field::Login),
            ("Usuário Stara", Field::Login),
            ("pwd", Field::Password),
            ("Pass", Field::Password),
            ("SENHA", Field::Password),
            ("Senha da Stara", Field::Password),
            ("access_token_client", Field::AccessTokenClient),
            ("Token do cliente", Field::AccessTokenClient),
        ] {
            assert_eq!(field_of(header), Some((field, Certainty::Named)), "{header}");
        }
        assert_eq!(field_of("E-mail"), Some((Field::Login, Certainty::Fallback)));
    }

    #[test]
    fn a_name_that_could_be_two_fields_is_matched_to_none() {
        for header in ["User ID", "ID do usuário", "id", "UUID"] {
            assert_eq!(field_of(header), None, "{header}");
            assert!(is_ambiguous(header), "{header}");
        }
    }

    #[test]
    fn every_known_name_is_written_as_it_is_compared_and_stands_once() {
        let lists = [LEAF_USER_ID, LOGIN, LOGIN_FALLBACK, PASSWORD, ACCESS_TOKEN_CLIENT, AMBIGUOUS];
        let mut names: Vec<&str> = lists.concat();
        for name in &names {
            assert_eq!(comparable(name), *name);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
