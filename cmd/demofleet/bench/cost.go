package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"
)

// linear is how much more than linear a cost may grow, for what the start of the
// command and the machine's noise add.
const linear = 1.25

// liveTokens measures redaction: every token is a secret that is looked for in all
// that comes back, so a search for one at a time grows with their square.
func (b *bench) liveTokens() error {
	tokens := func(n int) fleet {
		images := make([]string, n)
		for i := range images {
			images[i] = fmt.Sprintf("team/app-%05d", i)
		}
		return fleet{n: 1, scheme: "http", port: b.ports.Opaque, images: strings.Join(images, ", ")}
	}
	return b.grows("live opaque tokens", 500, 2000, tokens)
}

// distinctPasswords measures redaction over entries: each has a secret of its own.
func (b *bench) distinctPasswords() error {
	most := min(10_000, b.most)
	return b.grows("entries with distinct passwords", most/10, most, func(n int) fleet {
		return fleet{n: n, scheme: "http", port: b.ports.Basic, passwords: true}
	})
}

// grows compares the CPU of a scan with few and with many of what.
func (b *bench) grows(what string, few, many int, of func(int) fleet) error {
	got, err := interleave(b.rounds,
		func() sample { return b.scan(of(few)) },
		func() sample { return b.scan(of(many)) })
	if err != nil {
		return err
	}
	b.say("%s\n  %6d     %s\n  %6d     %s\n", what, few, got[0], many, got[1])
	ratio, most := got[1].CPU.Seconds()/got[0].CPU.Seconds(), linear*float64(many)/float64(few)
	text := fmt.Sprintf("CPU with %d %s at most %.4g x that with %d", many, what, most, few)
	b.goal(ratio <= most, text, "%.2f x", ratio)
	return nil
}

// The scan of the shipped manifest.
const (
	manifestRegistries = 1500
	manifestImages     = 10
	manifestMemory     = 400 // MB
)

// shippedManifest measures the command line of the CronJob, first without an
// earlier scan to compare with, and then with one, as from the second week on.
func (b *bench) shippedManifest() error {
	images := make([]string, manifestImages)
	for i := range images {
		images[i] = fmt.Sprintf("team/app:%d", i)
	}
	f := fleet{n: min(manifestRegistries, b.most), scheme: "http", port: b.ports.Prompt, images: strings.Join(images, ", ")}
	path, err := b.inventory(f)
	if err != nil {
		return err
	}
	args, environment, err := b.commandOf(path, filepath.Join(b.dir, "weekly"))
	if err != nil {
		return err
	}
	rows := f.n * manifestImages
	line := strings.Join(slices.Concat(environment, args[1:]), " ")
	b.say("%d rows by the CronJob's %s", rows, strings.ReplaceAll(line, b.dir+"/", ""))
	var peak int64
	for _, week := range []string{"first", "second"} {
		s := b.runIn(environment, b.refmatrix, args...)
		if s.Err != nil {
			return s.Err
		}
		b.say("  %-10s %s", week, s)
		peak = max(peak, s.RSS)
	}
	b.say("")
	text := fmt.Sprintf("peak RSS under %d MB at %d rows by the shipped CronJob", manifestMemory, rows)
	b.goal(megabytes(peak) < manifestMemory, text, "%.1f MB", megabytes(peak))
	return nil
}

// commandOf returns the arguments of the CronJob's container with this inventory and
// output directory, and GOMEMLIMIT if it is set there.
func (b *bench) commandOf(inventory, output string) (args, environment []string, err error) {
	content, err := os.ReadFile(b.manifest)
	if err != nil {
		return nil, nil, err
	}
	document, _, _ := bytes.Cut(content, []byte("\n---\n"))
	var cron batchv1.CronJob
	if err := yaml.UnmarshalStrict(document, &cron); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", b.manifest, err)
	}
	containers := cron.Spec.JobTemplate.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		return nil, nil, fmt.Errorf("%s has %d containers", b.manifest, len(containers))
	}
	for _, env := range containers[0].Env {
		if env.Name == "GOMEMLIMIT" && env.Value != "" {
			environment = append(environment, env.Name+"="+env.Value)
		}
	}
	args = slices.Clone(containers[0].Args)
	for i, arg := range args {
		switch name, _, _ := strings.Cut(arg, "="); name {
		case "--inventory":
			args[i] = name + "=" + inventory
		case "--output":
			args[i] = name + "=" + output
		}
	}
	return append(args, "--quiet"), environment, nil
}

// crowdFigures and crowdFailure are what TestCrowd logs.
var (
	crowdFigures = regexp.MustCompile(`crowd: (\d+ hostile and \d+ good registries), ([\d.]+ s) wall, ([\d.]+ MB) peak`)
	crowdFailure = regexp.MustCompile(`(?m)^ +\w+_test\.go:\d+: (.*)$`)
)

// crowd runs TestCrowd with all of its registries. The test fails if a good one is
// measured wrong, or a bound does not hold.
func (b *bench) crowd() error {
	cmd := exec.Command("go", "test", "-count=1", "-v", "-run", "^TestCrowd$", "./hostile", "-crowd")
	cmd.Env = append(os.Environ(), "REFMATRIX="+b.refmatrix)
	output, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return err
	}
	who, figure := "hostile registries among good ones", "no figures"
	if found := crowdFigures.FindSubmatch(output); found != nil {
		who, figure = string(found[1]), fmt.Sprintf("%s, %s", found[3], found[2])
	}
	b.say("%s\n  %s", who, figure)
	if err != nil {
		for _, line := range crowdFailure.FindAllSubmatch(output, -1) {
			b.say("  %.200s", line[1])
		}
	}
	b.say("")
	b.goal(err == nil, who+": the good ones are measured right, peak RSS under 256 MB", "%s", figure)
	return nil
}
