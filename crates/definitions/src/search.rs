//! Search parameters: `search-parameters.tsv`. SPEC: R4 searchparameter.html.
//!
//! No two parameters have the same (type, code). A guide's parameter that repeats one of R4 is
//! dropped and its URL remembered, unless its expression covers R4's and more: then it replaces
//! R4's for its types. Of two versions of one guide the newer wins.

use crate::{
    fault::{Fault, FaultKind},
    mend,
    package::Package,
    table::{Table, one_line},
    terminology::has_url,
    value::{items, text, texts},
};
use fhir::json::Value;
use std::collections::{BTreeMap, BTreeSet};

struct Parameter {
    url: String,
    code: String,
    base: BTreeSet<String>,
    kind: String,
    expression: String,
    target: Vec<String>,
    components: Vec<(String, String)>,
    package: String,
    also: BTreeSet<String>,
}

/// The table: `P url code base type package target expression`, `K definition expression` for each
/// component of a composite, `A url` for each URL that means the same.
///
/// # Errors
/// Two parameters of one type and code, a code that is none.
pub fn table(core: &Package, guides: &[Package]) -> Result<String, String> {
    let mut kept: Vec<Parameter> = core.resources("SearchParameter").into_iter().map(|p| read(p, core)).collect();
    let mut fresh: BTreeMap<String, (usize, Parameter)> = BTreeMap::new();
    for (rank, guide) in guides.iter().enumerate() {
        for value in guide.resources("SearchParameter") {
            let parameter = read(value, guide);
            fresh.insert(parameter.url.clone(), (rank, parameter));
        }
    }
    let mut fresh: Vec<_> = fresh.into_values().collect();
    fresh.sort_by(|(a_rank, a), (b_rank, b)| (a_rank, &a.url).cmp(&(b_rank, &b.url)));
    for (_, parameter) in fresh {
        merge(&mut kept, parameter);
    }
    kept.retain(|parameter| !parameter.base.is_empty());
    check(&kept)?;
    Ok(write(&kept))
}

/// The search parameters of one package, as they are: who indexes them decides which repeat others.
pub(crate) fn table_of(package: &Package, faults: &mut Vec<Fault>) -> String {
    let all = package.resources("SearchParameter").into_iter().filter(|one| has_url(*one, faults));
    let mut list: Vec<Parameter> = Vec::new();
    for value in all.collect::<Vec<_>>() {
        let parameter = read(value, package);
        if parameter.code.is_empty() || parameter.code.contains(|c: char| c.is_whitespace()) {
            let kind = FaultKind::Invalid { what: "the code", value: parameter.code };
            faults.push(Fault { definition: parameter.url, element: String::new(), kind });
        } else {
            list.push(parameter);
        }
    }
    write(&list)
}

fn write(parameters: &[Parameter]) -> String {
    let mut table = Table::default();
    for p in parameters {
        let base: Vec<_> = p.base.iter().cloned().collect();
        table.row(&[
            "P",
            &p.url,
            &p.code,
            &base.join(","),
            &p.kind,
            &p.package,
            &p.target.join(","),
            &one_line(&p.expression),
        ]);
        for (definition, expression) in &p.components {
            table.row(&["K", definition, &one_line(expression)]);
        }
        for url in &p.also {
            table.row(&["A", url]);
        }
    }
    table.into_text()
}

fn read(value: Value<'_>, package: &Package) -> Parameter {
    let url = text(value, "url");
    let mut target = texts(value, "target");
    if target.is_empty() {
        target = mend::search_target(&url).iter().map(|t| (*t).to_owned()).collect();
    }
    target.sort();
    Parameter {
        code: mend::search_code(&url, &text(value, "code")),
        base: texts(value, "base").into_iter().collect(),
        kind: text(value, "type"),
        expression: mend::search_expression(&text(value, "expression")),
        target,
        components: items(value, "component").map(|c| (text(c, "definition"), text(c, "expression"))).collect(),
        package: package.id(),
        also: BTreeSet::new(),
        url,
    }
}

/// Adds a guide's parameter to those known, base by base.
fn merge(kept: &mut Vec<Parameter>, mut parameter: Parameter) {
    for base in parameter.base.clone() {
        let known = kept.iter_mut().find(|k| {
            k.code == parameter.code
                && (k.base.contains(&base) || k.base.contains("Resource") || k.base.contains("DomainResource"))
        });
        let Some(known) = known else { continue };
        let (mine, theirs) = (branches(&parameter.expression, &base), branches(&known.expression, &base));
        if mine.is_superset(&theirs) && mine.len() > theirs.len() && parameter.kind == known.kind {
            known.base.remove(&base);
            if known.base.is_empty() {
                parameter.also.insert(known.url.clone());
            }
        } else {
            known.also.insert(parameter.url.clone());
            parameter.base.remove(&base);
        }
    }
    if !parameter.base.is_empty() {
        kept.push(parameter);
    }
}

/// The branches of a union that start at this type.
fn branches(expression: &str, base: &str) -> BTreeSet<String> {
    let branches = expression.split('|').map(str::trim);
    let of_base = branches.filter(|b| {
        let path = b.trim_start_matches('(');
        path.strip_prefix(base).is_some_and(|rest| rest.starts_with('.')) || path.starts_with("Resource.")
    });
    of_base.map(|b| b.replace(' ', "").replacen("Resource.", &format!("{base}."), 1)).collect()
}

fn check(parameters: &[Parameter]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for parameter in parameters {
        for base in &parameter.base {
            if !seen.insert((base, &parameter.code)) {
                return Err(format!("two search parameters {}.{}", base, parameter.code));
            }
        }
        if parameter.code.is_empty() || parameter.code.contains(|c: char| c.is_whitespace()) {
            return Err(format!("{} has the code {:?}", parameter.url, parameter.code));
        }
    }
    Ok(())
}
