//! Tables that other programs write, and this one: told by their headers.

use super::header_name::{comparable, field_of, is_ambiguous};

/// Names of columns that many exports have, in the form [`comparable`] gives them. They are shown where most of a header is
/// known, for then it is one: where the end of the header line is missing, a grower's password stands among its names.
const FAMILIAR: &[&str] = &[
    "acres",
    "active",
    "address",
    "advice",
    "area",
    "ativo",
    "attempts",
    "celular",
    "cidade",
    "city",
    "clean",
    "client",
    "cliente",
    "cnpj",
    "collectionname",
    "company",
    "country",
    "cpf",
    "createddate",
    "crop",
    "cultura",
    "date",
    "data",
    "district",
    "document",
    "documento",
    "empresa",
    "endereco",
    "estado",
    "executed",
    "expiresat",
    "externalid",
    "farm",
    "farmer",
    "farmid",
    "farmname",
    "fazenda",
    "field",
    "fieldid",
    "fieldname",
    "finishedat",
    "firstname",
    "fullname",
    "grower",
    "growerid",
    "growername",
    "hectares",
    "httpstatus",
    "iteration",
    "lastname",
    "leafuserownercompany",
    "line",
    "linha",
    "link",
    "message",
    "mobile",
    "municipio",
    "name",
    "nextrun",
    "nome",
    "nomecompleto",
    "nomedafazenda",
    "nomedoprodutor",
    "notes",
    "observacao",
    "observacoes",
    "origin",
    "outcome",
    "owner",
    "pais",
    "phone",
    "phonenumber",
    "produtor",
    "propriedade",
    "region",
    "regiao",
    "requestname",
    "safra",
    "sobrenome",
    "stage",
    "state",
    "status",
    "talhao",
    "telefone",
    "uf",
    "zip",
];

/// A table that somebody might take for a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// Leaf's list of users.
    LeafUsers,
    /// A report of this program.
    Report,
    /// A file of magic links of this program.
    MagicLinks,
    /// Newman's report of a collection that was run.
    NewmanReport,
}

impl Export {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::LeafUsers, Self::Report, Self::MagicLinks, Self::NewmanReport];

    /// The table with this header, where it is known.
    pub(super) fn of(headers: &[&str]) -> Option<Self> {
        let names: Vec<String> = headers.iter().map(|header| comparable(header)).collect();
        Self::ALL.into_iter().find(|export| {
            let sets = export.told_by();
            sets.iter().any(|set| set.iter().all(|name| names.iter().any(|header| header == name)))
        })
    }

    /// Sets of names that tell it, each by itself.
    const fn told_by(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::LeafUsers => &[
                &["id", "externalid"],
                &["id", "leafuserownercompany"],
                &["id", "name", "email"],
                &["id", "staracredentials"],
            ],
            Self::Report => &[&["leafuserid", "outcome", "nextrun"]],
            Self::MagicLinks => &[&["leafuserid", "link", "expiresat"]],
            Self::NewmanReport => &[&["iteration", "collectionname"], &["iteration", "requestname"]],
        }
    }

    /// What it is, as a message names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeafUsers => "Leaf's own list of users, which has no logins and passwords of Stara",
            Self::Report => "a report of this program, which never holds passwords",
            Self::MagicLinks => "a file of magic links, which never holds passwords",
            Self::NewmanReport => "a report of Newman",
        }
    }

    /// What to do with it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::LeafUsers => {
                "put Stara's login and password beside each id, and name the column of ids: --column leafUserId=id"
            }
            Self::Report => "give the manifest itself; to try only what failed, run the same manifest again",
            Self::MagicLinks => {
                "give the manifest itself; whoever signs in by a link needs no row of another"
            }
            Self::NewmanReport => "give the file of data that the collection was run with",
        }
    }
}

/// How many names of a header are shown: those that are known, and the familiar ones where they are most of it.
pub(super) fn shown<'a>(headers: &[&'a str]) -> (Vec<&'a str>, usize) {
    let named: Vec<&str> =
        headers.iter().map(|header| header.trim()).filter(|header| !header.is_empty()).collect();
    let is_known = |header: &str| field_of(header).is_some() || is_ambiguous(header);
    let is_familiar = |header: &str| is_known(header) || FAMILIAR.contains(&comparable(header).as_str());
    let is_header = named.iter().filter(|header| is_familiar(header)).count() * 2 > named.len();
    let (shown, others): (Vec<&str>, Vec<&str>) =
        named.into_iter().partition(|header| is_known(header) || (is_header && is_familiar(header)));
    (shown, others.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_told_by_their_headers() {
        assert_eq!(Export::of(&["id", "name", "email", "externalId"]), Some(Export::LeafUsers));
        assert_eq!(Export::of(&["line", "leafUserId", "login", "outcome", "next_run"]), Some(Export::Report));
        assert_eq!(Export::of(&["leafUserId", "login", "link", "expiresAt"]), Some(Export::MagicLinks));
        assert_eq!(Export::of(&["leafUserId", "login", "senha", "nome"]), None);
    }

    #[test]
    fn names_of_a_header_are_shown_only_where_most_of_it_is_known() {
        assert_eq!(shown(&["Farm", "Acres", "Crop", "x7"]), (vec!["Farm", "Acres", "Crop"], 1));
        // Somebody's password is the name of a column.
        assert_eq!(shown(&["9f", "ana@example.com", "fazenda"]), (vec![], 3));
    }
}
