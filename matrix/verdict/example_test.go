package verdict_test

import (
	"fmt"

	"refmatrix/matrix/verdict"
)

// A 404 with plain text shows that the registry lacks the referrers API: clients fall back
// to the referrers tag schema.
func ExampleJudge() {
	v := verdict.Judge(&verdict.Observation{
		Manifest: verdict.Manifest{Digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
		Referrers: verdict.Referrers{
			Answer: verdict.Answer{Status: 404, ContentType: "text/plain"},
		},
	})
	fmt.Println(v.Severity, v.Referrers, v.Strategy, v.Reason)
	fmt.Println(v.Detail)
	// Output:
	// warn unsupported referrers-tag not-found
	// HTTP 404 text/plain, no OCI index: the registry has no referrers API.
}
