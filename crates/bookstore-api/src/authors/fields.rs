//! The fields of an author that clients set.

use domain::{Author, AuthorId, Biography, Name, Nationality, Version, Website};
use jiff::Timestamp;
use service_defaults::problem::FieldError;
use utoipa::ToSchema;

use super::AuthorBody;
use crate::{fields::Fields, resource::Resource};

/// All fields of an author that clients set.
pub(crate) struct AuthorDraft {
    name: Name,
    bio: Biography,
    birth_date: Option<Timestamp>,
    nationality: Nationality,
    website: Website,
}

/// Changes of some fields; `None` leaves a field as it is.
pub(crate) struct AuthorPatch {
    name: Option<Name>,
    bio: Option<Biography>,
    birth_date: Option<Option<Timestamp>>,
    nationality: Option<Nationality>,
    website: Option<Website>,
}

/// Any of the fields that clients set; `null` gives a field its default.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is read field by field")]
#[schema(as = AuthorPatch, rename_all = "camelCase")]
pub(crate) struct AuthorPatchBody {
    name: Option<String>,
    bio: Option<String>,
    #[schema(format = DateTime)]
    birth_date: Option<String>,
    nationality: Option<String>,
    website: Option<String>,
}

impl Resource for Author {
    type Draft = AuthorDraft;
    type Patch = AuthorPatch;
    type Body<'a> = AuthorBody<'a>;

    const PATCHABLE: &'static [&'static str] = &[
        "name",
        "bio",
        "biography",
        "birthDate",
        "nationality",
        "website",
    ];
    const PATH: &'static str = "/api/v1/authors";
    const SINGULAR: &'static str = "author";
    const PLURAL: &'static str = "authors";

    fn id_of(bytes: [u8; 12]) -> AuthorId {
        AuthorId::from_bytes(bytes)
    }

    fn parse_id(text: &str) -> Option<AuthorId> {
        text.parse().ok()
    }

    fn read_draft(mut fields: Fields<'_>) -> Result<AuthorDraft, Vec<FieldError>> {
        let name = fields.text("name", Name::parse);
        let bio = fields.text(bio_name(&fields), Biography::parse);
        let birth_date = fields.instant("birthDate");
        let nationality = fields.text("nationality", Nationality::parse);
        let website = fields.text("website", Website::parse);
        let draft = (|| {
            Some(AuthorDraft {
                name: name?,
                bio: bio?,
                birth_date,
                nationality: nationality?,
                website: website?,
            })
        })();
        fields.finish(draft)
    }

    fn read_patch(mut fields: Fields<'_>) -> Result<AuthorPatch, Vec<FieldError>> {
        let birth_date = fields.has("birthDate").then(|| fields.instant("birthDate"));
        let patch = AuthorPatch {
            name: fields.changed_text("name", Name::parse),
            bio: fields.changed_text(bio_name(&fields), Biography::parse),
            birth_date,
            nationality: fields.changed_text("nationality", Nationality::parse),
            website: fields.changed_text("website", Website::parse),
        };
        fields.finish(Some(patch))
    }

    fn create(draft: AuthorDraft, id: AuthorId, now: Timestamp) -> Self {
        Self {
            id,
            name: draft.name,
            bio: draft.bio,
            birth_date: draft.birth_date,
            nationality: draft.nationality,
            website: draft.website,
            created_at: now,
            updated_at: now,
            version: Version::FIRST,
        }
    }

    fn replaced(&self, draft: &AuthorDraft, now: Timestamp) -> Self {
        Self {
            id: self.id,
            name: draft.name.clone(),
            bio: draft.bio.clone(),
            birth_date: draft.birth_date,
            nationality: draft.nationality.clone(),
            website: draft.website.clone(),
            created_at: self.created_at,
            updated_at: now,
            version: self.version.next(),
        }
    }

    fn patched(&self, patch: &AuthorPatch, now: Timestamp) -> Self {
        Self {
            id: self.id,
            name: patch.name.as_ref().unwrap_or(&self.name).clone(),
            bio: patch.bio.as_ref().unwrap_or(&self.bio).clone(),
            birth_date: patch.birth_date.unwrap_or(self.birth_date),
            nationality: patch
                .nationality
                .as_ref()
                .unwrap_or(&self.nationality)
                .clone(),
            website: patch.website.as_ref().unwrap_or(&self.website).clone(),
            created_at: self.created_at,
            updated_at: now,
            version: self.version.next(),
        }
    }

    fn body(&self, _warnings: bool) -> AuthorBody<'_> {
        AuthorBody::new(self)
    }
}

/// Old clients send `biography`; `bio` goes before it.
fn bio_name(fields: &Fields<'_>) -> &'static str {
    if fields.has("bio") || !fields.has("biography") {
        "bio"
    } else {
        "biography"
    }
}
