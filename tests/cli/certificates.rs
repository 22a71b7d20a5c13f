//! `tegata certificate`

use std::fs;

use crate::operation::process::Process;
use crate::world::{Database, World, run};

#[test]
fn a_certificate_for_trying_out_is_made_once_and_served() {
    run(Database::Sqlite, &[], async |world: World| {
        let made = world.command(&["certificate", "create", "--json"], "").await;
        assert!(
            made.stderr.contains("trying out") && made.stderr.contains("tls_certificate"),
            "{made:?}"
        );
        let json = made.json();
        assert_eq!(
            json["names"],
            serde_json::json!(["localhost", "127.0.0.1", "::1"])
        );
        assert_eq!(json["sha256"].as_str().unwrap().len(), 95, "{json}");
        let [certificate, key] =
            ["certificate", "key"].map(|name| world.folder().join(json[name].as_str().unwrap()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        let process = Process::start(&world, &["--tls-certificate", certificate, "--tls-key", key]).await;
        assert!(
            process.world.base_url.starts_with("https://localhost:"),
            "{}",
            process.ready
        );
        let told = process.told();
        assert!(!told.contains("WARN"), "{told}");
    });
}

#[test]
fn what_is_there_is_never_overwritten() {
    run(Database::Sqlite, &[], async |world: World| {
        for there in ["tegata.pem", "tegata.key"] {
            fs::write(world.folder().join(there), "mine").unwrap();
            let refused = world.command(&["certificate", "create"], "").await;
            assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{refused:?}");
            assert!(
                refused.stderr.contains(there) && refused.stderr.contains("already"),
                "{refused:?}"
            );
            assert_eq!(fs::read_to_string(world.folder().join(there)).unwrap(), "mine");
            fs::remove_file(world.folder().join(there)).unwrap();
            let left: Vec<_> = ["tegata.pem", "tegata.key"]
                .into_iter()
                .filter(|name| world.folder().join(name).exists())
                .collect();
            assert!(left.is_empty(), "{left:?}");
        }
    });
}

#[test]
fn a_name_that_no_certificate_can_have_leaves_nothing() {
    run(Database::Sqlite, &[], async |world: World| {
        let refused = world
            .command(&["certificate", "create", "--name", "bücher.example"], "")
            .await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{refused:?}");
        assert!(refused.stderr.contains("bücher.example"), "{refused:?}");
        assert!(!world.folder().join("tegata.key").exists());
        let wanted = [
            "certificate",
            "create",
            "--json",
            "--name",
            "a.example",
            "--certificate",
            "a.pem",
            "--key",
            "a.key",
        ];
        let made = world.command(&wanted, "").await.json();
        assert_eq!(made["names"], serde_json::json!(["a.example"]));
        assert!(world.folder().join("a.key").exists());
    });
}
