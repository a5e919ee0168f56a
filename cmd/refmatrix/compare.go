package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

func newDiff() *cobra.Command {
	var v view
	var failOn string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changed between two matrix.json",
		Long: `Say what changed between two matrix.json: registries and images that came and
went, strategies that changed, and what could not be measured, which is told
apart from a change. Exit status 1 with --fail-on change where anything did.`,
		Example: `  refmatrix diff reports/history/20261116T060000.000Z.json reports/matrix.json -f markdown`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if failOn != "never" && failOn != "change" {
				return usage("--fail-on %q: choose never or change", failOn)
			}
			if err := v.check(); err != nil {
				return err
			}
			older, err := readMatrix(cmd, args[0])
			if err != nil {
				return err
			}
			newer, err := readMatrix(cmd, args[1])
			if err != nil {
				return err
			}
			d := matrix.Compare(older, newer)
			if err := report.RenderDiff(cmd.OutOrStdout(), d, v.format, v.options(cmd)); err != nil {
				return internal(err)
			}
			if failOn == "change" && !d.Empty() {
				return &failure{exitGate, nil}
			}
			return nil
		},
	}
	v.addFlags(cmd)
	cmd.Flags().StringVar(&failOn, "fail-on", "never", "exit 1 on: never or change")
	return cmd
}

func newMerge() *cobra.Command {
	var o output
	var order string
	cmd := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Join matrix.json files of shards or of separate networks",
		Long: `Join matrix.json files of shards or of separate networks into one matrix. Where
two files hold the same registry and image, the newer measurement stays and the
other is told on stderr.`,
		Example: `  refmatrix merge shard-*/matrix.json -i inventory.yaml -o reports -f all`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var parts []*matrix.Matrix
			for _, path := range args {
				m, err := readMatrix(cmd, path)
				if err != nil {
					return err
				}
				parts = append(parts, m)
			}
			var names []string
			if order != "" {
				s := selection{path: order}
				inv, err := s.load(cmd)
				if err != nil {
					return err
				}
				for _, registry := range inv.Registries {
					names = append(names, registry.Name)
				}
			}
			joined, warnings, err := matrix.Merge(parts, names)
			if err != nil {
				return &failure{exitUsage, err}
			}
			for _, warning := range warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "refmatrix: warning: %s\n", warning)
			}
			return o.emit(cmd, joined)
		},
	}
	o.addFlags(cmd, "reports", "table,csv,markdown,json")
	cmd.Flags().StringVarP(&order, "inventory", "i", "", "inventory `FILE` whose order the rows take")
	return cmd
}
