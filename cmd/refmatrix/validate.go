package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// validateFlags are the flags of validate.
type validateFlags struct {
	selection
	schema bool
}

func newValidate() *cobra.Command {
	var f validateFlags
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check an inventory without touching the network",
		Long: `Check an inventory without touching the network. Every fault is printed with
its file, line and key; the exit status is 2 where there is one.`,
		Args: arguments(0, 0, "no argument: name the inventory with -i"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.selection.addFlags(cmd)
	cmd.Flags().BoolVar(&f.schema, "schema", false, "print the JSON Schema of the inventory and check nothing")
	return cmd
}

func (f *validateFlags) run(cmd *cobra.Command) error {
	if f.schema {
		return printed(cmd.OutOrStdout().Write(inventory.Schema()))
	}
	inv, err := f.load(cmd)
	if err != nil {
		return err
	}
	return printed(fmt.Fprintf(cmd.OutOrStdout(), "%s: valid, %s, %s\n", inv.Path,
		matrix.Quantity(len(inv.Registries), "registry"), matrix.Quantity(inv.ImageCount(), "image")))
}
