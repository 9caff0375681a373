//! What the reader refuses. The texts are public: they name elements of FHIR, and hold no value of the
//! body.

use std::fmt;

/// Why a body is not acceptable FHIR XML: one fault of its XML, or all faults of its FHIR form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlError {
    /// At least one, in the order in which they were found.
    pub faults: Vec<XmlFault>,
}

/// One fault, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlFault {
    /// What.
    pub kind: XmlFaultKind,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The element it is in (`Patient.contact[0]`), when the XML itself is fine.
    pub expression: Option<String>,
}

/// The faults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "Display says each in a sentence")]
pub enum XmlFaultKind {
    TooLong,
    TooDeep,
    TooManyElements,
    TooManyAttributes,
    TooManyNamespaces,
    Encoding,
    InvalidUtf8,
    InvalidCharacter,
    XmlVersion,
    DocumentType,
    Entity,
    InvalidReference,
    InvalidComment,
    InvalidInstruction,
    InvalidName,
    UnexpectedEnd,
    UnexpectedCharacter,
    UnexpectedText,
    WrongEndTag,
    DuplicateAttribute,
    TrailingData,
    Namespace,
    UnboundPrefix,
    WrongNamespace,
    /// The name, when it can be shown.
    UnknownAttribute(String),
    UnknownResource,
    /// The type, and the name when it can be shown.
    UnknownElement(&'static str, String),
    /// The element before which it should stand.
    OutOfOrder(&'static str),
    Repeated,
    MissingValue,
    EmptyAttribute,
    EmptyElement,
    OneResource,
    NotADiv,
}

impl fmt::Display for XmlFaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the body is longer than this server accepts",
            Self::TooDeep => "elements are nested deeper than this server accepts",
            Self::TooManyElements => "the body holds more elements than this server accepts",
            Self::TooManyAttributes => "an element has more attributes than any of FHIR or XHTML",
            Self::TooManyNamespaces => "more namespaces are declared than FHIR needs",
            Self::Encoding => "FHIR XML is in UTF-8: found another encoding",
            Self::InvalidUtf8 => "the text is not valid UTF-8",
            Self::InvalidCharacter => "XML cannot hold this character",
            Self::XmlVersion => "expected an XML declaration of version 1.0",
            Self::DocumentType => "document types are not accepted",
            Self::Entity => "no entities but &amp; &lt; &gt; &quot; &apos; and numbers of characters are accepted",
            Self::InvalidReference => "not a reference to a character",
            Self::InvalidComment => "not an XML comment",
            Self::InvalidInstruction => "not an XML processing instruction",
            Self::InvalidName => "no name of FHIR or XHTML",
            Self::UnexpectedEnd => "the body ends too early",
            Self::UnexpectedCharacter => "not the character that XML expects here",
            Self::UnexpectedText => "FHIR elements hold no text: values stand in the attribute value",
            Self::WrongEndTag => "the end tag is not that of the open element",
            Self::DuplicateAttribute => "this attribute stands twice in the element",
            Self::TrailingData => "there is more after the end of the root element",
            Self::Namespace => "not a declaration of a namespace that FHIR XML may have",
            Self::UnboundPrefix => "no namespace is declared for this prefix",
            Self::WrongNamespace => {
                "FHIR elements are in the namespace http://hl7.org/fhir, narrative in http://www.w3.org/1999/xhtml"
            }
            Self::UnknownAttribute(name) if name.is_empty() => "this attribute may not stand here",
            Self::UnknownAttribute(name) => return write!(f, "the attribute '{name}' may not stand here"),
            Self::UnknownResource => "not a resource type of FHIR R4",
            Self::UnknownElement(of, name) if name.is_empty() => return write!(f, "{of} has no such element"),
            Self::UnknownElement(of, name) => return write!(f, "{of} has no element '{name}'"),
            Self::OutOfOrder(before) => return write!(f, "out of order: this element stands before {before}"),
            Self::Repeated => "this element does not repeat: found a second one",
            Self::MissingValue => "the value is missing: expected the attribute value, or an extension",
            Self::EmptyAttribute => "an attribute is not empty",
            Self::EmptyElement => "an element is not empty",
            Self::OneResource => "expected one resource inside",
            Self::NotADiv => "narrative is one <div> of the namespace http://www.w3.org/1999/xhtml",
        })
    }
}

impl fmt::Display for XmlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if let Some(expression) = &self.expression {
            write!(f, "{expression}: ")?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for XmlError {}
