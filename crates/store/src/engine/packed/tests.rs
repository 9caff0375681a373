//! What was packed comes back byte for byte, before a dictionary is there and after.

use super::*;
use crate::page::Method;
use std::collections::HashSet;

fn version<'a>(id: &'a str, values: &'a [u8], json: &'a [u8]) -> Version<'a> {
    let (method, last_updated) = (Method::Update, 1_700_000_000_000);
    Version { method, labelled: true, version: 3, last_updated, commit: 9, id, values, json }
}

#[test]
fn a_version_comes_back_as_it_was() {
    let dictionaries = Dictionaries::new();
    let mut sizes = HashSet::new();
    for n in 0..limits::DICTIONARY_SAMPLES + 4 {
        let id = format!("o{n}");
        let values = format!("values of {id}: http://loinc.org|8867-4, http://unitsofmeasure.org|/min").into_bytes();
        let json = format!("{{\"resourceType\":\"Observation\",\"id\":\"{id}\",\"status\":\"final\"}}").into_bytes();
        let stored = version(&id, &values, &json);
        let record = stored.encode();
        let packed = dictionaries.pack(7, &record, &stored, ["p1", "p2"].into_iter()).unwrap();
        sizes.insert(packed.bytes());
        assert_eq!(dictionaries.whole(7, &packed).unwrap(), record);
        assert_eq!(dictionaries.values(7, &packed).unwrap(), values);
        let mut out = b"before".to_vec();
        dictionaries.append_json(7, &packed, &mut out).unwrap();
        assert_eq!(out, [&b"before"[..], &json].concat());
        assert_eq!(packed.json_bytes(), json.len());
        assert_eq!(packed.head().unwrap(), Version { values: &[], json: &[], ..stored });
        assert_eq!(packed.patients().collect::<Vec<_>>(), ["p1", "p2"]);
    }
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    assert!(least + 60 < *most, "the dictionary saves something: {sizes:?}");
}

#[test]
fn empty_values_a_number_without_dictionary_and_noise_are_packed_too() {
    let dictionaries = Dictionaries::new();
    let noise: Vec<u8> = (0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for kind in [1, u16::MAX] {
        for _ in 0..limits::DICTIONARY_SAMPLES + 2 {
            let stored = version("x", &[], &noise);
            let record = stored.encode();
            let packed = dictionaries.pack(kind, &record, &stored, std::iter::empty()).unwrap();
            assert_eq!(dictionaries.whole(kind, &packed).unwrap(), record);
            assert_eq!(packed.patients().count(), 0);
        }
    }
}
