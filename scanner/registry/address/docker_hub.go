package address

import "slices"

// Docker Hub has several names. People write HubName, accounts are stored under
// any of them, and HubHost is the host that serves it.
const (
	HubName = "docker.io"
	HubHost = "registry-1.docker.io"
)

var hubNames = []string{HubName, "index.docker.io", HubHost}

// CanonicalHost returns docker.io for every name of Docker Hub, and any other
// host unchanged.
func CanonicalHost(host string) string {
	if slices.Contains(hubNames, host) {
		return HubName
	}
	return host
}

// ServingHost returns the host to connect to for the registry known as host.
func ServingHost(host string) string {
	if slices.Contains(hubNames, host) {
		return HubHost
	}
	return host
}
