//! The engines of `rh` (rh-fhirpath, rh-validator) at the work of the bench's engines, for orientation:
//! `cargo xtask peers DIR`. The inputs are files that the bench wrote, so that both do the same.
//!
//! As there: one core, parsing included where it is included there, the best of several turns. What a peer
//! finds is printed beside its figure, for a validator that looks at less is faster. Left out: terminology,
//! which neither crate offers without a server.

use rh_fhirpath::{EvaluationContext, FhirPathEvaluator, FhirPathParser};
use rh_validator::{FhirValidator, FhirVersion};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

const TURNS: usize = 5;
const TURN: Duration = Duration::from_millis(600);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How often a second, at best.
fn best(mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut best = 0f64;
    for _ in 0..TURNS {
        let (begin, mut done) = (Instant::now(), 0u32);
        while begin.elapsed() < TURN {
            work()?;
            done += 1;
        }
        best = best.max(f64::from(done) / begin.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn validate(validator: &FhirValidator, work: &Path) -> Outcome<()> {
    let single = fs::read(work.join("single.json"))?;
    let errors = validator.validate_auto(&serde_json::from_slice(&single)?)?.error_count();
    let rate = best(|| {
        let resource: Value = serde_json::from_slice(&single)?;
        validator.validate_auto(&resource)?;
        Ok(())
    })?;
    println!("| validate a PFE single Observation against its profile | {rate:.0}/s | {errors} errors |");

    // Its Bundle rules do not go into the entries' profiles: each resource is given by itself.
    let bundle = fs::read(work.join("bundle.json"))?;
    let resources = |bundle: &Value| -> Vec<Value> {
        let entries = bundle.get("entry").and_then(Value::as_array).cloned().unwrap_or_default();
        entries.into_iter().filter_map(|entry| entry.get("resource").cloned()).collect()
    };
    let mut errors = 0;
    for resource in resources(&serde_json::from_slice(&bundle)?) {
        errors += validator.validate_auto(&resource)?.error_count();
    }
    let rate = best(|| {
        for resource in resources(&serde_json::from_slice(&bundle)?) {
            validator.validate_auto(&resource)?;
        }
        Ok(())
    })?;
    println!("| validate the resources of the Bundle, one by one | {rate:.2} Bundles/s | {errors} errors |");
    Ok(())
}

fn evaluate(work: &Path) -> Outcome<()> {
    let bundle: Value = serde_json::from_slice(&fs::read(work.join("bundle.json"))?)?;
    let expression = FhirPathParser::new().parse(fs::read_to_string(work.join("expression.txt"))?.trim())?;
    let (evaluator, context) = (FhirPathEvaluator::new(), EvaluationContext::new(bundle));
    let found = format!("{:?}", evaluator.evaluate(&expression, &context)?);
    let rate = best(|| {
        evaluator.evaluate(&expression, &context)?;
        Ok(())
    })?;
    let shown: String = found.chars().take(80).collect();
    println!("| FHIRPath over the Bundle, compiled once | {:.1} µs | {shown} |", 1e6 / rate);
    Ok(())
}

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [work, profiles] = folders.as_slice() else {
        eprintln!("peers WORK PROFILES: run it as `cargo xtask peers DIR`");
        return ExitCode::from(2);
    };
    println!("| rh 0.3.0 | figure | found |\n|---|---|---|");
    let validated = FhirValidator::new(FhirVersion::R4, profiles.to_str())
        .map_err(Into::into)
        .and_then(|validator| validate(&validator, work));
    // One that cannot do its work is said so; the other is measured all the same.
    let outcomes = [("rh-validator", validated), ("rh-fhirpath", evaluate(work))];
    let mut code = ExitCode::SUCCESS;
    for (name, outcome) in outcomes {
        if let Err(error) = outcome {
            println!("| {name} | cannot do it | {error} |");
            code = ExitCode::FAILURE;
        }
    }
    code
}
