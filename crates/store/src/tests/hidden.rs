//! What a search says must not depend on how many hidden resources lie about (rows F1 to F4).

use super::world::{BASE, World, at, kind, only};
use search::query::{Context, Handling};

fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn observation(category: &str, code: &str, day: usize) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","category":[{{"coding":[{{"code":"{category}"}}]}}],"code":{{"coding":[{{"code":"{code}"}}]}},"subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2024-01-{day:02}"}}"#
    )
}

/// A total that nobody asked for comes by the way of some plans and not of others, and which plan
/// is taken depends on hidden rows too: whether it is told depends on what is visible alone.
#[test]
fn whether_a_total_is_told_does_not_depend_on_hidden_rows() {
    let kind = kind("Observation");
    let queries = [
        "_count=2",
        "code=A&_count=2",
        "code=A,B&_count=2",
        "date=ge2024-01-09&_count=2",
        "date=ge2024-01-09&_sort=_lastUpdated&_count=2",
        "date=ge2024-01-09&_sort=-_lastUpdated&_count=50",
        "_sort=_lastUpdated&_count=2",
        "code=A&_sort=date&_count=2",
        "_total=none&_sort=_lastUpdated&date=ge2024-01-09&_count=2",
        "_total=none&_count=50",
        "patient=Patient/p&_count=2",
        "patient=Patient/p&date=ge2024-01-09&_sort=_lastUpdated&_count=2",
    ];
    for grant in ["category=S", "category:not=H", "category:not=H&code=A,B", "date=lt2024-01-20"] {
        let criteria = search::compile_criteria(search::registry(), kind, &pairs(grant)).unwrap();
        let permit = only(kind, criteria);
        let answers = [0, 1, 3, 8, 30].map(|hidden| {
            let world = World::new();
            let seen = (0..9).map(|n| world.create(&observation("S", ["A", "B", "B"][n % 3], 3 + n), &format!("v{n}")));
            let unseen = (0..hidden).map(|n| world.create(&observation("H", "A", 28), &format!("h{n}")));
            let all: Vec<_> = unseen.chain(seen).collect();
            for (n, one) in all.into_iter().enumerate() {
                world.commit(vec![one], i64::try_from(n).unwrap());
            }
            queries.map(|text| {
                let context = Context { handling: Handling::Strict, base_url: BASE, now: at(0), compartment: None };
                let query = search::query::parse(search::registry(), kind, &pairs(text), &context).unwrap();
                let page = world.store().snapshot(at(0)).search_under(permit.as_ref(), &query, None, "caller").unwrap();
                let ids: Vec<_> = page.matches.iter().map(|found| found.id.to_string()).collect();
                (text, ids, page.total, page.next.is_some())
            })
        });
        for answer in &answers {
            assert_eq!(answer, &answers[0], "under {grant}");
        }
    }
}
