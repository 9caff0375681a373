//! Packages as archives: what is read, what is refused (B63: no path escapes, no bombs).

use definitions::Package;
use fhir::schema::Definitions;
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;
use tar::{Builder, EntryType, Header};

const MANIFEST: &str = r#"{"name": "example.one", "version": "1.2.0", "fhirVersions": ["4.0.1"],
    "dependencies": {"hl7.fhir.r4.core": "4.0.1", "hl7.fhir.us.core": "6.1.x", "example.other": "2.0.0"}}"#;
const SYSTEM: &str = r#"{"resourceType": "CodeSystem", "url": "http://example.org/s", "content": "complete"}"#;

fn header(name: &str, size: u64, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, body) in entries {
        tar.append(&header(name, u64::try_from(body.len()).unwrap(), *kind), *body).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn refused(entries: &[(&str, EntryType, &[u8])]) -> String {
    Package::read(archive(entries).as_slice()).unwrap_err().to_string()
}

#[test]
fn a_package_is_read_with_its_dependencies() {
    let packed = archive(&[
        ("package/", EntryType::Directory, b""),
        ("package/package.json", EntryType::Regular, MANIFEST.as_bytes()),
        ("package/CodeSystem-s.json", EntryType::Regular, SYSTEM.as_bytes()),
        ("package/.index.json", EntryType::Regular, b"not read"),
        ("package/example/Patient-x.json", EntryType::Regular, b"{}"),
        ("package/report.json", EntryType::Regular, b"[1, 2,"),
        ("package/other/readme.md", EntryType::Regular, b"#"),
    ]);
    let package = Package::read(packed.as_slice()).unwrap();
    assert_eq!((package.id().as_str(), package.len()), ("example.one#1.2.0", 1));
    assert_eq!(package.dependencies.len(), 3);
    assert_eq!(package.missing(Definitions::builtin()), ["example.other#2.0.0"], "6.1.x is 6.1.0");
    let examples = definitions::package::examples(packed.as_slice()).unwrap();
    assert_eq!(examples.keys().collect::<Vec<_>>(), ["Patient-x.json"]);
}

#[test]
fn names_that_leave_their_folder_are_refused_by_name() {
    for name in [
        "../evil.json",
        "package/../../evil.json",
        "/etc/evil.json",
        "package\\..\\evil.json",
        "C:evil.json",
        "package/a\nb.json",
    ] {
        let text = refused(&[(name, EntryType::Regular, b"{}")]);
        assert!(text.contains("evil") || text.contains("a\\nb"), "{text}");
        assert!(text.contains("leaves its folder") || text.contains("that is none"), "{text}");
    }
    let deep = "a/".repeat(40) + "x.json";
    assert!(refused(&[(&deep, EntryType::Regular, b"{}")]).contains("lies too deep"));
}

#[test]
fn a_long_name_is_held_to_the_same_rules() {
    let long = format!("package/{}/../../../evil.json\0", "x".repeat(200));
    let entries: [(&str, EntryType, &[u8]); 2] =
        [("././@LongLink", EntryType::GNULongName, long.as_bytes()), ("short", EntryType::Regular, b"{}")];
    assert!(refused(&entries).contains("leaves its folder"));
    let pax = "31 path=package/../../evil.json\n";
    let entries: [(&str, EntryType, &[u8]); 2] =
        [("pax", EntryType::XHeader, pax.as_bytes()), ("short", EntryType::Regular, b"{}")];
    assert!(refused(&entries).contains("leaves its folder"));
    let endless = vec![b'x'; 100_000];
    let entries: [(&str, EntryType, &[u8]); 1] = [("././@LongLink", EntryType::GNULongName, &endless)];
    assert!(refused(&entries).contains("too long"));
}

#[test]
fn links_and_devices_are_refused() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Char, EntryType::Block] {
        let text = refused(&[("package/link.json", kind, b"")]);
        assert!(text.contains("package/link.json") && text.contains("neither a file nor a folder"), "{text}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let zeros = vec![b' '; 24 * 1024 * 1024];
    let text = refused(&[
        ("package/package.json", EntryType::Regular, MANIFEST.as_bytes()),
        ("package/CodeSystem-bomb.json", EntryType::Regular, &zeros),
    ]);
    assert!(text.contains("a bomb") && text.contains("package/CodeSystem-bomb.json"), "{text}");
}

#[test]
fn an_entry_larger_than_its_limit_is_refused_by_what_it_says_of_itself() {
    let mut tar = Vec::new();
    tar.extend_from_slice(header("package/CodeSystem-big.json", 1 << 40, EntryType::Regular).as_bytes());
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&tar).unwrap();
    let text = Package::read(gz.finish().unwrap().as_slice()).unwrap_err().to_string();
    assert!(text.contains("CodeSystem-big.json") && text.contains("larger than"), "{text}");
}

#[test]
fn too_many_entries_are_refused() {
    let entries = vec![("x", EntryType::Regular, &b""[..]); 50_001];
    assert!(refused(&entries).contains("more than 50000 entries"));
}

#[test]
fn what_is_no_package_says_so() {
    assert!(Package::read(&b"not a gzip"[..]).unwrap_err().to_string().contains("not a readable .tgz"));
    assert!(refused(&[("package/a.json", EntryType::Regular, b"{}")]).contains("there is no package/package.json"));
    let broken = [("package/package.json", EntryType::Regular, &b"{\"name\": "[..])];
    assert!(refused(&broken).starts_with("package.json:"));
    for (manifest, wanted) in [
        (MANIFEST.replace("4.0.1\"]", "5.0.0\"]"), "of FHIR 5.0.0"),
        (MANIFEST.replace("example.one", "../one"), "no name and version"),
        (MANIFEST.replace("1.2.0", ""), "no name and version"),
    ] {
        let text = refused(&[("package/package.json", EntryType::Regular, manifest.as_bytes())]);
        assert!(text.contains(wanted), "{text}");
    }
    let system = ("package/CodeSystem-s.json", EntryType::Regular, SYSTEM.as_bytes());
    let manifest = ("package/package.json", EntryType::Regular, MANIFEST.as_bytes());
    assert!(refused(&[system, system]).contains("stands twice"));
    assert!(refused(&[manifest, manifest]).contains("stands twice"));
    let broken = ("package/CodeSystem-t.json", EntryType::Regular, &b"{\"resourceType\": "[..]);
    assert!(refused(&[manifest, broken]).starts_with("CodeSystem-t.json:"));
}
