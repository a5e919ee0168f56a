package inventory

import _ "embed"

//go:embed inventory.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of an inventory.
func Schema() []byte { return schema }
