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
	curl    bool
	timeout time.Duration
}

func newExplain() *cobra.Command {
	f := explainFlags{view: viewOf(report.Explanations), depth: probeDepth()}
	cmd := &cobra.Command{
		Use:   "explain NAME[/IMAGE] | [https://]HOST/REPOSITORY[:TAG]",
		Short: "Probe one registry or image, and show the verdict with every exchange",
		Long: `Probe one registry of the inventory, one image of it, or an image named on the
command line, and show the verdict and what to do, what clients will do, what else
was measured, and every exchange with its status, headers, error body and timing.
Images that read the same are shown once, and the others are named below.

NAME/IMAGE is an image of the registry that the inventory calls NAME, probed with
what the inventory says of that registry. It need not be listed there.

--curl adds commands that repeat the exchanges of the images that are shown. Secrets
stand as $VARIABLES in the commands and nowhere else; the shell that runs them
expands the variables into the arguments of curl.

Exit status: 0 whatever the verdict is; 2 there is nothing to probe.`,
		Example: `  refmatrix explain harbor-prod
  refmatrix explain harbor-prod/team/base:1.4 --curl
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
	flags.BoolVar(&f.curl, "curl", false, "print the curl commands that repeat the exchanges (format text)")
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
	return f.print(cmd, explanations(inv.Registries[0], m.Rows, f.curl))
}

// explanations are the rows of entry, with the commands that repeat them if curl is set.
func explanations(entry inventory.Registry, rows []matrix.Row, curl bool) []report.Explanation {
	out := make([]report.Explanation, len(rows))
	for i := range rows {
		out[i].Row = &rows[i]
	}
	if curl {
		for i, commands := range report.Curl(accessTo(entry), rows) {
			out[i].Commands = commands
		}
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

// find returns an inventory of the one registry that text names, alone or with an image, or
// else of the image that it spells out. In that case the default inventory may be missing or
// invalid.
func (s *selection) find(cmd *cobra.Command, text string) (*inventory.Inventory, error) {
	spelled, fault := adHoc(text)
	var notAnImage error
	if fault != nil {
		notAnImage = usage("%q: %w", inventory.WithoutUserinfo(text), fault)
	}
	given := cmd.Flags().Changed("inventory")
	if _, err := os.Stat(s.path); !given && errors.Is(err, fs.ErrNotExist) {
		return spelled, notAnImage
	}
	inv, err := s.read(cmd)
	switch {
	case err != nil && (given || notAnImage != nil):
		return nil, &failure{exitUsage, err}
	case err != nil:
		warn(cmd, fmt.Sprintf("%s is at fault, so %s is taken for an image: refmatrix validate reports what is wrong",
			s.path, text))
		return spelled, nil
	}
	if name, image := entryOf(inv, text); name != "" {
		return s.entry(cmd, inv, name, image)
	}
	if errors.Is(notAnImage, errNoImage) {
		return nil, usage("%s has no registry %q: %w", inv.Path, inventory.WithoutUserinfo(text), fault)
	}
	if notAnImage == nil {
		spelled.Whole = append(spelled.Whole, inv.Whole...)
	}
	return spelled, notAnImage
}

// entryOf returns the name of the registry of inv that text names, and the image that follows
// after a slash, "" if none does. Both are "" if text names no registry. A name may have
// slashes itself, so that the longest one counts. Text that may hold a password is not read.
func entryOf(inv *inventory.Inventory, text string) (name, image string) {
	for i := range inv.Registries {
		candidate := inv.Registries[i].Name
		rest, ok := strings.CutPrefix(text, candidate+"/")
		switch {
		case text == candidate:
			return candidate, ""
		case ok && rest != "" && len(candidate) > len(name) && inventory.WithoutUserinfo(text) == text:
			name, image = candidate, rest
		}
	}
	return name, image
}

// entry returns the part of inv that is the registry called name, with all of its images, or
// with the one that image spells.
func (s *selection) entry(cmd *cobra.Command, inv *inventory.Inventory, name, image string) (*inventory.Inventory, error) {
	if err := s.narrow(cmd, inv); err != nil {
		return nil, err
	}
	if !keepOnly(inv, name) {
		return nil, usage("--only or --selector leaves %q out", name)
	}
	if image == "" {
		return inv, nil
	}
	if err := inv.Registries[0].SetImage(image); err != nil {
		return nil, usage("%q: %w", name+"/"+image, err)
	}
	return inv, nil
}

// errNoImage says that a text is not an image: no repository follows the host.
var errNoImage = errors.New("name " + whatToExplain)

// errNoHost says that a text does not begin with a host, by the rule of docker: a misspelt name
// of the inventory would be probed as a host of that name.
var errNoHost = fmt.Errorf("%w; a host has a dot or a port, or follows https://", errNoImage)

// whatToExplain is what explain takes.
const whatToExplain = "a registry of the inventory, an image of it as NAME/IMAGE, or an image as [https://]host/repository[:tag]"

// adHoc makes an inventory of one image out of host/repository:tag, with or
// without a scheme before it. No error repeats what may be a password.
func adHoc(reference string) (*inventory.Inventory, error) {
	if inventory.WithoutUserinfo(reference) != reference {
		return nil, errors.New("must not carry credentials: write them under the auth key of an inventory")
	}
	scheme, rest, hasScheme := strings.Cut(reference, "://")
	if !hasScheme {
		scheme, rest = "https", reference
	}
	host, image, ok := strings.Cut(rest, "/")
	if !ok || host == "" || image == "" {
		return nil, errNoImage
	}
	if !hasScheme && host != "localhost" && !strings.ContainsAny(host, ".:") {
		return nil, errNoHost
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
