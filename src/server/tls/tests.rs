use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header;
use axum::routing::get;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, SignatureScheme, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client};

use super::*;
use crate::base::config::{FileSource, Sources};
use crate::model::certificate::PresentedCertificate;
use crate::server::listen::{self, Door, Limits};

mod http2;

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(40);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

fn now() -> OffsetDateTime {
    Clock::System.now()
}

/// Nothing happens by itself within a test.
fn patient() -> Limits {
    Limits {
        head: LONG,
        idle: LONG,
        request: LONG,
        drain: LONG,
        linger: Duration::from_millis(20),
        ..Limits::default()
    }
}

fn names() -> Vec<String> {
    vec!["localhost".to_owned()]
}

/// A folder with a certificate and its key.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.renew(now());
        folder
    }

    /// Puts another pair there, made at `made`; returns the DER of the certificate.
    fn renew(&self, made: OffsetDateTime) -> Vec<u8> {
        let pair = self_signed::create(&names(), made).unwrap();
        self.put("c.pem", &pair.certificate);
        self.put("k.pem", &pair.key);
        CertificateDer::from_pem_slice(pair.certificate.as_bytes())
            .unwrap()
            .to_vec()
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self) -> Result<Arc<Tls>, String> {
        let flag = |name: &str, file: &str| (name.to_owned(), self.path(file).to_str().unwrap().to_owned());
        let config = Config::load(Sources {
            defaults: Vec::new(),
            flags: vec![flag("tls_certificate", "c.pem"), flag("tls_key", "k.pem")],
            environment: Vec::new(),
            file: FileSource::None,
        });
        let loaded = Tls::load(&config.unwrap(), now());
        loaded.map(Option::unwrap).map_err(|fault| fault.to_string())
    }
}

/// What `GET /` tells of itself: the peer, the certificate's first bytes, the host, the path and the cookies.
async fn echo(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> String {
    let certificate = request.extensions().get::<PresentedCertificate>();
    let text = |name: header::HeaderName| {
        let values = request.headers().get_all(name).iter();
        values
            .map(|value| value.to_str().unwrap())
            .collect::<Vec<_>>()
            .join("|")
    };
    format!(
        "peer={peer} certificate={} host={} target={} cookie={}",
        certificate.map_or_else(String::new, |presented| presented.thumbprint().to_string()),
        text(header::HOST),
        request.uri(),
        text(header::COOKIE),
    )
}

struct Server {
    folder: Folder,
    tls: Arc<Tls>,
    address: SocketAddr,
    stop: Stop,
    running: JoinHandle<()>,
    /// Lets `/wait` answer.
    go: Arc<Notify>,
    /// Told when `/wait` has begun.
    begun: Arc<Notify>,
}

impl Server {
    fn start(asks: bool, limits: Limits) -> Self {
        let (go, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (let_go, tell) = (Arc::clone(&go), Arc::clone(&begun));
        let wait = async move || {
            tell.notify_one();
            let_go.notified().await;
            "waited"
        };
        let router = Router::new().route("/", get(echo)).route("/wait", get(wait));
        let folder = Folder::new();
        let tls = folder.load().unwrap();
        let listener = listen::bind(Some(&["127.0.0.1:0".parse().unwrap()]), "--listen")
            .unwrap()
            .remove(0);
        let address = listener.local_addr().unwrap();
        let door = Door {
            listener,
            tls: Some(tls.acceptor(asks)),
        };
        let stop = Stop::default();
        let running = tokio::spawn(listen::serve(vec![door], router, limits, stop.clone()));
        Self {
            folder,
            tls,
            address,
            stop,
            running,
            go,
            begun,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn shake_hands(&self, config: &Arc<ClientConfig>) -> io::Result<client::TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(config));
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, self.connect().await).await
    }

    /// What `GET /` answers on a connection of its own, and how that came to be.
    async fn ask(&self, config: &Arc<ClientConfig>) -> (String, HandshakeKind) {
        let mut stream = self.shake_hands(config).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let text = rest(&mut stream).await;
        (text, stream.get_ref().1.handshake_kind().unwrap())
    }

    async fn ended(self) {
        timeout(LONG, self.running).await.unwrap().unwrap();
    }
}

/// Trusts everybody; what a server proves is looked at by the tests that ask for it.
#[derive(Debug)]
struct Trusting(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// A certificate for a client, and how it is told.
fn identity() -> (self_signed::SelfSigned, String) {
    let pair = self_signed::create(&["client.example".to_owned()], now()).unwrap();
    let der = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let thumbprint = crate::model::certificate::Thumbprint::of(&der).to_string();
    (pair, thumbprint)
}

fn client(
    version: &'static SupportedProtocolVersion,
    alpn: &[&[u8]],
    identity: Option<&self_signed::SelfSigned>,
) -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting(algorithms)));
    let mut config = match identity {
        Some(pair) => {
            let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

fn http1() -> Arc<ClientConfig> {
    client(&rustls::version::TLS13, &[HTTP1], None)
}

/// Everything until the server closes, an abort included.
async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer of a connection that stays open.
async fn answer(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = vec![0; 4096];
    let read = timeout(LONG, stream.read(&mut bytes)).await.unwrap().unwrap();
    assert!(read > 0, "closed");
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

fn certificate_of(stream: &client::TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn both_versions_of_tls_and_both_of_http_are_spoken() {
    let server = Server::start(false, patient());
    for version in BOTH {
        for (offered, taken) in [
            (vec![HTTP2, HTTP1], Some(HTTP2)),
            (vec![HTTP1], Some(HTTP1)),
            (vec![], None),
        ] {
            let stream = server
                .shake_hands(&client(version, &offered, None))
                .await
                .unwrap();
            let session = stream.get_ref().1;
            assert_eq!(session.alpn_protocol(), taken);
            assert_eq!(session.protocol_version(), Some(version.version));
        }
        let (text, _) = server.ask(&client(version, &[], None)).await;
        assert!(
            text.starts_with("HTTP/1.1 200") && text.contains("certificate= host=localhost"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_ends_the_handshake() {
    let server = Server::start(false, patient());
    let other = client(&rustls::version::TLS13, &[b"imap"], None);
    assert!(server.shake_hands(&other).await.is_err());
}

#[tokio::test]
async fn a_client_certificate_reaches_the_request_and_a_resumed_session_carries_it() {
    let server = Server::start(true, patient());
    let (pair, thumbprint) = identity();
    for version in BOTH {
        let client = client(version, &[HTTP1], Some(&pair));
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let (text, kind) = server.ask(&client).await;
            assert_eq!(kind, expected);
            assert!(text.contains(&format!("certificate={thumbprint} ")), "{text}");
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_never_required() {
    let server = Server::start(true, patient());
    for version in BOTH {
        let (text, _) = server.ask(&client(version, &[HTTP1], None)).await;
        assert!(text.contains("certificate= "), "{text}");
    }
}

#[tokio::test]
async fn a_client_certificate_is_not_asked_for_where_it_is_not_wanted() {
    let server = Server::start(false, patient());
    let (pair, _) = identity();
    for version in BOTH {
        let (text, _) = server.ask(&client(version, &[HTTP1], Some(&pair))).await;
        assert!(text.contains("certificate= "), "{text}");
    }
}

#[tokio::test]
async fn a_certificate_without_its_key_ends_the_handshake() {
    let server = Server::start(true, patient());
    let (pair, _) = identity();
    let (other, _) = identity();
    for version in BOTH {
        let provider = ring::default_provider();
        let key = PrivateKeyDer::from_pem_slice(other.key.as_bytes()).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
        let stolen = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let algorithms = provider.signature_verification_algorithms;
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Trusting(algorithms)))
            .with_client_cert_resolver(Arc::new(stolen));
        config.alpn_protocols = vec![HTTP1.to_vec()];
        // over TLS 1.3 the client hears of it when it reads
        if let Ok(mut stream) = server.shake_hands(&Arc::new(config)).await {
            let _ = stream.write_all(REQUEST).await;
            assert_eq!(rest(&mut stream).await, "");
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_old_connections_and_no_old_tickets_go_on() {
    let server = Server::start(true, patient());
    let (pair, thumbprint) = identity();
    for version in BOTH {
        let client = client(version, &[HTTP1], Some(&pair));
        let mut old = server.shake_hands(&client).await.unwrap();
        old.write_all(REQUEST).await.unwrap();
        answer(&mut old).await;

        let renewed = server.folder.renew(now());
        let reload = server.tls.reload(now()).await;
        assert_eq!(
            reload,
            Reload::Taken {
                not_after: server.tls.not_after()
            }
        );
        old.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut old).await.contains(&thumbprint));

        let new = server.shake_hands(&client).await.unwrap();
        assert_eq!(certificate_of(&new), renewed);
        assert_eq!(new.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(server.tls.reload(now()).await, Reload::Unchanged);
    }
}

#[tokio::test]
async fn a_broken_certificate_leaves_the_old_one_in_use() {
    let server = Server::start(false, patient());
    let old = certificate_of(&server.shake_hands(&http1()).await.unwrap());
    let foreign = self_signed::create(&names(), now()).unwrap();
    for (file, text) in [
        ("k.pem", foreign.key.as_str()),
        ("c.pem", "nothing"),
        ("k.pem", "nothing"),
    ] {
        server.folder.put(file, text);
        let Reload::Refused(fault) = server.tls.reload(now()).await else {
            panic!("{file} is broken");
        };
        let told = fault.to_string();
        assert!(told.starts_with("tls_") && !told.contains('\n'), "{told}");
        assert_eq!(certificate_of(&server.shake_hands(&http1()).await.unwrap()), old);
    }
    let renewed = server.folder.renew(now());
    assert!(matches!(server.tls.reload(now()).await, Reload::Taken { .. }));
    assert_eq!(
        certificate_of(&server.shake_hands(&http1()).await.unwrap()),
        renewed
    );
}

#[tokio::test]
async fn changed_files_are_read_once_they_stay_as_they_are() {
    let folder = Folder::new();
    let tls = folder.load().unwrap();
    let mut seen = tls.read.lock().await.clone();
    assert_eq!(tls.look(&mut seen, now()).await, None);
    folder.renew(now() + time::Duration::days(1));
    assert_eq!(tls.look(&mut seen, now()).await, None);
    let taken = tls.look(&mut seen, now()).await;
    assert!(matches!(taken, Some(Reload::Taken { .. })), "{taken:?}");
    assert_eq!(tls.look(&mut seen, now()).await, None);
    // once broken, it is told once
    folder.put("k.pem", "nothing");
    assert_eq!(tls.look(&mut seen, now()).await, None);
    assert!(matches!(
        tls.look(&mut seen, now()).await,
        Some(Reload::Refused(_))
    ));
    assert_eq!(tls.look(&mut seen, now()).await, None);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_points_elsewhere_is_a_change() {
    let (folder, next) = (Folder::new(), Folder::new());
    let link = |target: &Folder| {
        for name in ["c.pem", "k.pem"] {
            let path = folder.path(&format!("link-{name}"));
            let _ = std::fs::remove_file(&path);
            std::os::unix::fs::symlink(target.path(name), path).unwrap();
        }
    };
    link(&folder);
    let files = Files {
        certificate: folder.path("link-c.pem"),
        key: folder.path("link-k.pem"),
    };
    let before = files.stamps();
    assert_eq!(files.stamps(), before);
    link(&next);
    assert_ne!(files.stamps(), before);
}

#[test]
fn what_cannot_be_served_is_told_in_a_line_with_setting_and_file() {
    let folder = Folder::new();
    let pair = self_signed::create(&names(), now()).unwrap();
    let cut: String = pair.key.lines().take(2).collect::<Vec<_>>().join("\n");
    for (file, text, setting, reason) in [
        ("c.pem", "", "tls_certificate", "no certificate in it"),
        ("c.pem", &*pair.key, "tls_certificate", "no certificate in it"),
        (
            "c.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "tls_certificate",
            "cannot be read",
        ),
        ("c.pem", &*pair.certificate, "tls_key", "does not fit"),
        ("k.pem", "", "tls_key", "no key in it"),
        ("k.pem", &*pair.certificate, "tls_key", "no key in it"),
        ("k.pem", &*cut, "tls_key", "no whole PEM"),
        (
            "k.pem",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "tls_key",
            "no kind",
        ),
    ] {
        folder.renew(now());
        folder.put(file, text);
        let told = folder.load().unwrap_err();
        assert!(
            told.starts_with(&format!("{setting} = ")) && told.contains(reason),
            "{told}"
        );
        assert!(
            told.contains(folder.path(file).to_str().unwrap()) || reason == "does not fit",
            "{told}"
        );
        let secret = pair.key.lines().nth(1).unwrap();
        assert!(!told.contains(secret) && !told.contains('\n'), "{told}");
    }
    folder.renew(now());
    std::fs::remove_file(folder.path("k.pem")).unwrap();
    let told = folder.load().unwrap_err();
    assert!(
        told.starts_with("tls_key = ") && told.contains("cannot be read"),
        "{told}"
    );
}

#[test]
fn what_is_questionable_is_complained_of() {
    let complaints = |made: OffsetDateTime, host: &str, mode: u32| {
        let folder = Folder::new();
        folder.renew(made);
        #[cfg(unix)]
        std::fs::set_permissions(
            folder.path("k.pem"),
            std::os::unix::fs::PermissionsExt::from_mode(mode),
        )
        .unwrap();
        let files = Files {
            certificate: folder.path("c.pem"),
            key: folder.path("k.pem"),
        };
        let pair = files.read(&ring::default_provider()).unwrap();
        pair.complaints(&[host.to_owned()], now())
    };
    assert_eq!(complaints(now(), "localhost", 0o640), Vec::<String>::new());
    for (told, words) in [
        (
            complaints(now() - time::Duration::days(100), "localhost", 0o600),
            "ended on",
        ),
        (
            complaints(now() + time::Duration::days(1), "localhost", 0o600),
            "not valid before",
        ),
        (complaints(now(), "auth.example", 0o600), "not for auth.example"),
        (complaints(now(), "[::1]", 0o600), "not for [::1]"),
        #[cfg(unix)]
        (complaints(now(), "localhost", 0o604), "may read the TLS key"),
    ] {
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(words), "{told:?}");
    }
}

#[test]
fn an_end_that_is_near_is_complained_of_once_a_day() {
    let now = now();
    let (days, hours) = (time::Duration::days, time::Duration::hours);
    assert!(!is_due(now + days(15), None, now));
    for end in [now + days(14), now - days(1)] {
        assert!(is_due(end, None, now));
        assert!(!is_due(end, Some(now - hours(23)), now));
        assert!(is_due(end, Some(now - days(1)), now));
    }
}

#[tokio::test]
async fn http_without_tls_is_told_that_https_is_spoken() {
    let server = Server::start(false, patient());
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    let text = rest(&mut stream).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400"), "{text}");
    assert!(
        head.contains(&format!("Content-Length: {}\r\n", body.len())),
        "{text}"
    );
    assert_eq!(body, "This port speaks https.\n");

    let mut stream = server.connect().await;
    stream.write_all(b"\x00\x01\x02").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_closed() {
    let server = Server::start(
        false,
        Limits {
            head: SHORT,
            ..patient()
        },
    );
    for begun in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01", b"G"] {
        let mut stream = server.connect().await;
        stream.write_all(begun).await.unwrap();
        let text = rest(&mut stream).await;
        assert!(text.is_empty() || begun == b"G", "{text}");
    }
}

#[tokio::test]
async fn the_handshake_takes_its_time_from_the_first_header() {
    let server = Server::start(
        false,
        Limits {
            head: SHORT,
            ..patient()
        },
    );
    for config in [http1(), client(&rustls::version::TLS13, &[HTTP2], None)] {
        let mut stream = server.shake_hands(&config).await.unwrap();
        rest(&mut stream).await;
    }
}

#[tokio::test]
async fn handshakes_and_idle_connections_make_room() {
    let server = Server::start(
        false,
        Limits {
            connections: 1,
            head: LONG * 2,
            ..patient()
        },
    );
    let mut held = server.connect().await;
    held.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    let next = http1();
    let mut idle = timeout(LONG, server.shake_hands(&next)).await.unwrap().unwrap();
    assert_eq!(rest(&mut held).await, "");
    idle.write_all(REQUEST).await.unwrap();
    answer(&mut idle).await;
    let (text, _) = server.ask(&http1()).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert_eq!(rest(&mut idle).await, "");
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_waits_for_no_handshake() {
    let server = Server::start(false, patient());
    let mut busy = server.shake_hands(&http1()).await.unwrap();
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    let mut held = server.connect().await;
    held.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    server.stop.request();
    server.go.notify_one();
    let text = rest(&mut busy).await;
    assert!(
        text.contains("connection: close") && text.ends_with("waited"),
        "{text}"
    );
    assert_eq!(rest(&mut held).await, "");
    server.ended().await;
}
