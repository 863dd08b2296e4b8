//! The certificate of the server, made for each bench, and the client's trust in it.

use std::fs;
use std::path::Path;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate's file, in its folder.
pub(crate) const CERTIFICATE: &str = "certificate.pem";

const KEY: &str = "key.pem";

/// Makes a certificate that signs itself, and its key.
pub(crate) fn make(directory: &Path) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    fs::write(directory.join(CERTIFICATE), made.cert.pem()).expect("it can be written");
    fs::write(directory.join(KEY), made.signing_key.serialize_pem()).expect("its key can be written");
}

/// What the server shows.
pub(crate) fn server_configuration(directory: &Path) -> ServerConfig {
    let certificate =
        CertificateDer::from_pem_file(directory.join(CERTIFICATE)).expect("the server's certificate");
    let key = PrivateKeyDer::from_pem_file(directory.join(KEY)).expect("its key");
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate with its key")
}
