package hostile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// maxList is the bound on an index or manifest that SECURITY.md names, in bytes.
// Bodies that must fit are 7.9 MiB.
const (
	maxList   = 8 << 20
	underList = maxList - maxList/80
)

// content is a body that all its servers share, made when it is first sent: many
// servers of one shape cost the test no more than one.
type content func() []byte

// filling repeats item between head and tail, with commas, up to size bytes.
func filling(head, item, tail string, size int) content {
	return sync.OnceValue(func() []byte {
		n := (size - len(head) - len(tail)) / (len(item) + 1)
		return []byte(head + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + tail)
	})
}

// copies is an index of n times one descriptor.
func copies(n int, descriptor string) content {
	return sync.OnceValue(func() []byte {
		return []byte(listHead + strings.TrimSuffix(strings.Repeat(descriptor+",", n), ",") + listTail)
	})
}

// enclosing repeats one text between head and tail, up to size bytes.
func enclosing(head, text, tail string, size int) content {
	return sync.OnceValue(func() []byte {
		return []byte(head + strings.Repeat(text, (size-len(head)-len(tail))/len(text)) + tail)
	})
}

const (
	errorsHead = `{"errors":[{"code":[`
	errorsTail = `]}]}`
	listHead   = `{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":[`
	listTail   = `]}`
	oneHead    = listHead + `{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,` +
		`"digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111"`
)

// The bodies of the costly registries.
var (
	manyCodes    = filling(errorsHead, "{}", errorsTail, maxList)
	nothings     = filling(listHead, "{}", listTail, maxList-16)
	largeList    = descriptors(underList)
	longType     = enclosing(oneHead+`,"artifactType":"`, "x", `"}]}`, underList)
	longNote     = enclosing(oneHead+`,"annotations":{"a":"`, "x", `"}}]}`, underList)
	longKey      = enclosing(`{"`, "x", `":1,"schemaVersion":2,"manifests":[]}`, underList)
	openArrays   = enclosing("", "[", "", maxList)
	openObjects  = enclosing("", `{"a":`, "", maxList)
	longVersion  = enclosing(`{"version":"`, "x", `"}`, maxList)
	unprintables = copies(1000, unreadable)
	longTypes    = copies(1000, longTyped)
	wrongDigests = filling(listHead, strings.Replace(descriptor, "sha256:", "sha256:../../", 1), listTail, 1<<20)
)

// unreadable is a descriptor all of whose texts are 300 control characters.
var unreadable = strings.ReplaceAll(
	`{"mediaType":"x","artifactType":"x","digest":"x","size":1}`,
	`"x"`,
	`"`+strings.Repeat(`\u0001`, 300)+`"`,
)

// longTyped is a descriptor whose types are as long as a media type may be: 127
// characters before and 127 after the slash (RFC 6838, section 4.2).
var longTyped = strings.ReplaceAll(descriptor, `"mediaType":"application/vnd.oci.image.manifest.v1+json"`,
	fmt.Sprintf(`"mediaType":"%[1]s/%[1]s","artifactType":"%[1]s/%[1]s"`, strings.Repeat("x", 127)))

// descriptors is an index of at most size bytes, each of its descriptors with
// another digest.
func descriptors(size int) content {
	return sync.OnceValue(func() []byte {
		var out bytes.Buffer
		out.WriteString(listHead)
		for n, separator := 0, ""; ; n, separator = n+1, "," {
			digest := fmt.Sprintf("sha256:%064x", n)
			one := separator + strings.Replace(descriptor, "sha256:"+strings.Repeat("1", 64), digest, 1)
			if out.Len()+len(one)+len(listTail) > size {
				break
			}
			out.WriteString(one)
		}
		out.WriteString(listTail)
		return out.Bytes()
	})
}

// opaque is a token of size letters that another seed does not repeat.
func opaque(seed uint64, size int) string {
	random := rand.New(rand.NewPCG(seed, 0))
	letters := make([]byte, size)
	for i := range letters {
		letters[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[random.IntN(64)]
	}
	return string(letters)
}
