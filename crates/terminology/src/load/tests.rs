//! Loads of small files in the official forms: the columns are theirs, the rows are made up.

use super::{Go, Kind, Load, LoadError, Progress};
use crate::{CodeSystem, Coding, Membership, Terminology};
use fhir::schema::Definitions;
use proptest::prelude::*;
use std::{fmt::Write as _, sync::Arc};

type Files = Vec<(String, String)>;

fn files(pairs: &[(&str, &str)]) -> Files {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn take(load: &mut Load, files: &Files, look: &mut dyn FnMut(&Load, Progress<'_>) -> Go) -> Result<(), LoadError> {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort_by_key(|(name, _)| load.kind().role(name));
    for (name, text) in sorted {
        let role = load.kind().role(name).expect("a file of this system");
        load.read(role, name, &mut text.as_bytes(), look)?;
    }
    Ok(())
}

fn loaded(kind: Kind, files: &Files) -> Result<CodeSystem, LoadError> {
    let mut load = Load::new(kind);
    take(&mut load, files, &mut |_, _| Go::On)?;
    load.finish().map(|(system, _)| system)
}

fn bad(kind: Kind, files: &Files) -> Vec<String> {
    match loaded(kind, files) {
        Err(LoadError::Lines(lines)) => lines.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

fn codes(system: &CodeSystem, concepts: &[u32]) -> Vec<String> {
    concepts.iter().map(|one| system.code(*one).to_owned()).collect()
}

fn loinc() -> Files {
    files(&[
        (
            "LoincTable/Loinc.csv",
            "\"LOINC_NUM\",\"COMPONENT\",\"PROPERTY\",\"SCALE_TYP\",\"CLASS\",\"VersionLastChanged\",\"STATUS\",\"CLASSTYPE\",\"LONG_COMMON_NAME\"\n\
             \"1-8\",\"Thing, \"\"odd\"\"\",\"Find\",\"Ord\",\"SURVEY\",\"2.73\",\"ACTIVE\",\"4\",\"Thing in something\"\n\
             \"2-6\",\"Other\",\"Txt\",\"DOC\",\"DOC.X\",\"2.8\",\"DEPRECATED\",\"2\",\"Other document\"\n\
             \"3-4\",\"Third\",\"Txt\",\"Qn\",\"CHEM\",\"2.79\",\"ACTIVE\",\"1\",\"Third\nin two lines\"\n",
        ),
        (
            "AccessoryFiles/AnswerFile/AnswerList.csv",
            "AnswerListId,AnswerListName,AnswerListOID,AnswerStringId,SequenceNumber,DisplayText\n\
             LL1-9,Yes or no,,LA1-1,1,Yes\nLL1-9,Yes or no,,LA2-9,2,No\nLL2-7,Yes only,,LA1-1,1,Yes\nLL3-5,Elsewhere,,,,\n",
        ),
        (
            "AccessoryFiles/AnswerFile/LoincAnswerListLink.csv",
            "LoincNumber,LongCommonName,AnswerListId,AnswerListName,AnswerListLinkType,ApplicableContext\n1-8,x,LL1-9,y,NORMATIVE,\n",
        ),
        (
            "AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv",
            "PATH_TO_ROOT,SEQUENCE,IMMEDIATE_PARENT,CODE,CODE_TEXT\n,1,,LP1-1,Top\nLP1-1,1,LP1-1,LP2-9,Below\nLP1-1.LP2-9,1,LP2-9,1-8,Thing\nLP1-1,2,LP1-1,1-8,Thing\n",
        ),
        (
            "AccessoryFiles/PartFile/Part.csv",
            "PartNumber,PartTypeName,PartName,PartDisplayName,Status\nLP9-3,COMPONENT,n,Ninth,ACTIVE\n",
        ),
    ])
}

#[test]
fn loinc_with_answers_and_hierarchy() {
    let system = loaded(Kind::Loinc, &loinc()).expect("good files");
    assert_eq!(system.about().version, "2.8", "the newest change: 2.8 is after 2.79");
    let one = system.find("1-8").expect("there");
    assert_eq!(system.display(one), "Thing in something");
    assert_eq!(codes(&system, system.parents(one)), ["LP1-1", "LP2-9"]);
    assert!(system.is_a(one, system.find("lp1-1").expect("LOINC knows no case")));
    assert!(system.is_inactive(system.find("2-6").expect("there")));
    assert_eq!(system.display(system.find("3-4").expect("there")), "Third\nin two lines");
    let component = system.property("COMPONENT").expect("a property");
    assert_eq!(system.values_of(component, one).collect::<Vec<_>>(), ["Thing, \"odd\""]);
    let it = Terminology::new(Definitions::builtin(), vec![Arc::new(system)]);
    let holds = |set: &str, code: &str| it.validate_code(set, Coding::of("http://loinc.org", code)) == Membership::In;
    assert!(holds("http://loinc.org/vs/LL1-9", "LA2-9") && holds("http://loinc.org/vs/LL1-9", "LA1-1"));
    assert!(holds("http://loinc.org/vs/LL2-7", "LA1-1") && !holds("http://loinc.org/vs/LL2-7", "LA2-9"));
    assert!(holds("http://loinc.org/vs/LP2-9", "1-8") && !holds("http://loinc.org/vs/LP2-9", "2-6"));
    assert!(holds("http://loinc.org/vs", "1-8") && !holds("http://loinc.org/vs", "9-9"));
    // US Core's filters by property.
    let notes = "http://hl7.org/fhir/us/core/ValueSet/us-core-documentreference-type";
    assert!(holds(notes, "2-6") && !holds(notes, "1-8"), "SCALE_TYP = DOC");
    let other = Coding::of("http://loinc.org", "99-9");
    assert_eq!(it.validate_code("http://loinc.org/vs", other), Membership::NotIn);
}

#[test]
fn loinc_without_answers_does_not_know_what_is_wrong() {
    let table: Files = loinc().into_iter().take(1).collect();
    let system = loaded(Kind::Loinc, &table).expect("a good file");
    let it = Terminology::new(Definitions::builtin(), vec![Arc::new(system)]);
    let coding = Coding::of("http://loinc.org", "LA1-1");
    assert!(matches!(it.validate_code("http://loinc.org/vs", coding), Membership::Unknown(_)));
    assert!(matches!(it.validate_code("http://loinc.org/vs/LL1-9", coding), Membership::Unknown(_)));
    assert!(matches!(loaded(Kind::Loinc, &loinc().into_iter().skip(1).take(1).collect()), Err(LoadError::Missing(_))));
}

fn snomed() -> Files {
    let us = "900000000000509007\t";
    let mut files = files(&[
        (
            "Snapshot/Terminology/sct2_Concept_Snapshot_INT_20250101.txt",
            "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n\
             138875005\t20020131\t1\t900000000000207008\t900000000000074008\r\n\
             1000001\t20020131\t1\t900000000000207008\t900000000000073002\r\n\
             1000002\t20020131\t1\t900000000000207008\t900000000000074008\r\n\
             1000003\t20020131\t0\t900000000000207008\t900000000000074008\r\n",
        ),
        (
            "Snapshot/Refset/Language/der2_cRefset_LanguageSnapshot-en_INT_20250101.txt",
            "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tacceptabilityId\n",
        ),
        (
            "Snapshot/Terminology/sct2_Description_Snapshot-en_INT_20250101.txt",
            "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId\n\
             2000001\t20020131\t1\tm\t138875005\ten\t900000000000003001\tRoot (root)\tc\n\
             2000002\t20020131\t1\tm\t1000001\ten\t900000000000003001\tThing \"quoted (finding)\tc\n\
             2000003\t20020131\t1\tm\t1000001\ten\t900000000000013009\tThing\tc\n\
             2000004\t20020131\t1\tm\t1000001\ten\t900000000000013009\tGadget\tc\n\
             2000005\t20020131\t0\tm\t1000001\ten\t900000000000013009\tRetired name\tc\n",
        ),
        (
            "Snapshot/Terminology/sct2_Relationship_Snapshot_INT_20250101.txt",
            "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\tcharacteristicTypeId\tmodifierId\n\
             3000001\t20020131\t1\tm\t1000001\t138875005\t0\t116680003\tc\tm\n\
             3000002\t20020131\t1\tm\t1000002\t1000001\t0\t116680003\tc\tm\n\
             3000003\t20020131\t1\tm\t1000002\t138875005\t0\t363698007\tc\tm\n\
             3000004\t20020131\t0\tm\t1000003\t1000001\t0\t116680003\tc\tm\n",
        ),
    ]);
    let language = &mut files[1].1;
    writeln!(language, "u1\t20020131\t1\tm\t{us}2000003\t900000000000548007").expect("text");
    writeln!(language, "u2\t20020131\t1\tm\t{us}2000004\t900000000000549004").expect("text");
    files
}

#[test]
fn snomed_by_rf2() {
    let system = loaded(Kind::Snomed, &snomed()).expect("good files");
    assert_eq!(system.about().version, "http://snomed.info/sct/900000000000207008/version/20250101");
    let thing = system.find("1000001").expect("there");
    assert_eq!(system.display(thing), "Thing", "preferred in US English");
    let names: Vec<_> = system.designations(thing).map(|name| name.value).collect();
    assert_eq!(names, ["Thing \"quoted (finding)", "Gadget"]);
    assert_eq!(system.display(system.find("138875005").expect("there")), "Root (root)");
    let below = system.find("1000002").expect("there");
    assert_eq!(codes(&system, system.parents(below)), ["1000001"], "is a, and no other relation");
    assert!(system.is_inactive(system.find("1000003").expect("there")));
    let it = Terminology::new(Definitions::builtin(), vec![Arc::new(system)]);
    let holds =
        |set: &str, code: &str| it.validate_code(set, Coding::of("http://snomed.info/sct", code)) == Membership::In;
    for base in ["http://snomed.info/sct", "http://snomed.info/sct/900000000000207008"] {
        let set = format!("{base}?fhir_vs=isa/1000001");
        assert!(holds(&set, "1000002") && holds(&set, "1000001") && !holds(&set, "138875005"), "{set}");
        assert!(holds(&format!("{base}?fhir_vs"), "1000003"));
    }
    assert!(!holds("http://snomed.info/sct/731000124108?fhir_vs=isa/1000001", "1000002"), "another edition");
    assert!(it.value_set("http://snomed.info/sct?fhir_vs=isa/77777777", "").is_none());
}

#[test]
fn icd_10_cm_by_the_order_file_and_the_tabular_list() {
    let line = |order: u32, code: &str, flag: u8, short: &str, long: &str| {
        format!("{order:05} {code:<7} {flag} {short:<60} {long}\n")
    };
    let order: String = [
        line(1, "A00", 0, "Thing", "Thing, long"),
        line(2, "A000", 1, "Thing a", "Thing a, long"),
        line(3, "W00", 0, "Fall", "Fall"),
        line(4, "W000", 0, "Fall same", "Fall on same level"),
        line(5, "W000XXA", 1, "Fall init", "Fall, initial encounter"),
    ]
    .concat();
    let system = loaded(Kind::Icd10Cm, &files(&[("icd10cm-order-2025.txt", &order)])).expect("a good file");
    assert_eq!(system.about().version, "2025");
    let fall = system.find("W00.0XXA").expect("there");
    assert_eq!(system.display(fall), "Fall, initial encounter");
    assert_eq!(codes(&system, system.parents(fall)), ["W00.0"]);
    assert!(system.is_a(fall, system.find("W00").expect("there")));
    let xml = "<?xml version=\"1.0\"?>\n<!-- made up -->\n<ICD10CM.tabular><version>2026</version><chapter><name>1</name><desc>First &amp; only</desc>\
        <sectionIndex><sectionRef first=\"A00\" last=\"A09\" id=\"A00-A09\">x</sectionRef></sectionIndex>\
        <section id=\"A00-A09\"><desc>Block</desc><diag><name>A00</name><desc>Thing</desc><includes><note>n</note></includes>\
        <diag><name>A00.0</name><desc>Thing\n a</desc></diag></diag></section></chapter></ICD10CM.tabular>";
    let system = loaded(Kind::Icd10Cm, &files(&[("icd10cm-tabular-2025.xml", xml)])).expect("a good file");
    assert_eq!(system.about().version, "2026");
    let leaf = system.find("A00.0").expect("there");
    assert_eq!((system.display(leaf), codes(&system, system.parents(leaf))), ("Thing\n a", vec!["A00".to_owned()]));
    let chapter = system.find("chapter-1").expect("there");
    assert!(system.is_a(leaf, chapter) && system.is_abstract(chapter));
    assert_eq!(system.display(chapter), "First & only");
    let it = Terminology::new(Definitions::builtin(), vec![Arc::new(system)]);
    let coding = Coding::of("http://hl7.org/fhir/sid/icd-10-cm", "A00.0XXA");
    let held = it.validate_code("http://hl7.org/fhir/sid/icd-10-cm?fhir_vs", coding);
    assert!(matches!(held, Membership::Unknown(_)), "seventh characters are not in the tabular list: {held:?}");
}

#[test]
fn icf_by_claml_and_by_a_table() {
    let claml = "<?xml version='1.0'?><!DOCTYPE ClaML SYSTEM \"ClaML.dtd\"><ClaML version=\"2.0.0\"><Title name=\"ICF\" version=\"2017\">t</Title>\
        <Class code=\"d\" kind=\"component\"><Rubric kind=\"preferred\"><Label xml:lang=\"en\">Part d</Label></Rubric></Class>\
        <Class code=\"d4\" kind=\"chapter\"><SuperClass code=\"d\"/><Rubric kind=\"preferred\"><Label xml:lang=\"en\">Chapter 4</Label></Rubric>\
        <Rubric kind=\"definition\"><Label xml:lang=\"en\">prose</Label></Rubric></Class>\
        <Class code=\"d450-d469\" kind=\"block\"><SuperClass code=\"d4\"/></Class>\
        <Class code=\"d450\" kind=\"category\"><SuperClass code=\"d450-d469\"/><Rubric kind=\"preferred\"><Label xml:lang=\"de\">Vier fünfzig</Label></Rubric></Class></ClaML>";
    let table = "Code,Title,ClassKind\n,Block,block\nd,Part d,component\nd4,- Chapter 4,chapter\nd450,\"- - Four, fifty\",category\nd4501,- - - Below,category\n";
    for (name, text) in [
        ("icf.xml", claml),
        ("icf.csv", table),
        ("icf.tsv", &table.replace("\"- - Four, fifty\"", "- - Four fifty").replace(',', "\t")),
    ] {
        let system = loaded(Kind::Icf, &files(&[(name, text)])).expect("a good file");
        let (chapter, code) = (system.find("d4").expect("there"), system.find("d450").expect("there"));
        assert_eq!(system.display(chapter), "Chapter 4", "{name}");
        assert!(system.is_a(code, chapter) && system.is_a(code, system.find("d").expect("there")), "{name}");
        let it = Terminology::new(Definitions::builtin(), vec![Arc::new(system)]);
        let set = "http://hl7.org/fhir/us/pacio-pfe/ValueSet/pfe-category-vs";
        let holds = |code: &str| it.validate_code(set, Coding::of("http://hl7.org/fhir/sid/icf", code));
        assert_eq!((holds("d450"), holds("d999")), (Membership::In, Membership::NotIn), "{name}");
    }
}

#[test]
fn bad_lines_are_named() {
    let mut broken = snomed();
    broken[0].1.push_str("12x\t20020131\t1\tm\td\n1000004\t20020131\t2\tm\td\n1000005\t1\n");
    let named = bad(Kind::Snomed, &broken);
    let file = "Snapshot/Terminology/sct2_Concept_Snapshot_INT_20250101.txt";
    assert_eq!(
        named,
        [
            format!("{file}:6: \"12x\" is no SNOMED CT identifier"),
            format!("{file}:7: `active` is \"2\", not 0 or 1"),
            format!("{file}:8: 2 fields instead of 5"),
        ]
    );
    let mut unknown = snomed();
    unknown[3].1.push_str("3000009\t20020131\t1\tm\t4444444\t138875005\t0\t116680003\tc\tm\n");
    assert_eq!(bad(Kind::Snomed, &unknown).len(), 1);
    let mut late = loinc();
    late[0].1.push_str("\"bad\",,,,,,,,\n");
    assert_eq!(bad(Kind::Loinc, &late), ["LoincTable/Loinc.csv:6: \"bad\" is no LOINC number"], "line 4 goes over two");
    let many = format!("LOINC_NUM,LONG_COMMON_NAME,STATUS\n{}", "x,y,z\n".repeat(1000));
    assert_eq!(bad(Kind::Loinc, &files(&[("Loinc.csv", &many)])).len(), 20, "the first are enough");
    assert_eq!(bad(Kind::Loinc, &files(&[("Loinc.csv", "A,B\n")])), ["Loinc.csv:1: there is no column LOINC_NUM"]);
    assert_eq!(
        bad(Kind::Icd10Cm, &files(&[("icd10cm-order-2025.txt", "short\n")])),
        ["icd10cm-order-2025.txt:1: the line is too short"]
    );
    assert_eq!(
        bad(Kind::Icf, &files(&[("icf.csv", "a,b\n")])),
        ["icf.csv:1: there must be the columns Code and Title"]
    );
    let entity = "<!DOCTYPE x [<!ENTITY a \"b\">]><ClaML/>";
    assert_eq!(bad(Kind::Icf, &files(&[("icf.xml", entity)])), ["icf.xml:1: a DTD within the file is refused"]);
}

/// A table of many rows; stopped at each look, written down, gone on with: the same system.
#[test]
fn an_interrupted_load_goes_on_where_it_was() {
    let mut table = String::from("LOINC_NUM,LONG_COMMON_NAME,STATUS,CLASS\n");
    for number in 0..30_000 {
        writeln!(table, "{number}-{},Name {number},ACTIVE,C{}", number % 10, number % 7).expect("text");
    }
    let mut all = loinc();
    all[0].1 = table;
    all.truncate(2);
    let whole = loaded(Kind::Loinc, &all).expect("good files");
    let mut kept: Vec<u8> = Vec::new();
    let mut stops = 0;
    let load = loop {
        let mut load = if kept.is_empty() {
            Load::new(Kind::Loinc)
        } else {
            Load::resume(Kind::Loinc, &kept).expect("as written")
        };
        let mut looks = 0;
        let outcome = take(&mut load, &all, &mut |load, progress| {
            assert!(progress.rows > 0 && progress.bytes > 0);
            looks += 1;
            if looks < 2 {
                return Go::On;
            }
            kept.clear();
            load.checkpoint(&mut kept).expect("memory");
            Go::Stop
        });
        match outcome {
            Ok(()) => break load,
            Err(LoadError::Stopped) => stops += 1,
            Err(why) => panic!("{why}"),
        }
    };
    assert!(stops >= 3, "{stops}");
    let (again, _) = load.finish().expect("good files");
    let bytes = |system: &CodeSystem| {
        let mut bytes = Vec::new();
        system.write(&mut bytes).expect("memory");
        bytes
    };
    assert!(bytes(&again) == bytes(&whole), "the same, byte for byte");
    assert!(Load::resume(Kind::Snomed, &kept).is_err(), "of another system");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Changed and made-up bytes end in a system or in an error, never in a panic.
    #[test]
    fn hostile_files_do_no_harm(which in 0usize..9, at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 0..20), cut in any::<bool>()) {
        let claml = files(&[("icf.xml", "<ClaML><Class code=\"d\" kind='x'><Rubric kind=\"preferred\"><Label>a&amp;b</Label></Rubric></Class></ClaML>")]);
        let (kind, all) = if which < 4 { (Kind::Snomed, snomed()) } else if which < 8 { (Kind::Loinc, loinc()) } else { (Kind::Icf, claml) };
        let mut load = Load::new(kind);
        let mut ended = Ok(());
        for (number, (name, text)) in all.iter().enumerate() {
            let mut bytes = text.clone().into_bytes();
            if number == which % 4 {
                let from = at.index(bytes.len());
                let to = if cut { bytes.len() } else { (from + with.len()).min(bytes.len()) };
                bytes.splice(from..to, with.iter().copied());
            }
            let role = kind.role(name).expect("a file of this system");
            if ended.is_ok() {
                ended = load.read(role, name, &mut bytes.as_slice(), &mut |_, _| Go::On);
            }
        }
        let _ = load.finish();
    }
}
