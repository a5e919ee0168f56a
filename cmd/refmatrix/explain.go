package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
	"refmatrix/scanner"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
	"refmatrix/scanner/registry/address"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	selection
	view[[]report.Explanation]
	depth   choice[probe.Depth]
	write   bool
	links   bool
	timeout time.Duration
}

func newExplain() *cobra.Command {
	f := explainFlags{view: viewOf(report.Explanations), depth: probeDepth()}
	cmd := &cobra.Command{
		Use:   "explain NAME | [https://]HOST/REPOSITORY[:TAG]",
		Short: "One registry, every exchange shown, with the curl commands that reproduce it",
		Long: `Probe one registry of the inventory, or an image named on the command line, and
show every exchange with its status, headers, error body and timing, the verdict with the
rule that gave it, and curl commands that reproduce it. Secrets stand as
$VARIABLES in the commands and nowhere else; the shell that runs them expands
the variables into the arguments of curl.

Exit status: 0 whatever the verdict is; 2 there is nothing to probe.`,
		Example: `  refmatrix explain harbor-prod
  refmatrix explain ghcr.io/fluxcd/source-controller:v1.4.1
  refmatrix explain http://localhost:5000/library/alpine --probe full`,
		Args: arguments(1, 1, "one argument: "+whatToExplain),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.selection.addFlags(cmd)
	f.view.addFlags(cmd)
	flags := cmd.Flags()
	f.depth.addFlag(cmd, "probe", "", "standard", "how much to ask: "+f.depth.list())
	flags.BoolVar(&f.write, "write-probe", false, "push and delete an artifact where the inventory has writeProbe")
	flags.BoolVar(&f.links, "links", false, linksHelp)
	flags.DurationVar(&f.timeout, "timeout", 0, "timeout of one request, instead of the inventory's")
	return cmd
}

func (f *explainFlags) run(cmd *cobra.Command, name string) error {
	if f.timeout < 0 {
		return usage("--timeout must not be negative")
	}
	if err := checkProxies(); err != nil {
		return err
	}
	inv, err := f.find(cmd, name)
	if err != nil {
		return err
	}
	if f.write {
		f.warnUnwritable(cmd, inv)
	}
	m, err := scanner.Scan(cmd.Context(), inv, scanner.Options{
		Tool:    tool(),
		Timeout: f.timeout,
		Bodies:  true,
		Probe:   probe.Options{Depth: f.depth.value, Write: f.write, Links: f.links},
	})
	if err != nil {
		return internal(err)
	}
	if cmd.Context().Err() != nil {
		return &failure{exitInterrupted, errors.New("interrupted")}
	}
	return f.print(cmd, explanations(inv.Registries[0], m.Rows))
}

// explanations are the rows of entry with the commands that repeat them.
func explanations(entry inventory.Registry, rows []matrix.Row) []report.Explanation {
	commands := report.Curl(accessTo(entry), rows)
	var out []report.Explanation
	for i := range rows {
		out = append(out, report.Explanation{Row: &rows[i], Commands: commands[i]})
	}
	return out
}

// accessTo returns what of entry the commands depend on.
func accessTo(entry inventory.Registry) report.Access {
	return report.Access{
		URL:                entry.URL,
		Credentials:        credentialsOf(entry.Auth),
		InsecureSkipVerify: entry.TLS.InsecureSkipVerify,
		CAFile:             entry.TLS.CAFile,
		CertFile:           entry.TLS.CertFile,
		KeyFile:            entry.TLS.KeyFile,
		SameOrigin:         address.SameOrigin,
		ParseBearer:        registry.ParseBearer,
	}
}

// credentialsOf names where the credentials of a registry are.
func credentialsOf(auth inventory.Auth) string {
	switch {
	case auth.Helper != "":
		return "docker-credential-" + auth.Helper
	case auth.Username != "" || auth.Token != "" || auth.IdentityToken != "":
		return "auth: of the inventory"
	case auth.DockerConfig != nil:
		return "the file of dockerConfig: in the inventory"
	}
	return "the docker config"
}

// find returns an inventory of the one registry called name, or else of the
// image that name spells out. In that case the default inventory may be missing or
// invalid.
func (s *selection) find(cmd *cobra.Command, name string) (*inventory.Inventory, error) {
	spelled, notAnImage := adHoc(name)
	if notAnImage != nil {
		notAnImage = usage("%q: %w", inventory.WithoutUserinfo(name), notAnImage)
	}
	named := cmd.Flags().Changed("inventory")
	if _, err := os.Stat(s.path); !named && errors.Is(err, fs.ErrNotExist) {
		return spelled, notAnImage
	}
	inv, err := s.read(cmd)
	switch {
	case err != nil && (named || notAnImage != nil):
		return nil, &failure{exitUsage, err}
	case err != nil:
		warn(cmd, fmt.Sprintf("%s is at fault, so %s is taken for an image: refmatrix validate tells what is wrong",
			s.path, name))
		return spelled, nil
	case inv.Has(name):
		if err := s.narrow(cmd, inv); err != nil {
			return nil, err
		}
		if !keepOnly(inv, name) {
			return nil, usage("--only or --selector leaves %q out", name)
		}
		return inv, nil
	case errors.Is(notAnImage, errNoImage):
		return nil, usage("%s has no registry %q: %w", inv.Path, inventory.WithoutUserinfo(name), errNoImage)
	}
	if notAnImage == nil {
		spelled.Whole = append(spelled.Whole, inv.Whole...)
	}
	return spelled, notAnImage
}

// errNoImage says that a text is not an image: no repository follows the host.
var errNoImage = errors.New("name " + whatToExplain)

// whatToExplain is what explain takes.
const whatToExplain = "a registry of the inventory, or an image as [https://]host/repository[:tag]"

// adHoc makes an inventory of one image out of host/repository:tag, with or
// without a scheme before it. No error repeats what may be a password.
func adHoc(reference string) (*inventory.Inventory, error) {
	if inventory.WithoutUserinfo(reference) != reference {
		return nil, errors.New("must not carry credentials: write them under the auth key of an inventory")
	}
	scheme, rest, ok := strings.Cut(reference, "://")
	if !ok {
		scheme, rest = "https", reference
	}
	host, image, ok := strings.Cut(rest, "/")
	if !ok || host == "" || image == "" {
		return nil, errNoImage
	}
	document := fmt.Sprintf("version: 1\nregistries:\n  - url: %q\n    images: [%q]\n", scheme+"://"+host, image)
	noVariables := func(string) (string, bool) { return "", false }
	inv, err := inventory.Parse(strings.NewReader(document), "the command line", ".", noVariables)
	var faults inventory.Faults
	if errors.As(err, &faults) {
		// The lines and keys are of a document that nobody wrote.
		return nil, errors.New(faults[0].Message)
	}
	return inv, err
}
