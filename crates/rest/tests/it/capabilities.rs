//! `/metadata`: public, valid, and true.

use serde_json::Value;
use testkit::Server;

fn statement(server: &Server) -> Value {
    server.request("GET", "metadata").send().expect(200).json()
}

#[test]
fn it_needs_no_token_and_takes_any() {
    let server = Server::new();
    let plain = server.request("GET", "metadata").send().expect(200);
    let tokened = server.request("GET", "metadata").token("garbage").send().expect(200);
    assert_eq!(plain.body, tokened.body);
    assert!(plain.header("x-request-id").is_some());
}

/// With all that the legacy extension asks for (B9).
#[test]
fn it_is_a_valid_resource() {
    let server = Server::new();
    let token = server.token_for("system/*.cruds");
    let bytes = server.request("GET", "metadata").send().body;
    let validate = |body: Vec<u8>| {
        server
            .request("POST", "CapabilityStatement/$validate")
            .token(&token)
            .body("application/fhir+json", body)
            .send()
            .expect(200)
            .json()
    };
    let errors = |outcome: &Value| {
        let issues = outcome["issue"].as_array().unwrap().clone();
        issues.into_iter().filter(|issue| issue["severity"] == "error").collect::<Vec<_>>()
    };
    let outcome = validate(bytes.to_vec());
    assert!(errors(&outcome).is_empty(), "{outcome}");
}

#[test]
fn it_names_the_guides() {
    let json = statement(&Server::new());
    let list =
        |name: &str| json[name].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    for guide in [
        "http://hl7.org/fhir/us/pacio-pfe/CapabilityStatement/pacio-pfe-cap",
        "http://hl7.org/fhir/us/pacio-rt/CapabilityStatement/rt-cs",
        "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server",
    ] {
        assert_eq!(list("instantiates").iter().filter(|url| *url == guide).count(), 1, "{guide}");
    }
    assert!(
        list("implementationGuide")
            .contains(&"http://hl7.org/fhir/us/pacio-rt/ImplementationGuide/hl7.fhir.us.pacio-rt|1.0.0".to_owned())
    );
    assert!(list("format").contains(&"json".to_owned()));
    assert_eq!(json["software"]["version"], "0.0.0-test");
    assert_eq!(json["fhirVersion"], "4.0.1");
    // B9.
    let security = &json["rest"][0]["security"];
    assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    let told: Vec<(&str, &str)> = security["extension"][0]["extension"]
        .as_array()
        .unwrap()
        .iter()
        .map(|uri| (uri["url"].as_str().unwrap(), uri["valueUri"].as_str().unwrap()))
        .collect();
    for name in ["authorize", "token", "register", "introspect", "revoke"] {
        let url = format!("https://handrail.test/oauth/{name}");
        assert!(told.contains(&(name, url.as_str())), "{told:?}");
    }
    assert!(told.contains(&("manage", "https://handrail.test/account/apps")), "{told:?}");
}

#[test]
fn every_type_is_served_as_it_says() {
    let server = Server::new();
    let json = statement(&server);
    let resources = json["rest"][0]["resource"].as_array().unwrap();
    assert_eq!(resources.len(), fhir::ResourceType::all().count());
    let of = |name: &str| resources.iter().find(|one| one["type"] == name).unwrap();
    let codes = |one: &Value| -> Vec<String> {
        one["interaction"].as_array().unwrap().iter().map(|i| i["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        codes(of("Observation")),
        ["read", "search-type", "vread", "history-instance", "create", "update", "patch", "delete"]
    );
    assert_eq!(codes(of("AuditEvent")), ["read", "search-type"]);
    assert!(
        of("Observation")["supportedProfile"]
            .to_string()
            .contains("pacio-pfe/StructureDefinition/pfe-observation-single")
    );
    assert!(of("Encounter")["supportedProfile"].to_string().contains("pacio-rt"));
    assert!(of("Encounter")["searchInclude"].to_string().contains("Encounter:part-of"));
    assert!(of("Patient")["searchRevInclude"].to_string().contains("Observation:subject"));
    // Events lie in the log: nothing is joined with them, and nothing says so (row F22).
    assert!(of("AuditEvent").get("searchInclude").is_none() && of("AuditEvent").get("searchRevInclude").is_none());
    assert!(!of("Patient")["searchRevInclude"].to_string().contains("AuditEvent"));
}

/// H9: what is claimed works. Each parameter of the guides' types is taken by a search.
#[test]
fn every_parameter_it_names_is_known() {
    let server = Server::new();
    let token = server.token_for("system/*.rs");
    let json = statement(&server);
    for one in json["rest"][0]["resource"].as_array().unwrap() {
        let name = one["type"].as_str().unwrap();
        if !["Observation", "Encounter", "Patient", "Goal", "DeviceUseStatement", "Location"].contains(&name) {
            continue;
        }
        for parameter in one["searchParam"].as_array().unwrap() {
            let code = parameter["name"].as_str().unwrap();
            let value = match parameter["type"].as_str().unwrap() {
                "date" => "2026",
                "number" | "quantity" => "1",
                "reference" => "Patient/1",
                "composite" => continue,
                _ => "x",
            };
            let found = server.request("GET", &format!("{name}?{code}={value}")).token(&token).send();
            assert_eq!(found.status, 200, "{name}?{code}: {}", found.text());
        }
    }
}
