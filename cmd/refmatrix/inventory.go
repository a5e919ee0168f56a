package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// selection are the flags that name an inventory and a part of it.
type selection struct {
	path      string
	only      []string
	selectors []string
	shard     string
	quiet     bool // no warnings

	whole *inventory.Inventory // as it was read: stdin is there but once
}

func (s *selection) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&s.path, "inventory", "i", "inventory.yaml", "inventory `FILE`, - for stdin")
	flags.StringArrayVar(&s.only, "only", nil, "only registries whose name matches `GLOB` (repeatable)")
	flags.StringArrayVarP(&s.selectors, "selector", "l", nil, "only registries with the label `key=value`; key alone for any value, key!=value for another or none (repeatable, all must hold)")
}

// words gives the flags that choose a part of the inventory, sorted.
func (s *selection) words() []string {
	var out []string
	for _, glob := range s.only {
		out = append(out, "--only "+glob)
	}
	for _, selector := range s.selectors {
		out = append(out, "--selector "+selector)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// load reads the inventory and cuts it to the selection. All faults are usage
// errors; warnings go to stderr.
func (s *selection) load(cmd *cobra.Command) (*inventory.Inventory, error) {
	inv, err := s.read(cmd)
	if err != nil {
		return nil, &failure{exitUsage, err}
	}
	return inv, s.narrow(cmd, inv)
}

// narrow prints the warnings of inv and cuts it to the selection.
func (s *selection) narrow(cmd *cobra.Command, inv *inventory.Inventory) error {
	if !s.quiet {
		for _, warning := range inv.Warnings {
			warn(cmd, warning)
		}
	}
	s.whole.Warnings = nil // told once
	if err := inv.Select(s.only, s.selectors); err != nil {
		return &failure{exitUsage, err}
	}
	return nil
}

// warnUnwritable tells where --write-probe has no registry to push to.
func (s *selection) warnUnwritable(cmd *cobra.Command, inv *inventory.Inventory) {
	writable := func(r inventory.Registry) bool { return r.WriteProbe != nil }
	if !s.quiet && !slices.ContainsFunc(inv.Registries, writable) {
		warn(cmd, "--write-probe pushes nowhere: no registry asked has writeProbe: {repository: ...} in the inventory")
	}
}

// read gives the whole inventory, which may be cut: it is a copy.
func (s *selection) read(cmd *cobra.Command) (*inventory.Inventory, error) {
	if s.whole == nil {
		var err error
		if s.path == "-" {
			s.whole, err = inventory.Parse(cmd.InOrStdin(), "stdin", ".", os.LookupEnv)
		} else {
			s.whole, err = inventory.Load(s.path, os.LookupEnv)
		}
		if err != nil {
			return nil, err
		}
	}
	inv := *s.whole
	inv.Registries = slices.Clone(inv.Registries)
	return &inv, nil
}

// cut leaves the registries of shard I/N, from the flag or else from the
// variables of an indexed job; a warning about those goes to stderr.
func (s *selection) cut(cmd *cobra.Command, inv *inventory.Inventory) error {
	if s.shard == "" {
		fromEnv, warning, err := matrix.ShardFromEnv(os.Getenv)
		if err != nil {
			return &failure{exitUsage, err}
		}
		if warning != "" {
			warn(cmd, warning)
		}
		if fromEnv == "" {
			return nil
		}
		s.shard = fromEnv
	}
	index, count, err := matrix.ParseShard(s.shard)
	if err != nil {
		return &failure{exitUsage, err}
	}
	var own []inventory.Registry
	for _, registry := range inv.Registries {
		if matrix.ShardOf(registry.Name, count) == index-1 {
			own = append(own, registry)
		}
	}
	inv.Registries = own
	return nil
}

func newValidate() *cobra.Command {
	var s selection
	var schema bool
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check an inventory without touching the network",
		Long: `Check an inventory without touching the network. Every fault is printed with
its file, line and key; the exit status is 2 where there is one.`,
		Args: arguments(0, 0, "no argument: name the inventory with -i"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if schema {
				return printed(cmd.OutOrStdout().Write(inventory.Schema()))
			}
			inv, err := s.load(cmd)
			if err != nil {
				return err
			}
			return printed(fmt.Fprintf(cmd.OutOrStdout(), "%s: valid, %s, %s\n", inv.Path,
				matrix.Quantity(len(inv.Registries), "registry"), matrix.Quantity(inv.ImageCount(), "image")))
		},
	}
	s.addFlags(cmd)
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the inventory and check nothing")
	return cmd
}

// errNoImage says that a text spells out no image: no repository follows the
// host.
var errNoImage = errors.New("name " + whatToExplain)

// whatToExplain words what explain can be asked for.
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
	inv, err := inventory.Parse(strings.NewReader(document), "the command line", ".", func(string) (string, bool) { return "", false })
	var faults inventory.Faults
	if errors.As(err, &faults) {
		// The lines and keys are of a document that nobody wrote.
		return nil, errors.New(faults[0].Message)
	}
	return inv, err
}
