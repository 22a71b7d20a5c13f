//! TLS for a world: an authority that its clients trust, and certificates for servers and for clients.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use url::Url;

use super::World;

/// The one that every client trusts, a test run.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("Tests of Tegata"));

/// Somebody who vouches for certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// DER.
    pub(crate) der: Vec<u8>,
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
    key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut wanted = named(name);
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(wanted, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate that it vouches for, as `change` wants it: the common name is `name`.
    pub(crate) fn pair(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let mut wanted = named(name);
        change(&mut wanted);
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.signed_by(&key, &self.0).unwrap();
        Pair::of(&certificate, &key)
    }
}

impl Pair {
    /// A certificate that vouches for itself, as `change` wants it: the common name is `name`.
    pub(crate) fn self_signed(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut wanted = named(name);
        change(&mut wanted);
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.self_signed(&key).unwrap();
        Self::of(&certificate, &key)
    }

    /// For a server on this machine, from the authority that every client trusts.
    pub(crate) fn of_server() -> Self {
        AUTHORITY.pair("localhost", |wanted| {
            let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
            wanted.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        })
    }

    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            der: certificate.der().to_vec(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            key: key.serialize_der(),
        }
    }

    /// Puts both into `folder`, as `NAME.pem` and `NAME.key`, in place of what was there.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = (
            folder.join(format!("{name}.pem")),
            folder.join(format!("{name}.key")),
        );
        fs::write(&certificate, &self.certificate_pem).unwrap();
        fs::write(&key, &self.key_pem).unwrap();
        (certificate, key)
    }
}

fn named(name: &str) -> CertificateParams {
    let mut wanted = CertificateParams::default();
    wanted.distinguished_name = DistinguishedName::new();
    wanted.distinguished_name.push(DnType::CommonName, name);
    wanted.not_before = date_time_ymd(2020, 1, 1);
    wanted.not_after = date_time_ymd(2120, 1, 1);
    wanted
}

/// A certificate for the server in `folder`, and the settings that name it.
pub(super) fn settings(folder: &Path, given: &mut Vec<(String, String)>) {
    let (certificate, key) = Pair::of_server().write(folder, "server");
    for (name, path) in [("tls_certificate", certificate), ("tls_key", key)] {
        given.push((name.to_owned(), path.to_str().unwrap().to_owned()));
    }
}

/// Trusts the tests' authority alone, speaks HTTP/2 where it can, and presents `identity` where it is asked.
pub(super) fn of_client(identity: Option<&Pair>) -> ClientConfig {
    static TRUST: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
        let mut roots = RootCertStore::empty();
        roots.add(AUTHORITY.0.der().clone()).unwrap();
        Arc::new(roots)
    });
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(TRUST.clone());
    let mut config = match identity {
        Some(pair) => {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.key.clone()));
            builder
                .with_client_auth_cert(vec![CertificateDer::from(pair.der.clone())], key)
                .unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

impl World {
    /// The same world, whose clients present this certificate where they are asked for one.
    pub(crate) fn presenting(&self, pair: &Pair) -> Self {
        let world = Self {
            identity: Some(Arc::new(pair.clone())),
            ..self.clone()
        };
        world.through(&self.base_url)
    }

    /// The same world through the address that is kept for client certificates (`mtls_listen`).
    pub(crate) async fn at_mtls(&self) -> Self {
        let address = self.servers.lock().await[0].mtls_addresses()[0];
        let mut url = Url::parse(&self.base_url).unwrap();
        url.set_port(Some(address.port())).unwrap();
        self.through(url.as_str().trim_end_matches('/'))
    }

    /// A PEM file with the authority that signed the server's certificate.
    pub(crate) fn authority_file(&self) -> PathBuf {
        let file = self.folder().join("authority.pem");
        fs::write(&file, AUTHORITY.pem()).unwrap();
        file
    }

    /// Puts another certificate in the place of the server's; the server is not told.
    pub(crate) fn replace_certificate(&self) -> Pair {
        let pair = Pair::of_server();
        pair.write(self.folder(), "server");
        pair
    }

    /// Tells every server inside this process to read its certificate again.
    pub(crate) async fn reload_certificate(&self) -> Vec<tegata::server::tls::Reload> {
        let mut reloads = Vec::new();
        for server in self.servers.lock().await.iter() {
            reloads.extend(server.reload_certificate().await);
        }
        reloads
    }
}
