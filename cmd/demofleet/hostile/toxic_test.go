package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"refmatrix/cmd/demofleet/fleet"
)

// toxics are what a network does to a connection. slow ones only delay it, and
// every verdict has to be the same; the others may end it, and a verdict is the
// same or fail.
var toxics = []struct {
	name, toxic string
	slow        bool
}{
	{"latency", `{"type":"latency","attributes":{"latency":60}}`, true},
	{"jitter", `{"type":"latency","attributes":{"latency":40,"jitter":40}}`, true},
	{"small packets", `{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":500}}`, true},
	{"low bandwidth", `{"type":"bandwidth","attributes":{"rate":20}}`, true},
	{"slow close", `{"type":"slow_close","attributes":{"delay":200}}`, true},
	{"reset at once", `{"type":"reset_peer","attributes":{"timeout":0}}`, false},
	{"reset later", `{"type":"reset_peer","attributes":{"timeout":30}}`, false},
	{"cut after 100 bytes", `{"type":"limit_data","attributes":{"bytes":100}}`, false},
	{"cut after 300 bytes", `{"type":"limit_data","attributes":{"bytes":300}}`, false},
	{"cut after 700 bytes", `{"type":"limit_data","attributes":{"bytes":700}}`, false},
	{"half open", `{"type":"timeout","attributes":{"timeout":0}}`, false},
	{"every second connection reset", `{"type":"reset_peer","toxicity":0.5,"attributes":{"timeout":0}}`, false},
}

// TestToxicNetwork puts each fault between refmatrix and real registries: a
// fault is never taken for an answer.
func TestToxicNetwork(t *testing.T) {
	f, err := fleet.Start(t.Context(), fleet.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	path, err := f.WriteInventory()
	if err != nil {
		t.Fatal(err)
	}
	inventory, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	truth := scan(t, path)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	table := "| fault | rows with the same verdict | verdicts allowed |\n| --- | --- | --- |\n"
	wrong := 0
	for _, fault := range toxics {
		text := string(inventory)
		for _, r := range f.Registries() {
			host := strings.TrimPrefix(strings.TrimPrefix(r.URL, "https://"), "http://")
			if r.Down || r.Image != "" {
				continue
			}
			proxy := toxiproxy.NewProxy(server, r.Name, "127.0.0.1:0", host)
			if err := proxy.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(proxy.Stop)
			if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(fault.toxic)); err != nil {
				t.Fatalf("%s: %v", fault.name, err)
			}
			text = strings.ReplaceAll(text, "//"+host, "//"+proxy.Listen)
		}
		// A delay must not end in a timeout, however slow the machine is.
		timeout := "2s"
		if fault.slow {
			timeout = "30s"
		}
		toxic := filepath.Join(filepath.Dir(path), "toxic.yaml")
		if err := os.WriteFile(toxic, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		same := 0
		for name, got := range scan(t, toxic, "--timeout", timeout) {
			want := truth[name]
			switch {
			case got.Reason == want.Reason:
				same++
			// The token realm names the registry's own port and not the proxy's: the
			// credentials stay where they are.
			case strings.HasPrefix(name, "distribution-token") && got.Reason == "auth-refused":
			case fault.slow || got.Severity != "fail":
				wrong++
				t.Errorf("%s: %s is %s (%s), %s without it", fault.name, name, got.Reason, got.Detail, want.Reason)
			}
		}
		if fault.slow && same < len(truth)-3 {
			t.Errorf("%s: only %d of %d verdicts are the same", fault.name, same, len(truth))
		}
		allowed, number := "the same or fail", "any"
		if fault.slow {
			allowed, number = "the same", "all"
		}
		table += fmt.Sprintf("| %s | %s | %s |\n", fault.name, number, allowed)
	}
	document(t, "toxic", fmt.Sprintf("%d faults between refmatrix and real registries, wrong verdicts %d.\n\n%s", len(toxics), wrong, table))
}

// scan returns the rows of an inventory by registry and image.
func scan(t *testing.T, inventory string, flags ...string) map[string]row {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command(os.Getenv("REFMATRIX"), append([]string{"scan", "-q", "-i", inventory, "-o", out, "-f", "json", "--fail-on", "never"}, flags...)...)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+out)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return rowsBy(t, filepath.Join(out, "matrix.json"), func(r row) string { return r.Registry + " " + r.Image })
}
