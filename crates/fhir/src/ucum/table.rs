//! The units that clinical data commonly uses, and all of the SI, as facts: symbol, whether it takes prefixes,
//! and of how many of what it is made.
//!
//! Not here, and found only in the official file: the units of printing, of land and of old trades, the
//! physical constants, and the rarer arbitrary units.

use super::special::Special;
use super::{BASE_UNITS, Builder, Definition, Number, Units};
use crate::primitive::decimal::Decimal;

/// Prefix and power of ten.
const PREFIXES: [(&str, i32); 20] = [
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("da", 1),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

/// Prefix and power of two.
const BINARY_PREFIXES: [(&str, u32); 4] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40)];

const PI: &str = "3.14159265358979323846264338327950288";

/// Units with prefixes: symbol, how many, of what.
#[rustfmt::skip]
const METRIC: &[(&str, &str, &str)] = &[
    ("mol", "6.02214076", "10*23"), ("eq", "1", "mol"), ("osm", "1", "mol"), ("sr", "1", "rad2"),
    ("Hz", "1", "s-1"), ("N", "1", "kg.m/s2"), ("Pa", "1", "N/m2"), ("J", "1", "N.m"), ("W", "1", "J/s"),
    ("A", "1", "C/s"), ("V", "1", "J/C"), ("F", "1", "C/V"), ("Ohm", "1", "V/A"), ("S", "1", "A/V"),
    ("Wb", "1", "V.s"), ("T", "1", "Wb/m2"), ("H", "1", "Wb/A"), ("lm", "1", "cd.sr"), ("lx", "1", "lm/m2"),
    ("Bq", "1", "s-1"), ("Gy", "1", "J/kg"), ("Sv", "1", "J/kg"), ("kat", "1", "mol/s"), ("U", "1", "umol/min"),
    ("l", "1", "dm3"), ("L", "1", "dm3"), ("ar", "100", "m2"), ("t", "1000", "kg"), ("bar", "100000", "Pa"),
    ("u", "1.66053906660e-24", "g"), ("eV", "1.602176634e-19", "J"), ("pc", "3.085678e16", "m"),
    ("gf", "9.80665", "g.m/s2"), ("Gal", "1", "cm/s2"), ("dyn", "1", "g.cm/s2"), ("erg", "1", "dyn.cm"),
    ("P", "1", "dyn.s/cm2"), ("St", "1", "cm2/s"), ("G", "1e-4", "T"), ("Ci", "37e9", "Bq"), ("R", "2.58e-4", "C/kg"),
    ("RAD", "100", "erg/g"), ("REM", "100", "erg/g"), ("mho", "1", "S"), ("st", "1", "m3"), ("g%", "1", "g/dL"),
    ("cal_[15]", "4.18580", "J"), ("cal_[20]", "4.18190", "J"), ("cal_m", "4.19002", "J"), ("cal_IT", "4.1868", "J"),
    ("cal_th", "4.184", "J"), ("cal", "4.184", "J"), ("m[H2O]", "9.80665", "kPa"), ("m[Hg]", "133.322", "kPa"),
    ("tex", "1", "g/km"), ("bit", "1", "1"), ("By", "8", "bit"), ("Bd", "1", "/s"),
    ("[c]", "299792458", "m/s"), ("[g]", "9.80665", "m/s2"), ("[ly]", "1", "[c].a_j"), ("Ky", "1", "cm-1"),
    ("[e]", "1.602176634e-19", "C"), ("[h]", "6.62607015e-34", "J.s"), ("[k]", "1.380649e-23", "J/K"),
];

/// Units without prefixes: symbol, how many, of what.
#[rustfmt::skip]
const PLAIN: &[(&str, &str, &str)] = &[
    ("10*", "10", "1"), ("10^", "10", "1"), ("[pi]", PI, "1"), ("%", "1", "10*-2"), ("[ppth]", "1", "10*-3"),
    ("[ppm]", "1", "10*-6"), ("[ppb]", "1", "10*-9"), ("[pptr]", "1", "10*-12"),
    ("deg", "2", "[pi].rad/360"), ("gon", "0.9", "deg"), ("'", "1", "deg/60"), ("''", "1", "deg/3600"),
    ("circ", "2", "[pi].rad"), ("sph", "4", "[pi].sr"),
    ("min", "60", "s"), ("h", "3600", "s"), ("d", "86400", "s"), ("wk", "7", "d"), ("a_j", "365.25", "d"),
    ("a_t", "365.24219", "d"), ("a_g", "365.2425", "d"), ("a", "1", "a_j"), ("mo_j", "1", "a_j/12"),
    ("mo_g", "1", "a_g/12"), ("mo_s", "29.53059", "d"), ("mo", "1", "mo_j"),
    ("atm", "101325", "Pa"), ("[psi]", "1", "[lbf_av]/[in_i]2"), ("[lbf_av]", "1", "[lb_av].[g]"),
    ("[in_i'H2O]", "1", "m[H2O].[in_i]/m"), ("[in_i'Hg]", "1", "m[Hg].[in_i]/m"),
    ("[PRU]", "1", "mm[Hg].s/mL"), ("[wood'U]", "1", "mm[Hg].min/L"), ("[diop]", "1", "/m"), ("[MET]", "3.5", "mL/min/kg"),
    ("[Cal]", "1", "kcal_th"), ("[Btu_IT]", "1.05505585262", "kJ"), ("[Btu_th]", "1.054350", "kJ"), ("[Btu]", "1", "[Btu_th]"),
    ("[HP]", "550", "[ft_i].[lbf_av]/s"), ("[degR]", "5", "K/9"), ("AU", "149597.870691", "Mm"),
    ("[in_i]", "2.54", "cm"), ("[ft_i]", "12", "[in_i]"), ("[yd_i]", "3", "[ft_i]"), ("[fth_i]", "6", "[ft_i]"),
    ("[mi_i]", "5280", "[ft_i]"), ("[nmi_i]", "1852", "m"), ("[kn_i]", "1", "[nmi_i]/h"), ("[hd_i]", "4", "[in_i]"),
    ("[mil_i]", "0.001", "[in_i]"), ("[sin_i]", "1", "[in_i]2"), ("[sft_i]", "1", "[ft_i]2"), ("[syd_i]", "1", "[yd_i]2"),
    ("[cin_i]", "1", "[in_i]3"), ("[cft_i]", "1", "[ft_i]3"), ("[cyd_i]", "1", "[yd_i]3"),
    ("[in_us]", "1", "[ft_us]/12"), ("[ft_us]", "1200", "m/3937"), ("[yd_us]", "3", "[ft_us]"), ("[mi_us]", "5280", "[ft_us]"),
    ("[acr_us]", "43560", "[ft_us]2"), ("[Ch]", "1", "mm/3"), ("[mesh_i]", "1", "/[in_i]"),
    ("[gal_us]", "231", "[in_i]3"), ("[qt_us]", "1", "[gal_us]/4"), ("[pt_us]", "1", "[qt_us]/2"), ("[gil_us]", "1", "[pt_us]/4"),
    ("[foz_us]", "1", "[gil_us]/4"), ("[fdr_us]", "1", "[foz_us]/8"), ("[min_us]", "1", "[fdr_us]/60"),
    ("[tbs_us]", "1", "[foz_us]/2"), ("[tsp_us]", "1", "[tbs_us]/3"), ("[cup_us]", "16", "[tbs_us]"),
    ("[foz_m]", "30", "mL"), ("[cup_m]", "240", "mL"), ("[tsp_m]", "5", "mL"), ("[tbs_m]", "15", "mL"),
    ("[gal_br]", "4.54609", "L"), ("[qt_br]", "1", "[gal_br]/4"), ("[pt_br]", "1", "[qt_br]/2"), ("[gil_br]", "1", "[pt_br]/4"),
    ("[foz_br]", "1", "[gil_br]/5"), ("[fdr_br]", "1", "[foz_br]/8"), ("[min_br]", "1", "[fdr_br]/60"), ("[drp]", "1", "mL/20"),
    ("[gr]", "64.79891", "mg"), ("[lb_av]", "7000", "[gr]"), ("[oz_av]", "1", "[lb_av]/16"), ("[dr_av]", "1", "[oz_av]/16"),
    ("[stone_av]", "14", "[lb_av]"), ("[scwt_av]", "100", "[lb_av]"), ("[lcwt_av]", "112", "[lb_av]"),
    ("[ston_av]", "20", "[scwt_av]"), ("[lton_av]", "20", "[lcwt_av]"), ("[oz_m]", "28", "g"), ("[car_m]", "0.2", "g"),
    ("[pwt_tr]", "24", "[gr]"), ("[oz_tr]", "20", "[pwt_tr]"), ("[lb_tr]", "12", "[oz_tr]"),
    ("[sc_ap]", "20", "[gr]"), ("[dr_ap]", "3", "[sc_ap]"), ("[oz_ap]", "8", "[dr_ap]"), ("[lb_ap]", "12", "[oz_ap]"),
    ("att", "1", "kgf/cm2"), ("Ao", "0.1", "nm"), ("b", "100", "fm2"), ("[S]", "1", "10*-13.s"), ("[HPF]", "1", "1"), ("[LPF]", "100", "1"),
    ("[hnsf'U]", "1", "1"), ("[NTU]", "1", "1"), ("[FNU]", "1", "1"), ("[smoot]", "67", "[in_i]"),
];

/// Units on special scales: symbol, whether they take prefixes, function, how many, of what.
const SPECIAL: &[(&str, bool, &str, &str, &str)] = &[
    ("Cel", true, "Cel", "1", "K"),
    ("[degF]", false, "degF", "5", "K/9"),
    ("[degRe]", false, "degRe", "5", "K/4"),
    ("[pH]", false, "pH", "1", "mol/L"),
    ("[p'diop]", false, "tanTimes100", "1", "rad"),
    ("%[slope]", false, "tanTimes100", "1", "deg"),
    ("Np", true, "ln", "1", "1"),
    ("B", true, "lg", "1", "1"),
    ("B[SPL]", true, "lgTimes2", "2", "10*-5.Pa"),
    ("B[V]", true, "lgTimes2", "1", "V"),
    ("B[mV]", true, "lgTimes2", "1", "mV"),
    ("B[uV]", true, "lgTimes2", "1", "uV"),
    ("B[10.nV]", true, "lgTimes2", "10", "nV"),
    ("B[W]", true, "lg", "1", "W"),
    ("B[kW]", true, "lg", "1", "kW"),
    ("bit_s", false, "ld", "1", "1"),
    ("[hp'_X]", false, "hpX", "1", "1"),
    ("[hp'_C]", false, "hpC", "1", "1"),
    ("[hp'_M]", false, "hpM", "1", "1"),
    ("[hp'_Q]", false, "hpQ", "1", "1"),
];

/// Units by agreement or assay: symbol, whether they take prefixes.
const ARBITRARY: &[(&str, bool)] = &[
    ("[iU]", true),
    ("[arb'U]", false),
    ("[USP'U]", false),
    ("[GPL'U]", false),
    ("[MPL'U]", false),
    ("[APL'U]", false),
    ("[beth'U]", false),
    ("[anti'Xa'U]", false),
    ("[todd'U]", false),
    ("[dye'U]", false),
    ("[smgy'U]", false),
    ("[bdsk'U]", false),
    ("[ka'U]", false),
    ("[knk'U]", false),
    ("[mclg'U]", false),
    ("[tb'U]", false),
    ("[CCID_50]", false),
    ("[TCID_50]", false),
    ("[EID_50]", false),
    ("[PFU]", false),
    ("[FFU]", false),
    ("[CFU]", false),
    ("[IR]", false),
    ("[BAU]", false),
    ("[AU]", false),
    ("[Amb'a'1'U]", false),
    ("[PNU]", false),
    ("[Lf]", false),
    ("[D'ag'U]", false),
    ("[FEU]", false),
    ("[ELU]", false),
    ("[EU]", false),
    ("[hp_X]", false),
    ("[hp_C]", false),
    ("[hp_M]", false),
    ("[hp_Q]", false),
    ("[kp_X]", false),
    ("[kp_C]", false),
    ("[kp_M]", false),
    ("[kp_Q]", false),
];

/// The table of these facts. A test holds that every row of it resolves.
pub(super) fn units() -> Units {
    let mut builder = Builder::new();
    let power = |exponent| Number::decimal(Decimal { mantissa: 1, exponent });
    builder.prefixes.extend(PREFIXES.map(|(prefix, exponent)| (Box::from(prefix), power(exponent))));
    builder.prefixes.extend(BINARY_PREFIXES.map(|(prefix, bits)| (Box::from(prefix), Number::integer(1i128 << bits))));
    let number = |text: &str| Decimal::parse(text).map_or(Number::ONE, Number::decimal);
    for (at, symbol) in BASE_UNITS.into_iter().enumerate() {
        builder.definitions.insert(symbol, (true, Definition::Base(at)));
    }
    for (rows, takes_prefixes) in [(METRIC, true), (PLAIN, false)] {
        for (symbol, value, of) in rows {
            builder.definitions.insert(symbol, (takes_prefixes, Definition::Derived(number(value), of)));
        }
    }
    for (symbol, takes_prefixes, function, value, of) in SPECIAL {
        if let Some(function) = Special::named(function) {
            builder.definitions.insert(symbol, (*takes_prefixes, Definition::Special(function, number(value), of)));
        }
    }
    for (symbol, takes_prefixes) in ARBITRARY {
        builder.definitions.insert(symbol, (*takes_prefixes, Definition::Arbitrary));
    }
    builder.definitions.insert("[IU]", (true, Definition::Derived(Number::ONE, "[iU]")));
    let nothing = || Units { atoms: Default::default(), prefixes: Vec::new(), is_complete: false };
    builder.build(false).unwrap_or_else(|_| nothing())
}
