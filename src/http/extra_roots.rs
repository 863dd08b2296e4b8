//! Certificates that are trusted beside the system's roots.

use reqwest::{Certificate, Client};

/// Certificates that are trusted beside the system's roots.
#[derive(Debug, Clone, Default)]
pub struct ExtraRoots(Vec<Certificate>);

impl ExtraRoots {
    /// Reads PEM, which may hold several certificates.
    ///
    /// # Errors
    ///
    /// When it holds none, or one that can't be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ExtraRootsError> {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|_| ExtraRootsError::Damaged)?;
        if certificates.is_empty() {
            return Err(ExtraRootsError::None);
        }
        // What the encoding holds is looked at only where a client is made of it.
        let tried = Client::builder().tls_certs_only(certificates.clone()).build();
        tried.map_err(|_| ExtraRootsError::Damaged)?;
        Ok(Self(certificates))
    }

    /// The certificates.
    pub fn certificates(&self) -> impl Iterator<Item = Certificate> {
        self.0.iter().cloned()
    }
}

/// Why a text adds no root to the system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExtraRootsError {
    /// There is no certificate in it.
    #[error("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")]
    None,
    /// There is something in it that isn't sound.
    #[error("it holds a certificate that can't be read")]
    Damaged,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_certificate_adds_no_root() {
        let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (pem, expected) in [
            ("", ExtraRootsError::None),
            ("shopping list: milk", ExtraRootsError::None),
            (key, ExtraRootsError::None),
            (cut, ExtraRootsError::Damaged),
            (text, ExtraRootsError::Damaged),
        ] {
            assert_eq!(ExtraRoots::from_pem(pem.as_bytes()).unwrap_err(), expected, "{pem}");
        }
    }
}
