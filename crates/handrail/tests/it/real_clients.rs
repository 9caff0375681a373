//! curl, which every machine has, against the running server. The npm and PyPI clients are in
//! `clients/`; `.ci/run` installs and runs them.

use crate::support::Server;
use std::process::Command;

#[test]
fn curl_searches_over_http_2_with_the_printed_ca() {
    let server = Server::start();
    let token = server.full_token();
    let output = Command::new("curl")
        .args(["-sS", "--http2", "-w", "\n%{http_version} %{http_code} %{ssl_verify_result}", "--cacert"])
        .arg(server.ca())
        .args(["-H", &format!("Authorization: Bearer {token}")])
        .arg(format!("{}/Patient?_count=1", server.base))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("searchset"), "{text}");
    assert!(text.ends_with("2 200 0") || text.ends_with("1.1 200 0"), "curl may be built without HTTP/2: {text}");
}
