//! The body of a request, closed until someone may be here (invariant 3).
//!
//! INVARIANT: [`Unread::read`] is the only road to a body's bytes, and it takes the [`Permit`] that
//! `policy` made for a `Caller`. Type and length are checked before the first byte is taken (rows
//! F65, F57).

use crate::{
    failure::Failure,
    limits,
    wire::{BodyEnd, MediaType, Request},
};
use bytes::{Bytes, BytesMut};
use fhir::json::{Tree, Value};
use http_body::Body;
use policy::Permit;
use std::{future::poll_fn, pin::pin};

/// What an interaction reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expects {
    /// Nothing; a body that is there anyway stays unread.
    Nothing,
    /// One resource.
    Resource,
    /// A patch: JSON Patch, or a Parameters resource.
    Patch,
    /// A batch or transaction.
    Bundle,
    /// A search form, or nothing.
    Form,
    /// A Parameters resource, or nothing.
    Parameters,
    /// A resource or Parameters to be looked at, in JSON or XML, or nothing.
    Checked,
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing.
    Nothing,
    /// JSON that the guarded reader took.
    Json(Tree),
    /// JSON Patch.
    JsonPatch(Tree),
    /// XML, not read yet: what is wrong with it is the answer.
    Xml(Bytes),
    /// A form, still encoded.
    Form(String),
}

impl Content {
    /// The resource of a bundle's entry: its bytes came in under the bundle's permit already.
    pub(crate) fn of_entry(resource: Option<Value<'_>>) -> Self {
        resource.map_or(Self::Nothing, |resource| Self::Json(resource.to_tree()))
    }

    /// How much there is to look at.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Json(tree) | Self::JsonPatch(tree) => tree.bytes().len(),
            Self::Xml(bytes) => bytes.len(),
            Self::Form(form) => form.len(),
        }
    }

    /// The JSON; an interaction that takes a resource is never given anything else.
    pub(crate) fn into_json(self) -> Result<Tree, Failure> {
        match self {
            Self::Json(tree) => Ok(tree),
            Self::Nothing | Self::JsonPatch(_) | Self::Xml(_) | Self::Form(_) => Err(Failure::MediaType),
        }
    }
}

/// A body nobody has looked at.
pub(crate) struct Unread<B>(B);

impl<B> Unread<B> {
    pub(crate) fn new(body: B) -> Self {
        Self(body)
    }
}

impl<B: Body<Data = Bytes, Error: Into<BodyEnd>>> Unread<B> {
    /// Reads and parses what the permitted interaction expects.
    pub(crate) async fn read(self, permit: &Permit, expects: Expects, head: &Request) -> Result<Content, Failure> {
        let empty = self.0.is_end_stream() || head.content_length() == Some(0);
        let (media_type, bytes_max) = match expects {
            Expects::Nothing => return Ok(Content::Nothing),
            Expects::Form | Expects::Parameters | Expects::Checked if empty => return Ok(Content::Nothing),
            Expects::Checked if head.media_type() == MediaType::Xml => (MediaType::Xml, limits::RESOURCE_BYTES_MAX),
            Expects::Patch if head.media_type() == MediaType::JsonPatch => {
                (MediaType::JsonPatch, limits::RESOURCE_BYTES_MAX)
            }
            Expects::Parameters | Expects::Checked | Expects::Patch => (MediaType::Json, limits::RESOURCE_BYTES_MAX),
            Expects::Form => (MediaType::Form, limits::FORM_BYTES_MAX),
            Expects::Resource => (MediaType::Json, limits::RESOURCE_BYTES_MAX),
            Expects::Bundle => (MediaType::Json, limits::BUNDLE_BYTES_MAX),
        };
        if head.media_type() != media_type {
            return Err(Failure::MediaType);
        }
        if head.content_length().is_some_and(|length| length > bytes_max as u64) {
            return Err(Failure::TooLong(bytes_max));
        }
        let bytes = self.collect(permit, bytes_max, head).await?;
        match media_type {
            MediaType::Form => String::from_utf8(bytes.into()).map(Content::Form).map_err(|_| Failure::MediaType),
            MediaType::Xml => Ok(Content::Xml(bytes)),
            MediaType::JsonPatch => Ok(Content::JsonPatch(Tree::parse(bytes)?)),
            MediaType::Json | MediaType::Absent | MediaType::Other => Ok(Content::Json(Tree::parse(bytes)?)),
        }
    }

    /// The bytes. A body that comes in one piece is not copied.
    async fn collect(self, _may: &Permit, bytes_max: usize, head: &Request) -> Result<Bytes, Failure> {
        let mut body = pin!(self.0);
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
            let frame = frame.map_err(Into::into)?;
            let Ok(data) = frame.into_data() else { continue };
            if first.len() + whole.len() + data.len() > bytes_max {
                return Err(Failure::TooLong(bytes_max));
            }
            if first.is_empty() && whole.is_empty() {
                first = data;
                continue;
            }
            if !first.is_empty() {
                let declared = head.content_length().and_then(|length| usize::try_from(length).ok());
                whole.reserve(declared.unwrap_or_default().clamp(first.len() + data.len(), bytes_max));
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    }
}
