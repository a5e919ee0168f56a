package probe_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"gopkg.in/yaml.v3"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

// profile is one entry of testdata/wire.yaml.
type profile struct {
	Name      string
	Product   string
	Source    string
	Image     string
	Depth     probe.Depth
	Account   string // user:password; left out: anonymous
	Bearer    string
	Bearers   []string
	Version   answers // GET /v2/
	Head      answers
	Get       answers
	Referrers answers
	Token     answers
	Other     answers
	Tag       answers
	Filtered  answers // referrers with ?artifactType=; left out: as referrers
	Page      answers // referrers with ?page=
	Absent    answers // referrers of a digest that cannot exist
	Malformed answers // referrers of a digest that is none
	HeadList  answers `yaml:"headList"` // HEAD of the referrers
	Cosign    answers // .sig, then .att, then .sbom
	WellKnown answers `yaml:"wellKnown"`
	Expect    struct {
		Reason     matrix.Reason
		Severity   matrix.Severity
		Referrers  matrix.Support
		Strategy   matrix.Strategy
		Confidence matrix.Confidence
		Status     int
		Requests   int
		Detail     string
		Message    string
		Remedy     string // part of the first
		Finding    string
		End        string // status and kind of body at the end of a redirect chain, or "none"
		Others     int    // requests to the second host
		Bytes      int64  // of the list
		Sized      *bool  // it came with Content-Length
		Tag        matrix.TagState
		Compared   string // "only by the tag/only by the API", "no" where the two were not compared
		Product    string
		Version    string

		Capabilities map[string]any // those that have to be so; null: not there
	}
}

// answer is what a step puts on the wire.
type answer struct {
	Status  int
	Type    string
	Headers map[string]string
	Body    string
	Gzip    bool // the body is packed
	Cut     bool // the connection ends instead
}

// answers are one or several, the last repeated.
type answers []answer

func (a *answers) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]answer)(a))
	}
	var one answer
	err := n.Decode(&one)
	*a = answers{one}
	return err
}

const manifestBytes = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`

var manifestDigest = digest.FromString(manifestBytes).String()

// twoTypes are the descriptors of an SBOM and a signature.
const twoTypes = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":1,"artifactType":"application/spdx+json"},` +
	`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:2222222222222222222222222222222222222222222222222222222222222222","size":1,"artifactType":"application/vnd.dev.cosign.artifact.sig.v1+json"}`

// manyTypes are 250 descriptors, more than a row keeps of a tag.
var manyTypes = func() string {
	var all []string
	for i := range 250 {
		all = append(all, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%064d","size":1,"artifactType":"application/spdx+json"}`, i))
	}
	return strings.Join(all, ",")
}()

// huge is more descriptors than are read of one answer.
var huge = strings.Repeat(manyTypes+",", registry.MaxIndex/len(manyTypes)) + manyTypes

// stage serves a profile.
type stage struct {
	profile
	origin, other string
	manifest      string // of the image

	mu       sync.Mutex
	asked    map[string]int
	accepted map[string][]string // the Accept lines of each request, by method and path
	total    int
}

func (s *stage) fill(text string) string {
	return strings.NewReplacer("{digest}", digest.FromString(s.manifest).String(), "{manifest}", s.manifest, "{types}", twoTypes, "{many}", manyTypes, "{huge}", huge, "{origin}", s.origin, "{other}", s.other).Replace(text)
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.total++
	s.accepted[r.Method+" "+r.URL.Path] = r.Header.Values("Accept")
	s.mu.Unlock()
	challenges := s.Bearers
	if s.Bearer != "" {
		challenges = []string{s.Bearer}
	}
	api := strings.Contains(r.URL.Path, "/manifests/") || strings.Contains(r.URL.Path, "/referrers/")
	switch {
	case r.URL.Path == "/v2/":
		s.send(w, "version", s.Version, answer{Type: "application/json", Body: "{}"})
	case r.URL.Path == "/api/v1/version", r.URL.Path == "/v2/_zot/ext/mgmt":
		s.send(w, "well-known", s.WellKnown, answer{Status: 404})
	case !api:
		s.send(w, "token", s.Token, answer{Status: 404})
	case challenges != nil && r.Header.Get("Authorization") != "Bearer secret-token":
		for _, challenge := range challenges {
			w.Header().Add("WWW-Authenticate", s.fill(challenge))
		}
		w.WriteHeader(http.StatusUnauthorized)
	case strings.Contains(r.URL.Path, "/referrers/"):
		s.list(w, r)
	case r.Method == http.MethodHead && len(s.Head) > 0 && s.Head[0].Status >= 400:
		s.send(w, "head", s.Head, answer{})
	case strings.HasSuffix(r.URL.Path, ".sig"), strings.HasSuffix(r.URL.Path, ".att"), strings.HasSuffix(r.URL.Path, ".sbom"):
		s.send(w, "cosign", s.Cosign, answer{Status: 404})
	case strings.Contains(r.URL.Path, "/manifests/sha256-"), strings.Contains(r.URL.Path, "/manifests/sha512-"):
		s.send(w, "tag", s.Tag, answer{Status: 404})
	case r.Method == http.MethodHead:
		s.send(w, "head", s.Head, answer{Headers: map[string]string{"Docker-Content-Digest": "{digest}"}})
	default:
		s.send(w, "get", s.Get, answer{Headers: map[string]string{"Docker-Content-Digest": "{digest}"}, Body: "{manifest}"})
	}
}

// requests returns how many requests came to the registry, and to the second host.
func (s *stage) requests() (total, others int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total, s.asked["other"]
}

// list answers the referrers endpoint by what is asked of it.
func (s *stage) list(w http.ResponseWriter, r *http.Request) {
	empty := answer{Type: "index", Body: `{"schemaVersion":2,"manifests":[]}`}
	switch {
	case r.Method == http.MethodHead:
		s.send(w, "head-list", s.HeadList, answer{Type: "index"})
	case strings.Contains(r.URL.Path, "sha256:0000"):
		s.send(w, "absent", s.Absent, empty)
	case strings.HasSuffix(r.URL.Path, "malformed"):
		s.send(w, "malformed", s.Malformed, answer{Status: 400})
	case r.URL.Query().Has("page"):
		s.send(w, "page", s.Page, empty)
	case r.URL.Query().Has("artifactType") && s.Filtered != nil:
		s.send(w, "filtered", s.Filtered, empty)
	default:
		s.send(w, "referrers", s.Referrers, answer{Status: 404})
	}
}

func (s *stage) send(w http.ResponseWriter, step string, given answers, usual answer) {
	s.mu.Lock()
	n := s.asked[step]
	s.asked[step]++
	s.mu.Unlock()
	a := usual
	if len(given) > 0 {
		a = given[min(n, len(given)-1)]
	}
	if a.Cut {
		panic(http.ErrAbortHandler)
	}
	w.Header()["Content-Type"] = nil
	if a.Type == "index" {
		a.Type = matrix.IndexMediaType
	}
	if a.Type != "" {
		w.Header().Set("Content-Type", a.Type)
	}
	for key, value := range a.Headers {
		w.Header().Set(key, s.fill(value))
	}
	body := io.Writer(w)
	if a.Gzip {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		defer packed.Close()
		body = packed
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		_, _ = io.WriteString(body, s.fill(a.Body))
	}
}

// start serves p and gives a client of it.
func (p profile) start(t *testing.T) (*stage, *registry.Client) {
	t.Helper()
	s := &stage{profile: p, manifest: manifestBytes, asked: map[string]int{}, accepted: map[string][]string{}}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.send(w, "other", p.Other, answer{Status: 404})
	}))
	own := httptest.NewServer(s)
	s.origin, s.other = own.URL, other.URL
	target, err := url.Parse(own.URL)
	if err != nil {
		t.Fatal(err)
	}
	pool := registry.NewPool(registry.Options{UserAgent: "refmatrix/test"})
	t.Cleanup(func() {
		pool.Close()
		own.Close()
		other.Close()
	})
	auth := inventory.Auth{Anonymous: true}
	if user, password, ok := strings.Cut(p.Account, ":"); ok {
		auth = inventory.Auth{Username: user, Password: inventory.Secret(password)}
	}
	return s, pool.Client(inventory.Registry{
		Name: "wire", URL: target, Timeout: 5 * time.Second, Retries: 1, RetryCap: 50 * time.Millisecond,
		Concurrency: 1, Auth: auth,
	})
}

func readProfiles(t *testing.T) []profile {
	t.Helper()
	content, err := os.ReadFile("testdata/wire.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var profiles []profile
	if err := yaml.Unmarshal(content, &profiles); err != nil {
		t.Fatal(err)
	}
	return profiles
}

// TestWire puts each profile on a real socket and checks the verdict.
func TestWire(t *testing.T) {
	t.Setenv("HTTP_PROXY", "")
	for _, p := range readProfiles(t) {
		t.Run(p.Name, func(t *testing.T) {
			if p.Source == "" {
				t.Error("a profile needs its source")
			}
			s, client := p.start(t)
			if p.Image == "" {
				p.Image = "team/app:1.0"
			}
			image, err := inventory.ParseImage(p.Image)
			if err != nil {
				t.Fatal(err)
			}
			if p.Depth == "" {
				p.Depth = probe.Basic
			}
			outcome, err := probe.NewRegistry(client).Image(context.Background(), client.NewSession(), image, probe.Options{Depth: p.Depth})
			if err != nil {
				t.Fatal(err)
			}
			row := verdict.NewRow(verdict.Target{Registry: "wire"}, &outcome.Observation)
			want := p.Expect
			if row.Reason != want.Reason || row.Severity != want.Severity || row.Referrers != want.Referrers || row.Strategy != want.Strategy {
				t.Errorf("got %s %s %s %s, want %s %s %s %s\n%s", row.Reason, row.Severity, row.Referrers, row.Strategy,
					want.Reason, want.Severity, want.Referrers, want.Strategy, row.Detail)
			}
			if want.Confidence != "" && row.Confidence != want.Confidence {
				t.Errorf("confidence %s, want %s", row.Confidence, want.Confidence)
			}
			if want.Status != 0 && row.Status != want.Status {
				t.Errorf("status %d, want %d", row.Status, want.Status)
			}
			if detail := strings.ReplaceAll(want.Detail, "{other}", strings.TrimPrefix(s.other, "http://")); detail != "" && row.Detail != detail {
				t.Errorf("detail %q, want %q", row.Detail, detail)
			}
			if !strings.HasSuffix(row.Detail, ".") || strings.HasSuffix(row.Detail, "..") || strings.ContainsAny(row.Detail, "\n\r\x1b") {
				t.Errorf("detail is no sentence: %q", row.Detail)
			}
			if want.Message != "" && row.Message != want.Message {
				t.Errorf("message %q, want %q", row.Message, want.Message)
			}
			if want.Remedy != "" && (len(row.Remedy) == 0 || !strings.Contains(row.Remedy[0], want.Remedy)) {
				t.Errorf("remedies %q, want %q first", row.Remedy, want.Remedy)
			}
			requests, others := s.requests()
			if want.Requests != 0 && (requests != want.Requests || len(outcome.Exchanges) != want.Requests) {
				t.Errorf("the server saw %d requests and the row reports %d, want %d", requests, len(outcome.Exchanges), want.Requests)
			}
			if want.Tag != "" && (row.Capabilities == nil || row.Capabilities.TagSchema == nil || row.Capabilities.TagSchema.State != want.Tag) {
				t.Errorf("tag schema %+v, want %s", row.Capabilities, want.Tag)
			}
			if got := comparedWords(row); want.Compared != "" && got != want.Compared {
				t.Errorf("compared: %s, want %s", got, want.Compared)
			}
			if want.Finding != "" && !hasFinding(row, want.Finding) {
				t.Errorf("findings %+v, want %s", row.Findings, want.Finding)
			}
			if got := endOf(outcome.Observation.Referrers.End); want.End != "" && got != want.End {
				t.Errorf("the chain ends in %s, want %s", got, want.End)
			}
			if want.Others != 0 && others != want.Others {
				t.Errorf("the second host saw %d requests, want %d", others, want.Others)
			}
			list := outcome.Observation.Referrers
			if want.Bytes != 0 && list.Bytes != want.Bytes || want.Sized != nil && list.Sized != *want.Sized {
				t.Errorf("a list of %d bytes, sized %v, want %d", list.Bytes, list.Sized, want.Bytes)
			}
			checkCapabilities(t, row, want.Capabilities)
			if want.Product == "none" {
				if row.Product != nil {
					t.Errorf("product %+v, want none", row.Product)
				}
			} else if want.Product != "" && (row.Product == nil || row.Product.Name != want.Product || row.Product.Version != want.Version) {
				t.Errorf("product %+v, want %s %s", row.Product, want.Product, want.Version)
			}
		})
	}
}

// endOf names the end of a redirect chain as a profile does.
func endOf(end *verdict.RedirectEnd) string {
	if end == nil {
		return "none"
	}
	return fmt.Sprintf("%d %s", end.Status, end.Body)
}

// TestManyTypes: however long a list is, over however many pages, a row keeps
// what a report can show, and says how much more there was.
func TestManyTypes(t *testing.T) {
	t.Setenv("HTTP_PROXY", "")
	page := func(n int) answer {
		var list strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&list, `,{"digest":"sha256:%064d","artifactType":"application/%s%d"}`, n*1000+i, strings.Repeat("x", 230), n*1000+i)
		}
		a := answer{Type: "index", Body: `{"schemaVersion":2,"manifests":[` + list.String()[1:] + "]}"}
		if n < 19 {
			a.Headers = map[string]string{"Link": fmt.Sprintf(`<?page=%d>; rel="next"`, n+1)}
		}
		return a
	}
	p := profile{Referrers: answers{page(0)}}
	for n := 1; n < 20; n++ {
		p.Page = append(p.Page, page(n))
	}
	// Nothing is refined, so that the first page asked for is the first answered.
	p.Filtered = answers{{Status: 400}}
	_, client := p.start(t)
	image, err := inventory.ParseImage("team/app:1.0")
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := probe.NewRegistry(client).Image(context.Background(), client.NewSession(), image, probe.Options{Depth: probe.Full})
	if err != nil {
		t.Fatal(err)
	}
	c := outcome.Observation.Capabilities
	if *c.Descriptors != 20_000 || len(c.ArtifactTypes) != 100 || c.MoreTypes != 900 || c.Pages != 20 || c.Pagination != matrix.PageLinked {
		t.Errorf("%d descriptors on %d pages (%s), %d types and %d more", *c.Descriptors, c.Pages, c.Pagination, len(c.ArtifactTypes), c.MoreTypes)
	}
	encoded, err := json.Marshal(verdict.NewRow(verdict.Target{}, &outcome.Observation))
	if err != nil || len(encoded) > 256<<10 {
		t.Errorf("the row takes %d KiB, %v", len(encoded)>>10, err)
	}
}

// TestFilterOfLongTypes: the filter is not tried with a type that is longer than types
// are, and its descriptor is counted alone.
func TestFilterOfLongTypes(t *testing.T) {
	t.Setenv("HTTP_PROXY", "")
	list := answer{Type: "index", Body: `{"schemaVersion":2,"manifests":[{"digest":"` + manifestDigest + `"},{"digest":"` + manifestDigest + `","artifactType":"a` + strings.Repeat("x", 5000) + `"}]}`}
	p := profile{Referrers: answers{list}, Filtered: answers{{Type: "index", Body: `{"schemaVersion":2,"manifests":[]}`}}}
	_, client := p.start(t)
	image, err := inventory.ParseImage("team/app:1.0")
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := probe.NewRegistry(client).Image(context.Background(), client.NewSession(), image, probe.Options{Depth: probe.Standard})
	if err != nil {
		t.Fatal(err)
	}
	if c := outcome.Observation.Capabilities; c.Filter != matrix.FilterSilent || c.FilterType != verdict.AbsentType || c.Invalid != 1 {
		t.Errorf("the filter is %s, tried with %.100q, and %d descriptors are invalid", c.Filter, c.FilterType, c.Invalid)
	}
}

// comparedWords says how the tag schema and the API were found to agree.
func comparedWords(row matrix.Row) string {
	if row.Capabilities == nil || row.Capabilities.TagSchema == nil || !row.Capabilities.TagSchema.Compared {
		return "no"
	}
	t := row.Capabilities.TagSchema
	return fmt.Sprintf("%d/%d", t.MissingFromAPI(), t.MissingFromTag())
}

// checkCapabilities compares the capabilities named in want, as matrix.json has
// them.
func checkCapabilities(t *testing.T, row matrix.Row, want map[string]any) {
	t.Helper()
	encoded, err := json.Marshal(row.Capabilities)
	if err != nil {
		t.Fatal(err)
	}
	var have map[string]any
	if err := json.Unmarshal(encoded, &have); err != nil {
		t.Fatal(err)
	}
	for key, value := range want {
		if fmt.Sprint(have[key]) != fmt.Sprint(value) {
			t.Errorf("%s is %v, want %v", key, have[key], value)
		}
	}
}

func hasFinding(row matrix.Row, code string) bool {
	for _, f := range row.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// TestEveryReasonOnTheWire fails when a reason of the verdict table has no
// profile; what only a broken network gives is tested with the client.
func TestEveryReasonOnTheWire(t *testing.T) {
	elsewhere := map[matrix.Reason]bool{
		matrix.DNS: true, matrix.Connect: true, matrix.TLS: true, matrix.Timeout: true, matrix.Protocol: true, matrix.Credentials: true,
	}
	have := map[matrix.Reason]bool{}
	for _, p := range readProfiles(t) {
		have[p.Expect.Reason] = true
	}
	for _, reason := range declaredReasons(t) {
		if !have[reason] && !elsewhere[reason] {
			t.Errorf("no profile gives %s", reason)
		}
	}
}

// declaredReasons reads the constants of type Reason from their source, so that
// a new one cannot be forgotten here.
func declaredReasons(t *testing.T) []matrix.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "matrix", "terms.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []matrix.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Reason" {
			name := matrix.Reason(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
			if verdict.Describe(name).Meaning == "" {
				t.Errorf("%s is declared, but no rule of the verdict table", name)
			}
			out = append(out, name)
		}
		return true
	})
	if len(out) == 0 {
		t.Fatal("no reasons are declared")
	}
	return out
}
