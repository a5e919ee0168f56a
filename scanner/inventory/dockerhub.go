package inventory

import "slices"

// Docker Hub has several names. People write the first, accounts are filed
// under any of them, and one is the host that serves it.
const (
	hubName = "docker.io"
	hubHost = "registry-1.docker.io"
)

var hubNames = []string{hubName, "index.docker.io", hubHost}

// CanonicalHost returns docker.io for every name of Docker Hub, and any other
// host unchanged.
func CanonicalHost(host string) string {
	if slices.Contains(hubNames, host) {
		return hubName
	}
	return host
}

// servingHost returns the host to connect to for the registry known as host.
func servingHost(host string) string {
	if slices.Contains(hubNames, host) {
		return hubHost
	}
	return host
}
