//! Rows F41, F43, F44: `handrail labels`, and the labels of a running server over TLS.

use crate::support::{Server, add_client, handrail, ok, run, stderr};
use std::path::Path;

fn file(own: &Path, name: &str, text: &str) -> String {
    let file = own.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

const OBSERVATION: &str = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"75622-1"}]}}"#;

/// A file is checked line by line, and tried on resources.
#[test]
fn a_file_is_checked_and_tried() {
    let own = tempfile::tempdir().unwrap();
    let rules = file(own.path(), "labels.rules", "label HIV,R when code http://loinc.org|75622-1\n");
    let observation = file(own.path(), "o.json", OBSERVATION);
    let good = ok(&run(["labels", "check", &rules, &observation]));
    assert!(good.contains("o.json: R, HIV") && good.contains("OK: 1 rule"), "{good}");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/labels.rules");
    let _ = ok(&run(["labels", "check", example]));
    let wrong = file(own.path(), "wrong.rules", "clearance nurse R\n\nlabel X when type Observation\n");
    let output = run(["labels", "check", &wrong]);
    let text = stderr(&output);
    assert!(!output.status.success());
    assert!(text.contains("wrong.rules: line 1: 'nurse' is no role") && text.contains("line 3: 'X' is no"), "{text}");
    let unknown = file(own.path(), "sets.rules", "label HIV when value-set http://example.org/none\n");
    let output = run(["labels", "check", &unknown]);
    assert!(!output.status.success() && stderr(&output).contains("is not loaded"), "{}", stderr(&output));
    let output = handrail()
        .args(["serve", "--listen", "127.0.0.1:0", "--labels-rules", &wrong, "--data"])
        .arg(own.path().join("data"))
        .output()
        .unwrap();
    assert!(!output.status.success() && stderr(&output).contains("line 1"), "{}", stderr(&output));
}

/// Labels are given, withheld from whom is not cleared, and given anew when the file changes: by the server and at rest.
#[tokio::test]
async fn labels_are_given_and_given_anew() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let rules = file(own.path(), "labels.rules", "clearance system N none\nlabel HIV,R when type Observation\n");
    let mut server = Server::on(&data, &["--labels-rules", &rules]);
    let token = server.token(&add_client(&data, "ehr", "system/*.cruds"));
    let mut http = server.http().await;
    let made = http.put_as(&token, "POST", "/fhir/Observation", OBSERVATION).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let id = made.header("location").split('/').nth_back(2).unwrap().to_owned();
    let path = format!("/fhir/Observation/{id}");
    let codes = async |http: &mut crate::support::Http| {
        let json = http.get_as(&token, &path).await.json();
        let labels = json["meta"]["security"].as_array().cloned().unwrap_or_default();
        labels.iter().map(|label| label["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(codes(&mut http).await, "R HIV");
    let data_text = data.to_str().unwrap();
    file(own.path(), "labels.rules", "label SDV when type Observation\n");
    let looked = ok(&run(["labels", "apply", "--only-look", "--data", data_text]));
    assert!(looked.contains("nothing was written") && looked.contains("SDV"), "{looked}");
    assert_eq!(codes(&mut http).await, "R HIV");
    let applied = ok(&run(["labels", "apply", "--data", data_text]));
    assert!(applied.contains("1 changed"), "{applied}");
    assert_eq!(codes(&mut http).await, "SDV");
    file(own.path(), "labels.rules", "nonsense\n");
    let output = run(["labels", "apply", "--data", data_text]);
    assert!(!output.status.success() && stderr(&output).contains("stays in force"), "{}", stderr(&output));
    assert_eq!(server.stop("TERM"), Some(0));
    // At rest, with the rules of the configuration.
    file(own.path(), "labels.rules", "label ETH when type Observation\n");
    let config = file(own.path(), "handrail.toml", &format!("[labels]\nrules = {rules:?}\n"));
    let applied = ok(&run(["labels", "apply", "--data", data_text, "--config", &config]));
    assert!(applied.contains("ETH") && applied.contains("1 changed"), "{applied}");
    let again = ok(&run(["labels", "apply", "--data", data_text, "--config", &config]));
    assert!(again.contains("0 changed"), "{again}");
}
