//! age files, decrypted in memory: <https://age-encryption.org/v1>.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::{ExposeSecret as _, SecretString};
use age::{DecryptError, Decryptor, Identity, IdentityFile};
use age_core::format::{FileKey, Stanza};
use anyhow::Context as _;
use zeroize::Zeroizing;

use super::open::MEMORY_CAP;
use super::passphrase::{self, Answer};
use super::sealing::Sealing;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::signals;
use crate::manifest::{OpenStream, Source, SourceChanged};
use crate::settings::DecryptionFlags;

type Identities = Vec<Box<dyn Identity + Send + Sync>>;

/// How often somebody at the terminal may mistype a passphrase.
const TRIES: usize = 3;

/// The largest file of identities, in bytes.
const LARGEST_IDENTITY_FILE: usize = 1024 * 1024;

/// Opens an age file with what the flags name, or with a passphrase that is asked for.
///
/// # Errors
///
/// When nothing opens it, or when it is damaged.
pub(super) fn open_age(source: Source, flags: &DecryptionFlags) -> Result<Source, Failure> {
    let name = source.name().to_owned();
    let needs_passphrase = Decryptor::new(ArmoredReader::new(source.stream()))
        .map_err(|error| refused(&name, &error))?
        .is_scrypt();
    let sealed = if needs_passphrase {
        with_passphrase(&source, flags)?
    } else {
        let identities = identities_of(&name, flags)?;
        let sealed = AgeSource { sealed: source, keys: Keys::of(identities) };
        sealed.unlock().map_err(|error| refused(&name, &error))?;
        sealed
    };
    Source::streamed(Arc::new(sealed), MEMORY_CAP, name.clone())
        .with_context(|| format!("the manifest {name} can't be decrypted"))
        .map_err(|error| Failure::new(ExitCode::Usage, error, "nothing was sent; encrypt it again"))
}

/// An age file whose key is known.
struct AgeSource {
    sealed: Source,
    keys: Keys,
}

impl AgeSource {
    /// Reads the header, and remembers the key in it.
    fn unlock(&self) -> Result<(), DecryptError> {
        self.open().map(drop)
    }

    fn open(&self) -> Result<impl Read + Send + use<>, DecryptError> {
        let decryptor = Decryptor::new(ArmoredReader::new(self.sealed.stream()))?;
        decryptor.decrypt(std::iter::once(&self.keys as &dyn Identity))
    }
}

impl OpenStream for AgeSource {
    fn open_stream(&self) -> io::Result<Box<dyn Read + Send>> {
        match self.open() {
            Ok(plain) => Ok(Box::new(Plain(plain))),
            Err(DecryptError::Io(error)) => Err(error),
            // The key that was found once opens it no longer.
            Err(_) => Err(io::Error::other(SourceChanged)),
        }
    }
}

/// The plain bytes. Each is proved before it is given: nothing of a file that was tampered with gets through.
struct Plain<R>(R);

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "its encrypted data is damaged, cut off or forged")
            }
            _ => error,
        })
    }
}

/// Identities, and the file's key once one of them has opened it: a passphrase takes a second and much memory each time.
struct Keys {
    identities: Identities,
    found: Mutex<Option<FileKey>>,
}

impl Keys {
    fn of(identities: Identities) -> Self {
        Self { identities, found: Mutex::new(None) }
    }
}

fn copy(key: &FileKey) -> FileKey {
    FileKey::init_with_mut(|bytes| bytes.copy_from_slice(key.expose_secret()))
}

impl Identity for Keys {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*found {
            return Some(Ok(copy(key)));
        }
        let unwrapped = self.identities.iter().find_map(|identity| identity.unwrap_stanzas(stanzas))?;
        Some(unwrapped.inspect(|key| *found = Some(copy(key))))
    }
}

fn with_passphrase(source: &Source, flags: &DecryptionFlags) -> Result<AgeSource, Failure> {
    let name = source.name();
    let try_it = |passphrase: Zeroizing<String>| {
        let keys = Keys::of(vec![Box::new(of_passphrase(&passphrase))]);
        let sealed = AgeSource { sealed: source.clone(), keys };
        sealed.unlock().map(|()| sealed)
    };
    try_passphrases(name, flags, try_it)
}

/// Gives `attempt` the passphrase of the flag's file, or what is typed in until it fits.
fn try_passphrases<T>(
    name: &str,
    flags: &DecryptionFlags,
    attempt: impl Fn(Zeroizing<String>) -> Result<T, DecryptError>,
) -> Result<T, Failure> {
    if let Some(path) = &flags.age_passphrase_file {
        let passphrase = passphrase::read(path)
            .with_context(|| format!("the passphrase can't be read from {}", path.display()))
            .map_err(|error| {
                Failure::new(ExitCode::Usage, error, "nothing was sent; correct --age-passphrase-file")
            })?;
        return attempt(passphrase).map_err(|error| {
            if is_refusal(&error) {
                wrong_passphrase(name, &format!("that of {}", path.display()))
            } else {
                refused(name, &error)
            }
        });
    }
    // Whoever ends us meanwhile goes on at a terminal that shows what is typed.
    signals::end_until_watched()?;
    for _ in 0..TRIES {
        let answer = passphrase::ask(&format!("Passphrase of {}: ", shown(name)));
        let answer = answer.context("the terminal can't be asked for a passphrase").map_err(|error| {
            Failure::new(ExitCode::Usage, error, "nothing was sent; name its file with --age-passphrase-file")
        })?;
        let passphrase = match answer {
            Answer::Passphrase(passphrase) => passphrase,
            Answer::None => {
                let error = anyhow::anyhow!("{name} needs its passphrase, and none was given");
                return Err(Failure::new(
                    ExitCode::Usage,
                    error,
                    "nothing was sent; run the same command again",
                ));
            }
            Answer::NoTerminal => {
                let error =
                    anyhow::anyhow!("{name} needs a passphrase, and there is no terminal to ask for it");
                return Err(Failure::new(
                    ExitCode::Usage,
                    error,
                    "nothing was sent; name a file that holds it with --age-passphrase-file",
                ));
            }
        };
        match attempt(passphrase) {
            Ok(opened) => return Ok(opened),
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(refused(name, &error)),
        }
    }
    Err(wrong_passphrase(name, "none of those that were typed in"))
}

/// A file's name as a terminal may be told it.
fn shown(name: &str) -> String {
    name.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn of_passphrase(passphrase: &str) -> age::scrypt::Identity {
    age::scrypt::Identity::new(SecretString::from(passphrase))
}

/// Whether the key was wrong, and not the file.
const fn is_refusal(error: &DecryptError) -> bool {
    matches!(
        error,
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed | DecryptError::NoMatchingKeys
    )
}

fn identities_of(name: &str, flags: &DecryptionFlags) -> Result<Identities, Failure> {
    if flags.age_identity.is_empty() {
        return Err(Failure::new(
            ExitCode::Usage,
            anyhow::anyhow!("the manifest {name} is encrypted with age, and no identity was named"),
            "nothing was sent; name the file of the identity that opens it with --age-identity",
        ));
    }
    let mut identities = Vec::new();
    for path in &flags.age_identity {
        identities.extend(read_identities(path, flags)?);
    }
    Ok(identities)
}

/// The identities of a file, which may itself be encrypted with a passphrase, as `age-keygen | age -p` makes one.
fn read_identities(path: &Path, flags: &DecryptionFlags) -> Result<Identities, Failure> {
    let name = path.display().to_string();
    let unreadable = |error: anyhow::Error| {
        let error = error.context(format!("the age identity {name} can't be read"));
        Failure::new(ExitCode::Usage, error, "nothing was sent; correct --age-identity")
    };
    let bytes = std::fs::File::open(path)
        .and_then(|file| Source::read_to_memory(file, LARGEST_IDENTITY_FILE))
        .map_err(|error| unreadable(error.into()))?;
    let bytes = if Sealing::of(&bytes) == Some(Sealing::Age) {
        let open = |passphrase: Zeroizing<String>| {
            let decryptor = Decryptor::new(ArmoredReader::new(&bytes[..]))?;
            let plain = decryptor.decrypt(std::iter::once(&of_passphrase(&passphrase) as &dyn Identity))?;
            Ok(Source::read_to_memory(plain, LARGEST_IDENTITY_FILE)?)
        };
        try_passphrases(&name, flags, open)?
    } else {
        bytes
    };
    if bytes.starts_with(b"-----BEGIN OPENSSH") || bytes.windows(11).any(|part| part == b"AGE-PLUGIN-") {
        let error = anyhow::anyhow!(
            "{name} is an SSH key or an identity of a plugin, which only the program age reads"
        );
        let hint = "nothing was sent; say --decrypt-command 'age --decrypt --identity KEY {}'";
        return Err(Failure::new(ExitCode::Usage, error, hint));
    }
    // Its errors name a line, and never what stands there.
    let identities = IdentityFile::from_buffer(&bytes[..]).map_err(|error| unreadable(error.into()))?;
    let identities = identities.into_identities().map_err(|error| refused(&name, &error))?;
    if identities.is_empty() {
        return Err(unreadable(anyhow::anyhow!("there is no identity in it")));
    }
    Ok(identities)
}

fn wrong_passphrase(name: &str, which: &str) -> Failure {
    let error = anyhow::anyhow!("the passphrase doesn't open {name}: {which}");
    Failure::new(ExitCode::Usage, error, "nothing was sent; try the right one")
}

/// What age says of a file, in our words.
fn refused(name: &str, error: &DecryptError) -> Failure {
    let (what, hint) = match error {
        DecryptError::NoMatchingKeys => (
            "none of the identities opens it".to_owned(),
            "name the identity for which it was encrypted with --age-identity",
        ),
        DecryptError::ExcessiveWork { .. } => (
            "its passphrase is made to take minutes".to_owned(),
            "encrypt it again with a lower work factor, or for an identity",
        ),
        DecryptError::UnknownFormat => {
            ("it is of a newer version of age".to_owned(), "use --decrypt-command with a newer program age")
        }
        DecryptError::Io(error)
            if !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
        {
            (error.to_string(), "run the same command again")
        }
        _ => ("its header is damaged, cut off or forged".to_owned(), "encrypt it again"),
    };
    let error = anyhow::anyhow!("{name} can't be decrypted: {what}");
    Failure::new(ExitCode::Usage, error, format!("nothing was sent; {hint}"))
}
