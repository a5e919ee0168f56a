package main

import (
	"os"
	"slices"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
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
	s.addInventoryFlag(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&s.only, "only", nil, "only registries whose name matches `GLOB` (repeatable)")
	flags.StringArrayVarP(&s.selectors, "selector", "l", nil,
		"only registries with the label `key=value`; key alone for any value, "+
			"key!=value for another or none (repeatable, all must hold)")
}

// addInventoryFlag adds the flag of the inventory alone.
func (s *selection) addInventoryFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.path, "inventory", "i", "inventory.yaml", "inventory `FILE`, - for stdin")
}

// asFlags returns the flags that choose a part of the inventory, sorted.
func (s *selection) asFlags() []string {
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

// read returns the whole inventory, which may be cut: it is a copy.
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

// narrow prints the warnings of inv and cuts it to the selection.
func (s *selection) narrow(cmd *cobra.Command, inv *inventory.Inventory) error {
	if !s.quiet {
		for _, warning := range inv.Warnings {
			warn(cmd, warning)
		}
	}
	s.whole.Warnings = nil // printed once
	if err := inv.Select(s.only, s.selectors); err != nil {
		return &failure{exitUsage, err}
	}
	return nil
}

// checkProxies refuses an environment in which requests would go past the proxy.
// Every subcommand that probes calls it before it does.
func checkProxies() error {
	if err := registry.CheckProxies(os.Getenv); err != nil {
		return &failure{exitUsage, err}
	}
	return nil
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
	for _, entry := range inv.Registries {
		if matrix.ShardOf(entry.Name, count) == index-1 {
			own = append(own, entry)
		}
	}
	inv.Registries = own
	return nil
}

// warnUnwritable warns that --write-probe has no registry to push to.
func (s *selection) warnUnwritable(cmd *cobra.Command, inv *inventory.Inventory) {
	writable := func(r inventory.Registry) bool { return r.WriteProbe != nil }
	if !s.quiet && !slices.ContainsFunc(inv.Registries, writable) {
		warn(cmd, "--write-probe pushes nowhere: no registry asked has writeProbe: {repository: ...} in the inventory")
	}
}

// keepOnly cuts inv to the registry called name and reports whether it is
// there.
func keepOnly(inv *inventory.Inventory, name string) bool {
	inv.Registries = slices.DeleteFunc(inv.Registries, func(r inventory.Registry) bool { return r.Name != name })
	return len(inv.Registries) == 1
}
