package hostile

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// What a scan may request of an image, beside its pages: the image itself, its referrers, its
// tags and what is asked once of the registry; of each platform its referrers and its tags.
const (
	forImage    = 20
	forPlatform = 6
	forArtifact = 1
	readAtMost  = 20 // artifacts whose manifests are read
	platformsOf = 64 // platforms that are probed
	pagesOf     = 20 // pages of one list that are read
)

// Annotations and types that signers write.
const (
	predicateNote = "dev.sigstore.bundle.predicateType"
	referenceType = "vnd.docker.reference.type"
	referenceTo   = "vnd.docker.reference.digest"
	signPredicate = "https://sigstore.dev/cosign/sign/v1"
	spdxPredicate = "https://spdx.dev/Document"
	emptyType     = "application/vnd.oci.empty.v1+json"
	bundleType    = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

var linux = onPlatform("linux", "amd64")

// links are images with links that are crafted.
var links = []craftedLinks{
	{name: "nothing is attached", registry: plainImage(func(*crafted, string) {}),
		covered: "absent; absent", requests: forImage},
	{name: "10,000 platforms", registry: manyPlatforms(10_000),
		covered: "unknown; unknown", says: "links-bounded", requests: forImage + forPlatform*platformsOf},
	{name: "an index in the index", registry: nestedIndex,
		total: unsure, kinds: "*", covered: "present unknown; absent unknown", says: "links-bounded", requests: forImage + 4*forPlatform},
	{name: "20 platforms that do not answer", registry: platforms(20, func(c *crafted) { c.silent = true }),
		covered: "unknown; unknown", requests: forImage + 20*forPlatform,
		timeout: time.Second, most: (1 + 3 + 5) * time.Second}, // a timeout for the image, and one for 8 platforms
	{name: "100 platforms whose lists never end", registry: platforms(100, func(c *crafted) { c.endless = true }),
		covered: "unknown; unknown", says: "links-bounded", requests: forImage + (forPlatform+pagesOf)*platformsOf},
	{name: "a platform that is not there", registry: sparse(false, false),
		total: 1, kinds: "signature 1", covered: "present; absent", says: "sparse-index", requests: forImage + 2*forPlatform},
	{name: "a platform that is not there, without the API", registry: sparse(true, false),
		total: 1, kinds: "signature 1", covered: "present; absent", says: "sparse-index", requests: forImage + 2*forPlatform},
	{name: "a platform that is not there, and whose referrers are 404", registry: sparse(false, true),
		total: 1, kinds: "signature 1", covered: "unknown; unknown", requests: forImage + 2*forPlatform},

	{name: "an artifact that is attached to itself too", registry: plainImage(attachedToItself),
		total: 1, kinds: "signature 1", covered: "present; absent", requests: forImage + readAtMost},
	{name: "the image is attached to itself", registry: plainImage(func(c *crafted, of string) {
		c.attach(of, listedAs(of), listedAs(nth(1), typed(sbomType)))
	}), total: unsure, kinds: "*", covered: "absent unknown; present", requests: forImage + readAtMost},
	{name: "the referrers tag lists itself", registry: plainImage(tagOfItself),
		total: unsure, kinds: "*", covered: "present; absent unknown", requests: forImage + readAtMost},
	{name: "the referrers tag is the image", registry: plainImage(func(c *crafted, of string) {
		c.noAPI = true
		c.manifests[tagOf(of)] = c.manifests[of]
	}), covered: "absent; absent", says: "tag-is-subject", requests: forImage},
	{name: "one artifact three times in two places", registry: plainImage(func(c *crafted, of string) {
		d := listedAs(nth(1), typed(signatureType))
		c.attach(of, d, d)
		c.put(tagOf(of), index(d))
	}), total: 1, kinds: "signature 1", covered: "present; absent", requests: forImage},

	{name: "100,000 referrers in one list", registry: plainImage(func(c *crafted, of string) {
		c.attach(of, numbered(0, 100_000)...)
	}), total: unsure, kinds: "*", covered: "unknown; present unknown", unread: "api", says: "list-bounded", requests: forImage},
	{name: "100,000 referrers in 100 pages", registry: plainImage(func(c *crafted, of string) {
		for n := range 100 {
			c.attach(of, numbered(n*1000, 1000)...)
		}
	}), total: unsure, kinds: "*", covered: "unknown; present", unread: "api", says: "links-bounded", requests: forImage + 20},
	{name: "2,500 referrers in 5 pages", registry: plainImage(func(c *crafted, of string) {
		for n := range 5 {
			c.attach(of, numbered(n*500, 500)...)
		}
	}), total: 2500, kinds: "sbom 2500", covered: "absent; present", requests: forImage + 5},
	{name: "100,000 referrers in the referrers tag", registry: plainImage(func(c *crafted, of string) {
		c.noAPI = true
		c.put(tagOf(of), index(numbered(0, 100_000)...))
	}), total: unsure, kinds: "*", covered: "unknown; present unknown", unread: "tag", says: "links-bounded", requests: forImage},
	{name: "30 referrers without a type", registry: plainImage(func(c *crafted, of string) {
		artifacts := make([]any, 30)
		for n := range artifacts {
			artifacts[n] = listedAs(c.put("", image(fmt.Sprint(n), typed(sbomType))))
		}
		c.attach(of, artifacts...)
	}), total: 30, kinds: "sbom 20", covered: "unknown; present", says: "links-bounded", requests: forImage + readAtMost},

	{name: "attestations of platforms that are not in the index", registry: strayAttestations,
		total: unsure, kinds: "*", covered: "absent unknown; absent unknown", says: "in-index-misplaced", requests: forImage + 4*forPlatform + readAtMost},
	{name: "an attestation of the platform", registry: attestation,
		total: 1, kinds: "sbom 1", covered: "absent; present", requests: forImage + forPlatform + readAtMost},

	{name: "an SBOM that says it is a signature", registry: plainImage(func(c *crafted, of string) {
		c.attach(of, listedAs(nth(1), typed(sbomType), noted(predicateNote, signPredicate)))
	}), total: 1, kinds: "sbom 1", covered: "absent; present", requests: forImage},
	{name: "a bundle whose manifest says something else", registry: plainImage(func(c *crafted, of string) {
		digest := c.put("", image("bundle", typed(bundleType), noted(predicateNote, spdxPredicate)))
		c.attach(of, listedAs(digest, typed(bundleType)))
	}), total: 1, kinds: "sbom 1", covered: "absent; present", requests: forImage + forArtifact},
	{name: "annotations and types of 1 MB", registry: plainImage(func(c *crafted, of string) {
		long := strings.Repeat("x", 1<<20)
		c.attach(of, listedAs(nth(1), typed(signatureType), noted("note", long)), listedAs(nth(2), typed(long)))
	}), total: unsure, kinds: "*", covered: "present; absent unknown", requests: forImage + readAtMost},
	{name: "types that a terminal obeys", registry: plainImage(func(c *crafted, of string) {
		c.attach(of, listedAs(nth(1), typed(evil)), listedAs(nth(2), typed(signatureType), noted(evil, evil)))
	}), total: 2, kinds: "signature 1", covered: "present; unknown", requests: forImage + readAtMost},
	{name: "platforms without a name, and with hostile ones", registry: hostilePlatforms,
		total: 1, kinds: "signature 1", covered: "partial; absent", requests: forImage + 5*forPlatform},
	{name: "types and platforms that are the password", registry: echoes,
		total: unsure, kinds: "*", covered: "absent unknown; absent unknown", requests: forImage + 2*forPlatform + readAtMost},

	{name: "a referrer whose manifest is not there", registry: plainImage(func(c *crafted, of string) {
		c.attach(of, listedAs(nth(1)))
	}), total: 1, covered: "unknown; unknown", requests: forImage + forArtifact},
	{name: "a referrer whose manifest is huge", registry: plainImage(func(c *crafted, of string) {
		c.manifests[nth(1)] = encoded(image("huge", typed(signatureType), noted("note", strings.Repeat("x", 9<<20))))
		c.attach(of, listedAs(nth(1)))
	}), total: 1, covered: "unknown; unknown", says: "links-bounded", requests: forImage + forArtifact},
	{name: "a referrer whose manifest has another digest", registry: plainImage(func(c *crafted, of string) {
		c.manifests[nth(1)] = encoded(image("another", typed(signatureType)))
		c.attach(of, listedAs(nth(1)))
	}), total: 1, covered: "unknown; unknown", requests: forImage + forArtifact},
	{name: "a referrer whose manifest has other things in place of its config and layers", registry: plainImage(func(c *crafted, of string) {
		c.attach(of, listedAs(c.put("", object{"schemaVersion": 2, "layers": "none", "config": []any{1}})))
	}), total: 1, kinds: "other 1", covered: "absent; absent", requests: forImage + forArtifact},
	{name: "a web page for every tag", registry: plainImage(func(c *crafted, _ string) { c.page = true }),
		total: unsure, kinds: "*", covered: "absent unknown; absent unknown", requests: forImage},
	{name: "a cosign tag with a manifest of another sort", registry: plainImage(func(c *crafted, of string) {
		c.put(tagOf(of)+".sig", image("no signature"))
	}), total: 1, kinds: "other 1", covered: "absent; absent", requests: forImage + forArtifact},
}

// plainImage is an image of one manifest, of which more is made up.
func plainImage(more func(c *crafted, of string)) func() *crafted {
	return func() *crafted {
		c, of := newCrafted(image("image"))
		more(c, of)
		return c
	}
}

// numbered are descriptors of n SBOMs, none of them twice.
func numbered(from, n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = json.RawMessage(fmt.Sprintf(`{"mediaType":%q,"digest":"sha256:%064x","size":500,"artifactType":%q}`,
			manifestType, from+i, sbomType))
	}
	return out
}

// platforms is an index of n platforms, of which more is made up.
func platforms(n int, more func(*crafted)) func() *crafted {
	return func() *crafted {
		descriptors := make([]any, n)
		for i := range descriptors {
			descriptors[i] = listedAs(platformDigest(i), onPlatform("linux", fmt.Sprint("arch", i)))
		}
		c, _ := newCrafted(index(descriptors...))
		for i := range n {
			c.put("", image(fmt.Sprint("platform ", i)))
		}
		more(c)
		return c
	}
}

// platformDigest is the digest of a platform of platforms.
func platformDigest(n int) string { return digestOf(encoded(image(fmt.Sprint("platform ", n)))) }

func manyPlatforms(n int) func() *crafted {
	return func() *crafted {
		descriptors := make([]any, n)
		for i := range descriptors {
			descriptors[i] = listedAs(nth(1+i), onPlatform("linux", fmt.Sprint("arch", i)))
		}
		c, _ := newCrafted(index(descriptors...))
		return c
	}
}

// nestedIndex is an index of an index, whose one platform is signed.
func nestedIndex() *crafted {
	platform := image("platform")
	inner := index(listedAs(digestOf(encoded(platform)), linux))
	c, _ := newCrafted(index(listedAs(digestOf(encoded(inner)), object{"mediaType": indexType})))
	c.put("", inner)
	c.attach(c.put("", platform), listedAs(nth(1), typed(signatureType)))
	return c
}

// sparse is an index of two platforms of which one is there and signed, as a mirror of one
// platform has it.
func sparse(noAPI, absent404 bool) func() *crafted {
	return func() *crafted {
		platform := image("platform")
		there := digestOf(encoded(platform))
		c, _ := newCrafted(index(listedAs(there, linux), listedAs(nth(1), onPlatform("linux", "arm64"))))
		c.noAPI, c.absent404 = noAPI, absent404
		c.put("", platform)
		if noAPI {
			c.put(tagOf(there), index(listedAs(nth(2), typed(signatureType))))
			return c
		}
		c.attach(there, listedAs(nth(2), typed(signatureType)))
		return c
	}
}

func attachedToItself(c *crafted, of string) {
	digest := c.put("", image("artifact", typed(signatureType), object{"subject": listedAs(of)}))
	itself := listedAs(digest, typed(signatureType))
	c.attach(of, itself)
	c.attach(digest, itself, listedAs(of))
}

// tagOfItself is a registry without the API, whose referrers tag lists an index that is the
// tag's again, as far as its name goes.
func tagOfItself(c *crafted, of string) {
	c.noAPI = true
	c.put(tagOf(of), index(
		listedAs(nth(1), object{"mediaType": indexType}), listedAs(of), listedAs(nth(2), typed(signatureType))))
	c.manifests[nth(1)] = c.manifests[tagOf(of)]
}

// strayAttestations is an index with attestations of what is not in it, of itself and of nothing.
func strayAttestations() *crafted {
	platform, other := image("platform"), image("attestation", object{"layers": []any{
		object{"mediaType": inTotoType, "annotations": object{"in-toto.io/predicate-type": spdxPredicate}},
	}})
	digest := digestOf(encoded(other))
	attests := func(what string) any {
		return listedAs(digest, onPlatform("unknown", "unknown"), noted(referenceType, "attestation-manifest", referenceTo, what))
	}
	c, _ := newCrafted(index(listedAs(digestOf(encoded(platform)), linux), attests(nth(1)), attests("not a digest"), attests(digest),
		listedAs(digest, onPlatform("unknown", "unknown"), noted(referenceType, "attestation-manifest"))))
	c.put("", platform)
	c.put("", other)
	return c
}

// attestation is an index with an attestation as BuildKit writes it.
func attestation() *crafted {
	platform, sbom := image("platform"), image("attestation", object{"layers": []any{
		object{"mediaType": inTotoType, "annotations": object{"in-toto.io/predicate-type": spdxPredicate}},
	}})
	of, attests := digestOf(encoded(platform)), digestOf(encoded(sbom))
	c, _ := newCrafted(index(listedAs(of, linux), listedAs(attests, onPlatform("unknown", "unknown"),
		noted(referenceType, "attestation-manifest", referenceTo, of))))
	c.put("", platform)
	c.put("", sbom)
	return c
}

// hostilePlatforms is an index whose platforms have names that harm a report, or none. One of
// them is signed.
func hostilePlatforms() *crafted {
	long := strings.Repeat("y", 1<<20)
	platforms := []object{
		onPlatform(evil, evil),
		onPlatform(long, long),
		{},
		onPlatform("", ""),
		onPlatform("unknown", "unknown"),
	}
	descriptors, manifests := make([]any, len(platforms)), make([]object, len(platforms))
	for i, platform := range platforms {
		manifests[i] = image(fmt.Sprint("platform ", i))
		descriptors[i] = listedAs(digestOf(encoded(manifests[i])), platform)
	}
	c, _ := newCrafted(index(descriptors...))
	for _, m := range manifests {
		c.put("", m)
	}
	c.attach(digestOf(encoded(manifests[0])), listedAs(nth(1), typed(signatureType)))
	return c
}

// echoes is an index that repeats the entry's password wherever text is read.
func echoes() *crafted {
	platforms := []any{
		listedAs(nth(1), onPlatform("linux", goodPassword)),
		listedAs(nth(2), onPlatform(goodPassword, "amd64"), noted(referenceType, goodPassword)),
	}
	c, of := newCrafted(index(platforms...))
	c.attach(of,
		listedAs(nth(3), typed("application/vnd."+goodPassword)),
		listedAs(nth(4), typed(bundleType), noted(predicateNote, goodPassword)))
	c.attach(nth(1), listedAs(nth(5), typed(goodPassword), noted(goodPassword, goodPassword)))
	c.put(tagOf(nth(2))+".sig", image(goodPassword, typed(goodPassword)))
	return c
}
