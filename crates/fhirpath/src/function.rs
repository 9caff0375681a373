//! The functions: names and numbers of arguments. SPEC: FHIRPath N1, "Functions"; R4 fhirpath.html#functions.

/// How a function's arguments are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// Once, in the scope of the call.
    Values,
    /// For each item, with `$this` set to it.
    PerItem,
    /// A name of a type, read by the parser.
    Type,
}

macro_rules! functions {
    ($($variant:ident $name:literal $min:literal..=$max:literal $kind:ident,)*) => {
        /// A function of FHIRPath.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function { $($variant,)* }

        /// Name, function, least and most arguments, and how they are evaluated; sorted by name.
        const TABLE: &[(&str, Function, usize, usize, Arguments)] =
            &[$(($name, Function::$variant, $min, $max, Arguments::$kind),)*];
    };
}

functions! {
    Abs "abs" 0..=0 Values,
    Aggregate "aggregate" 1..=2 PerItem,
    All "all" 1..=1 PerItem,
    AllFalse "allFalse" 0..=0 Values,
    AllTrue "allTrue" 0..=0 Values,
    AnyFalse "anyFalse" 0..=0 Values,
    AnyTrue "anyTrue" 0..=0 Values,
    As "as" 1..=1 Type,
    Ceiling "ceiling" 0..=0 Values,
    CheckModifiers "checkModifiers" 0..=16 Values,
    Children "children" 0..=0 Values,
    Combine "combine" 1..=1 Values,
    Comparable "comparable" 1..=1 Values,
    ConformsTo "conformsTo" 1..=1 Values,
    Contains "contains" 1..=1 Values,
    ConvertsToBoolean "convertsToBoolean" 0..=0 Values,
    ConvertsToDate "convertsToDate" 0..=1 Values,
    ConvertsToDateTime "convertsToDateTime" 0..=1 Values,
    ConvertsToDecimal "convertsToDecimal" 0..=0 Values,
    ConvertsToInteger "convertsToInteger" 0..=0 Values,
    ConvertsToQuantity "convertsToQuantity" 0..=1 Values,
    ConvertsToString "convertsToString" 0..=0 Values,
    ConvertsToTime "convertsToTime" 0..=1 Values,
    Count "count" 0..=0 Values,
    Decode "decode" 1..=1 Values,
    Descendants "descendants" 0..=0 Values,
    Distinct "distinct" 0..=0 Values,
    ElementDefinition "elementDefinition" 0..=0 Values,
    Empty "empty" 0..=0 Values,
    Encode "encode" 1..=1 Values,
    EndsWith "endsWith" 1..=1 Values,
    Escape "escape" 1..=1 Values,
    Exclude "exclude" 1..=1 Values,
    Exists "exists" 0..=1 PerItem,
    Exp "exp" 0..=0 Values,
    Extension "extension" 1..=1 Values,
    First "first" 0..=0 Values,
    Floor "floor" 0..=0 Values,
    GetValue "getValue" 0..=0 Values,
    HasValue "hasValue" 0..=0 Values,
    HighBoundary "highBoundary" 0..=1 Values,
    HtmlChecks "htmlChecks" 0..=0 Values,
    Iif "iif" 2..=3 PerItem,
    IndexOf "indexOf" 1..=1 Values,
    Intersect "intersect" 1..=1 Values,
    Is "is" 1..=1 Type,
    IsDistinct "isDistinct" 0..=0 Values,
    Join "join" 0..=1 Values,
    Last "last" 0..=0 Values,
    Length "length" 0..=0 Values,
    Ln "ln" 0..=0 Values,
    Log "log" 1..=1 Values,
    LowBoundary "lowBoundary" 0..=1 Values,
    Lower "lower" 0..=0 Values,
    Matches "matches" 1..=1 Values,
    MatchesFull "matchesFull" 1..=1 Values,
    MemberOf "memberOf" 1..=1 Values,
    Not "not" 0..=0 Values,
    Now "now" 0..=0 Values,
    OfType "ofType" 1..=1 Type,
    Power "power" 1..=1 Values,
    Precision "precision" 0..=0 Values,
    Repeat "repeat" 1..=1 PerItem,
    Replace "replace" 2..=2 Values,
    ReplaceMatches "replaceMatches" 2..=2 Values,
    Resolve "resolve" 0..=0 Values,
    Round "round" 0..=1 Values,
    Select "select" 1..=1 PerItem,
    Single "single" 0..=0 Values,
    Skip "skip" 1..=1 Values,
    Slice "slice" 2..=2 Values,
    Sort "sort" 0..=8 PerItem,
    Split "split" 1..=1 Values,
    Sqrt "sqrt" 0..=0 Values,
    StartsWith "startsWith" 1..=1 Values,
    SubsetOf "subsetOf" 1..=1 Values,
    Substring "substring" 1..=2 Values,
    SubsumedBy "subsumedBy" 1..=1 Values,
    Subsumes "subsumes" 1..=1 Values,
    SupersetOf "supersetOf" 1..=1 Values,
    Tail "tail" 0..=0 Values,
    Take "take" 1..=1 Values,
    TimeOfDay "timeOfDay" 0..=0 Values,
    ToBoolean "toBoolean" 0..=0 Values,
    ToChars "toChars" 0..=0 Values,
    ToDate "toDate" 0..=1 Values,
    ToDateTime "toDateTime" 0..=1 Values,
    ToDecimal "toDecimal" 0..=0 Values,
    ToInteger "toInteger" 0..=0 Values,
    ToQuantity "toQuantity" 0..=1 Values,
    ToString "toString" 0..=0 Values,
    ToTime "toTime" 0..=1 Values,
    Today "today" 0..=0 Values,
    Trace "trace" 1..=2 PerItem,
    Trim "trim" 0..=0 Values,
    Truncate "truncate" 0..=0 Values,
    Type "type" 0..=0 Values,
    Unescape "unescape" 1..=1 Values,
    Union "union" 1..=1 Values,
    Upper "upper" 0..=0 Values,
    Where "where" 1..=1 PerItem,
}

impl Function {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        TABLE.iter().find(|entry| entry.1 == self).map_or("", |entry| entry.0)
    }

    /// The function of this name, with its least and most arguments and their kind.
    pub(crate) fn named(name: &str) -> Option<(Self, usize, usize, Arguments)> {
        let at = TABLE.binary_search_by(|entry| entry.0.cmp(name)).ok()?;
        TABLE.get(at).map(|entry| (entry.1, entry.2, entry.3, entry.4))
    }
}

#[cfg(test)]
mod tests;
