package inventory

import (
	"fmt"
	"regexp"
	"strings"
)

// variable is $$, ${NAME} or ${NAME:-default}, or a ${ that nothing closes. A
// dollar before anything else is a dollar.
var variable = regexp.MustCompile(`\$\$|\$\{[^}]*\}?`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// bareVariable is $NAME. A $$ is matched too, so that the name behind it is not.
var bareVariable = regexp.MustCompile(`\$\$|\$([A-Za-z_][A-Za-z0-9_]*)`)

// withoutBraces returns what is wrong with a secret that holds $NAME, or "". It is text and
// no variable here, and would be sent as the secret. The name is repeated only if a
// variable has it, because otherwise it may be part of the secret.
func withoutBraces(value string, env func(string) (string, bool)) string {
	for _, match := range bareVariable.FindAllStringSubmatch(value, -1) {
		name := match[1]
		if name == "" {
			continue
		}
		if _, ok := env(name); !ok {
			name = "NAME"
		}
		return fmt.Sprintf("has a variable without braces: write ${%s}, or $$ for a dollar", name)
	}
	return ""
}

// expand replaces the variables of a value. What a variable holds is never
// looked at again, so a secret with a $ in it stays what it is. missing says what
// could not be expanded; it is "" if all could.
func expand(value string, env func(string) (string, bool)) (expanded, missing string) {
	if !strings.Contains(value, "$") {
		return value, ""
	}
	expanded = variable.ReplaceAllStringFunc(value, func(match string) string {
		if match == "$$" {
			return "$"
		}
		inner, closed := strings.CutSuffix(match[2:], "}")
		name, fallback, hasFallback := strings.Cut(inner, ":-")
		held, ok := env(name)
		// The text itself is in no message: it may be part of a secret.
		switch {
		case !closed:
			missing = "a ${ has no }: write ${NAME} or ${NAME:-default}, or $$ for a dollar"
			return ""
		case !variableName.MatchString(name):
			missing = "${...} names no variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar"
			return ""
		case strings.Contains(fallback, "${"):
			missing = "the default of ${NAME:-default} is text: it cannot hold another ${...}"
			return ""
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
