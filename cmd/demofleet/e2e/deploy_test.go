package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const deploy = "../../../deploy"

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(deploy, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// strictly decodes each document of a file into the types that Kubernetes
// itself has for it; a key that they lack is an error.
func strictly(t *testing.T, name string, into ...any) {
	t.Helper()
	documents := bytes.Split(read(t, name), []byte("\n---\n"))
	if len(documents) != len(into) {
		t.Fatalf("%s holds %d objects, want %d", name, len(documents), len(into))
	}
	for i, document := range documents {
		if err := yaml.UnmarshalStrict(document, into[i]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKubernetes: the objects decode strictly, run without privileges, and
// their command lines are ones that refmatrix takes.
func TestKubernetes(t *testing.T) {
	var cron batchv1.CronJob
	var job batchv1.Job
	var claim corev1.PersistentVolumeClaim
	strictly(t, "cronjob.yaml", &cron, &claim)
	strictly(t, "indexed-job.yaml", &job, &claim)
	if *job.Spec.CompletionMode != batchv1.IndexedCompletion || *job.Spec.Completions != 4 {
		t.Error("the job is not indexed")
	}
	if *cron.Spec.JobTemplate.Spec.BackoffLimit != 0 {
		t.Error("a scan that found a change is run again, compares with itself and ends well")
	}
	for name, pod := range map[string]corev1.PodSpec{"cronjob.yaml": cron.Spec.JobTemplate.Spec.Template.Spec, "indexed-job.yaml": job.Spec.Template.Spec} {
		container := pod.Containers[0]
		if s := container.SecurityContext; !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || !*pod.SecurityContext.RunAsNonRoot {
			t.Errorf("%s runs with more than it needs", name)
		}
		accepts(t, name, container.Args)
		if !strings.Contains(container.Image, "/") || strings.HasSuffix(container.Image, ":latest") {
			t.Errorf("%s: the image %s is of Docker Hub, or of no version", name, container.Image)
		}
		docker := map[string]string{}
		for _, mount := range container.VolumeMounts {
			docker[mount.Name] = mount.MountPath
		}
		if !slices.ContainsFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == "DOCKER_CONFIG" && e.Value == docker["docker"] }) {
			t.Errorf("%s: the docker config is not where refmatrix looks for it", name)
		}
		for _, env := range container.Env {
			if env.Name == "JOB_COMPLETION_COUNT" && env.Value != "4" {
				t.Errorf("%s: JOB_COMPLETION_COUNT is %s", name, env.Value)
			}
		}
	}
}

// accepts checks a command line with the inventory and the folders replaced,
// stopping before the network: the inventory has no registry that answers.
func accepts(t *testing.T, name string, args []string) {
	t.Helper()
	dir := t.TempDir()
	inventory := filepath.Join(dir, "inventory.yaml")
	if err := os.WriteFile(inventory, []byte("version: 1\nregistries: [{url: 'http://127.0.0.1:1', images: [x], retries: 0}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	line := make([]string, 0, len(args))
	for _, arg := range args {
		arg = regexp.MustCompile(`\$\{?CREDENTIALS_DIRECTORY\}?/inventory.yaml|/etc/refmatrix/inventory.yaml`).ReplaceAllString(arg, inventory)
		arg = strings.NewReplacer("/reports", dir+"/reports", "/var/lib/refmatrix", dir+"/reports", "$(JOB_COMPLETION_INDEX)", "0").Replace(arg)
		line = append(line, arg)
	}
	output, err := exec.Command(os.Getenv("REFMATRIX"), line...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Errorf("%s: refmatrix %q: %v\n%s", name, line, err, output)
	}
}

// TestSystemd: the command line is one that refmatrix takes, a change fails the
// unit, and the units are what systemd itself accepts where it is there.
func TestSystemd(t *testing.T) {
	if strings.Contains(string(read(t, "refmatrix.service")), "SuccessExitStatus") {
		t.Error("systemd does not tell of a change")
	}
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/refmatrix (.*)$`).FindSubmatch(read(t, "refmatrix.service"))
	if start == nil {
		t.Fatal("no ExecStart")
	}
	accepts(t, "refmatrix.service", strings.Fields(string(start[1])))
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here; only the command line was checked")
		return
	}
	dir := t.TempDir()
	for _, unit := range []string{"refmatrix.service", "refmatrix.timer"} {
		text := strings.ReplaceAll(string(read(t, unit)), "/usr/local/bin/refmatrix", os.Getenv("REFMATRIX"))
		if err := os.WriteFile(filepath.Join(dir, unit), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if output, err := exec.Command(analyze, "verify", "--man=no", filepath.Join(dir, unit)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", unit, err, output)
		}
	}
}

// TestDockerfile: its command line is one that refmatrix takes.
func TestDockerfile(t *testing.T) {
	command := regexp.MustCompile(`(?m)^CMD \[(.*)\]$`).FindStringSubmatch(string(read(t, "Dockerfile")))[1]
	accepts(t, "Dockerfile", strings.Split(strings.ReplaceAll(command, `"`, ""), ", "))
}

// TestActions: every line that runs refmatrix is one that it takes, and the
// history is kept whatever the scan found, under a name that a second attempt
// does not find taken.
func TestActions(t *testing.T) {
	var workflow struct {
		Jobs map[string]struct {
			Container any
			Steps     []struct {
				Run, Uses, If string
				With          map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(read(t, "github-actions.yml"), &workflow); err != nil {
		t.Fatal(err)
	}
	scans := 0
	key := map[string]string{}
	for _, step := range workflow.Jobs["scan"].Steps {
		if line, ok := strings.CutPrefix(step.Run, "refmatrix scan "); ok {
			scans++
			accepts(t, "github-actions.yml", append([]string{"scan", "-i", "/etc/refmatrix/inventory.yaml", "-o", "/reports"}, strings.Fields(line)...))
		}
		if action, ok := strings.CutPrefix(step.Uses, "actions/cache"); ok {
			action, _, _ = strings.Cut(action, "@")
			key[action] = step.With["key"]
			if action == "/save" && step.If != "always()" {
				t.Error("the history is not kept where the scan found a change")
			}
		}
	}
	if scans != 1 || workflow.Jobs["scan"].Container != nil {
		t.Errorf("%d scans, or in an image, which has no shell for the steps", scans)
	}
	if key["/save"] == "" || key["/save"] != key["/restore"] || !strings.Contains(key["/save"], "run_attempt") {
		t.Errorf("the history is kept as %q", key)
	}
}
