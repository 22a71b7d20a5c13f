//! `tegata certificate create`

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::arguments::NewCertificate;
use super::failure::Failure;
use super::output::{self, CreatedCertificate, Format};
use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::server::tls::self_signed;

const CERTIFICATE: &str = "tegata.pem";
const KEY: &str = "tegata.key";
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes a self-signed certificate and its key, in files that are not there yet.
///
/// # Errors
/// A name that no certificate can have, files that are there or cannot be made.
pub(super) fn create(
    config: &Config,
    wanted: NewCertificate,
    format: Format,
    clock: &Clock,
) -> Result<String, Failure> {
    let path = |given: Option<PathBuf>, setting: &Option<PathBuf>, usual: &str| {
        given.or_else(|| setting.clone()).unwrap_or_else(|| usual.into())
    };
    let certificate = path(wanted.certificate, &config.tls_certificate, CERTIFICATE);
    let key = path(wanted.key, &config.tls_key, KEY);
    let names = if wanted.name.is_empty() {
        LOCAL.map(str::to_owned).to_vec()
    } else {
        wanted.name
    };
    let made = self_signed::create(&names, clock.now()).map_err(|error| {
        Failure::new(format!(
            "no certificate can be for {}: {error}: name hosts and addresses, as localhost or 192.0.2.7",
            names.join(", ")
        ))
    })?;
    // both are looked for before one is made
    for path in [&certificate, &key] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(not_made(path, &io::ErrorKind::AlreadyExists.into()));
        }
    }
    write(&key, &made.key, 0o600)?;
    if let Err(failure) = write(&certificate, &made.certificate, 0o644) {
        // a key without its certificate is of no use, and would be in the way of the next attempt
        let _ = fs::remove_file(&key);
        return Err(failure);
    }
    output::tell(
        "This certificate is for trying out: nobody vouches for it, so browsers and applications refuse it until \
         they are told to trust this very file. To serve it, set tls_certificate and tls_key to the two files.",
    );
    format.render(&CreatedCertificate::new(&certificate, &key, names, &made))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let written = open_new(path, mode).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| not_made(path, &error))
}

fn open_new(path: &Path, mode: u32) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

fn not_made(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Failure::new(format!(
            "{path} is there already and is left as it is: name other files with --certificate and --key"
        ));
    }
    Failure::new(format!(
        "{path} cannot be written: {error}: name other files with --certificate and --key"
    ))
}
