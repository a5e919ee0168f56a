package inventory

import (
	"fmt"
	"regexp"
	"strings"
)

// variable is $$, ${NAME} or ${NAME:-default}.
var variable = regexp.MustCompile(`\$\$|\$\{([^}]*)\}`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces the variables of a value. What a variable holds is never
// looked at again, so a secret with a $ in it stays what it is. missing words
// what could not be expanded, "" where all could.
func expand(value string, env func(string) (string, bool)) (expanded, missing string) {
	if !strings.Contains(value, "$") {
		return value, ""
	}
	expanded = variable.ReplaceAllStringFunc(value, func(match string) string {
		if match == "$$" {
			return "$"
		}
		name, fallback, hasFallback := strings.Cut(match[2:len(match)-1], ":-")
		if !variableName.MatchString(name) {
			// Not the text itself: it may be part of a secret.
			missing = "${...} names no variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar"
			return ""
		}
		held, ok := env(name)
		switch {
		case ok && (held != "" || !hasFallback):
			return held
		case hasFallback:
			return fallback
		}
		missing = fmt.Sprintf("the variable %s is not set", name)
		return ""
	})
	return expanded, missing
}
