//! Stated limits of FHIR values (security rows F56, F57).

/// Bytes of one JSON body. The PFE example set in one transaction is 0.6 MB; a transaction of
/// 10,000 resources is about 20 MB. Spans in the tree are 32 bit, so this must stay below 4 GiB.
pub const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Nesting of arrays and objects. The deepest official R4 example nests 24 levels; a Bundle adds 4.
pub const DEPTH_MAX: usize = 64;

/// Members of one object. The widest R4 type has fewer than 60 elements, each with a `_` companion.
pub const MEMBERS_MAX: usize = 256;

/// Values (nodes) in one body: bounds the memory of the tree to 20 times this many bytes.
pub const NODES_MAX: usize = 4_000_000;

/// Characters of a logical id. SPEC: R4 datatypes.html#id.
pub const ID_CHARS_MAX: usize = 64;

/// Characters of a string. SPEC: R4 datatypes.html#string (1 MB, "1024 * 1024 characters").
pub const STRING_CHARS_MAX: usize = 1024 * 1024;

/// Nesting of elements in a Narrative: tables in tables in lists stay far below.
pub const XHTML_DEPTH_MAX: usize = 100;

/// Bytes of one Narrative, as long as the longest string may be. The longest of the guides has 283,000,
/// most of them an image.
pub const XHTML_BYTES_MAX: usize = STRING_CHARS_MAX;

/// Nesting of FHIR elements in XML: a resource inside an element is one level more than in JSON. What
/// comes of them has [`DEPTH_MAX`] besides.
pub const XML_DEPTH_MAX: usize = 2 * DEPTH_MAX;

/// Attributes of one XML element: FHIR has at most three, XHTML's widest about fifty.
pub const XML_ATTRIBUTES_MAX: usize = 64;

/// Namespaces declared around one XML element: FHIR needs two, tools add a few. Every name is looked up
/// among them.
pub const XML_NAMESPACES_MAX: usize = 32;

/// Faults that one XML body is told of.
pub const XML_FAULTS_MAX: usize = 100;

/// Operations of one patch: those that clients make change a few elements.
pub const PATCH_OPERATIONS_MAX: usize = 1_000;

/// Bytes that the operations of one patch may add or copy together: `copy` of a whole into itself doubles it each
/// time.
pub const PATCH_BYTES_MAX: usize = BODY_BYTES_MAX;
