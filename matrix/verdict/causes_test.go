package verdict

import (
	"net/http"
	"strings"
	"testing"

	"refmatrix/matrix"
)

// TestCauses: what the registry says, or the error of the connection, decides what to do.
func TestCauses(t *testing.T) {
	refusal := func(status int, message string, codes ...string) Answer {
		return Answer{Status: status, Message: message, Codes: codes}
	}
	signed := func(status int, message string) Answer {
		return Answer{Status: status, Message: message, Account: AccountSent}
	}
	page := func(status int) Answer { return Answer{Status: status, Body: BodyHTML} }
	failed := func(of TLSCause) Answer { return Answer{Fault: &Fault{Kind: matrix.TLS, Text: "why", TLS: of}} }
	for _, c := range []struct {
		name string
		of   Answer
		want string // part of the cause; "" = none
	}{
		{"a policy for signatures", refusal(412, "The image is not signed by cosign.", "PROJECTPOLICYVIOLATION"), "only signed images"},
		{"a policy against vulnerabilities", refusal(412, "current image with 3 vulnerabilities cannot be pulled"), "images with vulnerabilities"},
		{"a policy, by its code alone", refusal(412, "", "PROJECTPOLICYVIOLATION"), "images with vulnerabilities"},
		{"a policy's words under 200", refusal(200, "The image is not signed by cosign."), ""},
		{"a policy's words under 404", refusal(404, "The image is not signed by cosign."), ""},
		{"ECR", signed(403, "Your authorization token has expired. Reauthenticate and try again."), "expired or invalid"},
		{"ECR, nothing sent", refusal(403, "Your authorization token has expired."), ""},
		{"a token that is invalid", signed(401, "invalid token"), "expired or invalid"},
		{"a password that is expired", signed(400, "the password of robot has expired"), "expired or invalid"},
		{"a name that is invalid", signed(400, "invalid repository name"), ""},
		{"an expired token under 500", signed(500, "token expired"), ""},
		{"ACR", refusal(403, "client with IP '192.0.2.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."), "firewall"},
		{"nginx", refusal(400, "400 The plain HTTP request was sent to HTTPS port"), "plain HTTP"},
		{"Go", refusal(400, "Client sent an HTTP request to an HTTPS server."), "plain HTTP"},
		{"a client certificate", refusal(400, "400 No required SSL certificate was sent"), "client certificate"},
		{"a web page", page(403), "a web page"},
		{"a gateway's page, 502", page(502), "a proxy or load balancer answered"},
		{"a gateway's page, 503", page(503), "a proxy or load balancer answered"},
		{"a gateway's page, 504", page(504), "a proxy or load balancer answered"},
		{"a gateway's status without a page", refusal(502, ""), ""},
		{"an application's error page, 500", page(500), ""},
		{"a web page, 429", page(429), ""},
		{"a web page, 404", page(404), ""},
		{"a web page, 200", page(200), ""},
		{"a web page with a challenge", Answer{Status: 401, Body: BodyHTML, Challenge: true}, ""},
		{"a refusal without words", refusal(403, ""), ""},
		{"plain HTTP behind https", failed(PlainHTTP), "speaks plain HTTP"},
		{"another authority", failed(UnknownAuthority), "not trusted here"},
		{"another name", failed(WrongName), "for other names"},
		{"out of date", failed(CertificateExpired), "out of date"},
		{"a client certificate in TLS", failed(ClientCertificate), "client certificate"},
		{"an old version", failed(TLSVersion), "no version of TLS"},
		{"another fault of TLS", failed(""), ""},
	} {
		o := &Observation{Manifest: Manifest{Answer: c.of, Method: http.MethodGet}}
		row := NewRow(Target{}, o)
		found := causeOf(o)
		switch {
		case c.want == "" && found != nil:
			t.Errorf("%s: the cause is %q", c.name, found.text)
		case c.want == "":
		case found == nil || !strings.Contains(found.text, c.want):
			t.Errorf("%s: the cause is %+v", c.name, found)
		case len(row.Remedy) == 0 || row.Remedy[0] != found.remedies[0]:
			t.Errorf("%s: remedies %q", c.name, row.Remedy)
		}
	}
}

// TestCauseOfAMeasuredRow: behind the referrers endpoint the reason's own remedies stay, after
// those of the cause, because they are about how to link.
func TestCauseOfAMeasuredRow(t *testing.T) {
	o := subject(Referrers{Answer: Answer{Status: 405, Body: BodyHTML, Message: "405 Not Allowed"}})
	row := NewRow(Target{}, o)
	if len(row.Remedy) < 2 || !strings.Contains(row.Remedy[0], "web application firewall") ||
		!strings.Contains(strings.Join(row.Remedy[1:], " "), "tag schema") {
		t.Errorf("remedies %q", row.Remedy)
	}
}
