package e2e

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"refmatrix/cmd/demofleet/fleet"
)

// TestScript tells what a team lives through with real registries, one script
// a story.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("REFMATRIX", os.Getenv("REFMATRIX"))
			env.Setenv("DOCKER_CONFIG", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fleet": startFleet,
			"blot":  blotOut,
		},
		UpdateScripts:       *update,
		RequireExplicitExec: true,
	})
}

// TestPost: docs/cron.md shows the post of the weekly script.
func TestPost(t *testing.T) {
	script, err := os.ReadFile("testdata/script/weekly.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, post, _ := strings.Cut(string(script), "-- post.md --\n")
	quoted := ""
	for line := range strings.Lines(post) {
		quoted += strings.TrimRight("> "+strings.NewReplacer("DATE", "2026-11-16", "ADDRESS", "192.0.2.7:443", "## ", "#### ", "### ", "##### ").Replace(line), " \n") + "\n"
	}
	section(t, "../../../docs/cron.md", "post", quoted)
}

// startFleet is "fleet VARIABLE [upgraded=NAME] [stopped=NAME] [without=NAME]": a
// fleet that runs until the script ends, the path of its inventory in $VARIABLE.
func startFleet(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: fleet VARIABLE [upgraded|stopped|without=NAME]...")
	}
	o := fleet.Options{Dir: ts.MkAbs("fleet-" + args[0])}
	for _, arg := range args[1:] {
		key, name, _ := strings.Cut(arg, "=")
		switch key {
		case "upgraded":
			o.Upgraded = append(o.Upgraded, name)
		case "stopped":
			o.Stopped = append(o.Stopped, name)
		case "without":
			o.Without = append(o.Without, name)
		default:
			ts.Fatalf("unknown option %s", arg)
		}
	}
	f, err := fleet.Start(context.Background(), o)
	ts.Check(err)
	ts.Defer(func() { ts.Check(f.Close()) })
	path, err := f.WriteInventory()
	ts.Check(err)
	ts.Setenv(args[0], path)
}

// What differs from run to run.
var (
	addresses = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	dates     = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)
)

// blotOut is "blot FILE": what the last command printed, with addresses and
// dates blotted out, as a file to compare.
func blotOut(ts *testscript.TestScript, _ bool, args []string) {
	text := dates.ReplaceAllString(addresses.ReplaceAllString(ts.ReadFile("stdout"), "ADDRESS"), "DATE")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
