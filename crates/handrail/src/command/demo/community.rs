//! The demo's trust community: made in its folder, published on loopback, and the server a member of it; with a payer's
//! certificate, so that a newcomer can join the server as a partner would (UDAP). Issue 6, item 6.

use crate::{
    assembly::Assembly,
    clock,
    command::{client, data},
    control::{self, Order, Reply, Shown, WantedCommunity},
    fault::Fault,
    limits, listener,
    pki::{
        KeyKind,
        community::{Community, NewCommunity, NewMember, StatusBy, desk},
    },
    print::{self, Style, shell},
    tls::local_ca,
};
use fhir::Instant;
use oauth::x509::Certificate;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::net::TcpListener;

/// The community's name among partners.
const URI: &str = "https://lab.handrail.example/community";

/// Who the payer's certificate speaks for. Its Organization in the story has this as an identifier.
pub(super) const PAYER: &str = "https://payer.handrail.example/fhir";

/// Names of the two members' files.
const OURS: &str = "server";
const THEIRS: &str = "payer";

const DAY_S: i64 = 86_400;

fn folder(directory: &Path) -> PathBuf {
    directory.join("community")
}

/// Makes what is missing, begins to publish, and makes the server a member.
pub(super) async fn begin(directory: &Path, base: &str, assembly: &Assembly) -> Result<(), Fault> {
    let folder = folder(directory);
    let failed = |why: crate::pki::PkiError| Fault::at(folder.display(), why);
    let now = clock::now();
    let (mut community, listener) = if folder.join("root.pem").exists() {
        let community = Community::open(&folder).map_err(failed)?;
        let listener = published_at(community.url()).await;
        (community, listener)
    } else {
        let listener = listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(Fault::new)?;
        let url = format!("http://{}", listener.local_addr().map_err(Fault::new)?);
        // Short, so that a revocation is seen while one looks at it.
        let new = NewCommunity { name: "Demo".into(), url, days: 3650, list_s: 10, answer_s: 5, key: KeyKind::Rsa };
        (Community::init(&folder, &new, now).map_err(failed)?, Some(listener))
    };
    if !folder.join(format!("{THEIRS}.pem")).exists() {
        community.issue(&member(THEIRS, "Copperleaf Payer", PAYER), now).map_err(failed)?;
    }
    let is_ours = assembly.authserver.communities().iter().any(|known| {
        let leaf = known.chain.first().and_then(|der| Certificate::read(der).ok());
        let still = leaf.filter(|leaf| leaf.uris().iter().any(|uri| uri == base));
        *known.uri == *URI
            && still.is_some_and(|leaf| leaf.not_after_s() - now.unix_seconds() > limits::COMMUNITY_WARN_DAYS * DAY_S)
    });
    if !is_ours {
        become_member(&mut community, base, assembly, now).map_err(|why| Fault::at(folder.display(), why))?;
    }
    drop(community);
    match listener {
        Some(listener) => {
            let desk = desk::Desk::open(&folder).map_err(failed)?;
            tokio::spawn(desk::serve(listener, Arc::new(desk)));
        }
        None => print::note(
            "another program has the port of the demo's revocation lists, so nobody can join by its community now",
        ),
    }
    Ok(())
}

async fn published_at(url: &str) -> Option<TcpListener> {
    let address = url.strip_prefix("http://")?.parse().ok()?;
    listener::bind(address).ok()
}

fn member(name: &str, common_name: &str, uri: &str) -> NewMember {
    NewMember {
        name: name.to_owned(),
        common_name: common_name.to_owned(),
        organization: None,
        uris: vec![uri.to_owned()],
        others: Vec::new(),
        days: 365,
        key: KeyKind::Rsa,
        status: StatusBy::Both,
        request: None,
        renew: true,
    }
}

/// Certifies the server's base URL as it is now, and tells the server.
fn become_member(community: &mut Community, base: &str, assembly: &Assembly, now: Instant) -> Result<(), Fault> {
    let made = community.issue(&member(OURS, "handrail demo", base), now).map_err(Fault::new)?;
    let read = |path: &Path| client::certificates(path);
    let key = made.key.as_deref().map(std::fs::read_to_string).transpose().map_err(Fault::new)?;
    let wanted = WantedCommunity {
        uri: URI.to_owned(),
        name: Some("Demo community".to_owned()),
        anchors: read(&community.anchor_path())?,
        chain: read(&made.certificate)?,
        key: Shown(key.unwrap_or_default()),
        profile: "stu2".to_owned(),
        when_unavailable: "refuse".to_owned(),
        purposes: ["TREAT", "HPAYMT"].map(str::to_owned).to_vec(),
        certifications: Vec::new(),
        approval: "open".to_owned(),
        registrations_max: None,
        identity_providers: false,
    };
    let replace = assembly.authserver.communities().iter().any(|known| *known.uri == *URI);
    match control::perform(&assembly.hands(), Order::PutCommunity { community: Box::new(wanted), replace }) {
        Reply::CommunityPut { .. } => Ok(()),
        other => Err(data::unexpected(other)),
    }
}

/// Prints how a partner joins.
pub(super) fn show(style: &Style, base: &str, directory: &Path, program: &str) {
    let absolute = data::absolute(&folder(directory));
    let word = |name: &str| shell(&absolute.join(name).to_string_lossy());
    let ca = shell(&data::absolute(&local_ca::ca_path(directory)).to_string_lossy());
    let origin = base.trim_end_matches("/fhir");
    print::result(format_args!("  {}", style.strong("Join as a payer that this server has never met (UDAP):")));
    print::result("");
    print::result(format_args!(
        "PAYER=$({program} udap join {base} --ca {ca} --anchors {} --certificate {} --key {} \
         --allow-network 127.0.0.0/8 --contact mailto:it@payer.handrail.example --purpose HPAYMT --scope 'system/Encounter.rs system/Coverage.rs' \
         --name 'Copperleaf Payer')",
        word("root.pem"),
        word("payer.pem"),
        word("payer.key"),
    ));
    print::result("");
    print::result(format_args!("curl --cacert {ca} -H \"Authorization: Bearer $PAYER\" '{base}/Encounter?_count=5'"));
    print::result("");
    print::result(style.faint("  It sees the stays of its members and nothing else. Revoke its certificate, and within seconds it sees nothing:"));
    print::result(
        style.faint(format_args!("  {program} pki community {} revoke payer", shell(&absolute.to_string_lossy()))),
    );
    print::result(style.faint(format_args!(
        "  {program} udap check {base} --ca {ca} --anchors {} --allow-network 127.0.0.0/8",
        word("root.pem")
    )));
    print::result(style.faint(format_args!("  Who joined: {origin}/account/partners, as the administrator.")));
    print::result("");
}
