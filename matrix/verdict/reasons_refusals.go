package verdict

import (
	"fmt"
	"net/http"

	"refmatrix/matrix"
)

const otherOrigin = "Where the registry redirects the question to another origin, name that registry in the inventory: credentials do not follow."

// refusalReasons judge answers that mean the same at the manifest, the token
// endpoint and the referrers endpoint.
var refusalReasons = []reason{
	{
		name:       matrix.CredentialsRefused,
		outcome:    broken,
		confidence: unmeasured,
		observed:   "401, or a refusal of the token service, and GET /v2/ refuses the same account too, or two repositories if that is public; or a refusal that says the credential is expired or invalid",
		when: func(o *Observation) bool {
			a := o.decisive()
			refused := a.Account == AccountRefused && (a.Status == http.StatusUnauthorized || a.Token)
			return refused || credentialExpired(a)
		},
		detail: func(o *shown) string {
			if o.cause != nil {
				return refusalText(o, o.cause.text)
			}
			return fmt.Sprintf("%s from %s: the registry refuses the account itself and not only for this repository, so it is not sent again.",
				answerText(o.decisive()), o.endpoint())
		},
		meaning: "The registry refuses the account itself: the password or token is wrong, expired or locked.",
		remedies: []string{
			"Correct the account where it comes from (credentials in the row): auth: in the inventory, or docker login for the docker config.",
			"If it is right, ask whether the account is locked or expired: a wrong password is sent at most twice in a scan.",
		},
		source: "RFC 9110 section 15.5.2; docker login",
	},
	{
		name:       matrix.Forbidden,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "403; 400 with DENIED; or 401 for an account that GET /v2/ or another request accepted",
		when: func(o *Observation) bool {
			a := o.decisive()
			denied := a.Status == http.StatusForbidden && !isFirewall(o) || a.Status == http.StatusBadRequest && a.HasCode("DENIED")
			return denied || a.Account == AccountAccepted && accountDenied(o)
		},
		detail: func(o *shown) string {
			if o.cause == nil && o.decisive().Account == AccountAccepted {
				return fmt.Sprintf("%s from %s: the registry accepts the account, but not for this repository: it is absent, or the account lacks the permission.",
					answerText(o.decisive()), o.endpoint())
			}
			if o.decisive().Account == AccountUnsent {
				return refused(o, "no credentials were sent, because "+unsentBecause(o))
			}
			return refused(o, "the account lacks the permission")
		},
		meaning: "The account is known but lacks the permission, or the repository is absent.",
		remedies: []string{
			"Give the account pull permission on the repository.",
			"Check the spelling: Docker Hub, Harbor, Quay and others answer 401, never 404, for a repository that is absent or private.",
			otherOrigin,
		},
		source: "RFC 9110 section 15.5.4; " + errorTerm,
	},
	{
		name:       matrix.Unauthorized,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "401, or 400 with UNAUTHORIZED, and no credentials were sent, or it is not known whether the registry accepts the account",
		when: func(o *Observation) bool {
			a := o.decisive()
			return accountDenied(o) || a.Status == http.StatusBadRequest && a.HasCode("UNAUTHORIZED")
		},
		detail: func(s *shown) string {
			if s.decisive().Account == AccountUnsent {
				return fmt.Sprintf("no credentials were sent: %s; %s from %s.", unsentBecause(s), answerText(s.decisive()), s.origin())
			}
			return refused(s, "whether the registry accepts the account at all is not known")
		},
		meaning: "The registry wants credentials, and none were sent; or it refused them without showing whether they are good.",
		remedies: []string{
			"Give the inventory entry credentials (auth:), or sign in with docker login so that the docker config has them.",
			"Check the spelling: Docker Hub and others answer 401 insufficient_scope, never 404, for a repository that is absent or private.",
			otherOrigin,
		},
		source: "RFC 9110 section 15.5.2; " + errorTerm,
	},
	{
		name:       matrix.RateLimited,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "429, also after the retries",
		when:       statusIs(http.StatusTooManyRequests),
		detail: func(s *shown) string {
			a := s.decisive()
			wait := ""
			if a.RetryAfter > 0 {
				wait = fmt.Sprintf(", which asks to wait %s", a.RetryAfter)
			}
			return fmt.Sprintf("HTTP 429 from %s%s.", s.endpoint(), wait)
		},
		meaning: "The registry asked to come back later, more often than the retries allow.",
		remedies: []string{
			"Lower rate: for this registry, or scan it later.",
			"Sign in: accounts have higher limits than anonymous requests.",
		},
		source: "RFC 6585 section 4; RFC 9110 section 10.2.3",
	},
	{
		name:       matrix.ServerError,
		outcome:    broken,
		confidence: unmeasured,
		observed:   "5xx (not 501); 502, 503 and 504 also after the retries",
		when:       func(o *Observation) bool { return IsServerError(o.decisive().Status) },
		detail: func(s *shown) string {
			if s.cause != nil {
				return refusalText(s, s.cause.text)
			}
			return fmt.Sprintf("%s from %s.", answerText(s.decisive()), s.endpoint())
		},
		meaning: "The registry or a proxy before it broke while answering.",
		remedies: []string{
			"Look into the registry's own log for this request, then scan again.",
		},
		source: "RFC 9110 section 15.6",
	},
}

// accountDenied reports whether a 401, or a 400 of the token service, is about the
// account. Without a challenge at
// the referrers endpoint it is a refusal of the endpoint: the same credentials just
// read the manifest. Where a redirect led to another origin, the credentials were
// not sent.
func accountDenied(o *Observation) bool {
	a := o.decisive()
	ofAccount := a.Challenge || a.Token || !o.resolved() || o.Referrers.Elsewhere != ""
	return a.Status == http.StatusUnauthorized && ofAccount || a.Status == http.StatusBadRequest && a.Token
}

// unsentBecause returns why a request was not signed, a clause.
func unsentBecause(s *shown) string {
	a := s.decisive()
	switch credentials := s.Credentials; {
	case s.resolved() && s.Referrers.Elsewhere != "":
		return "the registry redirects the question to another origin, and they stay at its own"
	case credentials.Source == "anonymous":
		return "the inventory says anonymous: true"
	case credentials.Source == "none":
		return "none were found in " + credentials.Looked
	case !a.Challenge && !a.Token:
		return "the answer has no challenge that shows how to sign in"
	}
	return "what was found cannot answer the registry's challenge"
}

// origin names where the decisive answer came from, for sentences.
func (s *shown) origin() string {
	if s.resolved() && s.Referrers.Elsewhere != "" {
		return s.Referrers.Elsewhere
	}
	return s.endpoint()
}

// refused returns the detail of a refusal of the account: why, unless the cause is known.
func refused(s *shown, why string) string {
	if s.cause != nil {
		why = s.cause.text
	}
	return refusalText(s, why)
}

// refusalText returns the detail of a refusal. One of another origin, to which no credentials
// were sent, is not about the account.
func refusalText(s *shown, because string) string {
	if s.resolved() && s.Referrers.Elsewhere != "" {
		return fmt.Sprintf("%s from %s, to which the registry redirects the question: "+
			"credentials are not sent to another origin, so its answer is not known.",
			answerText(s.decisive()), s.Referrers.Elsewhere)
	}
	return fmt.Sprintf("%s from %s: %s.", answerText(s.decisive()), s.endpoint(), because)
}
