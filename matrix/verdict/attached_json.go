package verdict

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Annotations are those of a descriptor, manifest or layer. Its JSON may have any number of
// them: those by which no kind is known are not kept.
type Annotations map[string]string

// maxAnnotation bounds the value of an annotation, in bytes. No value in the kinds table is
// longer.
const maxAnnotation = 512

// annotationsRead are the names of the annotations that are kept.
var annotationsRead = []string{
	bundlePredicate, bundleContent, inTotoPredicate, cosignPredicate, cosignSignature, dockerReference, dockerReferenced,
}

// UnmarshalJSON takes the bytes of the value, which encoding/json has found to be valid JSON.
// It never fails: what is not a map of strings, which no client writes, is read as if there
// were none.
func (a *Annotations) UnmarshalJSON(raw []byte) error {
	*a = nil
	if raw[0] != '{' {
		return nil
	}
	kept := Annotations{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.Token()
	for dec.More() {
		key, _ := dec.Token()
		value, _ := dec.Token()
		text, isText := value.(string)
		if !isText {
			return nil
		}
		if name, _ := key.(string); slices.Contains(annotationsRead, name) {
			kept[name] = text[:min(len(text), maxAnnotation)]
		}
	}
	*a = kept
	return nil
}

// AttachedBlobs are the layers of a manifest. Its JSON may have any number of them: those that
// show no kind are not kept, and MaxAttachedBlobs+1 of the others at the most.
type AttachedBlobs []AttachedBlob

// MaxAttachedBlobs is how many layers that show a kind a manifest may have. What the layers of
// one that has more show is not known.
const MaxAttachedBlobs = 1000

// UnmarshalJSON takes the bytes of the value, which encoding/json has found to be valid JSON.
// The error is that of a layer that is not an object, or of what is not a list.
func (b *AttachedBlobs) UnmarshalJSON(raw []byte) error {
	*b = nil
	if raw[0] != '[' {
		var list []AttachedBlob // null, or the error that it is not a list
		return json.Unmarshal(raw, &list)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.Token()
	var invalid error
	for dec.More() && len(*b) <= MaxAttachedBlobs {
		var one AttachedBlob
		if err := dec.Decode(&one); err != nil {
			invalid = err
		}
		if findKind(asLayer, one.MediaType, "") != nil {
			*b = append(*b, one)
		}
	}
	return invalid
}
