package main

import "cmp"

// againstBefore compares a scan with one by an earlier build, as it is by default
// and with everything switched on.
func (b *bench) againstBefore() error {
	for _, compared := range []struct {
		name string
		n    int
		args []string
	}{
		{name: "basic, default formats", n: min(1000, b.most)},
		{name: "basic, default formats", n: b.most},
		{name: "full, all formats", n: min(1000, b.most), args: []string{"--probe", "full", "-f", "all"}},
	} {
		f := b.plain(compared.n)
		got, err := interleave(b.rounds,
			func() sample { return b.scanBefore(f, compared.args...) },
			func() sample { return b.scan(f, compared.args...) })
		if err != nil {
			return err
		}
		before, now := got[0], got[1]
		b.say("%d registries, %s\n  before     %s\n  now        %s", f.n, compared.name, before, now)
		b.say("  now / before: wall %.3f, CPU %.3f, memory %.3f, requests %.3f\n",
			now.Wall.Seconds()/before.Wall.Seconds(), now.CPU.Seconds()/before.CPU.Seconds(),
			float64(now.RSS)/float64(before.RSS), float64(now.Requests)/float64(cmp.Or(before.Requests, 1)))
	}
	return nil
}
