package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"refmatrix/scanner/inventory/draft"
	"refmatrix/scanner/registry/credential"
)

// initFlags are the flags of init.
type initFlags struct {
	config, out string
	images      int
	force       bool
}

func newInit() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init [FILE...]",
		Short: "Draft an inventory from the docker config, image lists or Kubernetes pod JSON",
		Long: `Draft an inventory from what names images already. Each FILE (- for stdin) is
looked at for its kind: one reference a line, the table of docker images, a JSON
array of references, or JSON and YAML of which every image: counts, such as pod
lists, manifests, rendered Helm charts, Kustomize output and compose files.
Without a FILE the registries of the docker config are taken. Credentials are
left where they are and never copied.`,
		Example: `  refmatrix init >inventory.yaml
  kubectl get pods -A -o json | refmatrix init - -o inventory.yaml
  docker images | refmatrix init -
  helm template ./chart | refmatrix init - compose.yaml images.txt`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "docker-config", "", "take the registries of this docker config `FILE` as well")
	flags.StringVarP(&f.out, "output", "o", "-", "write to this `FILE`, - for stdout")
	flags.IntVar(&f.images, "images", 3, "test images for each registry, the most used first")
	flags.BoolVar(&f.force, "force", false, "replace the output file where there is one")
	return cmd
}

func (f *initFlags) run(cmd *cobra.Command, files []string) error {
	if f.images < 1 {
		return usage("--images must be 1 or more")
	}
	var d draft.Draft
	if err := fill(cmd, &d, files, f.config); err != nil {
		return err
	}
	for _, skipped := range d.Skipped {
		warn(cmd, "left out, "+skipped)
	}
	var text bytes.Buffer
	if err := d.Write(&text, f.images); err != nil {
		return &failure{exitUsage, err}
	}
	if f.out == "-" {
		return printed(cmd.OutOrStdout().Write(text.Bytes()))
	}
	if err := writeInventory(f.out, text.Bytes(), f.force); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "refmatrix: wrote %s: %d registries; refmatrix validate -i %s checks it\n",
		f.out, d.Registries(), f.out)
	return nil
}

// fill reads every input into d.
func fill(cmd *cobra.Command, d *draft.Draft, files []string, config string) error {
	for _, name := range files {
		if name == "-" {
			if err := d.Add(cmd.InOrStdin(), "stdin"); err != nil {
				return &failure{exitUsage, err}
			}
			continue
		}
		if err := addFile(name, d.Add); err != nil {
			return &failure{exitUsage, err}
		}
	}
	if config == "" && len(files) > 0 {
		return nil
	}
	if len(files) == 0 && piped(cmd.InOrStdin()) {
		// Not read unasked: a job's pipe may stay open and empty.
		fmt.Fprintln(cmd.ErrOrStderr(), "refmatrix: stdin is not read: write refmatrix init - to read it")
	}
	var err error
	if config == "" {
		config, err = credential.DockerConfigPath()
	}
	if err == nil {
		err = addFile(config, d.AddConfig)
	}
	if err != nil {
		return &failure{exitUsage, fmt.Errorf("%w: name a file of images, or --docker-config", err)}
	}
	return nil
}

func addFile(path string, add func(io.Reader, string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return add(file, path)
}

// writeInventory writes a new file. It replaces one only if force is set.
func writeInventory(path string, content []byte, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return usage("%s is there already: choose another, or --force", path)
	}
	if err != nil {
		return internal(err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return internal(err)
	}
	return nil
}
