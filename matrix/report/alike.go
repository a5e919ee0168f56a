package report

import (
	"net/url"
	"regexp"
	"strings"
)

// What differs between two answers that say the same: addresses, and ids of requests,
// digests and times.
var (
	addresses = regexp.MustCompile(`\[[0-9a-fA-F:]+\](:[0-9]+)?|\b[0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]+)?\b` +
		`|\b([0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F]{1,4}\b`)
	ids = regexp.MustCompile(`\b[0-9a-fA-F]{4,}(-[0-9a-fA-F]{4,})+\b|\b[0-9a-fA-F]{6,}\b`)
)

// withoutIDs returns a detail as it is compared with others: without addresses, the host of
// its own registry, and hexadecimal or decimal ids over 5 characters.
func withoutIDs(detail, registryURL string) string {
	if u, err := url.Parse(registryURL); err == nil && u.Host != "" {
		detail = strings.ReplaceAll(detail, u.Host, "*")
	}
	detail = addresses.ReplaceAllLiteralString(detail, "*")
	return ids.ReplaceAllStringFunc(detail, func(id string) string {
		if strings.ContainsAny(id, "0123456789") {
			return "*"
		}
		return id // a word, such as facade
	})
}
