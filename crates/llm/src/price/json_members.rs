//! A JSON object as it was written: its members in their order, their values as they are.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The members of one object.
pub(super) struct Members<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

enum Value<'a> {
    Given(&'a RawValue),
    Number(Option<i64>),
}

impl<'a> Members<'a> {
    /// With this member in the place of the first one of the same name, else as the last. Further
    /// ones of that name go: of two equal names most readers believe the last.
    pub(super) fn with(mut self, name: &'static str, number: Option<i64>) -> Self {
        let named = |member: &(Cow<'a, str>, Value<'a>)| member.0 == name;
        let place = self.members.iter().position(named);
        self.members.retain(|member| !named(member));
        let place = place.unwrap_or(self.members.len());
        self.members
            .insert(place, (name.into(), Value::Number(number)));
        self
    }

    /// Writes the object and the end of its line.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"{")?;
        for (index, (name, value)) in self.members.iter().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            serde_json::to_writer(&mut *out, name)?;
            out.write_all(b":")?;
            match value {
                Value::Given(text) => out.write_all(text.get().as_bytes())?,
                Value::Number(Some(number)) => write!(out, "{number}")?,
                Value::Number(None) => out.write_all(b"null")?,
            }
        }
        out.write_all(b"}\n")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(map.size_hint().unwrap_or(12));
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, Value::Given(map.next_value()?)));
        }
        Ok(Members { members })
    }
}

/// A name, borrowed from the line unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
