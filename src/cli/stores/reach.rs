//! How object stores are spoken to, beyond what the environment says.

use std::path::PathBuf;

use crate::settings::TargetFlags;

/// What the flags say of object stores. By default only TLS is spoken, except to this machine, and only the system's roots are
/// trusted: so do the verbs that have no flags about hosts.
#[derive(Debug, Clone, Default)]
#[cfg_attr(
    not(feature = "object-store"),
    expect(dead_code, reason = "nothing is reached without the feature")
)]
pub(in crate::cli) struct Stores {
    /// Whether plain http is spoken to other machines.
    pub(super) allow_insecure_http: bool,
    /// A file of certificates that are trusted beside the system's roots.
    pub(super) ca_cert: Option<PathBuf>,
}

impl From<&TargetFlags> for Stores {
    fn from(flags: &TargetFlags) -> Self {
        Self { allow_insecure_http: flags.allow_insecure_http, ca_cert: flags.ca_cert.clone() }
    }
}

#[cfg(feature = "object-store")]
mod opening {
    use std::path::Path;

    use super::Stores;
    use crate::bucket::{Access, Address, Bucket, BucketError};
    use crate::cli::exit_code::ExitCode;
    use crate::cli::failure::Failure;
    use crate::cli::roots;

    impl Stores {
        /// Sets up everything to speak to the bucket of an object; nothing is sent yet.
        pub(in crate::cli::stores) fn bucket_of(&self, path: &Path) -> Result<(Bucket, Address), Failure> {
            let shown = path.display();
            let text = path.to_str().unwrap_or_default();
            let address: Address = text.parse().map_err(|error| {
                let error = anyhow::Error::new::<crate::bucket::ParseAddressError>(error);
                Failure::new(
                    ExitCode::Usage,
                    error.context(format!("{shown} is no object's address")),
                    "nothing was sent; correct the address",
                )
            })?;
            let roots = self.ca_cert.as_deref().map(roots::read).transpose()?.unwrap_or_default();
            let access = Access::read(|name| std::env::var_os(name), self.allow_insecure_http, roots);
            let bucket = access.and_then(|access| Bucket::new(address.bucket(), &access));
            let failed = |error: BucketError| {
                let hint = error.hint();
                let error = anyhow::Error::new(error).context(format!("{shown} can't be reached"));
                Failure::new(ExitCode::Usage, error, format!("nothing was sent; {hint}"))
            };
            Ok((bucket.map_err(failed)?, address))
        }
    }
}
