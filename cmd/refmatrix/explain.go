package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
	"refmatrix/scanner"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

func newExplain() *cobra.Command {
	var s selection
	v := view[[]report.Explanation]{formats: report.Explanations}
	var depth string
	var timeout time.Duration
	var write bool
	cmd := &cobra.Command{
		Use:   "explain NAME | [https://]HOST/REPOSITORY[:TAG]",
		Short: "One registry, every exchange shown, with the curl commands that reproduce it",
		Long: `Probe one registry of the inventory, or an image named on the command line, and
show every exchange with its status, headers and timing, the verdict with the
rule that gave it, and curl commands that reproduce it. Secrets stand as
$VARIABLES in the commands and nowhere else; the shell that runs them expands
the variables into curl's arguments.

Exit status: 0 whatever the verdict is; 2 there is nothing to probe.`,
		Example: `  refmatrix explain harbor-prod
  refmatrix explain ghcr.io/fluxcd/source-controller:v1.4.1
  refmatrix explain http://localhost:5000/library/alpine --probe full`,
		Args: arguments(1, 1, "one argument: "+whatToExplain),
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := probe.ParseDepth(depth)
			if err != nil {
				return &failure{exitUsage, err}
			}
			if err := v.check(); err != nil {
				return err
			}
			if timeout < 0 {
				return usage("--timeout must not be negative")
			}
			inv, err := s.find(cmd, args[0])
			if err != nil {
				return err
			}
			if write {
				s.warnUnwritable(cmd, inv)
			}
			m := scanner.Scan(cmd.Context(), inv, scanner.Options{
				Tool: tool(), Timeout: timeout, Probe: probe.Options{Depth: chosen, Write: write},
			})
			if cmd.Context().Err() != nil {
				return &failure{exitInterrupted, errors.New("interrupted")}
			}
			return v.print(cmd, explanations(inv.Registries[0], m.Rows))
		},
	}
	s.addFlags(cmd)
	v.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&depth, "probe", "standard", "how much to ask: basic, standard or full")
	flags.BoolVar(&write, "write-probe", false, "push and delete an artifact where the inventory has writeProbe")
	flags.DurationVar(&timeout, "timeout", 0, "timeout of one request, instead of the inventory's")
	return cmd
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
		SameOrigin:         registry.SameOrigin,
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
	}
	return "the docker config"
}

// find gives an inventory of the one registry called name, or else of the image
// that name spells out. An inventory that nobody named may be missing or at
// fault where an image is spelled out.
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
		fmt.Fprintf(cmd.ErrOrStderr(), "refmatrix: warning: %s is at fault, so %s is taken for an image: refmatrix validate tells what is wrong\n", s.path, name)
		return spelled, nil
	case inv.Lists(name):
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
	return spelled, notAnImage
}

// keepOnly cuts inv to the registry called name and reports whether it is
// there.
func keepOnly(inv *inventory.Inventory, name string) bool {
	inv.Registries = slices.DeleteFunc(inv.Registries, func(r inventory.Registry) bool { return r.Name != name })
	return len(inv.Registries) == 1
}
