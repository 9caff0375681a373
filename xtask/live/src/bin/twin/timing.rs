//! Does the time of an answer tell of hidden rows? (rows F13, F14; docs/adr/0012)
//!
//! In one process, without a network: a caller with granular scopes asks for what is hidden and for
//! what is absent, in random order, many times. Each pair is compared with a control of the same
//! run: two questions whose hidden rows are alike. Compared are ranks, in blocks: the effect of a
//! pair is how much oftener than half of the time a sample of one is slower than one of the other
//! (Mann-Whitney, minus one half). What is above the noise: an effect greater than the control's
//! and three standard errors of its blocks, at 2 in 100 at least.
//!
//! Callers: granular scopes, and with [`guarded`] a clinician who sees whom they treat and a system that consents bind.
//!
//! Each pair runs twice: with answers as fast as they can be, for the record, and as the server
//! answers, which must show nothing.

#![expect(clippy::indexing_slicing, reason = "a measurement that cannot go on stops")]

mod guarded;

use serde_json::{Value, json};
use std::time::Instant;
use testkit::Server;

const BLOCKS: usize = 20;
/// An effect that is noise whatever the control says.
const EFFECT_MIN: f64 = 0.02;

/// Two questions and the control's two.
struct Pair {
    name: &'static str,
    /// What is hidden against what is absent.
    asked: [Question; 2],
    /// Twice the same kind of thing.
    control: [Question; 2],
}

/// Paths that are asked in turn.
type Question = Vec<String>;

/// How many of each kind of thing there are.
const OF_EACH: usize = 40;

/// Measures; whether nothing is above the noise.
pub(crate) fn run(samples: usize, seed: u64) -> bool {
    println!(
        "{OF_EACH} hidden resources and matches against none; {samples} samples of each question; effects of -0.5 to 0.5"
    );
    println!("as fast as can be:");
    let fast = Server::new();
    world(&fast, &filled(&fast), pairs(), samples, seed);
    println!("as the server answers:");
    let held = Server::holding();
    let mut silent = world(&held, &filled(&held), pairs(), samples, seed);
    for who in guarded::CALLERS {
        println!("{who}, as fast as can be:");
        let fast = Server::new();
        world(&fast, &guarded::filled(&fast, who), guarded::pairs(), samples, seed);
        println!("{who}, as the server answers:");
        let held = Server::holding();
        silent &= world(&held, &guarded::filled(&held, who), guarded::pairs(), samples, seed);
    }
    silent
}

fn world(server: &Server, token: &str, pairs: Vec<Pair>, samples: usize, seed: u64) -> bool {
    let mut random = seed;
    let mut silent = true;
    for pair in pairs {
        let [effect, noise, p50s] = measured(server, token, &pair, samples, &mut random);
        let above = effect[0].abs() > (noise[0].abs() + 3.0 * noise[1]).max(EFFECT_MIN);
        silent &= !above;
        println!(
            "  {:<28} p50 {:>8.1} µs hidden, {:>8.1} µs absent; effect {:+.4}, control {:+.4} ± {:.4}: {}",
            pair.name,
            p50s[0],
            p50s[1],
            effect[0],
            noise[0],
            noise[1],
            if above { "ABOVE the noise" } else { "none above the noise" }
        );
    }
    silent
}

fn of(name: &'static str, hidden: &str, absent: &str, other: &str) -> Pair {
    let each = |text: &str| (0..OF_EACH).map(|n| text.replace('#', &n.to_string())).collect::<Question>();
    Pair { name, asked: [each(hidden), each(absent)], control: [each(absent), each(other)] }
}

fn pairs() -> Vec<Pair> {
    vec![
        of("read", "Observation/hidden-#", "Observation/absent-#", "Observation/nobody-#"),
        of(
            "vread",
            "Observation/hidden-#/_history/1",
            "Observation/absent-#/_history/1",
            "Observation/nobody-#/_history/1",
        ),
        of(
            "history",
            "Observation/hidden-#/_history",
            "Observation/absent-#/_history",
            "Observation/nobody-#/_history",
        ),
        of("search", "Observation?code=has-hidden", "Observation?code=has-none", "Observation?code=has-nil"),
        of(
            "search, total",
            "Observation?code=has-hidden&_total=accurate&_sort=date",
            "Observation?code=has-none&_total=accurate&_sort=date",
            "Observation?code=has-nil&_total=accurate&_sort=date",
        ),
        of(
            "_has",
            "Patient?_has:Observation:patient:code=has-hidden",
            "Patient?_has:Observation:patient:code=has-none",
            "Patient?_has:Observation:patient:code=has-nil",
        ),
        of(
            "chain",
            "Observation?patient:Patient.family=Hidden",
            "Observation?patient:Patient.family=Absent",
            "Observation?patient:Patient.family=Nobody",
        ),
        of(
            "_revinclude",
            "Patient?_id=p0&_revinclude=Condition:patient",
            "Patient?_id=p1&_revinclude=Condition:patient",
            "Patient?_id=p2&_revinclude=Condition:patient",
        ),
    ]
}

/// Fills the server; gives a token that sees the observations of category `seen` and active patients.
fn filled(server: &Server) -> String {
    let mut entries = Vec::new();
    let mut put = |resource: Value| {
        let url = format!(
            "{}/{}",
            resource["resourceType"].as_str().unwrap_or_default(),
            resource["id"].as_str().unwrap_or_default()
        );
        entries.push(json!({"resource": resource, "request": {"method": "PUT", "url": url}}));
    };
    let observation = |id: String, category: &str, code: &str, patient: &str| {
        json!({"resourceType": "Observation", "id": id, "status": "final", "category": [{"coding": [{"code": category}]}],
            "code": {"coding": [{"code": code}]}, "subject": {"reference": format!("Patient/{patient}")},
            "effectiveDateTime": "2026-01-01", "valueQuantity": {"value": 1, "unit": "/min"}})
    };
    for n in 0..4 {
        put(json!({"resourceType": "Patient", "id": format!("p{n}"), "active": true, "name": [{"family": "Seen"}]}));
    }
    for n in 0..OF_EACH {
        let name = format!("q{n}");
        put(json!({"resourceType": "Patient", "id": name, "active": false, "name": [{"family": "Hidden"}]}));
        put(observation(format!("hidden-{n}"), "other", "has-hidden", "p3"));
        put(json!({"resourceType": "Condition", "id": format!("c{n}"), "subject": {"reference": "Patient/p0"},
            "category": [{"coding": [{"code": "other"}]}]}));
    }
    for n in 0..400 {
        let code = ["has-hidden", "has-none", "has-nil", "else", "else", "else", "else", "else"][n % 8];
        put(observation(
            format!("seen-{n}"),
            if n < 24 || code == "else" { "seen" } else { "third" },
            if n < 24 { code } else { "else" },
            "p3",
        ));
    }
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let reply = server.request("POST", "").as_operator().json(&bundle).send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    server.token_for(
        "system/Observation.rs?category=seen system/Patient.rs?active=true system/Condition.rs?category=seen",
    )
}

/// Effect, noise (the control's effect and the standard error of its blocks), p50s in µs.
fn measured(server: &Server, token: &str, pair: &Pair, samples: usize, random: &mut u64) -> [[f64; 2]; 3] {
    let questions = [&pair.asked[0], &pair.asked[1], &pair.control[0], &pair.control[1]];
    let mut times: [Vec<f64>; 4] = Default::default();
    let mut turn = 0;
    let mut order: Vec<usize> = (0..4).collect();
    for sample in 0..samples + samples / 10 {
        for at in (1..4).rev() {
            *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, usize::try_from(*random >> 33).unwrap_or(0) % (at + 1));
        }
        turn += 1;
        for which in &order {
            let path = &questions[*which][turn % OF_EACH];
            let started = Instant::now();
            let reply = server.request("GET", path).token(token).send();
            let took = started.elapsed();
            assert!(reply.status == 200 || reply.status == 404, "{}", reply.text());
            // The first tenth warms up.
            if sample >= samples / 10 {
                times[*which].push(took.as_secs_f64() * 1e6);
            }
        }
    }
    let [effect, control] = [0, 2].map(|first| {
        let size = (samples / BLOCKS).max(1);
        let blocks: Vec<f64> =
            times[first].chunks(size).zip(times[first + 1].chunks(size)).map(|(one, two)| slower(one, two)).collect();
        let mean = blocks.iter().sum::<f64>() / blocks.len() as f64;
        let variance =
            blocks.iter().map(|block| (block - mean).powi(2)).sum::<f64>() / (blocks.len() as f64 - 1.0).max(1.0);
        [mean, (variance / blocks.len() as f64).sqrt()]
    });
    let p50s = [0, 1].map(|which| {
        times[which].sort_by(f64::total_cmp);
        times[which][times[which].len() / 2]
    });
    [effect, control, p50s]
}

/// How much oftener than half of the time a sample of `one` is slower than one of `two`.
fn slower(one: &[f64], two: &[f64]) -> f64 {
    let wins: f64 = one
        .iter()
        .map(|a| {
            two.iter()
                .map(|b| {
                    if a > b {
                        1.0
                    } else if a < b {
                        0.0
                    } else {
                        0.5
                    }
                })
                .sum::<f64>()
        })
        .sum();
    wins / (one.len() * two.len()) as f64 - 0.5
}
