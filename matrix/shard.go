package matrix

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// maxShards bounds N of I/N.
const maxShards = 10_000

// ShardOf returns the shard, 0 to n-1, that the registry called name belongs to.
// It depends on the name alone (FNV-1a), so that all images of a registry,
// and with them its limits, stay in one shard, whatever else the inventory
// holds.
func ShardOf(name string, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return int(h.Sum64() % uint64(n))
}

// ParseShard reads "I/N", I from 1 to N.
func ParseShard(text string) (index, count int, err error) {
	i, n, ok := strings.Cut(text, "/")
	index, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || count < 1 || count > maxShards || index < 1 || index > count {
		return 0, 0, fmt.Errorf("shard %q: write I/N with I from 1 to N, such as 2/4", text)
	}
	return index, count, nil
}

// ShardFromEnv returns "I/N" from the variables of an indexed job, whose index
// begins at 0: JOB_COMPLETION_INDEX, which Kubernetes sets in every pod of such
// a job, and JOB_COMPLETION_COUNT, which the job's author sets beside it. It is
// "" where neither is set. The index alone is a warning, for the job may not be
// about shards; the count alone is an error, for every pod would scan
// everything.
func ShardFromEnv(getenv func(string) string) (shard, warning string, err error) {
	index, count := getenv("JOB_COMPLETION_INDEX"), getenv("JOB_COMPLETION_COUNT")
	switch {
	case index == "" && count == "":
		return "", "", nil
	case count == "":
		return "", fmt.Sprintf("JOB_COMPLETION_INDEX is %s and JOB_COMPLETION_COUNT is not set: this pod scans the whole inventory; set the count to the job's completions to scan a shard", index), nil
	case index == "":
		return "", "", fmt.Errorf("JOB_COMPLETION_COUNT is %s and JOB_COMPLETION_INDEX is not set: make the job completionMode: Indexed, or unset the count", count)
	}
	i, err := strconv.Atoi(index)
	if err != nil {
		return "", "", fmt.Errorf("JOB_COMPLETION_INDEX %q is not a number", index)
	}
	shard = fmt.Sprintf("%d/%s", i+1, count)
	if _, _, err := ParseShard(shard); err != nil {
		return "", "", fmt.Errorf("JOB_COMPLETION_INDEX %q and JOB_COMPLETION_COUNT %q name no shard: the index runs from 0 to the count less 1", index, count)
	}
	return shard, "", nil
}
