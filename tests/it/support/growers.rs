//! The rows of manifests.

use stara_onboard::model::{LeafUserId, Login, Secret};
use stara_onboard::sandbox::World;

/// A row of a manifest.
#[derive(Clone)]
pub(crate) struct Grower {
    pub(crate) id: LeafUserId,
    pub(crate) login: String,
    pub(crate) password: String,
}

impl Grower {
    /// The same grower with another password.
    pub(crate) fn with_password(&self, password: &str) -> Self {
        Self { password: password.to_owned(), ..self.clone() }
    }

    /// The same grower with another login.
    pub(crate) fn with_login(&self, login: &str) -> Self {
        Self { login: login.to_owned(), ..self.clone() }
    }

    pub(crate) fn login(&self) -> Login {
        Login::new(&self.login)
    }

    /// Makes the simulated services know this grower.
    pub(crate) fn join(&self, world: &World) {
        world.add_grower(self.id, &self.login(), &Secret::new(self.password.clone()));
    }
}

/// The user id made of a number.
pub(crate) fn user(number: usize) -> LeafUserId {
    format!("0a1b2c3d-0000-4000-8000-{number:012x}").parse().unwrap()
}

/// So many growers, numbered from 0. The row of the nth stands on line n + 2 of a CSV manifest.
pub(crate) fn growers(count: usize) -> Vec<Grower> {
    let grower = |number| Grower {
        id: user(number),
        login: format!("grower{number}@agro.example"),
        password: format!("Senha&{number};\"x"),
    };
    (0..count).map(grower).collect()
}

/// A manifest in UTF-8 with commas.
pub(crate) fn csv_of(growers: &[Grower]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["leafUserId", "login", "password"]).unwrap();
    for grower in growers {
        writer.write_record([&grower.id.to_string(), &grower.login, &grower.password]).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}
