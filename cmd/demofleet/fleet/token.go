package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	tokenIssuer  = "demofleet"
	tokenService = "demofleet-registry"
	tokenLife    = 5 * time.Minute
)

// tokenAuth puts a token server at /token of the registry's own origin, which
// is the only place on loopback that a careful client sends credentials to.
// Its key is made at start.
func tokenAuth(f *Fleet, r *Registry) (configuration.Auth, func(http.Handler) http.Handler, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	public := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "demo", Algorithm: string(jose.ES256), Use: "sig"}}}
	encoded, err := json.Marshal(public)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(f.dir, "token-jwks.json")
	if err := os.WriteFile(path, encoded, 0o600); err != nil {
		return nil, nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "demo"}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, nil, err
	}
	r.Username, r.Password = Username, Password
	section := configuration.Auth{"token": {
		"realm": r.URL + "/token", "service": tokenService, "issuer": tokenIssuer, "jwks": path, "rootcertbundle": "",
	}}
	tokens := &tokenServer{signer: signer}
	return section, func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/token", tokens)
		mux.Handle("/", next)
		return mux
	}, nil
}

// tokenServer grants whatever scope is asked for to whoever knows the
// password (distribution, "Token Authentication Specification").
type tokenServer struct{ signer jose.Signer }

func (t *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	if !ok || user != Username || password != Password {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"errors":[{"code":"UNAUTHORIZED","message":"wrong username or password"}]}`))
		return
	}
	now := time.Now()
	claims := token.ClaimSet{
		Issuer: tokenIssuer, Subject: user, Audience: token.AudienceList{r.URL.Query().Get("service")},
		Expiration: now.Add(tokenLife).Unix(), NotBefore: now.Add(-time.Minute).Unix(), IssuedAt: now.Unix(), JWTID: rand.Text(),
		Access: granted(r.URL.Query()["scope"]),
	}
	raw, err := jwt.Signed(t.signer).Claims(claims).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": raw, "expires_in": int(tokenLife.Seconds())})
}

// granted turns scopes, "repository:name:pull,push", into access claims.
func granted(scopes []string) []*token.ResourceActions {
	access := []*token.ResourceActions{}
	for _, scope := range strings.Fields(strings.Join(scopes, " ")) {
		kind, rest, _ := strings.Cut(scope, ":")
		colon := strings.LastIndexByte(rest, ':')
		if colon < 0 {
			continue
		}
		access = append(access, &token.ResourceActions{Type: kind, Name: rest[:colon], Actions: strings.Split(rest[colon+1:], ",")})
	}
	return access
}
