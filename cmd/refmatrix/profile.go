package main

import (
	"errors"
	"os"
	"runtime/pprof"
	"runtime/trace"

	"github.com/spf13/cobra"
)

// profiles are hidden flags for those who look into where the time goes.
type profiles struct{ cpu, trace string }

func (p *profiles) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&p.cpu, "cpuprofile", "", "write a CPU profile to this `FILE`")
	flags.StringVar(&p.trace, "trace", "", "write an execution trace to this `FILE`")
	_ = flags.MarkHidden("cpuprofile")
	_ = flags.MarkHidden("trace")
}

// start begins what was asked for; the function it returns ends it.
func (p *profiles) start() (stop func() error, err error) {
	var ends []func() error
	begin := func(path string, begin func(*os.File) error, end func()) error {
		if path == "" {
			return nil
		}
		file, err := os.Create(path)
		if err != nil {
			return internal(err)
		}
		if err := begin(file); err != nil {
			return internal(errors.Join(err, file.Close()))
		}
		ends = append(ends, func() error {
			end()
			return file.Close()
		})
		return nil
	}
	err = errors.Join(
		begin(p.cpu, func(f *os.File) error { return pprof.StartCPUProfile(f) }, pprof.StopCPUProfile),
		begin(p.trace, func(f *os.File) error { return trace.Start(f) }, trace.Stop),
	)
	return func() error {
		var errs []error
		for _, end := range ends {
			errs = append(errs, end())
		}
		return errors.Join(errs...)
	}, err
}
