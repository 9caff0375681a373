//! A compiled profile: nodes beside the elements of the schema, holding only what the base does not say.

use super::discriminator::Test;
use super::fixed::Values;
use crate::invariant::Invariant;
use fhir::schema::{BindingStrength, ElementDefinition, Profile, TypeDefinition};
use smallvec::SmallVec;
use terminology::ValueSetHandle;

/// A compiled profile.
#[derive(Debug)]
pub(crate) struct Shape {
    /// `URL|version`, for messages.
    pub(crate) name: String,
    /// The first is the root.
    pub(crate) nodes: Vec<Node>,
    /// URLs that an extension of this definition carries: what the definition fixes, then its canonical.
    pub(crate) urls: Vec<String>,
}

/// What a profile says of one element, or of one slice.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// `Observation.category:us-core.coding`.
    pub(crate) id: String,
    pub(crate) min: u32,
    /// `u32::MAX`: any number.
    pub(crate) max: u32,
    /// Types it may have; empty: those of the base.
    pub(crate) types: Vec<TypeRule>,
    pub(crate) values: Option<Box<Values>>,
    pub(crate) binding: Option<Bound>,
    /// It has a binding that stands in the place of the base's, checked here or by its slicing.
    pub(crate) is_bound: bool,
    pub(crate) invariants: Vec<Invariant>,
    pub(crate) slicing: Option<Box<Slicing>>,
    /// Children: their names and nodes.
    pub(crate) children: Vec<(&'static str, u32)>,
    /// The same by the positions of the elements of one type.
    pub(crate) by_element: Option<(usize, Box<[u32]>)>,
    /// Children and slices that must be there, which the base does not ask for.
    pub(crate) needs: Vec<Need>,
}

/// No node.
pub(crate) const NONE: u32 = u32::MAX;

/// A child (or a slice of a child) that must be there.
#[derive(Debug)]
pub(crate) struct Need {
    /// The name of the element.
    pub(crate) name: &'static str,
    pub(crate) node: u32,
}

/// A type with what narrows it.
#[derive(Debug)]
pub(crate) struct TypeRule {
    pub(crate) code: &'static str,
    /// The element meets one of these; those of R4's own types are left away.
    pub(crate) profiles: Vec<ProfileRef>,
    /// Targets of a reference; empty: any.
    pub(crate) targets: Vec<Target>,
    /// `contained`, `referenced`, `bundled`; empty: any way.
    pub(crate) aggregation: Vec<&'static str>,
    /// `either`, `independent`, `specific`; empty: unsaid.
    pub(crate) versioning: &'static str,
}

/// A profile that is named; `profile` is none when it is not loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProfileRef {
    pub(crate) canonical: &'static str,
    pub(crate) profile: Option<&'static Profile>,
}

/// What a reference may point at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// A type of R4, by name.
    Type(&'static str),
    /// A profile.
    Profile(ProfileRef),
}

/// A binding with its value set found.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) strength: BindingStrength,
    pub(crate) canonical: &'static str,
    /// `None`: the value set is not loaded.
    pub(crate) set: Option<ValueSetHandle>,
}

/// How repeats are told apart.
#[derive(Debug)]
pub(crate) struct Slicing {
    pub(crate) rules: SlicingRules,
    pub(crate) is_ordered: bool,
    pub(crate) slices: Vec<Slice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlicingRules {
    Open,
    Closed,
    OpenAtEnd,
}

#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) node: u32,
    pub(crate) name: &'static str,
    /// All must hold; none at all: the profile does not say how to tell it.
    pub(crate) tests: Vec<Test>,
}

/// A node of a profile that applies to the element at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Active<'t> {
    pub(crate) shape: &'t Shape,
    pub(crate) at: u32,
}

/// The nodes that apply to the element at hand: one or two of each profile.
pub(crate) type ActiveSet<'t> = SmallVec<[Active<'t>; 6]>;

impl<'t> Active<'t> {
    pub(crate) fn root(shape: &'t Shape) -> Self {
        Self { shape, at: 0 }
    }

    pub(crate) fn node(self) -> &'t Node {
        static EMPTY: std::sync::LazyLock<Node> = std::sync::LazyLock::new(Node::default);
        self.shape.nodes.get(self.at as usize).unwrap_or(&EMPTY)
    }

    pub(crate) fn at(self, node: u32) -> Self {
        Self { at: node, ..self }
    }

    /// The node of a child element.
    pub(crate) fn child(self, owner: &TypeDefinition, element: &ElementDefinition) -> Option<Self> {
        let node = self.node();
        if let Some((of, nodes)) = &node.by_element
            && *of == owner.index
        {
            return nodes.get(element.index).filter(|at| **at != NONE).map(|at| self.at(*at));
        }
        node.children.iter().find(|(name, _)| *name == element.name).map(|(_, at)| self.at(*at))
    }

    pub(crate) fn is(self, other: Self) -> bool {
        self.at == other.at && std::ptr::eq(self.shape, other.shape)
    }

    /// The profile in words: its canonical with version.
    pub(crate) fn profile(self) -> &'t str {
        &self.shape.name
    }

    /// The element in words, with slices: `Observation.category:us-core`.
    pub(crate) fn id(self) -> &'t str {
        &self.node().id
    }
}
