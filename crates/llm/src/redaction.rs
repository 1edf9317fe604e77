//! A provider who tells none of our secrets, and nothing of itself that is not plain.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::StreamExt;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    BedrockCredentials, ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, LlmConfig,
    LlmError, LlmProvider, ProviderName, ServiceTier, is_model_name,
};

/// Stands in a secret's place.
const MASK: &str = "***";

/// Bytes of a secret's beginning that are masked also where the rest is missing: messages are
/// shortened, and the cut may go through a key. Fewer would hide ordinary words.
const RECOGNISED: usize = 8;

/// Most characters of an id or a reason; the longest known ones have about 60.
const MAX_WORD: usize = 128;

/// Every secret of the settings.
#[derive(Clone, Default)]
pub struct Secrets(Arc<[SecretString]>);

impl Secrets {
    /// Those of all providers: a server may be sent, or know, another one's.
    #[must_use]
    pub fn of(config: &LlmConfig) -> Self {
        let keys = [config.claude.key.as_ref(), config.openai.key.as_ref()];
        let amazon = match &config.bedrock.credentials {
            Some(BedrockCredentials::Bearer(key)) => [Some(key), None, None],
            Some(BedrockCredentials::AccessKey {
                id,
                secret,
                session_token,
            }) => [Some(id), Some(secret), session_token.as_ref()],
            None => [None; 3],
        };
        let all = keys.into_iter().chain(amazon).flatten();
        let real = all.filter(|secret| !secret.expose_secret().is_empty());
        Self(real.cloned().collect())
    }

    /// The error without them: a server may repeat in its reply what it was sent.
    pub(crate) fn redact(&self, mut error: LlmError) -> LlmError {
        for text in error.foreign_texts().into_iter().flatten() {
            *text = self.mask(text);
        }
        error
    }

    /// The event with plain words only; `asked` is the model that was asked.
    fn plain_event(&self, mut event: ChatEvent, asked: &str) -> ChatEvent {
        match &mut event {
            ChatEvent::Started {
                model,
                response_id,
                request_id,
                ..
            } => {
                self.plain_model(model, asked);
                self.plain_words([response_id, request_id]);
            }
            ChatEvent::Finished(response) => self.plain_response(response, asked),
            ChatEvent::Delta(_) => {}
        }
        event
    }

    /// Its text stays as it is: that is what the caller has asked for.
    fn plain_response(&self, response: &mut ChatResponse, asked: &str) {
        self.plain_model(&mut response.model, asked);
        self.plain_words([
            &mut response.response_id,
            &mut response.request_id,
            &mut response.finish_reason,
        ]);
    }

    /// What is no model's name is not one that answers: the price, the rows and the spans are then
    /// of the one that was asked.
    fn plain_model(&self, model: &mut String, asked: &str) {
        if !is_model_name(model) || self.mask(model) != *model {
            asked.clone_into(model);
        }
    }

    /// Ids and reasons are a few visible ASCII characters.
    fn plain_words<const N: usize>(&self, words: [&mut Option<String>; N]) {
        for word in words.into_iter().flatten() {
            let masked = self.mask(word);
            let plain = masked.chars().filter(char::is_ascii_graphic);
            *word = plain.take(MAX_WORD).collect();
        }
    }

    pub(crate) fn mask(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let hidden = self.at_beginning_of(rest);
            if hidden > 0 {
                masked.push_str(MASK);
            } else {
                masked.push(next);
            }
            rest = rest.get(hidden.max(next.len_utf8())..).unwrap_or_default();
        }
        masked
    }

    /// Bytes of the longest secret, or beginning of one, that the text begins with.
    fn at_beginning_of(&self, text: &str) -> usize {
        let shared = |secret: &SecretString| {
            let secret = secret.expose_secret();
            let pairs = secret.chars().zip(text.chars());
            let same = pairs.take_while(|(one, other)| one == other);
            let length = same.map(|(one, _)| one.len_utf8()).sum();
            let is_told = length == secret.len() || length >= RECOGNISED;
            if is_told { length } else { 0 }
        };
        self.0.iter().map(shared).max().unwrap_or(0)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} secrets", self.0.len())
    }
}

/// A provider in whose errors and answers no secret stands, whatever its server says, and whose
/// names, ids and reasons are short and plain. Stands right around the vendor's client, so that
/// nothing behind it, no span, log line, row or reply, can tell more. The text of an answer is not
/// touched.
pub struct Redacted {
    inner: Arc<dyn LlmProvider>,
    secrets: Secrets,
}

impl Redacted {
    /// Takes `secrets` out of what `inner` says.
    pub fn new(inner: Arc<dyn LlmProvider>, secrets: Secrets) -> Self {
        Self { inner, secrets }
    }

    fn asked<'a>(&'a self, request: &'a ChatRequest) -> &'a str {
        request.model.as_deref().unwrap_or(self.inner.model())
    }
}

#[async_trait]
impl LlmProvider for Redacted {
    fn name(&self) -> ProviderName {
        self.inner.name()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn endpoint(&self) -> &Endpoint {
        self.inner.endpoint()
    }

    fn service_tier(&self) -> ServiceTier {
        self.inner.service_tier()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let answered = self.inner.complete(request).await;
        let mut response = answered.map_err(|error| self.secrets.redact(error))?;
        let asked = self.asked(request);
        self.secrets.plain_response(&mut response, asked);
        Ok(response)
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let opened = self.inner.stream(request).await;
        let events = opened.map_err(|error| self.secrets.redact(error))?;
        let (secrets, asked) = (self.secrets.clone(), self.asked(request).to_owned());
        let plain = events.map(move |item| match item {
            Ok(event) => Ok(secrets.plain_event(event, &asked)),
            Err(error) => Err(secrets.redact(error)),
        });
        Ok(plain.boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_also_where_it_is_cut() {
        let secrets = ["sk-ant-0123456789", "sk-ant-0123", "ключ", "a+b(c)/d=="];
        let secrets = Secrets(secrets.into_iter().map(SecretString::from).collect());
        for (text, expected) in [
            ("", ""),
            ("wrong key", "wrong key"),
            ("key sk-ant-0123456789 is wrong", "key *** is wrong"),
            ("sk-ant-0123456789sk-ant-0123456789", "******"),
            ("key sk-ant-01234", "key ***"),
            ("keys begin with sk-ant-", "keys begin with sk-ant-"),
            (
                "keys begin with sk-ant-0 or so",
                "keys begin with *** or so",
            ),
            ("ключ (ключи)", "*** (***и)"),
            ("Bearer a+b(c)/d==, a+b", "Bearer ***, a+b"),
        ] {
            assert_eq!(secrets.mask(text), expected);
        }
        assert!(!format!("{secrets:?}").contains("sk-ant"));
        assert_eq!(Secrets::default().mask("sk-ant"), "sk-ant");
    }
}
