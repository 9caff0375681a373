//! What the language says, one expression at a time. SPEC: FHIRPath N1.

use super::{PATIENT, texts};
use fhirpath::{EvaluateError, Expression};

/// Each row: an expression, and the texts of its items joined by a bar.
fn check(rows: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (expression, wanted) in rows {
        let found = texts(expression, PATIENT).map(|found| found.join("|"));
        if found.as_deref() != Ok(*wanted) {
            wrong.push(format!("{expression}: wanted {wanted:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn paths_choices_and_companions() {
    check(&[
        ("Patient.name.given", "Betsy|Ann|Bets"),
        ("name.given", "Betsy|Ann|Bets"),
        ("Practitioner.name", ""),
        ("Resource.id", "p1"),
        ("DomainResource.contained.name", "Home Health"),
        ("deceased", "false"),
        ("birthDate.id", "b"),
        ("birthDate.extension.value", "1950-11-15T06:30:00Z"),
        ("gender.exists()", "true"),
        ("gender.hasValue()", "false"),
        ("gender.extension('http://example.org/why').value", "unknown"),
        ("extension('http://example.org/age').value.code", "a"),
        ("name[0].given[1]", "Ann"),
        ("name[5]", ""),
        ("nosuch.thing", ""),
    ]);
}

#[test]
fn filters_and_projections() {
    check(&[
        ("telecom.where(system = 'phone').value", "555-1"),
        ("telecom.where(system = 'phone' or rank > 1).value", "555-1|b@example.org"),
        ("name.where(given = 'Bets').use", "usual"),
        ("name.where(given.count() = 2).use", "official"),
        ("name.select(given.first())", "Betsy|Bets"),
        ("telecom.select(value & '/' & system)", "555-1/phone|b@example.org/email"),
        ("telecom.select($index)", "0|1"),
        ("telecom.exists(system = 'fax')", "false"),
        ("telecom.all(rank >= 1)", "true"),
        ("name.given.skip(1).take(1)", "Ann"),
        ("name.given.tail().last()", "Bets"),
        ("name.children().count()", "6"),
        ("contained.descendants().count()", "2"),
        ("(1 | 2 | 3 | 4).aggregate($this + $total, 0)", "10"),
        ("telecom.sort(-rank).value", "b@example.org|555-1"),
        ("(@2020-02 | @2020-01-31 | @2019).sort()", "2019|2020-01-31|2020-02"),
        ("iif(active, 'yes', 1 div 0)", "yes"),
        ("name.repeat(given)", "Betsy|Ann|Bets"),
    ]);
}

#[test]
fn collections() {
    check(&[
        ("(1 | 2 | 2 | 1.0)", "1|2"),
        ("name.given | name.family", "Betsy|Ann|Bets|Smith-Johnson"),
        ("1.combine(1).count()", "2"),
        ("(1 | 2 | 3).intersect(2 | 9)", "2"),
        ("(1 | 2 | 3).exclude(2)", "1|3"),
        ("(1 | 2).subsetOf(1 | 2 | 3)", "true"),
        ("(1 | 2).supersetOf(1 | 2 | 3)", "false"),
        ("name.given.isDistinct()", "true"),
        ("(telecom | telecom).count()", "2"),
        ("'Ann' in name.given", "true"),
        ("name.given contains 'Bob'", "false"),
        ("name = name", "true"),
        ("name.first() = name.last()", "false"),
        ("{} = 1", ""),
        ("{} ~ {}", "true"),
        ("(1 | 2) ~ (2 | 1)", "true"),
        ("(1 | 2) = (2 | 1)", "false"),
    ]);
}

#[test]
fn conditions_have_three_values() {
    check(&[
        ("true and {}", ""),
        ("false and {}", "false"),
        ("{} or true", "true"),
        ("false or {}", ""),
        ("true xor {}", ""),
        ("false implies {}", "true"),
        ("{} implies true", "true"),
        ("true implies {}", ""),
        ("{}.not()", ""),
        ("active.not()", "false"),
        ("1 and true", "true"),
    ]);
    assert_eq!(texts("(1 | 2) and true", PATIENT), Err(EvaluateError::NotSingleton));
}

#[test]
fn types() {
    check(&[
        ("Patient is Resource", "true"),
        ("birthDate is date", "true"),
        ("gender is string", "true"),
        ("active is Boolean", "false"),
        ("active is System.Boolean", "false"),
        ("1 is Integer", "true"),
        ("deceased.ofType(boolean)", "false"),
        ("deceased.as(dateTime)", ""),
        ("(deceased as boolean)", "false"),
        ("birthDate.as(Date)", "1950-11-15"),
        ("extension.value is Quantity", "true"),
        ("extension.value.ofType(Quantity).value", "71"),
        ("extension.value.type().name", "Age"),
        ("1.type().namespace", "System"),
        ("birthDate.elementDefinition().path", "Patient.birthDate"),
        ("name.first().elementDefinition().max", "*"),
        ("gender.elementDefinition().binding.strength", "required"),
        ("managingOrganization.elementDefinition().type.code", "Reference"),
        ("Patient.elementDefinition()", ""),
    ]);
    assert_eq!(texts("birthDate.ofType(NoSuchType)", PATIENT), Err(EvaluateError::UnknownType));
}

#[test]
fn numbers() {
    check(&[
        ("1 + 2 * 3", "7"),
        ("-1.abs()", "-1"),
        ("7 div 2", "3"),
        ("7 mod 2", "1"),
        ("1 / 0", ""),
        ("0.1 + 0.2 = 0.3", "true"),
        ("1.10 = 1.1", "true"),
        ("2 / 3 ~ 0.67", "true"),
        ("1.20.toString()", "1.20"),
        ("(-2.5).floor()", "-3"),
        ("(2.5).ceiling()", "3"),
        ("2.345.round(2)", "2.35"),
        ("2.power(10)", "1024"),
        ("16.sqrt()", "4"),
        ("(-1).sqrt()", ""),
        ("9223372036854775807 + 1", ""),
        ("1.587.lowBoundary()", "1.58650000"),
    ]);
}

#[test]
fn texts_of_all_kinds() {
    check(&[
        ("'a' + 'b'", "ab"),
        ("'a' & {}", "a"),
        ("name.family.substring(6)", "Johnson"),
        ("'häuser'.length()", "6"),
        ("'abc'.indexOf('c')", "2"),
        ("'abc'.substring(9)", ""),
        ("'A1b2'.matches('[0-9]')", "true"),
        ("'2024-05'.replaceMatches('(\\\\d+)-(\\\\d+)', '$2/$1')", "05/2024"),
        ("'a,b'.split(',').join(';')", "a;b"),
        ("'x'.upper() & 'Y'.lower()", "Xy"),
        ("' x '.trim()", "x"),
        ("{}.join(',')", ""),
        ("name.suffix.join()", ""),
        ("'ab'.toChars()", "a|b"),
        ("'a' ~ 'A'", "true"),
        ("'A' < 'a'", "true"),
        ("'caf\\u00e9'", "café"),
    ]);
    assert_eq!(texts("'a'.matches('(')", PATIENT), Err(EvaluateError::Pattern));
    assert_eq!(texts("1.startsWith('a')", PATIENT), Err(EvaluateError::WrongType("a text function")));
}

#[test]
fn dates_compare_to_their_precision() {
    check(&[
        ("birthDate < today()", "true"),
        ("birthDate = @1950-11-15", "true"),
        ("birthDate > @1950", ""),
        ("birthDate > @1949", "true"),
        ("@2020-01-01T10:00Z = @2020-01-01T11:00+01:00", "true"),
        ("@2020-01-01T10:00Z = @2020-01-01T10:00", ""),
        ("@2020-01-01T10:00:00 = @2020-01-01T10:00:00.0", "true"),
        ("@2020-02-29 + 1 year", "2021-02-28"),
        ("@2020-01-31 + 1 month", "2020-02-29"),
        ("@2020-01-01T23:30:00Z + 90 minutes", "2020-01-02T01:00:00Z"),
        ("@T10:30 < @T10:31", "true"),
        ("@2020.highBoundary(6)", "2020-12"),
        ("now().toString()", "2025-11-15T09:46:40.000Z"),
    ]);
    assert_eq!(texts("@2020-01-01 + 1 'cm'", PATIENT), Err(EvaluateError::WrongType("+ on a date")));
}

#[test]
fn quantities_convert_units() {
    check(&[
        ("1 'kg' = 1000 'g'", "true"),
        ("1 'cm' < 1 '[in_i]'", "true"),
        ("7 days = 1 week", "true"),
        ("1 year = 1 'a'", ""),
        ("5 'mg' = 5 'mL'", ""),
        ("1 'mmol/L' = 0.001 'mol/L'", "true"),
        ("60 '/min' = 1 'Hz'", "true"),
        ("2 'm' * 3 'm' = 6 'm2'", "true"),
        // A FHIR Quantity in units of time is one of the calendar, as the R4 page says.
        ("extension.value > 70 'a'", ""),
        ("extension.value > 70 years", "true"),
        ("extension.value = 852 months", "true"),
        ("birthDate + extension.value", "2021-11-15"),
        ("1 'kg'.toQuantity('g')", "1000 'g'"),
        ("36 hours.toQuantity('day')", "1.5 days"),
        ("6 months.toQuantity('years')", "0.5 years"),
        ("1 'kg'.toQuantity('m')", ""),
        ("1 'kg'.convertsToQuantity('[lb_av]')", "true"),
        ("37 'Cel' = 98.6 '[degF]'", "true"),
        ("1 year > 11 months", "true"),
        ("1 month = 30 days", ""),
        ("1 'mm[Hg]'.comparable(1 'kPa')", "true"),
        ("'4 days'.toQuantity() = 4 days", "true"),
    ]);
}

#[test]
fn conversions() {
    check(&[
        ("'1'.toInteger() + 1", "2"),
        ("'x'.toInteger()", ""),
        ("'1.50'.toDecimal()", "1.50"),
        ("'yes'.toBoolean()", "true"),
        ("'2020-01'.toDate()", "2020-01"),
        ("'2020-01-01T10:00Z'.toDateTime().toDate()", "2020-01-01"),
        ("'10:30'.toTime()", "10:30"),
        ("'2020-13'.convertsToDate()", "false"),
        ("1.convertsToString()", "true"),
    ]);
}

#[test]
fn variables() {
    check(&[
        ("%resource.id", "p1"),
        ("name.select(%resource.id)", "p1|p1"),
        ("%ucum", "http://unitsofmeasure.org"),
        ("%`vs-administrative-gender`", "http://hl7.org/fhir/ValueSet/administrative-gender"),
    ]);
    assert_eq!(texts("%nosuch", PATIENT), Err(EvaluateError::UnknownVariable));
}

#[test]
fn what_is_no_expression_says_where() {
    for (text, offset) in [
        ("", 0),
        ("name.", 5),
        ("name.given)", 10),
        ("1 +", 3),
        ("'open", 0),
        ("/* open", 0),
        ("name.nosuch()", 5),
        ("name.exists(1, 2)", 5),
        ("@2020-13-01", 0),
        ("a ; b", 2),
        ("$that", 0),
    ] {
        let error = Expression::parse(text).expect_err(text);
        assert_eq!(error.offset.min(text.len()), offset, "{text}: {error}");
    }
}
